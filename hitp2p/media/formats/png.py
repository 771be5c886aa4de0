"""PNG and APNG: the chunks that make the pixels, with compressed data joined, so that its cutting doesn't count [MED-13]."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final

from hitp2p.dataclass import dataclass, field
from hitp2p.errors import DecodeError
from hitp2p.limits import METADATA_BYTES
from hitp2p.media.display import Display
from hitp2p.media.essence import FoundEssence, Hasher, essence_hasher
from hitp2p.media.source import MediaSource
from hitp2p.media.splice import TagFinder, splice
from hitp2p.media.xmp import edit_packet, new_packet

__all__ = ["ALGORITHM", "scan", "write_pointer"]

ALGORITHM: Final = "png/1"
_RULE: Final = "MED-13"

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_CHUNK_BYTES: Final = 2**31 - 1
_DEPTHS: Final = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
"""Bit depths by colour type."""
_CRITICAL: Final = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_ANIMATION: Final = frozenset({b"acTL", b"fcTL", b"fdAT"})
_COLOURS: Final = {
    b"cICP": "a colour space by number",
    b"iCCP": "a colour profile",
    b"sRGB": "the colour space sRGB",
    b"gAMA": "a gamma",
    b"cHRM": "colours of the primaries",
    b"mDCV": "a mastering display",
    b"cLLI": "light levels",
}
"""Ancillary chunks that stand before PLTE and IDAT, and what they say."""
_HINTS: Final = {
    b"bKGD": "a background",
    b"iDOT": "Apple's hint for decoding in parts",
    b"oFFs": "a place on a page",
    b"vpAg": "a page",
    b"sTER": "a pair of pictures for two eyes",
}
"""Ancillary chunks that stand before IDAT."""
_ONCE: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"acTL", b"pHYs", b"eXIf", *_COLOURS, *_HINTS})
_KNOWN: Final = _ONCE | _CRITICAL
_TEXTS: Final = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_XMP_KEY: Final = b"XML:com.adobe.xmp\0"
_XMP: Final = _XMP_KEY + b"\0\0\0\0"
"""The head of an XMP packet's chunk: not compressed, no language, no translated keyword."""
_RAW_PROFILE: Final = b"Raw profile type "
"""A habit of ImageMagick's: EXIF and other blocks as text, which image libraries read orientations from."""

_RAW_PROFILES: Final = 8
"""Most of them in a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    type: bytes
    start: int
    """Of its length."""
    length: int
    """Of its content, which begins 8 bytes behind the start."""

    @property
    def end(self) -> int:
        return self.start + 12 + self.length


def scan(source: MediaSource) -> FoundEssence:
    """The essence of a PNG file.

    Raises:
        DecodeError: it is odd (MED-13).
    """
    picture = _Picture(source)
    for chunk in _chunks(source):
        picture.take(chunk)
    return picture.finish()


def write_pointer(source: MediaSource, sink: BinaryIO, pointer: str) -> None:
    """Copy the file with the pointer in its XMP packet; a packet is added behind the header where there is none.

    A C2PA signature in the file no longer holds afterwards, as it covers the tags too.

    Raises:
        DecodeError: the file is odd (MED-13), or its XMP packet can't be edited.
    """
    scan(source)
    start = end = len(_SIGNATURE) + 12 + 13
    packet = new_packet(pointer)
    for chunk in _chunks(source):
        if chunk.type == b"iTXt" and _head(source, chunk, len(_XMP_KEY)) == _XMP_KEY:
            content = source.read(chunk.start + 8, chunk.length, rule=_RULE)
            packet = edit_packet(content[len(_XMP) :], pointer, rule=_RULE)
            start, end = chunk.start, chunk.end
    splice(source, sink, [(start, end, _written(b"iTXt", _XMP + packet))], rule=_RULE)


def _written(type: bytes, content: bytes) -> bytes:
    crc = zlib.crc32(type + content)
    return len(content).to_bytes(4, "big") + type + content + crc.to_bytes(4, "big")


def _chunks(source: MediaSource) -> Iterator[_Chunk]:
    """The chunks from IHDR to IEND, which the file ends with; their checksums aren't checked here."""
    if source.read(0, 8, rule=_RULE) != _SIGNATURE:
        raise DecodeError("a PNG file begins with its signature", rule=_RULE, offset=0)
    at = 8
    while True:
        head = source.read(at, 8, rule=_RULE)
        chunk = _Chunk(type=head[4:], start=at, length=int.from_bytes(head[:4], "big"))
        if not chunk.type.isalpha() or chunk.type[2] & 0x20 or chunk.length > _CHUNK_BYTES:
            raise DecodeError(
                "a chunk whose type or length PNG doesn't allow", rule=_RULE, offset=at
            )
        if chunk.end > source.size:
            raise DecodeError(
                f"a chunk of {chunk.length} bytes is cut short", rule=_RULE, offset=at
            )
        yield chunk
        at = chunk.end
        if chunk.type == b"IEND":
            break
    if at != source.size:
        raise DecodeError(
            f"{source.size - at} bytes behind the last chunk; none may follow it",
            rule=_RULE,
            offset=at,
        )


def _head(source: MediaSource, chunk: _Chunk, length: int) -> bytes:
    return source.read(chunk.start + 8, min(length, chunk.length), rule=_RULE)


@dataclass(slots=True)
class _Picture:
    """What was seen so far, and whether the chunks are where decoders expect them."""

    source: MediaSource
    hasher: Hasher = field(default_factory=lambda: essence_hasher(ALGORITHM))
    tags: TagFinder = field(default_factory=TagFinder)
    display: Display = field(default_factory=Display)
    seen: set[bytes] = field(default_factory=set[bytes])
    last: bytes = b""
    """Type of the chunk before."""
    data: Hasher | None = None
    """Takes in the contents of consecutive IDAT or fdAT chunks."""
    color_type: int = 0
    n_frames_said: int = 0
    n_frames: int = 0
    is_frame_empty: bool = False
    """Whether the frame that was announced last has no data yet."""
    n_profiles: int = 0
    sequence: int = 0
    """The number that the next chunk of the animation must have."""

    def take(self, chunk: _Chunk) -> None:
        try:
            self.place(chunk)
            self.content(chunk)
        except DecodeError as error:
            raise DecodeError(error.message, rule=_RULE, offset=chunk.start) from None
        if chunk.type in _KNOWN:
            self.seen.add(chunk.type)
        self.last = chunk.type

    def place(self, chunk: _Chunk) -> None:
        """Hold that the chunk may stand where it does."""
        type = chunk.type
        if (type == b"IHDR") is not (self.last == b""):
            raise DecodeError(
                "IHDR has to be the first chunk and the only one of its kind", rule=_RULE
            )
        if not type[0] & 0x20 and type not in _CRITICAL:
            raise DecodeError(f"a critical chunk {type.decode()} that isn't known", rule=_RULE)
        if type in self.seen and type in _ONCE:
            raise DecodeError(f"a second {type.decode()}", rule=_RULE)
        if b"IDAT" in self.seen and (
            (type == b"IDAT" and self.last != b"IDAT")
            or type in (b"PLTE", b"tRNS", b"acTL", b"pHYs", *_COLOURS, *_HINTS)
        ):
            raise DecodeError(f"{type.decode()} behind the picture data", rule=_RULE)
        if b"PLTE" in self.seen and type in _COLOURS:
            raise DecodeError(f"{type.decode()} behind the palette", rule=_RULE)
        if type == b"PLTE" and self.seen & {b"tRNS", b"bKGD"}:
            raise DecodeError("a palette behind chunks that refer to it", rule=_RULE)

    def content(self, chunk: _Chunk) -> None:
        type = chunk.type
        if self.last in (b"IDAT", b"fdAT") and type != self.last:
            self.close_data()
        if type in (b"IDAT", b"fdAT"):
            self.picture_data(chunk)
        elif type in (b"IHDR", b"PLTE", b"tRNS", b"acTL", b"fcTL"):
            content = self.small(chunk, 1024)
            {
                b"IHDR": self.header,
                b"PLTE": self.palette,
                b"tRNS": self.transparency,
                b"acTL": self.animation,
                b"fcTL": self.frame,
            }[type](content)
        elif type == b"IEND":
            self.small(chunk, 0)
        else:
            self.ancillary(chunk)

    def small(self, chunk: _Chunk, most: int) -> bytes:
        """The content of a chunk, whose checksum holds."""
        if chunk.length > most:
            raise DecodeError(
                f"a {chunk.type.decode()} of {chunk.length} bytes; {most} are allowed", rule=_RULE
            )
        return b"".join(self.pieces(chunk))

    def pieces(self, chunk: _Chunk) -> Iterator[bytes]:
        """The content in pieces, and at its end the word whether the checksum holds."""
        crc = zlib.crc32(chunk.type)
        for piece in self.source.pieces(chunk.start + 8, chunk.length, rule=_RULE):
            crc = zlib.crc32(piece, crc)
            yield piece
        if self.source.read(chunk.end - 4, 4, rule=_RULE) != crc.to_bytes(4, "big"):
            raise DecodeError(f"the checksum of {chunk.type.decode()} is wrong", rule=_RULE)

    def item(self, type: bytes, digest: bytes) -> None:
        """Take a part of the payload in."""
        self.hasher.update(type + digest)

    def header(self, content: bytes) -> None:
        if len(content) != 13 or not any(content[:4]) or not any(content[4:8]):
            raise DecodeError("a header without a size", rule=_RULE)
        if content[0] & 0x80 or content[4] & 0x80 or any(content[10:12]) or content[12] > 1:
            raise DecodeError(
                "a size, compression, filter or interlace that PNG doesn't know", rule=_RULE
            )
        if content[8] not in _DEPTHS.get(content[9], ()):
            raise DecodeError("a bit depth that the colour type doesn't allow", rule=_RULE)
        self.color_type = content[9]
        self.item(b"IHDR", hashlib.sha256(content).digest())

    def palette(self, content: bytes) -> None:
        if not content or len(content) % 3 or len(content) > 768 or self.color_type in (0, 4):
            raise DecodeError("a palette of a wrong length, or for a grey picture", rule=_RULE)
        self.item(b"PLTE", hashlib.sha256(content).digest())

    def transparency(self, content: bytes) -> None:
        lengths = {0: (2,), 2: (6,), 3: range(1, 257)}.get(self.color_type, ())
        if len(content) not in lengths or (self.color_type == 3 and b"PLTE" not in self.seen):
            raise DecodeError("tRNS of a wrong length or place", rule=_RULE)
        self.item(b"tRNS", hashlib.sha256(content).digest())

    def animation(self, content: bytes) -> None:
        self.n_frames_said = int.from_bytes(content[:4], "big")
        if len(content) != 8 or not self.n_frames_said:
            raise DecodeError("an animation without frames", rule=_RULE)
        self.item(b"acTL", hashlib.sha256(content).digest())

    def frame(self, content: bytes) -> None:
        if len(content) != 26 or b"acTL" not in self.seen:
            raise DecodeError("a frame of a wrong length, or without an animation", rule=_RULE)
        if self.is_frame_empty:
            raise DecodeError("a frame without data", rule=_RULE)
        self.count(content)
        self.is_frame_empty = True
        self.n_frames += 1
        self.item(b"fcTL", hashlib.sha256(content[4:]).digest())

    def count(self, content: bytes) -> None:
        if int.from_bytes(content[:4], "big") != self.sequence:
            raise DecodeError("the chunks of the animation aren't in order", rule=_RULE)
        self.sequence += 1

    def picture_data(self, chunk: _Chunk) -> None:
        if chunk.type == b"IDAT" and self.color_type == 3 and b"PLTE" not in self.seen:
            raise DecodeError("picture data before the palette", rule=_RULE)
        if chunk.type == b"fdAT":
            if self.last not in (b"fcTL", b"fdAT") or b"IDAT" not in self.seen or chunk.length < 4:
                raise DecodeError("a frame's data without a frame", rule=_RULE)
            self.count(_head(self.source, chunk, 4))
        self.is_frame_empty = False
        self.data = self.data or hashlib.sha256()
        skip = 4 if chunk.type == b"fdAT" else 0
        for piece in self.pieces(chunk):
            self.data.update(piece[skip:])
            skip = 0

    def close_data(self) -> None:
        """The chunks of picture data are over: they are one item."""
        if self.data is not None:
            self.item(self.last, self.data.digest())
        self.data = None

    def ancillary(self, chunk: _Chunk) -> None:
        type = chunk.type
        if type in _COLOURS or type in _HINTS:
            note = _COLOURS.get(type) or _HINTS[type]
            name = type.decode()
            self.display.add(f"{name} {self.digest(chunk)}", f"{note} ({name})")
        elif type == b"pHYs":
            content = self.small(chunk, 9)
            if len(content) != 9:
                raise DecodeError("pHYs of a wrong length", rule=_RULE)
            x, y = int.from_bytes(content[:4], "big"), int.from_bytes(content[4:8], "big")
            if x != y:
                self.display.add(f"density {x}:{y}", f"pixels that aren't square ({x}:{y})")
        elif type == b"eXIf":
            block = self.small(chunk, METADATA_BYTES)
            self.tags.look(block)
            self.display.take_exif(block, rule=_RULE)
        elif type in _TEXTS:
            self.text(chunk)
        else:
            self.digest(chunk)

    def text(self, chunk: _Chunk) -> None:
        """A keyword and a text; a text that is no XMP packet is looked at up to 4 KiB."""
        head = _head(self.source, chunk, 4096)
        if head.startswith(_XMP_KEY):
            self.xmp(chunk, head)
            return
        if chunk.type != b"zTXt":
            self.tags.look(head)
        digest = self.digest(chunk)
        if head.startswith(_RAW_PROFILE):
            self.n_profiles += 1
            if self.n_profiles > _RAW_PROFILES:
                raise DecodeError(f"more than {_RAW_PROFILES} blocks of tags as text", rule=_RULE)
            self.display.add(f"{chunk.type.decode()} {digest}", "a block of tags written as text")

    def xmp(self, chunk: _Chunk, head: bytes) -> None:
        if chunk.type != b"iTXt" or not head.startswith(_XMP):
            raise DecodeError(
                "an XMP packet that is compressed or in no iTXt of its own", rule=_RULE
            )
        if _XMP in self.seen:
            raise DecodeError("a second XMP packet", rule=_RULE)
        self.seen.add(_XMP)
        packet = self.small(chunk, METADATA_BYTES)
        self.tags.look(packet)
        self.display.take_xmp(packet)

    def digest(self, chunk: _Chunk) -> str:
        hasher = hashlib.sha256()
        for piece in self.pieces(chunk):
            hasher.update(piece)
        return hasher.hexdigest()

    def finish(self) -> FoundEssence:
        if b"IDAT" not in self.seen:
            raise DecodeError("no picture data", rule=_RULE)
        if self.n_frames != self.n_frames_said or self.is_frame_empty:
            raise DecodeError(
                f"{self.n_frames} frames with data, not {self.n_frames_said} as announced",
                rule=_RULE,
            )
        display, notes = self.display.finish(ALGORITHM)
        return FoundEssence(
            algorithm=ALGORITHM,
            digest=self.hasher.digest(),
            display=display,
            display_notes=notes,
            tag_texts=self.tags.texts,
        )
