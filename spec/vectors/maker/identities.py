"""identity.json: chapter 02, identity events one at a time, and the lines that sets of them draw."""

from __future__ import annotations

from typing import Any

from maker import curve, wire
from maker.book import Book
from maker.logs import lines
from maker.shapes import FILE, many
from maker.sign import ALICE, DOMAIN, PROJECT_CID, Key, sign
from maker.wire import cid, encode

KEYS = sorted((Key(f"spare {n}") for n in range(17)), key=lambda key: key.public)
NEXT = [key.commitment for key in KEYS]
PAGE = wire.Link(FILE[:1] + b"\x71" + FILE[2:])


def genesis(
    without: str = "", envelope: dict[str, Any] | None = None, key: Key = KEYS[0], **body: Any
) -> bytes:
    """A genesis with one key, one commitment and a name, but for what is said."""
    fields = {"keys": [key.public], "next": NEXT[1:2], "name": "Alice"} | body
    return sign(
        "identity", {k: v for k, v in fields.items() if k != without}, key, **envelope or {}
    )


def later(without: str = "", envelope: dict[str, Any] | None = None, **body: Any) -> bytes:
    """A later event of Alice, signed by her first recovery key, but for what is said."""
    fields = {
        "keys": [KEYS[0].public],
        "next": NEXT[1:2],
        "dropped": [{"key": ALICE.key.public}],
    } | body
    return sign(
        "identity",
        {k: v for k, v in fields.items() if k != without},
        ALICE.recovery[0],
        **{"author": ALICE.cid, "parents": [ALICE.cid]} | (envelope or {}),
    )


def identities() -> Book:
    book = Book("objects")

    def good(name: str, rule: str, why: str, block: bytes) -> None:
        book.valid(name, rule, why, "object", block)

    def bad(name: str, rules: str, why: str, block: bytes) -> None:
        rule, *also = rules.split("/")
        book.invalid(name, rule, why, "object", block, **({"also": also} if also else {}))

    good("genesis", "IDN-1", "one key, one commitment, a name", genesis())
    good("genesis-and-unknown-field", "IDN-1", "a field nobody knows", genesis(x=[FILE]))
    bad(
        "genesis-with-event",
        "IDN-1",
        "a genesis with an event",
        genesis(envelope={"event": ALICE.cid}),
    )
    bad(
        "genesis-with-project",
        "IDN-1",
        "a genesis in a project",
        genesis(envelope={"project": PROJECT_CID, "parents": [PROJECT_CID]}),
    )
    bad(
        "genesis-with-parents",
        "IDN-1",
        "a genesis with a parent",
        genesis(envelope={"parents": [ALICE.cid]}),
    )
    bad(
        "genesis-by-another",
        "IDN-1",
        "the signer is not among the keys",
        genesis(keys=[KEYS[1].public]),
    )
    bad("genesis-without-name", "IDN-1", "no name", genesis("name"))
    bad(
        "genesis-with-dropped",
        "IDN-1",
        "a key dropped from the start",
        genesis(dropped=[{"key": KEYS[1].public}]),
    )
    good("later", "IDN-2", "a later event that drops the first key", later())
    bad(
        "later-with-event",
        "IDN-2",
        "a later event with an event",
        later(envelope={"event": ALICE.cid}),
    )
    bad(
        "later-with-project",
        "IDN-2",
        "a later event in a project",
        later(envelope={"project": PROJECT_CID}),
    )
    bad(
        "later-without-parents",
        "IDN-2",
        "a later event without parents",
        later(envelope={"parents": None}),
    )
    parents = many(cid(b""), 9)
    good("later-8-parents", "IDN-2", "8 parents", later(envelope={"parents": parents[:8]}))
    bad("later-9-parents", "IDN-2", "9 parents", later(envelope={"parents": parents}))
    bad(
        "later-parents-swapped",
        "IDN-2/OBJ-7",
        "two parents in descending order",
        later(envelope={"parents": parents[1::-1]}),
    )
    bad("later-with-name", "IDN-4", "another name", later(name="Alicia"))
    lists(good, bad)
    sizes(good, bad)
    unsound_keys(bad)
    a, b = ({"key": key.public, "pages": [PAGE]} for key in KEYS[1:3])
    good("dropped-2", "IDN-9", "two dropped keys with pages", later(dropped=[a, b]))
    bad("dropped-swapped", "IDN-9", "dropped keys in descending order", later(dropped=[b, a]))
    bad("dropped-twice", "IDN-9", "a dropped key twice", later(dropped=[a, a]))
    bad(
        "dropped-and-kept",
        "IDN-9",
        "a dropped key among keys",
        later(dropped=[{"key": KEYS[0].public}]),
    )
    lines(book)
    return book


def lists(good: Any, bad: Any) -> None:
    keys = [key.public for key in KEYS]
    good("keys-16", "IDN-5", "16 keys", genesis(keys=keys[:16]))
    bad("keys-17", "IDN-5", "17 keys", genesis(keys=keys))
    bad("keys-none", "IDN-5/OBJ-5/IDN-1", "no key", later(keys=[]))
    bad("keys-swapped", "IDN-5", "keys in descending order", genesis(keys=keys[1::-1]))
    bad("keys-twice", "IDN-5", "a key twice", genesis(keys=[keys[0]] * 2))
    good("next-5", "IDN-5", "5 commitments", genesis(next=NEXT[1:6]))
    good(
        "next-unsorted",
        "IDN-5",
        "commitments in an order of their own",
        genesis(next=sorted(NEXT[1:6], reverse=True)),
    )
    bad("next-6", "IDN-5", "6 commitments", genesis(next=NEXT[1:7]))
    bad("next-none", "IDN-5/OBJ-5", "no commitment", genesis(next=[]))
    bad("next-twice", "IDN-5", "a commitment twice", genesis(next=[NEXT[1]] * 2))
    for field in ("keys", "next"):
        bad(f"no-{field}", "KND-1", f"no {field}", later(field))
        bad(f"{field}-text", "KND-1", f"{field} of text", later(**{field: ["x" * 32]}))
        bad(
            f"{field}-31-bytes",
            "KND-1",
            f"{field} of 31 bytes",
            later(**{field: [bytes([9]) * 31]}),
        )
    bad("name-65-bytes", "OBJ-16", "a name of 65 bytes", genesis(name="x" * 65))
    bad("name-newline", "OBJ-15", "a name of two lines", genesis(name="a\nb"))
    bad("dropped-none", "OBJ-5", "an empty list of dropped keys", later(dropped=[]))
    gone = [{"key": bytes([n]) * 32} for n in range(1, 34)]
    good("dropped-32", "OBJ-18", "32 dropped keys", later(dropped=gone[:32]))
    bad("dropped-33", "OBJ-18/KND-1", "33 dropped keys", later(dropped=gone))
    bad(
        "dropped-no-key",
        "KND-1",
        "a dropped entry without a key",
        later(dropped=[{"pages": [PAGE]}]),
    )
    bad(
        "dropped-31-bytes",
        "KND-1",
        "a dropped key of 31 bytes",
        later(dropped=[{"key": bytes(31)}]),
    )
    bad(
        "dropped-pages-raw",
        "OBJ-23",
        "a page that is a raw block",
        later(dropped=[{"key": bytes(32), "pages": [FILE]}]),
    )


def sizes(good: Any, bad: Any) -> None:
    room = 8 * 1024 - len(genesis(x=bytes(7000)))
    good("8-kib", "IDN-7", "8 KiB", genesis(x=bytes(7000 + room)))
    bad("over-8-kib", "IDN-7", "8 KiB and a byte", genesis(x=bytes(7001 + room)))


def unsound_keys(bad: Any) -> None:
    mixed = curve.to_bytes(curve.add(curve.from_bytes(KEYS[1].public), curve.TORSION))
    small = curve.to_bytes(curve.TORSION)
    large = (curve.P + 3).to_bytes(32, "little")
    for name, key, why in (
        ("mixed", mixed, "of mixed order"),
        ("small", small, "of small order"),
        ("p-plus-3", large, "whose y is not reduced"),
    ):
        keys = sorted([KEYS[0].public, key])
        bad(
            f"key-{name}",
            "IDN-8/KEY-2/KEY-3/KEY-5",
            f"a key {why}, beside a sound one",
            genesis(keys=keys),
        )
    seed = KEYS[1].seed
    for n in range(100):  # until the cofactorless equation holds too
        fields = {
            "kind": "identity", "body": {"keys": [mixed], "next": NEXT[1:2], "name": f"Alice {n}"}, "spec": 1, "time": 0, "signer": mixed,
        }  # fmt: skip
        rest = encode(fields)
        signature = curve.sign(seed, DOMAIN + rest, key=mixed)
        if curve.equation_holds(mixed, signature, DOMAIN + rest):
            block = bytes([rest[0] + 1]) + encode("sig") + encode(signature) + rest[1:]
            bad(
                "signer-mixed",
                "IDN-8/KEY-5",
                "a genesis signed by its key of mixed order; the equation holds",
                block,
            )
            return
    raise AssertionError
