"""Copying a file fast and safely: the kernel copies, the disk writes, and what was written is read for hashing, at once.

The hashes are of the copy, so a source that changes meanwhile can't make them differ. The copy stays at most
`AHEAD_BYTES` before its reader, so that what is read is still in memory.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
from io import FileIO
from types import TracebackType
from typing import Final

from hitp2p.errors import UsageError

__all__ = ["CopyReader", "copy_piece"]

_PIECE_BYTES: Final = 2 * 1024 * 1024
_SYNC_BYTES: Final = 64 * 1024 * 1024
"""Written bytes between two syncs. Early syncs let the disk work while we hash; one at the end made 1 GiB take half as long again."""
AHEAD_BYTES: Final = 16 * 1024 * 1024
"""Copied bytes that may wait for the reader."""
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


class CopyReader:
    """Copies `source` to `target` on a thread of its own, while `readinto` gives the bytes of the copy from `copy`.

    Every file stands at its start; `copy` is `target`, opened a second time. Leaving the context stops the copying.
    """

    def __init__(self, source: int, target: int, copy: FileIO, size: int) -> None:
        self._source = source
        self._target = target
        self._copy_file = copy
        self._size = size
        self._copied = 0
        self._read = 0
        self._error: BaseException | None = None
        self._stopped = False
        self._moved = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="hitp2p-copy", daemon=True)

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the buffer with the next bytes of the copy; 0 at its end. Raises what the copying raised."""
        with self._moved:
            self._moved.wait_for(lambda: self._copied > self._read or self._done)
            if self._error is not None:
                raise self._error
            length = min(len(buffer), self._copied - self._read)
        length = self._copy_file.readinto(buffer[:length]) if length else 0
        with self._moved:
            self._read += length
            self._moved.notify_all()
        return length

    @property
    def _done(self) -> bool:
        return self._error is not None or self._copied == self._size

    def _run(self) -> None:
        try:
            self._copy()
        except BaseException as error:
            with self._moved:
                self._error = error
                self._moved.notify_all()

    def _copy(self) -> None:
        unsynced = 0
        while self._copied < self._size and not self._stopped:
            length = copy_piece(
                self._source, self._target, min(_PIECE_BYTES, self._size - self._copied)
            )
            if length == 0:
                raise UsageError(
                    "a file became shorter while it was read; add it when it is finished"
                )
            unsynced += length
            with self._moved:
                self._copied += length
                self._moved.notify_all()
                self._moved.wait_for(
                    lambda: self._stopped or self._copied - self._read < AHEAD_BYTES
                )
            if unsynced >= _SYNC_BYTES:
                os.fsync(self._target)
                unsynced = 0

    def __enter__(self) -> CopyReader:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._moved:
            self._stopped = True
            self._moved.notify_all()
        self._thread.join()
