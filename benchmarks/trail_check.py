"""Checking a trail that came as a CAR: hash, strict decode, rules, parents, signature."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from benchmarks.measure import Figure, wall_s
from benchmarks.samples import trail
from hitp2p.codec.car import CarReader, CarWriter
from hitp2p.codec.cid import Cid
from hitp2p.keys.ed25519 import OBJECT_DOMAIN, verify
from hitp2p.objects.batch import verify_objects
from hitp2p.objects.envelope import SignedObject
from hitp2p.trail.check import verify_in_trail

WORKERS = min(2, os.cpu_count() or 1)


def figures(*, smoke: bool) -> Iterator[Figure]:
    """One check of 10^4 objects against the same hashes and signature checks alone, on the same threads."""
    objects = trail(100 if smoke else 10_000, fan_in=2)
    sink = io.BytesIO()
    writer = CarWriter(sink, (objects[-1].cid,))
    for obj in objects:
        writer.write(obj.cid, obj.block)
    data = sink.getvalue()
    with ThreadPoolExecutor(WORKERS) as executor:

        def check() -> None:
            known: dict[Cid, SignedObject] = {}
            blocks = ((block.cid, block.data) for block in CarReader(io.BytesIO(data)))
            for obj in verify_objects(blocks, executor=executor):
                known[obj.cid] = verify_in_trail(obj, known.get)

        def floor_part(part: list[SignedObject]) -> None:
            for obj in part:
                hashlib.sha256(obj.block).digest()
                message = bytes((obj.block[0] - 1,)) + obj.block[71:]
                verify(obj.signer, obj.block[7:71], OBJECT_DOMAIN, message)

        def floor() -> None:
            parts = [objects[n::WORKERS] for n in range(WORKERS)]
            list(executor.map(floor_part, parts))

        batches = 1 if smoke else 5
        value, least = wall_s(check, batches=batches), wall_s(floor, batches=batches)
    yield Figure(
        name=f"check a trail of {len(objects)} objects",
        value=value / len(objects) * 1e6,
        unit="us an object",
        floor=least / len(objects) * 1e6,
        goal="<= 1.5 x, with fast <= 1.4 x",
    )
