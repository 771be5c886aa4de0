"""net.json: chapter 10, frames, keys and fingerprints."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from maker import wire
from maker.book import Book
from maker.packs import NIL, UNUSED, array_head, map_head, pack
from maker.wire import DAG_PB, RAW, Raw, cid, sha256

FIRST, USUAL, LONG = 4 * 1024, 64 * 1024, 2 * 1024 * 1024 + 64 * 1024
TOPIC = cid(b"a project")
WORKS = [sha256(b"work %d" % n) for n in range(4)]
CIDS = [cid(b"work %d" % n) for n in range(4)]
KEY = bytes(7) + b"\3" + WORKS[0]
SUM = bytes(range(16))

NAMES = ("HELLO", "FOLLOW", "PUSH", "HEADS", "STATE", "RECON", "RANGES", "GET", "BLOCKS", "PULL")
NAMES += ("PEERS", "RECORDS", "PING", "PONG", "BYE", "SORRY")
TYPES = {name: 2 * n for n, name in enumerate(NAMES)}
NOTICES = {"HELLO", "FOLLOW", "PUSH", "BYE"}

WHOLE: dict[str, dict[str, Any]] = {
    "HELLO": {
        "versions": [1, 2],
        "features": ["relay"],
        "agent": "hitp2p/0.2.0",
        "listen": [
            "/ip4/192.0.2.1/tcp/4710/tls/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"
        ],
        "nonce": SUM,
    },
    "FOLLOW": {"topics": [[TOPIC, 0, 1], [CIDS[0], 1, 2], [CIDS[1], 1, 0]]},
    "PUSH": {"topic": TOPIC, "objects": [b"work 0", b"work 1"], "cids": WORKS[2:]},
    "HEADS": {"topic": TOPIC, "scope": 1, "count": 1_000_000, "sum": SUM, "heads": WORKS},
    "STATE": {"count": 2**64 - 1, "sum": SUM, "heads": WORKS[:1]},
    "RECON": {
        "topic": TOPIC,
        "scope": 0,
        "ranges": [[b"\0", 0, None], [KEY, 1, [70, SUM]], [b"", 2, WORKS[0] + WORKS[1]]],
    },
    "RANGES": {
        "ranges": [[KEY[:8], 2, b""], [KEY, 1, [0, SUM]], [b"", 3, [WORKS[2], [0, 1, 700]]]]
    },
    "GET": {"topic": TOPIC, "cids": [CIDS[0], cid(b"text", RAW)], "file": cid(b"file", DAG_PB)},
    "BLOCKS": {"blocks": [b"work 0", None, b""], "last": False, "next": KEY},
    "PULL": {"topic": TOPIC, "scope": 1, "after": KEY, "most": 65_536},
    "PEERS": {"most": 32},
    "RECORDS": {"records": [b"record 0", b"record 1"]},
    "PING": {},
    "PONG": {},
    "BYE": {"code": "protocol", "text": "à bientôt"},
    "SORRY": {"code": "busy", "wait": 60_000},
}
"""Every message with all its fields."""

LEAST: dict[str, dict[str, Any]] = {
    "HELLO": {"versions": [0], "features": [], "agent": "", "listen": [], "nonce": SUM},
    "FOLLOW": {"topics": []},
    "PUSH": {"topic": TOPIC, "cids": WORKS[:1]},
    "HEADS": {"topic": TOPIC, "scope": 0, "count": 0, "sum": SUM, "heads": []},
    "STATE": {"count": 0, "sum": SUM, "heads": []},
    "RECON": {"topic": TOPIC, "scope": 0, "ranges": [[b"", 0, None]]},
    "RANGES": {"ranges": [[b"", 3, [b"", []]]]},
    "GET": {"topic": TOPIC, "cids": CIDS[:1]},
    "BLOCKS": {"blocks": [], "last": True},
    "PULL": {"topic": TOPIC, "scope": 0, "after": b"", "most": 1},
    "PEERS": {"most": 1},
    "RECORDS": {"records": []},
    "BYE": {"code": "", "text": ""},
    "SORRY": {"code": "absent", "wait": 0},
}
"""Every message that can do with less, with the least of it."""


def number_of(name: str) -> int:
    return 0 if name in NOTICES else 7


def sized(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def frame(name: str, body: Any, number: Any = None) -> bytes:
    """A frame with its length."""
    number = number_of(name) if number is None else number
    return sized(pack([TYPES[name], number, body]))


def answer(name: str, body: dict[str, Any], number: int | None = None) -> dict[str, Any]:
    """What a reader makes of it."""
    return {
        "id": number_of(name) if number is None else number,
        "message": name,
        "fields": body,
    }


PING = frame("PING", {})
PINGED = answer("PING", {})
UNKNOWN: dict[str, Any] = {"id": 7, "message": None}


class Frames:
    """Adds vectors of the check `frames`: what a reader makes of a stream."""

    def __init__(self, book: Book) -> None:
        self.book = book

    def good(
        self, name: str, rule: str, why: str, stream: bytes, *frames: Any, limit: int = USUAL
    ) -> None:
        self.book.valid(name, rule, why, "frames", stream, limit=limit, frames=list(frames))

    def bad(
        self, name: str, rule: str, why: str, stream: bytes, *also: str, limit: int = USUAL
    ) -> None:
        more = {"also": list(also)} if also else {}
        self.book.invalid(name, rule, why, "frames", stream, limit=limit, **more)


def frames() -> Book:
    book = Book("protocol")
    named(book)
    makers: tuple[Callable[[Frames], None], ...] = (
        delimited, bounded, packed, nested, typed, messages, fields, bounds, ranges,
    )  # fmt: skip
    for make in makers:
        make(Frames(book))
    return book


def named(book: Book) -> None:
    """Keys of sets and fingerprints."""
    for name, generation in (("first", 0), ("later", 258), ("last", 2**64 - 1)):
        book.valid(
            f"key-{name}",
            "NET-1",
            f"the key of an object of generation {generation}",
            "set-key",
            {"generation": generation, "cid": wire.cid_text(CIDS[0])},
            key=struct.pack(">Q", generation) + WORKS[0],
        )
    high = b"\xff" * 32
    one = bytes(31) + b"\1"
    for name, why, digests in (
        ("none", "no keys", []),
        ("one", "one key", WORKS[:1]),
        ("four", "four keys", WORKS),
        ("zero", "a digest of zeroes counts as a key", [bytes(32)]),
        ("over", "a sum past 2^256", [high, one, WORKS[0]]),
    ):
        total = sum(int.from_bytes(digest, "big") for digest in digests) % 2**256
        summed = sha256(total.to_bytes(32, "big") + len(digests).to_bytes(8, "big"))[:16]
        book.valid(name, "NET-2", why, "fingerprint", digests, sum=summed)


def delimited(f: Frames) -> None:
    """NET-4."""
    f.good("nothing", "NET-4", "a stream without a frame", b"")
    f.good("cut", "NET-4", "a frame, and the next without its last byte", PING + PING[:-1], PINGED)
    f.good("half-length", "NET-4", "a frame, and half a length", PING + b"\0\0", PINGED)
    f.good("three", "NET-4", "three frames", PING * 3, PINGED, PINGED, PINGED)
    f.bad("empty", "NET-4", "a frame of no bytes", bytes(4))
    ping = PING[4:]
    f.bad("behind", "NET-4", "a nil behind the value", sized(ping + NIL))
    f.bad("two", "NET-4", "two values in one frame", sized(ping * 2))
    f.bad("short", "NET-4", "a value without its last byte", sized(ping[:-1]), "NET-6")
    f.bad(
        "text-short",
        "NET-4",
        "text that ends behind the frame",
        sized(b"\x93\x18\7\xa4pin"),
        "NET-6",
    )
    f.bad("unused", "NET-4", "a byte that msgpack doesn't use", sized(UNUSED), "NET-6")
    f.bad("two-entries", "NET-4", "an array of two", sized(pack([24, 7])))
    f.bad("four-entries", "NET-4", "an array of four", sized(pack([24, 7, {}, None])))
    f.bad("a-map", "NET-4", "a map in place of the array", sized(pack({"type": 24})))
    f.bad("nil", "NET-4", "nil in place of the array", sized(NIL))


def filled(size: int, name: str = "PING", **body: Any) -> bytes:
    """A frame of so many bytes, made so long by bytes in a field that nobody knows."""
    empty = len(frame(name, body | {"new": Raw(b"\xc6\0\0\0\0")})) - 4
    new = Raw(b"\xc6" + (size - empty).to_bytes(4, "big") + bytes(size - empty))
    return frame(name, body | {"new": new})


def bounded(f: Frames) -> None:
    """NET-5."""
    blocks = WHOLE["BLOCKS"]
    for name, why, limit in (
        ("first", "before HELLO", FIRST),
        ("usual", "", USUAL),
        ("long", "while blocks are awaited", LONG),
    ):
        stream = filled(limit, "BLOCKS", **blocks)
        f.good(
            f"{name}-at",
            "NET-5",
            f"{limit} bytes {why}".strip(),
            stream,
            answer("BLOCKS", blocks),
            limit=limit,
        )
        head = (limit + 1).to_bytes(4, "big")
        f.bad(
            f"{name}-past",
            "NET-5",
            f"the length of {limit + 1} bytes {why}".strip(),
            head,
            limit=limit,
        )
    f.bad("huge", "NET-5", "the length of 4 GiB", b"\xff" * 4, limit=LONG)
    block = bytes(2 * 1024 * 1024)
    body = {"blocks": [block], "last": True}
    f.good(
        "block",
        "NET-5",
        "a block of 2 MiB",
        frame("BLOCKS", body),
        answer("BLOCKS", body),
        limit=LONG,
    )
    long = {"blocks": [bytes(USUAL)], "last": True}
    empty = len(frame("BLOCKS", long | {"new": ""})) - 4 - USUAL
    for name, size in (("beside-at", USUAL), ("beside-past", USUAL + 1)):
        # Two texts, each with three bytes before it, so that no form changes with the size.
        text = "a" * (size - empty - 30_006)
        stream = frame("BLOCKS", long | {"new": ["b" * 30_000, text]})
        assert len(stream) - 4 - USUAL == size
        if size == USUAL:
            f.good(
                name,
                "NET-5",
                f"{size} bytes beside byte strings",
                stream,
                answer("BLOCKS", long),
                limit=LONG,
            )
        else:
            f.bad(name, "NET-5", f"{size} bytes beside byte strings", stream, limit=LONG)
    maps = Raw(array_head(2000) + (array_head(200) + map_head(0) * 200) * 2000)
    f.bad("maps", "NET-5", "400,000 empty maps", frame("PING", {"new": maps}), "NET-6", limit=LONG)


def packed(f: Frames) -> None:
    """NET-6: forms and types."""

    def new(value: Any) -> bytes:
        return frame("PING", {"new": value})

    longer = Raw(b"\xdd\0\0\0\3\xd2\0\0\0\x18\xcf\0\0\0\0\0\0\0\7\xdf\0\0\0\0")
    f.good("forms", "NET-6", "forms that aren't the shortest", sized(pack(longer)), PINGED)
    f.good(
        "all-types",
        "NET-6",
        "every type that may stand in a frame",
        new([None, True, False, 0, -(2**63), 2**64 - 1, "é", b"\xff", [], {"a": {}}]),
        PINGED,
    )
    f.good("utf-8-nul", "NET-6", "U+0000 and a character of 4 bytes", new("\0\U0001f600"), PINGED)
    for name, why, value in (
        ("float-32", "a float", b"\xca" + bytes(4)),
        ("float-64", "a float of 64 bits", b"\xcb" + bytes(8)),
        ("float-inside", "a float in a map in an array", b"\x91\x81\xa1a\xcb" + bytes(8)),
        ("ext-1", "an extension", b"\xd4\5\0"),
        ("ext-empty", "an extension of no bytes", b"\xc7\0\5"),
        ("ext-8", "an extension with a length", b"\xc7\2\5\0\0"),
        ("ext-32", "an extension of which 4 GiB are announced", b"\xc9\xff\xff\xff\xff\5"),
        ("timestamp", "a timestamp of 32 bits", b"\xd6\xff" + bytes(4)),
        ("timestamp-empty", "a timestamp of no bytes", b"\xc7\0\xff"),
        ("latin-1", "text that isn't UTF-8", b"\xa1\xe9"),
        ("surrogate", "half of a pair of surrogates in text", b"\xa3\xed\xa0\x80"),
        ("overlong", "a slash in two bytes of text", b"\xa2\xc0\xaf"),
        ("key-twice", "a key twice", b"\x82\xa1a\1\xa1a\1"),
        ("key-twice-longer", "a key twice, in two forms", b"\x82\xa1a\1\xd9\1a\1"),
        ("key-bytes", "a key that is bytes", b"\x81\xc4\1a\1"),
        ("key-int", "a key that is an integer", b"\x81\1\1"),
        ("key-nil", "a key that is nil", b"\x81\xc0\1"),
        ("key-array", "a key that is an array", b"\x81\x90\1"),
    ):  # fmt: skip
        f.bad(name, "NET-6", why, new(Raw(value)))
    f.bad("float-type", "NET-6", "a float as type", sized(b"\x93\xca\x41\xc0\0\0\7\x80"), "NET-7")
    f.bad(
        "body-key-twice", "NET-6", "a field twice", frame("PEERS", Raw(b"\x82" + b"\xa4most\1" * 2))
    )
    odd = sized(pack([33, 7, {"new": Raw(b"\xca" + bytes(4))}]))
    f.bad("float-in-odd", "NET-6", "a float in a message that nobody knows", odd)


def nested(f: Frames) -> None:
    """NET-6: how much."""

    def deep(levels: int) -> Raw:
        return Raw(array_head(1) * (levels - 1) + array_head(0))

    def new(value: Any) -> bytes:
        return frame("PING", {"new": value})

    f.good("depth-8", "NET-6", "8 levels", new(deep(6)), PINGED)
    f.bad("depth-9", "NET-6", "9 levels", new(deep(7)))
    maps = Raw(b"\x81\xa1a" * 6 + b"\x80")
    f.bad("depth-9-maps", "NET-6", "9 levels of maps", new(maps))
    f.bad("depth-1025", "NET-6", "1,025 levels", new(deep(1023)))
    f.bad("depth-60000", "NET-6", "60,000 levels", new(deep(60_000)))
    f.bad("depth-bare", "NET-6", "60,000 levels and nothing else", sized(b"\x91" * 60_000), "NET-4")
    f.bad(
        "depth-type",
        "NET-6",
        "9 levels in place of the type",
        sized(b"\x93" + deep(8) + b"\7\x80"),
        "NET-7",
    )
    f.good("array-2048", "NET-6", "2,048 entries", new([None] * 2048), PINGED)
    f.bad("array-2049", "NET-6", "2,049 entries", new([None] * 2049))
    f.bad(
        "array-huge",
        "NET-6",
        "4 billion entries announced",
        new(Raw(b"\xdd\xff\xff\xff\xff")),
        "NET-4",
    )
    many = Raw(b"\xdc\x08\x01" * 2000)
    f.bad("array-huge-deep", "NET-6", "2,049 entries announced, 2,000 deep", new(many), "NET-4")
    f.good("map-64", "NET-6", "64 entries", new({f"{n}": n for n in range(64)}), PINGED)
    f.bad("map-65", "NET-6", "65 entries", new({f"{n}": n for n in range(65)}))
    f.bad(
        "map-huge",
        "NET-6",
        "4 billion entries announced",
        new(Raw(b"\xdf\xff\xff\xff\xff")),
        "NET-4",
    )
    f.good("key-32", "NET-6", "a key of 32 bytes", new({"é" * 16: 1}), PINGED)
    f.bad("key-33", "NET-6", "a key of 33 bytes", new({"é" * 16 + "a": 1}))
    f.bad(
        "text-huge", "NET-6", "4 GiB of text announced", new(Raw(b"\xdb\xff\xff\xff\xff")), "NET-4"
    )
    f.bad("bytes-huge", "NET-6", "4 GiB announced", new(Raw(b"\xc6\xff\xff\xff\xff")), "NET-4")


def typed(f: Frames) -> None:
    """NET-7."""

    def whole(kind: Any, number: Any = 7, body: Any = None) -> bytes:
        return sized(pack([kind, number, {} if body is None else body]))

    f.good("odd", "NET-7", "an odd type that nobody knows", whole(33), UNKNOWN)
    f.good("odd-body", "NET-7", "with a body", whole(1, 7, {"a": [1]}) + PING, UNKNOWN, PINGED)
    f.good("odd-last", "NET-7", "type 2^31 - 1", whole(2**31 - 1), UNKNOWN)
    f.good("odd-notice", "NET-7", "as a notice", whole(33, 0), {"id": 0, "message": None})
    f.good("id-1", "NET-7", "id 1", frame("PING", {}, 1), answer("PING", {}, 1))
    last = 2**31 - 1
    f.good("id-last", "NET-7", "id 2^31 - 1", frame("PING", {}, last), answer("PING", {}, last))
    for name, why, kind in (
        ("even", "an even type that nobody knows", 32),
        ("even-high", "type 2^31 - 2", 2**31 - 2),
        ("past", "type 2^31 + 1", 2**31 + 1),
        ("negative", "type -1", -1),
        ("false", "false as type", False),
        ("text", "the name as type", "PING"),
        ("nil", "nil as type", None),
    ):
        f.bad(f"type-{name}", "NET-7", why, whole(kind))
    for name, why, number in (
        ("past", "id 2^31", 2**31),
        ("negative", "id -1", -1),
        ("true", "true as id", True),
        ("text", "text as id", "7"),
        ("nil", "nil as id", None),
    ):
        f.bad(f"id-{name}", "NET-7", why, whole(24, number))
    f.bad("id-odd", "NET-7", "id -1 in a message that nobody knows", whole(33, -1))
    for name in NAMES:
        notice = name in NOTICES
        why = f"{name} with id 1" if notice else f"{name} with id 0"
        f.bad(f"id-{name.lower()}", "NET-7", why, frame(name, WHOLE[name], int(notice)))


def messages(f: Frames) -> None:
    """NET-8: every message whole, with the least, and with fields that nobody knows."""
    rules = {"RECON": "NET-15", "RANGES": "NET-15"}
    for name, body in WHOLE.items():
        low, rule = name.lower(), rules.get(name, "NET-8")
        f.good(low, rule, f"{name} with all its fields", frame(name, body), answer(name, body))
        turned = dict(reversed([*body.items(), ("new", {"a": [1]})]))
        why = f"{name} with a field that nobody knows, in another order"
        f.good(f"{low}-new", rule, why, frame(name, turned), answer(name, body))
    for name, body in LEAST.items():
        why = f"{name} with the least"
        f.good(
            f"{name.lower()}-least",
            rules.get(name, "NET-8"),
            why,
            frame(name, body),
            answer(name, body),
        )
    push = {"topic": TOPIC, "objects": [b"work 0"]}
    f.good(
        "push-objects", "NET-8", "PUSH of objects alone", frame("PUSH", push), answer("PUSH", push)
    )
    twice = {"topic": TOPIC, "cids": [CIDS[0], CIDS[0]]}
    f.good("get-twice", "NET-8", "GET of one CID twice", frame("GET", twice), answer("GET", twice))
    unable = {"code": "unable", "wait": 2**64 - 1}
    f.good(
        "sorry-unable", "NET-8", "the other code", frame("SORRY", unable), answer("SORRY", unable)
    )
    agent = {**LEAST["HELLO"], "agent": "\x1b[2J"}
    f.good(
        "agent-escape",
        "NET-8",
        "an agent that a terminal obeys",
        frame("HELLO", agent),
        answer("HELLO", agent),
    )


OPTIONAL = {("PUSH", "objects"), ("PUSH", "cids"), ("GET", "file"), ("BLOCKS", "next")}


def fields(f: Frames) -> None:
    """NET-8: fields that are missing, or of another type."""
    for name, body in WHOLE.items():
        low = name.lower()
        for wrong, why in (([], "an array"), (None, "nil"), (b"", "bytes")):
            label = f"{low}-body-{why.split()[-1]}"
            f.bad(label, "NET-8", f"{why} as the body of {name}", frame(name, Raw(pack(wrong))))
        for field, value in body.items():
            if (name, field) not in OPTIONAL:
                less = {key: item for key, item in body.items() if key != field}
                f.bad(f"{low}-no-{field}", "NET-8", f"{name} without {field}", frame(name, less))
            also = ("NET-15",) if field == "ranges" else ()
            for label, other in (("nil", None), ("map", {}), ("true", True), ("text", "a" * 65)):
                if (field, label) in (("last", "true"), ("text", "text")):
                    continue
                f.bad(
                    f"{low}-{field}-{label}",
                    "NET-8",
                    f"{label} as {field} of {name}",
                    frame(name, body | {field: other}),
                    *also,
                )
            if isinstance(value, list) and field != "ranges":
                f.bad(
                    f"{low}-{field}-entry",
                    "NET-8",
                    f"true among {field} of {name}",
                    frame(name, body | {field: [*value, True]}),
                )
    neither = {"topic": TOPIC}
    f.bad("push-neither", "NET-8", "PUSH without objects and cids", frame("PUSH", neither))
    odd = sized(pack([33, 7, []]))
    f.bad("odd-body-array", "NET-8", "an array as body of a message that nobody knows", odd)


def bounds(f: Frames) -> None:
    """NET-8: each bound, at it and past it."""
    topic = {"topic": TOPIC}
    pull = LEAST["PULL"]
    hello = LEAST["HELLO"]

    def both(name: str, label: str, body: Callable[[int], dict[str, Any]], most: int) -> None:
        good, low = body(most), f"{name.lower()}-{label}"
        f.good(
            f"{low}-{most}",
            "NET-8",
            f"{most} {label} in {name}",
            frame(name, good),
            answer(name, good),
        )
        f.bad(
            f"{low}-{most + 1}",
            "NET-8",
            f"{most + 1} {label} in {name}",
            frame(name, body(most + 1)),
        )

    both("HELLO", "versions", lambda n: hello | {"versions": [1] * n}, 8)
    both("HELLO", "features", lambda n: hello | {"features": ["a"] * n}, 16)
    both("HELLO", "feature-bytes", lambda n: hello | {"features": ["a" * n]}, 32)
    both("HELLO", "agent-bytes", lambda n: hello | {"agent": "é" * (n // 2) + "a" * (n % 2)}, 64)
    both("HELLO", "listen", lambda n: hello | {"listen": ["/"] * n}, 16)
    both("HELLO", "address-bytes", lambda n: hello | {"listen": ["/" * n]}, 256)
    both("PUSH", "objects", lambda n: topic | {"objects": [b"{}"] * n}, 64)
    both("PUSH", "object-bytes", lambda n: topic | {"objects": [bytes(n)]}, 8192)
    both("PUSH", "cids", lambda n: topic | {"cids": [WORKS[0]] * n}, 256)
    both("HEADS", "heads", lambda n: LEAST["HEADS"] | {"heads": [WORKS[0]] * n}, 64)
    both("STATE", "heads", lambda n: LEAST["STATE"] | {"heads": [WORKS[0]] * n}, 64)
    both("GET", "cids", lambda n: topic | {"cids": [CIDS[0]] * n}, 256)
    both("BLOCKS", "blocks", lambda n: {"blocks": [None] * n, "last": True}, 256)
    both("PULL", "most", lambda n: pull | {"most": n}, 1_048_576)
    both("PEERS", "most", lambda n: {"most": n}, 32)
    both("RECORDS", "records", lambda n: {"records": [b"r"] * n}, 32)
    both("RECORDS", "record-bytes", lambda n: {"records": [bytes(n)]}, 1024)
    both("BYE", "code-bytes", lambda n: {"code": "a" * n, "text": ""}, 32)
    both("BYE", "text-bytes", lambda n: {"code": "", "text": "a" * n}, 256)
    two_mib = {"blocks": [bytes(2 * 1024 * 1024 + 1)], "last": True}
    f.bad(
        "block-over", "NET-8", "a block of 2 MiB and a byte", frame("BLOCKS", two_mib), limit=LONG
    )
    wrong: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
        ("versions-0", "no versions", "HELLO", hello | {"versions": []}),
        ("version-negative", "version -1", "HELLO", hello | {"versions": [1, -1]}),
        ("feature-empty", "a feature without a name", "HELLO", hello | {"features": [""]}),
        ("address-empty", "an empty address", "HELLO", hello | {"listen": [""]}),
        ("nonce-15", "a nonce of 15 bytes", "HELLO", hello | {"nonce": SUM[1:]}),
        ("nonce-17", "a nonce of 17 bytes", "HELLO", hello | {"nonce": SUM + b"\0"}),
        ("follow-1025", "1,025 topics", "FOLLOW", {"topics": [[TOPIC, 0, 0]] * 1025}),
        ("follow-twice", "a topic twice", "FOLLOW", {"topics": [[TOPIC, 0, 0], [TOPIC, 1, 0]]}),
        ("follow-two", "a topic without media", "FOLLOW", {"topics": [[TOPIC, 0]]}),
        ("follow-four", "four entries", "FOLLOW", {"topics": [[TOPIC, 0, 0, 0]]}),
        ("follow-scope-2", "scope 2", "FOLLOW", {"topics": [[TOPIC, 2, 0]]}),
        ("follow-scope-true", "scope true", "FOLLOW", {"topics": [[TOPIC, True, 0]]}),
        ("follow-media-3", "media 3", "FOLLOW", {"topics": [[TOPIC, 0, 3]]}),
        ("push-objects-0", "no objects", "PUSH", topic | {"objects": [], "cids": WORKS}),
        ("push-cids-0", "no digests", "PUSH", topic | {"objects": [b"{}"], "cids": []}),
        ("push-cid", "a CID among digests", "PUSH", topic | {"cids": [CIDS[0]]}),
        ("topic-35", "a topic of 35 bytes", "PUSH", {"topic": TOPIC[:-1], "cids": WORKS}),
        ("topic-37", "a topic of 37 bytes", "PUSH", {"topic": b"\0" + TOPIC, "cids": WORKS}),
        ("topic-text", "a topic as text", "PUSH", {"topic": wire.cid_text(TOPIC), "cids": WORKS}),
        ("topic-codec", "codec cbor", "PUSH", {"topic": b"\1\x51" + TOPIC[2:], "cids": WORKS}),
        (
            "topic-hash",
            "another hash",
            "PUSH",
            {"topic": b"\1\x71\x13\x20" + WORKS[0], "cids": WORKS},
        ),
        ("scope-2", "scope 2", "HEADS", LEAST["HEADS"] | {"scope": 2}),
        ("scope-negative", "scope -1", "HEADS", LEAST["HEADS"] | {"scope": -1}),
        ("count-negative", "count -1", "STATE", LEAST["STATE"] | {"count": -1}),
        ("sum-15", "a fingerprint of 15 bytes", "STATE", LEAST["STATE"] | {"sum": SUM[1:]}),
        ("sum-32", "a fingerprint of 32 bytes", "STATE", LEAST["STATE"] | {"sum": SUM * 2}),
        ("head-31", "a head of 31 bytes", "STATE", LEAST["STATE"] | {"heads": [WORKS[0][1:]]}),
        ("get-0", "no CIDs", "GET", topic | {"cids": []}),
        ("get-digest", "a digest among CIDs", "GET", topic | {"cids": WORKS[:1]}),
        ("get-v0", "a CID of version 0", "GET", topic | {"cids": [b"\x12\x20" + WORKS[0]]}),
        ("file-digest", "a digest as file", "GET", topic | {"cids": CIDS, "file": WORKS[0]}),
        ("next-39", "a key of 39 bytes", "BLOCKS", LEAST["BLOCKS"] | {"next": KEY[1:]}),
        ("next-0", "an empty key", "BLOCKS", LEAST["BLOCKS"] | {"next": b""}),
        ("last-1", "1 for true", "BLOCKS", LEAST["BLOCKS"] | {"last": 1}),
        ("after-39", "a key of 39 bytes", "PULL", pull | {"after": KEY[1:]}),
        ("after-41", "a key of 41 bytes", "PULL", pull | {"after": KEY + b"\0"}),
        ("pull-0", "most 0", "PULL", pull | {"most": 0}),
        ("peers-0", "most 0", "PEERS", {"most": 0}),
        ("sorry-code", "another code", "SORRY", {"code": "later", "wait": 0}),
        ("sorry-code-empty", "no code", "SORRY", {"code": "", "wait": 0}),
        ("wait-negative", "wait -1", "SORRY", {"code": "busy", "wait": -1}),
    )
    for name, why, message, body in wrong:
        f.bad(name, "NET-8", why, frame(message, body))


def ranges(f: Frames) -> None:
    """NET-15."""

    def recon(*said: Any) -> bytes:
        return frame("RECON", LEAST["RECON"] | {"ranges": list(said)})

    def ranged(*said: Any) -> bytes:
        return frame("RANGES", {"ranges": list(said)})

    last = [b"", 0, None]
    many = [[n.to_bytes(2, "big"), 0, None] for n in range(1, 1025)]
    whole = {"ranges": [*many[:1023], last]}
    f.good("1024", "NET-15", "1,024 ranges", ranged(*whole["ranges"]), answer("RANGES", whole))
    f.bad("1025", "NET-15", "1,025 ranges", ranged(*many, last))
    f.bad("none", "NET-15", "no ranges", ranged(), "NET-8")
    prefix = {"ranges": [[b"\1", 0, None], [b"\1\0", 0, None], [b"\2", 0, None], last]}
    f.good(
        "prefix",
        "NET-15",
        "an upper that begins as the one before",
        ranged(*prefix["ranges"]),
        answer("RANGES", prefix),
    )
    for name, why, uppers in (
        ("equal", "an upper twice", [b"\1", b"\1", b""]),
        ("falling", "uppers that fall", [b"\2", b"\1", b""]),
        ("no-last", "the last has an upper", [b"\1", b"\2"]),
        ("two-last", "two without an upper", [b"\1", b"", b""]),
        ("first-empty", "the first of two without an upper", [b"", b"\1"]),
        ("upper-41", "an upper of 41 bytes", [KEY + b"\0", b""]),
        ("upper-text", "an upper that is text", ["\1", b""]),
        ("upper-nil", "an upper that is nil", [None]),
    ):
        said = [[upper, 0, None] for upper in uppers]
        f.bad(name, "NET-15", why, ranged(*said), "NET-8")
    f.good(
        "upper-40",
        "NET-15",
        "an upper of 40 bytes of 255",
        ranged([b"\xff" * 40, 0, None], last),
        answer("RANGES", {"ranges": [[b"\xff" * 40, 0, None], last]}),
    )
    for name, why, one in (
        ("not-array", "a range that is a map", {}),
        ("two-entries", "a range of two entries", [b"", 0]),
        ("four-entries", "a range of four entries", [b"", 0, None, None]),
        ("mode-4", "mode 4", [b"", 4, None]),
        ("mode-negative", "mode -1", [b"", -1, None]),
        ("mode-true", "true as mode", [b"", True, [1, SUM]]),
        ("mode-nil", "nil as mode", [b"", None, None]),
        ("0-payload", "mode 0 with bytes", [b"", 0, b""]),
        ("1-nil", "mode 1 with nil", [b"", 1, None]),
        ("1-one", "mode 1 with a count alone", [b"", 1, [1]]),
        ("1-three", "mode 1 with three entries", [b"", 1, [1, SUM, 0]]),
        ("1-negative", "mode 1 with count -1", [b"", 1, [-1, SUM]]),
        ("1-true", "mode 1 with true as count", [b"", 1, [True, SUM]]),
        ("1-sum-15", "mode 1 with a fingerprint of 15 bytes", [b"", 1, [1, SUM[1:]]]),
        ("1-sum-text", "mode 1 with a fingerprint that is text", [b"", 1, [1, "a" * 16]]),
        ("2-nil", "mode 2 with nil", [b"", 2, None]),
        ("2-array", "mode 2 with an array of digests", [b"", 2, WORKS]),
        ("2-33", "mode 2 with 33 bytes", [b"", 2, WORKS[0] + b"\0"]),
        ("2-31", "mode 2 with 31 bytes", [b"", 2, WORKS[0][1:]]),
    ):
        f.bad(name, "NET-15", why, recon(one), "NET-8")
    f.bad("3-asked", "NET-15", "mode 3 in RECON", recon([b"", 3, [b"", []]]), "NET-8")
    for name, why, payload in (
        ("3-nil", "nil", None),
        ("3-one", "digests alone", [b""]),
        ("3-three", "three entries", [b"", [], 0]),
        ("3-bytes", "31 bytes of digests", [WORKS[0][1:], []]),
        ("3-text", "text for digests", ["", []]),
        ("3-places-nil", "nil for places", [b"", None]),
        ("3-places-bytes", "bytes for places", [b"", b"\0\1"]),
        ("3-place-twice", "a place twice", [b"", [1, 1]]),
        ("3-places-falling", "places that fall", [b"", [2, 1]]),
        ("3-place-negative", "place -1", [b"", [-1]]),
        ("3-place-true", "true as place", [b"", [True]]),
    ):
        f.bad(name, "NET-15", f"mode 3 with {why}", ranged([b"", 3, payload]), "NET-8")
