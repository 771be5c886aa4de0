"""Repair of what a real daemon lost: pins, blocks, holds, pages; from the index, other stores and the network."""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubo_daemon import KuboDaemon, running_kubo

from hitp2p.codec.cid import Cid
from hitp2p.errors import LostBlockError, UnlistedError
from hitp2p.ipfs_repair import RepairReport, repair_daemon
from hitp2p.ports import BlockSource
from hitp2p.store.contract import Store, WriteBatch
from hitp2p.store.fsck import audit_store
from hitp2p.store.holds import alias_of
from hitp2p.store.kubo import KuboStore
from hitp2p.store.kubo_address import parse_kubo_address
from hitp2p.store.kubo_admin import connect_admin
from hitp2p.store.kubo_push import push_project
from hitp2p.store.memory import MemoryStore
from hitp2p.store.sqlite import SqliteStore
from hitp2p.testing.store_suite import Story


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KuboDaemon]:
    with running_kubo(tmp_path_factory.mktemp("kubo")) as daemon:
        yield daemon


@pytest.fixture
def kubo(daemon: KuboDaemon) -> KuboDaemon:
    """A daemon that holds nothing."""
    daemon.unpin(*daemon.pins())
    daemon.gc()
    return daemon


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def store(kubo: KuboDaemon, story: Story, tmp_path: Path) -> Iterator[KuboStore]:
    """The story on the daemon."""
    with KuboStore.connect(tmp_path / "store", parse_kubo_address(kubo.api)) as store:
        store.put(story.batch)
        yield store


def repair(
    kubo: KuboDaemon,
    store: Store,
    *sources: BlockSource,
    dry_run: bool = False,
    network: bool = False,
) -> RepairReport:
    with connect_admin(parse_kubo_address(kubo.api)) as admin:
        return repair_daemon(store, admin, sources=sources, dry_run=dry_run, network=network)


def lose(kubo: KuboDaemon, *cids: Cid) -> None:
    """Let go of all pins, and remove blocks."""
    kubo.unpin(*kubo.pins())
    for cid in cids:
        kubo.rpc("block/rm", arg=str(alias_of(cid)), force="true")


def erase(kubo: KuboDaemon, *cids: Cid) -> None:
    """Remove blocks from the disk, behind the back of the daemon and its pins."""
    for cid in cids:
        name = b32encode(bytes(alias_of(cid))[2:]).decode().rstrip("=")
        (kubo.repo / "blocks" / name[-3:-1] / f"{name}.data").unlink()


def test_a_sound_daemon_is_left_alone(kubo: KuboDaemon, store: KuboStore) -> None:
    before = kubo.pins()
    report = repair(kubo, store)
    assert report.was_sound
    assert report.n_checked == len(list(store.iter_cids())) + len(before)
    assert kubo.pins() == before


def test_lost_pins_and_objects_come_back_from_the_index(
    kubo: KuboDaemon, store: KuboStore, story: Story
) -> None:
    lose(kubo, story.verse.cid, story.page[0])
    seen = repair(kubo, store, dry_run=True)
    assert (seen.n_unpinned, set(seen.restored)) == (1, {story.verse.cid, story.page[0]})
    assert kubo.pins() == {}
    report = repair(kubo, store)
    assert (report.restored, report.lost) == (seen.restored, ())
    kubo.gc()
    assert repair(kubo, store).was_sound
    assert audit_store(store).is_sound


def test_lost_media_come_back_from_another_store_and_only_if_they_are_right(
    kubo: KuboDaemon, store: KuboStore, story: Story
) -> None:
    sound, data = story.sound
    lose(kubo, sound)

    class Liar:
        def get(self, cid: Cid, /) -> bytes | None:
            return b"other bytes"

    with MemoryStore() as empty, MemoryStore() as other:
        other.put(WriteBatch(blocks=[(sound, data)]))
        assert repair(kubo, store, empty, Liar(), dry_run=True).lost == (sound,)
        assert repair(kubo, store, Liar(), other).restored == (sound,)
    kubo.gc()
    assert store.get(sound) == data
    assert repair(kubo, store).was_sound


def test_what_nobody_has_is_named_and_stops_nothing_else(
    kubo: KuboDaemon, store: KuboStore, story: Story, tmp_path: Path
) -> None:
    sound, data = story.sound
    lose(kubo, sound, story.song.cid)
    report = repair(kubo, store)
    assert (report.restored, report.lost) == ((story.song.cid,), (sound,))
    kubo.gc()  # which a pin with a gap would stop
    assert store.get(story.song.cid) == story.song.block
    with pytest.raises(LostBlockError):
        store.get(sound)
    assert repair(kubo, store).lost == (sound,)  # told again, until it is healed
    store.put(WriteBatch(blocks=[story.sound]))
    kubo.gc()
    assert store.get(sound) == data
    assert repair(kubo, store).was_sound
    with KuboStore.connect(
        tmp_path / "again", parse_kubo_address(kubo.api), workspace=store.workspace
    ) as again:
        assert again.rebuild_index() == ()
        assert {row.cid for row in again.rows()} == {row.cid for row in store.rows()}
        assert set(again.iter_cids()) == set(store.iter_cids())


def test_a_gap_below_a_pin_that_is_still_there_is_closed(
    kubo: KuboDaemon, store: KuboStore, story: Story
) -> None:
    (hold,) = kubo.pins()
    erase(kubo, story.sound[0])
    report = repair(kubo, store)
    assert (report.n_unpinned, report.lost) == (0, (story.sound[0],))
    assert hold not in kubo.pins()
    kubo.gc()  # which a pin with a gap would stop
    assert store.get(story.song.cid) == story.song.block


def test_a_gap_below_a_pin_is_filled(kubo: KuboDaemon, store: KuboStore, story: Story) -> None:
    before = kubo.pins()
    erase(kubo, story.verse.cid, story.page[0])
    report = repair(kubo, store)
    assert set(report.restored) == {story.verse.cid, story.page[0]}
    assert report.lost == ()
    assert kubo.pins() == before
    assert repair(kubo, store).was_sound


def test_a_lost_hold_is_made_anew(kubo: KuboDaemon, store: KuboStore) -> None:
    (hold,) = kubo.pins()
    kubo.unpin(hold)
    kubo.rpc("block/rm", arg=hold, force="true")
    report = repair(kubo, store)
    assert (report.n_unpinned, report.restored, report.lost) == (1, (), ())
    kubo.gc()
    assert repair(kubo, store).was_sound
    assert hold not in kubo.pins()


def test_stray_pins_of_the_workspace_are_let_go(kubo: KuboDaemon, store: KuboStore) -> None:
    stray = kubo.ipfs("dag", "put", input=b'{"left": "over"}').decode().strip()
    kubo.ipfs("pin", "add", "--name", store.pin_name, stray)
    assert repair(kubo, store).n_stray == 1
    assert stray not in kubo.pins()


def test_the_network_gives_what_another_daemon_has(story: Story, tmp_path: Path) -> None:
    with (
        running_kubo(tmp_path / "a", online=True) as a,
        running_kubo(tmp_path / "b", online=True) as b,
        KuboStore.connect(tmp_path / "sa", parse_kubo_address(a.api)) as store,
        KuboStore.connect(tmp_path / "sb", parse_kubo_address(b.api)) as other,
    ):
        store.put(story.batch)
        other.put(story.batch)
        a.rpc("swarm/connect", arg=b.rpc("id")[0]["Addresses"][0])
        lose(a, story.sound[0])
        assert repair(a, store, dry_run=True).lost == (story.sound[0],)
        assert repair(a, store, network=True).restored == (story.sound[0],)
        a.gc()
        assert store.get(story.sound[0]) == story.sound[1]


def test_a_pushed_project_is_mended_from_an_embedded_store(
    kubo: KuboDaemon, story: Story, tmp_path: Path
) -> None:
    with SqliteStore.open(tmp_path / "s") as embedded:
        embedded.put(story.batch)
        snapshot = push(kubo, embedded, story)
        assert repair(kubo, embedded).was_sound
        erase(kubo, story.sound[0], story.verse.cid, snapshot)
        report = repair(kubo, embedded)
        assert set(report.restored) == {story.sound[0], story.verse.cid, snapshot}
        assert report.lost == ()
        kubo.gc()
        assert str(story.sound[0]) in kubo.ipfs("refs", "-r", "-u", str(snapshot)).decode()
        kubo.unpin(str(snapshot))
        assert repair(kubo, embedded).n_checked == 0  # nothing of it is pushed any more


def test_an_older_snapshot_that_is_torn_is_replaced(
    kubo: KuboDaemon, story: Story, tmp_path: Path
) -> None:
    with SqliteStore.open(tmp_path / "s") as embedded:
        embedded.put(story.batch)
        old = push(kubo, embedded, story)
        embedded.put(WriteBatch(objects=[story.ana.work(story.project, "More")]))
        erase(kubo, old)
        report = repair(kubo, embedded)
        assert report.snapshots == (story.project.cid,)
        assert old not in kubo.pins()
        assert repair(kubo, embedded).was_sound


def push(kubo: KuboDaemon, store: SqliteStore, story: Story) -> Cid:
    with connect_admin(parse_kubo_address(kubo.api)) as admin:
        return push_project(store, admin, story.project.cid).snapshot


def test_nothing_unlisted_is_mended_where_it_is_announced(
    kubo: KuboDaemon, story: Story, tmp_path: Path
) -> None:
    with SqliteStore.open(tmp_path / "s") as embedded:
        embedded.put(story.batch)
        push(kubo, embedded, story)
        embedded.mark_unlisted([story.project.cid])
        with pytest.raises(UnlistedError):
            repair(kubo, embedded)
        assert repair(kubo, embedded, dry_run=True).was_sound
