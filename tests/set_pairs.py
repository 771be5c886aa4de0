"""Two sets that are compared, and a comparison played to its end."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import NamedTuple

from hitp2p.protocol.cutting import size_of_range
from hitp2p.protocol.messages import Range
from hitp2p.protocol.ranges import Reconciliation, SyncSet, answer_ranges

__all__ = ["Played", "play", "size_of", "some_keys"]


class Played(NamedTuple):
    """What came of a comparison."""

    comparison: Reconciliation
    asked: list[tuple[Range, ...]]
    answers: list[tuple[Range, ...]]

    @property
    def n_bytes(self) -> int:
        """Of all ranges, both ways."""
        return sum(map(size_of, self.asked + self.answers))

    @property
    def found(self) -> tuple[list[bytes], list[bytes]]:
        """Digests that the one who began lacks, and those that the other lacks."""
        return sorted(self.comparison.lacking), sorted(key[8:] for key in self.comparison.surplus)


def size_of(ranges: Iterable[Range]) -> int:
    """Bytes of the longest list of so many ranges, in msgpack."""
    return 3 + sum(map(size_of_range, ranges))


def play(one: SyncSet, other: SyncSet) -> Played:
    """`one` compares itself with `other`."""
    played = Played(Reconciliation(one), [], [])
    ranges: tuple[Range, ...] | None = played.comparison.first()
    while ranges is not None:
        played.asked.append(ranges)
        played.answers.append(answer_ranges(other, ranges))
        ranges = played.comparison.on_answer(played.answers[-1])
    return played


def some_keys(n: int, *, seed: int = 1, each: int = 3) -> list[bytes]:
    """Keys in order, so many of each generation."""
    chance = Random(seed)
    return sorted((i // each).to_bytes(8, "big") + chance.randbytes(32) for i in range(n))
