"""Chance from a seed, as the shell of a node would lend it."""

from __future__ import annotations

import random
from typing import Any

__all__ = ["Seeded"]


class Seeded:
    """A `hitp2p.protocol.chance.Chance`: the same run for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def random(self) -> float:
        return self._random.random()

    def below(self, n: int, /) -> int:
        return self._random.randrange(n)

    def shuffle(self, items: list[Any], /) -> None:
        self._random.shuffle(items)
