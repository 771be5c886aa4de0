"""The world's faults as `StoreError`: what happened, and what to do."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Final

from hitp2p.errors import StoreError, StoreFullError

__all__ = ["Translated", "sqlite_errors", "store_errors"]

_FULL: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_READ_ONLY: Final = frozenset((errno.EROFS, errno.EACCES, errno.EPERM))
_PRIMARY: Final = 0xFF
"""The low byte of an extended SQLite code is the primary code."""
_NO_ROOM: Final = frozenset((sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE))
"""The second where not even the index of the log fits, 32 KiB, which readers need as well."""
_DAMAGED: Final = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))


class Translated:
    """A context that raises errors of ours. A class, because every query enters one and a generator takes 2 us more."""

    __slots__ = ("_system_too", "_where")

    def __init__(self, where: Path, system_too: bool) -> None:
        self._where = where
        self._system_too = system_too

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, sqlite3.Error):
            raise _from_sqlite(error, self._where) from error
        if not self._system_too:
            return
        if isinstance(error, OSError):
            raise _from_system(error, self._where) from error
        if isinstance(error, UnicodeDecodeError):  # a damaged schema in SQLite's own message
            raise _damaged(error, self._where) from error


def store_errors(where: Path) -> Translated:
    """Turn what SQLite and the system raise into errors of ours. `where` is what the message names."""
    return Translated(where, system_too=True)


def sqlite_errors(where: Path) -> Translated:
    """As `store_errors`, for blocks that run code of a caller's, whose system errors are its own."""
    return Translated(where, system_too=False)


def _from_sqlite(error: sqlite3.Error, where: Path) -> StoreError:
    extended = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    code = extended & _PRIMARY
    if code == sqlite3.SQLITE_FULL or extended in _NO_ROOM:
        return _full(where)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return _read_only(where)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreError(
            f"{where}: another program has been writing for too long; try again when it is done"
        )
    if code in _DAMAGED:
        return _damaged(error, where)
    return StoreError(f"{where}: {error}")


def _from_system(error: OSError, where: Path) -> StoreError:
    if error.errno in _FULL:
        return _full(where)
    if error.errno in _READ_ONLY:
        return _read_only(where)
    return StoreError(f"{where}: {error.strerror or error}")


def _full(where: Path) -> StoreFullError:
    return StoreFullError(
        f"{where}: no space left. Nothing was half-written; make room (`hitp2p gc` removes what "
        "nothing refers to) and try again"
    )


def _read_only(where: Path) -> StoreError:
    return StoreError(
        f"{where}: can't be written to. Check who owns the folder and whether the disk is mounted "
        "read-only, or copy the workspace to a place of your own"
    )


def _damaged(error: Exception, where: Path) -> StoreError:
    return StoreError(
        f"{where}: the database file is damaged ({error}). Copy the folder as it is, then try "
        "`hitp2p fsck`; if that can't read it either, open your last backup"
    )
