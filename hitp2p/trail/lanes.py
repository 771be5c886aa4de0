"""Lanes: how works hang together, drawn beside the lines of a trail, the oldest first.

A work holds a lane until the last of its children is drawn, which takes it over. One row a work, so that a merge of a
hundred parents is one row as well:

    o       a verse
    +-o     a song of it, in a lane of its own
    o |     a film of it, which as the last child takes over the verse's lane
    *-'     a remix of film and song

`o` is a work that others build on, `*` a head; `+` a parent whose lane goes on, `'` one whose lane ends here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import Final, NamedTuple

__all__ = ["LANES_DRAWN", "LaneRow", "draw_lanes"]

LANES_DRAWN: Final = 10
"""Lanes further to the right share the last column, so a row stays short whatever strangers add."""


class LaneRow(NamedTuple):
    """What stands before the lines of one work."""

    work: str
    """Before its first line."""
    below: str
    """Before its further lines."""


def draw_lanes(parents_of: Sequence[Sequence[int]]) -> Iterator[LaneRow]:
    """The rows for works 0, 1, 2 and so on.

    Args:
        parents_of: for each work the numbers of its parents, all lower than its own.
    """
    n_waiting = [0] * len(parents_of)
    for parents in parents_of:
        for parent in set(parents):
            n_waiting[parent] += 1
    lanes = _Lanes()
    column: dict[int, int] = {}
    for number, parents in enumerate(parents_of):
        joined: dict[int, bool] = {}
        ended: list[int] = []
        for parent in set(parents):
            n_waiting[parent] -= 1
            joined[column[parent]] = n_waiting[parent] > 0
            if not n_waiting[parent]:
                ended.append(column.pop(parent))
        own = min(ended) if ended else lanes.begin()
        for lane in ended:
            if lane != own:
                lanes.end(lane)
        goes_on = n_waiting[number] > 0
        row = lanes.row(own, joined, "o" if goes_on else "*")
        if goes_on:
            column[number] = own
        else:
            lanes.end(own)
        yield LaneRow(work=row, below=lanes.row(None, {}, ""))


class _Lanes:
    """Which columns are taken."""

    def __init__(self) -> None:
        self._taken: list[bool] = []
        self._free: list[int] = []
        self._n_hidden = 0

    def begin(self) -> int:
        """Take the leftmost free column."""
        if self._free:
            column = heappop(self._free)
            self._taken[column] = True
        else:
            column = len(self._taken)
            self._taken.append(True)
        self._n_hidden += column >= LANES_DRAWN
        return column

    def end(self, column: int) -> None:
        self._taken[column] = False
        self._n_hidden -= column >= LANES_DRAWN
        heappush(self._free, column)

    def row(self, own: int | None, joined: dict[int, bool], mark: str) -> str:
        """One row; `joined` says of each parent's column whether its lane goes on."""
        cells = ["|" if taken else " " for taken in self._taken[:LANES_DRAWN]]
        if self._n_hidden or (own is not None and own >= LANES_DRAWN):
            cells += " " * (LANES_DRAWN - len(cells)) + ("~" if self._n_hidden else " ")
        if own is None:
            return " ".join(cells).rstrip()
        for column, goes_on in joined.items():
            cells[min(column, len(cells) - 1)] = "+" if goes_on else "'"
        cells[min(own, len(cells) - 1)] = mark
        touched = [min(column, len(cells) - 1) for column in (own, *joined)]
        out = ""
        for place, cell in enumerate(cells):
            inside = min(touched) <= place < max(touched)
            out += ("-" if inside and cell == " " else cell) + ("-" if inside else " ")
        return out.rstrip()
