"""Vectors of what stands in the body of each message, and of ranges [NET-8, NET-15]."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maker import wire
from maker.node_messages import (
    CIDS,
    KEY,
    LEAST,
    LONG,
    SUM,
    TOPIC,
    WHOLE,
    WORKS,
    Frames,
    answer,
    frame,
    sized,
)
from maker.packs import pack
from maker.wire import Raw


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
