"""JPEG: every segment but the application data and comments that decoders don't use [MED-12]."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from hitp2p.dataclass import dataclass, field
from hitp2p.errors import DecodeError
from hitp2p.media.display import Display, SplitProfile
from hitp2p.media.essence import FoundEssence, essence_hasher
from hitp2p.media.source import PIECE_BYTES, MediaSource
from hitp2p.media.splice import TagFinder, splice
from hitp2p.media.xmp import edit_packet, new_packet

__all__ = ["ALGORITHM", "scan", "write_pointer"]

ALGORITHM: Final = "jpeg/1"
_RULE: Final = "MED-12"

_SOI, _EOI, _SOS, _DQT, _DHT, _DRI, _COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xFE
_SOF: Final = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended and progressive, all with Huffman codes; nearly no program reads the others."""
_TABLES: Final = frozenset({_DQT, _DHT, _DRI})
_APP0, _APP1, _APP2, _APP14, _APP15 = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF
_EXIF: Final = b"Exif\0\0"
_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
_ICC: Final = b"ICC_PROFILE\0"
_SEGMENT_BYTES: Final = 65533
"""Most bytes behind a segment's length."""
_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7]")
"""What ends entropy-coded data: anything but a stuffed byte or a restart."""
_STEERING: Final = (b"AVID", b"CS=ITU601", b"Metasoft MJPEG Codec", b"MULTISCOPE II")
"""Comments that make FFmpeg flip, stretch or recolour the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    marker: int
    start: int
    """Where its first fill byte or its marker is."""
    content: int
    """Behind its length."""
    content_end: int
    end: int
    """The same as `content_end` but for SOS, where it is behind the entropy-coded data."""

    @property
    def is_metadata(self) -> bool:
        return self.marker == _COM or (_APP0 <= self.marker <= _APP15 and self.marker != _APP14)


def scan(source: MediaSource) -> FoundEssence:
    """The essence of a JPEG file.

    Raises:
        DecodeError: it is odd (MED-12).
    """
    picture = _Picture()
    hasher = essence_hasher(ALGORITHM)
    for segment in _segments(source):
        content = b""
        if segment.marker not in (_SOI, _EOI):
            content = source.read(
                segment.content, segment.content_end - segment.content, rule=_RULE
            )
        picture.take(segment, content)
        if not segment.is_metadata:
            for piece in source.pieces(segment.start, segment.end - segment.start, rule=_RULE):
                hasher.update(piece)
    display, notes = picture.finish()
    return FoundEssence(
        algorithm=ALGORITHM,
        digest=hasher.digest(),
        display=display,
        display_notes=notes,
        tag_texts=picture.tags.texts,
    )


def write_pointer(source: MediaSource, sink: BinaryIO, pointer: str) -> None:
    """Copy the file with the pointer in its XMP packet; a packet is added where there is none.

    A C2PA signature in the file no longer holds afterwards, as it covers the tags too.

    Raises:
        DecodeError: the file is odd (MED-12), its XMP packet can't be edited, or the pointer isn't one (MED-30).
    """
    scan(source)
    old = next((s for s in _segments(source) if _starts(source, s, _APP1, _XMP)), None)
    if old is None:
        packet = new_packet(pointer)
        start = end = _place_for_tags(source)
    else:
        content = source.read(old.content, old.content_end - old.content, rule=_RULE)
        room = _SEGMENT_BYTES - len(_XMP)
        packet = edit_packet(content[len(_XMP) :], pointer, rule=_RULE, most_bytes=room)
        start, end = old.start, old.end
    length = 2 + len(_XMP) + len(packet)
    segment = b"\xff\xe1" + length.to_bytes(2, "big") + _XMP + packet
    splice(source, sink, [(start, end, segment)], rule=_RULE)


def _starts(source: MediaSource, segment: _Segment, marker: int, name: bytes) -> bool:
    length = segment.content_end - segment.content
    return (
        segment.marker == marker
        and length >= len(name)
        and source.read(segment.content, len(name), rule=_RULE) == name
    )


def _place_for_tags(source: MediaSource) -> int:
    """Behind JFIF and EXIF, which readers expect first."""
    return next(
        segment.start
        for segment in _segments(source)
        if segment.marker not in (_SOI, _APP0) and not _starts(source, segment, _APP1, _EXIF)
    )


def _segments(source: MediaSource) -> Iterator[_Segment]:
    """The segments from SOI to EOI, which the file ends with."""
    if source.read(0, 2, rule=_RULE) != b"\xff\xd8":
        raise DecodeError("a JPEG file begins with FF D8", rule=_RULE, offset=0)
    yield _Segment(marker=_SOI, start=0, content=2, content_end=2, end=2)
    at = 2
    while True:
        segment = _segment(source, at)
        yield segment
        at = segment.end
        if segment.marker == _EOI:
            break
    if at != source.size:
        raise DecodeError(
            f"{source.size - at} bytes behind the picture; none may follow it (a second picture, such as "
            "a phone adds for depth or motion, has to be taken off first)",
            rule=_RULE,
            offset=at,
        )


def _segment(source: MediaSource, start: int) -> _Segment:
    at = start
    if source.read(at, 1, rule=_RULE) != b"\xff":
        raise DecodeError("a byte between two segments; FF begins each", rule=_RULE, offset=at)
    while (marker := source.read(at + 1, 1, rule=_RULE)[0]) == 0xFF:
        at += 1
    if marker == _EOI:
        return _Segment(marker=marker, start=start, content=at + 2, content_end=at + 2, end=at + 2)
    if not (
        marker in _SOF or marker in _TABLES or marker in (_SOS, _COM) or _APP0 <= marker <= _APP15
    ):
        raise DecodeError(
            f"a marker {marker:02X}; baseline and progressive JPEG with Huffman codes have none such",
            rule=_RULE,
            offset=at,
        )
    length = int.from_bytes(source.read(at + 2, 2, rule=_RULE), "big")
    if length < 2 or at + 2 + length > source.size:
        raise DecodeError(f"a segment of {length} bytes", rule=_RULE, offset=at)
    content_end = at + 2 + length
    end = _end_of_entropy(source, content_end) if marker == _SOS else content_end
    return _Segment(marker=marker, start=start, content=at + 4, content_end=content_end, end=end)


def _end_of_entropy(source: MediaSource, at: int) -> int:
    """Where the next marker begins that isn't a restart."""
    while at < source.size - 1:
        piece = source.read(at, min(PIECE_BYTES, source.size - at), rule=_RULE)
        found = _MARKER.search(piece)
        if found is not None:
            return at + found.start()
        at += len(piece) - piece.endswith(b"\xff")
    raise DecodeError("the picture has no end", rule=_RULE, offset=source.size)


@dataclass(slots=True)
class _Picture:
    """What was seen so far, and whether decoders agree on it."""

    tags: TagFinder = field(default_factory=TagFinder)
    display: Display = field(default_factory=Display)
    profile: SplitProfile = field(default_factory=lambda: SplitProfile(rule=_RULE))
    components: bytes = b""
    """Their ids, from the frame header."""
    transform: int | None = None
    """What Adobe's segment says of the colours."""
    n_scans: int = 0
    seen: set[str] = field(default_factory=set[str])

    def take(self, segment: _Segment, content: bytes) -> None:
        if segment.is_metadata:
            self.tags.look(content)
        if _APP0 <= segment.marker <= _APP15 and self.n_scans:
            raise DecodeError(
                "application data behind the first scan", rule=_RULE, offset=segment.start
            )
        try:
            self.take_content(segment.marker, content)
        except DecodeError as error:
            raise DecodeError(error.message, rule=_RULE, offset=segment.start) from None

    def take_content(self, marker: int, content: bytes) -> None:
        if marker in _SOF:
            self.take_frame(content)
        elif marker == _SOS:
            self.take_scan(content)
        elif marker == _DRI and len(content) != 2:
            raise DecodeError("a restart interval that isn't 2 bytes", rule=_RULE)
        elif marker == _APP14:
            self.take_adobe(content)
        elif marker == _COM and content.startswith(_STEERING):
            raise DecodeError("a comment that changes what FFmpeg shows", rule=_RULE)
        elif _APP0 <= marker <= _APP15:
            self.take_application(marker, content)

    def take_frame(self, content: bytes) -> None:
        self.once("frame header")
        ids = content[6::3]
        if content[:1] != b"\x08" or len(ids) not in (1, 3, 4) or len(content) != 6 + 3 * len(ids):
            raise DecodeError("a frame that isn't 1, 3 or 4 components of 8 bits", rule=_RULE)
        if content[5] != len(ids) or not any(content[1:3]) or not any(content[3:5]):
            raise DecodeError("a frame without a size or with a wrong count", rule=_RULE)
        self.components = ids

    def take_scan(self, content: bytes) -> None:
        self.n_scans += 1
        if not self.components:
            raise DecodeError("a scan before the frame header", rule=_RULE)
        if not content or not 1 <= content[0] <= 4 or len(content) != 4 + 2 * content[0]:
            raise DecodeError("a scan header of a wrong length", rule=_RULE)

    def take_adobe(self, content: bytes) -> None:
        self.once("Adobe segment")
        if not content.startswith(b"Adobe") or len(content) < 12 or content[11] > 2:
            raise DecodeError("an APP14 segment that isn't Adobe's", rule=_RULE)
        self.transform = content[11]

    def take_application(self, marker: int, content: bytes) -> None:
        if marker == _APP0:
            self.take_jfif(content)
        elif content.startswith(b"LJIF"):
            raise DecodeError("a segment that changes what FFmpeg shows", rule=_RULE)
        elif marker == _APP1 and content.startswith(b"Exif"):
            self.once("EXIF block")
            if not content.startswith(_EXIF):
                raise DecodeError(
                    "an EXIF block that doesn't begin with two zero bytes", rule=_RULE
                )
            self.display.take_exif(content[len(_EXIF) :], rule=_RULE)
        elif marker == _APP1 and content.startswith(_XMP):
            self.once("XMP packet")
            self.display.take_xmp(content)
        elif marker == _APP2 and content.startswith(_ICC):
            self.profile.take(content[len(_ICC) :])
        elif marker == _APP2 and content.startswith(b"MPF\0"):
            raise DecodeError("an index of several pictures (MPF)", rule=_RULE)

    def take_jfif(self, content: bytes) -> None:
        if content.startswith(b"JFXX\0"):
            return
        self.once("JFIF segment")
        if not content.startswith(b"JFIF\0") or len(content) < 14:
            raise DecodeError("an APP0 segment that isn't JFIF's", rule=_RULE)
        x, y = int.from_bytes(content[8:10], "big"), int.from_bytes(content[10:12], "big")
        if x != y:
            self.display.add(f"density {x}:{y}", f"pixels that aren't square ({x}:{y} an inch)")

    def once(self, what: str) -> None:
        if what in self.seen:
            raise DecodeError(f"a second {what}", rule=_RULE)
        self.seen.add(what)

    def finish(self) -> tuple[bytes | None, tuple[str, ...]]:
        """Hold that there is a picture, and that JFIF's presence doesn't decide what its colours are."""
        if not self.n_scans:
            raise DecodeError("no picture data", rule=_RULE)
        if self.transform is not None and self.transform not in {3: (0, 1), 4: (0, 2)}.get(
            len(self.components), (0, 1, 2)
        ):
            raise DecodeError("Adobe's segment and the frame don't fit together", rule=_RULE)
        says_rgb = self.components == b"RGB" if self.transform is None else self.transform == 0
        if len(self.components) == 3 and says_rgb and "JFIF segment" in self.seen:
            raise DecodeError("JFIF says YCbCr and another mark says RGB", rule=_RULE)
        if self.profile.is_any:
            self.display.add(*self.profile.finish())
        return self.display.finish(ALGORITHM)
