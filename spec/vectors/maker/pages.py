"""The part of objects.json on list pages and text blocks."""

from __future__ import annotations

from typing import Any

from maker import wire
from maker.drafts import Objects
from maker.fields import (
    CREDITED,
    USE_SOURCE,
    WHO,
)
from maker.shapes import FILE, PAGE
from maker.sign import ref
from maker.wire import Raw, encode

PAGE_ENTRIES: dict[str, tuple[Any, Any, str]] = {
    "uses": (USE_SOURCE, {"relation": "remix"}, "KND-2"),
    "credits": (CREDITED, {"role": "cmp"}, "KND-3"),
    "keep": (ref("kept"), wire.cid_text(FILE), "OBJ-17"),
    "good-heads": ({"project": bytes(32), "heads": [ref("head")]}, {"project": bytes(31)}, "KND-1"),
}
"""List -> an entry that is right, one that is wrong, and the rule that the latter breaks."""


def pages(book: Objects) -> None:
    def good(name: str, list_: str, why: str, data: bytes) -> None:
        book.book.valid(name, "OBJ-23", why, "list-page", data, list=list_)

    def bad(name: str, list_: str, why: str, data: bytes, **more: Any) -> None:
        book.book.invalid(name, "OBJ-23", why, "list-page", data, list=list_, **more)

    for list_, (right, wrong, rule) in PAGE_ENTRIES.items():
        good(f"{list_}-1", list_, "one entry", encode({"entries": [right]}))
        bad(
            f"{list_}-shape",
            list_,
            f"an entry that breaks {rule}",
            encode({"entries": [right, wrong]}),
            also=[rule],
        )
        bad(f"{list_}-empty", list_, "no entry", encode({"entries": []}), also=["OBJ-5"])
    short = {"who": WHO, "role": "x"}
    good(
        "credits-500",
        "credits",
        "500 entries, more than a body may hold",
        encode({"entries": [short] * 500}),
    )
    bad("credits-501", "credits", "501 entries", encode({"entries": [short] * 501}))
    bad("extra-key", "credits", "a second key", encode({"entries": [short], "next": PAGE}))
    bad("other-key", "credits", "another key", encode({"credits": [short]}))
    bad("array", "credits", "the entries alone", encode([short]))
    bad("entries-map", "credits", "a map of entries", encode({"entries": {"0": short}}))
    data = fit_page(256 * 1024)
    good("256-kib", "uses", "256 KiB", data)
    bad("over-256-kib", "uses", "256 KiB and a byte", fit_page(256 * 1024 + 1))
    book.book.invalid(
        "list-page-float",
        "ENC-10",
        "a float in a page",
        "list-page",
        encode({"entries": [short | {"x": Raw(b"\xfb" + bytes(8))}]}),
        list="credits",
    )


def fit_page(size: int) -> bytes:
    """A page of uses of just this size, by a field nobody knows."""

    def page(n: int) -> bytes:
        return encode({"entries": [{"source": {"title": "x"}, "relation": "remix", "x": bytes(n)}]})

    return page(70_000 + size - len(page(70_000)))


def text_blocks(book: Objects) -> None:
    def bad(name: str, why: str, data: bytes, **more: Any) -> None:
        book.book.invalid(name, "MED-8", why, "text-block", data, code="rule", **more)

    book.book.valid(
        "text-block", "MED-8", "some lines", "text-block", "Zwölf Zeilen.\nNot quite.\n".encode()
    )
    book.book.valid("text-block-1-mib", "MED-8", "1 MiB", "text-block", b"x" * 1024 * 1024)
    bad("text-block-over-1-mib", "1 MiB and a byte", b"x" * (1024 * 1024 + 1))
    bad("text-block-latin-1", "Latin 1", "é".encode("latin-1"))
    bad("text-block-empty", "no text", b"", also=["OBJ-14"])
    bad("text-block-nfd", "NFD", "cafe\u0301".encode(), also=["OBJ-14"])
    bad("text-block-rlo", "a bidi control", "a\u202eb".encode(), also=["OBJ-14"])
    bad("text-block-tab", "a tab", b"a\tb", also=["OBJ-15"])
    bad("text-block-cr", "a line end of CR LF", b"a\r\nb", also=["OBJ-15"])
