"""Sealed files and proof kits: what goes out with a work, and that it comes back as what it was."""

from __future__ import annotations

import struct
import wave
import zipfile
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from stories_world import Story, person

import hitp2p
from hitp2p.drafts import ObjectLike
from hitp2p.errors import AmbiguousNameError, NotFoundError, StoreError, UsageError
from hitp2p.objects.envelope import SignedObject
from hitp2p.sealing import seal, write_kit
from hitp2p.trail.report import Headline, Tier
from hitp2p.whole_file import whole_file

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


def test_where_several_works_have_the_file_somebody_must_say_which(
    story: Story, song: SignedObject
) -> None:
    path = story.folder / "song.wav"
    other = story.ws.create_project("Elsewhere", license="CC-BY-4.0", by=ANA)
    again = story.ws.contribute(other, path, title="Song again", by=ANA)
    before = path.read_bytes()
    with pytest.raises(AmbiguousNameError, match="several works") as caught:
        seal(story.ws, path)
    assert set(caught.value.cids) == {song.cid, again.cid}
    assert path.read_bytes() == before
    assert seal(story.ws, path, work=again).work == again.cid


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


def test_a_link_is_sealed_where_it_leads_and_stays_a_link(story: Story, song: SignedObject) -> None:
    path, masters = story.folder / "song.wav", story.folder / "masters"
    masters.mkdir()
    path.rename(masters / "take.wav")
    path.symlink_to(masters / "take.wav")
    done = seal(story.ws, path)
    assert path.is_symlink()
    assert done.bundle == story.folder / "song.wav.car"
    assert hitp2p.verify(path).file.pointers == (song.cid,)
    assert [one.name for one in masters.iterdir()] == ["take.wav"]


def test_a_file_for_which_there_is_no_room_for_a_bundle_stays_as_it_is(
    story: Story, song: SignedObject
) -> None:
    path = story.folder / "song.wav"
    before = path.read_bytes()
    (story.folder / "song.wav.car").mkdir()  # nothing can take its place
    with pytest.raises(StoreError):
        seal(story.ws, path)
    assert path.read_bytes() == before
    assert sorted(one.name for one in story.folder.iterdir()) == ["song.wav", "song.wav.car"]


def test_a_name_as_long_as_systems_allow_is_sealed_and_packed(story: Story) -> None:
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)
    name = "n" * 247 + ".txt"
    work = story.work(ANA, project, name, "Long")
    assert seal(story.ws, story.folder / name).bundle.name == f"{name}.car"
    longest = story.work(ANA, project, "n" * 251 + ".txt", "Longest")
    for one in (work, longest):
        kit = write_kit(story.ws, one, story.folder / "a.zip")
        assert len(kit.names[1]) == 204
        assert kit.names[0].endswith(".txt")


@pytest.mark.parametrize(
    ("label", "packed"),
    [
        ("con", "_con"),
        ("Aux.txt", "_Aux.txt"),
        ("com1.tar.gz", "_com1.tar.gz"),
        ("nul .txt", "_nul .txt"),
        ("readme.txt.", "readme.txt_"),
        ("CREDITS.TXT", "CREDITS.TXT.work"),
        ("song. ", "song_"),
        ("a:b|c?.wav", "a_b_c_.wav"),
        ("...", "_"),
        ("contact.txt", "contact.txt"),
        ("-rf", "-rf"),
        (".hidden", ".hidden"),
    ],
)
def test_every_system_can_unpack_a_kit(story: Story, label: str, packed: str) -> None:
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)
    work = story.work(ANA, project, "plain.txt", "Odd")
    body = {**work.body, "media": [{**work.body["media"][0], "name": label}]}
    odd = story.ws._sign("contribution", body, by=ANA, project=project.cid, parents=(project.cid,))
    kit = write_kit(story.ws, odd, story.folder / "a.zip")
    assert kit.names[:2] == (packed, f"{packed}.car")
    with zipfile.ZipFile(story.folder / "a.zip") as opened:
        readme = opened.read("README.txt").decode()
    assert "hitp2p verify -" not in readme


def test_nothing_is_left_of_a_file_whose_writing_is_interrupted(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    path.write_bytes(b"before")

    def write() -> None:
        with whole_file(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("song.wav", b"before")]


def test_two_at_once_seal_one_file_whole(story: Story, song: SignedObject) -> None:
    path = story.folder / "song.wav"
    with ThreadPoolExecutor(4) as executor:
        list(executor.map(lambda _: seal(story.ws, path), range(8)))
    assert hitp2p.verify(path).headline is Headline.VERIFIED
    assert sorted(one.name for one in story.folder.iterdir()) == ["song.wav", "song.wav.car"]


def test_a_file_that_changes_while_it_is_sealed_stays_as_it_became(
    story: Story, song: SignedObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the pointer of one work would go into the file of another."""
    path = story.folder / "song.wav"
    other = bytearray(path.read_bytes())
    other[-1] ^= 1
    show = story.ws.show

    def change(what: ObjectLike) -> SignedObject:
        path.write_bytes(other)
        return show(what)

    monkeypatch.setattr(story.ws, "show", change)
    with pytest.raises(StoreError, match="was changed while it was being sealed"):
        seal(story.ws, path)
    assert path.read_bytes() == other
