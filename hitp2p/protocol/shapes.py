"""Shapes of what stands in a body: how one value is read, checked, and written back [NET-8].

Values come as msgpack gives them, with arrays as tuples; most go into a message as they are. What breaks a shape raises
`DecodeError`; its message says what was found and what is allowed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from hitp2p.codec.cid import LINK_BYTES, LINK_PREFIXES, Cid, raw_bytes, recent_link
from hitp2p.errors import DecodeError

__all__ = [
    "BOOLEAN",
    "CID",
    "Shape",
    "check_list",
    "fault",
    "inside",
    "integer",
    "list_of",
    "octets",
    "or_nil",
    "say_type",
    "text",
    "word",
    "wrong_type",
]


class Shape(NamedTuple):
    """What a value must look like."""

    read: Callable[[Any], Any]
    """The value as received, to what a message holds; raises `DecodeError`."""
    write: Callable[[Any], Any] | None = None
    """Back; None where both are the same."""


# --- errors ---------------------------------------------------------------------------------------


def fault(message: str) -> DecodeError:
    """Something in a body is wrong."""
    return DecodeError(message, rule="NET-8")


def wrong_type(value: Any, wanted: str) -> DecodeError:
    """Another type, or an array of another length, than `wanted`, which is said in words."""
    found = f"{say_type(value)} of {len(value)}" if value.__class__ is tuple else say_type(value)
    return fault(f"{found} where {wanted} is expected")


def inside(where: str, error: DecodeError) -> DecodeError:
    """The same error with the place in front."""
    return DecodeError(f"{where}: {error.message}", rule=error.rule)


def say_type(value: object) -> str:
    """The word of spec 10 for the type of a value from msgpack."""
    return _TYPE_WORDS.get(type(value), type(value).__name__)


_TYPE_WORDS: Final[dict[type, str]] = {
    type(None): "nil",
    bool: "a boolean",
    int: "an integer",
    float: "a float",
    str: "text",
    bytes: "bytes",
    tuple: "an array",
    dict: "a map",
}


# --- shapes ---------------------------------------------------------------------------------------


def integer(low: int, high: int = 2**64 - 1) -> Shape:
    """An integer between two bounds, both allowed."""

    def read(value: Any) -> int:
        if type(value) is not int:  # a bool is an int to isinstance
            raise wrong_type(value, "an integer")
        if not low <= value <= high:
            raise fault(f"{value}; allowed are {low} to {high}")
        return value

    return Shape(read)


def octets(least: int, most: int) -> Shape:
    """Bytes, as many as between two bounds, both allowed."""

    def read(value: Any) -> bytes:
        if type(value) is not bytes:
            raise wrong_type(value, "bytes")
        if not least <= len(value) <= most:
            allowed = f"{least}" if least == most else f"{least} to {most}"
            raise fault(f"{len(value)} bytes; allowed are {allowed}")
        return value

    return Shape(read)


def text(least: int, most: int) -> Shape:
    """Any text, of so many bytes of UTF-8."""

    def read(value: Any) -> str:
        if type(value) is not str:
            raise wrong_type(value, "text")
        size = len(value) if value.isascii() else len(value.encode())
        if not least <= size <= most:
            raise fault(f"{size} bytes of text; allowed are {least} to {most}")
        return value

    return Shape(read)


def word(*words: str) -> Shape:
    """One of a few words."""

    def read(value: Any) -> str:
        if type(value) is not str:
            raise wrong_type(value, "text")
        if value not in words:
            raise fault(f"{value[:32]!a}; allowed are {', '.join(words)}")
        return value

    return Shape(read)


def _read_boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise wrong_type(value, "a boolean")
    return value


def _read_cid(value: Any) -> Cid:
    if type(value) is not bytes:
        raise wrong_type(value, "a CID in bytes")
    if len(value) != LINK_BYTES or value[:4] not in LINK_PREFIXES:
        raise fault(
            f"{len(value)} bytes that begin with {value[:4].hex()} where a CID of {LINK_BYTES} is expected"
        )
    return recent_link(value)


BOOLEAN: Final = Shape(_read_boolean)
"""True or false."""
CID: Final = Shape(_read_cid, raw_bytes)
"""A CID that the object profile allows [ENC-16], in bytes."""


def or_nil(shape: Shape) -> Shape:
    """The same, or nil."""

    def read(value: Any) -> Any:
        return None if value is None else shape.read(value)

    return Shape(read, shape.write)


def list_of(entry: Shape, most: int, *, least: int = 0) -> Shape:
    """An array of entries of one shape."""
    read_entry, write_entry = entry

    def read(value: Any) -> Any:
        check_list(value, least, most)
        found: list[Any] = []
        try:
            for one in value:
                found.append(read_entry(one))
        except DecodeError as error:
            raise inside(f"entry {len(found)}", error) from error
        return tuple(found) if write_entry else value

    def write(values: Any) -> tuple[Any, ...]:
        return tuple([write_entry(one) for one in values]) if write_entry else values

    return Shape(read, write)


def check_list(value: Any, least: int, most: int) -> None:
    """Raise unless `value` is an array of so many entries."""
    if value.__class__ is not tuple:
        raise wrong_type(value, "an array")
    if not least <= len(value) <= most:
        raise fault(f"{len(value)} entries; allowed are {least} to {most}")
