"""How long the command takes to start, in processor time of the whole process over `python -c pass`."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hitp2p
from benchmarks.measure import Figure


def figures(*, smoke: bool) -> Iterator[Figure]:
    """`hitp2p --help` and `hitp2p show`."""
    times = 3 if smoke else 20
    bare = _cpu_ms(["-c", "pass"], times)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with hitp2p.open(folder) as ws:
            ana = hitp2p.Identity.create("Ana")
            work = ws.contribute(ws.create_project("P", by=ana), title="W", by=ana)
        show = ["-m", "hitp2p", "--workspace", str(folder), "show", str(work.cid)]
        for title, words in (("hitp2p --help", ["-m", "hitp2p", "--help"]), ("hitp2p show", show)):
            yield Figure(
                name=f"{title}, over python -c pass",
                value=_cpu_ms(words, times) - bare,
                unit="ms of CPU",
                goal="<= 60 ms",
            )


def _cpu_ms(words: list[str], times: int) -> float:
    best = float("inf")
    for _ in range(times):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *words], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime
        best = min(best, used - before.ru_utime - before.ru_stime)
    return best * 1e3
