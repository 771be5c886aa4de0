"""Small inputs that ask for much: each is refused in a child process that has hardly any memory to spare."""

from __future__ import annotations

import subprocess
import sys

import pytest

CHILD = """
import resource, sys, io
from hitp2p.codec import fast
from hitp2p.codec.car import CarReader
from hitp2p.codec.cid import RAW, Cid
from hitp2p.codec.dagcbor import Profile, decode, decode_reference
from hitp2p.errors import DecodeError
from hitp2p.protocol.frames import FrameReader, parse_frame

with open("/proc/self/statm") as file:
    in_use = int(file.read().split()[0]) * resource.getpagesize()
limit = in_use + 48 * 1024 * 1024
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

MIB = 1 << 20
huge = (1 << 62).to_bytes(8, "big")
link = Cid.of(RAW, b"")
header = bytes.fromhex("3aa265726f6f747381d82a582500") + bytes(link) + bytes.fromhex("6776657273696f6e01")

def cbor(data):
    for profile in Profile:
        for on in {False, fast.available}:
            with fast.forced(on):
                try:
                    decode(data, profile=profile)
                except DecodeError:
                    continue
                raise SystemExit("was accepted")

def car(data):
    for pieces in (io.BytesIO(data), (data[i:i + 1] for i in range(min(len(data), 5000)))):
        try:
            for _ in CarReader(pieces): pass
        except DecodeError:
            continue
        raise SystemExit("was accepted")

def text(value):
    try:
        Cid.parse(value)
    except DecodeError:
        return
    raise SystemExit("was accepted")

def frame(value, accepted=False):
    data = b"\\x93\\x18\\x01\\x81\\xa1a" + value
    try:
        parse_frame(data)
    except DecodeError as error:
        assert error.rule in ("NET-5", "NET-6"), error
    else:
        if not accepted:
            raise SystemExit("was accepted")
    try:
        parse_frame(value)
    except DecodeError:
        return
    raise SystemExit("was accepted")

def stream(data):
    reader = FrameReader()
    try:
        for at in range(0, len(data), 16384):
            reader.feed(data[at:at + 16384])
            for _ in reader.frames(): pass
    except DecodeError:
        return
    raise SystemExit("was accepted")

def control():
    try:
        bytes(64 * MIB)
    except MemoryError:
        return
    raise SystemExit("the limit doesn't bite")

BOMBS = {
    "control: 64 MiB really are too much": control,
    "array of 2^62": lambda: cbor(b"\\x9b" + huge),
    "map of 2^62": lambda: cbor(b"\\xbb" + huge),
    "bytes of 2^62": lambda: cbor(b"\\x5b" + huge),
    "text of 2^62": lambda: cbor(b"\\x7b" + huge),
    "key of 2^62": lambda: cbor(b"\\xa1\\x7b" + huge),
    "link of 2^62": lambda: cbor(b"\\xd8\\x2a\\x5b" + huge),
    "bytes of 2^31": lambda: cbor(b"\\x5a\\x80\\x00\\x00\\x00"),
    "array of 2^20 in an array, a thousand times": lambda: cbor(b"\\x9a\\x00\\x10\\x00\\x00" * 1000),
    "a mebibyte of array heads": lambda: cbor(b"\\x81" * MIB),
    "a mebibyte of map heads": lambda: cbor(b"\\xa1\\x60" * (MIB // 2)),
    "a mebibyte of tags": lambda: cbor(b"\\xd8\\x2a" * (MIB // 2)),
    "a mebibyte of short tags": lambda: cbor(b"\\xc6" * MIB),
    "a mebibyte of indefinite arrays": lambda: cbor(b"\\x9f" * MIB),
    "a block of 16 MiB": lambda: cbor(bytes(16 * MIB)),
    "one key many times": lambda: cbor(b"\\xb9\\xff\\xff" + b"\\x61a\\x00" * 65535),
    "section of 2^62": lambda: car(header + b"\\x3b" + b"\\xff" * 8 + b"\\x7f"),
    "section of 2^40": lambda: car(header[:59] + b"\\x80\\x80\\x80\\x80\\x80\\x20" + bytes(4096)),
    "CAR header of 2^40": lambda: car(b"\\x80\\x80\\x80\\x80\\x80\\x20" + bytes(4096)),
    "CAR header of nested arrays": lambda: car(b"\\x80\\x80\\x04" + b"\\x81" * 65536),
    "CAR v2 with data at 2^62": lambda: car(bytes.fromhex("0aa16776657273696f6e02") + bytes(16) + b"\\0\\0\\0\\0\\0\\0\\0\\x40" * 3),
    "identity hash of 2^62": lambda: car(header + b"\\x0c\\x01\\x55\\x00" + b"\\xff" * 8 + b"\\x3f"),
    "frame with an array of 2^32": lambda: frame(b"\\xdd\\xff\\xff\\xff\\xff"),
    "frame with a map of 2^32": lambda: frame(b"\\xdf\\xff\\xff\\xff\\xff"),
    "frame with 4 GiB of text": lambda: frame(b"\\xdb\\xff\\xff\\xff\\xff"),
    "frame with 4 GiB of bytes": lambda: frame(b"\\xc6\\xff\\xff\\xff\\xff"),
    "frame with 4 GiB of an extension": lambda: frame(b"\\xc9\\xff\\xff\\xff\\xff\\x05"),
    "frame with 64 KiB of array heads": lambda: frame(b"\\x91" * 65000),
    "frame with 2 MiB of array heads": lambda: frame(b"\\x91" * 2 * MIB),
    "frame with arrays of 2,048 in arrays, a thousand deep": lambda: frame(b"\\xdc\\x08\\x00" * 1000),
    "frame with arrays of 65,535 in arrays, as deep as they go": lambda: frame(b"\\xdc\\xff\\xff" * 20000),
    "frame with maps of 64 in maps, as deep as they go": lambda: frame(b"\\xde\\x00\\x40\\xa0" * 16000),
    "frame with 64,000 empty maps, which may be read": lambda: frame(b"\\xdc\\x01\\x00" + (b"\\xdc\\x00\\xf8" + b"\\x80" * 248) * 256, accepted=True),
    "frame with 2 million empty maps": lambda: frame(b"\\xdc\\x08\\x00" + (b"\\xdc\\x04\\x00" + b"\\x80" * 1024) * 2048),
    "frame with 700,000 byte strings of a byte": lambda: frame(b"\\xdc\\x08\\x00" + (b"\\xdc\\x01\\x55" + b"\\xc4\\x01a" * 341) * 2048),
    "frame with one key 64 times, a thousand times": lambda: frame(b"\\xdc\\x01\\xf4" + (b"\\xde\\x00\\x40" + b"\\xa0\\x01" * 64) * 500),
    "stream that announces 4 GiB": lambda: stream(b"\\xff\\xff\\xff\\xff" + bytes(16 * MIB)),
    "stream of frames of no bytes": lambda: stream(bytes(16 * MIB)),
    "ten million characters of base58": lambda: text("Qm" + "z" * 10_000_000),
    "ten million characters of base32": lambda: text("b" + "a" * 10_000_000),
}
BOMBS[sys.argv[1]]()
"""

NAMES = [line.split('"')[1] for line in CHILD.splitlines() if line.startswith('    "')]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc and limits memory")
@pytest.mark.parametrize("name", NAMES)
def test_a_bomb_is_refused_without_much_memory(name: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", CHILD, name], capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 0, result.stderr
