"""Media inside a bundle, found again in it when somebody asks: a reader that checks a bundle lets them go."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO, Final

from hitp2p.bundle_file import File, open_file
from hitp2p.codec.car import verify_block
from hitp2p.codec.cid import Cid
from hitp2p.codec.unixfs_reader import file_size, iter_file
from hitp2p.codec.varint import parse_varint
from hitp2p.errors import InvalidError, UsageError
from hitp2p.limits import CAR_CID_BYTES, VARINT_BYTES
from hitp2p.ports import BlockSource, Closing
from hitp2p.trail.bundle import is_media

__all__ = ["BundleMedia", "open_tree"]

_HEAD_BYTES: Final = VARINT_BYTES + CAR_CID_BYTES
_BUFFER_BYTES: Final = 1024 * 1024


class BundleMedia(Closing):
    """The texts and media of a bundle that was read before and is a good one, by CID. Close it after use."""

    def __init__(self, bundle: File) -> None:
        """Find where they stand; their bytes are read when they are asked for, and hashed again.

        Raises:
            UsageError: it can't be read, or isn't the bundle any more that it was.
        """
        self._opened = open_file(bundle)
        self._stream: BinaryIO = self._opened.__enter__()
        try:
            self._places = dict(_places(self._stream))
        except InvalidError as error:
            self.close()
            raise UsageError(f"the bundle was changed while it was read: {error}") from error

    def close(self) -> None:
        """See `Closing`."""
        self._opened.__exit__(None, None, None)

    def __contains__(self, cid: Cid) -> bool:
        return cid in self._places

    def get(self, cid: Cid, /) -> bytes | None:
        """See `BlockSource`."""
        if cid not in self._places:
            return None
        offset, length = self._places[cid]
        self._stream.seek(offset)
        block = self._stream.read(length)
        verify_block(cid, block)
        return block


def _places(stream: BinaryIO) -> Iterator[tuple[Cid, tuple[int, int]]]:
    """Offset and length of each text and medium, from the heads of the sections alone."""
    stream.seek(0)
    length, start = parse_varint(stream.read(VARINT_BYTES), 0, rule="CAR-1")
    offset = start + length
    while True:
        stream.seek(offset)
        head = stream.read(_HEAD_BYTES)
        if not head:
            return
        length, start = parse_varint(head, 0, rule="CAR-2")
        cid, behind = Cid.parse_prefix(head, start)
        if is_media(cid):
            yield cid, (offset + behind, length - (behind - start))
        offset += start + length


def open_tree(root: Cid, source: BlockSource, *, most: int) -> io.BufferedReader | None:
    """A file made of blocks, to be read as if it lay on disk; None where it is longer than `most` bytes.

    Reading raises MissingBlocksError where a block isn't here, and DecodeError where they make no file.
    """
    size = file_size(root, source)
    return io.BufferedReader(_TreeFile(root, source, size), _BUFFER_BYTES) if size <= most else None


class _TreeFile(io.RawIOBase):
    """What `open_tree` reads."""

    def __init__(self, root: Cid, source: BlockSource, size: int) -> None:
        """Over a tree.

        Args:
            root: of the file.
            source: gives its blocks.
            size: length of its content.
        """
        super().__init__()
        self._root = root
        self._source = source
        self._size = size
        self._place = 0
        self._pieces: Iterator[bytes] = iter_file(root, source)
        self._rest = b""

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        if place != self._place or not self._rest:
            self._place = place
            self._pieces = iter_file(self._root, self._source, start=place)
            self._rest = b""
        return place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        room = min(len(buffer), self._size - self._place)
        if room > 0 and not self._rest:
            self._rest = next(self._pieces, b"")
        taken = self._rest[: max(room, 0)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        self._place += len(taken)
        return len(taken)
