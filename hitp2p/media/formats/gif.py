"""GIF: all blocks but comments and the applications' own; how often an animation is played counts [MED-15]."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import BinaryIO, Final

from hitp2p.dataclass import dataclass
from hitp2p.errors import DecodeError
from hitp2p.limits import METADATA_BYTES
from hitp2p.media.display import Display
from hitp2p.media.essence import FoundEssence, essence_hasher
from hitp2p.media.pointer import find_pointers, place_pointer
from hitp2p.media.source import PIECE_BYTES, MediaSource
from hitp2p.media.splice import TagFinder, splice

__all__ = ["ALGORITHM", "scan", "write_pointer"]

ALGORITHM: Final = "gif/1"
_RULE: Final = "MED-15"

_IMAGE, _EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B
_CONTROL, _COMMENT, _APPLICATION = 0xF9, 0xFE, 0xFF
_LOOPS: Final = frozenset({b"NETSCAPE2.0", b"ANIMEXTS1.0"})
_XMP: Final = b"XMP DataXMP"
_ICC: Final = b"ICCRGBG1012"
_NAME_BYTES: Final = 11
"""Of an application and its authentication code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    kind: int
    """The introducer, or of an extension its label."""
    start: int
    data: int
    """Where its sub-blocks begin."""
    end: int
    name: bytes = b""
    """Of an application extension."""

    @property
    def is_metadata(self) -> bool:
        return self.kind == _COMMENT or (self.kind == _APPLICATION and self.name not in _LOOPS)


def scan(source: MediaSource) -> FoundEssence:
    """The essence of a GIF file.

    Raises:
        DecodeError: it is odd (MED-15).
    """
    hasher, tags, display = essence_hasher(ALGORITHM), TagFinder(), Display()
    first = _first_block(source)
    kept, once = 6, {_XMP, _ICC}
    has_picture = False
    for block in _blocks(source, first):
        if block.is_metadata:
            for piece in source.pieces(kept, block.start - kept, rule=_RULE):
                hasher.update(piece)
            kept = block.end
            if block.name in (_XMP, _ICC) and block.name not in once:
                raise DecodeError("a second block of a kind", rule=_RULE, offset=block.start)
            once.discard(block.name)
            _take_metadata(source, block, tags, display)
        has_picture = has_picture or block.kind == _IMAGE
    for piece in source.pieces(kept, source.size - kept, rule=_RULE):
        hasher.update(piece)
    if not has_picture:
        raise DecodeError("no picture", rule=_RULE)
    shown, notes = display.finish(ALGORITHM)
    return FoundEssence(
        algorithm=ALGORITHM,
        digest=hasher.digest(),
        display=shown,
        display_notes=notes,
        tag_texts=tags.texts,
    )


def write_pointer(source: MediaSource, sink: BinaryIO, pointer: str) -> None:
    """Copy the file with the pointer in a comment: in the place of an older one, else in a new one before the picture.

    The file becomes a GIF89a, as comments belong to that version. A C2PA signature in the file no longer holds
    afterwards, as it covers the comments too.

    Raises:
        DecodeError: the file is odd (MED-15).
    """
    scan(source)
    edits = [(0, 6, b"GIF89a")]
    place = 0
    for block in _blocks(source, _first_block(source)):
        if block.kind in (_IMAGE, _CONTROL):
            place = place or block.start
        elif block.kind == _COMMENT:
            old = _joined(source, block).decode("latin-1")
            if find_pointers([old]):
                edits.append((block.start, block.end, _comment(place_pointer(old, pointer))))
    if len(edits) == 1:
        edits.append((place, place, _comment(pointer)))
    splice(source, sink, edits, rule=_RULE)


def _comment(text: str) -> bytes:
    raw = text.encode("latin-1")
    parts = [raw[at : at + 255] for at in range(0, len(raw), 255)]
    return b"\x21\xfe" + b"".join(bytes((len(p),)) + p for p in parts) + b"\0"


def _first_block(source: MediaSource) -> int:
    """Where the blocks begin, behind the global palette."""
    head = source.read(0, 13, rule=_RULE)
    if head[:6] not in (b"GIF87a", b"GIF89a"):
        raise DecodeError("a GIF file begins with GIF87a or GIF89a", rule=_RULE, offset=0)
    if not any(head[6:8]) or not any(head[8:10]):
        raise DecodeError("a screen without a size", rule=_RULE, offset=6)
    return 13 + _palette_bytes(head[10])


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _blocks(source: MediaSource, at: int) -> Iterator[_Block]:
    """The blocks up to the trailer, which the file ends with."""
    while (kind := source.read(at, 1, rule=_RULE)[0]) != _TRAILER:
        if kind == _IMAGE:
            flags = source.read(at, 10, rule=_RULE)[9]
            data = at + 10 + _palette_bytes(flags) + 1
            block = _Block(kind=kind, start=at, data=data, end=_skip(source, data))
        elif kind == _EXTENSION:
            block = _extension(source, at)
        else:
            raise DecodeError(
                f"a byte {kind:02X} where a block has to begin", rule=_RULE, offset=at
            )
        yield block
        at = block.end
    if at + 1 != source.size:
        raise DecodeError(
            f"{source.size - at - 1} bytes behind the trailer; none may follow it",
            rule=_RULE,
            offset=at + 1,
        )


def _extension(source: MediaSource, at: int) -> _Block:
    label = source.read(at + 1, 1, rule=_RULE)[0]
    if label == _COMMENT:
        return _Block(kind=label, start=at, data=at + 2, end=_skip(source, at + 2))
    if label == _APPLICATION:
        head = source.read(at + 2, 1 + _NAME_BYTES, rule=_RULE)
        if head[0] == _NAME_BYTES:
            data = at + 3 + _NAME_BYTES
            return _Block(kind=label, start=at, data=data, end=_skip(source, data), name=head[1:])
    if label == _CONTROL:
        control = source.read(at + 2, 6, rule=_RULE)
        if control[0] == 4 and control[5] == 0:
            return _Block(kind=label, start=at, data=at + 2, end=at + 8)
    raise DecodeError(
        f"an extension {label:02X} that is malformed or not among comment, application and graphic control",
        rule=_RULE,
        offset=at,
    )


def _skip(source: MediaSource, at: int) -> int:
    """Where a chain of sub-blocks ends, behind its empty last one."""
    while True:
        piece = source.read(at, min(PIECE_BYTES, source.size - at), rule=_RULE)
        inside = 0
        while inside < len(piece):
            length = piece[inside]
            inside += length + 1
            if not length:
                return at + inside
        at += inside
        if at >= source.size:
            raise DecodeError("data without an end", rule=_RULE, offset=source.size)


def _joined(source: MediaSource, block: _Block) -> bytes:
    """What the sub-blocks of a block hold together."""
    if block.end - block.data > METADATA_BYTES:
        raise DecodeError(
            f"a comment or tags of more than {METADATA_BYTES} bytes", rule=_RULE, offset=block.start
        )
    raw = source.read(block.data, block.end - block.data, rule=_RULE)
    parts, at = list[bytes](), 0
    while raw[at]:
        parts.append(raw[at + 1 : at + 1 + raw[at]])
        at += raw[at] + 1
    return b"".join(parts)


def _take_metadata(source: MediaSource, block: _Block, tags: TagFinder, display: Display) -> None:
    """Look for texts, and for what changes the display. What other applications keep is passed over unread."""
    if block.kind == _COMMENT:
        tags.look(_joined(source, block))
    elif block.name == _XMP:  # written as it is, not in sub-blocks; those only find its end
        if block.end - block.data > METADATA_BYTES:
            raise DecodeError(f"an XMP packet of more than {METADATA_BYTES} bytes", rule=_RULE)
        packet = source.read(block.data, block.end - block.data, rule=_RULE)
        tags.look(packet)
        display.take_xmp(packet)
    elif block.name == _ICC:
        hasher = hashlib.sha256()
        for piece in source.pieces(block.data, block.end - block.data, rule=_RULE):
            hasher.update(piece)
        display.add(f"profile {hasher.hexdigest()}", "a colour profile")
