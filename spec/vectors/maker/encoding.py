"""encoding.json: chapter 01, dag-cbor."""

from __future__ import annotations

import struct
from typing import Any

from maker import wire
from maker.book import Book
from maker.cids import BLOCK, LINK, MIB, bad_binary_cids, narrow_cids
from maker.wire import Link, cid, encode, multihash


def nested(levels: int, inner: bytes = b"\x80") -> bytes:
    """`levels` arrays in each other; the innermost is `inner`, where it is an array itself."""
    return b"\x81" * (levels - 1) + inner


def tag42(binary: bytes) -> bytes:
    return b"\xd8\x2a" + wire.head(2, len(binary)) + binary


def dag_cbor() -> Book:
    book = Book("codec")
    both = ("ipld", "object")

    def good(
        name: str, rule: str, comment: str, data: bytes, profiles: tuple[str, ...] = both
    ) -> None:
        for profile in profiles:
            book.valid(f"{name}-{profile}", rule, comment, f"dag-cbor-{profile}", data)

    def bad(
        name: str,
        rule: str,
        comment: str,
        data: bytes,
        profiles: tuple[str, ...] = both,
        **more: Any,
    ) -> None:
        for profile in profiles:
            check = f"dag-cbor-{profile}"
            book.invalid(f"{name}-{profile}", rule, comment, check, data, **more)

    everything = {
        "": [],
        "a": [0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32],
        "b": -1,
        "aa": True,
    }
    everything |= {
        "bb": None,
        "é": "\u0000\U0001f600",
        "c": b"\0\xff",
        "link": LINK,
        "map": {},
        "no": False,
    }
    good("all-types", "ENC-8", "every type of the object profile", encode(everything))
    for n in (0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63 - 1):
        good(f"int-{n}", "ENC-1", "shortest form", encode(n))
        good(f"int-minus-{n + 1}", "ENC-1", "shortest form", encode(-1 - n))
    for name, hexed in {
        "int-23-in-1-byte": "1817",
        "int-255-in-2-bytes": "1900ff",
        "int-65535-in-4-bytes": "1a0000ffff",
        "int-32-bits-in-8-bytes": "1b00000000ffffffff",
        "negative-in-1-byte": "3800",
        "negative-in-2-bytes": "390001",
        "bytes-length-in-1-byte": "580161",
        "text-length-in-1-byte": "780161",
        "text-length-in-8-bytes": "7b000000000000000161",
        "array-length-in-1-byte": "980100",
        "map-length-in-1-byte": "b801616100",
        "key-length-in-1-byte": "a178016100",
        "int-in-a-map": "a161611817",
    }.items():
        bad(name, "ENC-1", "longer than the shortest form", bytes.fromhex(hexed))
    for name, hexed in {
        "bytes": "5f4161ff",
        "text": "7f6161ff",
        "array": "9f00ff",
        "map": "bf616100ff",
        "array-in-a-map": "a161619fff",
    }.items():
        bad(f"indefinite-{name}", "ENC-2", "indefinite length", bytes.fromhex(hexed))
    for name, hexed, why in (
        ("key-int", "a10000", "an integer as key"),
        ("key-bytes", "a1416100", "bytes as key"),
        ("key-null", "a1f600", "null as key"),
        ("key-twice", "a2616100616101", "the same key twice"),
        (
            "key-twice-with-the-same-value",
            "a2616100616100",
            "the same key twice, also with the same value",
        ),
        ("keys-descending", "a2616200616100", "b before a"),
        ("keys-by-bytes-not-length", "a262616100616200", "aa before b: length comes first"),
        ("keys-descending-deep", "a16161a2616200616100", "b before a in an inner map"),
    ):
        bad(name, "ENC-3", why, bytes.fromhex(hexed))
    good("length-first", "ENC-3", "b before aa", bytes.fromhex("a261620062616100"))
    good(
        "keys-by-bytes",
        "ENC-3",
        "keys of one length by bytes, not by code of any locale",
        encode({"Z": 0, "a": 0}),
    )
    for name, data, why in (
        ("tag-0", b"\xc0\x60", "tag 0"),
        ("tag-41", b"\xd8\x29" + encode(LINK)[2:], "tag 41"),
        ("tag-43", b"\xd8\x2b" + encode(LINK)[2:], "tag 43"),
        ("bignum", bytes.fromhex("c249010000000000000000"), "tag 2, a big number"),
        ("tag-42-in-2-bytes", b"\xd9\x00" + encode(LINK)[1:], "tag 42 not in its shortest form"),
        ("link-of-text", b"\xd8\x2a" + encode(wire.cid_text(LINK)), "tag 42 on text"),
        ("link-of-array", b"\xd8\x2a\x80", "tag 42 on an array"),
        ("link-no-bytes", tag42(b""), "tag 42 on no bytes"),
        ("link-without-zero", tag42(LINK), "no zero byte before the CID"),
        ("link-with-one", tag42(b"\x01" + LINK), "another multibase byte than zero"),
    ):
        bad(name, "ENC-4", why, data)
    good("link", "ENC-4", "a link", encode(LINK))
    v0 = multihash(wire.SHA2_256, wire.sha256(BLOCK))
    good("link-v0", "ENC-4", "a CIDv0 in tag 42", encode(Link(v0)), ("ipld",))
    good("float", "ENC-5", "1.5", b"\xfb" + struct.pack(">d", 1.5), ("ipld",))
    good("float-whole", "ENC-5", "1.0 stays a float", b"\xfb" + struct.pack(">d", 1.0), ("ipld",))
    for name, hexed in {
        "half": "f93e00",
        "single": "fa3fc00000",
        "nan": "fb7ff8000000000000",
        "infinity": "fb7ff0000000000000",
        "minus-infinity": "fbfff0000000000000",
        "minus-zero": "fb8000000000000000",
    }.items():
        bad(f"float-{name}", "ENC-5", name, bytes.fromhex(hexed), ("ipld",))
    for name, hexed in {
        "undefined": "f7",
        "reserved": "fe",
        "simple-0": "e0",
        "simple-16": "f0",
        "simple-255": "f8ff",
        "false-in-2-bytes": "f814",
    }.items():
        bad(name, "ENC-6", name, bytes.fromhex(hexed))
    for name, data, why in (
        ("surrogate", b"\x63\xed\xa0\x80", "a surrogate"),
        ("overlong", b"\x62\xc0\x80", "an overlong zero"),
        ("cut", b"\x62\xe2\x82", "two bytes of three"),
        ("latin-1", b"\x61\xe9", "Latin 1"),
        ("above-unicode", b"\x64\xf4\x90\x80\x80", "U+110000"),
        ("in-a-key", b"\xa1\x61\xff\x00", "in a key"),
    ):
        bad(f"text-{name}", "ENC-7", why, data)
    for name, data, why in (
        ("trailing-byte", b"\x00\x00", "a second item"),
        ("trailing-after-map", BLOCK + b"\xf6", "null after the map"),
        ("empty", b"", "no item at all"),
        ("cut-text", BLOCK[:-1], "the last byte is missing"),
        ("cut-head", b"\x19\x01", "a head without its last byte"),
        ("cut-array", b"\x82\x00", "one item of two"),
        ("cut-map", b"\xa1\x61\x61", "a key without value"),
        ("length-huge", b"\x5b\x7f" + b"\xff" * 7, "2^63 - 1 bytes are promised, none are there"),
        ("array-huge", b"\x9b\x7f" + b"\xff" * 7, "2^63 - 1 items are promised, none are there"),
    ):
        bad(name, "ENC-8", why, data)
    for name, hexed in {"array": "9c", "int": "1d", "text": "7e61"}.items():
        bad(
            f"reserved-{name}",
            "ENC-1",
            "additional information 28 to 30 is no form of a length",
            bytes.fromhex(hexed),
        )
    good("depth-1024", "ENC-9", "1,024 levels", nested(1024), ("ipld",))
    good(
        "depth-1024-link",
        "ENC-9",
        "1,023 arrays and a tag",
        b"\x81" * 1023 + encode(LINK),
        ("ipld",),
    )
    bad("depth-1025", "ENC-9", "1,025 levels", nested(1025), ("ipld",))
    bad(
        "depth-1025-link",
        "ENC-9",
        "1,024 arrays and a tag",
        b"\x81" * 1024 + encode(LINK),
        ("ipld",),
    )
    good("block-2-mib", "ENC-9", "2 MiB", encode(b"\0" * (2 * MIB - 5)))
    bad("block-over-2-mib", "ENC-9", "2 MiB and a byte", encode(b"\0" * (2 * MIB - 4)))
    bad(
        "float",
        "ENC-10",
        "a float that the IPLD profile takes",
        b"\xfb" + struct.pack(">d", 1.5),
        ("object",),
    )
    bad(
        "float-deep",
        "ENC-10",
        "in an array in a map",
        b"\xa1\x61\x61\x81\xfb" + struct.pack(">d", 0.0),
        ("object",),
    )
    good("int-2-63", "ENC-11", "2^63 in the IPLD profile", encode(2**63), ("ipld",))
    good("int-2-64-minus-1", "ENC-11", "2^64 - 1 in the IPLD profile", encode(2**64 - 1), ("ipld",))
    good("int-minus-2-64", "ENC-11", "-2^64 in the IPLD profile", encode(-(2**64)), ("ipld",))
    good("int-2-63-minus-1", "ENC-11", "2^63 - 1", encode(2**63 - 1), ("object",))
    good("int-minus-2-63", "ENC-11", "-2^63", encode(-(2**63)), ("object",))
    bad("int-2-63", "ENC-11", "2^63", encode(2**63), ("object",))
    bad("int-minus-2-63-minus-1", "ENC-11", "-2^63 - 1", encode(-(2**63) - 1), ("object",))
    good("depth-16", "ENC-12", "16 levels", nested(16), ("object",))
    good("depth-16-link", "ENC-12", "15 arrays and a tag", b"\x81" * 15 + encode(LINK), ("object",))
    bad("depth-17", "ENC-12", "17 levels", nested(17), ("object",))
    bad("depth-17-link", "ENC-12", "16 arrays and a tag", b"\x81" * 16 + encode(LINK), ("object",))
    bad("depth-17-map", "ENC-12", "17 maps", b"\xa1\x61\x61" * 16 + b"\xa0", ("object",))
    good("map-256", "ENC-13", "256 entries", encode({f"{n:03}": None for n in range(256)}))
    bad(
        "map-257",
        "ENC-13",
        "257 entries",
        encode({f"{n:03}": None for n in range(257)}),
        ("object",),
    )
    good(
        "map-257",
        "ENC-13",
        "257 entries in the IPLD profile",
        encode({f"{n:03}": None for n in range(257)}),
        ("ipld",),
    )
    good("key-64", "ENC-13", "a key of 64 bytes", encode({"k" * 64: None}))
    bad("key-65", "ENC-13", "a key of 65 bytes", encode({"k" * 65: None}), ("object",))
    bad(
        "key-65-utf8",
        "ENC-13",
        "a key of 33 characters and 65 bytes",
        encode({"é" * 32 + "k": None}),
        ("object",),
    )
    digest = wire.sha256(BLOCK)
    for name, data, why in bad_binary_cids(digest):
        bad(f"link-{name}", "ENC-4", f"in a link: {why}", tag42(b"\0" + data), also=["ENC-14"])
    good("link-raw", "ENC-16", "codec raw", encode(cid(BLOCK, wire.RAW)))
    good("link-dag-pb", "ENC-16", "codec dag-pb", encode(cid(BLOCK, wire.DAG_PB)))
    for name, data, why in narrow_cids(digest):
        bad(f"link-{name}", "ENC-16", f"{why}, canonical", encode(Link(data)), ("object",))
        good(
            f"link-{name}",
            "ENC-16",
            f"{why}, canonical, in the IPLD profile",
            encode(Link(data)),
            ("ipld",),
        )
    return book
