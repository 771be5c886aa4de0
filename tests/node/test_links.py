"""One connection: what goes out and in, and how it ends, over streams in memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
import trio.testing
from node_world import within

from hitp2p.node.links import CLOSING_S, Link

Test = Callable[[], Awaitable[None]]


def run(test: Test) -> None:
    """On a clock that jumps to the next deadline whenever nothing else can happen."""

    async def main() -> None:
        with within(600):
            await test()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


class Side:
    """A link that notes what it is told, and the other end of its stream."""

    def __init__(self, stream: Any = None, other: Any = None) -> None:
        if stream is None:
            stream, other = trio.testing.memory_stream_pair()
        self.link = Link(1, stream)
        self.other = other
        self.heard: list[bytes] = []
        self.written: list[int] = []

    async def run(self) -> None:
        await self.link.run(self.heard.append, self.written.append)


def test_bytes_go_out_in_order_and_the_core_hears_how_far() -> None:
    async def test() -> None:
        side = Side()
        pieces = [bytes([number]) * size for number, size in enumerate((1, 70_000, 200_000, 3))]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(side.run)
            for piece in pieces:
                side.link.send(piece)
            expected, found = b"".join(pieces), b""
            while len(found) < len(expected):
                found += await side.other.receive_some()
            assert found == expected
            await trio.testing.wait_all_tasks_blocked()
            assert sum(side.written) == len(expected)
            assert max(side.written) == 64 * 1024  # progress is told of large ones, too
            assert side.link.n_queued == 0
            nursery.cancel_scope.cancel()

    run(test)


def test_what_comes_while_paused_is_handed_on_later() -> None:
    async def test() -> None:
        side = Side()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(side.run)
            await trio.testing.wait_all_tasks_blocked()
            side.link.pause()
            await side.other.send_all(b"later")
            await trio.testing.wait_all_tasks_blocked()
            assert side.heard == []
            side.link.resume()
            await trio.testing.wait_all_tasks_blocked()
            assert side.heard == [b"later"]
            nursery.cancel_scope.cancel()

    run(test)


def test_a_connection_that_is_closed_says_first_what_was_queued() -> None:
    async def test() -> None:
        side = Side()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(side.run)
            side.link.send(b"bye")
            side.link.close()
            side.link.send(b"too late")
            assert await side.other.receive_some() == b"bye"
            assert await side.other.receive_some() == b""
            assert trio.current_time() == pytest.approx(0, abs=0.1)  # and waits for our end
            await side.other.aclose()
        assert side.heard == []

    run(test)


def test_nothing_is_heard_once_a_connection_is_closed() -> None:
    async def test() -> None:
        side = Side()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(side.run)
            await trio.testing.wait_all_tasks_blocked()
            side.link.close()
            await side.other.send_all(b"more")
            await trio.testing.wait_all_tasks_blocked()
            await side.other.aclose()
        assert side.heard == []

    run(test)


@pytest.mark.parametrize("paused", [False, True])
def test_a_peer_that_neither_reads_nor_ends_is_left_after_a_second(paused: bool) -> None:
    async def test() -> None:
        start = trio.current_time()
        side = Side(*trio.testing.lockstep_stream_pair())  # sends end when they are received
        async with trio.open_nursery() as nursery:
            nursery.start_soon(side.run)
            side.link.send(b"hello")
            await trio.sleep(100)
            assert side.written == []
            if paused:
                side.link.pause()
            side.link.close()
        assert trio.current_time() == pytest.approx(start + 100 + CLOSING_S)
        await side.other.aclose()

    run(test)


def test_a_connection_ends_with_the_other_side() -> None:
    async def test() -> None:
        side = Side()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(side.run)
            await side.other.send_all(b"hello")
            await side.other.aclose()
        assert side.heard == [b"hello"]

    run(test)


def test_a_queue_that_outgrows_every_bound_ends_the_connection() -> None:
    async def test() -> None:
        side = Side(*trio.testing.lockstep_stream_pair())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(side.run)
            for _ in range(17):
                side.link.send(bytes(1024 * 1024))
        await side.other.aclose()

    run(test)


@pytest.mark.parametrize("when", range(6))
def test_a_link_that_is_cancelled_at_any_point_closes_its_stream(when: int) -> None:
    async def test() -> None:
        side = Side()
        async with trio.open_nursery() as nursery:
            if when == 0:
                nursery.cancel_scope.cancel()
            nursery.start_soon(side.run)
            steps: list[Callable[[], Any]] = [
                lambda: side.link.send(bytes(100_000)),
                side.link.pause,
                side.link.resume,
                side.link.close,
            ]
            for number, step in enumerate(steps, 1):
                await trio.testing.wait_all_tasks_blocked()
                if number == when:
                    nursery.cancel_scope.cancel()
                    break
                step()
            nursery.cancel_scope.cancel()
        received = b""
        with within():
            while data := await side.other.receive_some():
                received += data
        assert len(received) <= 100_000

    run(test)
