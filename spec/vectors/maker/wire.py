"""Bytes by hand: varints, base32, base58, CIDs, dag-cbor, CAR. Writes anything, right or wrong."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Any

RAW, DAG_PB, DAG_CBOR = 0x55, 0x70, 0x71
SHA2_256, BLAKE2B_256, IDENTITY, SHA1 = 0x12, 0xB220, 0x00, 0x11
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Link(bytes):
    """A binary CID; encoded as tag 42."""


class Raw(bytes):
    """Bytes put into the encoding as they stand: the place for a fault."""


def varint(n: int) -> bytes:
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes([*out, n])


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def base32(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").lower()


def base58(data: bytes) -> str:
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def multihash(code: int, digest: bytes) -> bytes:
    return varint(code) + varint(len(digest)) + digest


def cid(block: bytes, codec: int = DAG_CBOR) -> Link:
    return Link(b"\x01" + varint(codec) + multihash(SHA2_256, sha256(block)))


def cid_text(binary: bytes) -> str:
    return base58(binary) if binary[0] == 0x12 else "b" + base32(binary)


def head(major: int, n: int) -> bytes:
    for size, info in ((1, 24), (2, 25), (4, 26), (8, 27)):
        if n < 24:
            return bytes([major << 5 | n])
        if n < 1 << 8 * size:
            return bytes([major << 5 | info]) + n.to_bytes(size, "big")
    raise ValueError(n)


def encode(value: Any) -> bytes:
    """Canonical dag-cbor; `Raw` goes in as it is."""
    match value:
        case Raw():
            return bytes(value)
        case Link():
            return b"\xd8\x2a" + head(2, len(value) + 1) + b"\0" + value
        case None | False | True:
            return {None: b"\xf6", False: b"\xf4", True: b"\xf5"}[value]
        case int():
            return head(0, value) if value >= 0 else head(1, -1 - value)
        case bytes():
            return head(2, len(value)) + value
        case str():
            data = value.encode()
            return head(3, len(data)) + data
        case list() | tuple():
            return head(4, len(value)) + b"".join(map(encode, value))
        case dict():
            items = sorted((len(k.encode()), k.encode(), v) for k, v in value.items())
            return head(5, len(items)) + b"".join(head(3, n) + k + encode(v) for n, k, v in items)
    raise TypeError(type(value))


def section(binary_cid: bytes, block: bytes) -> bytes:
    return varint(len(binary_cid) + len(block)) + binary_cid + block


def car_header(roots: Iterable[Link]) -> bytes:
    data = encode({"roots": list(roots), "version": 1})
    return varint(len(data)) + data


def car(roots: Iterable[Link], blocks: Iterable[tuple[bytes, bytes]]) -> bytes:
    return car_header(roots) + b"".join(section(c, b) for c, b in blocks)
