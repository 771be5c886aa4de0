"""Decoding objects through libipld (extra `fast`): the same values as the reference, never another verdict.

libipld reads more than the canonical form, gives links as plain bytes, and writes bytes that happen to spell a CID as a
link. So its answer counts only where it writes the value back to the very same bytes, which then are canonical; bytes
that might be taken for a CID, and whatever breaks a rule of the object profile, are left to the reference. It also alone
words the errors.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

from hitp2p.codec.cid import LINK_BYTES, LINK_PREFIXES, new_link
from hitp2p.limits import (
    BLOCK_BYTES,
    INT_MAX,
    INT_MIN,
    MAP_ENTRIES,
    MAP_KEY_BYTES,
    OBJECT_DEPTH,
)

try:
    import libipld as _found
except ImportError:
    _libipld: Any = None
else:
    _libipld = _found

__all__ = [
    "CID_STARTS",
    "UNDECIDED",
    "available",
    "decode_canonical",
    "decode_object",
    "encode_canonical",
    "forced",
    "is_enabled",
]

UNDECIDED: Final = object()
"""What `decode_object` returns where the reference has to look."""

available: Final = _libipld is not None
"""Whether libipld is installed."""
_enabled = available


def is_enabled() -> bool:
    """Whether `hitp2p.codec.dagcbor.decode_object` comes here first."""
    return _enabled


@contextmanager
def forced(on: bool) -> Generator[None]:
    """Within the block, use the accelerator or leave it alone; for tests and measurements, for the whole process."""
    global _enabled
    before = _enabled
    if on and not available:
        raise RuntimeError("libipld isn't installed: pip install 'hitp2p[fast]'")
    _enabled = on
    try:
        yield
    finally:
        _enabled = before


def decode_object(data: bytes) -> object:
    """The value that the reference would give in the object profile, or `UNDECIDED`; never an error."""
    if len(data) > BLOCK_BYTES:
        return UNDECIDED
    box = [decode_canonical(bytes(data))]
    try:
        _narrow(box, enumerate(box), 0)
    except _Undecided:
        return UNDECIDED
    return box[0]


def decode_canonical(data: bytes) -> object:
    """What libipld reads in `data` where it writes the same bytes again, else `UNDECIDED`.

    Then `data` is the canonical spelling of the value, but: a link is given as the plain bytes of its CID; bytes that start
    as one of `CID_STARTS` may be a link or not, or one that isn't canonical; and bounds of the object profile are not checked.
    """
    try:
        value: object = _libipld.decode_dag_cbor(data)
        return value if _libipld.encode_dag_cbor(value) == data else UNDECIDED
    except (ValueError, RecursionError):
        return UNDECIDED


def encode_canonical(value: object) -> tuple[bytes, Any] | None:
    """What libipld writes for a value, and reads in that again; None where it writes none, or that isn't equal.

    It writes bytes that spell a CID as a link, and knows no bounds of the object profile: look at what it wrote.
    """
    try:
        data: bytes = _libipld.encode_dag_cbor(value)
        read: object = _libipld.decode_dag_cbor(data)
    except (ValueError, TypeError, RecursionError):
        return None
    return (data, read) if read == value else None


class _Undecided(Exception):
    """Found something that the reference has to judge."""


CID_STARTS: Final = frozenset((b"\x01", b"\x12"))
"""First bytes of all that libipld might take for a CID."""


def _narrow(box: Any, items: Any, depth: int) -> None:
    """Put links into `box`, whose keys and values `items` gives, `depth` levels down; all else must be plain."""
    for key, value in items:
        kind: object = type(value)  # pyright: ignore[reportUnknownVariableType]
        if kind is str:
            continue
        if kind is bytes:
            if value[:4] in LINK_PREFIXES and len(value) == LINK_BYTES:
                if depth >= OBJECT_DEPTH:
                    raise _Undecided
                box[key] = new_link(value)
            elif value[:1] in CID_STARTS:
                raise _Undecided
        elif kind is int:
            if not INT_MIN <= value <= INT_MAX:
                raise _Undecided
        elif kind is dict:
            if depth >= OBJECT_DEPTH or len(value) > MAP_ENTRIES:
                raise _Undecided
            for name in value:
                # 16 characters are 64 bytes at most.
                if len(name) > 16 and len(name.encode()) > MAP_KEY_BYTES:
                    raise _Undecided
            _narrow(value, value.items(), depth + 1)
        elif kind is list:
            if depth >= OBJECT_DEPTH:
                raise _Undecided
            _narrow(value, enumerate(value), depth + 1)
        elif kind is not bool and value is not None:
            raise _Undecided
