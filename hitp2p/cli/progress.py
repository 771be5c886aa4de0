"""Progress of long work: a bar on a terminal, on stderr, with rate and time left; nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

__all__ = ["progress"]

SHOWN_FROM_BYTES: Final = 16 * 1024 * 1024
"""Work on fewer bytes than this is over before a bar could be read."""


@contextmanager
def progress(what: str, *, quiet: bool = False) -> Generator[Callable[[int, int], None] | None]:
    """A function to call with (bytes done, bytes in all), or None where nobody would see it.

    Args:
        what: what is going on, in a word or two of ours.
        quiet: as under `--json`.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    bar = _Bar(what)
    try:
        yield bar
    finally:
        bar.close()


class _Bar:
    """A bar of rich, imported with the first call that is about many bytes."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._move: Callable[[int, int], None] | None = None
        self._stop: Callable[[], None] | None = None

    def __call__(self, done: int, total: int) -> None:
        if self._move is None:
            if total < SHOWN_FROM_BYTES:
                return
            self._start()
        assert self._move is not None
        self._move(done, total)

    def close(self) -> None:
        """Take the bar off the screen."""
        if self._stop is not None:
            self._stop()

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        shown = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        task = shown.add_task(self._what)
        shown.start()
        self._move = lambda done, total: shown.update(task, completed=done, total=total)
        self._stop = shown.stop
