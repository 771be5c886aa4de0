"""msgpack by hand. Writes anything, right or wrong; `Raw` goes in as it is."""

from __future__ import annotations

import struct
from typing import Any

from maker.wire import Raw

NIL, UNUSED, FALSE, TRUE = b"\xc0", b"\xc1", b"\xc2", b"\xc3"


def _sized(n: int, forms: tuple[tuple[int, int], ...]) -> bytes:
    """The first of (bytes of the number, first byte) that `n` fits into."""
    for size, first in forms:
        if n < 1 << 8 * size:
            return bytes([first]) + n.to_bytes(size, "big")
    raise ValueError(n)


def integer(n: int) -> bytes:
    if -32 <= n < 128:
        return struct.pack("b", n)
    if n >= 0:
        return _sized(n, ((1, 0xCC), (2, 0xCD), (4, 0xCE), (8, 0xCF)))
    for size, first in ((1, 0xD0), (2, 0xD1), (4, 0xD2), (8, 0xD3)):
        if n >= -(1 << 8 * size - 1):
            return bytes([first]) + n.to_bytes(size, "big", signed=True)
    raise ValueError(n)


def text_head(n: int) -> bytes:
    return bytes([0xA0 + n]) if n < 32 else _sized(n, ((1, 0xD9), (2, 0xDA), (4, 0xDB)))


def bytes_head(n: int) -> bytes:
    return _sized(n, ((1, 0xC4), (2, 0xC5), (4, 0xC6)))


def array_head(n: int) -> bytes:
    return bytes([0x90 + n]) if n < 16 else _sized(n, ((2, 0xDC), (4, 0xDD)))


def map_head(n: int) -> bytes:
    return bytes([0x80 + n]) if n < 16 else _sized(n, ((2, 0xDE), (4, 0xDF)))


def pack(value: Any) -> bytes:
    """The shortest form of everything; the entries of a map in their order."""
    match value:
        case Raw():
            return bytes(value)
        case None:
            return NIL
        case bool():
            return TRUE if value else FALSE
        case int():
            return integer(value)
        case str():
            return text_head(len(value.encode())) + value.encode()
        case bytes():
            return bytes_head(len(value)) + value
        case list() | tuple():
            return array_head(len(value)) + b"".join(map(pack, value))
        case dict():
            entries = (pack(key) + pack(item) for key, item in value.items())
            return map_head(len(value)) + b"".join(entries)
    raise TypeError(type(value))
