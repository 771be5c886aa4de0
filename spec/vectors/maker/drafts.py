"""Objects to spoil, and a book of them."""

from __future__ import annotations

from typing import Any

from maker.book import Book
from maker.sign import ALICE, PROJECT_CID, TIME, in_project, seal

KEY = ALICE.key
ENVELOPE: dict[str, Any] = {
    "kind": "contribution", "body": {"title": "A work"}, "spec": 1, "time": TIME, "signer": KEY.public,
    "author": ALICE.cid, "event": ALICE.cid, "project": PROJECT_CID, "parents": [PROJECT_CID],
}  # fmt: skip


def changed(without: str = "", **fields: Any) -> bytes:
    """A contribution with other fields in its envelope, signed as it stands."""
    return seal({k: v for k, v in (ENVELOPE | fields).items() if k != without}, KEY)


def with_body(**fields: Any) -> bytes:
    return changed(body={"title": "A work"} | fields)


def placed(kind: str, place: str, body: Any) -> bytes:
    """An object of this kind where it belongs: in the project, or outside all."""
    return in_project(kind=kind, body=body) if place == "project" else ALICE.sign(kind, body)


class Objects:
    """A book of objects, with short names for what is said again and again."""

    def __init__(self) -> None:
        self.book = Book("objects")

    def good(self, name: str, rule: str, why: str, block: bytes, **more: Any) -> None:
        self.book.valid(name, rule, why, "object", block, **more)

    def bad(self, name: str, rules: str, why: str, block: bytes, **more: Any) -> None:
        rule, *also = rules.split("/")
        if also:
            more["also"] = also
        if rule.startswith("MED"):
            more["code"] = "rule"
        self.book.invalid(name, rule, why, "object", block, **more)
