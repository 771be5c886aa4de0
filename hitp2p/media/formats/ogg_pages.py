"""Ogg pages of one logical stream, and the packets in them [MED-21].

The checksum of Ogg is the CRC of zlib with each byte's bits reversed, another start and no final inversion; so zlib can
do the work at full speed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from hitp2p.dataclass import dataclass
from hitp2p.errors import DecodeError
from hitp2p.limits import OGG_PACKET_PAGES
from hitp2p.media.source import MediaSource

__all__ = ["RULE", "Packet", "Page", "iter_packets", "iter_pages", "paginate"]

RULE: Final = "MED-21"

_CONTINUED, _FIRST, _LAST = 1, 2, 4
_HEADER_BYTES: Final = 27
_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_ALL_ONES: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page."""

    flags: int
    """1: goes on with a packet of the page before; 2: the first page; 4: the last."""
    granule: int
    """The last sample that can be decoded after this page; -1 where no packet ends on it."""
    serial: bytes
    sequence: int
    lacing: bytes
    """Lengths of the segments; one under 255 ends a packet."""
    body: bytes
    offset: int = 0
    """Where it begins in the file."""

    @property
    def is_last(self) -> bool:
        """It ends the stream."""
        return bool(self.flags & _LAST)

    def encode(self) -> bytes:
        """The page as it stands in a file, with its checksum."""
        head = b"OggS\0" + bytes((self.flags,)) + self.granule.to_bytes(8, "little", signed=True)
        head += self.serial + self.sequence.to_bytes(4, "little")
        tail = bytes((len(self.lacing),)) + self.lacing + self.body
        return head + _checksum(head + bytes(4) + tail) + tail


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One packet, and what its last page says of it."""

    data: bytes
    """At least one byte; as received."""
    page: Page
    """The page that it ends on."""
    ends_page: bool
    """No other packet begins behind it on that page."""
    is_last_here: bool
    """No other packet ends behind it on that page, so the granule position is its own."""


def iter_pages(source: MediaSource) -> Iterator[Page]:
    """The pages of the one stream that fills the file, without a gap.

    Raises:
        DecodeError: another stream, a gap, a wrong checksum, bytes behind the last page.
    """
    offset, sequence, serial = 0, 0, b""
    is_last = False
    while offset < source.size:
        page, length = _read_page(source, offset)
        serial = serial or page.serial
        if is_last or page.serial != serial:
            raise DecodeError("more than one stream", rule=RULE, offset=offset)
        if page.sequence != sequence or bool(page.flags & _FIRST) is (sequence > 0):
            raise DecodeError("a page is missing or out of order", rule=RULE, offset=offset)
        is_last = page.is_last
        yield page
        offset, sequence = offset + length, sequence + 1
    if not is_last:
        raise DecodeError("the last page is missing", rule=RULE, offset=offset)


def iter_packets(source: MediaSource) -> Iterator[Packet]:
    """The packets, each whole.

    Raises:
        DecodeError: as `iter_pages`; or a packet is empty, too long, or torn.
    """
    parts: list[bytes] = []
    for page in iter_pages(source):
        if bool(page.flags & _CONTINUED) is not bool(parts):
            raise DecodeError("a packet is torn", rule=RULE, offset=page.offset)
        last_end = len(page.lacing.rstrip(b"\xff")) - 1
        if (page.granule == -1) is not (last_end < 0):
            raise DecodeError("a wrong granule position", rule=RULE, offset=page.offset)
        start = at = 0
        for place, length in enumerate(page.lacing):
            at += length
            if length < 255:
                parts.append(page.body[start:at])
                data = b"".join(parts)
                if not data:
                    raise DecodeError("an empty packet", rule=RULE, offset=page.offset)
                start, parts = at, []
                yield Packet(
                    data=data,
                    page=page,
                    ends_page=place == len(page.lacing) - 1,
                    is_last_here=place == last_end,
                )
        if start < at:
            parts.append(page.body[start:])
            if len(parts) > OGG_PACKET_PAGES:
                raise DecodeError("a packet is too long", rule=RULE, offset=page.offset)
    if parts:
        raise DecodeError("the last packet is cut short", rule=RULE, offset=source.size)


def paginate(packets: Iterable[bytes], first: Page) -> list[Page]:
    """Pages for header packets, as full as they can be, numbered from 1 in the stream of the page `first`."""
    packets = list(packets)
    lacing = b"".join(b"\xff" * (len(p) // 255) + bytes((len(p) % 255,)) for p in packets)
    body, pages, at = b"".join(packets), list[Page](), 0
    for start in range(0, len(lacing), 255):
        part = lacing[start : start + 255]
        end = at + sum(part)
        page = Page(
            flags=_CONTINUED if start and lacing[start - 1] == 255 else 0,
            granule=0 if part.rstrip(b"\xff") else -1,
            serial=first.serial,
            sequence=len(pages) + 1,
            lacing=part,
            body=body[at:end],
        )
        pages.append(page)
        at = end
    return pages


def _read_page(source: MediaSource, offset: int) -> tuple[Page, int]:
    """The page at an offset, and its length."""
    head = source.read(offset, _HEADER_BYTES, rule=RULE)
    if head[:5] != b"OggS\0" or head[5] > 7 or not head[26]:
        raise DecodeError("no page, or an empty one", rule=RULE, offset=offset)
    lacing = source.read(offset + _HEADER_BYTES, head[26], rule=RULE)
    body = source.read(offset + _HEADER_BYTES + len(lacing), sum(lacing), rule=RULE)
    if _checksum(head[:22] + bytes(4) + head[26:] + lacing + body) != head[22:26]:
        raise DecodeError("a page's checksum is wrong", rule=RULE, offset=offset)
    page = Page(
        flags=head[5],
        granule=int.from_bytes(head[6:14], "little", signed=True),
        serial=head[14:18],
        sequence=int.from_bytes(head[18:22], "little"),
        lacing=lacing,
        body=body,
        offset=offset,
    )
    return page, _HEADER_BYTES + len(lacing) + len(body)


def _checksum(page: bytes) -> bytes:
    """Of a page whose own checksum is zero: polynomial 0x04c11db7, start 0, nothing inverted."""
    reversed_crc = zlib.crc32(page.translate(_REVERSED), _ALL_ONES) ^ _ALL_ONES
    return reversed_crc.to_bytes(4, "big").translate(_REVERSED)
