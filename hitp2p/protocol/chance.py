"""Chance, as the core of a node gets it: one seed, and a run can be repeated to the byte."""

from __future__ import annotations

from typing import Any, Protocol

__all__ = ["Chance"]


class Chance(Protocol):
    """A source of chance, passed in. None of it has to be secret: what has to, hangs on the secret of the address book."""

    def random(self) -> float:
        """From 0 up to, but not, 1."""
        ...

    def below(self, n: int, /) -> int:
        """An integer from 0 to n - 1; n is at least 1."""
        ...

    def shuffle(self, items: list[Any], /) -> None:
        """Put a list into another order, in place."""
        ...
