"""A media file as the parsers see it: a length, and bytes at any place, in bounded pieces."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO, Final

from hitp2p.errors import DecodeError

__all__ = ["PIECE_BYTES", "MediaSource"]

PIECE_BYTES: Final = 1024 * 1024
"""Most bytes that `pieces` hands out at once."""


class MediaSource:
    """Bytes of one file by place; as received. Reading past the end is the file's fault, not the caller's."""

    __slots__ = ("_file", "_place", "size")

    def __init__(self, file: BinaryIO) -> None:
        """Over a binary file that can seek; it stays the caller's to close."""
        self._file = file
        self.size = file.seek(0, io.SEEK_END)
        """Length in bytes."""
        self._place = self.size

    @classmethod
    def of_bytes(cls, data: bytes) -> MediaSource:
        """Over bytes in memory."""
        return cls(io.BytesIO(data))

    def read(self, offset: int, length: int, *, rule: str) -> bytes:
        """Exactly `length` bytes from `offset`.

        Raises:
            DecodeError: the file ends before, with the `rule` that the caller checks.
        """
        if offset < 0 or length < 0 or offset + length > self.size:
            raise DecodeError(f"{length} bytes are cut short", rule=rule, offset=offset)
        if offset != self._place:
            self._file.seek(offset)
        data = self._file.read(length)
        self._place = offset + len(data)
        if len(data) != length:
            raise DecodeError(f"{length} bytes are cut short", rule=rule, offset=offset)
        return data

    def pieces(self, offset: int, length: int, *, rule: str) -> Iterator[bytes]:
        """The same bytes in pieces of at most `PIECE_BYTES`, so that memory stays flat."""
        end = offset + length
        while offset < end:
            piece = self.read(offset, min(PIECE_BYTES, end - offset), rule=rule)
            yield piece
            offset += len(piece)
