"""The encoder of dag-cbor: one spelling a value, and nothing that the decoder would refuse [ENC-1..13]."""

from __future__ import annotations

import reprlib
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from operator import itemgetter
from typing import Any, Final, cast

from hitp2p.codec.cid import LINK_BYTES, LINK_PREFIXES, Cid, raw_bytes
from hitp2p.codec.profile import LINK_HEAD, Bounds, Encodable, is_plain_float
from hitp2p.errors import DecodeError, UsageError
from hitp2p.limits import BLOCK_BYTES

__all__ = ["encode_item"]

_double: Final = struct.Struct(">d")


def encode_item(root: Encodable, bounds: Bounds) -> bytes:
    """Written in one loop with a stack of its own, as the decoder reads."""
    parts: list[bytes] = []
    write: Callable[[Any], None] = parts.append
    # Pairs of what goes before a value (its key as encoded, else nothing) and the value.
    items: Iterator[tuple[bytes, Any]] = iter(((b"", root),))
    stack: list[Iterator[tuple[bytes, Any]]] = []
    max_depth = bounds.depth
    long_bytes = (
        0  # In texts and bytes of 256 bytes or more: a value may hold the same one many times.
    )
    value: Any
    raw: bytes
    while True:
        for before, value in items:
            if before:
                write(before)
            # The type is compared, not asked by isinstance, which would take bool for int and is slower.
            kind: object = type(value)  # pyright: ignore[reportUnknownVariableType]
            if kind is str:
                try:
                    raw = value.encode()
                except UnicodeEncodeError:
                    raise _refuse_text(value) from None
                if len(raw) < 256:
                    write(_TEXT_HEADS[len(raw)])
                else:
                    long_bytes = _add_long(long_bytes, raw)
                    write(_head(0x60, len(raw)))
                write(raw)
            elif kind is Cid:
                if len(stack) >= max_depth:  # A tag counts one level.
                    raise _refuse_depth(bounds)
                raw = raw_bytes(value)
                if raw[:4] in LINK_PREFIXES and len(raw) == LINK_BYTES:
                    write(LINK_HEAD)
                    write(raw)
                else:
                    write(_other_link(value, bounds))
            elif kind is bytes:
                if len(value) < 256:
                    write(_BYTES_HEADS[len(value)])
                else:
                    long_bytes = _add_long(long_bytes, value)
                    write(_head(0x40, len(value)))
                write(value)
            elif kind is int:
                write(_UINT_HEADS[value] if 0 <= value < 256 else _integer(value, bounds))
            elif value is None or kind is bool:
                write(_CONSTANTS[value])
            elif kind is float:
                write(_float(value, bounds))
            elif kind is not dict and kind is not list and isinstance(value, _SCALARS):
                write(encode_item(_plain(value), bounds))
            else:
                if len(stack) >= max_depth:
                    raise _refuse_depth(bounds)
                if len(parts) > BLOCK_BYTES:
                    raise _refuse_size()
                head, inner = _open(value, bounds)
                write(head)
                stack.append(items)
                items = inner
                break
        else:
            if not stack:
                return _join(parts)
            items = stack.pop()


def _head(major: int, count: int) -> bytes:
    """The shortest head [ENC-1]; `major` is already in the top three bits."""
    if count < 0x18:
        return bytes((major | count,))
    width = 0 if count < 1 << 8 else 1 if count < 1 << 16 else 2 if count < 1 << 32 else 3
    return bytes((major | 0x18 + width,)) + count.to_bytes(1 << width, "big")


_UINT_HEADS: Final = tuple(_head(0x00, n) for n in range(256))
_BYTES_HEADS: Final = tuple(_head(0x40, n) for n in range(256))
_TEXT_HEADS: Final = tuple(_head(0x60, n) for n in range(256))
_CONSTANTS: Final = {False: b"\xf4", True: b"\xf5", None: b"\xf6"}
_NO_KEY: Final = repeat(b"")
_SCALARS: Final = (str, int)  # Also the subclasses, as of enumerations; bool comes before.
_first = itemgetter(0)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise _refuse_text(text) from None


@lru_cache(maxsize=1024)
def _short_key(key: str) -> bytes:
    raw = _utf8(key)
    return _head(0x60, len(raw)) + raw


def _open(value: object, bounds: Bounds) -> tuple[bytes, Iterator[tuple[bytes, Any]]]:
    """The head of a container and what goes into it."""
    if type(value) is dict or isinstance(value, Mapping):
        entries: Mapping[Any, Any] = cast(Any, value)
        return _head(0xA0, len(entries)), _entries(entries, bounds)
    if isinstance(value, list | tuple):
        elements: Sequence[Any] = cast(Any, value)
        return _head(0x80, len(elements)), zip(_NO_KEY, elements, strict=False)
    raise UsageError(
        f"dag-cbor has nothing for a value of type {type(value).__name__}: {reprlib.repr(value)}"
    )


def _entries(value: Mapping[Any, Any], bounds: Bounds) -> Iterator[tuple[bytes, Any]]:
    """The entries of a map, keys encoded, in the order of ENC-3."""
    if len(value) > bounds.entries:
        raise _refuse("ENC-13", f"map of {len(value)} entries; at most {bounds.entries} allowed")
    entries: list[tuple[bytes, Any]] = []
    for key, item in value.items():
        if type(key) is str and len(key) < 16:  # 15 characters are 60 bytes at most.
            entries.append((_short_key(key), item))
        else:
            entries.append((_long_key_raw(key, bounds), item))
    entries.sort(key=_first)
    return iter(entries)


def _long_key_raw(key: object, bounds: Bounds) -> bytes:
    if not isinstance(key, str):
        raise _refuse("ENC-3", f"a map key that is {type(key).__name__}; only str allowed")
    raw = _utf8(str.__str__(key))
    if len(raw) > bounds.key_bytes:
        raise _refuse("ENC-13", f"map key of {len(raw)} bytes; at most {bounds.key_bytes} allowed")
    return _head(0x60, len(raw)) + raw


def _other_link(cid: Cid, bounds: Bounds) -> bytes:
    """A link to a CID that the object profile doesn't allow."""
    if not bounds.any_cid:
        try:
            cid.require_object_link()
        except DecodeError as error:
            raise _refuse("ENC-16", error.message) from None
    raw = raw_bytes(cid)
    return b"\xd8\x2a" + _head(0x40, len(raw) + 1) + b"\x00" + raw


def _integer(value: int, bounds: Bounds) -> bytes:
    if not bounds.int_min <= value <= bounds.int_max:
        raise _refuse(
            bounds.int_rule,
            f"integer {reprlib.repr(value)}; {bounds.int_min} to {bounds.int_max} allowed",
        )
    return _head(0x00, value) if value >= 0 else _head(0x20, ~value)


def _float(value: float, bounds: Bounds) -> bytes:
    if not bounds.floats:
        raise _refuse("ENC-10", f"the float {value}; none allowed in an object")
    if not is_plain_float(value):
        raise _refuse("ENC-5", f"the float {value}; only finite ones but -0.0 allowed")
    return b"\xfb" + _double.pack(value)


def _plain(value: str | int) -> str | int:
    """A value of a subclass as the value that it stands for, whatever its methods say."""
    return str.__str__(value) if isinstance(value, str) else int.__int__(value)


def _add_long(total: int, raw: bytes) -> int:
    total += len(raw)
    if total > BLOCK_BYTES:
        raise _refuse_size()
    return total


def _join(parts: list[bytes]) -> bytes:
    data = b"".join(parts)
    if len(data) > BLOCK_BYTES:
        raise _refuse_size()
    return data


def _refuse(rule: str, message: str) -> UsageError:
    return UsageError(f"{message} [{rule}]")


def _refuse_text(text: str) -> UsageError:
    return _refuse("ENC-7", f"text with a lone surrogate: {reprlib.repr(text)}")


def _refuse_depth(bounds: Bounds) -> UsageError:
    return _refuse(
        bounds.depth_rule,
        f"nesting of more than {bounds.depth} levels, or a value that contains itself",
    )


def _refuse_size() -> UsageError:
    return _refuse("ENC-9", f"a block of more than {BLOCK_BYTES} bytes")
