"""The lane on which a store is used: one call at a time, answers in order, and no error that stops it. And who listens."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.testing
from node_world import within

from hitp2p.node.events import QUEUE, Broadcast
from hitp2p.node.lane import StoreLane
from hitp2p.protocol.actions import Event

Test = Callable[[], Awaitable[None]]


def run(test: Test) -> None:
    async def main() -> None:
        with within():
            await test()

    trio.run(main)


def test_calls_run_one_at_a_time_and_answers_come_before_the_next_begins() -> None:
    async def test() -> None:
        lane, seen = StoreLane(), list[str]()
        busy = threading.Lock()

        def call(name: str) -> str:
            assert busy.acquire(blocking=False)
            seen.append(f"{name} runs")
            busy.release()
            return name

        async with trio.open_nursery() as nursery:
            nursery.start_soon(lane.run)
            for name in "abc":
                lane.submit(
                    lambda name=name: call(name), lambda n: seen.append(f"{n} told"), seen.append
                )
            await lane.ask(lambda: call("d"), lambda n: seen.append(f"{n} told"))
            nursery.cancel_scope.cancel()
        assert seen == [f"{n} {what}" for n in "abcd" for what in ("runs", "told")]

    run(test)


def test_an_error_goes_to_who_asked_and_stops_nobody_else() -> None:
    async def test() -> None:
        lane, failed, told = StoreLane(), list[Exception](), list[int]()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lane.run)
            lane.submit(lambda: 1 // 0, told.append, failed.append)
            with pytest.raises(ZeroDivisionError):
                await lane.ask(lambda: 1 // 0, told.append)
            await lane.ask(lambda: 7, told.append)
            nursery.cancel_scope.cancel()
        assert ([type(error) for error in failed], told) == ([ZeroDivisionError], [7])

    run(test)


def test_a_call_that_has_begun_is_waited_for() -> None:
    async def test() -> None:
        lane, done = StoreLane(), list[str]()
        begun, may_end = trio.Event(), threading.Event()

        def call() -> None:
            trio.from_thread.run_sync(begun.set)
            may_end.wait(10)
            done.append("stored")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(lane.run)
            lane.submit(call, lambda _: None, lambda _: None)
            await begun.wait()
            nursery.cancel_scope.cancel()
            may_end.set()
        assert done == ["stored"]

    run(test)


def test_everyone_who_listens_hears_everything_until_they_stop() -> None:
    async def test() -> None:
        broadcast = Broadcast()
        with broadcast.listen() as first, broadcast.listen() as second:
            broadcast.tell(Event(name="one"))
            assert (await anext(first)).name == "one"
            second.close()
            broadcast.tell(Event(name="two"))
            assert (await anext(first)).name == "two"
            assert [event.name async for event in second] == ["one"]
        broadcast.tell(Event(name="three"))
        assert [event async for event in first] == []

    run(test)


def test_a_slow_one_misses_the_oldest_and_is_told_how_many() -> None:
    async def test() -> None:
        broadcast = Broadcast()
        with broadcast.listen() as events:
            for number in range(QUEUE + 2):
                broadcast.tell(Event(name="stored", text=str(number)))
            assert await anext(events) == Event(name="missed", text="2")
            assert (await anext(events)).text == "2"

    run(test)


def test_whoever_waits_comes_to_the_end_with_the_node() -> None:
    async def test() -> None:
        broadcast = Broadcast()
        events = broadcast.listen()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.testing.wait_all_tasks_blocked)

            async def end() -> None:
                await trio.testing.wait_all_tasks_blocked()
                broadcast.end()

            nursery.start_soon(end)
            assert [event async for event in events] == []

    run(test)
