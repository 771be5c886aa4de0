"""The tables of spec 03 turned into functions that see at a glance that an object is right.

The rules and shapes are the definition, and they alone word errors. What is made of them here says only "surely right"
or "ask the rules". It says the second to whatever is wrong, and to some that is right but rare: unknown fields, a
target in another project, kinds of which a trail has few. So it changes no verdict, and saves about 8 us an object.

It reads two dialects: values of the reference decoder, and those of libipld, in which a link is plain bytes. There, bytes
that libipld might take for a CID are left to the rules. What the object profile forbids can't hide, as every value
stands in a known field: that bounds depth, integers, names and numbers of entries, and leaves no place for a float.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from operator import call
from typing import Any, Final, TypeAlias

from hitp2p import limits
from hitp2p.codec import fast
from hitp2p.codec.cid import DAG_CBOR, LINK_BYTES, LINK_PREFIXES, Cid, raw_bytes
from hitp2p.codec.fast import CID_STARTS
from hitp2p.errors import RuleError
from hitp2p.objects.kinds import KINDS, Presence
from hitp2p.objects.parts import (
    PERSON_RULES,
    PROSE_RULES,
    SOURCE_RULES,
    TARGET,
    USE,
    USE_RULES,
    ascending,
)
from hitp2p.objects.references import may_have_many_references
from hitp2p.objects.shape import (
    Boolean,
    Bytes,
    Choice,
    Integer,
    Link,
    ListOf,
    Pattern,
    Record,
    Ref,
    Shape,
    Text,
    is_ref,
)
from hitp2p.rules import RuleSet

__all__ = ["QUICK_KINDS", "draft_quickly", "is_surely_right"]

QUICK_KINDS: Final = KINDS.keys() - {"identity", "project", "rules"}
"""What nearly all of a trail is made of; the others have rules that stand in no table."""

_RARE: Final = ((USE, "project"), (TARGET, "project"))
"""Fields left to the rules; without them no target names the object's own project [OBJ-17, KND-2]."""

_call: Final[Any] = call  # whose type says nothing of a map over it
_Test: TypeAlias = Callable[[Any], object]
"""Gives something true where a value surely has a shape. May raise TypeError on another type, or RuleError."""


def is_surely_right(fields: Any, *, links_are_bytes: bool) -> bool:
    """Whether a decoded block surely satisfies the rules on the envelope, the table of its kind, and OBJ-17 and KND-2.

    Args:
        fields: what the reference decoder gave in the object profile, or libipld gave and writes back the same.
        links_are_bytes: whether it was libipld.
    """
    if fields.__class__ is not dict:
        return False
    kind: Any = fields.get("kind")
    if kind.__class__ is not str or kind not in QUICK_KINDS:
        return False
    try:
        return bool(_test_of_kind(kind, links_are_bytes)(fields))
    except (RuleError, TypeError):
        return False


_LINKS: Final = frozenset(("event", "author", "project"))
_LINK_TAG: Final = b"\xd8\x2a"
"""Stands in front of each link, and never in UTF-8."""


def draft_quickly(fields: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]] | None:
    """The block of a new object whose links all stand in its envelope, and its body as read back from the block.

    The block is what the reference encoder would write, and surely right; None where that has to look, such as where the
    body has links or something is wrong. By libipld, so in 15 us, where writing by the reference and reading take 45.

    Args:
        fields: those that it has; the signature is zeros.
    """
    if not fast.is_enabled():
        return None
    plain = dict(fields)
    n_links = 0
    for name in _LINKS & plain.keys():
        plain[name] = raw_bytes(plain[name])
        n_links += 1
    if "parents" in plain:
        plain["parents"] = parents = list(map(raw_bytes, plain["parents"]))
        n_links += len(parents)
    written = fast.encode_canonical(plain)
    if written is None:
        return None
    block, read = written
    # The tags are counted because libipld takes bytes that spell a CID for a link.
    if block.count(_LINK_TAG) != n_links or may_have_many_references(block):
        return None
    return (block, read["body"]) if is_surely_right(read, links_are_bytes=True) else None


@cache
def _test_of_kind(kind: str, links_are_bytes: bool) -> _Test:
    return _record(_whole_object(kind), links_are_bytes)


_TOGETHER: RuleSet[[dict[str, Any]]] = RuleSet()


@_TOGETHER.rule("OBJ-9")
def _project_and_parents(fields: dict[str, Any]) -> None:
    if ("project" in fields) is not ("parents" in fields):
        raise RuleError("project and parents go together", rule="OBJ-9")


def _whole_object(kind: str) -> Record:
    """Envelope and body as one table."""
    _, presence, body = KINDS[kind]
    link = Link("a signed object", DAG_CBOR, rule="OBJ-11")
    always: dict[str, Shape] = {
        "sig": Bytes(64),
        "body": body,
        "kind": Choice(kind),
        "spec": Integer(1, 1),
        "time": Integer(0, limits.TIME_MAX),
        "event": link,
        "author": link,
        "signer": Bytes(32),
    }
    parents = ListOf(link, limits.PARENTS, rules=[ascending("OBJ-7")])
    inside: dict[str, Shape] = {"parents": parents, "project": link}
    if presence is Presence.NEITHER:
        return Record(always, required=always)
    if presence is Presence.BOTH:
        return Record(always | inside, required=always | inside)
    return Record(always | inside, required=always, rules=[_TOGETHER])


_BY_NAMES: Final = (USE_RULES, SOURCE_RULES, PERSON_RULES, PROSE_RULES, _TOGETHER)
"""Rules that ask only which fields a map has, so that once is enough for each set of names."""
_NAME_SETS: Final = 256
"""How many sets of names are remembered a record; more would let a stranger fill the memory."""


def _record(record: Record, links_are_bytes: bool) -> _Test:
    rare = [name for owner, name in _RARE if owner is record]
    tests = {
        name: _test(shape, links_are_bytes)
        for name, shape in record.fields.items()
        if name not in rare
    }
    by_names = _functions(rules for rules in record.rules if rules in _BY_NAMES)
    by_values = _functions(rules for rules in record.rules if rules not in _BY_NAMES)
    arranged: dict[tuple[str, ...], tuple[_Test, ...]] = {}

    def arrange(names: tuple[str, ...]) -> tuple[_Test, ...]:
        """The tests in the order of the names; raises if a map can't have just these."""
        if not (tests.keys() >= set(names) >= set(record.required)):
            raise TypeError("an unknown, rare or missing field")
        for check in by_names:
            check(dict.fromkeys(names))
        found = tuple([tests[name] for name in names])
        if len(arranged) < _NAME_SETS:
            arranged[names] = found
        return found

    def is_right(value: Any) -> bool:
        if value.__class__ is not dict:
            return False
        names: tuple[str, ...] = tuple(value)
        found = arranged.get(names) or arrange(names)
        if not all(map(_call, found, value.values())):
            return False
        for check in by_values:
            check(value)
        return True

    return is_right


def _list(shape: ListOf, links_are_bytes: bool) -> _Test:
    test, limit, checks = _test(shape.entry, links_are_bytes), shape.limit, _functions(shape.rules)

    def is_right(value: Any) -> bool:
        if value.__class__ is not list or not 0 < len(value) <= limit or not all(map(test, value)):
            return False
        for check in checks:
            check(value)
        return True

    return is_right


def _functions(rule_sets: Iterable[RuleSet[[Any]]]) -> list[Callable[[Any], None]]:
    return [check for rules in rule_sets for check in rules.functions]


def _test(shape: Shape, links_are_bytes: bool) -> _Test:
    """Long, because it is a table of all shapes."""
    match shape:
        case Record():
            return _record(shape, links_are_bytes)
        case ListOf():
            return _list(shape, links_are_bytes)
        case Text():
            return _text(shape)
        case Ref():
            return is_ref
        case Choice():
            return shape.words.__contains__
        case Pattern():
            return _pattern(shape)
        case Integer():
            return _integer(shape)
        case Boolean():
            return lambda value: type(value) is bool
        case Bytes():
            return _bytes(shape, links_are_bytes)
        case Link():
            return _link(shape, links_are_bytes)
        case _:
            raise NotImplementedError(f"no quick test for a {type(shape).__name__}")


def _text(shape: Text) -> _Test:
    limit, check = shape.limit_bytes, shape.check
    if type(shape) is not Text:  # a licence or a file's name, which come again and again

        @lru_cache(maxsize=256)
        def is_right(value: Any) -> bool:
            return len(value) <= limit and check(value) is None

        return is_right
    # What isn't plain may be right; the check returns None or raises.
    return lambda value: (
        type(value) is str
        and (
            (value.isascii() and value.isprintable() and 0 < len(value) <= limit)
            or check(value) is None
        )
    )


def _pattern(shape: Pattern) -> _Test:
    limit, matches = shape.limit_bytes, shape.matches
    return lambda value: len(value) <= limit and matches(value)


def _integer(shape: Integer) -> _Test:
    low, high = shape.low, shape.high
    return lambda value: type(value) is int and low <= value <= high


def _bytes(shape: Bytes, links_are_bytes: bool) -> _Test:
    least, most = shape.least, shape.most
    if links_are_bytes:
        return lambda value: (
            type(value) is bytes and least <= len(value) <= most and value[:1] not in CID_STARTS
        )
    return lambda value: type(value) is bytes and least <= len(value) <= most


def _link(shape: Link, links_are_bytes: bool) -> _Test:
    starts = frozenset(start for start in LINK_PREFIXES if start[1] in shape.codecs)
    if links_are_bytes:
        return lambda value: (
            type(value) is bytes and len(value) == LINK_BYTES and value[:4] in starts
        )
    return lambda value: type(value) is Cid and raw_bytes(value)[:4] in starts
