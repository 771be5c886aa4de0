"""Adding a large file to a workspace, beside copying it; and how much memory that takes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import hitp2p
from benchmarks.measure import Figure, own_peak_kib, peak_mib, wall_s

_MIB = 1024 * 1024


def figures(*, smoke: bool) -> Iterator[Figure]:
    """1 GiB, each time into a fresh workspace, in turn with the peer; memory in a process of its own."""
    n_mib = 4 if smoke else 1024
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "large.bin"
        with source.open("wb") as file:
            for _ in range(n_mib):
                file.write(os.urandom(_MIB))
            os.fsync(file.fileno())
        least, ours = _seconds(folder, source, batches=1 if smoke else 9)
        yield Figure(
            name=f"add a file of {n_mib} MiB, against cp and sync",
            value=n_mib / ours,
            unit="MiB/s",
            floor=n_mib / least,
            goal=">= 0.5 x",
        )
        yield Figure(
            name=f"peak memory of adding {n_mib} MiB",
            value=peak_mib(__name__, folder / "memory", source),
            unit="MiB",
            floor=peak_mib(__name__, folder / "nothing"),
            goal="flat",
        )


def _seconds(folder: Path, source: Path, *, batches: int) -> tuple[float, float]:
    """Medians of copying and of adding. Both make a new file; what was made is removed between, unmeasured."""
    copied: list[float] = []
    added: list[float] = []
    for _ in range(batches):
        copied.append(wall_s(lambda: _copy(folder / "copy", source), batches=1))
        (folder / "copy").unlink()
        os.sync()
        added.append(wall_s(lambda: _contribute(folder / "ws", source), batches=1))
        shutil.rmtree(folder / "ws")
        os.sync()
    return median(copied), median(added)


def _copy(target: Path, source: Path) -> None:
    subprocess.run(["cp", str(source), str(target)], check=True)
    subprocess.run(["sync", str(target)], check=True)


def _contribute(folder: Path, source: Path | None) -> None:
    ana = hitp2p.Identity.create("Ana")
    with hitp2p.open(folder) as ws:
        project = ws.create_project("P", by=ana)
        ws.contribute(project, () if source is None else source, title="W", by=ana)


if __name__ == "__main__":
    _contribute(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    print(own_peak_kib())
