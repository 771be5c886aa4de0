"""Checking a trail that came as a CAR: hash, strict decode, rules, parents, signature."""

from __future__ import annotations

import hashlib
import io
import os
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

from benchmarks.measure import Figure
from benchmarks.samples import trail
from hitp2p.codec.car import CarReader, CarWriter
from hitp2p.codec.cid import Cid
from hitp2p.keys.ed25519 import OBJECT_DOMAIN, verify_many
from hitp2p.objects.batch import verify_objects
from hitp2p.objects.envelope import SignedObject
from hitp2p.second_core import SecondCore
from hitp2p.trail.check import verify_in_trail

CORES = min(2, os.cpu_count() or 1)


def figures(*, smoke: bool) -> Iterator[Figure]:
    """A check of 10^4 objects, in turn with the same hashes and bare signature checks on as many cores."""
    objects = trail(100 if smoke else 10_000, fan_in=2)
    data, floor = _car(objects), _floor(objects)
    n_objects = len(objects)
    del objects  # the check begins with bytes, and no object in memory
    with ThreadPoolExecutor(CORES) as threads, SecondCore() as second:
        executor = second if CORES > 1 else None
        second.submit(verify_many, []).result()  # so that starting it isn't measured
        least, taken = _in_turn(
            lambda: floor(threads), lambda: _check(data, executor), rounds=1 if smoke else 9
        )
    for name, choose, goal in (
        ("best", min, "<= 1.5 x, with fast <= 1.4 x"),
        ("median", statistics.median, ""),
    ):
        yield Figure(
            name=f"check a trail of {n_objects} objects ({name} of {len(taken)} runs)",
            value=choose(taken) / n_objects * 1e6,
            unit="us an object",
            floor=choose(least) / n_objects * 1e6,
            goal=goal,
        )


def _car(objects: list[SignedObject]) -> bytes:
    sink = io.BytesIO()
    writer = CarWriter(sink, (objects[-1].cid,))
    for obj in objects:
        writer.write(obj.cid, obj.block)
    return sink.getvalue()


def _check(data: bytes, executor: Executor | None) -> None:
    """All that makes a file of objects a trail that is verified and in memory."""
    known: dict[Cid, SignedObject] = {}
    blocks = ((block.cid, block.data) for block in CarReader(io.BytesIO(data)))
    for obj in verify_objects(blocks, executor=executor):
        known[obj.cid] = verify_in_trail(obj, known.get)


def _floor(objects: list[SignedObject]) -> Callable[[Executor], None]:
    """SHA-256 of each block and the library's own call with each signature, the message put together beforehand."""
    verify_bare = _bare_verify()
    claims = [
        (obj.block, obj.signer, obj.signature, OBJECT_DOMAIN + obj.signed_bytes) for obj in objects
    ]

    def part(number: int) -> None:
        for block, public, signature, message in claims[number::CORES]:
            hashlib.sha256(block).digest()
            verify_bare(public, signature, message)

    def run(threads: Executor) -> None:
        list(threads.map(part, range(CORES)))

    return run


def _bare_verify() -> Callable[[bytes, bytes, bytes], object]:
    """The public call of the library that hitp2p uses here."""
    try:
        from nacl.bindings import crypto_sign_open
    except ImportError:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        return lambda public, signature, message: Ed25519PublicKey.from_public_bytes(public).verify(
            signature, message
        )
    return lambda public, signature, message: crypto_sign_open(signature + message, public)


def _in_turn(*runs: Callable[[], object], rounds: int) -> list[list[float]]:
    """Seconds by the clock on the wall of each run, round by round."""
    taken: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for run, seconds in zip(runs, taken, strict=True):
            start = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - start)
    return taken
