"""Sample descriptions: what a decoder must know before the first sample, in one form for all muxers [MED-22]."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Final

from hitp2p.dataclass import dataclass
from hitp2p.limits import FILM_DESCRIPTIONS
from hitp2p.media.formats.mp4_boxes import STRUCTURE, Box, iter_boxes, odd, payload
from hitp2p.media.source import MediaSource

__all__ = ["Description", "parse_descriptions"]

_SHOWN: Final = frozenset(
    {b"pasp", b"clap", b"colr", b"fiel", b"gama", b"mdcv", b"clli", b"chan", b"chnl"}
    | {b"dvcC", b"dvvC", b"st3d", b"sv3d", b"SA3D"}
)
"""How decoded pictures and sounds are shown; the rest of the boxes is for the decoder."""
_LEFT_OUT: Final = frozenset({b"btrt", b"free", b"skip", b"wide", b"frma", b"uuid"})
"""Boxes that say nothing to a decoder; muxers add them as they like."""
_SOUND_SETUPS: Final = frozenset({b"esds", b"alac", b"dOps", b"dfLa", b"dac3", b"dec3", b"dac4"})
"""Boxes that tell a sound decoder all; what the description says beside them differs between muxers."""
_PROTECTED: Final = frozenset({b"encv", b"enca", b"enct", b"encs", b"drmi", b"drms", b"sinf"})
_ELSEWHERE: Final = STRUCTURE | {b"udta", b"meta", b"hdlr", b"wave"}
"""Structure of a film, which some players would follow from inside a description."""
_PCM_BITS: Final[Mapping[bytes, int]] = {
    **dict.fromkeys((b"raw ", b"NONE", b"twos", b"sowt"), 0),
    **dict.fromkeys((b"ulaw", b"alaw"), 8),
    b"in24": 24,
    b"in32": 32,
    b"fl32": 32,
    b"fl64": 64,
}
"""Sound without compression, and the bits of a sample of one channel; 0 where the description says them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One entry of `stsd`."""

    payload: bytes
    """What decoding depends on, in the form that the rule gives."""
    shown: tuple[str, ...]
    """What showing depends on, a line each."""
    sizes: tuple[tuple[int, int], ...] = ()
    """Width and height of pictures, as they are and in square pixels; empty for everything else."""
    frame_bytes: int = 0
    """Bytes of one sample of all channels, for sound without compression; 0 for everything else."""


def parse_descriptions(source: MediaSource, box: Box, kind: bytes) -> tuple[Description, ...]:
    """All entries of `stsd`, in order.

    Args:
        kind: the track's handler, four bytes.

    Raises:
        DecodeError: an entry is encrypted, or isn't built as its kind demands.
    """
    head = source.read(box.body, min(8, box.size), rule="MED-22")
    entries = tuple(iter_boxes(source, min(box.body + 8, box.end), box.end))
    if (
        len(head) < 8
        or head[0] > 1
        or head[1:4] != bytes(3)
        or int.from_bytes(head[4:], "big") != len(entries)
    ):
        raise odd("sample descriptions other than their count says", box.start)
    if not 1 <= len(entries) <= FILM_DESCRIPTIONS:
        raise odd(
            f"{len(entries)} sample descriptions; 1 to {FILM_DESCRIPTIONS} allowed", box.start
        )
    return tuple(_description(source, entry, kind) for entry in entries)


def _description(source: MediaSource, entry: Box, kind: bytes) -> Description:
    content = payload(source, entry)
    if entry.name in _PROTECTED:
        raise odd(f"encrypted samples {entry.name!a}", entry.start)
    if len(content) < 8 or content[6:8] != b"\0\1":  # the first data reference; it is checked
        raise odd("samples in another file", entry.start)
    if kind == b"vide":
        return _picture(entry, content)
    if kind == b"soun":
        return _sound(entry, content)
    if entry.name == b"tx3g":
        return _subtitles(entry, content)
    return Description(payload=entry.name + content[8:], shown=())


def _subtitles(entry: Box, content: bytes) -> Description:
    """Fields and boxes; ffmpeg puts another `btrt` behind them with each copy."""
    setup, shown = _sort_boxes(entry, _inner(entry, content, 38))
    boxes = b"".join(_framed(*box) for box in setup)
    return Description(payload=entry.name + content[8:38] + boxes, shown=shown)


def _picture(entry: Box, content: bytes) -> Description:
    if len(content) < 78 or content[76:78] != b"\xff\xff":
        raise odd("a picture description without its fields, or with a palette", entry.start)
    setup, shown = _sort_boxes(entry, _inner(entry, content, 78))
    fields = content[24:28] + content[74:76]  # width, height, depth
    width, height = int.from_bytes(fields[:2], "big"), int.from_bytes(fields[2:4], "big")
    return Description(
        payload=entry.name + fields + b"".join(_framed(*box) for box in setup),
        shown=shown,
        sizes=((width, height), (_stretched(width, entry, content), height)),
    )


def _stretched(width: int, entry: Box, content: bytes) -> int:
    """The width in square pixels, which some muxers state for a track and some don't."""
    for name, body in _inner(entry, content, 78):
        across, down = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
        if name == b"pasp" and down:
            return (2 * width * across + down) // (2 * down)
    return width


def _sound(entry: Box, content: bytes) -> Description:
    version = int.from_bytes(content[8:10], "big")
    start = {0: 28, 1: 44, 2: 64}.get(version, 0)
    if not start or len(content) < start:
        raise odd("a sound description without its fields", entry.start)
    boxes: list[tuple[bytes, bytes]] = []
    for name, body in _inner(entry, content, start):
        if name == b"wave":
            inside = _inner(entry, body, 0)
            boxes += (box for box in inside if box[0] != entry.name or box[0] in _SOUND_SETUPS)
        else:
            boxes.append((name, body))
    setup, shown = _sort_boxes(entry, boxes)
    setups = [box for box in setup if box[0] in _SOUND_SETUPS]
    if len(setups) > 1:
        raise odd("two set-ups for one sound decoder", entry.start)
    fields = b"" if setups else content[8:10] + content[16:20] + content[24:start]
    return Description(
        payload=entry.name + fields + b"".join(_framed(*box) for box in setup),
        shown=shown,
        frame_bytes=_frame_bytes(entry, content, version),
    )


def _frame_bytes(entry: Box, content: bytes, version: int) -> int:
    channels, bits = int.from_bytes(content[16:18], "big"), int.from_bytes(content[18:20], "big")
    if version == 2 and entry.name == b"lpcm":
        channels, bits = (
            int.from_bytes(content[40:44], "big"),
            int.from_bytes(content[48:52], "big"),
        )
        return channels * bits // 8
    return channels * (_PCM_BITS[entry.name] or bits) // 8 if entry.name in _PCM_BITS else 0


def _inner(entry: Box, content: bytes, start: int) -> Iterator[tuple[bytes, bytes]]:
    """Boxes inside a description. QuickTime ends some lists with a zero of 32 bits, or a box of size 8 named so."""
    while start < len(content):
        if content[start:] == bytes(4):
            return
        size, name = (
            int.from_bytes(content[start : start + 4], "big"),
            content[start + 4 : start + 8],
        )
        if not 8 <= size <= len(content) - start:
            raise odd(f"box {name!a} of {size} bytes in a sample description", entry.start)
        if name != bytes(4):
            yield name, content[start + 8 : start + size]
        start += size


def _sort_boxes(
    entry: Box, boxes: Iterable[tuple[bytes, bytes]]
) -> tuple[list[tuple[bytes, bytes]], tuple[str, ...]]:
    """Boxes for the decoder, in one form, and lines about boxes for showing."""
    setup: list[tuple[bytes, bytes]] = []
    shown: list[str] = []
    for name, body in boxes:
        if name in _PROTECTED or name in _ELSEWHERE:
            raise odd(f"box {name!a} in a sample description", entry.start)
        if name in _SHOWN:
            shown += _shown_line(name, body)
        elif name == b"esds":
            setup.append((name, _elementary_stream(entry, body)))
        elif name not in _LEFT_OUT:
            setup.append((name, body))
    return setup, tuple(shown)


def _framed(name: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + name + body


_USUAL: Final = {
    b"fiel": (bytes((1, 0)),),
    b"colr": (b"nclx\0\2\0\2\0\2\0", b"nclc\0\2\0\2\0\2"),
    b"chan": tuple(bytes((0, 0, 0, 0, 0, 99 + n, 0, n)) + bytes(8) for n in (1, 2)),
}
"""What showing is like without the box: whole pictures, unknown colours, one channel or left and right."""


def _shown_line(name: bytes, body: bytes) -> list[str]:
    if body in _USUAL.get(name, ()) or (name == b"pasp" and body[:4] == body[4:8]):
        return []
    if name == b"colr" and body[:4] in (b"nclx", b"nclc"):
        numbers = [int.from_bytes(body[at : at + 2], "big") for at in (4, 6, 8)]
        return [f"colour {' '.join(map(str, numbers))} {body[10] >> 7 if len(body) > 10 else 0}"]
    if name == b"pasp":
        return [f"pixels {int.from_bytes(body[:4], 'big')}:{int.from_bytes(body[4:8], 'big')}"]
    return [f"{name.decode('ascii')} {sha256(body).hexdigest()}"]


def _elementary_stream(entry: Box, body: bytes) -> bytes:
    """The kind of stream and the decoder's set-up out of `esds`; bit rates and buffers go, as muxers make them up."""
    stream = _descriptor(entry, body[4:], 3)
    if len(stream) < 3 or stream[2] & 0xE0:
        raise odd("an elementary stream that depends on another, or lies elsewhere", entry.start)
    config = _descriptor(entry, stream[3:], 4)
    if len(config) < 13:
        raise odd("an elementary stream without a decoder", entry.start)
    return config[:1] + (_descriptor(entry, config[13:], 5) if config[13:] else b"")


def _descriptor(entry: Box, data: bytes, tag: int) -> bytes:
    """The content of the descriptor that begins the data. Its length is written in sevens of bits."""
    length = 0
    for at in range(1, min(5, len(data))):
        length = length << 7 | data[at] & 0x7F
        if not data[at] & 0x80:
            if data[0] == tag and at + 1 + length <= len(data):
                return data[at + 1 : at + 1 + length]
            break
    raise odd(f"no descriptor {tag} at its place in 'esds'", entry.start)
