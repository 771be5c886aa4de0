"""Reading and writing one object's block, beside the hash that every block costs at least."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from benchmarks.measure import Figure, thread_us
from benchmarks.samples import trail
from hitp2p.codec import fast
from hitp2p.codec.dagcbor import Profile, decode_object, decode_reference, encode


def figures(*, smoke: bool) -> Iterator[Figure]:
    """The pure decoder, the accelerated one where it is installed, and the encoder."""
    block = trail(3)[-1].block
    value = decode_reference(block, profile=Profile.OBJECT)
    times, batches = (10, 2) if smoke else (500, 40)
    sha = thread_us(lambda: hashlib.sha256(block).digest(), times=times, batches=batches)

    def figure(name: str, cost: float, goal: str) -> Figure:
        return Figure(
            name=f"{name} {len(block)} bytes, over SHA-256",
            value=cost,
            unit="us",
            floor=sha,
            goal=goal,
        )

    def decode() -> object:
        return decode_reference(block, profile=Profile.OBJECT)

    yield figure("decode (pure)", thread_us(decode, times=times, batches=batches), "<= 20 us")
    if fast.available:
        with fast.forced(True):
            cost = thread_us(lambda: decode_object(block), times=times, batches=batches)
        yield figure("decode (fast)", cost, "")
    cost = thread_us(lambda: encode(value, profile=Profile.OBJECT), times=times, batches=batches)
    yield figure("encode", cost, "<= 14 us")
