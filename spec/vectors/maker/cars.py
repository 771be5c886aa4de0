"""car.json: chapter 01, CAR files."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

from maker import wire
from maker.book import Book
from maker.cids import BLOCK, LINK, MIB, v1
from maker.wire import Link, car, car_header, cid, encode, multihash, section, varint


def cars() -> Book:
    book = Book("codec")
    raw_block = b"raw bytes"
    blocks = [(bytes(LINK), BLOCK), (bytes(cid(raw_block, wire.RAW)), raw_block)]
    good = car([LINK], blocks)

    def header(data: bytes) -> bytes:
        return varint(len(data)) + data + section(*blocks[0])

    def ok(
        name: str, rule: str, comment: str, data: bytes, n_blocks: int, n_unchecked: int = 0
    ) -> None:
        book.valid(name, rule, comment, "car", data, n_blocks=n_blocks, n_unchecked=n_unchecked)

    def bad(name: str, rule: str, comment: str, data: bytes, **more: Any) -> None:
        book.invalid(name, rule, comment, "car", data, **more)

    ok("two-blocks", "CAR-1", "a header, two sections", good, 2)
    ok("no-blocks", "CAR-1", "a header alone", car([LINK], []), 0)
    ok("root-absent", "CAR-1", "the root is not in the file", car([cid(b"x", wire.RAW)], blocks), 2)
    ok(
        "root-v0",
        "CAR-1",
        "a root of version 0",
        car([Link(multihash(0x12, wire.sha256(BLOCK)))], blocks),
        2,
    )
    many = [cid(bytes([n]), wire.RAW) for n in range(65)]
    ok("64-roots", "CAR-1", "64 roots", car(many[:64], blocks), 2)
    bad("65-roots", "CAR-1", "65 roots", car(many, blocks))
    bad("no-roots", "CAR-1", "an empty list of roots", car([], blocks))
    for name, value, why in (
        ("version-0", {"roots": [LINK], "version": 0}, "version 0"),
        ("version-3", {"roots": [LINK], "version": 3}, "version 3"),
        ("version-text", {"roots": [LINK], "version": "1"}, "the version as text"),
        ("version-absent", {"roots": [LINK]}, "no version"),
        ("roots-absent", {"version": 1}, "no roots"),
        ("roots-a-link", {"roots": LINK, "version": 1}, "one link in place of a list"),
        ("roots-bytes", {"roots": [bytes(LINK)], "version": 1}, "roots as bytes without a tag"),
        ("extra-key", {"roots": [LINK], "version": 1, "comment": ""}, "a third key"),
        ("array", [1, LINK], "an array in place of a map"),
    ):
        bad(name, "CAR-1", why, header(encode(value)))
    bad(
        "keys-swapped",
        "CAR-1",
        "version before roots: not canonical",
        header(b"\xa2\x67version\x01\x65roots\x81" + encode(LINK)),
    )
    bad(
        "version-long",
        "CAR-1",
        "the version not in its shortest form",
        header(b"\xa2\x65roots\x81" + encode(LINK) + b"\x67version\x18\x01"),
    )
    bad(
        "header-trailing",
        "CAR-1",
        "a byte after the header's map",
        header(encode({"roots": [LINK], "version": 1}) + b"\xf6"),
    )
    bad("header-empty", "CAR-1", "a header of no bytes", b"\0" + section(*blocks[0]))
    bad("file-empty", "CAR-1", "no header at all", b"")
    bad(
        "header-over-64-kib",
        "CAR-1",
        "a header that says it has 64 KiB and a byte",
        varint(64 * 1024 + 1) + b"\0" * (64 * 1024 + 1),
    )
    head_only = car_header([LINK])
    size = len(blocks[0][0]) + len(BLOCK)
    bad(
        "length-not-minimal",
        "CAR-2",
        "a length with a needless byte",
        head_only + bytes([size | 0x80, 0]) + LINK + BLOCK,
    )
    bad(
        "length-10-bytes",
        "CAR-2",
        "a length of 10 bytes",
        head_only + b"\xff" * 9 + b"\x01" + LINK + BLOCK,
    )
    bad(
        "header-length-not-minimal",
        "CAR-2",
        "the header's length with a needless byte",
        bytes([head_only[0] | 0x80, 0]) + head_only[1:],
    )
    big = b"\0" * (2 * MIB)
    big_cid = bytes(cid(big, wire.RAW))
    ok("block-2-mib", "CAR-2", "a block of 2 MiB", car([LINK], [(big_cid, big)]), 1)
    bad(
        "section-over",
        "CAR-2",
        "a section of 2 MiB and 129 bytes is announced",
        head_only + varint(2 * MIB + 129) + LINK + BLOCK,
    )
    bad(
        "section-huge",
        "CAR-2",
        "a section of 2^60 bytes is announced",
        head_only + varint(2**60) + LINK + BLOCK,
    )
    flipped = bytes([*BLOCK[:-1], BLOCK[-1] ^ 1])
    blake = v1(wire.DAG_CBOR, wire.BLAKE2B_256, hashlib.blake2b(BLOCK, digest_size=32).digest())
    inline = v1(wire.DAG_CBOR, wire.IDENTITY, BLOCK)
    sha1 = v1(wire.DAG_CBOR, wire.SHA1, hashlib.sha1(BLOCK).digest())
    ok(
        "v0",
        "CAR-3",
        "a section under a CIDv0",
        car([LINK], [(multihash(0x12, wire.sha256(BLOCK)), BLOCK)]),
        1,
    )
    ok("blake2b", "CAR-3", "a section under blake2b-256", car([LINK], [(blake, BLOCK)]), 1)
    ok("identity", "CAR-3", "a section under the identity hash", car([LINK], [(inline, BLOCK)]), 1)
    ok("sha1", "CAR-3", "a hash that is not checked: sha1", car([LINK], [(sha1, BLOCK)]), 1, 1)
    ok(
        "sha1-wrong",
        "CAR-3",
        "a hash that is not checked: its bytes may be anything",
        car([LINK], [(sha1, flipped)]),
        1,
        1,
    )
    for name, binary in {"sha2": LINK, "blake2b": blake, "identity": inline}.items():
        bad(
            f"{name}-wrong",
            "CAR-3",
            "one bit of the block is another",
            car([LINK], [(binary, flipped)]),
        )
    bad(
        "second-wrong",
        "CAR-3",
        "the second of two blocks",
        car([LINK], [blocks[0], (blocks[1][0], b"other")]),
    )
    bad("cut-block", "CAR-4", "the last byte is missing", good[:-1])
    bad("cut-length", "CAR-4", "the file ends in a length", head_only + b"\x80")
    bad("cut-header", "CAR-4", "the file ends in the header", head_only[:-1])
    bad(
        "section-cid-cut",
        "ENC-14",
        "a section that is shorter than its CID",
        head_only + varint(20) + LINK[:20],
    )
    bad("section-empty", "ENC-14", "a section of no bytes", head_only + b"\0")
    bad(
        "section-cid-codec-not-minimal",
        "ENC-14",
        "a section's CID is not canonical",
        car([LINK], [(b"\x01\xf1\x00" + LINK[2:], BLOCK)]),
    )
    pragma = varint(10) + encode({"version": 2})

    def version_two(offset: int, size: int, data: bytes, index: int = 0) -> bytes:
        return (
            pragma
            + b"\0" * 16
            + b"".join(struct.pack("<Q", n) for n in (offset, size, index))
            + data
        )

    ok("v2", "CAR-4", "a CAR v2", version_two(51, len(good), good), 2)
    ok(
        "v2-padded-with-index",
        "CAR-4",
        "padding before the data, an index after it",
        version_two(60, len(good), b"\0" * 9 + good + b"index", 60 + len(good)),
        2,
    )
    bad(
        "v2-data-outside",
        "CAR-4",
        "the data part ends a byte behind the file",
        version_two(51, len(good) + 1, good),
    )
    bad(
        "v2-offset-outside",
        "CAR-4",
        "the data part starts behind the file",
        version_two(51 + len(good) + 1, 10, good),
    )
    bad(
        "v2-offset-in-header",
        "CAR-4",
        "the data part starts inside the header",
        version_two(50, len(good), good),
    )
    bad(
        "v2-cut-header",
        "CAR-4",
        "the v2 header ends early",
        version_two(51, 0, b"")[:-1],
        also=["CAR-1"],
    )
    return book
