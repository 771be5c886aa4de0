"""The two profiles of dag-cbor, and the values it holds [ENC-9..13]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from math import copysign, isfinite
from typing import Final, TypeAlias

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.limits import (
    BLOCK_BYTES,
    INT_MAX,
    INT_MIN,
    IPLD_DEPTH,
    MAP_ENTRIES,
    MAP_KEY_BYTES,
    OBJECT_DEPTH,
)

__all__ = ["LINK_HEAD", "Bounds", "Encodable", "Profile", "Value", "is_plain_float"]

LINK_HEAD: Final = b"\xd8\x2a\x58\x25\x00"
"""What stands before the 36 bytes of a CID that the object profile allows: tag 42, bytes of length 37, zero."""

Value: TypeAlias = "bool | int | float | str | bytes | Cid | list[Value] | dict[str, Value] | None"
"""What a block decodes to."""
Encodable: TypeAlias = (
    "bool | int | float | str | bytes | Cid | Sequence[Encodable] | Mapping[str, Encodable] | None"
)
"""What `encode` takes: every `Value`; also tuples, read-only mappings and subclasses of str and int."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a profile allows beyond the common rules."""

    depth: int
    """Most levels of arrays, maps and tags."""
    depth_rule: str
    entries: int
    """Most entries of a map."""
    key_bytes: int
    """Longest map key, in bytes of UTF-8."""
    int_min: int
    int_max: int
    int_rule: str
    floats: bool
    any_cid: bool
    """Whether links may be other than ENC-16 says."""


class Profile(Enum):
    """How much of dag-cbor is allowed."""

    IPLD = Bounds(
        depth=IPLD_DEPTH,
        depth_rule="ENC-9",
        entries=BLOCK_BYTES,
        key_bytes=BLOCK_BYTES,
        int_min=-(1 << 64),
        int_max=(1 << 64) - 1,
        int_rule="ENC-4",  # A larger one would be a bignum, which is a tag.
        floats=True,
        any_cid=True,
    )
    """All of canonical dag-cbor."""
    OBJECT = Bounds(
        depth=OBJECT_DEPTH,
        depth_rule="ENC-12",
        entries=MAP_ENTRIES,
        key_bytes=MAP_KEY_BYTES,
        int_min=INT_MIN,
        int_max=INT_MAX,
        int_rule="ENC-11",
        floats=False,
        any_cid=False,
    )
    """What hitp2p itself defines [ENC-10..13, ENC-16]."""


def is_plain_float(value: float) -> bool:
    """Whether dag-cbor can hold it [ENC-5]."""
    return isfinite(value) and (value != 0 or copysign(1, value) > 0)
