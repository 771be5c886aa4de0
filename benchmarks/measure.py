"""How a figure is taken: the cheapest of many short batches, in processor time where a thread does the work alone."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

__all__ = [
    "Figure",
    "Note",
    "best_of",
    "own_peak_kib",
    "peak_mib",
    "thread_us",
    "wall_in_turn_s",
    "wall_medians_s",
    "wall_s",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table."""

    name: str
    """What was done."""
    value: float
    """How long or how much, in `unit`."""
    unit: str
    """`us`, `ms`, `s`, `MiB/s`, `MiB` or `x`."""
    floor: float | None = None
    """What the work costs at least, measured in the same run, in the same unit."""
    goal: str = ""
    """The stated goal for the ratio or the value, as text."""
    ratio_is_speed: bool = False
    """True where the ratio is floor / value, so that more is better."""

    @property
    def ratio(self) -> float | None:
        """Value over floor, or floor over value where more is better."""
        if self.floor is None:
            return None
        return self.floor / self.value if self.ratio_is_speed else self.value / self.floor

    def row(self) -> str:
        """A row of a Markdown table."""
        floor = "" if self.floor is None else f"{self.floor:.4g}"
        ratio = "" if self.ratio is None else f"{self.ratio:.2f} x"
        return f"| {self.name} | {self.value:.4g} {self.unit} | {floor} | {ratio} | {self.goal} |"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A line of the table that says how the next ones were taken."""

    text: str
    """Such as the version and the settings of a peer."""

    def row(self) -> str:
        """A row of a Markdown table."""
        return f"| {self.text} | | | | |"


def best_of(run: Callable[[], object], *, batches: int, clock: Callable[[], float]) -> float:
    """Seconds of the fastest of `batches` runs by `clock`."""
    best = float("inf")
    for _ in range(batches):
        start = clock()
        run()
        best = min(best, clock() - start)
    return best


def thread_us(run: Callable[[], object], *, times: int, batches: int = 20) -> float:
    """Microseconds of this thread's processor time for one call."""

    def batch() -> None:
        for _ in range(times):
            run()

    return best_of(batch, batches=batches, clock=time.thread_time) / times * 1e6


def wall_s(run: Callable[[], object], *, batches: int = 3) -> float:
    """Seconds by the clock on the wall; for work that waits or uses several threads."""
    return best_of(run, batches=batches, clock=time.perf_counter)


def wall_medians_s(*runs: tuple[Callable[[], object], int], rounds: int) -> tuple[float, ...]:
    """The medians of `wall_in_turn_s`."""
    return tuple(map(median, wall_in_turn_s(*runs, rounds=rounds)))


def wall_in_turn_s(*runs: tuple[Callable[[], object], int], rounds: int) -> tuple[list[float], ...]:
    """Seconds of each by the clock on the wall, taken in turn: a disk's good and bad minutes meet all alike.

    Args:
        runs: what is measured, and how many times a round.
        rounds: how often all of them have their turn.
    """
    taken: tuple[list[float], ...] = tuple([] for _ in runs)
    for _ in range(rounds):
        for (run, times), seconds in zip(runs, taken, strict=True):
            seconds.extend(wall_s(run, batches=1) for _ in range(times))
    return taken


def peak_mib(module: str, *words: str | Path) -> float:
    """Peak memory of a fresh process that runs `module`, which prints its `own_peak_kib` as the last word."""
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, words)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return int(done.stdout.split()[-1]) / 1024


def own_peak_kib() -> int:
    """Linux's own high-water mark; `ru_maxrss` would carry over that of the parent."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise RuntimeError("/proc/self/status names no VmHWM; peak memory is measured on Linux only")
