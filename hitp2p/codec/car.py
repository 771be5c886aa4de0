"""CAR files: blocks one after the other, each checked against its CID [CAR-1..4].

`CarParser` does the reading without I/O: feed it pieces of any size. `CarReader` pulls the pieces out of a file or any
iterable of bytes. Version 1 is read and written; of version 2 only the part that is a version 1 is read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from hashlib import blake2b, sha256
from typing import BinaryIO, Final, NamedTuple, cast

from hitp2p.codec.cid import LINK_BYTES, LINK_PREFIXES, SHA2_256, Cid, new_link
from hitp2p.codec.dagcbor import decode_reference, encode
from hitp2p.codec.varint import encode_varint, parse_varint
from hitp2p.errors import DecodeError, UsageError
from hitp2p.limits import BLOCK_BYTES, CAR_CID_BYTES, CAR_HEADER_BYTES, CAR_ROOTS, VARINT_BYTES

__all__ = ["CarBlock", "CarParser", "CarReader", "CarWriter", "verify_block"]

IDENTITY: Final = 0x00
BLAKE2B_256: Final = 0xB220
_SECTION_BYTES: Final = BLOCK_BYTES + CAR_CID_BYTES
_PRAGMA: Final = bytes.fromhex("0aa16776657273696f6e02")
"""What every CAR v2 starts with: the header {"version": 2}."""
_V2_HEADER_BYTES: Final = len(_PRAGMA) + 40
"""The pragma, characteristics (16), then offset and size of the data, offset of the index (8 each, little-endian)."""
_PIECE_BYTES: Final = 256 * 1024


class CarBlock(NamedTuple):
    """One section. A named tuple, because a frozen dataclass takes three times as long to make."""

    cid: Cid
    data: bytes
    checked: bool
    """Whether the bytes were hashed and belong to the CID; False says that its hash can't be checked here."""


def verify_block(cid: Cid, data: bytes) -> bool:
    """True where `data` hashes to `cid`; False where its hash function, or a digest cut short, can't be checked.

    Raises:
        DecodeError: CAR-3, for other bytes than those that `cid` names.
    """
    hash_code, digest = cid.hash_code, cid.digest
    if hash_code == SHA2_256 and len(digest) == 32:
        actual = sha256(data).digest()
    elif hash_code == BLAKE2B_256 and len(digest) == 32:
        actual = blake2b(data, digest_size=32).digest()
    elif hash_code == IDENTITY:
        actual = data
    else:
        return False
    if actual != digest:
        raise DecodeError(
            f"the {len(data)} bytes of this block don't hash to its CID", rule="CAR-3", cid=cid
        )
    return True


class _Payload:
    """The reader of a CAR v1, without I/O."""

    __slots__ = ("_data", "_need", "_offset", "_pending", "_position", "roots")

    def __init__(self, offset: int) -> None:
        self.roots: tuple[Cid, ...] | None = None
        self._offset = offset
        # Bytes from `_position` on aren't read yet; behind them comes `_pending`, and before both hold `_need` bytes
        # there is nothing to do. So pieces of one byte cost no more than one copy of each byte.
        self._data = b""
        self._position = 0
        self._pending = bytearray()
        self._need = 1

    def feed(self, piece: bytes | memoryview) -> None:
        self._pending += piece
        if len(self._data) - self._position + len(self._pending) < self._need:
            return
        self._offset += self._position
        self._data = b"".join((memoryview(self._data)[self._position :], self._pending))
        self._position = 0
        self._pending.clear()
        if self.roots is None:
            self._read_header()

    def blocks(self) -> Iterator[CarBlock]:
        """The sections that are here whole, each read when it is asked for."""
        while self.roots is not None:
            data = self._data
            position = self._position
            # A length of two bytes, as most objects have, is read here: that saves a third of the time.
            head = data[position : position + 2]
            if len(head) == 2 and head[0] > 0x7F and 0 < head[1] < 0x80:
                body = position + 2
                end = body + (head[0] & 0x7F | head[1] << 7)
                if end > len(data):
                    self._need = end - position
                    return
            else:
                section = self._section_at(position, _SECTION_BYTES, "CAR-2")
                if section is None:
                    return
                body, end = section
            start = body + LINK_BYTES
            if start <= end and data[body : body + 4] in LINK_PREFIXES:
                cid = new_link(data[body:start])
                block = data[start:end]
                checked = sha256(block).digest() == data[start - 32 : start]
                if not checked:
                    self._verify(cid, block, body)
            else:
                cid, start = self._other_cid(body, end)
                block = data[start:end]
                checked = self._verify(cid, block, body)
            self._position = end
            yield CarBlock(cid, block, checked)

    def finish(self) -> None:
        """Say that no more bytes come."""
        if len(self._data) > self._position or self._pending:
            raise DecodeError(
                "the file ends inside a section", rule="CAR-4", offset=self._offset + self._position
            )
        if self.roots is None:
            raise DecodeError("the file ends before its header", rule="CAR-1", offset=self._offset)

    def _section_at(self, position: int, limit: int, rule: str) -> tuple[int, int] | None:
        """Where the bytes after the length at `position` start and end; None where some are yet to come."""
        data = self._data
        here = len(data) - position
        if here < VARINT_BYTES and not any(byte < 0x80 for byte in data[position:]):
            self._need = here + 1
            return None
        try:
            length, body = parse_varint(data, position, rule="CAR-2")
        except DecodeError as error:
            raise self._located(error, 0) from None
        if length > limit:
            raise DecodeError(
                f"a length of {length} bytes; at most {limit} allowed",
                rule=rule,
                offset=self._offset + position,
            )
        end = body + length
        if end > len(data):
            self._need = end - position
            return None
        return body, end

    def _other_cid(self, body: int, end: int) -> tuple[Cid, int]:
        """A CID that isn't of the common kind, and where it ends."""
        try:
            cid, length = Cid.parse_prefix(self._data[body : min(end, body + CAR_CID_BYTES)])
        except DecodeError as error:
            raise self._located(error, body) from None
        return cid, body + length

    def _verify(self, cid: Cid, block: bytes, body: int) -> bool:
        try:
            return verify_block(cid, block)
        except DecodeError as error:
            raise self._located(error, body) from None

    def _read_header(self) -> None:
        section = self._section_at(0, CAR_HEADER_BYTES, "CAR-1")
        if section is None:
            return
        body, end = section
        try:
            self.roots = _parse_header(self._data[body:end])
        except DecodeError as error:
            raise self._located(error, body) from None
        self._position = end
        self._need = 1

    def _located(self, error: DecodeError, position: int) -> DecodeError:
        """The same error, found `position` bytes into `_data`, with its offset in the file."""
        offset = self._offset + position + (error.offset or 0)
        return DecodeError(error.message, rule=error.rule, cid=error.cid, offset=offset)


class CarParser:
    """A CAR of version 1 or 2, without I/O: `feed` a piece, take what `blocks` gives, at the end `finish`.

    It holds what was fed and not yet taken; after `blocks` ran dry that is less than one section.
    """

    __slots__ = ("_head", "_left", "_payload", "_skip", "version")

    def __init__(self) -> None:
        self.version: int | None = None
        """1 or 2, once enough was fed to know."""
        self._head = b""  # What was fed before the version was known, or of a header of version 2.
        self._skip = 0  # Bytes before the data part, in version 2.
        self._left: int | None = None  # Bytes of the data part that are to come, in version 2.
        self._payload: _Payload | None = None

    @property
    def roots(self) -> tuple[Cid, ...] | None:
        """The roots, once enough was fed to know them."""
        return self._payload.roots if self._payload else None

    def feed(self, piece: bytes | memoryview) -> None:
        """The next bytes of the file, any number of them.

        Raises:
            DecodeError: CAR-1, CAR-2, CAR-4, for a header that breaks a rule.
        """
        if self._payload is None:
            piece = self._read_head(self._head + piece)
        if self._payload is not None:
            self._pass_on(memoryview(piece), self._payload)

    def blocks(self) -> Iterator[CarBlock]:
        """The blocks that are here whole, hashed; stop at any time and go on later.

        Raises:
            DecodeError: ENC-14, CAR-2, CAR-3, at the first section that breaks a rule.
        """
        return self._payload.blocks() if self._payload else iter(())

    def finish(self) -> None:
        """Say that no more bytes come, after the last blocks were taken.

        Raises:
            DecodeError: CAR-1, CAR-4, for a file that ends too early.
        """
        if self._payload is None:
            raise DecodeError("the file ends before its header", rule="CAR-1", offset=0)
        if self._skip or self._left:
            raise DecodeError(
                "the data part of a CAR v2 reaches beyond the end of the file", rule="CAR-4"
            )
        self._payload.finish()

    def _read_head(self, head: bytes) -> bytes:
        """Find out the version; gives back what belongs to the file behind its version 2 header, if any."""
        self._head = head
        if not head or (_PRAGMA.startswith(head) and len(head) < len(_PRAGMA)):
            return b""
        if not head.startswith(_PRAGMA):
            self.version = 1
            self._payload = _Payload(0)
        elif len(head) >= _V2_HEADER_BYTES:
            self.version = 2
            offset, size = struct.unpack_from("<QQ", head, len(_PRAGMA) + 16)
            if offset < _V2_HEADER_BYTES:
                raise DecodeError(
                    f"the data part of a CAR v2 starts at byte {offset}, inside its header",
                    rule="CAR-4",
                    offset=len(_PRAGMA) + 16,
                )
            self._skip = offset - _V2_HEADER_BYTES
            self._left = size
            self._payload = _Payload(offset)
            head = head[_V2_HEADER_BYTES:]
        else:
            return b""
        self._head = b""
        return head

    def _pass_on(self, piece: memoryview, payload: _Payload) -> None:
        """Give the payload what belongs to it; the index of a CAR v2 is dropped."""
        if self._left is None:
            payload.feed(piece)
            return
        skipped = min(self._skip, len(piece))
        self._skip -= skipped
        part = piece[skipped : skipped + self._left]
        self._left -= len(part)
        payload.feed(part)


def _parse_header(block: bytes) -> tuple[Cid, ...]:
    """The roots that a header names [CAR-1]."""
    try:
        header = decode_reference(block)
    except DecodeError as error:
        message = f"the header isn't canonical dag-cbor: {error.message} [{error.rule}]"
        raise DecodeError(message, rule="CAR-1", offset=error.offset) from None
    if not isinstance(header, dict) or header.keys() != {"roots", "version"}:
        raise DecodeError("a header that isn't {roots, version}", rule="CAR-1", offset=0)
    version, roots = header["version"], header["roots"]
    if type(version) is not int or version != 1:
        raise DecodeError(f"version {version!r}; only 1 allowed here", rule="CAR-1", offset=0)
    if not isinstance(roots, list) or not 1 <= len(roots) <= CAR_ROOTS:
        raise DecodeError(
            f"roots that aren't a list of 1 to {CAR_ROOTS} links", rule="CAR-1", offset=0
        )
    cids = tuple(root for root in roots if isinstance(root, Cid))
    if len(cids) != len(roots):
        raise DecodeError("a root that is no link", rule="CAR-1", offset=0)
    return cids


class CarReader:
    """The blocks of a CAR, from a binary file or any iterable of pieces; iterate once, to the end.

    Reading starts at once, up to the roots; the rest is read as blocks are asked for, and at most one section is held.
    Only after the last block is it known that the file is whole.

    Raises:
        DecodeError: CAR-1..4 or ENC-14, at the first section that breaks a rule; blocks before it were given out.
    """

    def __init__(self, source: BinaryIO | Iterable[bytes]) -> None:
        self._pieces = _iter_pieces(source)
        self._parser = CarParser()
        while self._parser.roots is None:
            self._feed()
        self.roots: tuple[Cid, ...] = self._parser.roots
        """What the file says it is about; the blocks need not be in it."""
        self.version: int = self._parser.version or 1
        """1 or 2."""

    def __iter__(self) -> Iterator[CarBlock]:
        yield from self._parser.blocks()
        for piece in self._pieces:
            self._parser.feed(piece)
            yield from self._parser.blocks()
        self._parser.finish()

    def _feed(self) -> None:
        piece = next(self._pieces, None)
        if piece is None:
            self._parser.finish()
        else:
            self._parser.feed(piece)


def _iter_pieces(source: BinaryIO | Iterable[bytes]) -> Iterator[bytes | memoryview]:
    if hasattr(source, "read"):
        yield from iter(partial(cast(BinaryIO, source).read, _PIECE_BYTES), b"")
        return
    for piece in source:
        for start in range(0, len(piece), _PIECE_BYTES):
            yield memoryview(piece)[start : start + _PIECE_BYTES]


class CarWriter:
    """Writes a CAR v1. The caller vouches that each block hashes to its CID; nothing is flushed or closed."""

    def __init__(self, sink: BinaryIO, roots: Sequence[Cid]) -> None:
        if not 1 <= len(roots) <= CAR_ROOTS:
            raise UsageError(f"{len(roots)} roots; 1 to {CAR_ROOTS} allowed [CAR-1]")
        self._sink = sink
        self._write_section(encode({"roots": list(roots), "version": 1}))

    def write(self, cid: Cid, data: bytes) -> None:
        """Add a block."""
        section = bytes(cid) + data
        if len(section) > _SECTION_BYTES:
            raise UsageError(
                f"a section of {len(section)} bytes; at most {_SECTION_BYTES} allowed [CAR-2]"
            )
        self._write_section(section)

    def _write_section(self, section: bytes) -> None:
        self._sink.write(encode_varint(len(section)) + section)
