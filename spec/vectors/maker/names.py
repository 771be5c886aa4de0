"""ipns.json: chapter 09."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from maker import wire
from maker.book import Book
from maker.sign import ALICE, PROJECT_CID, Key
from maker.wire import RAW, cid, cid_text, encode, varint

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
PUBLIC = b"\x08\x01\x12\x20"
DOMAIN = b"hitp2p/ipns-name/1\0"
UNTIL = b"2027-01-01T00:00:00Z"
NOW = "2026-11-01T00:00:00Z"
SEED = wire.sha256(ALICE.key.sign(DOMAIN + bytes(PROJECT_CID)))
KEY = Key("name")
TARGET = b"/ipfs/" + cid_text(cid(b"a snapshot")).encode()
CODES = {"IPN-1": "decode", "IPN-2": "decode", "IPN-3": "rule", "IPN-4": "signature"}
CODES |= {"IPN-5": "rule", "KEY-1": "signature", "KEY-2": "signature", "KEY-3": "signature"}


def base36(data: bytes) -> str:
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 36)
        text = DIGITS[digit] + text
    return text


def name(public: bytes, head: bytes = b"\x01\x72\x00\x24" + PUBLIC) -> str:
    return "k" + base36(head + public)


def number_field(n: int, value: int) -> bytes:
    return varint(n << 3) + varint(value)


def bytes_field(n: int, value: bytes) -> bytes:
    return varint(n << 3 | 2) + varint(len(value)) + value


def said(**changes: Any) -> dict[str, Any]:
    """The five keys of data, some changed or, where None, left out."""
    whole = {
        "TTL": 300 * 10**9,
        "Value": TARGET,
        "Sequence": 1_793_491_200,
        "Validity": UNTIL,
        "ValidityType": 0,
    } | changes
    return {key: value for key, value in whole.items() if value is not None}


def fields(data: bytes, key: Key = KEY) -> dict[int, bytes]:
    """The two fields that must be there, signed."""
    return {8: bytes_field(8, key.sign(b"ipns-signature:" + data)), 9: bytes_field(9, data)}


def first(says: dict[str, Any], key: Key = KEY) -> dict[int, bytes]:
    """The fields of the first version."""
    return {
        1: bytes_field(1, says["Value"]),
        2: bytes_field(2, key.sign(says["Value"] + says["Validity"] + b"EOL")),
        3: number_field(3, says["ValidityType"]),
        4: bytes_field(4, says["Validity"]),
        5: number_field(5, says["Sequence"]),
        6: number_field(6, says["TTL"]),
    }


def joined(parts: dict[int, bytes]) -> bytes:
    return b"".join(parts[n] for n in sorted(parts))


def whole(says: dict[str, Any]) -> dict[int, bytes]:
    return first(says) | fields(encode(says))


def names() -> Book:
    book = Book("keys")
    spelled(book)
    records(book)
    contents(book)
    signatures(book)
    public = Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw()
    book.valid(
        "derived",
        "IPN-7",
        "the key with which Alice names the project",
        "ipns-key",
        {"seed": ALICE.key.seed, "project": cid_text(PROJECT_CID)},
        public=public,
        text=name(public),
    )
    return book


def spelled(book: Book) -> None:
    good = name(KEY.public)
    book.valid("name", "IPN-1", "a name", "ipns-name", good, public=KEY.public)

    def bad(label: str, why: str, text: str, rule: str = "IPN-1") -> None:
        book.invalid(label, rule, why, "ipns-name", text, code=CODES[rule])

    bad("upper", "upper case", good.upper().replace("K", "k", 1))
    bad("path", "a path", f"/ipns/{good}")
    bad("short", "a digit less", good[:-1])
    bad("base32", "base32", "b" + wire.base32(b"\x01\x72\x00\x24" + PUBLIC + KEY.public))
    bad("peer", "base58 without a CID", wire.base58(b"\x00\x24" + PUBLIC + KEY.public))
    bad("codec", "codec dag-cbor", name(KEY.public, b"\x01\x71\x00\x24" + PUBLIC))
    bad("key-type", "a secp256k1 key", name(KEY.public, b"\x01\x72\x00\x24\x08\x02\x12\x20"))
    bad("empty", "no text", "")
    bad("small-order", "the neutral element", name(b"\x01" + bytes(31)), "KEY-3")
    bad("not-canonical", "y is p + 2", name(b"\xef" + b"\xff" * 30 + b"\x7f"), "KEY-2")


def ask(raw: bytes, now: str = NOW) -> dict[str, Any]:
    return {"name": name(KEY.public), "record": raw, "now": now}


def records(book: Book) -> None:
    says = said()
    answer = {
        "value": TARGET.decode().removeprefix("/ipfs/"),
        "sequence": says["Sequence"],
        "valid_until": UNTIL.decode(),
        "ttl_ns": says["TTL"],
    }

    def good(label: str, why: str, raw: bytes, **more: Any) -> None:
        book.valid(label, "IPN-2", why, "ipns-record", ask(raw), **(answer | more))

    def bad(label: str, why: str, raw: bytes) -> None:
        book.invalid(label, "IPN-2", why, "ipns-record", ask(raw), code="decode")

    parts = whole(says)
    good("both", "both versions", joined(parts))
    good("second", "the second version alone", joined(fields(encode(says))))
    key = bytes_field(7, PUBLIC + KEY.public)
    good("public", "with the public key", joined(parts | {7: key}))
    room = 10_240 - len(joined(fields(encode(said(_pad=bytes(9000))))))
    full = joined(fields(encode(said(_pad=bytes(9000 + room)))))
    assert len(full) == 10_240
    good("10-kib", "10 KiB, with a key that is passed over", full)
    bad("over-10-kib", "a byte more", joined(fields(encode(said(_pad=bytes(9001 + room))))))
    for n, why in ((8, "no signatureV2"), (9, "no data")):
        bad(f"without-{n}", why, joined({k: part for k, part in parts.items() if k != n}))
    bad("empty", "no byte", b"")
    bad("twice", "value twice", parts[1] + joined(parts))
    bad("order", "data before its signature", joined(first(says)) + parts[9] + parts[8])
    bad("unknown", "a field 10", joined(parts) + bytes_field(10, b""))
    bad("cut", "the last byte is missing", joined(parts)[:-1])
    bad("long-varint", "a number in two bytes", joined(parts | {3: varint(24) + b"\x80\x00"}))
    bad("wire-type", "validity as a number", joined(parts | {4: number_field(4, 1)}))
    other = bytes_field(7, PUBLIC + Key("other").public)
    bad("other-public", "another public key", joined(parts | {7: other}))
    for n, field, value in (
        (1, "Value", b"/ipfs/" + cid_text(cid(b"another")).encode()),
        (3, "ValidityType", 1),
        (4, "Validity", b"2028-01-01T00:00:00Z"),
        (5, "Sequence", says["Sequence"] + 1),
        (6, "TTL", 1),
    ):
        changed = first(says | {field: value})[n]
        bad(f"other-{field.lower()}", f"{field} twice, in two ways", joined(parts | {n: changed}))


def contents(book: Book) -> None:
    def good(label: str, why: str, now: str = NOW, **changes: Any) -> None:
        raw = joined(fields(encode(said(**changes))))
        book.valid(label, "IPN-3", why, "ipns-record", ask(raw, now))

    def bad(label: str, why: str, *, rule: str = "IPN-3", now: str = NOW, **changes: Any) -> None:
        raw = joined(fields(encode(said(**changes))))
        book.invalid(label, rule, why, "ipns-record", ask(raw, now), code=CODES[rule])

    good("fraction", "nanoseconds", Validity=b"2027-01-01T00:00:00.123456789Z")
    good("sequence-0", "sequence 0", Sequence=0)
    good("more", "a key that nobody knows", _hitp2p="x")
    for field in ("TTL", "Value", "Sequence", "Validity", "ValidityType"):
        bad(f"no-{field.lower()}", f"no {field}", **{field: None})
    bad("type-1", "ValidityType 1", ValidityType=1)
    bad("type-false", "ValidityType false", ValidityType=False)
    bad("sequence-minus", "sequence -1", Sequence=-1)
    bad("sequence-text", "sequence as text", Sequence="1")
    bad("ttl-minus", "TTL -1", TTL=-1)
    bad("zone", "a time elsewhere", Validity=b"2027-01-01T00:00:00+01:00")
    bad("month", "a month 13", Validity=b"2027-13-01T00:00:00Z")
    bad("date", "a date alone", Validity=b"2027-01-01")
    bad("trailing", "a space behind the time", Validity=UNTIL + b" ")
    bad("validity-text", "text for bytes", Validity=UNTIL.decode())
    bad("value-text", "text for bytes", Value=TARGET.decode())
    bad("ipns", "another name", Value=b"/ipns/" + name(KEY.public).encode())
    bad("path", "a path below a CID", Value=TARGET + b"/links/0")
    bad("raw", "a raw block", Value=b"/ipfs/" + cid_text(cid(b"", RAW)).encode())
    odd = wire.Link(b"\x01\x71" + wire.multihash(wire.SHA1, bytes(20)))
    bad("sha1", "a CID of another hash", Value=b"/ipfs/" + cid_text(odd).encode())
    bad("bare", "a CID without /ipfs/", Value=TARGET.removeprefix(b"/ipfs/"))
    array = joined(fields(encode([TARGET])))
    book.invalid("array", "IPN-3", "a list", "ipns-record", ask(array), code="rule")
    good("last-second", "a second before it ends", now="2026-12-31T23:59:59Z")
    bad("ended", "as it ends", rule="IPN-5", now=UNTIL.decode())
    bad("long-ended", "long after", rule="IPN-5", now="2031-05-05T05:05:05Z")
    bad("ended-fraction", "in the second in which it ends", rule="IPN-5",
        now=UNTIL.decode(), Validity=b"2027-01-01T00:00:00.9Z")  # fmt: skip


def signatures(book: Book) -> None:
    data = encode(said())
    parts = fields(data)

    def bad(label: str, why: str, signature: bytes, rule: str = "IPN-4", **more: Any) -> None:
        raw = joined(parts | {8: bytes_field(8, signature)})
        book.invalid(label, rule, why, "ipns-record", ask(raw), code=CODES[rule], **more)

    good = KEY.sign(b"ipns-signature:" + data)
    bad("flipped", "a bit of the signature", good[:40] + bytes([good[40] ^ 1]) + good[41:])
    bad("other-key", "another key", Key("other").sign(b"ipns-signature:" + data))
    bad("bare", "data signed alone", KEY.sign(data))
    bad("object-domain", "signed as an object", KEY.sign(b"hitp2p/object/1\0" + data))
    bad("record-short", "63 bytes", good[:63], "KEY-1")
    moved = encode(said(Value=b"/ipfs/" + cid_text(cid(b"another")).encode()))
    raw = joined(parts | {9: bytes_field(9, moved)})
    why = "the value was changed after signing"
    book.invalid("moved", "IPN-4", why, "ipns-record", ask(raw), code="signature")
