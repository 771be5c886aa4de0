"""dag-pb: a node is a list of links and some bytes, in its one canonical protobuf form [MED-4].

Fields that are absent and fields that are empty are two things (`None` and `""`, `b""` or 0), as in IPLD's data model, so
that every canonical block has exactly one node and the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hitp2p.codec.cid import Cid
from hitp2p.codec.protobuf import (
    Field,
    encode_bytes,
    encode_number,
    iter_fields,
    unexpected_field,
)
from hitp2p.codec.varint import VARINT_MAX
from hitp2p.dataclass import dataclass
from hitp2p.errors import DecodeError, UsageError
from hitp2p.limits import BLOCK_BYTES

__all__ = ["PbLink", "PbNode", "decode_dagpb", "encode_dagpb"]

_DATA: Final = 0x0A
_LINK: Final = 0x12
_LINK_HASH: Final = 0x0A
_LINK_NAME: Final = 0x12
_LINK_TSIZE: Final = 0x18


@dataclass(frozen=True, slots=True, kw_only=True)
class PbLink:
    """A link of a node."""

    cid: Cid
    """What it points to."""
    name: str | None = None
    """Its name; empty inside files."""
    tsize: int | None = None
    """Bytes of all blocks below it, as the writer says; nobody checks it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PbNode:
    """A decoded block."""

    links: Sequence[PbLink] = ()
    """Ordered by the bytes of their names; an absent name counts as empty."""
    data: bytes | None = None
    """In UnixFS, a message that says what the node is."""


def decode_dagpb(block: bytes) -> PbNode:
    """The node that a block holds.

    Args:
        block: as received.

    Raises:
        DecodeError: MED-4, ENC-9 for a block too large, ENC-14 for a link without a canonical CID.
    """
    _check_length(len(block))
    links: list[PbLink] = []
    data: bytes | None = None
    for field in iter_fields(block, 0, len(block), rule="MED-4"):
        if field.key == _LINK and data is None:
            links.append(_parse_link(block, field))
        elif field.key == _DATA and data is None:
            data = block[field.start : field.stop]
        else:
            raise unexpected_field(field, rule="MED-4")
    _check_order(links)
    return PbNode(links=links, data=data)


def _check_length(length: int) -> None:
    if length > BLOCK_BYTES:
        raise DecodeError(f"a block of {length} bytes; at most {BLOCK_BYTES} allowed", rule="ENC-9")


def _parse_link(block: bytes, link: Field) -> PbLink:
    cid: Cid | None = None
    name: str | None = None
    tsize: int | None = None
    last = 0
    for field in iter_fields(block, link.start, link.stop, rule="MED-4"):
        if field.key <= last:
            raise unexpected_field(field, rule="MED-4")
        last = field.key
        if field.key == _LINK_HASH:
            cid = Cid.from_bytes(block[field.start : field.stop])
        elif field.key == _LINK_NAME:
            name = _parse_name(block, field)
        elif field.key == _LINK_TSIZE:
            tsize = field.value
        else:
            raise unexpected_field(field, rule="MED-4")
    if cid is None:
        raise DecodeError("a link without a CID", rule="MED-4", offset=link.start)
    return PbLink(cid=cid, name=name, tsize=tsize)


def _parse_name(block: bytes, field: Field) -> str:
    try:
        return block[field.start : field.stop].decode()
    except UnicodeDecodeError:
        raise DecodeError(
            "the name of a link isn't UTF-8", rule="MED-4", offset=field.start
        ) from None


def _check_order(links: Sequence[PbLink]) -> None:
    """Code points compare as their UTF-8 does, so names need not be encoded again."""
    last = ""
    for link in links:
        name = link.name or ""
        if name < last:
            raise DecodeError(
                f"link {name!a} after {last!a}; links are ordered by name", rule="MED-4"
            )
        last = name


def encode_dagpb(node: PbNode) -> bytes:
    """The block of a node. Links are written in the order given, which must be the canonical one.

    Raises:
        UsageError: links out of order, a name that isn't Unicode, a size out of range, or a block past the limit.
    """
    try:
        _check_order(node.links)
        block = b"".join(encode_bytes(_LINK, _encode_link(link)) for link in node.links)
        if node.data is not None:
            block += encode_bytes(_DATA, node.data)
        _check_length(len(block))
    except DecodeError as error:
        raise UsageError(str(error)) from None
    except UnicodeEncodeError:
        raise UsageError("the name of a link can't be written as UTF-8") from None
    return block


def _encode_link(link: PbLink) -> bytes:
    out = encode_bytes(_LINK_HASH, bytes(link.cid))
    if link.name is not None:
        out += encode_bytes(_LINK_NAME, link.name.encode())
    if link.tsize is not None:
        if not 0 <= link.tsize <= VARINT_MAX:
            raise UsageError(f"a link of {link.tsize} bytes; 0 to {VARINT_MAX} allowed")
        out += encode_number(_LINK_TSIZE, link.tsize)
    return out
