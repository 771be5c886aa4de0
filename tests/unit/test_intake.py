"""What a contribution records of its files: where a strict parser finds an essence, that too."""

from __future__ import annotations

from pathlib import Path

import pytest
from spec_vectors import load_all

import hitp2p
from hitp2p.media.essence import scan_essence
from hitp2p.media.source import MediaSource
from hitp2p.objects.contribution import Contribution, Essence
from hitp2p.objects.envelope import SignedObject

FILMS = {v.id.removeprefix("med-22-"): v.data for v in load_all("essence-video.json")}
FILES = {
    "film.mp4": FILMS["film"],
    "turned.mp4": FILMS["rotated"],
    "verse.txt": b"The bus came late  \r\nand nobody minded.",
}
ODD = {
    "fragment.mp4": FILMS["fragment"],
    "latin.txt": b"a" * 5000 + b"\xe9t\xe9",
    "some.bin": b"\0\1\2",
    "nothing.txt": b"",
}


def recorded(work: SignedObject) -> list[tuple[str | None, Essence | None]]:
    media = Contribution.from_body(work.body).media
    return [(entry.name, entry.essence) for entry in media]


@pytest.mark.parametrize("dry_run", [False, True])
def test_the_essence_of_each_file_is_recorded_and_a_dry_run_shows_it(
    tmp_path: Path, dry_run: bool
) -> None:
    for name, data in (FILES | ODD).items():
        (tmp_path / name).write_bytes(data)
    ana = hitp2p.Identity.create("Ana")
    with hitp2p.open(":memory:") as ws:
        p = ws.create_project("P", license="CC-BY-4.0", by=ana)
        paths = [tmp_path / name for name in (*FILES, *ODD)]
        work = ws.contribute(p, paths, title="All", by=ana, dry_run=dry_run)
    found = {name: scan_essence(MediaSource.of_bytes(data)) for name, data in FILES.items()}
    assert found["turned.mp4"].display is not None
    assert recorded(work) == [
        *((name, essence.recorded) for name, essence in found.items()),
        *((name, None) for name in ODD),
    ]
