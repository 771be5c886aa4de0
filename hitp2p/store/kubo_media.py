"""A file on its way to a daemon while it is read and hashed: each byte is read once and written once, by the daemon.

Theory of operation. Whoever reads the file fills buffers, hashes their leaves, and gives both to a `LeafSender`. A thread
takes the leaves from its queue into one request (see `holds.HoldStream`); a buffer is free again when its last leaf has
gone. The file is known to be whole and unchanged before the hold goes out, so what breaks off earlier leaves blocks that
nothing keeps, for the daemon's garbage collection.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Final

from hitp2p.codec.cid import Cid
from hitp2p.codec.unixfs import Leaf
from hitp2p.store.holds import Held
from hitp2p.store.kubo_holding import Pinned

__all__ = ["LeafSender", "sending"]

Send = Callable[[Iterator[tuple[Held, bytes | memoryview]]], list[Pinned]]
"""Sends blocks as they come, and pins them."""


class _AbandonedError(Exception):
    """Whoever reads the file gave up."""


class _BufferUsed:
    """Behind the last leaf of a buffer."""


class _End:
    """Behind the last block, or in the middle where `is_early`."""

    def __init__(self, *, is_early: bool) -> None:
        self.is_early = is_early


_BUFFER_USED: Final = _BufferUsed()


class LeafSender:
    """Takes a file's buffers and leaves as they come; see `hitp2p.store.media.MediaSink`."""

    def __init__(self, send: Send, thread: ThreadPoolExecutor) -> None:
        """Sending begins.

        Args:
            send: called on the thread.
            thread: where nothing else runs.
        """
        self._queue: SimpleQueue[tuple[Held, bytes | memoryview] | _BufferUsed | _End] = (
            SimpleQueue()
        )
        self._seen: set[Cid] = set()
        """Blocks that were sent: silence and the like repeat, and a hold names each once."""
        self._buffer = memoryview(b"")
        self._start = 0
        self._is_open = False
        """Whether leaves of the buffer may still come."""
        self._n_used = 0
        self._changed = threading.Condition()
        self._sent: Future[list[Pinned]] = thread.submit(send, self._blocks())
        self._sent.add_done_callback(self._wake)

    def take(self, data: memoryview, /) -> None:
        """The next bytes of the file; they stay as they are until `wait_for_room` returns."""
        self._start += len(self._buffer)
        self._buffer, self._is_open = data, True
        with self._changed:
            self._n_used += 1

    def take_leaf(self, leaf: Leaf) -> None:
        """A leaf that lies in the last bytes taken."""
        start = leaf.offset - self._start
        self._put(leaf.cid, self._buffer[start : start + leaf.length])

    def wait_for_room(self, n_waiting: int, /) -> None:
        """Wait until at most `n_waiting` of the pieces taken are in use.

        Raises:
            BackendError: the daemon doesn't take them.
        """
        if self._is_open:
            self._is_open = False
            self._queue.put(_BUFFER_USED)
        with self._changed:
            self._changed.wait_for(lambda: self._n_used <= n_waiting or self._sent.done())
        if self._sent.done():
            self._sent.result()

    def finish(self, nodes: Iterable[tuple[Cid, bytes]]) -> None:
        """The file is whole: its other blocks."""
        for cid, data in nodes:
            self._put(cid, data)
        self._queue.put(_End(is_early=False))

    def stop(self) -> None:
        """No more comes, and nothing is to be kept. Harmless after `finish`."""
        self._queue.put(_End(is_early=True))

    def result(self) -> list[Pinned]:
        """Wait until all is stored and pinned; the holds.

        Raises:
            BackendError: it isn't.
        """
        return self._sent.result()

    def _put(self, cid: Cid, data: bytes | memoryview) -> None:
        if cid not in self._seen:
            self._seen.add(cid)
            self._queue.put((Held(cid, False), data))

    def _wake(self, _: object) -> None:
        with self._changed:
            self._changed.notify_all()

    def _blocks(self) -> Iterator[tuple[Held, bytes | memoryview]]:
        while True:
            item = self._queue.get()
            if isinstance(item, _BufferUsed):
                with self._changed:
                    self._n_used -= 1
                    self._changed.notify_all()
            elif not isinstance(item, _End):
                yield item
            elif item.is_early:
                raise _AbandonedError
            else:
                return


@contextmanager
def sending(send: Send) -> Generator[LeafSender]:
    """A sender, until the context is left; what it has by then and wasn't finished is given up."""
    with ThreadPoolExecutor(1, thread_name_prefix="hitp2p-send") as thread:
        sender = LeafSender(send, thread)
        try:
            yield sender
        finally:
            sender.stop()
