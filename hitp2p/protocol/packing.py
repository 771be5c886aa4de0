"""msgpack in small: values of our own to bytes and back, typed, with one error for all that isn't read."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final, cast

__all__ = ["pack", "unpack"]

_msgpack: Final[Any] = import_module("msgpack")  # has no types


def pack(value: object) -> bytes:
    """The bytes of a value, in the shortest forms.

    Raises:
        ValueError: it has none.
    """
    try:
        return cast(bytes, _msgpack.packb(value))
    except (TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"no msgpack: {error}") from error


def unpack(data: bytes) -> Any:
    """The value of some bytes, whose every length is bounded by theirs.

    Raises:
        ValueError: they are no one value of msgpack.
    """
    try:
        return _msgpack.unpackb(data)
    except (TypeError, OverflowError, RecursionError, _msgpack.UnpackException) as error:
        raise ValueError(f"no msgpack: {error}") from error
