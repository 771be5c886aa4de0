"""One connection of a node: a task that reads, a task that writes, and a queue between the core and the second.

The core bounds the queue, by what `on_written` tells it; a bound that it must never reach stands here behind it. A connection ends
when the other side ends it, or when the core has said `Close`: what is queued then has a second to go out. Before the socket is
closed our side is shut and the other's end awaited, within that second: to close with bytes unread would destroy, on the
other side, the BYE that it hasn't read yet.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Final

import trio

__all__ = ["CLOSING_S", "Link"]

CLOSING_S: Final = 1.0
"""How long what is queued may take to go out once a connection is at its end, in seconds."""
READ_BYTES: Final = 64 * 1024
"""Most bytes that are handed to the core at once."""
_WRITE_BYTES: Final = 64 * 1024
"""How much is written before the core is told; it takes the progress for a sign of life."""
_QUEUE_BYTES: Final = 16 * 1024 * 1024
"""Four times what the core lets wait."""
_LOG: Final = logging.getLogger(__name__)


class Link:
    """A connection. `run` is called once; all other methods are for the core, and never wait."""

    __slots__ = (
        "_is_closing",
        "_may_read",
        "_queue",
        "_scope",
        "_stream",
        "_wake",
        "n_queued",
        "number",
    )

    def __init__(self, number: int, stream: trio.abc.Stream) -> None:
        """`stream` is the link's from now on."""
        self.number = number
        """What the core calls it; never used again."""
        self.n_queued = 0
        """Bytes that wait to be written."""
        self._stream = stream
        self._queue: deque[memoryview] = deque()
        self._wake = trio.Event()
        self._may_read = trio.Event()
        self._may_read.set()
        self._is_closing = False
        self._scope = trio.CancelScope()

    def send(self, data: bytes) -> None:
        """Queue bytes; they are left out once the connection is closing."""
        if self._is_closing:
            return
        self.n_queued += len(data)
        if self.n_queued > _QUEUE_BYTES:
            _LOG.error("%d bytes wait for one peer; its connection ends", self.n_queued)
            self._scope.cancel()
        self._queue.append(memoryview(data))
        self._wake.set()

    def pause(self) -> None:
        """Hand on no more of what comes."""
        if self._may_read.is_set():
            self._may_read = trio.Event()

    def resume(self) -> None:
        """Hand it on again."""
        self._may_read.set()

    def close(self) -> None:
        """End it, once what is queued is written or a second has passed."""
        if not self._is_closing:
            self._is_closing = True
            self._scope.deadline = trio.current_time() + CLOSING_S
            self._wake.set()
            self._may_read.set()

    async def run(
        self, on_bytes: Callable[[bytes], None], on_written: Callable[[int], None]
    ) -> None:
        """Carry bytes until the connection is at its end; the stream is closed then, whatever happened.

        Args:
            on_bytes: gets what comes.
            on_written: gets how many bytes more have been taken by the other side's system.
        """
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._write, on_written)
                    await self._read(on_bytes)
                    nursery.cancel_scope.cancel()
        finally:
            self._queue.clear()
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(self._stream)

    async def _read(self, on_bytes: Callable[[bytes], None]) -> None:
        try:
            while True:
                await self._may_read.wait()
                data = await self._stream.receive_some(READ_BYTES)
                if not data:
                    return
                if not self._is_closing:
                    await self._may_read.wait()  # it may have been paused meanwhile
                    on_bytes(bytes(data))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return

    async def _write(self, on_written: Callable[[int], None]) -> None:
        try:
            while self._queue or not self._is_closing:
                await self._wake.wait()
                self._wake = trio.Event()
                while self._queue:
                    piece = self._next_piece()
                    await self._stream.send_all(piece)
                    self.n_queued -= len(piece)
                    on_written(len(piece))
            await self._shut()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._scope.cancel()

    def _next_piece(self) -> bytes:
        """What goes out at once: many small frames, or a part of a large one."""
        parts: list[memoryview] = []
        room = _WRITE_BYTES
        while self._queue and room:
            first = self._queue[0]
            parts.append(first[:room])
            room -= len(parts[-1])
            if len(parts[-1]) == len(first):
                self._queue.popleft()
            else:
                self._queue[0] = first[len(parts[-1]) :]
        return b"".join(parts)

    async def _shut(self) -> None:
        """Say that nothing more will come; the reader goes on until the other side ends it, too."""
        below = getattr(self._stream, "transport_stream", self._stream)
        if isinstance(below, trio.abc.HalfCloseableStream):
            await below.send_eof()
        else:
            self._scope.cancel()
