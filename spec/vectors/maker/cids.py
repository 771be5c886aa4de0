"""cid.json: chapter 01, CIDs; and what vectors of the other encodings are made of."""

from __future__ import annotations

from maker import wire
from maker.book import Book
from maker.wire import cid, encode, multihash, varint

BLOCK = encode({"hello": "world"})
LINK = cid(BLOCK)
MIB = 1024 * 1024


def v1(codec: int, code: int, digest: bytes) -> bytes:
    return b"\x01" + varint(codec) + multihash(code, digest)


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
