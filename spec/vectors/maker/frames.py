"""net.json: chapter 10, frames, keys and fingerprints."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from maker import wire
from maker.book import Book
from maker.node_bodies import bounds, fields, messages, ranges
from maker.node_messages import (
    CIDS,
    FIRST,
    LONG,
    NAMES,
    NOTICES,
    PING,
    PINGED,
    UNKNOWN,
    USUAL,
    WHOLE,
    WORKS,
    Frames,
    answer,
    frame,
    sized,
)
from maker.packs import NIL, UNUSED, array_head, map_head, pack
from maker.wire import Raw, sha256


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
