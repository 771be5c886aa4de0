"""The example that checks bundles without hitp2p, against the vectors of chapters 01 to 04 and 06."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from spec_vectors import Vector, by_id, load

import hitp2p
from hitp2p.codec.car import CarReader, CarWriter
from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.codec.dagcbor import decode_object

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


UNCHECKED = {f"OBJ-{n}" for n in (4, 5, 10, *range(11, 25))}
UNCHECKED |= {f"KND-{n}" for n in range(1, 11)} | {f"IDN-{n}" for n in (5, 7, 8, 9)}
UNCHECKED |= {"MED-1", "MED-2", "MED-3", "MED-8", "CAR-3"}
"""Rules on single objects, pages and texts that the example's docstring leaves out; in part only OBJ-5 (in bodies), and OBJ-11
and CAR-3 (of the CID that an object comes with, which is the bundle's business)."""
LEFT_OUT = {"bnd-2-stranger", "bnd-2-page-stranger", "bnd-3-rest-swapped"}
"""Likewise: list pages, texts and media that don't belong to the file, or stand in another order."""
LEFT_OUT |= {"snp-2-genesis-late", "snp-2-page-last"}
"""And snapshots in another order in which nothing stands before what it needs."""


@pytest.mark.parametrize("vector", load("bundle.json", "bundle"), ids=by_id)
def test_the_example_gives_a_bundle_the_verdict_of_the_vector(vector: Vector) -> None:
    if (
        vector.expect == "invalid"
        and vector.id not in LEFT_OUT
        and vector.rule not in UNCHECKED - {"CAR-3"}
    ):
        with pytest.raises(verify_trail.Invalid) as caught:
            verify_trail.check_bundle(vector.data)
        assert rules_in(str(caught.value)) & vector.allowed
    else:
        work, objects = verify_trail.check_bundle(vector.data)
        assert str(work.cid) == vector.fields.get("work", str(work.cid))
        cids = sorted(map(str, objects))
        assert cids == vector.fields.get("objects", cids)


@pytest.mark.parametrize("vector", load("trail.json", "set"), ids=by_id)
def test_the_example_judges_each_object_of_a_set_as_the_vector_says(vector: Vector) -> None:
    known = {obj.cid: obj for obj in map(read, map(bytes.fromhex, vector.fields["input"]))}
    wanted = vector.fields["report"]
    for cid, obj in known.items():
        if str(cid) in wanted["valid"]:
            verify_trail.check_in_trail(obj, known)
        elif "TRL-9" not in (rules := wanted["invalid"].get(str(cid), ["TRL-9"])):
            with pytest.raises(verify_trail.Invalid) as caught:
                verify_trail.check_in_trail(obj, known)
            assert rules_in(str(caught.value)) & set(rules)


def read(block: bytes) -> Any:
    cid = b"\1\x71\x12\x20" + hashlib.sha256(block).digest()
    return verify_trail.read_object(verify_trail.Link(cid), block)


@pytest.mark.parametrize(
    "vector", [*load("objects.json", "object"), *load("identity.json", "object")], ids=by_id
)
def test_the_example_takes_every_valid_object_and_names_no_wrong_rule(vector: Vector) -> None:
    """It leaves bodies out, so it may take what is invalid, but never the other way round."""
    message = refusal(vector.data)
    if message is not None:
        assert vector.expect == "invalid"
        assert rules_in(message) & vector.allowed
    else:
        assert vector.expect == "valid" or vector.allowed & UNCHECKED


def refusal(block: bytes) -> str | None:
    try:
        read(block)
    except (verify_trail.Invalid, AttributeError, KeyError) as error:
        if isinstance(error, verify_trail.Invalid):
            return str(error)
        return "no map [OBJ-1]" if isinstance(error, AttributeError) else "no keys [KND-1]"
    return None


# The example bounds objects, not blocks [ENC-9].
ENCODINGS = [v for v in load("encoding.json", "dag-cbor-object") if v.rule != "ENC-9"]


@pytest.mark.parametrize("vector", ENCODINGS, ids=by_id)
def test_the_example_decodes_as_the_vector_says(vector: Vector) -> None:
    if vector.expect == "invalid":
        with pytest.raises(verify_trail.Invalid):
            verify_trail.decode(vector.data)
    else:
        assert plain(verify_trail.decode(vector.data)) == plain(decode_object(vector.data))


def plain(value: Any) -> Any:
    """With links as text, whoever decoded them."""
    if isinstance(value, dict):
        return [(name, plain(item)) for name, item in value.items()]
    if isinstance(value, list):
        return [plain(item) for item in value]
    return ("link", str(value)) if isinstance(value, Cid | verify_trail.Link) else value


@pytest.mark.parametrize("vector", load("keys.json", "signature"), ids=by_id)
def test_the_example_judges_a_signature_as_the_vector_says(vector: Vector) -> None:
    case = {name: bytes.fromhex(value) for name, value in vector.fields["input"].items()}
    message = case["domain"] + case["message"]
    if vector.expect == "invalid":
        with pytest.raises(verify_trail.Invalid) as caught:
            verify_trail.check_signature(message, case["signature"], case["public"])
        assert rules_in(str(caught.value)) & vector.allowed
    else:
        verify_trail.check_signature(message, case["signature"], case["public"])


SONG = next(vector.data for vector in load("bundle.json", "bundle") if vector.id == "bnd-1-song")
ODD = (verify_trail.Invalid, LookupError, TypeError, AttributeError)
"""What `main` calls invalid: a broken rule, or a shape that no rule could be asked of."""


def test_the_example_notices_every_flipped_byte() -> None:
    for at in range(len(SONG)):
        with pytest.raises(ODD):
            verify_trail.check_bundle(SONG[:at] + bytes([SONG[at] ^ 0x10]) + SONG[at + 1 :])


def test_the_example_notices_every_object_page_and_snapshot_page_that_is_dropped() -> None:
    car = CarReader(BytesIO(SONG))
    blocks = list(car)
    needed = [block.cid for block in blocks if block.cid.codec == DAG_CBOR]
    assert len(needed) > 7
    for dropped in needed:
        file = BytesIO()
        writer = CarWriter(file, car.roots)
        for block in blocks:
            if block.cid != dropped:
                writer.write(block.cid, block.data)
        with pytest.raises(verify_trail.Invalid):
            verify_trail.check_bundle(file.getvalue())


def test_the_example_notices_the_signature_of_another_object() -> None:
    signed = [block.data for block in CarReader(BytesIO(SONG)) if block.data[1:5] == b"\x63sig"]
    for block, other in pairwise(signed):
        read(block)
        with pytest.raises(verify_trail.Invalid, match="KEY"):
            read(block[:7] + other[7:71] + block[71:])


def test_the_example_tells_a_trail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = next(v for v in load("bundle.json", "bundle") if v.id == "bnd-1-song")
    path = tmp_path / "song.car"
    path.write_bytes(bundle.data)
    assert verify_trail.main(str(path)) == 0
    said = capsys.readouterr().out
    assert re.search(
        r"contribution  A song, by .* \[........\], from (A melody and Some words|Some words and A melody)\n",
        said,
    )


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
    assert verify_trail.main(str(tmp_path / "song.car")) == 0
    assert re.search(r"Song, by Bo \[........\], from Verse\n", capsys.readouterr().out)


def test_the_example_refuses_a_broken_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = next(v for v in load("bundle.json", "bundle") if v.id == "car-3-bit")
    path = tmp_path / "song.car"
    path.write_bytes(bundle.data)
    assert verify_trail.main(str(path)) == 30
    assert "[CAR-3]" in capsys.readouterr().err


def test_the_example_imports_nothing_of_hitp2p() -> None:
    source = EXAMPLE.read_text(encoding="utf-8")
    assert not re.search(r"^\s*(import|from) hitp2p", source, re.MULTILINE)
