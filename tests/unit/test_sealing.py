"""Sealed files and proof kits: what goes out with a work, and that it comes back as what it was."""

from __future__ import annotations

import struct
import wave
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
from stories_world import Story, person

import hitp2p
from hitp2p.errors import NotFoundError, UsageError
from hitp2p.objects.envelope import SignedObject
from hitp2p.sealing import seal, write_kit
from hitp2p.trail.report import Headline, Tier

ANA = person("Ana")


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path)


@pytest.fixture
def song(story: Story) -> SignedObject:
    """A work whose file can have tags."""
    path = story.folder / "song.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"".join(struct.pack("<h", n % 999) for n in range(4000)))
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)
    return story.ws.contribute(project, path, title="Song", by=ANA)


def test_a_sealed_file_points_to_its_work_and_is_verified_by_essence(
    story: Story, song: SignedObject
) -> None:
    path = story.folder / "song.wav"
    before = path.read_bytes()
    done = seal(story.ws, path)
    assert (done.work, done.has_pointer, done.file) == (song.cid, True, path)
    assert path.read_bytes() != before
    report = hitp2p.verify(path)
    assert report.headline is Headline.VERIFIED
    assert report.match is not None
    assert report.match.tier is Tier.ESSENCE
    assert report.file.pointers == (song.cid,)


def test_sealing_twice_gives_the_same_bytes_as_once(story: Story, song: SignedObject) -> None:
    path = story.folder / "song.wav"
    seal(story.ws, path)
    once = path.read_bytes()
    seal(story.ws, path)
    assert path.read_bytes() == once


def test_a_copy_is_sealed_and_the_file_stays(story: Story, song: SignedObject) -> None:
    path, copy = story.folder / "song.wav", story.folder / "copy.wav"
    before = path.read_bytes()
    assert seal(story.ws, path, output=copy).bundle == story.folder / "copy.wav.car"
    assert path.read_bytes() == before
    assert hitp2p.verify(copy).headline is Headline.VERIFIED


def test_a_file_without_tags_gets_its_bundle_alone(story: Story) -> None:
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)
    story.work(ANA, project, "verse.txt", "Verse")
    done = seal(story.ws, story.folder / "verse.txt")
    assert not done.has_pointer
    assert done.why_not == "files of type text/plain have no place for it"
    assert hitp2p.verify(story.folder / "verse.txt").headline is Headline.VERIFIED


def test_only_a_file_of_a_work_here_is_sealed(story: Story, song: SignedObject) -> None:
    other = story.file("other.txt", "Other\n")
    with pytest.raises(NotFoundError, match="no work here has this file"):
        seal(story.ws, other)
    verse = story.work(ANA, story.ws.show(song.project or ""), "verse.txt", "Verse")
    with pytest.raises(NotFoundError, match=str(verse.cid)):
        seal(story.ws, story.folder / "song.wav", work=verse)
    assert not (story.folder / "song.wav.car").exists()


def test_a_kit_has_all_that_is_needed_and_equal_works_give_equal_kits(
    story: Story, song: SignedObject
) -> None:
    first, second = story.folder / "a.zip", story.folder / "b.zip"
    kit = write_kit(story.ws, song, first)
    write_kit(story.ws, song, second)
    assert first.read_bytes() == second.read_bytes()
    assert kit.names == ("song.wav", "song.wav.car", "CREDITS.txt", "report.html", "README.txt")
    out = story.folder / "out"
    with zipfile.ZipFile(first) as opened:
        opened.extractall(out)
    assert hitp2p.verify(out / "song.wav").headline is Headline.VERIFIED
    readme = (out / "README.txt").read_text(encoding="utf-8")
    assert sha256((out / "song.wav").read_bytes()).hexdigest() in readme
    assert str(song.cid) in readme
    assert "VERIFIED  song.wav" in readme
    assert '"Song"' in (out / "CREDITS.txt").read_text(encoding="utf-8")


def test_a_kit_needs_a_file_and_no_name_hides_its_pages(story: Story) -> None:
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)
    bare = story.ws.contribute(project, title="Idea", by=ANA)
    with pytest.raises(UsageError, match="has no file"):
        write_kit(story.ws, bare, story.folder / "a.zip")
    sly = story.work(ANA, project, "README.txt", "Sly")
    assert write_kit(story.ws, sly, story.folder / "b.zip").names[0] == "README.txt.work"
