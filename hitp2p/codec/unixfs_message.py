"""The UnixFS message inside a dag-pb node: what the node is, and the sizes of its children [MED-9]."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from hitp2p.codec.protobuf import (
    Field,
    encode_bytes,
    encode_number,
    iter_fields,
    unexpected_field,
)
from hitp2p.dataclass import dataclass
from hitp2p.errors import DecodeError

__all__ = ["NodeType", "UnixFs", "decode_unixfs", "encode_unixfs"]

_TYPE: Final = 0x08
_DATA: Final = 0x12
_FILE_SIZE: Final = 0x18
_BLOCK_SIZE: Final = 0x20
_HASH_TYPE: Final = 0x28
_FANOUT: Final = 0x30
_MODE: Final = 0x38
_TIME: Final = 0x42
_TIME_BYTES: Final = 16
"""A time is at most ten bytes of seconds and four of nanoseconds, and a key for each."""


class NodeType(IntEnum):
    """What a node is, by its number in the message."""

    RAW = 0
    """A leaf of a file, as old programs wrote it."""
    DIRECTORY = 1
    FILE = 2
    METADATA = 3
    SYMLINK = 4
    HAMT_SHARD = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class UnixFs:
    """A decoded message. `None` is absent, which is not the same bytes as 0 or empty."""

    type: NodeType
    """What the node is."""
    data: bytes | None = None
    """Content that stands in the node itself; of a HAMT shard, which slots are filled."""
    file_size: int | None = None
    """Bytes of content in and below the node, as the writer says."""
    block_sizes: tuple[int, ...] = ()
    """The same for each child, in the order of the links."""
    hash_type: int | None = None
    """Of a HAMT shard: the multihash code of the function that places names."""
    fanout: int | None = None
    """Of a HAMT shard: how many slots it has."""
    mode: int | None = None
    """Permission bits; kept, never used."""
    time: bytes | None = None
    """A time as a message of its own; kept unread, at most 16 bytes."""


def decode_unixfs(data: bytes) -> UnixFs:
    """The message that `data` holds, all of it.

    Args:
        data: the data of a dag-pb node, as received.

    Raises:
        DecodeError: MED-9. Offsets count from the start of the message.
    """
    found: dict[int, Field] = {}
    block_sizes: list[int] = []
    last = 0
    for field in iter_fields(data, 0, len(data), rule="MED-9"):
        if field.key not in _KEYS or field.key < last or field.key in found:
            raise unexpected_field(field, rule="MED-9")
        last = field.key
        if field.key == _BLOCK_SIZE:
            block_sizes.append(field.value)
        else:
            found[field.key] = field
    return UnixFs(
        type=_node_type(found.get(_TYPE)),
        data=_bytes(data, found.get(_DATA)),
        file_size=_number(found.get(_FILE_SIZE)),
        block_sizes=tuple(block_sizes),
        hash_type=_number(found.get(_HASH_TYPE)),
        fanout=_number(found.get(_FANOUT)),
        mode=_number(found.get(_MODE)),
        time=_time(data, found.get(_TIME)),
    )


_KEYS: Final = frozenset({_TYPE, _DATA, _FILE_SIZE, _BLOCK_SIZE, _HASH_TYPE, _FANOUT, _MODE, _TIME})


def _node_type(field: Field | None) -> NodeType:
    if field is None:
        raise DecodeError("a UnixFS message without a type", rule="MED-9")
    try:
        return NodeType(field.value)
    except ValueError:
        raise DecodeError(
            f"UnixFS type {field.value}; 0 to {max(NodeType)} allowed",
            rule="MED-9",
            offset=field.start,
        ) from None


def _number(field: Field | None) -> int | None:
    return None if field is None else field.value


def _bytes(data: bytes, field: Field | None) -> bytes | None:
    return None if field is None else data[field.start : field.stop]


def _time(data: bytes, field: Field | None) -> bytes | None:
    """A bound, so that a node of a file can't be large for no content."""
    if field is not None and field.value > _TIME_BYTES:
        raise DecodeError(
            f"a time of {field.value} bytes; at most {_TIME_BYTES} allowed",
            rule="MED-9",
            offset=field.start,
        )
    return _bytes(data, field)


def encode_unixfs(message: UnixFs) -> bytes:
    """The one spelling of a message."""
    numbers_after = (
        (_HASH_TYPE, message.hash_type),
        (_FANOUT, message.fanout),
        (_MODE, message.mode),
    )
    parts = [encode_number(_TYPE, message.type)]
    if message.data is not None:
        parts.append(encode_bytes(_DATA, message.data))
    if message.file_size is not None:
        parts.append(encode_number(_FILE_SIZE, message.file_size))
    parts += [encode_number(_BLOCK_SIZE, size) for size in message.block_sizes]
    parts += [encode_number(key, value) for key, value in numbers_after if value is not None]
    if message.time is not None:
        parts.append(encode_bytes(_TIME, message.time))
    return b"".join(parts)
