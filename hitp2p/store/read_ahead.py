"""Fetching the next pieces of a file while one is used: for a store whose blocks are a call away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from hitp2p.codec.cid import DAG_PB, RAW, Cid
from hitp2p.errors import StoreError
from hitp2p.ports import Closing
from hitp2p.store.reach import iter_links

__all__ = ["ReadAhead"]

_AHEAD: Final = 3
"""Pieces that are fetched before they are asked for, of at most 2 MiB each."""
_THREADS: Final = 2


class _Reader:
    """What one thread reads."""

    def __init__(self) -> None:
        self.next_of: dict[Cid, int] = {}
        """Where a piece stands in `pieces`."""
        self.pieces: list[Cid] = []
        """What the node links to that was read last."""
        self.expected = 0
        """Where the piece stands that comes next, if the file is read in order."""
        self.coming: dict[Cid, Future[bytes | None]] = {}


class ReadAhead(Closing):
    """Gets blocks, and those after them where a thread reads the pieces of a file in order. Threads may share it."""

    def __init__(self, fetch: Callable[[Cid], bytes | None]) -> None:
        """Nothing is fetched yet.

        Args:
            fetch: gets a block, verified; None where it is absent. Called by several threads.
        """
        self._fetch = fetch
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="hitp2p-ahead")
        self._local = threading.local()

    def get(self, cid: Cid, /) -> bytes | None:
        """What `fetch` says."""
        reader: _Reader = self._local.__dict__.setdefault("reader", _Reader())
        if cid.codec == RAW and cid in reader.next_of:
            self._go_on(reader, reader.next_of[cid])
        data = self._take(reader, cid)
        if cid.codec == DAG_PB and data:
            reader.coming.clear()
            reader.pieces = list(iter_links(cid, data))
            reader.next_of = {piece: place for place, piece in enumerate(reader.pieces)}
            reader.expected = 0
        return data

    def _go_on(self, reader: _Reader, place: int) -> None:
        in_order = place == reader.expected
        reader.expected = place + 1
        if not in_order:
            reader.coming.clear()
            return
        for piece in reader.pieces[place + 1 : place + 1 + _AHEAD]:
            if piece.codec == RAW and piece not in reader.coming:
                reader.coming[piece] = self._threads.submit(self._fetch, piece)

    def _take(self, reader: _Reader, cid: Cid) -> bytes | None:
        """A block that is coming, or that is fetched now; what didn't come is asked for again."""
        coming = reader.coming.pop(cid, None)
        if coming is not None:
            try:
                data = coming.result()
            except StoreError:
                data = None
            if data is not None:
                return data
        return self._fetch(cid)

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)
