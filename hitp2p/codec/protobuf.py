"""The little of protobuf that dag-pb and UnixFS need, read strictly: varints and byte strings, nothing else.

A message is a run of fields; each is a key (field number and wire type) and a value. Which keys may stand in which
order is for the caller to say; here a key is one number, such as `0x0A` for "field 1, byte string".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from hitp2p.codec.varint import encode_varint, parse_varint
from hitp2p.errors import DecodeError

__all__ = ["Field", "encode_bytes", "encode_number", "iter_fields", "unexpected_field"]

_VARINT: Final = 0
_BYTES: Final = 2


class Field(NamedTuple):
    """One field of a message."""

    key: int
    """Field number times eight, plus the wire type."""
    value: int
    """The number; for a byte string its length."""
    start: int
    """Where the value begins in the input (of a byte string: its first byte)."""
    stop: int
    """Where the value ends in the input."""


def iter_fields(data: bytes, start: int, stop: int, *, rule: str) -> Iterator[Field]:
    """The fields of the message at `data[start:stop]`, in their order there.

    Raises:
        DecodeError: `rule`, for a varint not in its shortest form, another wire type, or a field that passes `stop`.
    """
    at = start
    while at < stop:
        key, value_at = _varint_before(data, at, stop, rule)
        value, after = _varint_before(data, value_at, stop, rule)
        if key & 7 == _VARINT:
            yield Field(key, value, value_at, after)
            at = after
        elif key & 7 == _BYTES:
            at = after + value
            if at > stop:
                raise DecodeError(
                    f"a field of {value} bytes where {stop - after} are left",
                    rule=rule,
                    offset=after,
                )
            yield Field(key, value, after, at)
        else:
            raise DecodeError(
                f"wire type {key & 7}; only {_VARINT} and {_BYTES} allowed", rule=rule, offset=at
            )


def _varint_before(data: bytes, at: int, stop: int, rule: str) -> tuple[int, int]:
    """The varint at `at`, all of it before `stop`."""
    if at < stop and data[at] < 0x80:
        return data[at], at + 1
    value, after = parse_varint(data, at, rule=rule)
    if after > stop:
        raise DecodeError("the message ends inside a varint", rule=rule, offset=at)
    return value, after


def unexpected_field(field: Field, *, rule: str) -> DecodeError:
    """The error for a field that is unknown, repeated or out of order."""
    return DecodeError(
        f"field {field.key >> 3} with wire type {field.key & 7} is unknown, repeated or out of order",
        rule=rule,
        offset=field.start,
    )


def encode_bytes(key: int, value: bytes) -> bytes:
    """A field with a byte string."""
    return encode_varint(key) + encode_varint(len(value)) + value


def encode_number(key: int, value: int) -> bytes:
    """A field with a number from 0 to `VARINT_MAX`."""
    return encode_varint(key) + encode_varint(value)
