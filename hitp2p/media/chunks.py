"""Files that share bytes: stems in a project file, samples in a mix that wasn't encoded again, layers, cuts without re-encoding.

A file is cut where its own bytes say so, so that what was put before a part or taken from before it moves no later cut.
Chunks come at about 16 KiB. Those that compress to next to nothing (silence, flat colour, padding) are in thousands of
files that have nothing to do with each other, and don't count.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import Final

from hitp2p.media.prints import Print, mark_of

__all__ = [
    "ALGORITHM",
    "LEAST",
    "THRESHOLD",
    "UNRELATED",
    "iter_chunks",
    "measure",
    "needs",
    "suits",
]

ALGORITHM: Final = "cdc16k/1"
THRESHOLD: Final = 0.10
UNRELATED: Final = 0.0
LEAST: Final = 32 * 1024
"""Fewest bytes that two files must share: a colour profile or a font alone is no sign of kinship."""

_AVERAGE: Final = 16 * 1024
_FEED: Final = 4 * 1024 * 1024
"""How much is cut at once, in bytes; the longest chunk is far below."""
_PROBE: Final = 16
_PERIOD: Final = 2048
"""Within how many bytes a probe comes again in a chunk that is worth compressing."""
_DULL: Final = 16
"""A chunk that compresses to less than this part of it says nothing."""


def suits(media_type: str, /) -> bool:
    """Everything but plain text, of which shingles say more."""
    return media_type != "text/plain"


def needs() -> str | None:
    """The extra `match`."""
    return None if find_spec("iscc_lib") else "pip install 'hitp2p[match]'"


def measure(pieces: Iterable[bytes], media_type: str, /) -> Print | None:
    """The chunks of a file that say something; None where there are none."""
    weights = Counter[int]()
    for chunk in iter_chunks(pieces):
        if not _is_dull(chunk):
            weights[mark_of(chunk, ALGORITHM)] += len(chunk)
    return Print(marks=weights, total=weights.total()) if weights else None


def iter_chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks of a file, the same however it comes in pieces."""
    from iscc_lib import alg_cdc_chunks

    waiting = b""
    for block in _blocks(pieces):
        *done, waiting = alg_cdc_chunks(waiting + block, False, _AVERAGE)
        yield from done
    if waiting:
        yield waiting


def _blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Pieces put together, so that small ones don't make the cutter begin again and again."""
    block = bytearray()
    for piece in pieces:
        block += piece
        if len(block) >= _FEED:
            yield bytes(block)
            block.clear()
    yield bytes(block)


def _is_dull(chunk: bytes) -> bool:
    """Two probes tell first whether it repeats itself at all: compressing everything would take ten times as long as the rest."""
    if not any(_comes_again(chunk, at) for at in (0, len(chunk) // 2)):
        return False
    return len(zlib.compress(chunk, 1)) * _DULL < len(chunk)


def _comes_again(chunk: bytes, at: int) -> bool:
    return chunk.find(chunk[at : at + _PROBE], at + 1, at + _PERIOD + _PROBE) >= 0
