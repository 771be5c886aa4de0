"""Adding media to the SQLite store: copies, references, and what interruptions leave."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from hitp2p.codec.unixfs import iter_file
from hitp2p.errors import CorruptBlockError, NotFoundError, StoreError, StoreFullError, UsageError
from hitp2p.objects.envelope import SignedObject
from hitp2p.store import copying, mediafolder
from hitp2p.store.backup import back_up
from hitp2p.store.contract import WriteBatch
from hitp2p.store.fsck import FindingCode, audit_store
from hitp2p.store.gc import collect
from hitp2p.store.media import AddedMedia, add_media
from hitp2p.store.mediafolder import iter_files, keep_reserve
from hitp2p.store.sqlite import SqliteStore
from hitp2p.testing.people import Person

SIZE = 3_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(folder: Path) -> Iterator[SqliteStore]:
    with SqliteStore.open(folder) as store:
        yield store


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "sound.wav"
    path.write_bytes(b"".join(number.to_bytes(4, "big") for number in range(SIZE // 4)))
    return path


def put_work(store: SqliteStore, media: AddedMedia) -> SignedObject:
    """Store media with a work that links to it."""
    ana = Person("Ana")
    project = ana.project()
    entry: dict[str, Any] = {
        "file": media.built.root,
        "size": media.built.size,
        "sha256": media.built.sha256,
        "type": "audio/wav",
        "role": "master",
    }
    work = ana.work(project, "Sound", media=[entry])
    store.put(
        WriteBatch(objects=[ana.genesis, project, work], blocks=media.blocks, leaves=media.leaves)
    )
    return work


def unfinished(store: SqliteStore) -> list[str]:
    path = store.media_folder / "tmp"
    return os.listdir(path) if path.exists() else []


# --- copies ---------------------------------------------------------------------------------------


def test_a_copy_is_named_by_its_hash_and_equals_the_file(store: SqliteStore, sound: Path) -> None:
    with add_media(store, sound) as media:
        put_work(store, media)
    digest = sha256(sound.read_bytes()).hexdigest()
    assert list(iter_files(store.media_folder)) == [f"{digest[:2]}/{digest}"]
    assert (store.media_folder / digest[:2] / digest).read_bytes() == sound.read_bytes()
    assert unfinished(store) == []


def test_a_small_file_needs_no_file_of_its_own(store: SqliteStore, tmp_path: Path) -> None:
    (tmp_path / "verse.txt").write_text("Night bus, night bus")
    with add_media(store, tmp_path / "verse.txt") as media:
        put_work(store, media)
    assert list(iter_files(store.media_folder)) == []
    assert list(store.places()) == []


def test_the_same_file_twice_is_kept_once(store: SqliteStore, sound: Path) -> None:
    for _ in range(2):
        with add_media(store, sound) as media:
            put_work(store, media)
    assert len(list(iter_files(store.media_folder))) == 1
    assert len(list(store.places())) == len(media.leaves)


def test_adding_again_heals_a_damaged_copy(store: SqliteStore, sound: Path) -> None:
    with add_media(store, sound) as media:
        put_work(store, media)
    (name,) = iter_files(store.media_folder)
    with (store.media_folder / name).open("r+b") as file:
        file.seek(1_500_000)
        file.write(b"scratch")
    report = audit_store(store)
    assert report.lost == (media.leaves[1].cid,)
    assert "add the same file again" in report.findings[0].message
    with pytest.raises(CorruptBlockError):
        b"".join(iter_file(media.built.root, store))
    with add_media(store, sound) as media:
        put_work(store, media)
    assert audit_store(store).is_sound


def test_a_copy_works_without_the_help_of_the_kernel(
    store: SqliteStore, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying.sys, "platform", "other")
    with add_media(store, sound) as media:
        put_work(store, media)
    assert b"".join(iter_file(media.built.root, store)) == sound.read_bytes()


def test_a_backup_has_the_copies(store: SqliteStore, sound: Path, tmp_path: Path) -> None:
    with add_media(store, sound) as media:
        put_work(store, media)
    assert back_up(store, tmp_path / "backup").is_sound
    sound.unlink()
    with SqliteStore.open(tmp_path / "backup") as copy:
        assert sum(map(len, iter_file(media.built.root, copy))) == media.built.size
    assert set(os.listdir(tmp_path)) == {"store", "backup"}


def test_a_backup_says_what_it_lacks(store: SqliteStore, sound: Path, tmp_path: Path) -> None:
    with add_media(store, sound) as media:
        put_work(store, media)
    (name,) = iter_files(store.media_folder)
    (store.media_folder / name).unlink()
    report = back_up(store, tmp_path / "backup")
    assert set(report.lost) == {leaf.cid for leaf in media.leaves}


# --- references -----------------------------------------------------------------------------------


def test_a_referenced_file_is_not_copied(
    store: SqliteStore, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sound.parent)
    with add_media(store, sound.name, mode="reference") as media:
        put_work(store, media)
    monkeypatch.chdir("/")
    assert list(iter_files(store.media_folder)) == []
    assert {place.path for place in store.places()} == {str(sound)}
    assert b"".join(iter_file(media.built.root, store)) == sound.read_bytes()


def test_a_referenced_file_that_changed_says_so(store: SqliteStore, sound: Path) -> None:
    with add_media(store, sound, mode="reference") as media:
        put_work(store, media)
    sound.write_bytes(b"mixed anew" * 100_000)
    with pytest.raises(CorruptBlockError, match=r"sound\.wav has changed.*bring the old file back"):
        store.get(media.leaves[0].cid)


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text elsewhere")
def test_a_file_name_need_not_be_text(store: SqliteStore, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.wav"))
    path.write_bytes(b"sound" * 100_000)
    with add_media(store, path, mode="reference") as media:
        put_work(store, media)
    assert b"".join(iter_file(media.built.root, store)) == path.read_bytes()


# --- what can't be added --------------------------------------------------------------------------


def test_only_regular_files_can_be_added(store: SqliteStore, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no such file"):
        add_media(store, tmp_path / "absent")
    with pytest.raises(UsageError):
        add_media(store, tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match=r"not a regular file"):
        add_media(store, tmp_path / "pipe")


@pytest.mark.parametrize("mode", ["copy", "reference"])
@pytest.mark.parametrize("size", [10, SIZE - 1_000_000, SIZE + 1_000_000])
def test_a_file_that_changes_meanwhile_is_refused(
    store: SqliteStore, sound: Path, mode: Any, size: int
) -> None:
    def grow(done: int, size_: int) -> None:
        os.truncate(sound, size)

    with pytest.raises(UsageError, match=r"while it was read"):
        add_media(store, sound, mode=mode, progress=grow)
    assert unfinished(store) == list(iter_files(store.media_folder)) == []


# --- interruptions --------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interrupted_copy_leaves_nothing(
    store: SqliteStore, sound: Path, error: type[BaseException]
) -> None:
    def interrupt(done: int, size: int) -> None:
        raise error

    with pytest.raises(error):
        add_media(store, sound, progress=interrupt)
    assert unfinished(store) == list(iter_files(store.media_folder)) == []
    with mediafolder.tidying(store.media_folder) as alone:
        assert alone


def test_a_copy_that_may_not_grow_is_said_and_leaves_nothing(
    store: SqliteStore, sound: Path
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SIZE // 2, before[1]))
    try:
        with pytest.raises(StoreFullError, match=r"gc"):
            add_media(store, sound)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert unfinished(store) == list(iter_files(store.media_folder)) == []


def test_what_a_dead_program_left_is_swept_at_the_next_opening(
    store: SqliteStore, folder: Path
) -> None:
    left = mediafolder.unfinished_path(store.media_folder)
    left.write_bytes(b"half")
    lock = mediafolder.hold_shared(store.media_folder)
    SqliteStore.open(folder).close()
    assert left.exists()  # someone is adding: it may be theirs
    mediafolder.release(lock)
    SqliteStore.open(folder).close()
    assert not left.exists()


def test_gc_leaves_alone_what_is_being_added(store: SqliteStore, sound: Path) -> None:
    with add_media(store, sound) as media:
        assert collect(store).is_busy
        work = put_work(store, media)
    assert collect(store).files == ()
    assert b"".join(iter_file(media.built.root, store)) == sound.read_bytes()
    store.remove([work.cid])
    dry, wet = collect(store, dry_run=True), collect(store)
    assert dry == wet
    assert set(wet.blocks) == {leaf.cid for leaf in media.leaves} | {c for c, _ in media.blocks}
    assert wet.file_bytes == media.built.size
    assert list(iter_files(store.media_folder)) == []


def test_gc_removes_a_copy_that_was_never_put(store: SqliteStore, sound: Path) -> None:
    add_media(store, sound).close()
    (name,) = iter_files(store.media_folder)
    report = collect(store)
    assert (report.files, report.blocks) == ((name,), ())
    assert list(iter_files(store.media_folder)) == []


def test_gc_keeps_everything_while_a_damaged_block_hides_its_links(
    store: SqliteStore, sound: Path
) -> None:
    with add_media(store, sound) as media:
        put_work(store, media)
    db = store._connections.hold().db
    db.execute("UPDATE block SET data = x'00' WHERE cid = ?", (bytes(media.built.root),))
    with pytest.raises(StoreError, match=r"nothing was removed"):
        collect(store)
    assert len(list(store.places())) == len(media.leaves)


def test_a_changed_file_is_reported_although_the_database_has_its_bytes(
    store: SqliteStore, tmp_path: Path
) -> None:
    path = tmp_path / "short.txt"
    path.write_bytes(b"hello")
    with add_media(store, path) as kept, add_media(store, path, mode="reference") as referenced:
        put_work(store, kept)
        put_work(store, referenced)
    path.write_bytes(b"jello")
    report = audit_store(store)
    assert [finding.code for finding in report.findings] == [FindingCode.MEDIA]
    assert "another copy is fine" in report.findings[0].message
    assert report.lost == ()


def test_the_reserve_is_kept_out_of_everything(store: SqliteStore) -> None:
    keep_reserve(store.media_folder)
    keep_reserve(store.media_folder)
    assert collect(store).files == ()
    assert store.make_room()
    assert not store.make_room()
