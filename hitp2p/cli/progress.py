"""Progress of long work: a bar on a terminal, on stderr, with rate and time left; nothing elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal

from hitp2p.cli.output import size

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

__all__ = ["Move", "progress"]

Move = Callable[[int, int], None]
"""Called with (done, in all)."""
SHOWN_AFTER_S: Final = 0.5
"""Work that takes no longer than this is over before a bar could be read."""


@contextmanager
def progress(
    what: str, *, unit: Literal["bytes", "blocks", "objects"] = "bytes", quiet: bool = False
) -> Generator[Move | None]:
    """A function to call now and then with (done, in all), or None where nobody would see it.

    Args:
        what: what is going on, in a word or two of ours.
        unit: what is counted.
        quiet: as under `--json`.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    bar = _Bar(what, unit)
    try:
        yield bar
    finally:
        bar.close()


class _Bar:
    """A bar of rich, imported once the work turns out to be long."""

    def __init__(self, what: str, unit: str) -> None:
        self._what = what
        self._unit = unit
        self._begun = time.monotonic()
        self._bar: Progress | None = None

    def __call__(self, done: int, total: int) -> None:
        if self._bar is None:
            if time.monotonic() - self._begun < SHOWN_AFTER_S:
                return
            self._bar = self._start()
        self._bar.update(self._bar.task_ids[0], completed=done, total=total)

    def close(self) -> None:
        """Take the bar off the screen."""
        if self._bar is not None:
            self._bar.stop()

    def _start(self) -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            *self._counters(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        bar.add_task(self._what)
        bar.start()
        return bar

    def _counters(self) -> tuple[ProgressColumn, ...]:
        from rich.progress import DownloadColumn, MofNCompleteColumn, ProgressColumn, Task
        from rich.text import Text

        unit = self._unit
        in_bytes = unit == "bytes"

        class Rate(ProgressColumn):
            """What is done a second, once that is known."""

            def render(self, task: Task) -> Text:
                speed = int(task.speed or 0)
                return Text(f"{size(speed) if in_bytes else f'{speed:,} {unit}'}/s")

        return (DownloadColumn(binary_units=True) if in_bytes else MofNCompleteColumn(), Rate())
