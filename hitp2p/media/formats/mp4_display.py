"""What changes how a film is shown and leaves its samples alone, in lines of words [MED-11, MED-22]."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Final

from hitp2p.limits import FILM_EDITS
from hitp2p.media.formats.mp4_boxes import RULE, Box, odd
from hitp2p.media.source import MediaSource

__all__ = ["Edit", "edit_lines", "film_lines", "read_edit", "track_lines"]

_ONE: Final = 1 << 16
"""1 as a fixed-point number."""
_ROTATIONS: Final = {
    (_ONE, 0, 0, _ONE): "",
    (0, _ONE, -_ONE, 0): "rotated 90",
    (-_ONE, 0, 0, -_ONE): "rotated 180",
    (0, -_ONE, _ONE, 0): "rotated 270",
}
"""Matrices of turns, clockwise in degrees."""


class Edit:
    """The one stretch of a track that an edit list shows."""

    __slots__ = ("delay", "length", "start")

    def __init__(self, delay: int, start: int, length: int) -> None:
        self.delay = delay
        """Nothing is shown before, in ticks of the film."""
        self.start = start
        """Where the stretch begins, in ticks of the track, counted from the file's own origin."""
        self.length = length
        """How long it is, in ticks of the film; 0 for all that follows."""


def read_edit(source: MediaSource, box: Box) -> Edit | None:
    """What an edit list shows, if it is plain: a delay, then one stretch at normal speed.

    Raises:
        DecodeError: it puts several stretches in an order of its own, repeats, or changes the speed.
    """
    head = source.read(box.body, min(8, box.size), rule=RULE)
    layout = struct.Struct(">qqI" if head[:1] == b"\1" else ">IiI")
    count = int.from_bytes(head[4:], "big")
    if head[:1] not in (b"\0", b"\1") or box.size != 8 + count * layout.size or count > FILM_EDITS:
        raise odd(f"an edit list of {box.size} bytes for {count} entries", box.start)
    delay, edit = 0, None
    for length, start, rate in layout.iter_unpack(
        source.read(box.body + 8, box.size - 8, rule=RULE)
    ):
        if edit is not None or start < -1 or length < 0 or rate != _ONE:
            raise odd(
                "an edit list that shows more than one stretch, or at another speed", box.start
            )
        if start == -1:
            delay += length
        else:
            edit = Edit(delay, start, length)
    if delay and edit is None:
        raise odd("an edit list that shows nothing", box.start)
    return edit


def edit_lines(
    edit: Edit, *, film_clock: int, track_clock: int, shift: int, total: int
) -> Iterator[str]:
    """Lines about an edit list, in tenths of a second, as muxers round: `delay`, `start` and `end` if it cuts.

    Args:
        film_clock: ticks of the film in a second.
        track_clock: ticks of the track in a second.
        shift: the earliest time of showing, from the file's own origin, in ticks of the track.
        total: length of all samples, in ticks of the track.
    """
    delay = _tenths(edit.delay, film_clock)
    start = _tenths(edit.start - shift, track_clock)
    if delay:
        yield f"delay {_seconds(delay)}"
    if start:
        yield f"start {_seconds(start)}"
    end = (edit.start - shift) * film_clock + edit.length * track_clock
    if edit.length and _tenths(total * film_clock - end, film_clock * track_clock) > 0:
        yield f"end {_seconds(_tenths(end, film_clock * track_clock))}"


def _tenths(ticks: int, clock: int) -> int:
    """Rounded to the nearest, halves upwards."""
    return (20 * ticks + clock) // (2 * clock)


def _seconds(tenths: int) -> str:
    return f"{'-' if tenths < 0 else ''}{abs(tenths) // 10}.{abs(tenths) % 10}"


def film_lines(header: bytes) -> Iterator[str]:
    """Lines about a film's header (`mvhd`): its speed, loudness and matrix, where unusual.

    Raises:
        DecodeError: it has another length than its version says.
    """
    if len(header) != {0: 100, 1: 112}.get(header[0] if header else 2):
        raise odd(f"a film header of {len(header)} bytes")
    rate, volume = struct.unpack(">IH", header[-80:-74])
    if rate != _ONE:
        yield f"film rate {rate}"
    if volume != 0x100:
        yield f"film volume {volume}"
    yield from (f"film {line}" for line in _matrix_lines(header[-64:-28]))


def track_lines(header: bytes, *, kind: bytes, sizes: Sequence[tuple[int, int]]) -> Iterator[str]:
    """Lines about a track's header (`tkhd`): `off`, its layer, loudness, place and size, where unusual.

    Args:
        header: content of `tkhd`, as received.
        kind: the track's handler.
        sizes: usual widths and heights, from the first sample description.

    Raises:
        DecodeError: it has another length than its version says.
    """
    fixed = {0: 84, 1: 96}.get(header[0] if header else 2)
    if fixed is None or len(header) != fixed:
        raise odd(f"a track header of {len(header)} bytes")
    layer, _group, volume = struct.unpack(">hhH", header[-52:-46])
    if not header[3] & 1:
        yield "off"
    if layer:
        yield f"layer {layer}"
    if kind == b"soun" and volume != 0x100:
        yield f"volume {volume}"
    yield from _matrix_lines(header[-44:-8])
    if kind == b"vide":
        yield from _size_lines(header[-8:], sizes)


def _size_lines(shown: bytes, sizes: Sequence[tuple[int, int]]) -> Iterator[str]:
    width, height = (_round_fixed(shown[at : at + 4]) for at in (0, 4))
    if (width, height) not in ((0, 0), *sizes):
        yield f"size {width}x{height}"


def _round_fixed(number: bytes) -> int:
    """A fixed-point number of 16.16 bits, rounded."""
    return (int.from_bytes(number, "big") + _ONE // 2) // _ONE


def _matrix_lines(matrix: bytes) -> Iterator[str]:
    """A turn by quarters in words (with it goes a shift that puts the picture back), other matrices in numbers."""
    numbers = struct.unpack(">9i", matrix)
    a, b, u, c, d, v, x, y, w = numbers
    words = _ROTATIONS.get((a, b, c, d)) if (u, v, w) == (0, 0, 1 << 30) else None
    if words is None or (not words and (x or y)):
        yield "matrix " + " ".join(map(str, numbers))
    elif words:
        yield words
