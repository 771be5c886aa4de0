"""Sounds that sound alike: Chromaprint's 32 bits for each eighth of a second, laid over each other at the best offset.

Encoding again, resampling, other loudness, an excerpt of ten seconds and a bed under speech stay near; another pitch or
a tempo that differs by more than a few per cent does not, and an excerpt under six seconds says too little.
"""

from __future__ import annotations

from collections.abc import Iterable
from shutil import which
from typing import Final

from hitp2p.media.decoding import MEDIA_BYTES, run_worker
from hitp2p.media.prints import Print

__all__ = [
    "ALGORITHM",
    "SECONDS",
    "THRESHOLD",
    "UNRELATED",
    "distance",
    "measure",
    "needs",
    "suits",
]

ALGORITHM: Final = "chromaprint2/1"
THRESHOLD: Final = 0.20
UNRELATED: Final = 0.27
SECONDS: Final = 600
"""How much of a sound is looked at, from its start."""

_DEMUXERS: Final = {
    "audio/aiff": "aiff",
    "audio/flac": "flac",
    "audio/mp4": "mp4",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "video/matroska": "matroska",
    "video/mp4": "mp4",
    "video/quicktime": "mp4",
    "video/webm": "matroska",
}
"""Named to the decoder, so that it doesn't guess: a guess may be a play list that names other files."""
_ITEM: Final = 4
_BITS: Final = 8 * _ITEM
_OVERLAP: Final = 48
"""Fewest items that must lie over each other: six seconds."""
_MOVING: Final = 36
"""How many of those must differ from the one before, in both: silence is like silence."""
_DROPPED: Final = 8
"""Low bits that a mark leaves out, so that noise in them loses no mark."""


def suits(media_type: str, /) -> bool:
    """Sounds, and films, which mostly have one."""
    return media_type in _DEMUXERS


def needs() -> str | None:
    """Chromaprint's program."""
    return None if which("fpcalc") else "fpcalc (Chromaprint)"


def measure(pieces: Iterable[bytes], media_type: str, /) -> Print | None:
    """Its fingerprint, made by `fpcalc` in a process with bounds; None where it has none or is under six seconds."""
    program = which("fpcalc")
    if program is None:
        return None
    printed = run_worker(
        pieces, "sound", program, _DEMUXERS[media_type], str(SECONDS), most=MEDIA_BYTES
    )
    items = _parse(printed or b"")
    if len(items) < _OVERLAP:
        return None
    packed = b"".join(item.to_bytes(_ITEM, "little") for item in items)
    moving = {item >> _DROPPED for n, item in enumerate(items) if n and item != items[n - 1]}
    return Print(marks=dict.fromkeys(moving, 1), total=len(items), kept=packed, asked=packed)


def _parse(printed: bytes) -> list[int]:
    """The items in what the program printed, which had hostile bytes to read."""
    for line in printed.splitlines():
        if line.startswith(b"FINGERPRINT="):
            words = line.removeprefix(b"FINGERPRINT=").split(b",")
            return [int(word) & 0xFFFF_FFFF for word in words if word.isdigit() and len(word) < 20]
    return []


def distance(asked: bytes, kept: bytes, /) -> float:
    """The part of bits that differ at the best offset, of packed fingerprints; 1.0 where none lies over the other."""
    long, short = sorted((asked, kept), key=len, reverse=True)
    one, other = _Laid(long), _Laid(short)
    if other.n_items < _OVERLAP:
        return 1.0
    last = one.n_items - _OVERLAP
    return min(
        (one.differs(other, offset) for offset in range(_OVERLAP - other.n_items, last + 1)),
        default=1.0,
    )


class _Laid:
    """A fingerprint as one long number, so that an offset costs a few operations: item n begins at bit 32 n."""

    def __init__(self, packed: bytes) -> None:
        self.n_items = len(packed) // _ITEM
        self.bits = int.from_bytes(packed, "little")
        items = [packed[at : at + _ITEM] for at in range(0, len(packed), _ITEM)]
        ones, zeros = b"\xff" * _ITEM, bytes(_ITEM)
        moving = (ones if n == 0 or item != items[n - 1] else zeros for n, item in enumerate(items))
        self.moving = int.from_bytes(b"".join(moving), "little")

    def differs(self, other: _Laid, offset: int) -> float:
        """The part of differing bits where the other begins at item `offset` of this one."""
        ahead, behind = max(offset, 0) * _BITS, max(-offset, 0) * _BITS
        n_items = min(self.n_items - max(offset, 0), other.n_items - max(-offset, 0))
        here, there = self.moving >> ahead, other.moving >> behind
        span = (1 << n_items * _BITS) - 1
        if (here & there & span).bit_count() < _MOVING * _BITS:
            return 1.0
        counted = (here | there) & span
        different = ((self.bits >> ahead) ^ (other.bits >> behind)) & counted
        return different.bit_count() / counted.bit_count()
