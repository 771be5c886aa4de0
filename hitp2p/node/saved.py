"""What a node keeps between two runs beside the store: whom it knows, whom it keeps out; and the lock that makes it the only one.

All of it may be lost without harm to any trail. So a file that can't be read is no reason not to start: what it held is forgotten.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from hitp2p.errors import InvalidError, KeyFileError, UsageError
from hitp2p.ports import Randomness
from hitp2p.protocol.actions import Moment
from hitp2p.protocol.addresses import AddressBook
from hitp2p.protocol.conduct import Bans
from hitp2p.store.faults import store_errors
from hitp2p.store.keyfile import read_key_file, write_key_file

if sys.platform != "win32":
    import fcntl

__all__ = ["NodeFolder"]

BOOK: Final = "peers"
"""Name of the file of the address book. Its secret says who shares a bucket, so it is for its owner alone."""
BANS: Final = "bans"
"""Name of the file of those who are kept out."""
LOCK: Final = "lock"
"""Name of the file that a running node has locked."""
_FILE_BYTES: Final = 16 * 1024 * 1024
"""Longer files are none of ours."""
_SECRET_BYTES: Final = 32
_LOG: Final = logging.getLogger(__name__)
_T = TypeVar("_T")


class NodeFolder:
    """`.hitp2p/node` of a workspace."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def locked(self) -> Generator[None]:
        """Be the only node here.

        Raises:
            UsageError: another one runs.
            StoreError: the folder can't be written.
        """
        with store_errors(self.path):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not _lock(descriptor):
                raise UsageError(
                    f"another node runs on {self.path.parent.parent}; stop it, or speak to it with `hitp2p node`"
                )
            yield
        finally:
            os.close(descriptor)

    def read_book(self, me: bytes, randomness: Randomness) -> AddressBook:
        """The address book of before, or an empty one."""
        found = self._read(BOOK, lambda data: AddressBook.parse(data, me=me))
        return AddressBook(me=me, secret=randomness(_SECRET_BYTES)) if found is None else found

    def read_bans(self, now: Moment) -> Bans:
        """Who was kept out before, or nobody."""
        found = self._read(BANS, lambda data: Bans.parse(data, now=now))
        return Bans() if found is None else found

    def _read(self, name: str, parse: Callable[[bytes], _T]) -> _T | None:
        path = self.path / name
        if not path.exists():
            return None
        try:
            return parse(read_key_file(path, max_bytes=_FILE_BYTES))
        except (InvalidError, KeyFileError) as error:
            _LOG.warning("%s can't be used and is written anew: %s", path, error)
            return None

    def save(self, book: bytes, bans: bytes) -> None:
        """Write both, each whole or not at all.

        Raises:
            StoreError: the folder can't be written.
        """
        write_key_file(self.path / BOOK, book, overwrite=True)
        write_key_file(self.path / BANS, bans, overwrite=True)


def _lock(descriptor: int) -> bool:
    """Whether the lock is ours; it goes with the descriptor, so also when the program is killed. (Windows has none yet.)"""
    if sys.platform != "win32":
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
