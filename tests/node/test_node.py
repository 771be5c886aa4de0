"""Real nodes on loopback, each with a workspace of its own: what one has, the others get, verified; and how nodes begin and end."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trio
from node_world import within

import hitp2p
import hitp2p.node
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
