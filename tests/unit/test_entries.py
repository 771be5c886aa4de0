"""A media entry that speaks of two files at once is never VERIFIED without the words that say so [VER-9]."""

from __future__ import annotations

from hashlib import sha256
from importlib import import_module
from io import BytesIO
from typing import Any

import pytest
from sound_files import point, sound
from stories_world import Story, person
from trail_maker import Person, World, bundle_blocks
from unixfs_trees import add_file_node, add_raw, build_blocks

import hitp2p
from hitp2p import limits
from hitp2p.codec.car import CarWriter
from hitp2p.codec.cid import RAW, Cid
from hitp2p.media.essence import FORMATS, SURE_ALGORITHMS
from hitp2p.objects.envelope import SignedObject
from hitp2p.trail.bundle import MediaChoice
from hitp2p.trail.report import GapCode, Headline, Report, Tier
from hitp2p.trail.report_explain import render_explained
from hitp2p.trail.report_json import report_json
from hitp2p.trail.report_text import render_report
from hitp2p.trail.requirements import parse_requirements, unmet
from hitp2p.verifier import measure_file

EVE = Person("Eve")
PROJECT = EVE.project(license="CC-BY-SA-4.0")
FILE, OTHER = b"The night bus\n", b"Another one altogether\n"
SONG = sound("med-18-all-tags")
RETAGGED = point("mp3", SONG)


def entry_for(data: bytes, **changes: Any) -> dict[str, Any]:
    """A right entry, but for the changes."""
    facts = measure_file(data)
    entry: dict[str, Any] = {
        "file": facts.cid,
        "size": facts.size,
        "sha256": facts.sha256,
        "type": facts.type,
        "role": "master",
    }
    if facts.essence is not None:
        entry["essence"] = facts.essence.to_body()
    return entry | changes


def bundle_of(
    work: SignedObject, blocks: dict[Cid, bytes] | None = None, media: MediaChoice = "all"
) -> bytes:
    world = World(EVE.genesis, PROJECT, work, blocks=(blocks or {}).items())
    roots, found, _ = bundle_blocks(work, world, media)
    sink = BytesIO()
    writer = CarWriter(sink, roots)
    for cid, block in found:
        writer.write(cid, block)
    return sink.getvalue()


def report_on(
    file: bytes, *entries: dict[str, Any], blocks: dict[Cid, bytes] | None = None
) -> Report:
    work = EVE.work(PROJECT, "Mine", media=list(entries))
    return hitp2p.verify(file, bundle=bundle_of(work, blocks))


def faults(report: Report) -> tuple[str, ...]:
    """What is wrong; a report that has it is never VERIFIED, and says so in every form."""
    assert report.match is not None
    if report.match.faults:
        assert report.headline is Headline.VERIFIED_WITH_GAPS
        (gap,) = [gap for gap in report.gaps if gap.code is GapCode.ENTRY]
        for fault in report.match.faults:
            assert fault in gap.text
            assert fault in render_report(report)
        assert "which file is meant" in render_report(report)
        assert "media-entry" in render_explained(report)
        assert report_json(report)["match"]["faults"] == list(report.match.faults)
        asked = parse_requirements("match=exact,match=essence,gaps=none")
        assert len(unmet(report, asked)) == 3
    else:
        assert report.headline is Headline.VERIFIED
    return report.match.faults


def test_ver_9_an_entry_that_fits_has_no_fault() -> None:
    assert faults(report_on(FILE, entry_for(FILE))) == ()
    assert faults(report_on(SONG, entry_for(SONG))) == ()
    assert faults(report_on(RETAGGED, entry_for(SONG), blocks={Cid.of(RAW, SONG): SONG})) == ()


@pytest.mark.parametrize("file", [FILE, OTHER])
def test_ver_9_the_root_of_one_file_beside_the_hash_of_another(file: bytes) -> None:
    """Both files match one of the names, and neither can be what was signed."""
    entry = entry_for(FILE, file=Cid.of(RAW, OTHER), size=len(file))
    report = report_on(file, {key: entry[key] for key in entry if key != "essence"})
    assert report.match is not None
    assert report.match.tier is Tier.EXACT
    (fault,) = faults(report)
    assert "sha256" in fault
    assert "very bytes" not in render_report(report)


def test_ver_9_a_size_that_is_not_that_of_the_hash() -> None:
    (fault,) = faults(report_on(FILE, entry_for(FILE, size=len(FILE) + 1)))
    assert fault == "it says 15 bytes, and the file with its sha256 has 14"


def test_ver_9_the_essence_of_another_file() -> None:
    """So that whoever has the other one, in any copy, would be told that it is this work."""
    essence = measure_file(SONG).essence
    assert essence is not None
    other = essence.to_body() | {"digest": sha256(b"other").digest()}
    wrong = "its essence isn't that of the file with its sha256"
    assert faults(report_on(SONG, entry_for(SONG, essence=other))) == (wrong,)
    display = essence.to_body() | {"display": sha256(b"other").digest()}
    assert faults(report_on(SONG, entry_for(SONG, essence=display))) == (wrong,)
    assert faults(report_on(FILE, entry_for(FILE, essence=essence.to_body()))) == (wrong,)
    newer = essence.to_body() | {"algorithm": "mp3/2"}
    assert faults(report_on(FILE, entry_for(FILE, essence=newer))) == ()


def test_ver_9_an_essence_whose_file_is_another_is_told_where_its_blocks_are_here() -> None:
    """The copy at hand has the essence only; what the record's own file is, the blocks tell."""
    essence = measure_file(SONG).essence
    assert essence is not None
    lie = entry_for(FILE, essence=essence.to_body())
    assert faults(report_on(RETAGGED, lie)) == ()
    told = faults(report_on(RETAGGED, lie, blocks={lie["file"]: FILE}))
    assert told == ("its essence isn't that of the file with its sha256",)
    wrong_root = entry_for(SONG, file=Cid.of(RAW, FILE))
    assert faults(report_on(RETAGGED, wrong_root)) == (
        "its CID and its sha256 are of different bytes",
    )


def test_ver_9_another_layout_is_the_same_file_where_its_blocks_show_it() -> None:
    built, blocks, _ = build_blocks(FILE)
    entry = entry_for(FILE, file=built.root)
    assert faults(report_on(FILE, entry, blocks=blocks)) == ()
    (fault,) = faults(report_on(FILE, entry))
    assert "without its blocks nobody can tell" in fault
    del blocks[add_raw({}, FILE[:4])]
    (fault,) = faults(report_on(FILE, entry, blocks=blocks))
    assert "without its blocks nobody can tell" in fault


def test_ver_9_the_blocks_of_another_layout_may_show_another_file() -> None:
    built, blocks, _ = build_blocks(OTHER)
    told = faults(report_on(FILE, entry_for(FILE, file=built.root), blocks=blocks))
    assert told == ("its CID and its sha256 are of different bytes",)


def test_ver_9_blocks_may_make_no_file_at_all() -> None:
    blocks: dict[Cid, bytes] = {}
    root = add_file_node(blocks, [(add_raw(blocks, FILE[:7]), 7), (add_raw(blocks, FILE[7:]), 6)])
    told = faults(report_on(FILE, entry_for(FILE, file=root), blocks=blocks))
    assert told == ("the blocks below its CID make no file",)


def test_ver_9_a_leaf_longer_than_the_profile_cuts_is_named_by_its_own_hash() -> None:
    data = b"x" * (limits.CHUNK_BYTES + 1)
    assert faults(report_on(data, entry_for(data, file=Cid.of(RAW, data)))) == ()


@pytest.mark.parametrize("n_more", [0, 1])
def test_ver_9_blocks_are_read_up_to_the_bound_and_not_past_it(
    n_more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ENTRY_BYTES", len(FILE) - n_more)
    built, blocks, _ = build_blocks(FILE)
    entry = entry_for(FILE, file=built.root)
    assert len(faults(report_on(FILE, entry, blocks=blocks))) == n_more


def test_ver_9_of_several_entries_the_one_that_fits_is_told() -> None:
    odd = entry_for(FILE, file=Cid.of(RAW, OTHER))
    report = report_on(FILE, odd, entry_for(FILE))
    assert faults(report) == ()
    assert report.match is not None
    assert report.match.entry == 1


def test_ver_9_blocks_in_a_workspace_tell_as_well(tmp_path: Any) -> None:
    ana = person("Ana")
    with Story(tmp_path) as story:
        project = story.ws.create_project("P", license="CC-BY-4.0", by=ana)
        story.work(ana, project, "other.txt", "Other", text=OTHER.decode())
        lie = entry_for(FILE, file=Cid.of(RAW, OTHER))
        work = EVE.work(PROJECT, "Mine", media=[lie])
        report = hitp2p.verify(FILE, bundle=bundle_of(work), workspace=story.ws)
        assert faults(report) == ("its CID and its sha256 are of different bytes",)


def test_the_sure_algorithms_are_those_of_their_formats() -> None:
    modules = {module for module in FORMATS.values() if module not in ("svg", "text")}
    named = {import_module(f"hitp2p.media.formats.{module}").ALGORITHM for module in modules}
    assert named == SURE_ALGORITHMS
