"""The folder of media files: who may add, who may tidy, where a file lies.

Files that are being written stand in `tmp/`; a finished one is named by its hash, `ab/ab12...`, and never changes. A file
is there before the rows that name it are committed. So nobody may tidy between the two: whoever adds holds the lock
shared from the first byte to the commit, whoever tidies holds it alone. The system lets go of it when a program dies.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from hitp2p.store.faults import store_errors

if sys.platform != "win32":
    import fcntl

__all__ = [
    "RESERVE_FROM_BYTES",
    "free_reserve",
    "hold_shared",
    "iter_files",
    "keep_reserve",
    "place_file",
    "release",
    "sweep_unfinished",
    "sync_folder",
    "tidying",
    "unfinished_path",
]

_LOCK: Final = "lock"
_UNFINISHED: Final = "tmp"
_RESERVE: Final = "reserve"
_RESERVE_BYTES: Final = 16 * 1024 * 1024
"""What the database's log may have grown to, and so what writing it back may need on a full disk."""

RESERVE_FROM_BYTES: Final = 64 * 1024 * 1024
"""A store gets a reserve with the first medium, or at the first opening with a database, of this size: small ones stay small."""


def hold_shared(folder: Path) -> int:
    """Begin to add: nobody tidies until `release`. Waits while someone does."""
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    if sys.platform != "win32":
        fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def release(lock: int) -> None:
    """The end of `hold_shared`."""
    os.close(lock)


@contextmanager
def tidying(folder: Path) -> Generator[bool]:
    """Whether one is alone and may remove files. (Never on Windows, where this lock isn't written yet.)"""
    if sys.platform == "win32":
        yield False
        return
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(lock)


def unfinished_path(folder: Path) -> Path:
    """A new name for a file that is being written."""
    (folder / _UNFINISHED).mkdir(exist_ok=True)
    return folder / _UNFINISHED / f"{os.getpid()}-{os.urandom(8).hex()}"


def place_file(folder: Path, unfinished: Path, sha256: bytes) -> str:
    """Give a written and synced file its name, on disk for good; returns it, relative to the folder.

    A file of that name is replaced: it has the same bytes or is damaged.
    """
    name = sha256.hex()
    shard = folder / name[:2]
    with store_errors(folder):
        if not shard.exists():
            shard.mkdir(exist_ok=True)
            sync_folder(folder)
        os.replace(unfinished, shard / name)
        sync_folder(shard)
    return f"{name[:2]}/{name}"


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on disk. Windows can't, and doesn't need it."""
    if sys.platform != "win32":
        file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def iter_files(folder: Path) -> Iterator[str]:
    """Names of the finished files, sorted."""
    for shard in sorted(path for path in folder.iterdir() if path.is_dir()):
        if shard.name != _UNFINISHED:
            yield from (f"{shard.name}/{name}" for name in sorted(os.listdir(shard)))


def sweep_unfinished(folder: Path) -> None:
    """Remove what interrupted programs left half-written, unless someone is adding right now."""
    unfinished = folder / _UNFINISHED
    if not unfinished.is_dir() or not any(unfinished.iterdir()):
        return
    with store_errors(folder), tidying(folder) as alone:
        for path in unfinished.iterdir() if alone else ():
            path.unlink(missing_ok=True)


def keep_reserve(folder: Path) -> None:
    """Keep some space back, if there is any: on a full disk even removing things needs a little."""
    path = folder / _RESERVE
    if path.exists():
        return
    new = unfinished_path(folder)
    try:
        with new.open("xb") as file:
            _allocate(file.fileno())
        os.replace(new, path)
    except OSError:
        new.unlink(missing_ok=True)


def _allocate(file: int) -> None:
    if sys.platform == "linux":
        os.posix_fallocate(file, 0, _RESERVE_BYTES)
    else:
        os.write(file, bytes(_RESERVE_BYTES))


def free_reserve(folder: Path) -> bool:
    """Let go of the space kept back; whether there was any."""
    try:
        (folder / _RESERVE).unlink()
    except FileNotFoundError:
        return False
    return True
