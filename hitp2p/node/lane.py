"""The one lane on which a node's store is used: calls in threads, one at a time, their answers in the same order.

A keeper belongs to one thread at a time. What came of a call is told before the next one begins, so that the core hears of
members in the order in which they became some.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, TypeVar

import trio

__all__ = ["Offload", "StoreLane", "in_thread"]

_T = TypeVar("_T")
_LOG: Final = logging.getLogger(__name__)


class Offload(Protocol):
    """Runs a call that takes its time, so that other tasks go on meanwhile."""

    def __call__(self, call: Callable[[], _T], /) -> Awaitable[_T]:
        """What it returns or raises. When cancelled, it waits for the call all the same."""
        ...


async def in_thread(call: Callable[[], _T], /) -> _T:
    """Run a call in a worker thread of trio."""
    return await trio.to_thread.run_sync(call)


class StoreLane:
    """See the head of this module."""

    def __init__(self, offload: Offload = in_thread) -> None:
        self._offload = offload
        self._waiting: deque[_Job] = deque()
        self._wake = trio.Event()

    def __len__(self) -> int:
        """How many calls wait."""
        return len(self._waiting)

    def submit(
        self,
        call: Callable[[], _T],
        then: Callable[[_T], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Queue a call; one of the other two gets what came of it."""
        self._waiting.append(_Job(call, then, failed))
        self._wake.set()

    async def ask(self, call: Callable[[], _T], then: Callable[[_T], None]) -> None:
        """Queue a call and wait until `then` has been told; what either raises comes out here."""
        done = trio.Event()
        errors: list[Exception] = []

        def tell(found: _T) -> None:
            try:
                then(found)
            finally:
                done.set()

        def fail(error: Exception) -> None:
            errors.append(error)
            done.set()

        self.submit(call, tell, fail)
        await done.wait()
        for error in errors:
            raise error

    async def run(self) -> None:
        """Work until cancelled. A call that has begun is waited for."""
        while True:
            while self._waiting:
                await self._do(self._waiting.popleft())
            self._wake = trio.Event()
            await self._wake.wait()

    async def _do(self, job: _Job) -> None:
        try:
            found = await self._offload(job.call)
            job.then(found)
        except Exception as error:
            _LOG.debug("a call of the store failed", exc_info=error)
            job.failed(error)


class _Job:
    __slots__ = ("call", "failed", "then")

    def __init__(
        self,
        call: Callable[[], Any],
        then: Callable[[Any], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self.call = call
        self.then = then
        self.failed = failed
