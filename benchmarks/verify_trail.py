"""Checking a whole trail from its file, beside git: `fsck`, which looks at no signature, and `verify-commit`, which does."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from statistics import median

import hitp2p
from benchmarks.git_commits import git, make_commits
from benchmarks.measure import Figure, Note, own_peak_kib, peak_mib, wall_in_turn_s, wall_medians_s
from benchmarks.peers import program
from benchmarks.samples import trail
from hitp2p.codec.car import CarReader, CarWriter
from hitp2p.codec.cid import Cid
from hitp2p.keys.ed25519 import verify_many
from hitp2p.limits import VERIFY_BYTES
from hitp2p.objects.batch import verify_objects
from hitp2p.objects.envelope import SignedObject
from hitp2p.second_core import SecondCore
from hitp2p.store.contract import WriteBatch
from hitp2p.trail.check import verify_in_trail
from hitp2p.trail.graph import count_generations
from hitp2p.trail.standing import Standing, StandingAuditor

CORES = min(2, os.cpu_count() or 1)


def figures(*, smoke: bool) -> Iterator[Figure | Note]:
    """10^4 objects with two parents each, and as many commits; files from the page cache."""
    n_works, n_commits, rounds = (40, 4, 1) if smoke else (10_000, 300, 7)
    objects = trail(n_works, fan_in=2, joined=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "trail.car"
        _write(file, objects)
        yield from _beside_git(folder, file, objects, n_commits=n_commits, rounds=rounds)
        yield Figure(
            name="peak memory of the check on one core",
            value=peak_mib(__name__, "check", file),
            unit="MiB",
            goal="< 200 MB",
        )
        yield from _reports(folder, objects, rounds=rounds)


def _beside_git(
    folder: Path, file: Path, objects: list[SignedObject], *, n_commits: int, rounds: int
) -> Iterator[Figure | Note]:
    runs = _git_runs(folder, objects, n_commits)
    n_objects = len(objects)
    ours, alone, *theirs = _taken(file, runs, rounds)
    if not theirs:
        yield _figure(n_objects, min(ours))
        return
    yield Note(
        text=f"{git(folder, 'version')().strip()}, settings as shipped; each the best of {rounds} runs in turn, unless a row says so"
    )
    packed, loose, verified = ([s / n_objects for s in taken] for taken in theirs)
    after_gc = "git fsck --full after git gc"
    yield _figure(n_objects, min(ours), after_gc, min(packed), "<= 2.5 x")
    yield _figure(n_objects, median(ours), f"{after_gc}, medians", median(packed))
    yield _figure(n_objects, min(alone), f"{after_gc}, both on one core", min(packed))
    yield _figure(n_objects, min(ours), "git fsck --full of loose objects", min(loose))
    peer, goal = f"git verify-commit of {n_commits}", ">= 150 x faster"
    per_commit = min(verified) * n_objects / n_commits
    yield _figure(n_objects, min(ours), peer, per_commit, goal, ratio_is_speed=True)


def _git_runs(
    folder: Path, objects: list[SignedObject], n_commits: int
) -> list[Callable[[], object]]:
    """fsck of a packed repository, of a loose one, and a check of the last `n_commits` signatures; nothing without git."""
    advice = "apt-get install git openssh-client"
    if not (program("git", advice) and program("ssh-keygen", advice)):
        return []
    packed, loose = folder / "packed", folder / "loose"
    make_commits(loose, _shape(objects))
    names = make_commits(packed, _shape(objects))
    git(packed, "gc", "-q")()
    return [
        git(packed, "fsck", "--full"),
        git(loose, "fsck", "--full"),
        git(packed, "verify-commit", *names[-n_commits:]),
    ]


def _taken(file: Path, runs: list[Callable[[], object]], rounds: int) -> tuple[list[float], ...]:
    """Seconds of our check on two cores, of the same on one, and of the others."""
    with SecondCore() as second:
        second.submit(verify_many, []).result()  # so that starting it isn't measured
        return wall_in_turn_s(
            (lambda: _check(file, second if CORES > 1 else None), 1),
            (lambda: _check(file, None), 1),
            *((run, 1) for run in runs),
            rounds=rounds,
        )


def _figure(
    n_objects: int,
    seconds: float,
    peer: str | None = None,
    their_s: float | None = None,
    goal: str = "",
    *,
    ratio_is_speed: bool = False,
) -> Figure:
    beside = "" if peer is None else f", against {peer}"
    return Figure(
        name=f"check a trail of {n_objects} objects, from its file{beside}",
        value=seconds / n_objects * 1e6,
        unit="us an object",
        floor=None if their_s is None else their_s * 1e6,
        goal=goal,
        ratio_is_speed=ratio_is_speed,
    )


def _shape(objects: list[SignedObject]) -> Iterator[tuple[int, ...]]:
    """A commit for each object, its parents those of the works; what comes before the first work is a line."""
    numbers = {obj.cid: number for number, obj in enumerate(objects)}
    for number, obj in enumerate(objects):
        parents = tuple(numbers[parent] for parent in obj.parents)
        yield parents or ((number - 1,) if number else ())


def _write(file: Path, objects: list[SignedObject]) -> None:
    with file.open("wb") as sink:
        writer = CarWriter(sink, (objects[-1].cid,))
        for obj in objects:
            writer.write(obj.cid, obj.block)


def _check(file: Path, executor: Executor | None) -> None:
    """Every hash, rule, signature and link; then all generations, and the standing of each object."""
    known: dict[Cid, SignedObject] = {}
    events: dict[Cid, list[SignedObject]] = {}
    with file.open("rb") as stream:
        blocks = ((block.cid, block.data) for block in CarReader(stream))
        for obj in verify_objects(blocks, executor=executor):
            known[obj.cid] = verify_in_trail(obj, known.get)
            if obj.kind == "identity":
                events.setdefault(obj.identity, []).append(obj)
    count_generations(known, lambda cid: known[cid].required)
    auditor = StandingAuditor(events=events.__getitem__, lookup=known.get, blocks={})
    for obj in known.values():
        if auditor.standing(obj) is not Standing.GOOD:
            raise RuntimeError(f"{obj.cid} is not in good standing")


# --- the whole report -------------------------------------------------------------------------------


def _reports(folder: Path, objects: list[SignedObject], *, rounds: int) -> Iterator[Figure]:
    """`hitp2p.verify` of the last work, whose bundle has as many of the objects as a report may hold."""
    objects = list(_fitting(objects))
    file = folder / "take.ogg"
    file.write_bytes((len(objects) - 5).to_bytes(8, "big"))  # four objects come before the first
    with hitp2p.open(":memory:") as ws:
        ws.store.put(WriteBatch(objects=objects), durable=False)
        ws.export(objects[-1].cid, file.with_name(f"{file.name}.car"))
    (seconds,) = wall_medians_s((lambda: _report(file), 1), rounds=rounds)
    yield Figure(
        name=f"hitp2p.verify with a bundle of {len(objects)} objects: check, audit and report",
        value=seconds / len(objects) * 1e6,
        unit="us an object",
    )
    yield Figure(
        name="peak memory of it",
        value=peak_mib(__name__, "report", file),
        unit="MiB",
        goal="< 200 MB",
    )


def _fitting(objects: list[SignedObject]) -> Iterator[SignedObject]:
    """The first ones, up to the bytes that `verify` holds; each also takes about 50 in the snapshot."""
    n_bytes = 0
    for obj in objects:
        n_bytes += len(obj.block) + 50
        if n_bytes > VERIFY_BYTES:
            return
        yield obj


def _report(file: Path) -> None:
    report = hitp2p.verify(file)
    if report.match is None:
        raise RuntimeError(f"not verified: {report.because}")


if __name__ == "__main__":
    {"check": lambda file: _check(file, None), "report": _report}[sys.argv[1]](Path(sys.argv[2]))
    print(own_peak_kib())
