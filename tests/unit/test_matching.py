"""From a file and a workspace to candidates: what is measured, what is kept, and what no hostile file can do."""

from __future__ import annotations

import io
import os
import struct
import time
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

import pytest
from stories_world import Story, person

import hitp2p
from hitp2p import matching
from hitp2p.media import chunks, decoding, pictures, shingles, sound, worker
from hitp2p.media.prints import Print
from hitp2p.objects.envelope import SignedObject
from hitp2p.store.matchdb import MATCH_DATABASE
from hitp2p.trail.report import Headline, Tier
from hitp2p.trail.report_json import report_json
from hitp2p.trail.report_text import render_report
from hitp2p.workspace import Workspace

ANA, BO = person("Ana"), person("Bo")
VERSE = " ".join(f"word{n}" for n in range(60))


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with Story(tmp_path) as one:
        yield one


@pytest.fixture
def verse(story: Story) -> SignedObject:
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)
    return story.work(ANA, project, "verse.txt", "Verse", text=VERSE)


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[Workspace]:
    with hitp2p.open(tmp_path / "ws") as ws:
        yield ws


def contribute(ws: Workspace, data: bytes, name: str = "a.bin") -> SignedObject:
    projects = ws.projects()
    project = projects[0] if projects else ws.create_project("P", license="CC-BY-4.0", by=ANA)
    path = Path(ws.store.media_folder or ".").parent.parent / name
    path.write_bytes(data)
    return ws.contribute(project, path, title=name, by=ANA)


def needs_match() -> None:
    pytest.importorskip("iscc_lib")
    pytest.importorskip("PIL")


# --- texts, which need nothing ----------------------------------------------------------------------


def test_an_excerpt_of_a_text_is_a_candidate_and_carries_no_verdict(
    story: Story, verse: SignedObject
) -> None:
    report = hitp2p.verify(VERSE[:200].encode(), workspace=story.ws)
    assert report.headline is Headline.CONTAINS
    assert (report.match, report.record, report.license) == (None, None, None)
    (candidate,) = report.candidates
    assert (candidate.work, candidate.tier) == (verse.cid, Tier.CONTAINS)
    assert candidate.algorithm == shingles.ALGORITHM
    assert candidate.value > 0.9
    assert candidate.of_work is not None
    assert 0.3 < candidate.of_work < 0.6
    assert report_json(report)["candidates"][0]["of_work"] == candidate.of_work


def test_ver_1_words_about_a_candidate_name_algorithm_bounds_and_promise_nothing(
    story: Story, verse: SignedObject
) -> None:
    text = render_report(hitp2p.verify(VERSE[:200].encode(), workspace=story.ws))
    assert "of it is also in" in text
    assert "shingle8/1" in text
    assert "told from 10% on" in text
    assert "unrelated works shared at most 4%" in text
    assert "no such figure tells" in text


def test_a_title_in_a_candidate_is_foreign_text(story: Story) -> None:
    project = story.ws.create_project("P", license="CC-BY-4.0", by=ANA)
    story.work(ANA, project, "v.txt", "V\N{MONGOLIAN VOWEL SEPARATOR}W", text=VERSE)
    text = render_report(hitp2p.verify(VERSE[:200].encode(), workspace=story.ws))
    assert "\N{MONGOLIAN VOWEL SEPARATOR}" not in text


@pytest.mark.parametrize(("n_words", "is_found"), [(11, True), (10, False)])
def test_eleven_words_in_a_row_are_enough_and_ten_are_not(
    story: Story, verse: SignedObject, n_words: int, is_found: bool
) -> None:
    said = " ".join(VERSE.split()[20 : 20 + n_words])
    assert len(VERSE.split()) == 60
    report = hitp2p.verify(said.encode(), workspace=story.ws)
    assert bool(report.candidates) is is_found


@pytest.mark.parametrize("n_more", [0, 1])
def test_a_text_is_compared_up_to_its_bound_and_not_past_it(
    n_more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shingles, "TEXT_BYTES", 100)
    data = (VERSE[: 100 + n_more]).encode()
    assert (shingles.measure([data[:50], data[50:]], "text/plain") is None) is bool(n_more)


def test_a_file_that_matches_is_not_searched_for(
    story: Story, verse: SignedObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "find_candidates", None)
    report = hitp2p.verify(VERSE.encode(), workspace=story.ws)
    assert report.match is not None


def test_without_a_workspace_nothing_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "find_candidates", None)
    assert hitp2p.verify(VERSE.encode()).headline is Headline.UNKNOWN


def test_at_most_eight_works_are_told_and_three_named(story: Story) -> None:
    project = story.ws.create_project("P", license="CC-BY-4.0", by=ANA)
    for number in range(10):
        story.work(ANA, project, f"{number}.txt", f"T{number}", text=f"{VERSE} {number}")
    report = hitp2p.verify(VERSE[:300].encode(), workspace=story.ws)
    assert len({candidate.work for candidate in report.candidates}) == matching.CANDIDATES
    assert "and 5 more" in render_report(report)


# --- what is kept -----------------------------------------------------------------------------------


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by a type whenever a text is measured."""
    calls: list[str] = []
    measure = shingles.measure

    def counted(pieces: Iterable[bytes], media_type: str, /) -> Print | None:
        calls.append(media_type)
        return measure(pieces, media_type)

    monkeypatch.setattr(shingles, "measure", counted)
    return calls


def test_a_medium_is_measured_once_for_all_later_searches(
    on_disk: Workspace, measured: list[str]
) -> None:
    contribute(on_disk, VERSE.encode())
    for _ in range(3):
        assert hitp2p.verify(VERSE[:200].encode(), workspace=on_disk).candidates
    assert len(measured) == 1 + 3  # the work, and the file each time
    contribute(on_disk, VERSE[100:].encode(), "b.txt")
    assert len(hitp2p.verify(VERSE[120:300].encode(), workspace=on_disk).candidates) == 2
    assert len(measured) == 1 + 3 + 2


def test_prints_may_be_deleted_or_damaged_and_are_made_again(on_disk: Workspace) -> None:
    contribute(on_disk, VERSE.encode())
    folder = on_disk.store.media_folder
    assert folder is not None
    prints = folder.parent / MATCH_DATABASE
    before = hitp2p.verify(VERSE[:200].encode(), workspace=on_disk)
    assert prints.is_file()
    prints.unlink()
    assert hitp2p.verify(VERSE[:200].encode(), workspace=on_disk) == before
    prints.write_bytes(b"not a database at all, but long enough to be taken for one" * 100)
    assert hitp2p.verify(VERSE[:200].encode(), workspace=on_disk) == before


def test_prints_are_in_no_backup(on_disk: Workspace, tmp_path: Path) -> None:
    contribute(on_disk, VERSE.encode())
    hitp2p.verify(VERSE[:200].encode(), workspace=on_disk)
    on_disk.backup(tmp_path / "copy")
    assert not list((tmp_path / "copy").rglob(f"{MATCH_DATABASE}*"))


def test_a_busy_database_of_prints_leaves_verify_its_answer(
    on_disk: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    monkeypatch.setattr("hitp2p.store.matchdb._BUSY_S", 0.0)
    contribute(on_disk, VERSE.encode())
    hitp2p.verify(VERSE[:200].encode(), workspace=on_disk)
    contribute(on_disk, (VERSE + " more").encode(), "b.txt")
    folder = on_disk.store.media_folder
    assert folder is not None
    other = sqlite3.connect(folder.parent / MATCH_DATABASE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        report = hitp2p.verify(VERSE[:200].encode(), workspace=on_disk)
    finally:
        other.close()
    assert report.headline is Headline.CONTAINS


def test_media_that_come_later_than_their_work_are_found_then(
    story: Story, verse: SignedObject, on_disk: Workspace
) -> None:
    story.ws.export(verse, story.folder / "none.car")
    story.ws.export(verse, story.folder / "all.car", media="all")
    on_disk.import_(story.folder / "none.car")
    assert not hitp2p.verify(VERSE[:200].encode(), workspace=on_disk).candidates
    on_disk.import_(story.folder / "all.car")
    (candidate,) = hitp2p.verify(VERSE[:200].encode(), workspace=on_disk).candidates
    assert candidate.work == verse.cid


# --- bytes ------------------------------------------------------------------------------------------


def test_a_project_file_that_holds_a_stem_contains_it(on_disk: Workspace) -> None:
    needs_match()
    stem = Random(1).randbytes(400_000)
    work = contribute(on_disk, stem, "stem.bin")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as project:
        project.writestr("notes", Random(2).randbytes(900_000))
        project.writestr("stem.bin", stem)
    report = hitp2p.verify(out.getvalue(), workspace=on_disk)
    assert report.headline is Headline.CONTAINS
    (candidate,) = report.candidates
    assert (candidate.work, candidate.algorithm) == (work.cid, chunks.ALGORITHM)
    assert candidate.of_work is not None
    assert candidate.of_work > 0.85
    assert 0.2 < candidate.value < 0.4


@pytest.mark.parametrize(("n_bytes", "is_found"), [(64_000, True), (24_000, False)])
def test_a_few_bytes_in_common_are_not_told(
    on_disk: Workspace, n_bytes: int, is_found: bool
) -> None:
    needs_match()
    common = Random(3).randbytes(n_bytes)
    contribute(on_disk, common + Random(4).randbytes(30_000))
    report = hitp2p.verify(common + Random(5).randbytes(30_000), workspace=on_disk)
    assert bool(report.candidates) is is_found


def test_without_the_extra_the_report_says_how_to_get_it(
    on_disk: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (chunks, pictures):
        monkeypatch.setattr(module, "find_spec", lambda _name: None)
    monkeypatch.setattr(sound, "which", lambda _name: None)
    report = hitp2p.verify(Random(6).randbytes(100), workspace=on_disk)
    assert report.headline is Headline.UNKNOWN
    assert "pip install 'hitp2p[match]'" in render_report(report)
    assert report_json(report)["not_compared"] == ["pip install 'hitp2p[match]'"]
    tone = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\0\0\0\0"
    report = hitp2p.verify(tone, workspace=on_disk)
    assert report.not_compared == ("pip install 'hitp2p[match]'", "fpcalc (Chromaprint)")
    text = hitp2p.verify(b"a text needs nothing", workspace=on_disk)
    assert text.not_compared == ()


# --- pictures ---------------------------------------------------------------------------------------


def scene(seed: int, side: int = 400) -> bytes:
    from PIL import Image

    rough = Image.frombytes("RGB", (8, 6), Random(seed).randbytes(144))
    out = io.BytesIO()
    rough.resize((side, side * 3 // 4), Image.Resampling.BICUBIC).save(out, "PNG")
    return out.getvalue()


def test_a_smaller_copy_in_another_format_resembles_its_original(on_disk: Workspace) -> None:
    needs_match()
    from PIL import Image

    work = contribute(on_disk, scene(1), "scene.png")
    contribute(on_disk, scene(2), "other.png")
    out = io.BytesIO()
    Image.open(io.BytesIO(scene(1))).resize((150, 112)).save(out, "JPEG", quality=40)
    report = hitp2p.verify(out.getvalue(), workspace=on_disk)
    assert report.headline is Headline.RESEMBLES
    (candidate,) = report.candidates
    assert (candidate.work, candidate.of_work) == (work.cid, None)
    assert candidate.value <= candidate.threshold < candidate.unrelated
    assert "a code of it is near to one of" in render_report(report)


def bomb() -> bytes:
    """A PNG of a few kilobytes that says 60,000 by 60,000 pixels."""
    import zlib

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(5_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("name", ["bomb", "cut", "noise"])
def test_hostile_pictures_are_like_pictures_that_resemble_nothing(
    on_disk: Workspace, name: str
) -> None:
    needs_match()
    contribute(on_disk, scene(1), "scene.png")
    good = scene(2)
    data = {
        "bomb": bomb(),
        "cut": good[: len(good) // 2],
        "noise": good[:60] + Random(7).randbytes(5000),
    }[name]
    began = time.monotonic()
    assert pictures.measure([data], "image/png") is None
    report = hitp2p.verify(data, workspace=on_disk)
    assert report.headline is Headline.UNKNOWN
    assert time.monotonic() - began < 2 * decoding.WAIT_S


def test_a_hostile_picture_in_the_workspace_spoils_no_search(on_disk: Workspace) -> None:
    needs_match()
    contribute(on_disk, bomb(), "bomb.png")
    work = contribute(on_disk, scene(3), "scene.png")
    from PIL import Image

    out = io.BytesIO()
    Image.open(io.BytesIO(scene(3))).resize((200, 150)).save(out, "PNG")
    found = hitp2p.verify(out.getvalue(), workspace=on_disk).candidates
    assert [candidate.work for candidate in found] == [work.cid]


def test_pictures_are_decoded_up_to_a_number_of_pixels_and_not_one_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    needs_match()
    monkeypatch.setattr(worker, "PIXELS", 400 * 300)
    assert worker.picture_codes(io.BytesIO(scene(1)), "PNG")[0]
    monkeypatch.setattr(worker, "PIXELS", 400 * 300 - 1)
    with pytest.raises(ValueError, match="400 x 300 pixels"):
        worker.picture_codes(io.BytesIO(scene(1)), "PNG")


def test_a_picture_says_png_and_only_the_png_decoder_sees_it() -> None:
    needs_match()
    from PIL import UnidentifiedImageError

    with pytest.raises(UnidentifiedImageError):
        worker.picture_codes(io.BytesIO(scene(1)), "JPEG")


# --- the process with bounds ------------------------------------------------------------------------


@pytest.mark.parametrize("n_more", [0, 1])
def test_a_worker_is_given_files_up_to_a_size_and_not_past_it(n_more: int) -> None:
    needs_match()
    data = scene(1)
    most = len(data) - n_more
    assert (decoding.run_worker([data[:9], data[9:]], "picture", "PNG", most=most) is None) is bool(
        n_more
    )


def run_in_worker(monkeypatch: pytest.MonkeyPatch, folder: Path, code: str) -> bytes | None:
    """What a decoder prints that does as `code` says: the worker becomes a program of ours in place of fpcalc."""
    import sys

    program = folder / "program"
    program.write_text(f"#!{sys.executable}\n{code}\n", encoding="utf-8")
    program.chmod(0o755)
    return decoding.run_worker([b""], "sound", str(program), "wav", "1", most=10)


@pytest.mark.skipif(os.name == "nt", reason="no such bounds there")
@pytest.mark.parametrize(
    "code",
    [
        "import sys; sys.stdout.write('F' * 3_000_000); sys.stdout.flush()",
        "open('/tmp/never', 'wb').write(bytes(3_000_000))",
        "b = bytearray(2_000_000_000)",
        "import resource; print(resource.getrlimit(resource.RLIMIT_AS)[0])",
    ],
)
def test_a_decoder_gone_wild_is_bounded_in_what_it_takes_and_writes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str
) -> None:
    code = code.replace("/tmp/never", str(tmp_path / "written"))
    printed = run_in_worker(monkeypatch, tmp_path, code)
    if "getrlimit" in code:
        assert printed == f"{worker.MEMORY_BYTES}\n".encode()
    else:
        assert len(printed or b"") <= decoding.OUTPUT_BYTES
        assert sound._parse(printed or b"") == []
        written = tmp_path / "written"
        assert not written.exists() or written.stat().st_size <= 1024 * 1024


@pytest.mark.skipif(os.name == "nt", reason="no such bounds there")
@pytest.mark.parametrize("code", ["while True: pass", "import time; time.sleep(600)"])
def test_a_decoder_that_never_ends_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str
) -> None:
    monkeypatch.setattr(decoding, "WAIT_S", 1.0)
    began = time.monotonic()
    assert run_in_worker(monkeypatch, tmp_path, code) is None
    assert time.monotonic() - began < 10


def test_an_endless_sound_is_read_for_its_first_minutes_only() -> None:
    if sound.needs() is not None:
        pytest.skip("fpcalc is missing")
    n_samples = 8000 * 3600  # an hour that is a tone which slowly rises
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + 2 * n_samples, b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16, b"data", 2 * n_samples
    )  # fmt: skip
    minute = Random(8).randbytes(2 * 8000 * 60)
    made = sound.measure([header, *[minute] * 60], "audio/wav")
    assert made is not None
    assert made.total < 8.2 * sound.SECONDS


@pytest.mark.parametrize(
    "printed",
    [b"", b"FINGERPRINT=", b"FINGERPRINT=x,-1,\xff,99999999999999999999999,7", b"\0" * 1000],
)
def test_what_a_worker_prints_is_not_trusted(printed: bytes) -> None:
    assert sound._parse(printed) in ([], [7])


def test_sounds_are_laid_over_each_other_only_where_six_seconds_move() -> None:
    moving = Random(9).randbytes(4 * 60)
    still = moving[:4] * 60
    assert sound.distance(moving, moving) == 0.0
    assert sound.distance(still, still) == 1.0
    assert sound.distance(moving[: 4 * 47], moving) == 1.0
    assert sound.distance(moving[: 4 * 48], moving) == 0.0
