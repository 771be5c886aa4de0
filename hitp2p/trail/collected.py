"""What a collection holds: whoever uses the collection uses that, too [LIC-6].

The licence of a collection covers what its author added; each work in it keeps its own. Without this, a work that nobody may
change could be put into a collection, and the collection be changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

__all__ = ["iter_held"]

K = TypeVar("K")


def iter_held(collection: K, collects: Callable[[K], Iterable[K]], seen: set[K]) -> Iterator[K]:
    """All that a collection holds, collections in it and what they hold included, the nearest first.

    Args:
        collection: what was used.
        collects: what a work collects directly.
        seen: what is left out, and with it what only that holds; at first what the user of the collection takes material
            from or collects on its own account, for there its own use says how. What is told is added.
    """
    seen.add(collection)
    waiting = [collection]
    for one in waiting:  # which grows
        for held in collects(one):
            if held not in seen:
                seen.add(held)
                waiting.append(held)
                yield held
