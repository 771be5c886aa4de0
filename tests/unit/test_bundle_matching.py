"""A file that is none of a bundle's, compared with the media that the bundle brings along: candidates, within bounds."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from stories_world import Story, person
from trail_maker import Person, World, bundle_blocks, raw_block

import hitp2p
from hitp2p import bundle_matching, limits
from hitp2p.codec.car import CarWriter
from hitp2p.codec.cid import RAW, Cid
from hitp2p.media import chunks, pictures, shingles, sound
from hitp2p.objects.envelope import SignedObject
from hitp2p.trail.bundle import MediaChoice
from hitp2p.trail.report import Headline, Tier

ANA, BO = person("Ana"), person("Bo")
VERSE = " ".join(f"word{n}" for n in range(60))
EXCERPT = VERSE[:200].encode()


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with Story(tmp_path) as one:
        yield one


@pytest.fixture
def project(story: Story) -> SignedObject:
    return story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)


def bundle(story: Story, work: SignedObject, media: MediaChoice = "all") -> Path:
    path = story.folder / "made.car"
    path.unlink(missing_ok=True)
    story.ws.export(work, path, media=media)
    return path


def file_of(story: Story, name: str, data: bytes) -> Path:
    path = story.folder / name
    path.write_bytes(data)
    return path


def test_an_excerpt_of_a_text_in_a_bundle_is_a_candidate(
    story: Story, project: SignedObject
) -> None:
    verse = story.work(ANA, project, "verse.txt", "Verse", text=VERSE)
    song = story.remix(BO, [verse], "song.txt", "Song", text=VERSE + " and more" * 9)
    report = hitp2p.verify(EXCERPT, bundle=bundle(story, song))
    assert (report.headline, report.exit_status) == (Headline.CONTAINS, 11)
    assert report.match is None
    assert {one.work for one in report.candidates} == {song.cid, verse.cid}
    known = hitp2p.verify(EXCERPT, workspace=story.ws)
    assert report.candidates == known.candidates
    both = hitp2p.verify(EXCERPT, bundle=bundle(story, song), workspace=story.ws)
    assert both.candidates == known.candidates


@pytest.mark.parametrize("media", ["none", "work"])
def test_media_that_are_not_in_the_bundle_are_not_compared(
    story: Story, project: SignedObject, media: MediaChoice
) -> None:
    verse = story.work(ANA, project, "verse.txt", "Verse", text=VERSE)
    song = story.remix(BO, [verse], "song.txt", "Song", text="Something else")
    report = hitp2p.verify(EXCERPT, bundle=bundle(story, song, media))
    assert report.headline is Headline.UNKNOWN
    assert "differs from the file that the bundle" in report.because


def test_bytes_in_common_with_a_medium_of_several_blocks_are_found(
    story: Story, project: SignedObject
) -> None:
    pytest.importorskip("iscc_lib")
    data = Random(1).randbytes(2 * limits.CHUNK_BYTES + 9)
    stems = file_of(story, "stems.bin", data)
    work = story.ws.contribute(project, stems, title="Stems", by=ANA)
    part = data[limits.CHUNK_BYTES - 200_000 : limits.CHUNK_BYTES + 200_000]
    (found,) = hitp2p.verify(part, bundle=bundle(story, work)).candidates
    assert (found.work, found.tier, found.algorithm) == (
        work.cid,
        Tier.CONTAINS,
        chunks.ALGORITHM,
    )
    assert found.value > 0.8


def picture(mirrored: bool = False) -> bytes:
    image_module = pytest.importorskip("PIL.Image")
    pytest.importorskip("iscc_lib")
    dice = Random(5)
    image = image_module.new("RGB", (160, 120))
    for _ in range(40):
        box = [dice.randrange(160), dice.randrange(120)]
        box += [box[0] + dice.randrange(10, 60), box[1] + dice.randrange(10, 60)]
        image.paste(tuple(dice.randrange(256) for _ in range(3)), tuple(box))
    if mirrored:
        image = image.resize((120, 90)).transpose(image_module.Transpose.FLIP_LEFT_RIGHT)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def test_a_picture_that_resembles_one_in_a_bundle_is_a_candidate(
    story: Story, project: SignedObject
) -> None:
    cover = file_of(story, "cover.png", picture())
    work = story.ws.contribute(project, cover, title="Cover", by=ANA)
    report = hitp2p.verify(picture(mirrored=True), bundle=bundle(story, work))
    assert (report.headline, report.exit_status) == (Headline.RESEMBLES, 12)
    (found,) = report.candidates
    assert (found.work, found.algorithm, found.of_work) == (work.cid, pictures.ALGORITHM, None)
    known = hitp2p.verify(picture(mirrored=True), workspace=story.ws)
    assert known.candidates == report.candidates


def test_sounds_with_no_mark_in_common_are_not_compared(
    story: Story, project: SignedObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a workspace: alignment is slow, and a stranger chose what there is to align."""
    clip = file_of(story, "clip.wav", wav(1))
    work = story.ws.contribute(project, clip, title="Clip", by=ANA)
    asked: list[bytes] = []

    def distance(asks: bytes, kept: bytes, /) -> float:
        asked.append(kept)
        return 0.0

    monkeypatch.setattr(sound, "needs", lambda: None)
    monkeypatch.setattr(sound, "distance", distance)
    for mark, n_asked in ((1, 1), (2, 1)):
        first = bundle_matching.Print(marks={1: 1, 9: 1}, total=2, kept=b"k", asked=b"a")
        other = bundle_matching.Print(marks={mark: 1, 9: 1}, total=2, kept=b"k", asked=b"a")
        prints = iter([first, other])
        monkeypatch.setattr(sound, "measure", lambda _pieces, _type, prints=prints: next(prints))
        hitp2p.verify(wav(2), bundle=bundle(story, work))
        assert len(asked) == n_asked


def wav(seed: int) -> bytes:
    samples = Random(seed).randbytes(800)
    head = b"WAVEfmt " + bytes.fromhex("10000000 01000100 401f0000 401f0000 01000800")
    body = head + b"data" + len(samples).to_bytes(4, "little") + samples
    return b"RIFF" + len(body).to_bytes(4, "little") + body


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many texts were measured."""
    sizes: list[int] = []
    measure = shingles.measure

    def counted(pieces: Iterator[bytes], media_type: str, /) -> object:
        data = b"".join(pieces)
        sizes.append(len(data))
        return measure([data], media_type)

    monkeypatch.setattr(shingles, "measure", counted)
    return lambda: len(sizes)


@pytest.mark.parametrize(("bound", "value"), [("NEAR_MEDIA", 3), ("NEAR_BYTES", 3 * 500)])
def test_media_of_a_bundle_are_compared_up_to_the_bounds_and_not_past_them(
    story: Story,
    project: SignedObject,
    measured: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
    bound: str,
    value: int,
) -> None:
    texts = [f"{n} {VERSE}".ljust(500) for n in range(3)]
    work = story.work(ANA, project, "0.txt", "T0", text=texts[0])
    for number in (1, 2):
        work = story.remix(ANA, [work], f"{number}.txt", f"T{number}", text=texts[number])
    made = bundle(story, work)
    monkeypatch.setattr(limits, bound, value)
    assert len(hitp2p.verify(EXCERPT, bundle=made).candidates) == 3
    assert measured() == 1 + 3
    monkeypatch.setattr(limits, bound, value - 1)
    found = hitp2p.verify(EXCERPT, bundle=made).candidates
    assert len(found) == 2
    assert work.cid in {one.work for one in found}  # the bundle's own work is compared first
    assert measured() == 1 + 3 + 1 + 2


@pytest.mark.parametrize("n_more", [0, 1])
def test_long_texts_in_a_bundle_are_left_out(
    story: Story, project: SignedObject, n_more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_matching, "_TEXT_BYTES", len(VERSE) - n_more)
    verse = story.work(ANA, project, "verse.txt", "Verse", text=VERSE)
    made = bundle(story, verse)
    assert bool(hitp2p.verify(EXCERPT, bundle=made).candidates) is not bool(n_more)
    monkeypatch.setattr(bundle_matching, "_TEXT_BYTES", len(EXCERPT) - n_more)
    assert not hitp2p.verify(EXCERPT, bundle=made).candidates


def test_an_entry_whose_blocks_are_something_else_is_no_candidate() -> None:
    """Its root is that of the verse, and its hash isn't: nobody can say whose likeness that is."""
    eve = Person("Eve")
    theirs = eve.project(license="CC-BY-4.0")
    for stated in (sha256(VERSE.encode()).digest(), bytes(32)):
        entry = {"file": Cid.of(RAW, VERSE.encode()), "size": len(VERSE), "sha256": stated,
                 "type": "text/plain", "role": "master"}  # fmt: skip
        work = eve.work(theirs, "Mine", media=[entry])
        world = World(eve.genesis, theirs, work, blocks=[raw_block(VERSE.encode())])
        roots, blocks, _ = bundle_blocks(work, world, "all")
        sink = io.BytesIO()
        writer = CarWriter(sink, roots)
        for cid, block in blocks:
            writer.write(cid, block)
        report = hitp2p.verify(EXCERPT, bundle=sink.getvalue())
        assert bool(report.candidates) is any(stated)


def test_progress_is_told_medium_by_medium(story: Story, project: SignedObject) -> None:
    verse = story.work(ANA, project, "verse.txt", "Verse", text=VERSE)
    song = story.remix(BO, [verse], "song.txt", "Song", text="Another text")
    told: list[tuple[int, int]] = []
    hitp2p.verify(
        EXCERPT, bundle=bundle(story, song), progress=lambda done, of: told.append((done, of))
    )
    assert told == [(0, 2), (1, 2)]
    told.clear()
    hitp2p.verify(EXCERPT, workspace=story.ws, progress=lambda done, of: told.append((done, of)))
    assert len(told) > 2
    assert told == sorted(told)
    assert {of for _, of in told} == {story.ws.store.last_seq()}
