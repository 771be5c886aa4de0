"""WebP: the pictures, and what an animation does with them; the same with or without the extended header [MED-14]."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import BinaryIO, Final

from hitp2p.dataclass import dataclass, field
from hitp2p.errors import DecodeError
from hitp2p.limits import METADATA_BYTES
from hitp2p.media.display import Display, profile_line
from hitp2p.media.essence import FoundEssence, Hasher, essence_hasher
from hitp2p.media.source import MediaSource
from hitp2p.media.splice import TagFinder, splice
from hitp2p.media.xmp import edit_packet, new_packet

__all__ = ["ALGORITHM", "scan", "write_pointer"]

ALGORITHM: Final = "webp/1"
_RULE: Final = "MED-14"

_ANIMATION, _XMP, _EXIF, _ALPHA, _ICC = 0x02, 0x04, 0x08, 0x10, 0x20
"""Flags of the extended header."""
_PICTURES: Final = frozenset({b"VP8 ", b"VP8L"})
_FLAGGED: Final = {b"ICCP": _ICC, b"EXIF": _EXIF, b"XMP ": _XMP, b"ANIM": _ANIMATION}
"""Chunks that count only where the header's flag says so."""
_EXTENDED: Final = frozenset({b"VP8X", b"ALPH", b"ANMF", *_FLAGGED})
_EXIF_HEAD: Final = b"Exif\0\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    type: bytes
    start: int
    """Of its type."""
    length: int
    """Of its content, which begins 8 bytes behind the start."""

    @property
    def end(self) -> int:
        """Behind the padding."""
        return self.start + 8 + self.length + self.length % 2


def scan(source: MediaSource) -> FoundEssence:
    """The essence of a WebP file.

    Raises:
        DecodeError: it is odd (MED-14).
    """
    picture = _Picture(source)
    for chunk in _file_chunks(source):
        picture.take(chunk)
    return picture.finish()


def write_pointer(source: MediaSource, sink: BinaryIO, pointer: str) -> None:
    """Copy the file with the pointer in its XMP packet; a packet comes last where there is none.

    A simple file gets the extended header, which tags need. A C2PA signature in the file no longer holds
    afterwards, as it covers the tags too.

    Raises:
        DecodeError: the file is odd (MED-14), or its XMP packet can't be edited.
    """
    picture = _Picture(source)
    for chunk in _file_chunks(source):
        picture.take(chunk)
    picture.finish()
    edits = (
        [(12, 30, _header(picture))] if picture.flags is not None else [(12, 12, _header(picture))]
    )
    start, end, packet = source.size, source.size, new_packet(pointer)
    for chunk in _file_chunks(source):
        if chunk.type == b"XMP ":
            old = source.read(chunk.start + 8, chunk.length, rule=_RULE)
            start, end, packet = chunk.start, chunk.end, edit_packet(old, pointer, rule=_RULE)
    edits.append((start, end, _written(b"XMP ", packet)))
    size = source.size + sum(len(new) - (stop - first) for first, stop, new in edits) - 8
    splice(source, sink, [(4, 8, size.to_bytes(4, "little")), *edits], rule=_RULE)


def _written(type: bytes, content: bytes) -> bytes:
    return type + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2)


def _header(picture: _Picture) -> bytes:
    """The extended header with the flag of XMP."""
    flags = picture.flags
    if flags is None:
        flags = _ALPHA if picture.has_alpha else 0
    width, height = picture.canvas
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return _written(b"VP8X", bytes((flags | _XMP, 0, 0, 0)) + sizes)


def _file_chunks(source: MediaSource) -> Iterator[_Chunk]:
    head = source.read(0, 12, rule=_RULE)
    if head[:4] != b"RIFF" or head[8:] != b"WEBP":
        raise DecodeError("a WebP file begins with RIFF and WEBP", rule=_RULE, offset=0)
    if int.from_bytes(head[4:8], "little") != source.size - 8 or source.size % 2:
        raise DecodeError(
            "the file is longer or shorter than its header says", rule=_RULE, offset=4
        )
    yield from _chunks(source, 12, source.size)


def _chunks(source: MediaSource, at: int, end: int) -> Iterator[_Chunk]:
    while at < end:
        head = source.read(at, min(8, end - at), rule=_RULE)
        chunk = _Chunk(type=head[:4], start=at, length=int.from_bytes(head[4:], "little"))
        if len(head) < 8 or chunk.end > end:
            raise DecodeError("a chunk is cut short", rule=_RULE, offset=at)
        if chunk.length % 2 and source.read(chunk.end - 1, 1, rule=_RULE) != b"\0":
            raise DecodeError("padding that isn't zero", rule=_RULE, offset=chunk.end - 1)
        yield chunk
        at = chunk.end


@dataclass(slots=True)
class _Picture:
    """What was seen so far, and whether decoders agree on it."""

    source: MediaSource
    hasher: Hasher = field(default_factory=lambda: essence_hasher(ALGORITHM))
    tags: TagFinder = field(default_factory=TagFinder)
    display: Display = field(default_factory=Display)
    flags: int | None = None
    """Of the extended header; None in a simple file."""
    canvas: tuple[int, int] = (0, 0)
    has_alpha: bool = False
    """Whether the still picture has transparency."""
    seen: set[bytes] = field(default_factory=set[bytes])
    last: bytes = b""
    """Type of the chunk before."""

    @property
    def is_animated(self) -> bool:
        return bool((self.flags or 0) & _ANIMATION)

    @property
    def has_picture(self) -> bool:
        return not self.seen.isdisjoint(_PICTURES)

    def take(self, chunk: _Chunk) -> None:
        try:
            self.place(chunk)
            self.content(chunk)
        except DecodeError as error:
            raise DecodeError(error.message, rule=_RULE, offset=chunk.start) from None
        if chunk.type in _EXTENDED | _PICTURES:
            self.seen.add(chunk.type)
        self.last = chunk.type

    def place(self, chunk: _Chunk) -> None:
        """Hold that the chunk may stand where it does."""
        type = chunk.type
        name = ascii(type.decode("latin-1"))
        if not self.last and type not in (b"VP8X", *_PICTURES):
            raise DecodeError(f"a file that begins with a chunk {name}", rule=_RULE)
        if type in self.seen and type != b"ANMF" and type in (_EXTENDED | _PICTURES):
            raise DecodeError(f"a second chunk {name}", rule=_RULE)
        if self.last and type in _EXTENDED and self.flags is None:
            raise DecodeError(f"a chunk {name} without an extended header", rule=_RULE)
        if type in _FLAGGED and not (self.flags or 0) & _FLAGGED[type]:
            raise DecodeError(f"a chunk {name} that the header doesn't announce", rule=_RULE)
        if type in (*_PICTURES, b"ALPH") and (self.is_animated or self.has_picture):
            raise DecodeError("a still picture beside another or an animation", rule=_RULE)
        if type == b"ICCP" and (self.has_picture or self.seen & {b"ALPH", b"ANIM", b"ANMF"}):
            raise DecodeError("a colour profile behind the picture", rule=_RULE)
        if self.last == b"ALPH" and type != b"VP8 ":
            raise DecodeError("transparency without a lossy picture behind it", rule=_RULE)

    def content(self, chunk: _Chunk) -> None:
        type = chunk.type
        if type == b"VP8X":
            self.header(self.small(chunk, 10))
        elif type == b"ANIM":
            self.item(b"VP8X", hashlib.sha256(self.essential_header()).digest())
            self.item(b"ANIM", hashlib.sha256(self.small(chunk, 6)).digest())
        elif type == b"ANMF":
            self.frame(chunk)
        elif type in (*_PICTURES, b"ALPH"):
            if type != b"ALPH":
                self.still(chunk)
            self.item(type, self.digest(chunk))
        elif type == b"ICCP":
            content = self.source.pieces(chunk.start + 8, chunk.length, rule=_RULE)
            self.display.add(*profile_line(content))
        elif type in (b"EXIF", b"XMP "):
            self.metadata(chunk)

    def small(self, chunk: _Chunk, length: int) -> bytes:
        if chunk.length != length:
            raise DecodeError(f"a chunk of {chunk.length} bytes, not {length}", rule=_RULE)
        return self.source.read(chunk.start + 8, length, rule=_RULE)

    def digest(self, chunk: _Chunk) -> bytes:
        hasher = hashlib.sha256()
        for piece in self.source.pieces(chunk.start + 8, chunk.length, rule=_RULE):
            hasher.update(piece)
        return hasher.digest()

    def item(self, type: bytes, digest: bytes) -> None:
        """Take a part of the payload in."""
        self.hasher.update(type + digest)

    def header(self, content: bytes) -> None:
        if content[0] & 0xC1 or any(content[1:4]):
            raise DecodeError("reserved bits of the header are set", rule=_RULE)
        self.flags = content[0]
        self.canvas = _size(content, 4)

    def essential_header(self) -> bytes:
        """What the header says of an animation: flags of transparency and animation, and the size."""
        width, height = self.canvas
        flags = (self.flags or 0) & (_ALPHA | _ANIMATION)
        return (
            bytes((flags,)) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        )

    def still(self, chunk: _Chunk) -> None:
        """A picture of its own; where there is an extended header, it has to say the same."""
        size, has_alpha = self.bitstream(chunk)
        self.has_alpha = has_alpha or self.last == b"ALPH"
        if self.flags is None:
            self.canvas = size
        elif size != self.canvas:
            raise DecodeError("a picture of another size than its canvas", rule=_RULE)
        elif self.last == b"ALPH" and not self.flags & _ALPHA:
            raise DecodeError("transparency that the header doesn't announce", rule=_RULE)
        elif has_alpha and not self.flags & _ALPHA:
            self.display.add("alpha unannounced", "transparency that the header doesn't announce")

    def bitstream(self, chunk: _Chunk) -> tuple[tuple[int, int], bool]:
        """Size and transparency from the head of a picture's data."""
        if chunk.type == b"VP8 ":
            head = self.source.read(chunk.start + 8, min(10, chunk.length), rule=_RULE)
            if len(head) < 10 or head[0] & 1 or head[3:6] != b"\x9d\x01\x2a":
                raise DecodeError("lossy data without a key frame's head", rule=_RULE)
            return (_14_bits(head, 6, 0), _14_bits(head, 8, 0)), False
        head = self.source.read(chunk.start + 8, min(5, chunk.length), rule=_RULE)
        if len(head) < 5 or head[0] != 0x2F or head[4] & 0xE0:
            raise DecodeError("lossless data without their head", rule=_RULE)
        return (_14_bits(head, 1, 0) + 1, _14_bits(head, 1, 14) + 1), bool(head[4] & 0x10)

    def frame(self, chunk: _Chunk) -> None:
        """A frame of an animation: 16 bytes, and in it a picture as in a file, nothing else."""
        if b"ANIM" not in self.seen:
            raise DecodeError("a frame before the animation's head", rule=_RULE)
        head = self.source.read(chunk.start + 8, min(16, chunk.length), rule=_RULE)
        inside = list(_chunks(self.source, chunk.start + 24, chunk.start + 8 + chunk.length))
        types = tuple(c.type for c in inside)
        if len(head) < 16 or types not in ((b"VP8 ",), (b"VP8L",), (b"ALPH", b"VP8 ")):
            raise DecodeError("a frame that holds something other than one picture", rule=_RULE)
        size, _ = self.bitstream(inside[-1])
        if size != _size(head, 6):
            raise DecodeError("a picture of another size than its frame", rule=_RULE)
        x, y = 2 * int.from_bytes(head[:3], "little"), 2 * int.from_bytes(head[3:6], "little")
        if x + size[0] > self.canvas[0] or y + size[1] > self.canvas[1]:
            raise DecodeError("a frame that doesn't lie on the canvas", rule=_RULE)
        self.item(b"ANMF", self.digest(chunk))

    def metadata(self, chunk: _Chunk) -> None:
        if chunk.length > METADATA_BYTES:
            raise DecodeError(
                f"{chunk.length} bytes of tags; {METADATA_BYTES} are allowed", rule=_RULE
            )
        block = self.source.read(chunk.start + 8, chunk.length, rule=_RULE)
        self.tags.look(block)
        if chunk.type == b"EXIF":
            self.display.take_exif(block.removeprefix(_EXIF_HEAD), rule=_RULE)
        else:
            self.display.take_xmp(block)

    def finish(self) -> FoundEssence:
        if not (b"ANMF" in self.seen if self.is_animated else self.has_picture):
            raise DecodeError("no picture", rule=_RULE)
        display, notes = self.display.finish(ALGORITHM)
        return FoundEssence(
            algorithm=ALGORITHM,
            digest=self.hasher.digest(),
            display=display,
            display_notes=notes,
            tag_texts=self.tags.texts,
        )


def _size(content: bytes, at: int) -> tuple[int, int]:
    """Width and height of three bytes each, less one."""
    width, height = content[at : at + 3], content[at + 3 : at + 6]
    return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1


def _14_bits(head: bytes, at: int, shift: int) -> int:
    return int.from_bytes(head[at : at + 4], "little") >> shift & 0x3FFF
