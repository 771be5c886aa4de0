"""Messages of the node by hand, and how vectors of frames are written down [chapter 10]."""

from __future__ import annotations

from typing import Any

from maker.book import Book
from maker.packs import pack
from maker.wire import DAG_PB, RAW, cid, sha256

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
