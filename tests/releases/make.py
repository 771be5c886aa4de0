"""Makes what this version leaves behind for all later ones: `python tests/releases/make.py` makes the folder of its version.

A story is played with the command line, with a fixed seed and clock, in a folder of its own. What it left (store, media, keys,
a bundle) goes into `files.zip`, and what this version reads from it into `expected.json`. A folder that exists is never touched.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import wave
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import hitp2p

__all__ = ["BUNDLE", "EXPECTED", "FILES", "WORKSPACE", "describe", "make"]

FILES: Final = "files.zip"
"""Beside `EXPECTED` in the folder of a release: the three folders below, and the bundle."""
EXPECTED: Final = "expected.json"
WORKSPACE, KEYS, RECOVERY = "workspace", "keys", "recovery"
BUNDLE: Final = "single.car"
PASSPHRASE: Final = "ein Käuzchen ruft"
"""Of Ana's files; Bo's have none. Not ASCII, because a passphrase is normalised before it is used."""
LONG_NOTE: Final = "What I remember of the last bus. " * 60
"""Over 1 KiB, so that it becomes a text block."""

_SIGNED: Final = ("--yes", "--as")
STORY: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("", ("init",)),
    ("Ana", ("id", "new", "Ana", "--recovery-file", "../recovery/ana.key")),
    ("Bo", ("id", "new", "Bo", "--recovery-file", "../recovery/bo.key", "--no-passphrase")),
    ("bus", ("project", "new", "Night Bus", "--license", "CC-BY-SA-4.0", "--purpose", "A song about riding home late",
             *_SIGNED, "Ana")),
    ("verse", ("contribute", "../verse.txt", "--title", "Verse", "--role", "lyr", "--language", "en", "--tag", "rain",
               *_SIGNED, "Ana")),
    ("letter", ("contribute", "--title", "A letter", "--note", LONG_NOTE, *_SIGNED, "Ana")),
    ("", ("id", "rotate", "Ana", "--recovery-file", "../recovery/ana.key", "--new-recovery-file", "../recovery/ana-2.key")),
    ("song", ("remix", "../song.wav", "--of", "{verse}", "--title", "Song", "--role", "cmp",
              "--note", "Ana's verse made me sing", *_SIGNED, "Bo")),
    ("second", ("remix", "../verse-2.txt", "--of", "{song},response", "--title", "Second verse", "--role", "lyr",
                "--note", "Your bridge asked for an answer", *_SIGNED, "Ana")),
    ("answers", ("project", "new", "Answers", *_SIGNED, "Bo")),
    ("single", ("remix", "../single.wav", "--project", "Answers", "--of", "{song},version",
                "--of", "{second},sample,part=t=1,2,into=t=3,4", "--of", "{letter},inspired-by",
                "--title", "Night Bus (single)", "--role", "prf", "--credit", "Dee:mix", "--license", "CC-BY-SA-4.0",
                "--source", "https://example.org/rain,title=Rain,author=Eve,license=CC0-1.0,relation=sample",
                "--made-with-ai", "no", "--alt", "A song with rain behind it", *_SIGNED, "Bo")),
    ("", ("export", "{single}", "-o", f"../{BUNDLE}", "--media", "all")),
)  # fmt: skip
"""Word -> command, run inside the workspace; `{word}` stands for the object of an earlier one. It has both forms of a key file, a
changed key with pages of what stays good, media in the database, in a file and in a tree, a text block, and uses across projects."""


def make(folder: Path) -> None:
    """Play the story and keep what it left.

    Raises:
        FileExistsError: the folder is there; what a release wrote stays as it is.
    """
    if folder.exists():
        raise FileExistsError(f"{folder} is there; what a release wrote is never overwritten")
    with TemporaryDirectory() as scratch:
        place = Path(scratch)
        cids = _play(place)
        with hitp2p.open(place / WORKSPACE, create=False) as ws:
            said = {
                "release": hitp2p.__version__,
                "passphrase": PASSPHRASE,
                "cids": cids,
                "workspace": describe(ws),
            }
        text = json.dumps(said, indent=1, sort_keys=True, ensure_ascii=False)
        folder.mkdir()
        (folder / EXPECTED).write_text(text + "\n", "utf-8")
        _pack(place, folder / FILES)


def describe(ws: hitp2p.Workspace) -> dict[str, Any]:
    """All that is read from a workspace, as plain values with documented names."""
    works = [ws.show(row.cid) for row in ws.rows(kind="contribution")]
    report = ws.fsck()
    return {
        "fsck": {
            "findings": [finding.message for finding in report.findings],
            "gaps": [str(cid) for cid in report.gaps],
            "n_objects": report.n_objects,
            "n_blocks": report.n_blocks,
            "n_bytes": report.n_bytes,
        },
        "objects": [str(row.cid) for row in ws.rows()],
        "trails": {str(project.cid): ws.trail(project).to_json() for project in ws.projects()},
        "credits": {str(work.cid): ws.credits(work).to_json() for work in works},
        "media": {str(work.cid): _media(ws, work) for work in works},
        "found": {
            word: [str(obj.cid) for obj in ws.search(word)] for word in ("rain", "ver", "bo")
        },
    }


def _media(ws: hitp2p.Workspace, work: hitp2p.SignedObject) -> list[str]:
    numbers = range(len(work.body.get("media", ())))
    return [sha256(b"".join(ws.cat(work, entry=number))).hexdigest() for number in numbers]


def _play(place: Path) -> dict[str, str]:
    """Run every command; word -> CID."""
    for name in (WORKSPACE, RECOVERY):
        (place / name).mkdir()
    for name, data in _media_files():
        (place / name).write_bytes(data)
    (place / "passphrase").write_text(PASSPHRASE + "\n", "utf-8")
    made: dict[str, str] = {}
    for number, (word, argv) in enumerate(STORY):
        cid = _run(place, number, [part.format(**made) for part in argv])
        if word:
            made[word] = cid
    return made


def _media_files() -> Iterator[tuple[str, bytes]]:
    yield "verse.txt", b"The last bus hums along the hill\n"
    yield "verse-2.txt", b"And every stop lets in the rain\n"
    yield "song.wav", _sound(50_000, step=7)  # 100 kB: a file beside the database
    yield "single.wav", _sound(600_000, step=0)  # 1.2 MB, so two leaves; packs to nothing


def _sound(n_frames: int, *, step: int) -> bytes:
    out = BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"".join((n * step % 251).to_bytes(2, "little") for n in range(n_frames)))
    return out.getvalue()


def _run(place: Path, number: int, argv: list[str]) -> str:
    """One command, a minute after the one before; the CID that it tells, if any."""
    secret = ("--passphrase-file", "../passphrase") if "Ana" in argv else ()
    done = subprocess.run(
        [sys.executable, "-m", "hitp2p", *argv, *secret, "--json"],
        cwd=place / WORKSPACE,
        env={name: value for name, value in os.environ.items() if not name.startswith("HITP2P_")}
        | {
            "HITP2P_KEYS": "../keys",
            "HITP2P_SEED": f"release {number}",
            "HITP2P_NOW": f"2026-03-01T12:{number:02}:00Z",
            "PYTHONHASHSEED": "0",  # sets of bytes have an order too
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{argv}: {done.stderr}")
    return str(json.loads(done.stdout).get("cid", ""))


def _pack(place: Path, target: Path) -> None:
    """An archive that depends on nothing but names and bytes."""
    kept = [
        place / BUNDLE,
        *(p for d in (WORKSPACE, KEYS, RECOVERY) for p in (place / d).rglob("*")),
    ]
    with ZipFile(target, "x", ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(kept):
            if path.is_file() and path.suffix != ".json":  # settings.json has paths of this machine
                entry = ZipInfo(path.relative_to(place).as_posix())
                entry.compress_type = ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())


if __name__ == "__main__":
    named = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent / hitp2p.__version__
    make(named)
    print(f"made {named}")
