"""A node that follows all of a project, and one that follows what it accepts."""

from __future__ import annotations

from pathlib import Path

import trio
from node_world import within
from project_club import Scene

import hitp2p
from hitp2p.node.opening import open_node
from hitp2p.node.policy import Follow
from hitp2p.store.contract import WriteBatch

LOOPBACK = ("/ip4/127.0.0.1/tcp/0",)


def test_sta_5_the_accepted_part_comes_and_nothing_else(tmp_path: Path) -> None:
    scene = Scene()
    topic = scene.project.cid
    late = scene.vote(scene.people[2], "accept", scene.chosen)  # one more, while they are connected

    async def main() -> None:
        with (
            within(),
            hitp2p.open(tmp_path / "all") as one,
            hitp2p.open(tmp_path / "part") as other,
        ):
            one.store.put(WriteBatch(objects=[obj for obj in scene.objects if obj is not late]))
            before = scene.accepted([obj for obj in scene.objects if obj is not late])
            async with (
                open_node(one, listen=LOOPBACK, follow=[Follow(topic=topic)]) as node,
                open_node(other, follow=[Follow(topic=topic, scope=0)], peers=[node.addresses[0]]),
            ):
                while len(list(other.store.rows())) < len(before):
                    await trio.sleep(0.01)
                assert {row.cid for row in other.store.rows()} == before
                one.store.put(WriteBatch(objects=[late]))
                while other.store.row(late.cid) is None:
                    await trio.sleep(0.01)
                assert {row.cid for row in other.store.rows()} == scene.accepted()

    trio.run(main)


def test_a_project_that_is_unlisted_while_the_node_runs_is_named_no_more(tmp_path: Path) -> None:
    scene = Scene()
    topic = scene.project.cid

    async def main() -> None:
        with (
            within(),
            hitp2p.open(tmp_path / "one") as one,
            hitp2p.open(tmp_path / "other") as other,
        ):
            ana = scene.people[0]
            open_ = ana.project("Open")
            one.store.put(WriteBatch(objects=[*scene.objects, open_]))
            async with (
                open_node(one, listen=LOOPBACK, follow=[topic, open_.cid]) as node,
                open_node(other, follow=[topic, open_.cid], peers=[node.addresses[0]]),
            ):
                while other.store.row(scene.stray.cid) is None:
                    await trio.sleep(0.01)
                one.store.mark_unlisted([topic])
                while len(node.topics()) > 1:
                    await trio.sleep(0.01)
                secret, known = ana.work(scene.project, "A secret"), ana.work(open_, "Known")
                one.store.put(WriteBatch(objects=[secret]))
                one.store.put(WriteBatch(objects=[known]))
                while other.store.row(known.cid) is None:
                    await trio.sleep(0.01)
                assert other.store.row(secret.cid) is None

    trio.run(main)
