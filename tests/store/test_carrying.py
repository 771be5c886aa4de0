"""A store carried into another one: everything arrives, checked, once; and what was cut off goes on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_kubo import FakeKubo, answer
from kubo_daemon import KuboDaemon, running_kubo

from hitp2p.codec.cid import Cid
from hitp2p.errors import BackendError, StoreFullError, UnlistedError
from hitp2p.objects.envelope import SignedObject, parse_object
from hitp2p.store.carrying import carry
from hitp2p.store.contract import ObjectRow, Store, WriteBatch
from hitp2p.store.fsck import audit_store
from hitp2p.store.kubo import KuboStore
from hitp2p.store.kubo_address import parse_kubo_address
from hitp2p.store.media import INLINE_BYTES, add_media
from hitp2p.store.mediafolder import iter_files
from hitp2p.store.memory import MemoryStore
from hitp2p.store.sqlite import SqliteStore
from hitp2p.testing.store_suite import Story, answers, media_entry, raw_block

Make = Callable[[str], Store]
FILM = bytes(range(256)) * 12_000
"""Three leaves and a node above them."""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KuboDaemon]:
    with running_kubo(tmp_path_factory.mktemp("kubo")) as daemon:
        yield daemon


@pytest.fixture
def make(tmp_path: Path, daemon: KuboDaemon) -> Iterator[Make]:
    """Makes a store of a kind, closed at the end."""
    made: list[Store] = []

    def make(kind: str) -> Store:
        folder = tmp_path / f"{kind}-{len(made)}"
        if kind == "kubo":
            made.append(KuboStore.connect(folder, parse_kubo_address(daemon.api)))
        else:
            made.append(SqliteStore.open(folder) if kind == "sqlite" else MemoryStore())
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture
def story() -> Story:
    return Story()


def with_film(story: Story, source: Store, path: Path, **how: Any) -> Cid:
    """Put the story, with a film of several blocks, into a store; the film's root."""
    source.put(story.batch)
    path.write_bytes(FILM)
    with add_media(source, path, **how) as added:
        entry = media_entry((added.built.root, FILM)) | {"sha256": added.built.sha256}
        film = story.ana.work(story.project, "Film", media=[entry])
        source.put(WriteBatch(objects=[film], blocks=added.blocks, leaves=added.leaves))
    return added.built.root


def blocks_of(store: Store) -> dict[Cid, bytes | None]:
    return {cid: store.get(cid) for cid in store.iter_cids()}


@pytest.mark.parametrize("target", ["sqlite", "kubo", "memory"])
@pytest.mark.parametrize("source", ["sqlite", "kubo", "memory"])
def test_all_of_a_store_arrives_and_nothing_in_it_changes(
    make: Make, story: Story, tmp_path: Path, source: str, target: str
) -> None:
    first, second = make(source), make(target)
    with_film(story, first, tmp_path / "film.mp4")
    first.put(WriteBatch(blocks=[raw_block(b"nothing links here")]))
    before = blocks_of(first)
    moves: list[tuple[int, int]] = []
    report = carry(first, second, progress=lambda done, of: moves.append((done, of)))
    assert report.is_sound
    assert report.n_objects == len(story.objects) + 1
    assert report.n_objects + report.n_blocks == len(before)
    assert (report.n_kept, report.n_beside) == (0, 0)
    assert blocks_of(first) == blocks_of(second) == before
    assert answers(second, story.objects) == answers(first, story.objects)
    assert audit_store(second).is_sound
    assert moves[-1] == (len(before), len(before))
    again = carry(first, second)
    assert (again.n_objects, again.n_blocks, again.n_kept) == (0, 0, len(before))


@pytest.mark.parametrize("source", ["sqlite", "kubo", "memory"])
def test_large_media_become_files_where_a_store_has_such(
    make: Make, story: Story, tmp_path: Path, source: str
) -> None:
    first = make(source)
    with_film(story, first, tmp_path / "film.mp4")
    with SqliteStore.open(tmp_path / "target") as second:
        carry(first, second)
        (name,) = iter_files(second.media_folder)
        assert (second.media_folder / name).read_bytes() == FILM
        assert {place.path for place in second.places()} == {name}
        assert second.media_folder.parent.joinpath("store.db").stat().st_size < len(FILM)


def test_a_daemon_takes_media_without_a_copy_on_this_disk(
    make: Make, story: Story, tmp_path: Path
) -> None:
    first, second = make("sqlite"), make("kubo")
    with_film(story, first, tmp_path / "film.mp4")
    carry(first, second, as_files=False)
    assert second.media_folder is not None
    assert not list(iter_files(second.media_folder))
    assert blocks_of(second) == blocks_of(first)


@pytest.mark.parametrize("target", ["sqlite", "kubo", "memory"])
def test_a_file_referenced_in_place_stays_where_it_is(
    make: Make, story: Story, tmp_path: Path, target: str
) -> None:
    first, second = make("sqlite"), make(target)
    root = with_film(story, first, tmp_path / "film.mp4", mode="reference")
    report = carry(first, second)
    assert report.n_references == len({place.cid for place in first.places()}) > 1
    assert {place.path for place in second.places()} == {os.path.realpath(tmp_path / "film.mp4")}
    assert blocks_of(second) == blocks_of(first)
    assert second.has(root)
    again = carry(first, second)
    assert (again.n_blocks, again.n_references) == (0, 0)


def test_a_dry_run_counts_and_writes_nothing(make: Make, story: Story, tmp_path: Path) -> None:
    first, second = make("sqlite"), make("sqlite")
    with_film(story, first, tmp_path / "film.mp4")
    told = carry(first, None, dry_run=True)
    assert carry(first, second, dry_run=True) == told
    assert not list(second.iter_cids())
    assert carry(first, second) == told


def test_two_stores_become_one(make: Make, story: Story) -> None:
    first, second = make("sqlite"), make("sqlite")
    first.put(story.batch)
    second.put(WriteBatch(objects=[story.ana.genesis, story.project]))
    own = story.ana.work(story.project, "Only there")
    second.put(WriteBatch(objects=[own]))
    report = carry(first, second)
    assert (report.n_kept, report.n_beside) == (2, 1)
    assert second.row(own.cid) is not None
    assert second.heads(story.project.cid) == tuple(
        sorted({*first.heads(story.project.cid), own.cid}, key=lambda cid: order(second, cid))
    )
    assert audit_store(second).is_sound


def order(store: Store, cid: Cid) -> tuple[int, Cid]:
    row = store.row(cid)
    assert isinstance(row, ObjectRow)
    return row.generation, cid


def test_an_object_that_lay_there_as_a_plain_block_becomes_one(make: Make, story: Story) -> None:
    first, second = make("sqlite"), make("kubo")
    first.put(story.batch)
    second.put(WriteBatch(blocks=[(story.verse.cid, story.verse.block)]))
    assert carry(first, second).n_objects == len(story.objects)
    assert second.row(story.verse.cid) is not None


def test_marks_of_unlisted_projects_go_first(make: Make, story: Story) -> None:
    first, second = make("sqlite"), make("sqlite")
    first.put(story.batch)
    first.mark_unlisted([story.project.cid])
    carry(first, second)
    assert second.unlisted() == {story.project.cid}


def test_nothing_unlisted_goes_to_a_daemon_that_announces(
    make: Make, story: Story, daemon: KuboDaemon
) -> None:
    first, second = make("sqlite"), make("kubo")
    first.put(story.batch)
    first.mark_unlisted([story.project.cid])
    with pytest.raises(UnlistedError):
        carry(first, second)
    assert second.row(story.verse.cid) is None


# --- damage and faults ----------------------------------------------------------------------------


def damage(store: SqliteStore, cid: Cid) -> None:
    """Flip a bit of a stored block."""
    data = bytearray(store.get(cid) or b"")
    data[-1] ^= 1
    with store._writing() as db:
        db.execute("UPDATE block SET data = ? WHERE cid = ?", (bytes(data), bytes(cid)))


def test_what_is_damaged_stays_out_with_all_that_rests_on_it_and_comes_when_it_is_healed(
    story: Story, tmp_path: Path
) -> None:
    with SqliteStore.open(tmp_path / "a") as first, SqliteStore.open(tmp_path / "b") as second:
        first.put(story.batch)
        damage(first, story.beat.cid)
        damage(first, story.page[0])
        report = carry(first, second)
        assert not report.is_sound
        resting = {story.beat.cid, story.song.cid, story.other_head.cid}
        assert {fault.cid for fault in report.faults} == {*resting, story.page[0]}
        assert not any(second.has(cid) for cid in resting)
        assert report.n_objects == len(story.objects) - len(resting)
        assert audit_store(second).is_sound
        first.put(story.batch)
        assert carry(first, second).is_sound
        assert blocks_of(second) == blocks_of(first)


def test_objects_that_an_index_had_to_leave_out_do_not_become_plain_blocks(
    story: Story, tmp_path: Path
) -> None:
    with SqliteStore.open(tmp_path / "a") as first, SqliteStore.open(tmp_path / "b") as second:
        first.put(story.batch)
        damage(first, story.beat.cid)
        left_out = first.rebuild_index()
        assert story.song.cid in left_out
        report = carry(first, second)
        assert {fault.cid for fault in report.faults} == set(left_out)
        assert not any(second.has(cid) for cid in left_out)


def with_other_signature(obj: SignedObject) -> SignedObject:
    wrong = bytes((*obj.signature[:-2], obj.signature[-2] ^ 1, obj.signature[-1]))
    return parse_object(obj.block.replace(obj.signature, wrong))


def test_a_signature_that_nobody_checked_is_checked_on_the_way(
    story: Story, tmp_path: Path
) -> None:
    with SqliteStore.open(tmp_path / "a") as first, SqliteStore.open(tmp_path / "b") as second:
        first.put(WriteBatch(objects=[story.ana.genesis, story.project]))
        forged = with_other_signature(story.ana.work(story.project, "Not by Ana"))
        first.put(WriteBatch(objects=[forged]))
        (fault,) = carry(first, second).faults
        assert fault.cid == forged.cid
        assert "signature" in fault.message
        assert not second.has(forged.cid)


def test_a_daemon_that_gives_other_bytes_for_a_text_is_told_and_not_believed(
    story: Story, tmp_path: Path, daemon: KuboDaemon
) -> None:
    with FakeKubo(behind=daemon.api) as fake, MemoryStore() as second:
        address = parse_kubo_address(fake.api)
        with KuboStore.connect(tmp_path / "a", address) as first:
            first.put(story.batch)
            fake.says("block/get", answer(b"something else"))
            report = carry(first, second)
            assert [fault.cid for fault in report.faults] == [story.sound[0]]
            fake.says("block/get", fake.pass_on)
            assert carry(first, second).is_sound


class FillsUp(MemoryStore):
    """A store with room for so many batches."""

    def __init__(self, n_batches: int) -> None:
        super().__init__()
        self.room = n_batches

    def put(self, batch: WriteBatch, *, durable: bool = True) -> tuple[ObjectRow, ...]:
        if self.room == 0:
            raise StoreFullError("no room")
        self.room -= 1
        return super().put(batch, durable=durable)


def test_a_target_that_fills_up_is_told_and_another_copy_goes_on(
    make: Make, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hitp2p.store.carrying._BATCH_BLOCKS", 2)
    first, second = make("sqlite"), FillsUp(2)
    first.put(story.batch)
    before = blocks_of(first)
    with pytest.raises(StoreFullError):
        carry(first, second)
    assert len(list(second.iter_cids())) == 4
    second.room = 100
    report = carry(first, second)
    assert report.n_kept == 4
    assert blocks_of(first) == blocks_of(second) == before


def test_a_daemon_that_dies_is_told_and_another_copy_goes_on(story: Story, tmp_path: Path) -> None:
    with running_kubo(tmp_path) as dying, SqliteStore.open(tmp_path / "a") as first:
        with_film(story, first, tmp_path / "film.mp4")
        with KuboStore.connect(tmp_path / "b", parse_kubo_address(dying.api)) as second:
            dying.kill()
            with pytest.raises(BackendError):
                carry(first, second)
            assert not list(second.iter_cids())
        dying.start()
        with KuboStore.connect(tmp_path / "b", parse_kubo_address(dying.api)) as second:
            carry(first, second)
            assert blocks_of(second) == blocks_of(first)


def test_media_that_are_not_all_here_go_as_the_blocks_that_are(
    make: Make, story: Story, tmp_path: Path
) -> None:
    first, second = make("memory"), make("sqlite")
    root = with_film(story, first, tmp_path / "film.mp4")
    leaves = [cid for cid in first.iter_cids() if len(first.get(cid) or b"") > INLINE_BYTES]
    first.remove(leaves[:1])
    assert carry(first, second).is_sound
    assert second.has(root)
    assert blocks_of(second) == blocks_of(first)
