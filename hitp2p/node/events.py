"""What a node tells: each who listens has a queue of their own, and who is slow loses the oldest, and is told how many."""

from __future__ import annotations

from collections import deque
from typing import Final

import trio

from hitp2p.ports import Closing
from hitp2p.protocol.actions import Event

__all__ = ["Broadcast", "Events"]

QUEUE: Final = 1024
"""Events that wait for one who listens."""


class Broadcast:
    """Tells everyone who listens."""

    def __init__(self) -> None:
        self._listeners: set[Events] = set()

    def tell(self, event: Event) -> None:
        """Never waits."""
        for listener in self._listeners:
            listener.put(event)

    def listen(self) -> Events:
        """What is told from now on, until it is closed."""
        found = Events(self)
        self._listeners.add(found)
        return found

    def forget(self, listener: Events) -> None:
        """Tell it nothing more."""
        self._listeners.discard(listener)

    def end(self) -> None:
        """There will be no more: whoever listens comes to the end."""
        for listener in list(self._listeners):
            listener.close()


class Events(Closing):
    """Events as they happen; a context manager, and an async iterator that ends with the node.

    Who takes them too slowly misses the oldest, and finds an event `missed` in their place, with their number as text.
    """

    def __init__(self, broadcast: Broadcast) -> None:
        """For `Broadcast.listen`."""
        self._broadcast = broadcast
        self._waiting: deque[Event] = deque()
        self._n_missed = 0
        self._wake = trio.Event()
        self._is_over = False

    def put(self, event: Event) -> None:
        """For `Broadcast.tell`."""
        if len(self._waiting) >= QUEUE:
            self._waiting.popleft()
            self._n_missed += 1
        self._waiting.append(event)
        self._wake.set()

    def close(self) -> None:
        self._is_over = True
        self._broadcast.forget(self)
        self._wake.set()

    def __aiter__(self) -> Events:
        return self

    async def __anext__(self) -> Event:
        await trio.lowlevel.checkpoint()
        while not self._waiting and not self._n_missed:
            if self._is_over:
                raise StopAsyncIteration
            self._wake = trio.Event()
            await self._wake.wait()
        if self._n_missed:
            missed, self._n_missed = self._n_missed, 0
            return Event(name="missed", text=str(missed))
        return self._waiting.popleft()
