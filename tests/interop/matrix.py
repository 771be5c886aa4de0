"""What tools of others do to the essence of a file, collected by the tests and printed at the end of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

__all__ = ["KEY", "add", "cells", "lines", "record"]

KEY: Final = "essence_matrix"
"""Under this name a worker process of a parallel run hands its cells to the main process."""

_cells: dict[tuple[str, str], str] = {}


def record(tool: str, format: str, outcome: str) -> None:
    """Say what a tool did to a format.

    Args:
        tool: with what it was asked to do, such as `ffmpeg -c copy`.
        format: such as `mp4`.
        outcome: `same`, `display` (the essence is the same, its display another), `refused` (by the parser),
            `differs` or `can't` (the tool doesn't write this).
    """
    assert outcome in ("same", "display", "refused", "differs", "can't")
    _cells[tool, format] = outcome


def cells() -> list[tuple[str, str, str]]:
    """All cells of this process, for the main one."""
    return [(*place, outcome) for place, outcome in _cells.items()]


def add(others: list[tuple[str, str, str]]) -> None:
    """Take in the cells of a worker process."""
    for tool, format, outcome in others:
        _cells[tool, format] = outcome


def lines() -> Iterator[str]:
    """The matrix: a line a tool, a column a format; a dot where nothing was tried."""
    formats = sorted({format for _, format in _cells})
    if not formats:
        return
    tools = sorted({tool for tool, _ in _cells})
    width = max(map(len, tools))
    columns = {f: max(len(f), *(len(_cells.get((t, f), ".")) for t in tools)) for f in formats}
    yield "essence after a tool of others:"
    yield f"  {'':{width}}  " + "  ".join(f"{f:{n}}" for f, n in columns.items()).rstrip()
    for tool in tools:
        row = "  ".join(f"{_cells.get((tool, f), '.'):{n}}" for f, n in columns.items())
        yield f"  {tool:{width}}  {row.rstrip()}"
