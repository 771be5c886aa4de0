"""Sets of objects with what each is worth, and the objects that most of them are made of."""

from __future__ import annotations

from typing import Any

from maker import wire
from maker.book import Book
from maker.fields import HERE
from maker.sign import ALICE, BOB, PROJECT, RULES, Key, in_project
from maker.wire import Link, cid, cid_text

BASE = [ALICE.genesis, PROJECT]
OTHER_PROJECT = BOB.sign("project", {"title": "Another song", "rules": RULES, "nonce": b"\1" * 16})
BOB_BASE = [BOB.genesis, OTHER_PROJECT]
WORK = in_project(body={"title": "A melody"})
WORDS = in_project(body={"title": "Some words"})
BOBS_WORK = BOB.sign(
    "contribution",
    {"title": "A bass line"},
    project=cid(OTHER_PROJECT),
    parents=[cid(OTHER_PROJECT)],
)
RULES_1 = in_project(kind="rules", body=RULES)
THANKS = in_project(kind="thanks", body={"target": HERE, "text": "Thank you."})
UNKNOWN = in_project(kind="x-sketch", body={})
PROFILE = ALICE.sign("profile", {"name": "Alice"})
LATER_KEY = Key("Alice later")
LATER = ALICE.event(
    ALICE.recovery[0],
    [ALICE.genesis],
    [LATER_KEY],
    [ALICE.recovery[1]],
    dropped=[{"key": ALICE.key.public}],
)


def on(*parents: bytes, kind: str = "contribution", body: Any = None, **envelope: Any) -> bytes:
    """An object by Alice in her project on these parents."""
    return in_project(kind=kind, body=body, parents=sorted(cid(p) for p in parents), **envelope)


def text(block: bytes) -> str:
    return cid_text(cid(block))


class Sets:
    """A book of sets, each about one object of it."""

    def __init__(self) -> None:
        self.book = Book("trail")

    def _add(
        self, name: str, rule: str, why: str, blocks: list[bytes], about: bytes, **expected: Any
    ) -> None:
        in_order = sorted({*blocks, about}, key=wire.sha256)
        verdict = expected.pop("verdict")
        more = {"object": text(about)} | {
            k: expected.pop(k) for k in ("also", "covers") if expected.get(k)
        }
        report: dict[str, Any] = {
            "valid": [],
            "incomplete": [],
            "invalid": {},
            "missing": [],
        } | expected
        judged = {*report["incomplete"], *report["invalid"]}
        report["valid"] = sorted({text(b) for b in in_order} - judged)
        more["report"] = report
        if verdict == "invalid":
            self.book.invalid(name, rule, why, "set", in_order, **more)
        else:
            self.book.other(name, rule, verdict, why, "set", in_order, **more)

    def good(
        self, name: str, rule: str, why: str, about: bytes, *blocks: bytes, **more: Any
    ) -> None:
        """`about` and all blocks are valid."""
        self._add(name, rule, why, [*BASE, *blocks], about, verdict="valid", **more)

    def bad(
        self,
        name: str,
        rules: str,
        why: str,
        about: bytes,
        *blocks: bytes,
        others: tuple[tuple[bytes, str], ...] = (),
        **more: Any,
    ) -> None:
        """`about` breaks a rule; `others` too."""
        rule, *also = rules.split("/")
        invalid = {text(about): [rule, *also]} | {text(b): [r] for b, r in others}
        in_set = [*BASE, *blocks, *(b for b, _ in others)]
        self._add(
            name,
            rule,
            why,
            in_set,
            about,
            verdict="invalid",
            invalid=invalid,
            **({"also": also} if also else {}),
            **more,
        )

    def waits(
        self,
        name: str,
        rule: str,
        why: str,
        about: bytes,
        *blocks: bytes,
        missing: list[Link],
        others: tuple[bytes, ...] = (),
    ) -> None:
        """`about` (and `others` with it) can't be judged; `missing` is not here."""
        incomplete = sorted([text(about), *map(text, others)])
        self._add(
            name,
            rule,
            why,
            [*blocks, *others],
            about,
            verdict="incomplete",
            incomplete=incomplete,
            missing=sorted(map(cid_text, missing)),
        )
