"""Key files on disk: owner only, whole or not at all.

A reader finds the file of before a write or the one of after it, whatever happens in between: the bytes go to a fresh
file beside the target, are forced to the disk, and only then take the target's name. A crash may leave such a fresh
file (`.NAME.*.tmp`, as private as the target) behind; it can be deleted.

A memory stick is mostly FAT, which keeps no modes: every file there is open to all. A recovery key may lie on one, as it
is sealed and the stick lies in a drawer; so a caller who was given the path in as many words may pass `warn`, and is told
instead of refused. A file that could be closed is refused all the same.

On Windows a file's mode doesn't tell who may read it, so it isn't checked there, and a folder can't be forced to the
disk; access is what the folder's own access list says.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from hitp2p import limits
from hitp2p.errors import Hitp2pError, KeyFileError, StoreError, StoreFullError

__all__ = ["read_key_file", "write_key_file"]

_IS_WINDOWS: Final = os.name == "nt"
_NO_FOLLOW: Final[int] = getattr(os, "O_NOFOLLOW", 0)
_BINARY: Final[int] = getattr(os, "O_BINARY", 0)
_NO_WAIT: Final[int] = getattr(os, "O_NONBLOCK", 0)
"""So that a pipe in the place of a key file can't hang us."""
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""What file systems without hard links (FAT on a memory stick) answer."""


Warn: TypeAlias = Callable[[str], None]
"""Gets one sentence for a person."""


def write_key_file(
    path: str | os.PathLike[str],
    data: bytes,
    *,
    overwrite: bool = False,
    warn: Warn | None = None,
) -> None:
    """Write a key file of mode 0600, durably; folders that are missing are made with mode 0700.

    Args:
        path: where.
        data: what.
        overwrite: replace a file that is there.
        warn: told where the file system keeps no permissions; None refuses to write there.

    Raises:
        KeyFileError: the file exists and `overwrite` is false, it is no plain file, or it would be open to other users.
        StoreFullError: no space; the file of before, if any, is untouched.
        StoreError: the disk or the permissions don't allow it; as above.
    """
    path = Path(path)
    try:
        _make_folder(path.parent)
        _refuse_target(path, overwrite=overwrite)
        _write(path, data, overwrite=overwrite, warn=warn)
    except OSError as error:
        raise _as_store_error(path, error) from error


def read_key_file(
    path: str | os.PathLike[str],
    *,
    max_bytes: int = limits.KEY_FILE_BYTES,
    warn: Warn | None = None,
) -> bytes:
    """The bytes of a key file.

    Args:
        path: where.
        max_bytes: more is refused unread.
        warn: told where the file is open to other users and its file system can't close it; None refuses it.

    Raises:
        KeyFileError: missing, no plain file, a symbolic link, larger than `max_bytes`, or open to other users.
        StoreError: the disk doesn't give the bytes.
    """
    path = Path(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOW | _NO_WAIT | _BINARY)
    except FileNotFoundError:
        raise KeyFileError(f"no key file at {path}") from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise KeyFileError(f"{path} is a symbolic link; a key file must not be one") from None
        raise KeyFileError(f"the key file {path} can't be opened: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "rb") as file:
            state = os.fstat(descriptor)
            _refuse_state(path, state, max_bytes)
            if not _IS_WINDOWS and state.st_mode & 0o077:
                _judge_open_file(path, descriptor, state, warn)
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise StoreError(f"the key file {path} can't be read: {error.strerror}") from error
    if len(data) > max_bytes:
        raise KeyFileError(f"{path} is larger than a key file may be ({max_bytes} bytes)")
    return data


def _refuse_state(path: Path, state: os.stat_result, max_bytes: int) -> None:
    if not stat.S_ISREG(state.st_mode):
        raise KeyFileError(f"{path} is no plain file")
    if state.st_size > max_bytes:
        raise KeyFileError(f"{path} has {state.st_size} bytes; a key file at most {max_bytes}")


def _judge_open_file(path: Path, descriptor: int, state: os.stat_result, warn: Warn | None) -> None:
    """Refuse a file that others may read, unless nobody can close it and the caller knows that it may lie in such a place."""
    what = f"{path} is open to other users (mode {stat.S_IMODE(state.st_mode):04o})"
    if os.geteuid() not in (0, state.st_uid):
        raise KeyFileError(f"{what} and isn't yours; copy it to a folder of your own and close it")
    if _can_be_closed(descriptor, state):
        raise KeyFileError(f"{what}; close it with: chmod 600 {path}")
    if warn is None:
        raise KeyFileError(
            f"{what}, and its file system keeps no permissions; "
            "copy it to a folder of your own and close it there with chmod 600"
        )
    warn(f"{what}, as its file system keeps no permissions: who has the disk has the file")


def _can_be_closed(descriptor: int, state: os.stat_result) -> bool:
    """Whether the file system keeps permissions: FAT answers their change with an error, or with nothing.

    A file that can be closed is left as it was: whoever opened it should know, and close it.
    """
    try:
        os.fchmod(descriptor, stat.S_IMODE(state.st_mode) & ~0o077)
        closed = not os.fstat(descriptor).st_mode & 0o077
        os.fchmod(descriptor, stat.S_IMODE(state.st_mode))
    except OSError:
        return False
    return closed


def _make_folder(folder: Path) -> None:
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


def _refuse_target(path: Path, *, overwrite: bool) -> None:
    with contextlib.suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            raise KeyFileError(f"{path} is no plain file; not overwritten")
        if not overwrite:
            raise KeyFileError(f"{path} exists already; not overwritten")


def _write(path: Path, data: bytes, *, overwrite: bool, warn: Warn | None) -> None:
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | _BINARY
    descriptor = os.open(fresh, flags, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
            _judge_open_mode(path, os.fstat(descriptor), warn)
        _publish(fresh, path, overwrite=overwrite)
    finally:
        with contextlib.suppress(FileNotFoundError):
            fresh.unlink()
    _sync_folder(path.parent)


def _judge_open_mode(path: Path, state: os.stat_result, warn: Warn | None) -> None:
    if _IS_WINDOWS or not state.st_mode & 0o077:
        return
    what = f"the file system of {path.parent} keeps no file permissions"
    if warn is None:
        raise KeyFileError(f"{what}, so other users could read the key; choose another folder")
    warn(f"{what}: who has the disk has the file, and only its passphrase protects the key")


def _publish(fresh: Path, path: Path, *, overwrite: bool) -> None:
    """Give the finished file its name. A hard link fails where the name is taken; a rename would replace."""
    if overwrite:
        fresh.replace(path)
        return
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        raise KeyFileError(f"{path} exists already; not overwritten") from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _refuse_target(path, overwrite=False)
        fresh.replace(path)


def _sync_folder(folder: Path) -> None:
    if _IS_WINDOWS:
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _as_store_error(path: Path, error: OSError) -> Hitp2pError:
    if error.errno in _FULL:
        return StoreFullError(f"no space for the key file {path}; nothing was half-written")
    return StoreError(f"the key file {path} can't be written: {error.strerror}")
