"""The example that checks bundles without hitp2p, against the vectors of chapters 03 and 06."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
from spec_vectors import Vector, by_id, load

import hitp2p

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "verify_trail.py"


def load_example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_trail", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


verify_trail = load_example()


def rules_in(message: str) -> set[str]:
    """The rule ids of a message; `ENC-1, 3` are two."""
    found = re.search(r"\[([A-Z]{3})-([0-9, ]+)\]$", message)
    assert found is not None, message
    return {f"{found[1]}-{number}" for number in found[2].split(", ")}


@pytest.mark.parametrize("vector", load("bundle.json", "bundle"), ids=by_id)
def test_the_example_gives_a_bundle_the_verdict_of_the_vector(vector: Vector) -> None:
    if vector.expect == "invalid":
        with pytest.raises(verify_trail.Invalid) as caught:
            verify_trail.check_bundle(vector.data)
        assert rules_in(str(caught.value)) & vector.allowed
    else:
        work, objects = verify_trail.check_bundle(vector.data)
        assert str(work.cid) == vector.fields["work"]
        assert sorted(str(obj.cid) for obj in objects) == vector.fields["objects"]


@pytest.mark.parametrize(
    "vector", [*load("objects.json", "object"), *load("identity.json", "object")], ids=by_id
)
def test_the_example_takes_every_valid_object_and_names_no_wrong_rule(vector: Vector) -> None:
    """It leaves shapes of bodies out, so it may take what is invalid, but never the other way round."""
    message = refusal(vector.data)
    assert message is None or (vector.expect == "invalid" and rules_in(message) & vector.allowed)


def refusal(block: bytes) -> str | None:
    try:
        verify_trail.Object(verify_trail.Link(), block)
    except (verify_trail.Invalid, AttributeError) as error:  # the latter for what is no map
        return str(error) if isinstance(error, verify_trail.Invalid) else "no map [OBJ-1]"
    return None


# The example bounds objects, not blocks [ENC-9].
ENCODINGS = [v for v in load("encoding.json", "dag-cbor-object") if v.rule != "ENC-9"]


@pytest.mark.parametrize("vector", ENCODINGS, ids=by_id)
def test_the_example_decodes_as_the_vector_says(vector: Vector) -> None:
    if vector.expect == "invalid":
        with pytest.raises(verify_trail.Invalid):
            verify_trail.decode(vector.data)
    else:
        assert verify_trail.encode(verify_trail.decode(vector.data)) == vector.data


def test_the_example_tells_a_trail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = next(v for v in load("bundle.json", "bundle") if v.id == "bnd-1-song")
    path = tmp_path / "song.car"
    path.write_bytes(bundle.data)
    assert verify_trail.main([str(path)]) == 0
    said = capsys.readouterr().out
    assert "signed “A song”: translation of “Some words”, remix of “A melody”." in said


def test_the_example_takes_what_the_workspace_exports(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verse = tmp_path / "verse.txt"
    verse.write_text("the night bus\n", encoding="utf-8")
    with hitp2p.open(":memory:") as ws:
        ana, bo = hitp2p.Identity.create("Ana"), hitp2p.Identity.create("Bo")
        project = ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ana)
        first = ws.contribute(project, verse, title="Verse", roles=["lyr"], by=ana)
        song = ws.remix([first], verse, title="Song", note="It made me sing.", by=bo)
        ws.export(song, tmp_path / "song.car", media="all")
    assert verify_trail.main([str(tmp_path / "song.car")]) == 0
    assert "signed “Song”: remix of “Verse”." in capsys.readouterr().out


def test_the_example_refuses_a_broken_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = next(v for v in load("bundle.json", "bundle") if v.id == "car-3-bit")
    path = tmp_path / "song.car"
    path.write_bytes(bundle.data)
    assert verify_trail.main([str(path)]) == 30
    assert "[CAR-3]" in capsys.readouterr().err


def test_the_example_imports_nothing_of_hitp2p() -> None:
    source = EXAMPLE.read_text(encoding="utf-8")
    assert not re.search(r"^\s*(import|from) hitp2p", source, re.MULTILINE)
