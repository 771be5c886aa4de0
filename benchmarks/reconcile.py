"""Two nodes compare their sets by ranges: bytes on the wire, rounds, and the processor time of both."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from benchmarks.measure import Figure, Note, best_of, thread_us
from hitp2p.protocol.frames import encode_frame, parse_frame
from hitp2p.protocol.messages import Ranges, Recon
from hitp2p.protocol.ranges import Reconciliation, SyncSet, answer_ranges, cid_of

LENGTH_BYTES = 4
"""Of a frame, before what `parse_frame` reads."""
DIGEST_BYTES = 32
EACH_GENERATION = 3
TOPIC = cid_of(bytes(32))


def figures(*, smoke: bool) -> Iterator[Figure | Note]:
    """Comparisons at 10^2 to 10^6 keys, and what a set of them costs."""
    chance = Random(10)
    yield Note(
        text="floor: 32 bytes for each key that differs; processor time of both sides, frames included"
    )
    for n in (10**2, 10**3) if smoke else (10**2, 10**3, 10**4, 10**5, 10**6):
        keys = _keys(n, chance)
        other = SyncSet(keys)
        for name, missing in _cases(keys, chance):
            own = SyncSet(keys)
            for key in missing:
                own.discard(key)
            yield from _compared(f"{n:,} keys, {name}", own, other, missing, smoke=smoke)
            del own
    yield from _set_figures(10**3 if smoke else 10**6, chance, smoke=smoke)


def _keys(n: int, chance: Random) -> list[bytes]:
    return [(i // EACH_GENERATION).to_bytes(8, "big") + chance.randbytes(32) for i in range(n)]


def _cases(keys: list[bytes], chance: Random) -> Iterator[tuple[str, list[bytes]]]:
    """What the one who begins lacks."""
    yield "equal", []
    yield "newest 10", keys[-10:]
    yield "last 1 %", keys[-(len(keys) // 100) :]
    yield "50 scattered", chance.sample(keys, 50)


class _Played(NamedTuple):
    n_bytes: int
    n_rounds: int
    found: set[bytes]


def _play(own: SyncSet, other: SyncSet) -> _Played:
    """A comparison to its end, each message over frames."""
    comparison = Reconciliation(own)
    ranges = comparison.first()
    n_bytes = n_rounds = 0
    while ranges is not None:
        asked = encode_frame(Recon(topic=TOPIC, scope=1, ranges=ranges), 1)
        question = parse_frame(asked[LENGTH_BYTES:]).message
        assert isinstance(question, Recon)
        answered = encode_frame(Ranges(ranges=answer_ranges(other, question.ranges)), 1)
        answer = parse_frame(answered[LENGTH_BYTES:]).message
        assert isinstance(answer, Ranges)
        n_bytes, n_rounds = n_bytes + len(asked) + len(answered), n_rounds + 1
        ranges = comparison.on_answer(answer.ranges)
    return _Played(n_bytes, n_rounds, set(comparison.lacking))


def _compared(
    name: str, own: SyncSet, other: SyncSet, missing: list[bytes], *, smoke: bool
) -> Iterator[Figure]:
    played = _play(own, other)
    if played.found != {key[8:] for key in missing}:
        raise AssertionError(f"{name}: {len(played.found)} of {len(missing)} were found")
    seconds = best_of(lambda: _play(own, other), batches=1 if smoke else 5, clock=time.thread_time)
    goals = {"newest 10": "<= 2 rounds, a few KB", "50 scattered": "<= 100 KB"}
    goal = next((goal for end, goal in goals.items() if name.endswith(end)), "")
    yield Figure(
        name=f"{name}: bytes both ways, rounds: {played.n_rounds}",
        value=played.n_bytes / 1000,
        unit="KB",
        floor=len(missing) * DIGEST_BYTES / 1000 if missing else None,
        goal=goal,
    )
    yield Figure(name=f"{name}: processor time of both", value=seconds * 1e3, unit="ms")


def _set_figures(n: int, chance: Random, *, smoke: bool) -> Iterator[Figure]:
    keys = _keys(n, chance)
    seconds = best_of(lambda: SyncSet(keys), batches=1 if smoke else 3, clock=time.thread_time)
    yield Figure(name=f"make a set of {n:,} keys", value=seconds, unit="s", goal="a few seconds")
    own = SyncSet(keys)
    new = iter(_keys(10**5, chance))
    times, batches = (10, 2) if smoke else (500, 20)

    def each(name: str, cost: float) -> Figure:
        return Figure(name=f"{name}, of {n:,} keys", value=cost, unit="us")

    here, low, high = keys[n // 2][8:], keys[n // 3], keys[n // 3 * 2]
    cost = thread_us(lambda: own.has_digest(here), times=times, batches=batches)
    yield each("look for a digest", cost)
    cost = thread_us(lambda: own.fingerprint(low, high), times=times, batches=batches)
    yield each("fingerprint of a third", cost)
    yield each("add a key", thread_us(lambda: own.add(next(new)), times=times, batches=batches))
    yield Figure(
        name="memory of a key", value=_bytes_a_key(keys[: 10**5]), unit="bytes", goal="<= 120"
    )


def _bytes_a_key(keys: list[bytes]) -> float:
    gc.collect()
    tracemalloc.start()
    try:
        own = SyncSet(keys)
        return tracemalloc.get_traced_memory()[0] / len(own)
    finally:
        tracemalloc.stop()
