"""Shapes: a small vocabulary for saying what a body looks like, so that kinds are tables.

A shape checks one decoded value and can list the refs in it. Fields that a `Record` does not know
are let through unseen [spec 03]. Every shape raises `RuleError` on what breaks it; the message
starts with the path to the field.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

from hitp2p import limits
from hitp2p.codec.cid import Cid
from hitp2p.errors import RuleError
from hitp2p.objects.text import TEXT_RULES
from hitp2p.rules import RuleSet

__all__ = [
    "REF_PATTERN",
    "Boolean",
    "Bytes",
    "Choice",
    "Integer",
    "Link",
    "ListOf",
    "MapOf",
    "Pattern",
    "Record",
    "Ref",
    "Shape",
    "Text",
    "is_ref",
    "say_type",
]

# 36 bytes in base32: version, codec, hash code and length fill the first seven characters (but for
# two bits), and the last character holds three bits of the digest and two that must be zero.
REF_PATTERN: Final = "bafyrei[a-h][a-z2-7]{50}[aeimquy4]"
"""Text that is the CID of an object, and only that."""
is_ref: Final = re.compile(REF_PATTERN).fullmatch
"""Finds out whether text is the CID of an object [OBJ-17]."""

LIST_RULES: RuleSet[[int, int, str]] = RuleSet()
"""Checks of (length found, most entries allowed, rule of the bound) of a list in a known field."""


@LIST_RULES.rule("OBJ-5")
def _not_empty(length: int, _limit: int, _rule: str) -> None:
    """An empty list and an absent field would be two spellings of one thing."""
    if not length:
        raise RuleError("empty list; leave the field out", rule="OBJ-5")


@LIST_RULES.rule("OBJ-18")
def _not_too_long(length: int, limit: int, rule: str) -> None:
    if length > limit:
        raise RuleError(f"{length} entries; at most {limit} allowed", rule=rule)


class Shape(Protocol):
    """What a decoded value in a known field must look like."""

    def check(self, value: Any, /) -> None:
        """Raise `RuleError` unless `value`, as received, has this shape."""
        ...

    def refs(self, value: Any, /) -> Iterator[str]:
        """The refs in `value`, which has this shape, in order of appearance."""
        ...


class _Plain:
    """A shape in which no refs can stand."""

    __slots__ = ()

    def refs(self, _value: Any, /) -> Iterator[str]:
        return iter(())


class Text(_Plain):
    """Text in NFC without invisible characters [OBJ-14 to OBJ-16]."""

    __slots__ = ("limit_bytes", "multiline", "rule")

    def __init__(self, limit_bytes: int, *, multiline: bool = False, rule: str = "OBJ-16") -> None:
        self.limit_bytes = limit_bytes
        self.multiline = multiline
        self.rule = rule
        """The rule that is broken by longer text."""

    def check(self, value: Any, /) -> None:
        if type(value) is not str:
            raise _wrong_type(value, "text")
        # Printable ASCII satisfies all but the bound; asking so first costs 0.1 us instead of 1.5 us.
        if not (value.isascii() and value.isprintable() and 0 < len(value) <= self.limit_bytes):
            TEXT_RULES(value, self.limit_bytes, self.multiline, self.rule)


class Pattern(_Plain):
    """Single-line text of a certain form, such as a language tag."""

    __slots__ = ("limit_bytes", "matches", "rule", "what")

    def __init__(self, what: str, pattern: str, limit_bytes: int, *, rule: str) -> None:
        self.what = what
        self.matches = re.compile(pattern).fullmatch
        self.limit_bytes = limit_bytes
        self.rule = rule

    def check(self, value: Any, /) -> None:
        if type(value) is not str:
            raise _wrong_type(value, self.what)
        if len(value) > self.limit_bytes:
            raise RuleError(
                f"{self.what} of {len(value)} characters; at most {self.limit_bytes} allowed",
                rule=self.rule,
            )
        if not self.matches(value):
            raise RuleError(f"{value!a} is not a {self.what}", rule=self.rule)


class Choice(_Plain):
    """One of a few words."""

    __slots__ = ("words",)

    def __init__(self, *words: str) -> None:
        self.words = frozenset(words)

    def check(self, value: Any, /) -> None:
        if type(value) is not str:
            raise _wrong_type(value, "text")
        if value not in self.words:
            allowed = ", ".join(sorted(self.words))
            raise RuleError(f"{value[:64]!a}; allowed are {allowed}", rule="KND-1")


class Integer(_Plain):
    """An integer between two bounds, both allowed."""

    __slots__ = ("high", "low", "rule")

    def __init__(
        self, low: int = limits.INT_MIN, high: int = limits.INT_MAX, *, rule: str = "KND-1"
    ) -> None:
        self.low = low
        self.high = high
        self.rule = rule

    def check(self, value: Any, /) -> None:
        if type(value) is not int:  # a bool is an int to isinstance
            raise _wrong_type(value, "an integer")
        if not self.low <= value <= self.high:
            raise RuleError(f"{value}; allowed are {self.low} to {self.high}", rule=self.rule)


class Boolean(_Plain):
    """True or false."""

    __slots__ = ()

    def check(self, value: Any, /) -> None:
        if type(value) is not bool:
            raise _wrong_type(value, "true or false")


class Bytes(_Plain):
    """A byte string whose length lies between two bounds, both allowed."""

    __slots__ = ("least", "most", "rule")

    def __init__(self, least: int, most: int | None = None, *, rule: str = "KND-1") -> None:
        self.least = least
        self.most = least if most is None else most
        self.rule = rule

    def check(self, value: Any, /) -> None:
        if type(value) is not bytes:
            raise _wrong_type(value, "bytes")
        if not self.least <= len(value) <= self.most:
            allowed = f"{self.least}" if self.least == self.most else f"{self.least} to {self.most}"
            raise RuleError(f"{len(value)} bytes; allowed are {allowed}", rule=self.rule)


class Link(_Plain):
    """A link to a block of certain codecs; that it is CIDv1 with sha2-256 the decoder knows."""

    __slots__ = ("codecs", "rule", "what")

    def __init__(self, what: str, *codecs: int, rule: str) -> None:
        self.what = what
        self.codecs = frozenset(codecs)
        self.rule = rule

    def check(self, value: Any, /) -> None:
        if type(value) is not Cid:
            raise _wrong_type(value, "a link")
        if value.codec not in self.codecs:
            raise RuleError(f"{value} is not a link to {self.what}", rule=self.rule)


class Ref:
    """The CID of an object as text [OBJ-17]."""

    __slots__ = ()

    def check(self, value: Any, /) -> None:
        # A pattern says the same as parsing and printing the CID again, in 0.2 us instead of 1.3 us.
        if type(value) is not str:
            raise _wrong_type(value, "a ref, the text of a CID")
        if not is_ref(value):
            raise RuleError(f"{value[:80]!a} is not the CID of an object as text", rule="OBJ-17")

    def refs(self, value: Any, /) -> Iterator[str]:
        yield value


class ListOf:
    """A list of 1 to `limit` entries of one shape [OBJ-5, OBJ-18], with rules of its own."""

    __slots__ = ("entry", "limit", "rule", "rules")

    def __init__(
        self,
        entry: Shape,
        limit: int = limits.LIST_ENTRIES,
        *,
        rules: Iterable[RuleSet[[list[Any]]]] = (),
        rule: str = "OBJ-18",
    ) -> None:
        self.entry = entry
        self.limit = limit
        self.rule = rule
        self.rules = tuple(rules)

    def check(self, value: Any, /) -> None:
        if value.__class__ is not list:
            raise _wrong_type(value, "a list")
        if not 0 < len(value) <= self.limit:
            LIST_RULES(len(value), self.limit, self.rule)
        check = self.entry.check
        for position, entry in enumerate(value):
            try:
                check(entry)
            except RuleError as error:
                raise RuleError(f"entry {position}: {error.message}", rule=error.rule) from error
        for rules in self.rules:
            rules(value)

    def refs(self, value: Any, /) -> Iterator[str]:
        for entry in value:
            yield from self.entry.refs(entry)


class MapOf:
    """A map of 1 to `limit` entries from free names to one shape."""

    __slots__ = ("entry", "limit", "name")

    def __init__(self, name: Shape, entry: Shape, limit: int) -> None:
        self.name = name
        self.entry = entry
        self.limit = limit

    def check(self, value: Any, /) -> None:
        if value.__class__ is not dict:
            raise _wrong_type(value, "a map")
        if not 0 < len(value) <= self.limit:
            raise RuleError(f"{len(value)} entries; allowed are 1 to {self.limit}", rule="KND-1")
        for name, entry in value.items():
            try:
                self.name.check(name)
                self.entry.check(entry)
            except RuleError as error:
                raise RuleError(f"{name!a}: {error.message}", rule=error.rule) from error

    def refs(self, value: Any, /) -> Iterator[str]:
        for entry in value.values():
            yield from self.entry.refs(entry)


class Record:
    """A map with known fields, some required, and rules over several of them.

    `checks` may be changed by tests that show that each row of a table bites.
    """

    __slots__ = ("checks", "fields", "required", "rule", "rules")

    def __init__(
        self,
        fields: Mapping[str, Shape],
        *,
        required: Collection[str] = (),
        rules: Iterable[RuleSet[[dict[str, Any]]]] = (),
        rule: str = "KND-1",
    ) -> None:
        self.fields = dict(fields)
        self.checks = {name: shape.check for name, shape in fields.items()}
        self.required = tuple(required)
        self.rules = tuple(rules)
        self.rule = rule
        """The rule that is broken when a required field is absent."""

    def check(self, value: Any, /) -> None:
        if value.__class__ is not dict:
            raise _wrong_type(value, "a map")
        for name in self.required:
            if name not in value:
                raise RuleError(f"{name} is absent; it is required", rule=self.rule)
        checks = self.checks
        for name, item in value.items():
            check = checks.get(name)
            if check is not None:
                try:
                    check(item)
                except RuleError as error:
                    raise RuleError(f"{name}: {error.message}", rule=error.rule) from error
        for rules in self.rules:
            rules(value)

    def refs(self, value: Any, /) -> Iterator[str]:
        for name, item in value.items():
            shape = self.fields.get(name)
            if shape is not None:
                yield from shape.refs(item)


def say_type(value: object) -> str:
    """The word of spec 01 for the type of a decoded value."""
    return _TYPE_WORDS.get(type(value), type(value).__name__)


_TYPE_WORDS: Final[dict[type, str]] = {
    type(None): "null",
    bool: "a boolean",
    int: "an integer",
    str: "text",
    bytes: "bytes",
    list: "a list",
    dict: "a map",
    Cid: "a link",
}


def _wrong_type(value: object, wanted: str) -> RuleError:
    return RuleError(f"{say_type(value)} where {wanted} is expected", rule="KND-1")
