"""The part of objects.json on texts, lists, refs and the fields of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from maker import wire
from maker.drafts import Objects, changed, placed, with_body
from maker.fields import (
    CREDITED,
    HERE,
    WHO,
)
from maker.kinds import KINDS, Kind
from maker.shapes import FILE, TREE, Map
from maker.sign import ALICE, PROJECT_CID, in_project, ref


def texts(book: Objects) -> None:
    def title(text: str) -> bytes:
        return changed(body={"title": text})

    for name, text in {
        "nfd": "cafe\u0301", "angstrom": "\u212b", "empty": "", "alm": "a\u061cb", "lrm": "a\u200eb", "rlm": "a\u200fb",
        "lre": "a\u202ab", "rlo": "a\u202eb", "lri": "a\u2066b", "pdi": "a\u2069b", "zwsp": "a\u200bb", "wj": "a\u2060b",
        "bom": "\ufeffa", "tag": "a\U000e0041b", "tag-first": "\U000e0000", "tag-last": "a\U000e007f",
    }.items():  # fmt: skip
        book.bad(f"title-{name}", "OBJ-14", f"title is {text!a}", title(text))
    for name, text in {
        "nfc": "caf\u00e9", "zwj": "\U0001f469\u200d\U0001f680", "zwnj": "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "hebrew": "\u05e9\u05dc\u05d5\u05dd", "after-tags": "a\U000e0100", "spaces": "  ", "hangul": "\uac00", "compat": "\ufb01\u00b2",
    }.items():  # fmt: skip
        book.good(f"title-{name}", "OBJ-14", f"title is {text!a}", title(text))
    for name, char in {
        "nul": "\0",
        "tab": "\t",
        "lf": "\n",
        "cr": "\r",
        "esc": "\x1b",
        "us": "\x1f",
        "del": "\x7f",
        "nel": "\x85",
        "csi": "\x9b",
        "ls": "\u2028",
        "ps": "\u2029",
    }.items():
        book.bad(f"title-{name}", "OBJ-15", f"title with {char!a}", title(f"a{char}b"))
        if char != "\n":
            book.bad(f"note-{name}", "OBJ-15", f"note with {char!a}", with_body(note=f"a{char}b"))
    book.good("note-lf", "OBJ-15", "note with LF", with_body(note="\na\n\nb\n"))
    book.good("title-nbsp", "OBJ-15", "U+00A0 is no control character", title("a\u00a0b"))
    book.bad("note-nfd", "OBJ-14", "a note in NFD", with_body(note="cafe\u0301"))
    book.bad(
        "credit-name-rlo",
        "OBJ-14",
        "a name that turns the line around",
        with_body(credits=[CREDITED | {"name": "a\u202eb"}]),
    )


def lists_and_refs(book: Objects) -> None:
    for name, refs in (
        ("sha1", ref("x")[:-8]),
        ("text", "a work"),
        ("v0", "Qm" + "a" * 44),
        ("space", ref("x") + " "),
        ("dag-pb", wire.cid_text(TREE)),
    ):
        book.bad(f"call-{name}", "OBJ-17", f"call is {refs!r}", with_body(call=refs))
    own = {"object": ref("x"), "project": wire.cid_text(PROJECT_CID)}
    for kind, body in {
        "thanks": {"target": own, "text": "Thanks."}, "claim_ancestor": {"target": HERE, "own": own}, "grant": {"work": own},
        "call": {"title": "Wanted", "material": [HERE, own]},
    }.items():  # fmt: skip
        book.bad(
            f"{kind}-in-own-project",
            "OBJ-17",
            "a target that names its own project",
            in_project(kind=kind, body=body),
        )
    book.good(
        "target-project-outside",
        "OBJ-17",
        "a target that names its project, in an object outside all projects",
        ALICE.sign("thanks", {"target": own, "text": "Thanks."}),
    )
    full = [{"work": ref("a work"), "project": ref("elsewhere"), "relation": "remix"}] * 128
    people = [{"who": WHO, "role": "x"}] * 252
    book.good(
        "512",
        "OBJ-10",
        "4 links in the envelope, 256 refs in uses, 252 in credits",
        with_body(uses=full, credits=people),
    )
    book.bad(
        "513",
        "OBJ-10",
        "the same and a call",
        with_body(uses=full, credits=people, call=ref("call")),
    )
    book.bad(
        "513-unknown",
        "OBJ-10",
        "the same and a link in an unknown field",
        with_body(uses=full, credits=people, x={"y": [FILE]}),
    )
    book.good(
        "512-unknown-ref",
        "OBJ-10",
        "a ref in an unknown field is text like any",
        with_body(uses=full, credits=people, x=ref("x")),
    )
    book.bad(
        "513-repeated",
        "OBJ-10",
        "each time counts: 513 links to one block",
        with_body(x=[FILE] * 509),
    )
    book.good(
        "512-repeated",
        "OBJ-10",
        "512 links to one block, with those of the envelope",
        with_body(x=[FILE] * 508),
    )


def kinds(book: Objects) -> None:
    for kind, row in KINDS.items():
        book.good(
            f"{kind}-least", "KND-1", "required fields only", placed(kind, row.place, row.least)
        )
        for n, body in enumerate(row.most):
            book.good(
                f"{kind}-most-{n}",
                "KND-1",
                "all fields" if n == 0 else "other fields",
                placed(kind, row.place, body),
            )
    for kind, row in KINDS.items():
        for field, body, value in each_field(row):
            one = Map(
                row.shape.rule,
                **{f"_{field}" if field in row.shape.required else field: row.shape.fields[field]},
            )
            for name, bad, rule, why in one.faults({field: value}):
                if name != "type":
                    absent = {k: v for k, v in body.items() if k != field}
                    book.bad(f"{kind}-{name}", rule, why, placed(kind, row.place, absent | bad))
            for name, good, rule, why in one.edges({field: value}):
                book.good(f"{kind}-{name}", rule, why, placed(kind, row.place, body | good))


def each_field(row: Kind) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Each known field once, with a small body in which it may stand, and a value."""
    seen: set[str] = set()
    for n, most in enumerate(row.most or [row.least]):
        for field, value in most.items():
            if field not in seen:
                seen.add(field)
                yield field, most if n else row.least | {field: value}, value
