"""How long blocks are, without reading them where the store can tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hitp2p.codec.cid import Cid
from hitp2p.errors import CorruptBlockError
from hitp2p.store.contract import Store
from hitp2p.store.index import find_by_cid
from hitp2p.store.sqlite import SqliteStore

__all__ = ["block_sizes"]


def block_sizes(store: Store, cids: Sequence[Cid]) -> dict[Cid, int]:
    """Lengths of objects, in bytes; those that aren't here or are damaged are left out."""
    if type(store) is SqliteStore:  # others may keep the bytes elsewhere
        as_int: Callable[..., int] = int
        with store.reading() as db:
            return find_by_cid(db, "SELECT block.cid, length(data) FROM block", cids, as_int)
    return {cid: size for cid in cids if (size := _size(store, cid)) is not None}


def _size(store: Store, cid: Cid) -> int | None:
    try:
        block = store.get(cid)
    except CorruptBlockError:
        return None
    return None if block is None else len(block)
