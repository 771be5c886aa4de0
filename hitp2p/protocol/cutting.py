"""Cutting a set into ranges, and putting ranges into one message of at most 60 KiB [NET-15, NET-16]."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from hitp2p.limits import NODE_RANGE_KEYS, NODE_RANGE_PARTS, NODE_RANGES, NODE_RANGES_BYTES
from hitp2p.protocol.messages import Range
from hitp2p.protocol.syncset import (
    DIGEST_BYTES,
    GENERATION_BYTES,
    KEY_BYTES,
    SyncSet,
    bound_between,
)

__all__ = [
    "DIFFERENCE",
    "DIGESTS",
    "FINGERPRINT",
    "NOTHING",
    "RangeList",
    "cut",
    "first_cut",
    "size_of_range",
]

NOTHING, FINGERPRINT, DIGESTS, DIFFERENCE = range(4)
"""The modes of a range."""
FIRST_TAIL: Final = 16
"""The first message cuts until so few keys are left at the end: with ten new ones the other lists them all."""


class RangeList:
    """Ranges one behind the other, as long as there is room."""

    __slots__ = ("_room", "lower", "ranges")

    def __init__(self) -> None:
        self.ranges: list[Range] = []
        self.lower = b""
        """Where the next range begins; empty again behind the last."""
        self._room = NODE_RANGES_BYTES - _CLOSING_BYTES

    def put(self, one: Range) -> bool:
        """Put a range behind the others, or make one of two that say nothing; whether there was room."""
        merged = one.mode == NOTHING and bool(self.ranges) and self.ranges[-1].mode == NOTHING
        size = size_of_range(one) - (size_of_range(self.ranges[-1]) if merged else 0)
        if size > self._room or (not merged and len(self.ranges) >= NODE_RANGES - 1):
            return False
        self.ranges[-1 if merged else len(self.ranges) :] = [one]
        self._room -= size
        self.lower = one.upper
        return True

    def put_all(self, ranges: Iterable[Range]) -> bool:
        """Put as many as there is room for; whether that is all."""
        return all(self.put(one) for one in ranges)

    def put_listed(self, keys: Iterator[bytes], upper: bytes, mode: int, *places: int) -> bool:
        """Put a range with the digests of these keys; where not all have room, it ends below the first that is left out.

        Args:
            keys: some of those of the stretch, in order.
            upper: where the stretch ends.
            mode: 2 or 3.
            places: of mode 3.

        Returns:
            Whether all had room.
        """
        size = size_of_range(Range(upper, mode, places=places)) + _LONGER_BYTES
        taken = list(islice(keys, max(0, self._room - size) // DIGEST_BYTES))
        more = next(keys, None)
        if more is not None:
            if not taken:
                return False
            upper = bound_between(taken[-1], more)
        return self.put(Range(upper, mode, digests=_digests(taken), places=places)) and not more

    def close(self, one: Range) -> None:
        """Put the last range, for which room is kept."""
        self.ranges.append(one)
        self.lower = b""


def cut(own: SyncSet, lower: bytes, upper: bytes) -> Iterator[Range]:
    """What one says of a stretch that differs: its keys, or the fingerprints of its parts [NET-16]."""
    first, n = own.rank(lower), own.count(lower, upper)
    if n <= NODE_RANGE_KEYS:
        yield Range(upper, DIGESTS, digests=_digests(own.keys(lower, upper)))
        return
    ranks = (first + n * i // NODE_RANGE_PARTS for i in range(1, NODE_RANGE_PARTS))
    yield from _between(own, lower, map(own.bound_at, ranks), upper)


def first_cut(own: SyncSet) -> Iterator[Range]:
    """What one says first of a set: sixteenths, the last of them cut by halves, and nothing above all that is here.

    New things sort last, so nearly all that two nodes lack of each other stands in the last few ranges.
    """
    if len(own) <= NODE_RANGE_KEYS:
        return cut(own, b"", b"")
    return _between(own, b"", _first_bounds(own), b"")


def _first_bounds(own: SyncSet) -> Iterator[bytes]:
    n = len(own)
    at = 0
    for i in range(1, NODE_RANGE_PARTS):
        at = n * i // NODE_RANGE_PARTS
        yield own.bound_at(at)
    while n - at > FIRST_TAIL:
        at += (n - at) // 2
        yield own.bound_at(at)
    highest = int.from_bytes(own.key_at(n - 1)[:GENERATION_BYTES], "big")
    if highest + 1 < 2 ** (8 * GENERATION_BYTES):
        yield (highest + 1).to_bytes(GENERATION_BYTES, "big").rstrip(b"\0")


def _between(own: SyncSet, lower: bytes, bounds: Iterable[bytes], upper: bytes) -> Iterator[Range]:
    """The fingerprints from bound to bound."""
    for bound in (*bounds, upper):
        yield Range(bound, FINGERPRINT, *own.fingerprint(lower, bound))
        lower = bound


def _digests(keys: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(key[GENERATION_BYTES:] for key in keys)


# --- how long ranges are in msgpack ---------------------------------------------------------------


def size_of_range(one: Range) -> int:
    """Bytes of a range in the shortest forms of msgpack, which NET-16 counts."""
    return 1 + _size_of_bytes(len(one.upper)) + 1 + _size_of_payload(one)


def _size_of_payload(one: Range) -> int:
    if one.mode == NOTHING:
        return 1
    if one.mode == FINGERPRINT:
        return 1 + _size_of_int(one.count) + _size_of_bytes(len(one.sum))
    digests = _size_of_bytes(len(one.digests) * DIGEST_BYTES)
    if one.mode == DIGESTS:
        return digests
    return 1 + digests + _size_of_array(len(one.places)) + sum(map(_size_of_int, one.places))


def _size_of_bytes(n: int) -> int:
    return n + (2 if n < 2**8 else 3 if n < 2**16 else 5)


def _size_of_array(n: int) -> int:
    return 1 if n < 16 else 3 if n < 2**16 else 5


def _size_of_int(value: int) -> int:
    return next((n for n, bits in _INT_BITS if value < 2**bits), 9)


_INT_BITS: Final = ((1, 7), (2, 8), (3, 16), (5, 32))
_LONGER_BYTES: Final = KEY_BYTES + 1
"""How much longer a range may get by another upper bound, and by a longer head of its digests."""
_CLOSING_BYTES: Final = 3 + size_of_range(Range(b"", FINGERPRINT, 2**63, bytes(16)))
"""Room for the head of the list, and for a range that stands for all that is left."""
