"""Frames of the node: written and read with every check, beside msgpack alone, and beside the hash that blocks cost."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgpack

from benchmarks.measure import Figure, thread_us
from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.limits import BLOCK_BYTES, NODE_BLOCKS_FRAME_BYTES, NODE_FRAME_BYTES
from hitp2p.protocol.frames import FrameReader, encode_frame
from hitp2p.protocol.messages import Blocks, Get, Message, Push, Range, Recon

TOPIC = Cid.of(DAG_CBOR, b"topic")
OBJECT = bytes(range(250)) + bytes(200)


def _read(reader: FrameReader, stream: bytes) -> int:
    """How many frames a stream holds, in pieces as a socket gives them."""
    n_frames = 0
    for at in range(0, len(stream), NODE_FRAME_BYTES):
        reader.feed(stream[at : at + NODE_FRAME_BYTES])
        n_frames += sum(1 for _ in reader.frames())
    return n_frames


def figures(*, smoke: bool) -> Iterator[Figure]:
    """One object pushed; the longest GET; a message of ranges; a large block; many small frames in a row."""
    times, batches = (5, 2) if smoke else (200, 30)
    reader = FrameReader()
    reader.limit = NODE_BLOCKS_FRAME_BYTES

    def both(message: Message, number: int) -> float:
        def run() -> None:
            _read(reader, encode_frame(message, number))

        return thread_us(run, times=times, batches=batches)

    def bare(message: Message, number: int) -> float:
        value = msgpack.unpackb(encode_frame(message, number)[4:])
        return thread_us(
            lambda: msgpack.unpackb(msgpack.packb(value)), times=times, batches=batches
        )

    ranges = [Range(n.to_bytes(40, "big"), 1, n, bytes(16)) for n in range(1, 256)]
    samples: tuple[tuple[str, Message, int, str], ...] = (
        ("PUSH of an object of 450 bytes", Push(topic=TOPIC, objects=(OBJECT,)), 0, "<= 25 us"),
        ("GET of 256 CIDs", Get(topic=TOPIC, cids=(TOPIC,) * 256), 1, ""),
        (
            "RECON of 256 ranges",
            Recon(topic=TOPIC, scope=1, ranges=(*ranges, Range(b"", 0))),
            1,
            "",
        ),
    )
    for name, message, number, goal in samples:
        yield Figure(
            name=f"write and read {name}, over msgpack alone",
            value=both(message, number),
            unit="us",
            floor=bare(message, number),
            goal=goal,
        )
    block = bytes(BLOCK_BYTES)
    times, batches = (1, 2) if smoke else (5, 20)
    yield Figure(
        name="write and read BLOCKS of 2 MiB, over SHA-256",
        value=both(Blocks(blocks=(block,), last=True), 1),
        unit="us",
        floor=thread_us(lambda: hashlib.sha256(block).digest(), times=times, batches=batches),
    )
    n_frames = 20 if smoke else 2000
    stream = encode_frame(Push(topic=TOPIC, objects=(OBJECT,))) * n_frames
    yield Figure(
        name=f"read a PUSH among {n_frames} in a stream, over SHA-256 of its object",
        value=thread_us(lambda: _read(reader, stream), times=1, batches=batches) / n_frames,
        unit="us",
        floor=thread_us(lambda: hashlib.sha256(OBJECT).digest(), times=500, batches=batches),
    )
