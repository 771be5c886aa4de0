"""Pushing a project onto a daemon: whole or as it was, resumed where it broke off, fetched by another Kubo."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from fake_kubo import Asked, FakeKubo, refused
from kubo_daemon import KuboDaemon, running_kubo

from hitp2p.codec.cid import Cid
from hitp2p.errors import BackendError, NotFoundError, UnlistedError, UsageError
from hitp2p.store import holds, kubo_push
from hitp2p.store.contract import WriteBatch
from hitp2p.store.kubo import KuboStore
from hitp2p.store.kubo_address import parse_kubo_address
from hitp2p.store.kubo_admin import connect_admin
from hitp2p.store.kubo_push import PUSH_PIN, Pushed, PushMedia, push_project
from hitp2p.store.media import add_media
from hitp2p.store.sqlite import SqliteStore
from hitp2p.testing.store_suite import Story, media_entry
from hitp2p.trail.snapshot import iter_snapshot


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
def store(tmp_path: Path, story: Story) -> Iterator[SqliteStore]:
    """An embedded store with the story and a file of several pieces."""
    with SqliteStore.open(tmp_path / "store") as store:
        store.put(story.batch)
        path = tmp_path / "film"
        path.write_bytes(bytes(range(256)) * 12_000)
        with add_media(store, path) as media:
            film = story.ana.work(
                story.project,
                "Film",
                media=[media_entry((media.built.root, path.read_bytes()))],
            )
            store.put(WriteBatch(objects=[film], blocks=media.blocks, leaves=media.leaves))
        yield store


def push(
    api: str,
    store: SqliteStore,
    story: Story,
    media: PushMedia = "all",
    *,
    replace: bool = False,
) -> Pushed:
    with connect_admin(parse_kubo_address(api)) as admin:
        return push_project(store, admin, story.project.cid, media=media, replace=replace)


def names(kubo: KuboDaemon) -> dict[str, str]:
    return {cid: pin["Name"] for cid, pin in kubo.pins().items()}


def test_an_embedded_project_is_pinned_whole_under_its_name(
    kubo: KuboDaemon, store: SqliteStore, story: Story
) -> None:
    done = push(kubo.api, store, story)
    assert done.is_pinned
    assert (done.left_out, done.missing) == ((), ())
    assert names(kubo) == {str(done.snapshot): f"hitp2p:{story.project.cid}"}
    kubo.gc()
    reached = set(kubo.ipfs("refs", "-r", "-u", str(done.snapshot)).decode().split())
    assert {str(cid) for cid in store.iter_cids()} - reached == {str(story.elsewhere.cid)}
    with connect_admin(parse_kubo_address(kubo.api)) as admin:
        assert set(iter_snapshot(done.snapshot, admin)) >= {story.song.cid, story.ana.genesis.cid}
    again = push(kubo.api, store, story)
    assert (again.n_sent, again.sent_bytes, again.is_pinned) == (0, 0, True)


def test_only_what_is_new_is_sent(kubo: KuboDaemon, store: SqliteStore, story: Story) -> None:
    first = push(kubo.api, store, story)
    store.put(WriteBatch(objects=[story.ana.work(story.project, "One more", story.song)]))
    second = push(kubo.api, store, story)
    assert second.is_pinned
    assert second.n_sent <= 3 < first.n_sent  # the work, and pages of the snapshot
    assert names(kubo) == {str(second.snapshot): f"hitp2p:{story.project.cid}"}


def test_another_daemon_fetches_what_was_pushed(
    store: SqliteStore, story: Story, tmp_path: Path
) -> None:
    with (
        running_kubo(tmp_path / "a", online=True) as a,
        running_kubo(tmp_path / "b", online=True) as b,
    ):
        done = push(a.api, store, story)
        address = a.rpc("id")[0]["Addresses"][0]
        b.rpc("swarm/connect", arg=address)
        b.ipfs("pin", "add", str(done.snapshot))
        with connect_admin(parse_kubo_address(b.api)) as admin:
            for cid in store.iter_cids():
                if cid != story.elsewhere.cid:
                    assert admin.get(cid) == store.get(cid)


def test_media_may_stay_where_they_are(kubo: KuboDaemon, store: SqliteStore, story: Story) -> None:
    done = push(kubo.api, store, story, "none")
    assert not done.is_pinned
    assert len(done.left_out) == 2
    assert set(names(kubo).values()) == {f"{PUSH_PIN}{story.project.cid}"}
    kubo.gc()
    with connect_admin(parse_kubo_address(kubo.api)) as admin:
        members = set(iter_snapshot(done.snapshot, admin))
        assert all(admin.get(cid) == store.get(cid) for cid in members)
        assert all(admin.get(cid) is None for cid in done.left_out)
    assert push(kubo.api, store, story, "none").n_sent == 0
    heads = push(kubo.api, store, story, "work")
    assert heads.left_out == ()  # song and film are heads, and only they have media
    assert heads.is_pinned
    assert names(kubo) == {str(done.snapshot): f"hitp2p:{story.project.cid}"}


def test_media_of_works_that_were_built_on_are_left_out_by_work(
    kubo: KuboDaemon, store: SqliteStore, story: Story
) -> None:
    store.put(WriteBatch(objects=[story.bo.work(story.project, "Remix", story.song)]))
    assert push(kubo.api, store, story, "work").left_out == (story.sound[0],)


def test_what_is_not_here_keeps_the_snapshot_from_moving(
    kubo: KuboDaemon, store: SqliteStore, story: Story
) -> None:
    first = push(kubo.api, store, story)
    gone = Cid.of(0x55, b"never came")
    work = story.ana.work(story.project, "Gap", media=[media_entry((gone, b"never came"))])
    store.put(WriteBatch(objects=[work]))
    second = push(kubo.api, store, story)
    assert (second.is_pinned, second.missing) == (False, (gone,))
    assert names(kubo)[str(first.snapshot)] == f"hitp2p:{story.project.cid}"
    kubo.gc()
    with connect_admin(parse_kubo_address(kubo.api)) as admin:
        assert admin.get(work.cid) == work.block
    store.put(WriteBatch(blocks=[(gone, b"never came")]))
    third = push(kubo.api, store, story)
    assert third.is_pinned
    assert names(kubo) == {str(third.snapshot): f"hitp2p:{story.project.cid}"}


def failing_from(fake: FakeKubo, command: str, call: int) -> None:
    """Let a command fail from its nth call on."""
    seen: list[Asked] = []

    def write(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        seen.append(asked)
        (fake.pass_on if len(seen) < call else refused("broken"))(handler, asked)

    fake.says(command, write)


@pytest.mark.parametrize(("command", "call"), [("dag/import", 3), ("pin/add", 3), ("pin/ls", 4)])
def test_a_push_that_breaks_off_goes_on_where_it_was(
    kubo: KuboDaemon,
    store: SqliteStore,
    story: Story,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    call: int,
) -> None:
    monkeypatch.setattr(holds, "HOLD_BLOCKS", 4)
    with FakeKubo(behind=kubo.api) as fake:
        failing_from(fake, command, call)
        with pytest.raises(BackendError):
            push(fake.api, store, story)
    assert f"hitp2p:{story.project.cid}" not in names(kubo).values()
    kubo.gc()
    rest = push(kubo.api, store, story)
    assert rest.is_pinned
    assert 0 < rest.n_sent < len(list(store.iter_cids()))
    kubo.gc()
    reached = set(kubo.ipfs("refs", "-r", "-u", str(rest.snapshot)).decode().split())
    assert str(story.sound[0]) in reached


def test_whatever_fails_the_snapshot_before_is_pinned(
    kubo: KuboDaemon, store: SqliteStore, story: Story
) -> None:
    first = push(kubo.api, store, story)
    store.put(WriteBatch(objects=[story.ana.work(story.project, "One more")]))
    for command in ("dag/import", "pin/add", "pin/update"):
        with FakeKubo(behind=kubo.api) as fake:
            fake.says(command, refused("broken"))
            with pytest.raises(BackendError):
                push(fake.api, store, story)
        assert names(kubo)[str(first.snapshot)] == f"hitp2p:{story.project.cid}"
    assert push(kubo.api, store, story).is_pinned


def test_objects_of_others_are_not_thrown_out_of_the_snapshot_unasked(
    kubo: KuboDaemon, store: SqliteStore, story: Story, tmp_path: Path
) -> None:
    whole = push(kubo.api, store, story)
    with SqliteStore.open(tmp_path / "part") as part:
        part.put(WriteBatch(objects=[story.ana.genesis, story.project]))
        with pytest.raises(UsageError, match="objects that aren't here") as refusal:
            push(kubo.api, part, story)
        assert f"hitp2p pull {whole.snapshot}" in refusal.value.__notes__[0]
        assert names(kubo) == {str(whole.snapshot): f"hitp2p:{story.project.cid}"}
        less = push(kubo.api, part, story, replace=True)
        assert names(kubo) == {str(less.snapshot): f"hitp2p:{story.project.cid}"}


def test_a_store_on_the_daemon_itself_sends_nothing_twice(
    kubo: KuboDaemon, story: Story, tmp_path: Path
) -> None:
    with KuboStore.connect(tmp_path / "k", parse_kubo_address(kubo.api)) as own:
        own.put(story.batch)
        done = push(kubo.api, own, story)
        assert (done.is_pinned, done.n_sent) == (True, 0)
        assert names(kubo)[str(done.snapshot)] == f"hitp2p:{story.project.cid}"
        own.remove([story.sound[0]])
        part = push(kubo.api, own, story)
        assert (part.is_pinned, part.missing) == (False, (story.sound[0],))


def test_an_unlisted_project_is_not_pushed_where_it_would_be_announced(
    kubo: KuboDaemon, store: SqliteStore, story: Story
) -> None:
    store.mark_unlisted([story.project.cid])
    with pytest.raises(UnlistedError):
        push(kubo.api, store, story)
    assert names(kubo) == {}


def test_a_project_that_is_not_here_is_told(
    kubo: KuboDaemon, store: SqliteStore, story: Story
) -> None:
    with connect_admin(parse_kubo_address(kubo.api)) as admin, pytest.raises(NotFoundError):
        push_project(store, admin, story.sound[0])


def test_a_snapshot_that_can_not_be_read_counts_for_nothing(
    kubo: KuboDaemon, store: SqliteStore, story: Story
) -> None:
    name = f"hitp2p:{story.project.cid}"
    other = kubo.ipfs("dag", "put", input=b'{"no": "page"}').decode().strip()
    kubo.ipfs("pin", "add", "--name", name, other)
    with connect_admin(parse_kubo_address(kubo.api)) as admin:
        assert kubo_push.snapshot_on(admin, story.project.cid) == (Cid.parse(other), frozenset())
    assert push(kubo.api, store, story).is_pinned
    assert set(names(kubo).values()) == {name}
    assert other not in names(kubo)


def test_progress_counts_objects(kubo: KuboDaemon, store: SqliteStore, story: Story) -> None:
    seen: list[tuple[int, int]] = []
    with connect_admin(parse_kubo_address(kubo.api)) as admin:
        done = push_project(
            store, admin, story.project.cid, progress=lambda n, total: seen.append((n, total))
        )
    assert seen[-1] == (done.n_objects, done.n_objects)


def test_a_daemon_killed_in_the_middle_keeps_the_snapshot_before_and_the_push_goes_on(
    store: SqliteStore, story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holds, "HOLD_BLOCKS", 2)
    with running_kubo(tmp_path) as kubo:
        first = push(kubo.api, store, story)
        works = [story.ana.work(story.project, f"Work {number}") for number in range(8)]
        store.put(WriteBatch(objects=works))
        for command, call in (("dag/import", 3), ("pin/add", 2), ("pin/update", 1)):
            with FakeKubo(behind=kubo.api) as fake:
                killing_at(fake, kubo, command, call)
                with pytest.raises(BackendError):
                    push(fake.api, store, story)
            kubo.start()
            kubo.gc()
            assert names(kubo)[str(first.snapshot)] == f"hitp2p:{story.project.cid}"
        last = push(kubo.api, store, story)
        assert last.is_pinned
        kubo.gc()
        reached = set(kubo.ipfs("refs", "-r", "-u", str(last.snapshot)).decode().split())
        assert reached >= {str(work.cid) for work in works}


def killing_at(fake: FakeKubo, kubo: KuboDaemon, command: str, call: int) -> None:
    """Kill the daemon when a command comes for the nth time."""
    seen: list[Asked] = []

    def write(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        seen.append(asked)
        if len(seen) == call:
            kubo.kill()
        if len(seen) >= call:
            handler.close_connection = True
        else:
            fake.pass_on(handler, asked)

    fake.says(command, write)


def test_garbage_collection_beside_pushes_takes_nothing(
    kubo: KuboDaemon, store: SqliteStore, story: Story
) -> None:
    ends = threading.Event()

    def collect() -> None:
        while not ends.is_set():
            kubo.gc()

    done = push(kubo.api, store, story)
    thread = threading.Thread(target=collect)
    thread.start()
    try:
        for number in range(10):
            store.put(WriteBatch(objects=[story.ana.work(story.project, f"Work {number}")]))
            done = push(kubo.api, store, story)
            assert done.is_pinned
    finally:
        ends.set()
        thread.join()
    reached = set(kubo.ipfs("refs", "-r", "-u", str(done.snapshot)).decode().split())
    assert {str(cid) for cid in store.iter_cids()} - reached == {str(story.elsewhere.cid)}


def test_a_project_goes_from_one_daemon_to_another(
    kubo: KuboDaemon, story: Story, tmp_path: Path
) -> None:
    with (
        running_kubo(tmp_path) as other,
        KuboStore.connect(tmp_path / "k", parse_kubo_address(other.api)) as own,
    ):
        own.put(story.batch)
        done = push(kubo.api, own, story)
        assert done.is_pinned
        assert names(kubo) == {str(done.snapshot): f"hitp2p:{story.project.cid}"}
        assert f"hitp2p:{story.project.cid}" not in names(other).values()
        kubo.gc()
        reached = set(kubo.ipfs("refs", "-r", "-u", str(done.snapshot)).decode().split())
        assert str(story.sound[0]) in reached
