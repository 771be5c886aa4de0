"""Files handed to a daemon while they are read: all of one is there and pinned, or nothing of it is kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from fake_kubo import Asked, FakeKubo, answer, refused
from kubo_daemon import KuboDaemon, running_kubo

from hitp2p.codec.cid import Cid
from hitp2p.codec.unixfs import iter_file
from hitp2p.errors import BackendError, UsageError
from hitp2p.store import kubo_holding
from hitp2p.store.contract import WriteBatch
from hitp2p.store.fsck import audit_store
from hitp2p.store.gc import collect
from hitp2p.store.kubo import KuboStore
from hitp2p.store.kubo_address import parse_kubo_address
from hitp2p.store.media import add_media
from hitp2p.testing.store_suite import Story, media_entry

MIB = 2**20
CONTENT = os.urandom(MIB) + bytes(2 * MIB) + os.urandom(6 * MIB) + b"the end"
"""Three buffers of leaves, two of which are the same."""


@pytest.fixture(scope="module")
def kubo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KuboDaemon]:
    with running_kubo(tmp_path_factory.mktemp("kubo")) as daemon:
        yield daemon


@pytest.fixture
def store(tmp_path: Path, kubo: KuboDaemon) -> Iterator[KuboStore]:
    with opened(tmp_path / "store", kubo.api) as store:
        yield store


@pytest.fixture
def lying(kubo: KuboDaemon) -> Iterator[FakeKubo]:
    """The real daemon, but for what a test scripts."""
    with FakeKubo(behind=kubo.api) as fake:
        fake.tells_the_truth()
        yield fake


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(CONTENT)
    return path


def opened(folder: Path, api: str) -> KuboStore:
    return KuboStore.connect(folder, parse_kubo_address(api))


def pins_of(kubo: KuboDaemon, store: KuboStore) -> set[str]:
    return {cid for cid, pin in kubo.pins().items() if pin["Name"] == store.pin_name}


def require_nothing(kubo: KuboDaemon, store: KuboStore) -> None:
    assert pins_of(kubo, store) == set()
    assert [*store.iter_cids()] == [*store.places()] == []
    assert store.audit_index() == ()
    assert collect(store).is_busy is False  # no lock was left behind


def read(store: KuboStore, root: Cid) -> bytes:
    return b"".join(iter_file(root, store))


# --- what is taken --------------------------------------------------------------------------------


def test_a_file_is_on_the_daemon_under_one_pin_and_was_never_copied(
    kubo: KuboDaemon, store: KuboStore, film: Path
) -> None:
    with add_media(store, film) as media:
        assert (media.blocks, media.leaves) == ((), ())
        files = [path.name for path in store.media_folder.rglob("*") if path.is_file()]
        assert files == ["lock"]
    film.unlink()
    assert len(pins_of(kubo, store)) == 1
    kubo.gc()
    assert read(store, media.built.root) == CONTENT == kubo.ipfs("cat", str(media.built.root))
    assert audit_store(store).is_sound
    assert store.audit_index() == ()


def test_a_file_of_many_blocks_has_several_holds(
    kubo: KuboDaemon, store: KuboStore, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubo_holding, "HOLD_BLOCKS", 3)
    with add_media(store, film) as media:
        pass
    assert len(pins_of(kubo, store)) == 4  # ten blocks: nine leaves that differ, and a node
    kubo.gc()
    assert read(store, media.built.root) == CONTENT


def test_a_file_that_is_there_already_is_taken_again(store: KuboStore, film: Path) -> None:
    for _ in range(2):
        with add_media(store, film) as media:
            pass
    assert read(store, media.built.root) == CONTENT
    assert store.audit_index() == ()
    store.remove([*store.iter_cids()])
    assert [*store.iter_cids()] == []


def test_nobody_tidies_between_a_file_and_the_object_that_links_to_it(
    kubo: KuboDaemon, store: KuboStore, story: Story, film: Path
) -> None:
    with add_media(store, film) as media:
        assert collect(store).is_busy
        root = media.built.root
        work = story.ana.work(story.project, "Film", media=[media_entry((root, CONTENT))])
        store.put(WriteBatch(objects=[*story.objects, work], blocks=media.blocks))
    assert root not in collect(store).blocks
    assert read(store, root) == CONTENT


def test_what_no_object_links_to_is_tidied(kubo: KuboDaemon, store: KuboStore, film: Path) -> None:
    with add_media(store, film) as media:
        pass
    assert media.built.root in collect(store).blocks
    require_nothing(kubo, store)


def test_the_index_of_a_file_comes_back_from_its_pin(
    kubo: KuboDaemon, store: KuboStore, film: Path, tmp_path: Path
) -> None:
    with add_media(store, film) as media:
        pass
    address = parse_kubo_address(kubo.api)
    with KuboStore.connect(tmp_path / "anew", address, workspace=store.workspace) as anew:
        assert anew.rebuild_index() == ()
        assert read(anew, media.built.root) == CONTENT


# --- what fails -----------------------------------------------------------------------------------


FAULTS: dict[str, Callable[[FakeKubo], None]] = {
    "refuses": lambda fake: fake.says("dag/import", refused("import failed: the repo is locked")),
    "full": lambda fake: fake.says("dag/import", refused("no space left on device")),
    "counts wrong": lambda fake: fake.says("dag/import", answer({"Stats": {"BlockCount": 1}})),
    "says nothing": lambda fake: fake.says("dag/import", answer(b"")),
    "does not name": lambda fake: fake.says("pin/add", refused("pin: merkledag: not found")),
    "does not list": lambda fake: fake.says("pin/ls", refused("is not pinned")),
    "is too old": lambda fake: fake.says("version", answer({"Version": "0.29.0"})),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_the_daemon_does_not_confirm_is_not_kept(
    kubo: KuboDaemon, lying: FakeKubo, film: Path, tmp_path: Path, fault: str
) -> None:
    with opened(tmp_path / "lying", lying.api) as store:
        FAULTS[fault](lying)
        with pytest.raises(BackendError):
            add_media(store, film)
        lying.tells_the_truth()
        require_nothing(kubo, store)
        with add_media(store, film) as media:
            pass
        assert read(store, media.built.root) == CONTENT


def test_a_daemon_that_goes_away_in_the_middle_is_told(
    lying: FakeKubo, film: Path, tmp_path: Path
) -> None:
    def goes_away(handler: BaseHTTPRequestHandler, _: Asked) -> None:
        handler.close_connection = True

    with opened(tmp_path / "lying", lying.api) as store:
        lying.says("dag/import", goes_away)
        with pytest.raises(BackendError):
            add_media(store, film)
        assert [*store.iter_cids()] == []
        n_asked = [asked.command for asked in lying.asked].count("dag/import")
        assert n_asked == 1  # what comes as it is read can't be sent twice


def test_a_file_that_changes_while_it_is_read_is_not_kept(
    kubo: KuboDaemon, store: KuboStore, film: Path
) -> None:
    def grow(done: int, size: int) -> None:
        if done == size:
            film.write_bytes(CONTENT + b"more")

    with pytest.raises(UsageError, match="changed while it was read"):
        add_media(store, film, progress=grow)
    require_nothing(kubo, store)


@pytest.mark.parametrize("at", [0, 5 * MIB, len(CONTENT)])
def test_whoever_is_interrupted_leaves_nothing(
    kubo: KuboDaemon, store: KuboStore, film: Path, at: int
) -> None:
    def interrupt(done: int, _: int) -> None:
        if done >= at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add_media(store, film, progress=interrupt)
    require_nothing(kubo, store)


# --- what stays here ------------------------------------------------------------------------------


def test_nothing_is_sent_ahead_that_may_belong_to_an_unlisted_project(
    lying: FakeKubo, story: Story, film: Path, tmp_path: Path
) -> None:
    with opened(tmp_path / "lying", lying.api) as store:
        store.mark_unlisted([story.project.cid])
        with add_media(store, film) as media:
            assert "dag/import" not in {asked.command for asked in lying.asked}
            assert media.leaves
            store.put(WriteBatch(blocks=media.blocks, leaves=media.leaves))  # of no project yet
        assert read(store, media.built.root) == CONTENT


def test_a_file_of_an_unlisted_project_goes_to_a_silent_daemon_at_once(
    story: Story, film: Path, tmp_path: Path
) -> None:
    silent = running_kubo(tmp_path / "kubo", config={"Provide.Enabled": "false"})
    with silent as daemon, opened(tmp_path / "store", daemon.api) as store:
        store.mark_unlisted([story.project.cid])
        with add_media(store, film) as media:
            assert media.leaves == ()
