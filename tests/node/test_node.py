"""Real nodes on loopback, each with a workspace of its own: what one has, the others get, verified; and how nodes begin and end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trio
from node_world import within

import hitp2p
import hitp2p.node
from hitp2p.errors import PeerError, UnlistedError, UsageError
from hitp2p.node.opening import open_node
from hitp2p.node.policy import Follow
from hitp2p.workspace import Workspace

LOOPBACK = ("/ip4/127.0.0.1/tcp/0",)
Test = Callable[[], Awaitable[None]]


def run(test: Test) -> None:
    async def main() -> None:
        with within():
            await test()

    trio.run(main)


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Callable[[str], Workspace]]:
    """Workspaces by name."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(hitp2p.open(tmp_path / name))


@pytest.fixture
def ana() -> hitp2p.Identity:
    return hitp2p.Identity.create("Ana")


@pytest.fixture
def verse(tmp_path: Path) -> Path:
    path = tmp_path / "verse.txt"
    path.write_text("the night bus\n")
    return path


async def until(check: Callable[[], Any]) -> None:
    """Look now and then until it holds; the test's own deadline ends it."""
    while not check():
        await trio.sleep(0.01)


def test_a_contribution_on_one_arrives_verified_on_the_other_within_a_second(
    places: Callable[[str], Workspace], ana: hitp2p.Identity, verse: Path
) -> None:
    here, there = places("here"), places("there")
    project = here.create_project("Night Bus", by=ana)
    first = here.contribute(project, verse, title="Verse", by=ana)

    async def test() -> None:
        async with (
            open_node(here, listen=LOOPBACK, follow=[project.cid]) as a,
            open_node(there, follow=[project.cid], peers=a.addresses) as b,
        ):
            await until(lambda: there.store.row(first.cid))
            assert there.show(first).body["title"] == "Verse"  # with the project and its author
            start = trio.current_time()
            second = here.contribute(project, verse, title="Second", by=ana)
            await until(lambda: there.store.row(second.cid))
            assert trio.current_time() - start < 1
            third = there.contribute(project, verse, title="Third", by=ana)  # and back
            await until(lambda: here.store.row(third.cid))
            assert here.store.heads(project.cid) == there.store.heads(project.cid)
            assert {peer.is_open for peer in (*a.peers(), *b.peers())} == {True}

    run(test)


def test_media_follow_as_the_operator_wants_them(
    places: Callable[[str], Workspace], ana: hitp2p.Identity, tmp_path: Path
) -> None:
    here, there = places("here"), places("there")
    song = tmp_path / "song.bin"
    song.write_bytes(os.urandom(3 * 1024 * 1024))
    project = here.create_project("Night Bus", by=ana)
    work = here.contribute(project, song, title="Song", by=ana)
    out = tmp_path / "song.car"

    async def test() -> None:
        everything = Follow(topic=project.cid, media=2)
        async with (
            open_node(here, listen=LOOPBACK, follow=[project.cid]) as a,
            open_node(there, follow=[everything], peers=a.addresses),
        ):
            (entry,) = work.body["media"]
            await until(lambda: there.store.has(entry["file"]))
            await until(lambda: not there.export(work, out, media="work").missing)

    run(test)


def test_in_scope_accepted_only_what_is_accepted_comes(
    places: Callable[[str], Workspace], ana: hitp2p.Identity, verse: Path
) -> None:
    here, there = places("here"), places("there")
    bo = hitp2p.Identity.create("Bo")
    project = here.create_project("Night Bus", by=ana)
    mine = here.contribute(project, verse, title="Verse", by=ana)
    strange = here.contribute(project, verse, title="Strange", by=bo)

    async def test() -> None:
        accepted = Follow(topic=project.cid, scope=0)
        async with (
            open_node(here, listen=LOOPBACK, follow=[project.cid]) as a,
            open_node(there, follow=[accepted], peers=a.addresses) as b,
        ):
            await until(lambda: there.store.row(mine.cid))
            await until(lambda: b.peers()[0].in_step)
            assert there.store.row(strange.cid) is None

    run(test)


def test_a_third_node_gets_through_another_what_it_was_never_told_directly(
    places: Callable[[str], Workspace], ana: hitp2p.Identity, verse: Path
) -> None:
    here, between, there = places("here"), places("between"), places("there")
    project = here.create_project("Night Bus", by=ana)

    async def test() -> None:
        topics = [project.cid]
        async with (
            open_node(between, listen=LOOPBACK, follow=topics) as middle,
            open_node(there, follow=topics, peers=middle.addresses),
        ):
            async with open_node(here, follow=topics, peers=middle.addresses):
                work = here.contribute(project, verse, title="Verse", by=ana)
                await until(lambda: between.store.row(work.cid))
            await until(lambda: there.store.row(work.cid))  # also when it has gone meanwhile

    run(test)


def test_what_is_followed_changes_while_a_node_runs(
    places: Callable[[str], Workspace], ana: hitp2p.Identity, verse: Path
) -> None:
    here, there = places("here"), places("there")
    one, two = (here.create_project(title, by=ana) for title in ("One", "Two"))

    async def test() -> None:
        async with (
            open_node(here, listen=LOOPBACK, follow=[one.cid, str(two.cid)]) as a,
            open_node(there, follow=[one.cid], peers=a.addresses) as b,
        ):
            await until(lambda: there.store.row(one.cid))
            await b.follow(two.cid)
            await until(lambda: there.store.row(two.cid))
            await b.unfollow(one.cid)
            assert [topic.topic for topic in b.topics()] == [two.cid]
            await until(lambda: a.peers()[0].topics == (two.cid,))
            work = here.contribute(one, verse, title="Late", by=ana)
            last = here.contribute(two, verse, title="Last", by=ana)
            await until(lambda: there.store.row(last.cid))
            assert there.store.row(work.cid) is None

    run(test)


def test_net_12_an_unlisted_project_is_followed_by_no_node(
    places: Callable[[str], Workspace], ana: hitp2p.Identity
) -> None:
    here = places("here")
    project = here.create_project("Diary", by=ana, unlisted=True)

    async def test() -> None:
        with pytest.raises(UnlistedError):
            async with open_node(here, follow=[project.cid]):
                pass
        async with open_node(here) as node:
            with pytest.raises(UnlistedError):
                await node.follow(project.cid)
            assert node.topics() == ()

    run(test)


def test_a_node_tells_what_happens(
    places: Callable[[str], Workspace], ana: hitp2p.Identity, verse: Path
) -> None:
    here, there = places("here"), places("there")
    project = here.create_project("Night Bus", by=ana)

    async def test() -> None:
        async with open_node(there, follow=[project.cid]) as b:
            with b.events() as events:
                async with open_node(here, listen=LOOPBACK, follow=[project.cid]) as a:
                    await b.connect(a.addresses[0])
                    seen = [await anext(events)]
                    while seen[-1].name != "stored":
                        seen.append(await anext(events))
                    assert "connected" in [event.name for event in seen]
                    assert project.cid in seen[-1].cids
                while seen[-1].name != "disconnected":
                    seen.append(await anext(events))
                assert any(
                    event.name == "bye" and event.text.startswith("leaving") for event in seen
                )

    run(test)


# --- beginning and ending -------------------------------------------------------------------------


def test_a_node_has_the_same_name_and_knows_its_peers_after_a_restart(
    places: Callable[[str], Workspace], ana: hitp2p.Identity, tmp_path: Path
) -> None:
    here, there = places("here"), places("there")

    async def test() -> None:
        async with open_node(here, listen=LOOPBACK) as a:
            async with open_node(there, listen=LOOPBACK) as b:
                await b.connect(a.addresses[0], within_s=10)
                first = b.peer_id
            before = (tmp_path / "there" / ".hitp2p" / "node" / "peers").read_bytes()
            async with open_node(there) as b:
                assert b.peer_id == first
                after = (tmp_path / "there" / ".hitp2p" / "node" / "peers").stat()
                assert after.st_mode & 0o777 == 0o600
            assert before

    run(test)


@pytest.mark.parametrize("damage", [b"", b"\xff" * 100])
def test_a_damaged_address_book_is_no_reason_not_to_start(
    places: Callable[[str], Workspace], tmp_path: Path, damage: bytes
) -> None:
    here = places("here")

    async def test() -> None:
        async with open_node(here):
            pass
        for name in ("peers", "bans"):
            path = tmp_path / "here" / ".hitp2p" / "node" / name
            path.write_bytes(damage)
        async with open_node(here) as node:
            assert node.peers() == ()
        async with open_node(here):  # written anew
            pass

    run(test)


def test_one_node_runs_on_a_workspace_at_a_time(places: Callable[[str], Workspace]) -> None:
    here = places("here")

    async def test() -> None:
        async with open_node(here):
            with pytest.raises(UsageError, match="another node runs"):
                async with open_node(here):
                    pass
        async with open_node(here):
            pass

    run(test)


def test_a_folder_or_memory_will_do_for_a_workspace(tmp_path: Path, ana: hitp2p.Identity) -> None:
    async def test() -> None:
        async with open_node(tmp_path / "new") as a:
            with hitp2p.open(":memory:") as memory:
                async with open_node(memory) as b:
                    assert a.peer_id != b.peer_id
        assert (tmp_path / "new" / ".hitp2p" / "node" / "node.key").exists()

    run(test)


def test_what_the_block_raises_comes_out_as_it_is(places: Callable[[str], Workspace]) -> None:
    here = places("here")

    async def test() -> None:
        with pytest.raises(ValueError, match="mine"):
            async with open_node(here):
                raise ValueError("mine")
        with trio.move_on_after(0.1) as scope:
            async with open_node(here):
                await trio.sleep_forever()
        assert scope.cancelled_caught

    run(test)


def test_an_option_that_won_t_do_is_told_before_anything_runs(
    places: Callable[[str], Workspace],
) -> None:
    here = places("here")
    wrong: list[dict[str, Any]] = [
        {"listen": ["127.0.0.1:1"]},
        {"peers": ["/ip4/127.0.0.1/tcp/1"]},
        {"announce": ["somewhere"]},
        {"follow": ["no CID"]},
        {"tunnel": "kubo:nowhere"},
    ]

    async def test() -> None:
        for options in wrong:
            with pytest.raises((UsageError, hitp2p.InvalidError)):
                async with open_node(here, **options):
                    pass
        async with open_node(here):
            pass

    run(test)


def test_a_peer_that_isn_t_there_is_told_in_time(places: Callable[[str], Workspace]) -> None:
    here, there = places("here"), places("there")

    async def test() -> None:
        async with open_node(here, listen=LOOPBACK) as a:
            address = a.addresses[0]
        async with open_node(there) as b:
            with pytest.raises(PeerError, match=r"isn't connected after 0\.3 seconds.*refused"):
                await b.connect(address, within_s=0.3)
            with pytest.raises(UsageError, match="leads through Kubo"):
                await b.connect(f"/p2p/QmKubo/tls/p2p/{a.peer_id}")

    run(test)


def test_a_node_that_meets_another_in_the_place_of_its_peer_says_so(
    places: Callable[[str], Workspace],
) -> None:
    here, there, third = places("here"), places("there"), places("third")

    async def test() -> None:
        async with open_node(here, listen=LOOPBACK) as a, open_node(third) as other:
            wrong = a.addresses[0].replace(a.peer_id, other.peer_id)
            async with open_node(there) as b:
                with pytest.raises(PeerError, match="answers in place of"):
                    await b.connect(wrong, within_s=0.5)

    run(test)


@pytest.mark.parametrize("n_steps", range(1, 40, 3))
def test_a_node_that_is_cancelled_anywhere_in_its_beginning_leaves_nothing(
    places: Callable[[str], Workspace], n_steps: int
) -> None:
    """Cut at the n-th time that the scheduler comes around."""
    here, there = places("here"), places("there")

    async def test() -> None:
        async with open_node(here, listen=LOOPBACK) as a:
            with trio.CancelScope() as scope:
                cut = _CutAfter(n_steps, scope)
                trio.lowlevel.add_instrument(cut)
                try:
                    async with open_node(there, listen=LOOPBACK, peers=a.addresses):
                        await trio.sleep(0.2)
                finally:
                    trio.lowlevel.remove_instrument(cut)
            async with open_node(there) as b:  # the lock is free
                await b.connect(a.addresses[0], within_s=10)

    run(test)


class _CutAfter(trio.abc.Instrument):
    def __init__(self, n_steps: int, scope: trio.CancelScope) -> None:
        self._left = n_steps
        self._scope = scope

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self._left -= 1
        if self._left == 0:
            self._scope.cancel()


# --- in a thread ----------------------------------------------------------------------------------


def test_a_node_in_a_thread_does_the_same(
    tmp_path: Path, ana: hitp2p.Identity, verse: Path
) -> None:
    with hitp2p.open(tmp_path / "here") as here, hitp2p.open(tmp_path / "there") as there:
        project = here.create_project("Night Bus", by=ana)
        with (
            hitp2p.node.run_in_thread(here, listen=LOOPBACK, follow=[project.cid]) as a,
            hitp2p.node.run_in_thread(there) as b,
            b.events() as events,
        ):
            b.follow(project.cid)
            assert b.connect(a.addresses[0], within_s=10) == a.peer_id
            assert next(event for event in events if event.name == "stored")
            assert [topic.topic for topic in b.topics()] == [project.cid]
            assert [peer.is_open for peer in b.peers()] == [True]
            b.compare()
            b.unfollow(project.cid)
            assert b.topics() == ()
            b.disconnect(a.peer_id)
            assert next(event for event in events if event.name == "disconnected")
        assert list(events) == []
        with pytest.raises(UsageError, match="has been stopped"):
            b.peers()


def test_errors_come_out_of_the_thread(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="no address to listen on"),
        hitp2p.node.run_in_thread(tmp_path / "here", listen=["nowhere"]),
    ):
        pass
    with hitp2p.node.run_in_thread(tmp_path / "here") as node:
        with pytest.raises(hitp2p.InvalidError):
            node.connect("nowhere")
        with pytest.raises(PeerError):
            node.connect(
                f"/ip4/127.0.0.1/tcp/1/tls/p2p/{node.peer_id[:-1]}{'z' if node.peer_id[-1] != 'z' else 'y'}",
                within_s=0.1,
            )
    with (
        pytest.raises(ValueError, match="mine"),
        hitp2p.node.run_in_thread(tmp_path / "here"),
    ):
        raise ValueError("mine")


def test_the_package_and_the_store_side_of_a_node_bring_no_trio() -> None:
    code = (
        "import sys, hitp2p, hitp2p.node, hitp2p.node.keeper, hitp2p.protocol.core; hitp2p.node.Follow; "
        "assert not {'trio', 'ssl'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
