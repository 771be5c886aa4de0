"""What a block links to, whatever it holds."""

from __future__ import annotations

from collections.abc import Iterator

from hitp2p.codec.cid import DAG_CBOR, DAG_PB, Cid
from hitp2p.codec.dagcbor import Value, decode
from hitp2p.codec.dagpb import decode_dagpb
from hitp2p.errors import InvalidError

__all__ = ["iter_links"]


def iter_links(cid: Cid, data: bytes) -> Iterator[Cid]:
    """The links in a block, whose bytes are verified. None in one that can't be read: nobody can follow those."""
    try:
        if cid.codec == DAG_PB:
            yield from [link.cid for link in decode_dagpb(data).links]
        elif cid.codec == DAG_CBOR:
            yield from _links_in(decode(data))
    except InvalidError:
        return


def _links_in(value: Value) -> Iterator[Cid]:
    values = [value]
    while values:
        match values.pop():
            case Cid() as link:
                yield link
            case list() as entries:
                values.extend(entries)
            case dict() as entries:
                values.extend(entries.values())
            case _:
                pass
