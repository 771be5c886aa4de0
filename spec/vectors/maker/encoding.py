"""encoding.json, cid.json and car.json: chapter 01."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

from maker import wire
from maker.book import Book
from maker.wire import Link, car, car_header, cid, encode, multihash, section, varint

BLOCK = encode({"hello": "world"})
LINK = cid(BLOCK)
MIB = 1024 * 1024


def nested(levels: int, inner: bytes = b"\x80") -> bytes:
    """`levels` arrays in each other; the innermost is `inner`, where it is an array itself."""
    return b"\x81" * (levels - 1) + inner


def tag42(binary: bytes) -> bytes:
    return b"\xd8\x2a" + wire.head(2, len(binary)) + binary


def v1(codec: int, code: int, digest: bytes) -> bytes:
    return b"\x01" + varint(codec) + multihash(code, digest)


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


def bad_binary_cids(digest: bytes) -> tuple[tuple[str, bytes, str], ...]:
    mh = multihash(wire.SHA2_256, digest)
    return (
        ("empty", b"", "nothing"),
        ("version-2", b"\x02\x71" + mh, "version 2"),
        ("version-0-in-v1-form", b"\x00\x71" + mh, "version 0 written like version 1"),
        ("v0-long", mh + b"\0", "version 0 and a byte"),
        ("v0-short", mh[:-1], "version 0 without its last byte"),
        ("trailing", b"\x01\x71" + mh + b"\0", "a byte after the digest"),
        ("cut", b"\x01\x71" + mh[:-1], "a digest without its last byte"),
        ("no-digest", b"\x01\x71", "no hash"),
        ("codec-not-minimal", b"\x01\xf1\x00" + mh, "the codec's varint is not minimal"),
        (
            "hash-not-minimal",
            b"\x01\x71\x92\x00\x20" + digest,
            "the hash code's varint is not minimal",
        ),
        (
            "length-not-minimal",
            b"\x01\x71\x12\xa0\x00" + digest,
            "the length's varint is not minimal",
        ),
        ("version-not-minimal", b"\x81\x00\x71" + mh, "the version's varint is not minimal"),
        ("codec-cut", b"\x01\xf1", "a varint without its end"),
        ("digest-65", b"\x01\x55\x00\x41" + bytes(65), "a digest of 65 bytes"),
        ("codec-10-bytes", b"\x01" + b"\xff" * 9 + b"\x01" + mh, "a varint of 10 bytes"),
    )


def narrow_cids(digest: bytes) -> tuple[tuple[str, bytes, str], ...]:
    return (
        ("v0", multihash(wire.SHA2_256, digest), "version 0"),
        ("codec-dag-json", v1(0x0129, wire.SHA2_256, digest), "codec dag-json"),
        ("codec-cbor", v1(0x51, wire.SHA2_256, digest), "codec cbor"),
        ("codec-9-bytes", v1(2**63 - 1, wire.SHA2_256, digest), "a codec of 9 bytes"),
        ("hash-blake2b", v1(wire.DAG_CBOR, wire.BLAKE2B_256, digest), "hash blake2b-256"),
        ("hash-sha1", v1(wire.DAG_CBOR, wire.SHA1, digest[:20]), "hash sha1"),
        ("hash-identity", v1(wire.RAW, wire.IDENTITY, b"abc"), "hash identity"),
        ("hash-identity-empty", v1(wire.RAW, wire.IDENTITY, b""), "hash identity of nothing"),
        (
            "digest-64",
            v1(wire.RAW, wire.IDENTITY, bytes(64)),
            "hash identity of 64 bytes",
        ),
        (
            "digest-20",
            v1(wire.DAG_CBOR, wire.SHA2_256, digest[:20]),
            "a sha2-256 digest cut to 20 bytes",
        ),
    )


def cids() -> Book:
    book = Book("codec")
    digest = wire.sha256(BLOCK)
    v0 = multihash(wire.SHA2_256, digest)
    for name, data, why in (("v1", bytes(LINK), "version 1"), *narrow_cids(digest)):
        text = wire.cid_text(data)
        book.valid(f"binary-{name}", "ENC-14", why, "cid-binary", data, text=text)
        book.valid(f"text-{name}", "ENC-15", why, "cid-text", text, binary=data)
    for name, data, why in bad_binary_cids(digest):
        book.invalid(f"binary-{name}", "ENC-14", why, "cid-binary", data)
    text, text_v0 = wire.cid_text(LINK), wire.cid_text(v0)
    last = "abcdefghijklmnopqrstuvwxyz234567".index(text[-1])
    other_last = "abcdefghijklmnopqrstuvwxyz234567"[last + 1]
    for name, data, why in (
        ("empty", "", "nothing"),
        ("prefix-only", "b", "the prefix alone"),
        ("upper-case", text.upper(), "base32 in upper case, prefix B"),
        ("mixed-case", "b" + text[1:].upper(), "upper case under the lower-case prefix"),
        ("padded", text + "======", "padding"),
        (
            "leftover-bits",
            text[:-1] + other_last,
            "the bits left over in the last character are not 0",
        ),
        ("base58-v1", "z" + wire.base58(LINK), "version 1 in base58btc"),
        ("hex-v1", "f" + LINK.hex(), "version 1 in hex"),
        ("v0-in-base32", "b" + wire.base32(v0), "version 0 in base32"),
        ("v0-with-prefix", "z" + text_v0, "version 0 with a multibase prefix"),
        ("v0-short", text_v0[:-1], "45 characters"),
        ("v0-letter-l", text_v0[:-1] + "l", "a character that base58btc has not"),
        ("v0-leading-one", "1" + text_v0, "a zero byte in front of version 0"),
        ("digit-1", text[:-1] + "1", "a character that base32 has not"),
        ("space", text + " ", "a space behind"),
        ("newline", text + "\n", "a newline behind"),
        ("path", "/ipfs/" + text, "a path"),
    ):
        book.invalid(f"text-{name}", "ENC-15", why, "cid-text", data)
    book.valid("link", "ENC-16", "a link of the object profile", "cid-link", LINK)
    for name, data, why in narrow_cids(digest):
        book.invalid(f"link-{name}", "ENC-16", why, "cid-link", data)
    return book


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
