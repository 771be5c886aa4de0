"""Ogg with one Vorbis or Opus stream [MED-21].

Payload are the packets, not the pages: others cut them into pages anew. Where a page says which sample it ends with,
that must be what its packets add up to; only the last page may say less, which cuts the end off, or more, which
changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final, Protocol

from hitp2p.dataclass import dataclass, replace
from hitp2p.errors import DecodeError
from hitp2p.media.essence import FoundEssence, essence_hasher
from hitp2p.media.formats.ogg_pages import RULE, Packet, Page, iter_packets, iter_pages, paginate
from hitp2p.media.formats.vorbis_comment import VorbisComment
from hitp2p.media.pointer import pointing_texts
from hitp2p.media.source import MediaSource

__all__ = ["ALGORITHM", "scan", "write_pointer"]

ALGORITHM: Final = "ogg/1"

_VORBIS, _VORBIS_COMMENT, _VORBIS_SETUP = b"\x01vorbis", b"\x03vorbis", b"\x05vorbis"
_OPUS, _OPUS_COMMENT = b"OpusHead", b"OpusTags"
_MODE_BITS: Final = 41
_MODES: Final = 64
_TAIL_BYTES: Final = 512
"""What of a setup is looked at: room for 64 modes."""
_OPUS_MOST: Final = 5760
"""Longest Opus packet, in samples at 48 kHz."""
_SILK, _HYBRID, _CELT = (480, 960, 1920, 2880), (480, 960), (120, 240, 480, 960)


class _Codec(Protocol):
    def samples(self, packet: bytes) -> int:
        """How many samples the packet adds to what can be decoded."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Headers:
    """What stands before the sound."""

    packets: tuple[bytes, ...]
    """The packets that are payload: identification and, for Vorbis, setup."""
    mark: bytes
    """What the comment packet begins with."""
    comment: VorbisComment
    setup: tuple[bytes, ...]
    """The packets behind the comment, which share its pages."""
    last_page: Page
    codec: _Codec


def scan(source: MediaSource) -> FoundEssence:
    """The packets without the comment, each after its length, and the last sample.

    Raises:
        DecodeError: the file is odd [MED-21].
    """
    packets = iter_packets(source)
    headers = _read_headers(packets)
    hasher = essence_hasher(ALGORITHM)
    for data in headers.packets:
        hasher.update(len(data).to_bytes(4, "big") + data)
    place = end = 0
    for packet in packets:
        data = packet.data
        hasher.update(len(data).to_bytes(4, "big") + data)
        place += headers.codec.samples(data)
        if packet.is_last_here:
            granule = packet.page.granule
            is_odd = granule < end if packet.page.is_last else granule != place
            if is_odd:
                raise DecodeError(
                    f"a page ends at sample {granule}, its packets at {place}",
                    rule=RULE,
                    offset=packet.page.offset,
                )
            end = min(granule, place)
    if not place:
        raise DecodeError("no sound", rule=RULE, offset=source.size)
    hasher.update(bytes(4) + end.to_bytes(8, "big"))
    return FoundEssence(
        algorithm=ALGORITHM,
        digest=hasher.digest(),
        tag_texts=pointing_texts(headers.comment.iter_texts()),
    )


def write_pointer(source: MediaSource, sink: BinaryIO, pointer: str) -> None:
    """Copy the file with the pointer in COMMENT and COPYRIGHT of its comment packet [MED-30].

    Where the header grows by a page, the pages behind it get new numbers and checksums.

    Raises:
        DecodeError: the file is odd [MED-21].
    """
    scan(source)
    headers = _read_headers(iter_packets(source))
    pages = iter_pages(source)
    first = next(pages)
    comment = headers.mark + headers.comment.with_pointer(pointer).encode()
    head = paginate([comment, *headers.setup], first)
    for page in (first, *head):
        sink.write(page.encode())
    gained = len(head) - headers.last_page.sequence
    for page in pages:
        if page.sequence > headers.last_page.sequence:
            sink.write(replace(page, sequence=page.sequence + gained).encode())


def _read_headers(packets: Iterator[Packet]) -> _Headers:
    """Takes the header packets off the front.

    Raises:
        DecodeError: another codec, or headers that aren't as its rules say.
    """
    first = _next(packets)
    identification = first.data
    if first.page.sequence or not first.ends_page or first.page.granule:
        raise DecodeError("the first page holds more than the first packet", rule=RULE)
    is_vorbis = identification.startswith(_VORBIS)
    if not is_vorbis and not identification.startswith(_OPUS):
        raise DecodeError("neither Vorbis nor Opus", rule=RULE)
    mark = _VORBIS_COMMENT if is_vorbis else _OPUS_COMMENT
    second = last = _next(packets)
    if not second.data.startswith(mark):
        raise DecodeError("no comment packet", rule=RULE, offset=second.page.offset)
    comment = VorbisComment.parse(second.data[len(mark) :], rule=RULE)
    setup: tuple[bytes, ...] = ()
    if is_vorbis:
        last = _next(packets)
        setup = (last.data,)
    if not last.ends_page or second.page.granule or last.page.granule:
        raise DecodeError("the headers share a page with sound", rule=RULE, offset=last.page.offset)
    codec = _Vorbis(identification, last.data, comment) if is_vorbis else _Opus(identification)
    return _Headers(
        packets=(identification, *setup),
        mark=mark,
        comment=comment,
        setup=setup,
        last_page=last.page,
        codec=codec,
    )


def _next(packets: Iterator[Packet]) -> Packet:
    packet = next(packets, None)
    if packet is None:
        raise DecodeError("the headers are cut short", rule=RULE)
    return packet


class _Vorbis:
    """Counts samples: half of a window overlaps the next, so a packet adds a quarter of its own and of the last."""

    __slots__ = ("_last", "_mode_mask", "_windows")

    def __init__(self, identification: bytes, setup: bytes, comment: VorbisComment) -> None:
        windows = identification[28] if len(identification) == 30 else 0
        small, large = windows & 15, windows >> 4
        if not 6 <= small <= large <= 13:
            raise DecodeError("a malformed Vorbis identification", rule=RULE)
        if not comment.rest[:1] or not comment.rest[0] & 1:
            raise DecodeError("a malformed Vorbis comment", rule=RULE)
        if not setup.startswith(_VORBIS_SETUP):
            raise DecodeError("no Vorbis setup", rule=RULE)
        flags = _block_flags(setup)
        self._windows = tuple(1 << (large if flag else small) for flag in flags)
        self._mode_mask = (1 << (len(flags) - 1).bit_length()) - 1
        self._last = 0

    def samples(self, packet: bytes) -> int:
        mode = packet[0] >> 1 & self._mode_mask
        if packet[0] & 1 or mode >= len(self._windows):
            raise DecodeError("no Vorbis sound packet", rule=RULE)
        window, last = self._windows[mode], self._last
        self._last = window
        return (window + last) // 4 if last else 0


def _block_flags(setup: bytes) -> list[int]:
    """Which modes have the large window.

    The modes are the last 41 bits each before the final 1 bit of the setup, and six bits before them count them; the
    largest count that fits is taken. No codebook need be read for that.
    """
    bits = int.from_bytes(setup[-_TAIL_BYTES:], "little")
    end = bits.bit_length() - 1
    flags: list[int] = []
    fitting = 0
    for count in range(1, _MODES + 1):
        at = end - count * _MODE_BITS
        if at < 6 or bits >> (at + 1) & 0xFFFFFFFF or bits >> (at + 33) & 0xFF >= _MODES:
            break
        flags.append(bits >> at & 1)
        if bits >> (at - 6) & 63 == count - 1:
            fitting = count
    if not fitting:
        raise DecodeError("a malformed Vorbis setup", rule=RULE)
    return flags[:fitting][::-1]


class _Opus:
    """Counts samples at 48 kHz, from the first byte of a packet."""

    __slots__ = ()

    def __init__(self, head: bytes) -> None:
        if len(head) < 19 or head[8] > 15 or not head[9]:
            raise DecodeError("a malformed OpusHead", rule=RULE)

    def samples(self, packet: bytes) -> int:
        config, code = packet[0] >> 3, packet[0] & 3
        if config < 12:
            length = _SILK[config & 3]
        else:
            length = _HYBRID[config & 1] if config < 16 else _CELT[config & 3]
        count = packet[1] & 63 if code == 3 and len(packet) > 1 else (1, 2, 2, 0)[code]
        if not 0 < length * count <= _OPUS_MOST:
            raise DecodeError("a malformed Opus packet", rule=RULE)
        return length * count
