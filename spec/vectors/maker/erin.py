"""Erin, whose first key is dropped: what she signed, and what her later events say of it."""

from __future__ import annotations

from typing import Any

from maker import wire
from maker.fields import HERE
from maker.sign import PROJECT_CID, Key, Person, ref
from maker.wire import cid, encode

ERIN = Person("Erin", n_next=3)
NEW_KEY = Key("Erin later")
IN_PROJECT: dict[str, Any] = {"project": PROJECT_CID, "parents": [PROJECT_CID]}


def work(
    title: str, *parents: bytes, kind: str = "contribution", body: Any = None, **more: Any
) -> bytes:
    """An object by Erin in the project, under her first key unless it is said otherwise."""
    place = IN_PROJECT | ({"parents": sorted(cid(p) for p in parents)} if parents else {})
    return ERIN.sign(kind, {"title": title} if body is None else body, **place | more)


def page(*entries: dict[str, Any]) -> bytes:
    return encode({"entries": list(entries)})


def entry(
    *heads: bytes, project: bytes = PROJECT_CID, without: tuple[bytes, ...] = ()
) -> dict[str, Any]:
    fields: dict[str, Any] = {"project": wire.sha256(project)}
    fields |= {"heads": [ref(h) for h in heads]} if heads else {}
    return fields | ({"except": [ref(w) for w in without]} if without else {})


def drop(*pages: bytes, on: bytes = ERIN.genesis, rank: int = 0, **body: Any) -> bytes:
    """An event that drops Erin's first key, with pages of good heads; it commits to the same recovery keys."""
    gone: dict[str, Any] = {"key": ERIN.key.public}
    gone |= {"pages": [cid(p) for p in pages]} if pages else {}
    return ERIN.event(ERIN.recovery[rank], [on], [NEW_KEY], ERIN.recovery, dropped=[gone], **body)


def keep(on: bytes = ERIN.genesis, rank: int = 0, name: str = "keep") -> bytes:
    """An event that changes nothing."""
    return ERIN.event(ERIN.recovery[rank], [on], [ERIN.key], ERIN.recovery, x=name)


FIRST, SECOND = work("first"), work("second")
REMIX = work("remix", FIRST)
THANKS = work("", kind="thanks", body={"target": HERE, "text": "Thank you."})
