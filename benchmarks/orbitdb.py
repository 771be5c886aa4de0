"""Taking in a received trail beside OrbitDB joining a log: both verify all that is new, and hold what they had."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import TypeAlias

from benchmarks.measure import Figure, Note, own_peak_kib, peak_mib, wall_in_turn_s
from benchmarks.peers import program, say_missing
from benchmarks.samples import trail
from hitp2p.codec.cid import Cid
from hitp2p.keys.ed25519 import verify_many
from hitp2p.objects.batch import verify_objects
from hitp2p.objects.envelope import SignedObject
from hitp2p.second_core import SecondCore
from hitp2p.trail.check import verify_in_trail

_FOLDER = Path(__file__).with_name("npm")
_Trail: TypeAlias = tuple[dict[Cid, SignedObject], list[tuple[Cid, bytes]]]


def figures(*, smoke: bool) -> Iterator[Figure | Note]:
    """As many objects as are here already come in, and as many entries into a log."""
    n_new, rounds = (20, 1) if smoke else (2500, 4)
    here, received = _halves(n_new)
    join = _orbitdb(n_new)
    theirs: list[tuple[float, float]] = []
    with SecondCore() as second:
        second.submit(verify_many, []).result()  # so that starting it isn't measured
        on_two, on_one, *_ = wall_in_turn_s(
            (lambda: _take_in(here, received, second), 1),
            (lambda: _take_in(here, received, None), 1),
            *([] if join is None else [(lambda: theirs.append(join()), 1)]),
            rounds=rounds,
        )
    their_us, their_mib = map(min, zip(*theirs, strict=True)) if theirs else (None, None)
    if theirs:
        yield Note(
            text=f"@orbitdb/core 3.0.2, storage in memory, default access: any key may write; on one core; each the best of {rounds} runs in turn"
        )
    beside = ", against an entry in OrbitDB's join" if theirs else ""
    for cores, seconds in (("two cores", on_two), ("one core", on_one)):
        yield Figure(
            name=f"verify {n_new} received objects into a trail of as many, on {cores}{beside}",
            value=min(seconds) / n_new * 1e6,
            unit="us an object",
            floor=their_us,
            goal=">= 25 x faster",
            ratio_is_speed=True,
        )
    yield Figure(
        name=f"peak memory of it on one core{beside}",
        value=peak_mib(__name__, str(n_new)),
        unit="MiB",
        floor=their_mib,
        goal="< 200 MB",
    )


def _halves(n_new: int) -> _Trail:
    """What is here, and what comes."""
    objects = trail(2 * n_new, fan_in=2, joined=True)
    here = {obj.cid: obj for obj in objects[:-n_new]}
    return here, [(obj.cid, obj.block) for obj in objects[-n_new:]]


def _take_in(
    here: dict[Cid, SignedObject], received: list[tuple[Cid, bytes]], executor: Executor | None
) -> None:
    known = dict(here)
    for obj in verify_objects(received, executor=executor):
        known[obj.cid] = verify_in_trail(obj, known.get)


def _orbitdb(n_new: int) -> Callable[[], tuple[float, float]] | None:
    """A run of OrbitDB, which says microseconds an entry and peak MiB; None where it isn't installed."""
    advice = "install node and npm, then run benchmarks/npm/install"
    node = program("node", advice)
    packages = _installed()
    if node is None or packages is None:
        if node is not None:
            say_missing("OrbitDB", advice)
        return None
    script = Path(packages) / "orbitdb_join.mjs"
    script.write_bytes((_FOLDER / script.name).read_bytes())  # it imports what lies beside it
    words = [node, str(script), str(n_new)]

    def run() -> tuple[float, float]:
        done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
        microseconds, kib = map(float, done.stdout.split())
        return microseconds, kib / 1024

    return run


def _installed() -> str | None:
    """The folder with the npm packages; None where they aren't installed."""
    done = subprocess.run(
        [str(_FOLDER / "install"), "--where"], stdout=subprocess.PIPE, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else None


if __name__ == "__main__":
    _take_in(*_halves(int(sys.argv[1])), None)
    print(own_peak_kib())
