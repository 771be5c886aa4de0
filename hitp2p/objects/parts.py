"""Shapes of the parts that several kinds have in common, each with the rules that are its own."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from hitp2p import limits
from hitp2p.codec.cid import DAG_CBOR, DAG_PB, RAW
from hitp2p.errors import RuleError
from hitp2p.objects.shape import (
    Bytes,
    Choice,
    Integer,
    Link,
    ListOf,
    MapOf,
    Pattern,
    Record,
    Ref,
    Shape,
    Text,
)
from hitp2p.rules import RuleSet

# --- text of one field ----------------------------------------------------------------------------
TITLE: Final = Text(limits.TITLE_BYTES)
NAME: Final = Text(limits.NAME_BYTES)
LINE: Final = Text(limits.LINE_BYTES)
URL: Final = Text(limits.URL_BYTES)
PROSE: Final = Text(limits.NOTE_BYTES, multiline=True)
ROLE: Final = Text(limits.ROLE_BYTES, rule="OBJ-20")
REF: Final = Ref()

_SECONDS: Final = r"(?:[0-9]+|(?:[0-9]+:)?[0-5][0-9]:[0-5][0-9])(?:\.[0-9]+)?"
_NUMBER: Final = r"[0-9]+(?:\.[0-9]+)?"
PART: Final = Pattern(
    "media fragment (t=, xywh= or char=)",
    rf"t=(?:npt:)?(?:{_SECONDS}(?:,{_SECONDS})?|,{_SECONDS})"
    rf"|xywh=(?:pixel:|percent:)?{_NUMBER}(?:,{_NUMBER}){{3}}"
    r"|char=(?:[0-9]+(?:,[0-9]*)?|,[0-9]+)",
    limits.PART_BYTES,
    rule="OBJ-19",
)
LANGUAGE: Final = Pattern(
    "BCP 47 language tag",
    r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*",
    limits.LANGUAGE_BYTES,
    rule="OBJ-21",
)
MEDIA_TYPE: Final = Pattern(
    "media type in lower case",
    r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*",
    limits.MEDIA_TYPE_BYTES,
    rule="MED-1",
)


class License(Text):
    """An SPDX expression, by its looks: no list of identifiers could be the same for all [OBJ-22]."""

    __slots__ = ()

    def check(self, value: Any, /) -> None:
        super().check(value)
        if not _is_expression(value):  # remembered, because a trail has few licences and many works
            raise RuleError(f"{value!a} does not look like an SPDX expression", rule="OBJ-22")


_IDENTIFIER: Final = r"(?!(?:AND|OR|WITH)(?![A-Za-z0-9.+:-]))[A-Za-z0-9.+:-]+"
_TERM: Final = rf"(?:{_IDENTIFIER}(?: WITH {_IDENTIFIER})?|\(\))"
_EXPRESSION: Final = rf"{_TERM}(?: (?:AND|OR) {_TERM})*"
_is_flat: Final = re.compile(_EXPRESSION).fullmatch


@lru_cache(maxsize=1024)
def _is_expression(text: str) -> bool:
    # An inner pair of parentheses becomes "()", which stands for a term, until none is left; at most
    # 128 pairs fit. Text that has "()" from the start is refused before.
    if "()" in text:
        return False
    n_found = text.count("(")
    while n_found:
        text, n_found = re.subn(rf"\({_EXPRESSION}\)", "()", text)
    return _is_flat(text) is not None


LICENSE: Final = License(limits.LICENSE_BYTES)


# --- lists ----------------------------------------------------------------------------------------
def _unique(rule: str) -> RuleSet[[list[Any]]]:
    rules: RuleSet[[list[Any]]] = RuleSet()

    @rules.rule(rule)
    def _(entries: list[Any]) -> None:  # pyright: ignore[reportUnusedFunction]
        if len(entries) > 1 and len(set(entries)) < len(entries):
            raise RuleError("the same entry twice in a list", rule=rule)

    return rules


def ascending(rule: str) -> RuleSet[[list[Any]]]:
    """That the entries of a list are sorted and unique."""
    rules: RuleSet[[list[Any]]] = RuleSet()

    @rules.rule(rule)
    def _(entries: list[Any]) -> None:  # pyright: ignore[reportUnusedFunction]
        for left, right in pairwise(entries):
            if not left < right:
                raise RuleError("entries are not sorted and unique", rule=rule)

    return rules


TAGS: Final = ListOf(Text(limits.TAG_BYTES), limits.TAGS, rules=[_unique("KND-9")])
LANGUAGES: Final = ListOf(LANGUAGE, limits.LANGUAGES, rules=[_unique("KND-9")])
UNIQUE_REFS: Final = ListOf(REF, rules=[_unique("KND-8")])
WITNESSED_REFS: Final = ListOf(REF, limits.WITNESS_REFS, rules=[ascending("KND-6")])
PAGES: Final = ListOf(Link("a list page", DAG_CBOR, rule="OBJ-23"))
TEXT_BLOCK: Final = Link("a raw block", RAW, rule="OBJ-24")


# --- media [spec 05] ------------------------------------------------------------------------------
class FileName(Text):
    """A label, never a path [MED-3]."""

    __slots__ = ()

    def check(self, value: Any, /) -> None:
        super().check(value)
        if "/" in value or "\\" in value or value in {".", ".."}:
            raise RuleError(f"{value[:80]!a} is a path; a name is only a label", rule="MED-3")


MEDIA: Final = ListOf(
    Record(
        {
            "file": Link("a raw or dag-pb block", RAW, DAG_PB, rule="MED-2"),
            "size": Integer(0, 2**53 - 1, rule="MED-1"),
            "sha256": Bytes(32),
            "type": MEDIA_TYPE,
            "role": Choice("master", "preview", "stem", "source-file"),
            "name": FileName(limits.LINE_BYTES),
            "alt": PROSE,
            "essence": Record(
                {
                    "algorithm": LINE,
                    "digest": Bytes(16, 64, rule="MED-1"),
                    "display": Bytes(16, 64, rule="MED-1"),
                },
                required=("algorithm", "digest"),
                rule="MED-1",
            ),
        },
        required=("file", "size", "sha256", "type", "role"),
        rule="MED-1",
    ),
    limits.MEDIA_ENTRIES,
)

# --- uses and credits -----------------------------------------------------------------------------
RELATIONS: Final = (
    "remix",
    "version",
    "merge",
    "response",
    "translation",
    "extract",
    "sample",
    "collect",
    "reference",
    "inspired-by",
)
"""How a source was used, as spec 03 lists it."""
RELATION: Final = Choice(*RELATIONS)

USE_RULES: RuleSet[[dict[str, Any]]] = RuleSet()


@USE_RULES.rule("KND-2")
def _names_one_source(use: dict[str, Any]) -> None:
    """A use points at a work here or at something outside; a reader must know which."""
    if ("work" in use) == ("source" in use):
        raise RuleError("a use names exactly one of work and source", rule="KND-2")
    if "project" in use and "work" not in use:
        raise RuleError("project stands only beside work", rule="KND-2")


SOURCE_RULES: RuleSet[[dict[str, Any]]] = RuleSet()


@SOURCE_RULES.rule("KND-2")
def _can_be_found(source: dict[str, Any]) -> None:
    if not ("url" in source or "title" in source or "sha256" in source):
        raise RuleError("a source has a url, a title or a sha256", rule="KND-2")


USE: Final = Record(
    {
        "work": REF,
        "project": REF,
        "source": Record(
            {
                "url": URL,
                "title": TITLE,
                "author": LINE,
                "license": LICENSE,
                "sha256": Bytes(32),
                "fetched": Integer(0, limits.TIME_MAX),
            },
            rules=[SOURCE_RULES],
        ),
        "relation": RELATION,
        "part": PART,
        "into": PART,
        "note": PROSE,
    },
    required=("relation",),
    rules=[USE_RULES],
)
USES: Final = ListOf(USE, limits.USES)

PERSON_RULES: RuleSet[[dict[str, Any]]] = RuleSet()


@PERSON_RULES.rule("KND-3")
def _names_someone(entry: dict[str, Any]) -> None:
    if "who" not in entry and "name" not in entry:
        raise RuleError("neither who nor name", rule="KND-3")


CREDIT: Final = Record(
    {"who": REF, "name": NAME, "role": ROLE, "part": PART},
    required=("role",),
    rules=[PERSON_RULES],
)
CREDITS: Final = ListOf(CREDIT, limits.CREDITS)

SPLIT_RULES: RuleSet[[dict[str, Any]]] = RuleSet()


@SPLIT_RULES.rule("KND-5")
def _adds_up(split: dict[str, Any]) -> None:
    total = sum(part["points"] for part in split["parts"])
    if total != limits.SPLIT_POINTS:
        raise RuleError(f"points add up to {total}; must be {limits.SPLIT_POINTS}", rule="KND-5")


SPLIT: Final = Record(
    {
        "method": LINE,
        "parts": ListOf(
            Record(
                {
                    "who": REF,
                    "name": NAME,
                    "points": Integer(0, limits.SPLIT_POINTS, rule="KND-5"),
                },
                required=("points",),
                rules=[PERSON_RULES],
            )
        ),
    },
    required=("method", "parts"),
    rules=[SPLIT_RULES],
)

# --- targets and rules ----------------------------------------------------------------------------
TARGET: Final = Record({"object": REF, "project": REF}, required=("object",), rule="OBJ-17")

RULES_RULES: RuleSet[[dict[str, Any]]] = RuleSet()


@RULES_RULES.rule("KND-4")
def _thresholds_can_be_met(rules: dict[str, Any]) -> None:
    """A threshold above the number of people would lock a project for ever."""
    roles = rules["roles"]
    for name in ACTIONS & rules["actions"].keys():
        action = rules["actions"][name]
        if action["role"] not in roles:
            raise RuleError(f"role {action['role']!a} of {name} is not in roles", rule="KND-4")
        _check_threshold(name, action["threshold"], len(roles[action["role"]]))
    if "recovery" in rules:
        recovery = rules["recovery"]
        _check_threshold("recovery", recovery["threshold"], len(recovery["who"]))


def _check_threshold(name: str, threshold: int, n_people: int) -> None:
    if not 1 <= threshold <= n_people:
        raise RuleError(f"threshold {threshold} of {name}; 1 to {n_people} allowed", rule="KND-4")


ACTIONS: Final = frozenset({"accept", "decline", "feature", "close", "release", "rules"})
_ACTION: Final = Record({"role": ROLE, "threshold": Integer()}, required=("role", "threshold"))
_IDENTITIES: Final = [ascending("KND-4")]
IDENTITIES: Final = ListOf(REF, rules=_IDENTITIES)
"""Of recovery; a role has fewer."""

RULES_FIELDS: Final[dict[str, Shape]] = {
    "roles": MapOf(
        ROLE, ListOf(REF, limits.RULES_IDENTITIES, rules=_IDENTITIES), limits.RULES_ROLES
    ),
    "actions": Record(dict.fromkeys(sorted(ACTIONS), _ACTION)),
    "recovery": Record(
        {"who": IDENTITIES, "threshold": Integer()},
        required=("who", "threshold"),
    ),
}
RULES: Final = Record(RULES_FIELDS, required=("roles", "actions"), rules=[RULES_RULES])

# --- bodies ---------------------------------------------------------------------------------------
PROSE_RULES: RuleSet[[dict[str, Any]]] = RuleSet()


@PROSE_RULES.rule("OBJ-24")
def _stands_in_one_place(body: dict[str, Any]) -> None:
    """Two texts for one field would be shown by some and hidden by others."""
    for block_name, name in _PROSE_NAMES:
        if block_name in body and name in body:
            raise RuleError(f"{name} and {block_name} are both present", rule="OBJ-24")


_PROSE_NAMES: Final = tuple(
    (f"{name}_block", name) for name in ("note", "prompt", "purpose", "text", "terms")
)
