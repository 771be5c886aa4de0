"""The address book as bytes: msgpack and its SHA-256, read back strictly and within the bounds of the book."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Final, NoReturn

from hitp2p.dataclass import dataclass
from hitp2p.errors import DecodeError, InvalidError
from hitp2p.limits import (
    NODE_ANCHORS,
    NODE_BOOK_NEW,
    NODE_BOOK_TRIED,
    NODE_RECORD_BYTES,
    TIME_MAX,
)
from hitp2p.protocol.book_places import SECRET_BYTES
from hitp2p.protocol.packing import pack, unpack
from hitp2p.protocol.records import AddressRecord, parse_record

__all__ = ["TOLD_PLACES", "SavedPeer", "encode_book", "parse_book"]

TOLD_PLACES: Final = 4
"""Most places of one peer in the table of those told of, one for each network that told of it."""
_VERSION: Final = 1
_SUM_BYTES: Final = 32
_COUNT_MAX: Final = 1000
_BOOK_BYTES: Final = (NODE_BOOK_NEW + NODE_BOOK_TRIED) * (NODE_RECORD_BYTES + 64) + 4096
"""No book is longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPeer:
    """What is kept of a peer."""

    record: AddressRecord
    routes: tuple[str, ...]
    """Those of its addresses that may be dialled; at least one."""
    n_failed: int
    """Dials that failed since it was last reached."""
    reached: int
    """When, in milliseconds since 1970; 0 for never."""
    told: tuple[int, ...]
    """Its places in the table of those told of."""
    tried: str | None
    """The address by which it was reached, if it stands in the other table."""


def encode_book(secret: bytes, anchors: tuple[bytes, ...], peers: Iterable[SavedPeer]) -> bytes:
    """The book as bytes, with a sum against the disk: a record with a flipped bit would be handed on as ours."""
    body = pack([_VERSION, secret, anchors, [_row(peer) for peer in peers]])
    return body + sha256(body).digest()


def _row(peer: SavedPeer) -> list[object]:
    texts = peer.record.addresses
    return [
        peer.record.block,
        [texts.index(text) for text in peer.routes],
        peer.n_failed,
        peer.reached,
        list(peer.told),
        None if peer.tried is None else texts.index(peer.tried),
    ]


def parse_book(data: bytes) -> tuple[bytes, tuple[bytes, ...], tuple[SavedPeer, ...]]:
    """Secret, anchors and peers, every bound held.

    Raises:
        DecodeError: NET-21, for what `encode_book` didn't make.
    """
    body = data[:-_SUM_BYTES]
    if len(data) > _BOOK_BYTES or sha256(body).digest() != data[-_SUM_BYTES:]:
        _refuse()
    try:
        version, secret, anchors, rows = unpack(body)
        peers = tuple(_peer(*row) for row in rows)
        ok = version == _VERSION and type(secret) is bytes and len(secret) == SECRET_BYTES
        ok = ok and len(anchors) <= NODE_ANCHORS and all(type(key) is bytes for key in anchors)
        ok = ok and len(peers) <= NODE_BOOK_NEW + NODE_BOOK_TRIED
    except (ValueError, TypeError, LookupError, InvalidError) as error:
        _refuse(error)
    if not ok:
        _refuse()
    return secret, tuple(anchors), peers


def _refuse(error: Exception | None = None) -> NoReturn:
    raise DecodeError(
        "this is no address book of a node, or the disk changed it; delete the file to begin a new one",
        rule="NET-21",
    ) from error


def _peer(block: Any, routes: Any, n_failed: Any, reached: Any, told: Any, tried: Any) -> SavedPeer:
    record = parse_record(block)
    texts = record.addresses
    places = _numbers(told, NODE_BOOK_NEW)
    by = _numbers(routes, len(texts))
    if not by or (tried is None) is (not places) or len(places) > TOLD_PLACES:
        raise ValueError(told)
    if tried is not None and tried not in by:
        raise ValueError(tried)
    return SavedPeer(
        record=record,
        routes=tuple(texts[i] for i in by),
        n_failed=_numbers([n_failed], _COUNT_MAX)[0],
        reached=_numbers([reached], TIME_MAX + 1)[0],
        told=tuple(places),
        tried=None if tried is None else texts[_numbers([tried], len(texts))[0]],
    )


def _numbers(found: Any, below: int) -> list[int]:
    """A list of different integers from 0 up to, but not, a bound; else ValueError."""
    numbers: list[int] = [n for n in found if type(n) is int and 0 <= n < below]
    if type(found) is not list or numbers != found or len(set(numbers)) != len(numbers):
        raise ValueError("not such numbers")
    return numbers
