"""Unlisted projects and a daemon that announces: nothing of theirs goes there, by whichever way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_kubo import FakeKubo, answer, refused
from kubo_daemon import KuboDaemon, running_kubo

from hitp2p.codec.cid import Cid
from hitp2p.errors import UnlistedError
from hitp2p.store.carrying import carry
from hitp2p.store.contract import WriteBatch
from hitp2p.store.kubo import KuboStore
from hitp2p.store.kubo_address import parse_kubo_address
from hitp2p.store.memory import MemoryStore
from hitp2p.store.unlisted import UNLISTED, read_unlisted
from hitp2p.testing.store_suite import Story, raw_block

SILENT = {"Provide.Enabled": "false"}


@pytest.fixture(scope="module")
def kubo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KuboDaemon]:
    """A daemon that will announce what it has as soon as it is online."""
    with running_kubo(tmp_path_factory.mktemp("kubo")) as daemon:
        yield daemon


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def store(kubo: KuboDaemon, story: Story, tmp_path: Path) -> Iterator[KuboStore]:
    """A store on that daemon, in which the story's project is unlisted."""
    with open_store(kubo.api, tmp_path / "store") as store:
        store.mark_unlisted([story.project.cid])
        yield store


def open_store(api: str, folder: Path) -> KuboStore:
    return KuboStore.connect(folder, parse_kubo_address(api))


def local(kubo: KuboDaemon) -> set[str]:
    return set(kubo.ipfs("refs", "local").decode().split())


def test_no_object_of_it_goes_to_a_daemon_that_announces(
    kubo: KuboDaemon, store: KuboStore, story: Story
) -> None:
    store.put(WriteBatch(objects=[story.ana.genesis, story.bo.genesis]))
    before = local(kubo)
    for batch in (
        story.batch,
        WriteBatch(objects=[story.project]),
        WriteBatch(objects=[story.elsewhere, story.verse]),
    ):
        with pytest.raises(UnlistedError, match=r"Provide\.Enabled false"):
            store.put(batch)
    assert local(kubo) == before
    store.put(WriteBatch(objects=[story.elsewhere]))


def test_media_that_come_alone_may_be_its_own_once_it_is_here(
    kubo: KuboDaemon, story: Story, tmp_path: Path
) -> None:
    with open_store(kubo.api, tmp_path / "store") as store:
        store.mark_unlisted([story.project.cid])
        store.put(WriteBatch(blocks=[raw_block(b"of another project")]))
        store.mark_unlisted([story.project.cid], False)
        store.put(story.batch)
        store.mark_unlisted([story.project.cid])
        with pytest.raises(UnlistedError):
            store.put(WriteBatch(blocks=[raw_block(b"whose is this?")]))
        store.put(WriteBatch())


def test_neither_snapshot_nor_repair_nor_copy_gets_around_it(
    kubo: KuboDaemon, story: Story, tmp_path: Path
) -> None:
    with open_store(kubo.api, tmp_path / "store") as store, MemoryStore() as memory:
        store.put(story.batch)
        store.mark_unlisted([story.project.cid])
        with pytest.raises(UnlistedError):
            store.pin_snapshot(story.project.cid)
        with pytest.raises(UnlistedError):
            store.repair()
        assert store.pin_snapshot(story.elsewhere.cid) is not None
        memory.put(story.batch)
        memory.put(WriteBatch(objects=[story.ana.work(story.project, "One more")]))
        with pytest.raises(UnlistedError):
            carry(memory, store)


@pytest.mark.parametrize("online", [True, False])
def test_a_daemon_that_announces_nothing_takes_it(
    story: Story, tmp_path: Path, online: bool
) -> None:
    with (
        running_kubo(tmp_path, online=online, config=SILENT) as daemon,
        open_store(daemon.api, tmp_path / "store") as store,
    ):
        store.mark_unlisted([story.project.cid])
        store.put(story.batch)
        assert store.pin_snapshot(story.project.cid) is not None
        assert store.repair() == 0


def test_a_config_that_is_not_in_force_yet_does_not_count(story: Story, tmp_path: Path) -> None:
    with running_kubo(tmp_path, online=True) as daemon:
        daemon.ipfs("config", "--json", "Provide.Enabled", "false")
        with open_store(daemon.api, tmp_path / "store") as store:
            store.mark_unlisted([story.project.cid])
            with pytest.raises(UnlistedError, match="restart the daemon"):
                store.put(story.batch)


def test_a_private_swarm_takes_it(story: Story, tmp_path: Path) -> None:
    with running_kubo(tmp_path, online=True) as daemon:
        key = "/key/swarm/psk/1.0.0/\n/base16/\n" + "5a" * 32 + "\n"
        (daemon.repo / "swarm.key").write_text(key)
        daemon.restart()
        with open_store(daemon.api, tmp_path / "store") as store:
            store.mark_unlisted([story.project.cid])
            store.put(story.batch)


def test_what_can_not_be_seen_counts_as_announced(
    kubo: KuboDaemon, story: Story, tmp_path: Path
) -> None:
    with FakeKubo(behind=kubo.api) as fake, open_store(fake.api, tmp_path / "store") as store:
        store.mark_unlisted([story.project.cid])
        fake.says("version", answer({"Version": "0.37.0"}))  # which knows no such setting
        fake.says("config/show", answer({"Provide": {"Enabled": False}}))
        with pytest.raises(UnlistedError, match=r"0\.38 or later"):
            store.put(story.batch)
        fake.says("version", answer({"Version": "0.39.0"}))
        fake.says("swarm/peers", answer({"Peers": []}))
        fake.says("provide/stat", answer({"Sweep": {}}))
        with pytest.raises(UnlistedError, match="restart"):
            store.put(story.batch)
        fake.says("provide/stat", refused("stats not available with *node.NoopProvider"))
        store.put(story.batch)


def test_a_folder_of_another_daemon_proves_no_swarm_key(
    kubo: KuboDaemon, story: Story, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "config").write_text('{"Identity": {"PeerID": "12D3KooWsomebodyelse"}}')
    (other / "swarm.key").touch()
    (other / "api").touch()
    with FakeKubo(behind=kubo.api) as fake, open_store(fake.api, tmp_path / "store") as store:
        fake.says("repo/stat", answer({"RepoPath": str(other)}))
        store.mark_unlisted([story.project.cid])
        with pytest.raises(UnlistedError):
            store.put(story.batch)


def test_a_mark_outlives_the_index_and_strange_names_are_no_marks(
    story: Story, tmp_path: Path, kubo: KuboDaemon
) -> None:
    folder = tmp_path / "store"
    with open_store(kubo.api, folder) as store:
        store.mark_unlisted([story.project.cid])
    for path in folder.glob("index.db*"):
        path.unlink()
    (folder / UNLISTED / ".DS_Store").touch()
    with open_store(kubo.api, folder) as store:
        assert store.unlisted() == {story.project.cid}
    assert read_unlisted(tmp_path) == frozenset[Cid]()
