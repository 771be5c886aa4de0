"""The tour's works: a picture drawn and sounds synthesised on the spot, the same bytes on every machine.

Integers only, since floating point differs between machines in its last bits.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Final

__all__ = ["FIRST_VERSE", "SECOND_VERSE", "night_bus_png", "song_wav"]

FIRST_VERSE: Final = """\
The last bus hums along the hill,
its windows bright, the city still.
Two strangers nod, the wipers swing,
and somewhere in the back, we sing.
"""
SECOND_VERSE: Final = """\
The driver knows the tune by now,
he taps it on the wheel somehow.
And every stop lets in the rain,
and someone who takes up the refrain.
"""

RATE: Final = 16_000
"""Samples a second."""
BEAT: Final = RATE // 3
"""Samples a note."""


def night_bus_png(width: int = 320, height: int = 180) -> bytes:
    """A lit bus under a moon, 8-bit RGB."""
    rows = b"".join(
        b"\0" + b"".join(bytes(_pixel(x, y)) for x in range(width)) for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )


def _pixel(x: int, y: int) -> tuple[int, int, int]:
    if (x - 260) ** 2 + (y - 40) ** 2 < 18**2:
        return (245, 240, 210)  # moon
    if y >= 150:
        return (38, 38, 46) if (x // 24) % 2 or not 162 <= y < 165 else (200, 190, 120)  # road
    for wheel in (95, 195):
        if (x - wheel) ** 2 + (y - 146) ** 2 < 12**2:
            return (20, 20, 24)
    if 60 <= x < 235 and 88 <= y < 144:
        if 98 <= y < 118 and (x - 60) % 29 >= 6:
            return (255, 214, 110)  # windows
        return (170, 48, 52)
    if (x * 7919 + y * 104_729) % 1013 == 0:
        return (220, 220, 235)  # stars
    return (14 + y // 8, 16 + y // 6, 44 + y // 3)


def song_wav(notes: Sequence[int], *, rain: bool = False) -> bytes:
    """A tune of triangle waves, 16-bit mono; 0 is a rest.

    Args:
        notes: pitches in hertz, one a beat.
        rain: with noise behind.
    """
    samples = bytearray()
    noise = 1
    for pitch in notes:
        for i in range(BEAT):
            noise = (noise * 1_103_515_245 + 12_345) % 2**31
            value = _triangle(pitch * i) * (BEAT - i) // BEAT if pitch else 0
            value += (noise >> 20) - 1024 if rain else 0
            samples += struct.pack("<h", value)
    size = len(samples)
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", size + 36, b"WAVE", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16, b"data", size,
    )  # fmt: skip
    return header + bytes(samples)


def _triangle(cycles_times_rate: int) -> int:
    """A triangle wave of +-9,000 at a phase counted in 1/RATE of a cycle."""
    phase = cycles_times_rate % RATE
    return 9000 - abs(phase - RATE // 2) * 36_000 // RATE
