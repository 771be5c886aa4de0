"""Reading a block of media from the plain file that holds it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hitp2p.codec.cid import Cid
from hitp2p.errors import CorruptBlockError
from hitp2p.limits import BLOCK_BYTES
from hitp2p.store.contract import LeafPlace
from hitp2p.store.intact import is_intact

__all__ = ["READ_FLAGS", "decode_place", "read_leaf"]

READ_FLAGS: Final = (
    os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if hasattr(os, "O_CLOEXEC")
    else os.O_RDONLY | getattr(os, "O_BINARY", 0)
)
"""Non-blocking, because a pipe may stand where a file was."""


def decode_place(cid: Cid, path: object, offset: object, length: object) -> LeafPlace:
    """A place as the database has it.

    Raises:
        CorruptBlockError: it is damaged; a flipped bit changes types, too.
    """
    if type(path) is not bytes or type(offset) is not int or type(length) is not int:
        raise CorruptBlockError(
            f"where {cid} lies is damaged in the database; add its file again, or take the store from "
            "a backup",
            cid,
        )
    return LeafPlace(cid=cid, path=os.fsdecode(path), offset=offset, length=length)


def read_leaf(media_folder: Path | None, places: Sequence[LeafPlace]) -> bytes:
    """The bytes of a block that lies in each of `places` (at least one), hashed again.

    Raises:
        CorruptBlockError: no place holds them any more; the message names the last one.
    """
    for place in places:
        data = _read(media_folder, place)
        if data is not None and is_intact(data, place.cid):
            return data
    raise _changed(places[-1], media_folder)


def _read(media_folder: Path | None, place: LeafPlace) -> bytes | None:
    if not 0 <= place.length <= BLOCK_BYTES or place.offset < 0:
        return None
    try:
        file = os.open(_absolute(media_folder, place), READ_FLAGS)
    except (OSError, ValueError):  # a damaged path may hold a zero byte
        return None
    try:
        os.lseek(file, place.offset, os.SEEK_SET)
        return _read_all(file, place.length)
    except OSError:
        return None
    finally:
        os.close(file)


def _read_all(file: int, length: int) -> bytes:
    """A read may stop early; what is short then doesn't hash."""
    data = os.read(file, length)
    while len(data) < length and (more := os.read(file, length - len(data))):
        data += more
    return data


def _absolute(media_folder: Path | None, place: LeafPlace) -> str:
    """An absolute path stays what it is when it is joined."""
    return place.path if media_folder is None else os.path.join(media_folder, place.path)


def _changed(place: LeafPlace, media_folder: Path | None) -> CorruptBlockError:
    path = _absolute(media_folder, place)
    state = "has changed" if os.path.exists(path) else "is missing"
    advice = (
        "it was referenced in place: bring the old file back, or add it again from a copy"
        if os.path.isabs(place.path)
        else "add the same file again, or take it from a backup"
    )
    return CorruptBlockError(f"{path} {state}, so {place.cid} can't be read; {advice}", place.cid)
