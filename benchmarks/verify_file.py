"""Checking a large file: SHA-256 and UnixFS CID in one pass, beside programs that make the SHA-256 alone."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.measure import Figure, own_peak_kib, peak_mib, wall_medians_s
from benchmarks.peers import program, say_missing
from hitp2p.verifier import measure_file

_MIB = 1024 * 1024


def figures(*, smoke: bool) -> Iterator[Figure]:
    """1 GiB from the page cache, in turn with each peer; ours hashes on two threads, theirs on one."""
    n_mib, rounds = (8, 1) if smoke else (1024, 7)
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "large.bin"
        with file.open("wb") as stream:
            for _ in range(n_mib):
                stream.write(os.urandom(_MIB))
            os.fsync(stream.fileno())  # so that nothing is written while it is read
        peers = list(_peers(file))
        ours, *theirs = wall_medians_s(
            (lambda: measure_file(file), 1), *((run, 1) for _, run, _ in peers), rounds=rounds
        )
        title = f"hash a file of {n_mib} MiB, whole and as UnixFS, in one pass"
        for (peer, run, goal), seconds in zip(peers, theirs, strict=True):
            yield Figure(
                name=f"{title}, against {peer}",
                value=n_mib / ours,
                unit="MiB/s",
                floor=n_mib / seconds,
                goal=goal,
            )
            yield Figure(
                name=f"processor time of it on all cores, against {peer}",
                value=_cpu_s(lambda: measure_file(file)),
                unit="s",
                floor=_cpu_s(run),
            )
        yield Figure(
            name=f"peak memory of hashing {n_mib} MiB, against 1 MiB",
            value=peak_mib(__name__, file),
            unit="MiB",
            floor=peak_mib(__name__, _short(file)),
            goal="< 200 MB, flat",
        )


def _peers(file: Path) -> Iterator[tuple[str, Callable[[], object], str]]:
    """Name, run and goal of each that is here."""
    openssl = program("openssl", "apt-get install openssl")
    if openssl is not None:
        yield "openssl dgst -sha256", _running(openssl, "dgst", "-sha256", str(file)), ">= 0.8 x"
    own = _sha256sum_without_openssl()
    if own is not None:
        yield "a sha256sum without OpenSSL", _running(own, str(file)), ">= 1.5 x"


def _sha256sum_without_openssl() -> str | None:
    """Some builds of coreutils let OpenSSL hash, which would be the same peer twice."""
    path = program("sha256sum", "it comes with GNU coreutils")
    linked = path and subprocess.run(["ldd", path], capture_output=True, text=True, check=True)
    if linked and "libcrypto" in linked.stdout:
        say_missing("a sha256sum without OpenSSL", f"{path} here lets libcrypto hash")
        return None
    return path


def _running(*words: str) -> Callable[[], object]:
    return lambda: subprocess.run(words, check=True, capture_output=True)


def _cpu_s(run: Callable[[], object]) -> float:
    """Processor time of this process with all its threads, and of programs that it ran meanwhile."""

    def used() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + children.ru_utime + children.ru_stime

    before = used()
    run()
    return used() - before


def _short(file: Path) -> Path:
    short = file.with_name("short.bin")
    with file.open("rb") as stream:
        short.write_bytes(stream.read(_MIB))
    return short


if __name__ == "__main__":
    measure_file(Path(sys.argv[1]))
    print(own_peak_kib())
