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
    """`hitp2p --help`, `show` and `verify` of a small file, in turn with the bare interpreter."""
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as away_name:
        folder = Path(name)
        with hitp2p.open(folder) as ws:
            ana = hitp2p.Identity.create("Ana")
            file = folder / "poem.txt"
            file.write_text("The night bus\n", encoding="utf-8")
            work = ws.contribute(ws.create_project("P", by=ana), file, title="W", by=ana)
            away = Path(away_name) / file.name
            away.write_bytes(file.read_bytes())
            ws.export(work, away.with_name(f"{file.name}.car"))
        bare, help_, show, verify = _least_cpu_ms(
            ["-c", "pass"],
            ["-m", "hitp2p", "--help"],
            ["-m", "hitp2p", "--workspace", str(folder), "show", str(work.cid)],
            ["-m", "hitp2p", "verify", str(away)],
            times=3 if smoke else 40,
        )
    for title, ms in (
        ("hitp2p --help", help_),
        ("hitp2p show", show),
        ("hitp2p verify of a small file with its bundle", verify),
    ):
        yield Figure(
            name=f"{title}, over python -c pass",
            value=ms - bare,
            unit="ms of CPU",
            goal="<= 60 ms",
        )


def _least_cpu_ms(*commands: list[str], times: int) -> list[float]:
    """The least that each command took; all of them in turn, so that a busy minute meets all alike."""
    best = [float("inf")] * len(commands)
    for _ in range(times):
        for number, words in enumerate(commands):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, *words], check=True, capture_output=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            best[number] = min(best[number], used * 1e3)
    return best
