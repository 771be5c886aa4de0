"""Real media of many people: Debian's sound theme, imported by the example, against what the package says of its files.

The copyright file is read here in another way than the example's, and some entries are stated as a person read them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from email.parser import HeaderParser
from hashlib import sha256
from pathlib import Path
from typing import Any

import outside
import pytest

import hitp2p

PACKAGE = "sound-theme-freedesktop"
SOUNDS = Path("/usr/share/sounds/freedesktop")
COPYRIGHT = Path("/usr/share/doc") / PACKAGE / "copyright"
EXAMPLES = Path(__file__).parents[2] / "examples"

HOME = "https://people.freedesktop.org/~mccann/dist/"
READ_BY_HAND = {
    "alarm-clock-elapsed": ("Tim/corsica_s", "CC-BY-SA-3.0"),
    "audio-test-signal": ("The ALSA developers", "GPL-2.0-or-later"),
    "bell": ("Dr. Richard Boulanger et al", "CC-BY-3.0"),
    "dialog-warning": (None, None),  # one of four that the file forgot
    "network-connectivity-lost": ("Ivica Bukvic", "CC-BY-SA-3.0"),
    "phone-incoming-call": ("Damien Sandras", "GPL-2.0-or-later"),
    "screen-capture": ("freesound user horsthorstensen", "CC-BY-SA-3.0"),
    "service-logout": ("The Pidgin developers", "GPL-2.0-only"),
    "suspend-error": ("Red Hat, Inc.", "CC-BY-SA-3.0"),
}
PER_LICENSE = {
    "CC-BY-SA-3.0": 13,
    "GPL-2.0-or-later": 13,
    "CC-BY-3.0": 3,
    "GPL-2.0-only": 2,
    None: 4,
}


def run(*words: str, **environ: str) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environ,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def theme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the example made."""
    outside.debian_package(PACKAGE, SOUNDS, COPYRIGHT)
    folder = tmp_path_factory.mktemp("sounds") / "theme"
    run(str(EXAMPLES / "sound_theme.py"), str(folder))
    return folder


@pytest.fixture
def ws(theme: Path) -> Iterator[hitp2p.Workspace]:
    with hitp2p.open(theme, create=False) as workspace:
        yield workspace


def works(ws: hitp2p.Workspace) -> dict[str, hitp2p.SignedObject]:
    """Every work by its title."""
    found = [ws.show(row.cid) for row in ws.rows(kind="contribution")]
    by_title = {work.body["title"]: work for work in found}
    assert len(by_title) == len(found)
    return by_title


def sheet(ws: hitp2p.Workspace, work: hitp2p.SignedObject) -> tuple[dict[str, Any], dict[str, Any]]:
    """The lines of a work's credits: its own, and that of its only source."""
    own, source = ws.credits(work).to_json()["lines"]
    return own, source


def author_and_license(line: dict[str, Any]) -> tuple[str | None, str | None]:
    """What a line says of a source, whose only person is its author."""
    people = line["people"]
    assert len(people) <= 1
    return (people[0]["name"] if people else None, line["license"])


def as_the_package_says() -> dict[str, tuple[str, str]]:
    """Name of a sound -> author and licence, read with the parser for mail, as Debian's control files are a kind of it."""
    names = {"GPL-2": "GPL-2.0-only", "GPL-2+": "GPL-2.0-or-later"}
    said: dict[str, tuple[str, str]] = {}
    for paragraph in COPYRIGHT.read_text("utf-8").split("\n\n"):
        header = HeaderParser().parsestr(paragraph)
        for name in (header["Files"] or "").split():
            author = header["Copyright"].partition(" <")[0]
            license = header["License"]
            said[name] = (author, names.get(license, license))
    return said


def test_every_sound_is_a_work_of_the_project(ws: hitp2p.Workspace) -> None:
    on_disk = {path.stem for path in SOUNDS.rglob("*.oga")}
    made = works(ws)
    assert made.keys() == on_disk
    assert len(made) == 35
    (project,) = ws.projects()
    assert {work.project for work in made.values()} == {project.cid}
    assert {work.body["media"][0]["type"] for work in made.values()} == {"audio/ogg"}
    assert ws.fsck().is_sound
    outside.count_cases(PACKAGE, len(made))


def test_credits_name_the_author_licence_and_source_that_a_person_read(
    ws: hitp2p.Workspace,
) -> None:
    made = works(ws)
    for title, expected in READ_BY_HAND.items():
        own, source = sheet(ws, made[title])
        assert author_and_license(source) == expected, title
        assert own["license"] == expected[1], title
        assert own["people"][0]["name"] == "Cas"
        assert own["people"][0]["roles"] == ["com"]
        assert source["url"] == HOME
        assert source["title"] == f"stereo/{title}.oga"


def test_credits_say_of_each_sound_what_the_package_says(ws: hitp2p.Workspace) -> None:
    said = as_the_package_says()
    for title, work in works(ws).items():
        own, source = sheet(ws, work)
        name = f"stereo/{title}.oga"
        assert author_and_license(source) == said.get(name, (None, None)), title
        assert own["license"] == source["license"], title
        assert source["title"] == name
        assert source["sha256"] == sha256((SOUNDS / name).read_bytes()).hexdigest()
        assert [use["relation"] for use in source["uses"]] == ["collect"]
        assert (source["uses"][0]["note"] is None) == (name in said)


def test_each_licence_has_as_many_sounds_as_a_person_counted(ws: hitp2p.Workspace) -> None:
    licenses = Counter(sheet(ws, work)[1]["license"] for work in works(ws).values())
    assert licenses == PER_LICENSE


def test_the_bytes_that_come_back_are_those_on_disk(ws: hitp2p.Workspace) -> None:
    for title, work in works(ws).items():
        back = sha256(b"".join(ws.cat(work))).digest()
        assert back == sha256((SOUNDS / "stereo" / f"{title}.oga").read_bytes()).digest(), title


def test_each_bundle_carries_its_sound_and_credits_to_a_fresh_workspace(
    theme: Path, ws: hitp2p.Workspace
) -> None:
    for title, work in works(ws).items():
        with hitp2p.open(":memory:") as fresh:
            carried = fresh.import_(theme / f"{title}.car")
            assert carried.cid == work.cid
            assert fresh.fsck().is_sound
            assert fresh.credits(carried.cid) == ws.credits(work)
            data = b"".join(fresh.cat(carried.cid))
            assert data == (SOUNDS / "stereo" / f"{title}.oga").read_bytes(), title


def test_a_bundle_is_verified_without_hitp2p(theme: Path) -> None:
    for title in READ_BY_HAND:
        assert title in run(str(EXAMPLES / "verify_trail.py"), str(theme / f"{title}.car"))


def test_the_command_line_says_the_same_of_a_source(ws: hitp2p.Workspace, tmp_path: Path) -> None:
    bell = SOUNDS / "stereo" / "bell.oga"
    at, keys = ("--workspace", str(tmp_path / "ws")), str(tmp_path / "keys")

    def cli(*words: str) -> Any:
        return json.loads(run("-m", "hitp2p", *at, *words, "--json", HITP2P_KEYS=keys))

    run("-m", "hitp2p", "init", str(tmp_path / "ws"), HITP2P_KEYS=keys)
    cli("id", "new", "Cas", "--no-passphrase", "--recovery-file", str(tmp_path / "recovery.key"))
    cli("project", "new", "Sound theme", "--yes")
    author, license = READ_BY_HAND["bell"]
    source = (
        f"{HOME},title=stereo/bell.oga,author={author},license={license},"
        f"sha256={sha256(bell.read_bytes()).hexdigest()},relation=collect"
    )
    said = ("--title", "bell", "--role", "com", "--license", str(license), "--source", source)
    made = cli("contribute", str(bell), *said)
    with hitp2p.open(tmp_path / "ws", create=False) as other:
        work = other.show(made["cid"])
        assert {**work.body, "credits": []} == {**works(ws)["bell"].body, "credits": []}
        assert sheet(other, work)[1]["people"] == sheet(ws, works(ws)["bell"])[1]["people"]
