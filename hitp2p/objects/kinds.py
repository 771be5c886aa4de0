"""The kinds of spec 03 as tables: class, what the envelope must have, shape of the body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from hitp2p import limits
from hitp2p.errors import RuleError
from hitp2p.objects.parts import (
    CREDITS,
    LANGUAGES,
    LICENSE,
    LINE,
    MEDIA,
    NAME,
    PAGES,
    PART,
    PROSE,
    PROSE_RULES,
    REF,
    RELATION,
    ROLE,
    RULES,
    RULES_FIELDS,
    RULES_RULES,
    SPLIT,
    TAGS,
    TARGET,
    TEXT_BLOCK,
    TITLE,
    UNIQUE_REFS,
    URL,
    USES,
    WITNESSED_REFS,
)
from hitp2p.objects.shape import Boolean, Bytes, Choice, Integer, ListOf, Record, Shape
from hitp2p.rules import RuleSet

__all__ = ["KINDS", "Kind", "ObjectClass", "Presence"]


class ObjectClass(StrEnum):
    """What part an object plays in the trail [spec 04]."""

    WORK = "work"
    STATEMENT = "statement"
    RULES = "rules"
    PROJECT = "project"
    EVENT = "event"
    UNKNOWN = "unknown"


class Presence(StrEnum):
    """Whether `project` and `parents` stand in the envelope [OBJ-9]."""

    BOTH = "both"
    NEITHER = "neither"
    EITHER = "both or neither"
    EVENT = "as IDN-1 and IDN-2 say"


class Kind(NamedTuple):
    """What spec 03 says of one kind."""

    object_class: ObjectClass
    presence: Presence
    body: Record


# --- rules over several fields of one kind --------------------------------------------------------
WITNESS_RULES: RuleSet[[dict[str, Any]]] = RuleSet()
SPEAKING_RULES: RuleSet[[dict[str, Any]]] = RuleSet()
"""Of decisions and comments, which must say something."""


@WITNESS_RULES.rule("KND-6")
def _witnesses_one_thing(body: dict[str, Any]) -> None:
    if ("refs" in body) == ("snapshot" in body):
        raise RuleError("a witness has exactly one of refs and snapshot", rule="KND-6")


@SPEAKING_RULES.rule("KND-7")
def _says_why(body: dict[str, Any]) -> None:
    """Someone who is declined may know the reason."""
    if "verdict" in body:
        if body["verdict"] == "decline" and "reason" not in body:
            raise RuleError("a decline gives a reason", rule="KND-7")
    elif "text" not in body and "text_block" not in body:
        raise RuleError("a comment has a text or a text_block", rule="KND-7")


# --- tables ---------------------------------------------------------------------------------------
def _body(
    fields: Mapping[str, Shape],
    *required: str,
    rules: Iterable[RuleSet[[dict[str, Any]]]] = (),
) -> Record:
    return Record(fields, required=required, rules=rules)


def _statement(body: Record, presence: Presence = Presence.EITHER) -> Kind:
    return Kind(ObjectClass.STATEMENT, presence, body)


def _work(body: Record) -> Kind:
    return Kind(ObjectClass.WORK, Presence.BOTH, body)


_TOPICS: Final[dict[str, Shape]] = {"language": LANGUAGES, "tags": TAGS}
_NOTE: Final[dict[str, Shape]] = {"note": PROSE, "note_block": TEXT_BLOCK}
_CREDITS: Final[dict[str, Shape]] = {"credits": CREDITS, "credits_pages": PAGES}
_SCHEMES: Final = ListOf(_body({"scheme": LINE, "value": LINE}, "scheme", "value"))

_EVENTS: Final[dict[str, Kind]] = {
    "identity": Kind(
        ObjectClass.EVENT,
        Presence.EVENT,
        _body(
            {
                "keys": ListOf(Bytes(32), limits.IDENTITY_KEYS, rule="IDN-5"),
                "next": ListOf(Bytes(32), limits.IDENTITY_NEXT, rule="IDN-5"),
                "name": NAME,
                "dropped": ListOf(
                    _body({"key": Bytes(32), "pages": PAGES}, "key"),
                    limits.IDENTITY_DROPPED,
                ),
            },
            "keys",
            "next",
        ),
    ),
}
_PROJECTS: Final[dict[str, Kind]] = {
    "project": Kind(
        ObjectClass.PROJECT,
        Presence.NEITHER,
        _body(
            {
                "title": TITLE,
                "purpose": PROSE,
                "purpose_block": TEXT_BLOCK,
                "license": LICENSE,
                "accepts": ListOf(LICENSE),
                "rules": RULES,
                "forked_from": _body({"project": REF, "heads": ListOf(REF)}, "project", "heads"),
                "nonce": Bytes(16),
                **_TOPICS,
            },
            "title",
            "rules",
            "nonce",
            rules=[PROSE_RULES],
        ),
    ),
    "rules": Kind(
        ObjectClass.RULES,
        Presence.BOTH,
        _body(
            {**RULES_FIELDS, "keep": ListOf(REF), "keep_pages": PAGES},
            "roles",
            "actions",
            rules=[RULES_RULES],
        ),
    ),
}
_WORKS: Final[dict[str, Kind]] = {
    "contribution": _work(
        _body(
            {
                "title": TITLE,
                "media": MEDIA,
                "uses": USES,
                "uses_pages": PAGES,
                "license": LICENSE,
                "call": REF,
                "made_with_ai": Choice("no", "part", "whole"),
                "unchecked": PROSE,
                **_CREDITS,
                **_TOPICS,
                **_NOTE,
            },
            "title",
            rules=[PROSE_RULES],
        )
    ),
    "call": _work(
        _body(
            {
                "title": TITLE,
                "prompt": PROSE,
                "prompt_block": TEXT_BLOCK,
                "wants": ListOf(_body({"media": LINE, "role": ROLE})),
                "material": ListOf(TARGET),
                "license": LICENSE,
                "reward": LINE,
                "deadline": LINE,
                "limits": LINE,
                **_TOPICS,
            },
            "title",
            rules=[PROSE_RULES],
        )
    ),
    "release": _work(
        _body(
            {
                "title": TITLE,
                "version": LINE,
                "works": UNIQUE_REFS,
                "media": MEDIA,
                "license": LICENSE,
                "split": SPLIT,
                "supersedes": UNIQUE_REFS,
                **_CREDITS,
                **_NOTE,
            },
            "title",
            "version",
            "works",
            rules=[PROSE_RULES],
        )
    ),
}
_STATEMENTS: Final[dict[str, Kind]] = {
    "profile": _statement(
        _body(
            {
                "name": NAME,
                "links": ListOf(_body({"label": LINE, "url": URL}, "url")),
                "payees": _SCHEMES,
                "proofs": _SCHEMES,
            }
        ),
        Presence.NEITHER,
    ),
    "claim": _statement(_body({"call": REF, "note": PROSE, "until": LINE}, "call")),
    "decision": _statement(
        _body(
            {
                "target": TARGET,
                "verdict": Choice("accept", "decline", "feature", "close", "enact"),
                "reason": PROSE,
                "rules": REF,
            },
            "target",
            "verdict",
            "rules",
            rules=[SPEAKING_RULES],
        )
    ),
    "answer": _statement(
        _body(
            {
                "target": TARGET,
                "about": Choice("credit", "split", "source"),
                "line": Integer(0, limits.LINE_INDEX),
                "answer": Choice("accept", "deny", "amend"),
                "role": ROLE,
                "name": NAME,
                "reason": PROSE,
            },
            "target",
            "about",
            "line",
            "answer",
        )
    ),
    "grant": _statement(
        _body(
            {
                "work": TARGET,
                "grantee": REF,
                "license": LICENSE,
                "terms": PROSE,
                "terms_block": TEXT_BLOCK,
            },
            "work",
            rules=[PROSE_RULES],
        )
    ),
    "comment": _statement(
        _body(
            {
                "target": TARGET,
                "part": PART,
                "reply_to": REF,
                "text": PROSE,
                "text_block": TEXT_BLOCK,
            },
            "target",
            rules=[PROSE_RULES, SPEAKING_RULES],
        )
    ),
    "highlight": _statement(
        _body({"target": TARGET, "reason": PROSE, "list": LINE}, "target", "reason")
    ),
    "thanks": _statement(_body({"target": TARGET, "text": PROSE}, "target", "text")),
    "withdrawal": _statement(
        _body(
            {
                "target": TARGET,
                "scope": Choice("work", "media", "name"),
                "reason": PROSE,
                "replacement": REF,
            },
            "target",
            "scope",
        )
    ),
    "dispute": _statement(
        _body({"target": TARGET, "own": TARGET, "reason": PROSE}, "target", "reason")
    ),
    "claim_ancestor": _statement(
        _body(
            {"target": TARGET, "own": TARGET, "relation": RELATION, "reason": PROSE},
            "target",
            "own",
        )
    ),
    "label": _statement(
        _body(
            {"target": TARGET, "value": LINE, "reason": PROSE, "negate": Boolean()},
            "target",
            "value",
        )
    ),
    "witness": _statement(
        _body(
            {"refs": WITNESSED_REFS, "snapshot": REF, "seen": Integer(0, limits.TIME_MAX)},
            "seen",
            rules=[WITNESS_RULES],
        )
    ),
    "seal": _statement(_body({"hash": Bytes(32)}, "hash")),
    "reveal": _statement(
        _body({"seal": REF, "salt": Bytes(16, 64), "target": TARGET}, "seal", "salt", "target")
    ),
}

KINDS: Final[dict[str, Kind]] = {**_EVENTS, **_PROJECTS, **_WORKS, **_STATEMENTS}
"""Every kind of spec 03. One that isn't here is unknown and judged by its envelope alone [KND-10].

Closed, and so are the fields: a kind or field more would change verdicts that other programs have given. What a later
chapter adds goes into a table of its own, which says what it means and never whether it is valid [KND-11].
"""
