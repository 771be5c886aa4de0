"""A node in a thread of its own, for programs that don't use trio: the same methods, without `await`."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar, Unpack

import trio

from hitp2p.codec.cid import Cid
from hitp2p.errors import UsageError
from hitp2p.node.events import Events
from hitp2p.node.opening import NodeOptions, open_node
from hitp2p.node.policy import Follow, Policy
from hitp2p.node.running import Node
from hitp2p.ports import Closing
from hitp2p.protocol.actions import Event
from hitp2p.protocol.core import PeerView, TopicView
from hitp2p.workspace import Workspace

__all__ = ["ThreadedEvents", "ThreadedNode", "run_in_thread"]

_T = TypeVar("_T")
_NAME: Final = "hitp2p node"


@contextmanager
def run_in_thread(
    where: Workspace | str | os.PathLike[str], **options: Unpack[NodeOptions]
) -> Generator[ThreadedNode]:
    """Run a node on a workspace, in a thread, while the block lasts.

    Args:
        where: a workspace that is open, or the folder of one; made where there is none.
        options: see `NodeOptions`.

    Raises:
        UsageError: another node runs on this workspace, or an option won't do.
        StoreError: the folder can't be used, or the system doesn't let us listen.
    """
    runner = _Runner(where, options)
    runner.start()
    try:
        yield ThreadedNode(runner)
    finally:
        runner.stop()
    runner.raise_error()


class _Runner:
    """The thread, and how the other side calls into it."""

    def __init__(self, where: Workspace | str | os.PathLike[str], options: NodeOptions) -> None:
        self._where = where
        self._options = options
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._main, name=_NAME)
        self.node: Node
        self._token: trio.lowlevel.TrioToken
        self._stop: trio.Event

    def start(self) -> None:
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            self._thread.join()
            self.raise_error()

    def _main(self) -> None:
        try:
            trio.run(self._run)
        except BaseException as error:  # which comes out in the thread that uses the node
            self._error = error
        finally:
            self._ready.set()

    async def _run(self) -> None:
        async with open_node(self._where, **self._options) as self.node:
            self._token = trio.lowlevel.current_trio_token()
            self._stop = trio.Event()
            self._ready.set()
            await self._stop.wait()

    def stop(self) -> None:
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self._stop.set)
        self._thread.join()

    def raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call something in the thread of the node; a coroutine function is awaited."""

        async def inside() -> Any:
            found = function(*arguments)
            return await found if hasattr(found, "__await__") else found

        try:
            return trio.from_thread.run(inside, trio_token=self._token)
        except trio.RunFinishedError:
            self.raise_error()
            raise UsageError("this node has been stopped; open it again") from None


class ThreadedNode:
    """A node that runs in another thread. Threads may share it."""

    def __init__(self, runner: _Runner) -> None:
        """For `run_in_thread`."""
        self._runner = runner

    @property
    def peer_id(self) -> str:
        """Its name: 12D3KooW..."""
        return self._runner.node.peer_id

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where others reach it, as far as it knows."""
        return self._runner.node.addresses

    def follow(self, what: Follow | Cid | str) -> None:
        """As `Node.follow`."""
        self._runner.call(self._runner.node.follow, what)

    def unfollow(self, topic: Cid | str) -> None:
        """As `Node.unfollow`."""
        self._runner.call(self._runner.node.unfollow, topic)

    def set_policy(self, policy: Policy) -> None:
        """As `Node.set_policy`."""
        self._runner.call(self._runner.node.set_policy, policy)

    def connect(self, address: str, *, within_s: float | None = None) -> str:
        """As `Node.connect`."""

        async def connect() -> str:
            return await self._runner.node.connect(address, within_s=within_s)

        return str(self._runner.call(connect))

    def disconnect(self, peer_id: str) -> None:
        """As `Node.disconnect`."""
        self._runner.call(self._runner.node.disconnect, peer_id)

    def compare(self) -> None:
        """As `Node.compare`."""
        self._runner.call(self._runner.node.compare)

    def peers(self) -> tuple[PeerView, ...]:
        """As `Node.peers`."""
        found: tuple[PeerView, ...] = self._runner.call(self._runner.node.peers)
        return found

    def topics(self) -> tuple[TopicView, ...]:
        """As `Node.topics`."""
        found: tuple[TopicView, ...] = self._runner.call(self._runner.node.topics)
        return found

    def events(self) -> ThreadedEvents:
        """What happens from now on: a context manager and an iterator."""
        return ThreadedEvents(self._runner, self._runner.call(self._runner.node.events))


class ThreadedEvents(Closing):
    """Events as they happen; the iterator ends with the node."""

    def __init__(self, runner: _Runner, events: Events) -> None:
        """For `ThreadedNode.events`."""
        self._runner = runner
        self._events = events

    def close(self) -> None:
        with suppress(UsageError):
            self._runner.call(self._events.close)

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        async def take() -> Event | None:
            async for event in self._events:
                return event
            return None

        try:
            event: Event | None = self._runner.call(take)
        except UsageError:
            event = None
        if event is None:
            raise StopIteration
        return event
