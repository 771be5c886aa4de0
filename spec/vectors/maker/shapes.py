"""What may stand in a body, as data: each shape knows values at its limits and one fault of each sort."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from maker import wire
from maker.sign import ref

Fault: TypeAlias = tuple[str, Any, str, str]
"""(name, value, rule that it breaks, comment). Two rules with a slash: the value breaks both, either may be named."""
Edge: TypeAlias = tuple[str, Any, str, str]
"""(name, value that is just allowed, rule that it approaches, comment)."""

FILE = wire.cid(b"media", wire.RAW)
PAGE = wire.cid(b"page")
TREE = wire.cid(b"tree", wire.DAG_PB)


class Shape:
    """Of a value in a body; `wrong` is of another type."""

    wrong: Any = 7

    def faults(self, value: Any) -> Iterator[Fault]:
        yield "type", self.wrong, "KND-1", "of another type"

    def edges(self, value: Any) -> Iterator[Edge]:
        return iter(())


@dataclass
class Text(Shape):
    limit: int
    multiline: bool = False
    rule: str = "OBJ-16"
    wrong: Any = ("a list",)

    def faults(self, value: Any) -> Iterator[Fault]:
        yield from super().faults(value)
        yield "long", "x" * (self.limit + 1), self.rule, f"{self.limit + 1} bytes"

    def edges(self, value: Any) -> Iterator[Edge]:
        yield (
            "limit",
            "é" * (self.limit // 2),
            self.rule,
            f"{self.limit} bytes in {self.limit // 2} characters",
        )


@dataclass
class Pattern(Shape):
    """Text of a form that a rule of its own describes."""

    rule: str
    bad: dict[str, str]
    good: dict[str, str]
    wrong: Any = ("a list",)

    def faults(self, value: Any) -> Iterator[Fault]:
        yield from super().faults(value)
        for name, text in self.bad.items():
            rule = (
                f"{self.rule}/OBJ-14"
                if not text
                else f"{self.rule}/OBJ-15"
                if "\n" in text
                else self.rule
            )
            yield name, text, f"{rule}/OBJ-16" if len(text) > 256 else rule, f"{text[:40]!r}"

    def edges(self, value: Any) -> Iterator[Edge]:
        for name, text in self.good.items():
            yield name, text, self.rule, f"{text[:40]!r}"


class Ref(Shape):
    def faults(self, value: Any) -> Iterator[Fault]:
        yield from super().faults(value)
        yield "raw", wire.cid_text(wire.cid(b"x", wire.RAW)), "OBJ-17", "the CID of a raw block"
        yield "upper-case", value.upper(), "OBJ-17", "upper case"
        yield "link", wire.cid(b"x"), "KND-1", "a link in place of a ref"


@dataclass
class Choice(Shape):
    words: tuple[str, ...]

    def faults(self, value: Any) -> Iterator[Fault]:
        yield from super().faults(value)
        yield "word", "perhaps", "KND-1", "not one of the stated words"

    def edges(self, value: Any) -> Iterator[Edge]:
        for word in self.words:
            yield word, word, "KND-1", "one of the stated words"


@dataclass
class Int(Shape):
    low: int | None
    high: int | None
    rule: str = "KND-1"
    wrong: Any = "7"

    def faults(self, value: Any) -> Iterator[Fault]:
        yield from super().faults(value)
        yield "bool", True, "KND-1", "true in place of a number"
        if self.low is not None:
            yield "low", self.low - 1, self.rule, f"{self.low - 1}"
        if self.high is not None:
            yield "high", self.high + 1, self.rule, f"{self.high + 1}"

    def edges(self, value: Any) -> Iterator[Edge]:
        for name, n in (("low", self.low), ("high", self.high)):
            if n is not None:
                yield f"limit-{name}", n, self.rule, f"{n}"


class Bool(Shape):
    wrong = 1


@dataclass
class Bytes(Shape):
    low: int
    high: int
    rule: str = "KND-1"
    wrong: Any = "text"

    def faults(self, value: Any) -> Iterator[Fault]:
        yield from super().faults(value)
        yield "short", b"\1" * (self.low - 1), self.rule, f"{self.low - 1} bytes"
        yield "long", b"\1" * (self.high + 1), self.rule, f"{self.high + 1} bytes"

    def edges(self, value: Any) -> Iterator[Edge]:
        yield "limit-low", b"\1" * self.low, self.rule, f"{self.low} bytes"
        yield "limit-high", b"\1" * self.high, self.rule, f"{self.high} bytes"


@dataclass
class LinkTo(Shape):
    """A link to blocks of some codecs."""

    bad: dict[str, bytes]
    rule: str

    def faults(self, value: Any) -> Iterator[Fault]:
        yield from super().faults(value)
        yield "ref", wire.cid_text(value), "KND-1", "a ref in place of a link"
        for name, link in self.bad.items():
            yield name, link, self.rule, f"a link to a block of codec {name}"


@dataclass
class ListOf(Shape):
    entry: Shape
    limit: int
    rule: str = "OBJ-18"

    def faults(self, value: Any) -> Iterator[Fault]:
        yield from super().faults(value)
        yield "empty", [], "OBJ-5", "an empty list"
        yield "long", many(value[0], self.limit + 1), self.rule, f"{self.limit + 1} entries"
        for name, bad, rule, comment in self.entry.faults(value[0]):
            yield f"0-{name}", [bad, *value[1:]], rule, f"in the first entry: {comment}"

    def edges(self, value: Any) -> Iterator[Edge]:
        yield "limit", many(value[0], self.limit), self.rule, f"{self.limit} entries"
        for name, good, rule, comment in self.entry.edges(value[0]):
            yield f"0-{name}", [good, *value[1:]], rule, f"in the first entry: {comment}"


class Map(Shape):
    """A map with known fields; a star in front of a name: required. `rule` is broken where one is absent."""

    def __init__(self, rule: str = "KND-1", /, **fields: Shape) -> None:
        self.rule = rule
        self.required = tuple(f[1:] for f in fields if f[0] == "_")
        self.fields = {f.lstrip("_"): s for f, s in fields.items()}

    def faults(self, value: Any) -> Iterator[Fault]:
        yield from super().faults(value)
        for field in value:
            shape = self.fields[field]
            if field in self.required:
                yield (
                    f"no-{field}",
                    {k: v for k, v in value.items() if k != field},
                    self.rule,
                    f"{field} is absent",
                )
            for name, bad, rule, comment in shape.faults(value[field]):
                yield f"{field}-{name}", value | {field: bad}, rule, f"{field}: {comment}"

    def edges(self, value: Any) -> Iterator[Edge]:
        for field in value:
            for name, good, rule, comment in self.fields[field].edges(value[field]):
                yield f"{field}-{name}", value | {field: good}, rule, f"{field}: {comment}"


class Once(Shape):
    """A shape that stands in many places: its faults are spelled out where it comes first, elsewhere only its type."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.seen: set[str] = set()
        self.wrong = shape.wrong

    def _first(self, what: str) -> bool:
        """Whether faults or edges of a value with these fields were not yet asked for."""
        first = what not in self.seen
        self.seen.add(what)
        return first

    def faults(self, value: Any) -> Iterator[Fault]:
        yield from (
            self.shape.faults(value)
            if self._first("faults" + _fields(value))
            else super().faults(value)
        )

    def edges(self, value: Any) -> Iterator[Edge]:
        yield from self.shape.edges(value) if self._first("edges" + _fields(value)) else iter(())


class FaultsOnly(Shape):
    """A shape whose values at the limit would break a rule over several fields."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    def faults(self, value: Any) -> Iterator[Fault]:
        return self.shape.faults(value)


def _fields(value: Any) -> str:
    return f" {sorted(value)}" if isinstance(value, dict) else ""


def many(entry: Any, n: int) -> list[Any]:
    """`n` different entries like this one, sorted where they can be; of a map only what is short."""
    match entry:
        case str() if entry.startswith("bafyrei"):
            return sorted(ref(f"many {k}") for k in range(n))
        case str():
            return [f"{entry}-{k:03}" if len(entry) < 8 else entry for k in range(n)]
        case wire.Link():
            return sorted(wire.Link(entry[:-2] + k.to_bytes(2, "big")) for k in range(n))
    return [entry] * n
