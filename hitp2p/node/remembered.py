"""Objects of a store, parsed: those that others keep requiring are read once."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from hitp2p.codec.cid import Cid
from hitp2p.errors import CorruptBlockError, InvalidError
from hitp2p.objects.envelope import SignedObject, parse_object
from hitp2p.store.contract import Store

__all__ = ["Remembered", "WholeBlocks"]

_MOST_BYTES: Final = 8 * 1024 * 1024
"""Most bytes of blocks that are held; parsed, they take a few times as much."""


class Remembered:
    """Valid objects of a store, the most recently used ones in memory. One thread's."""

    def __init__(self, store: Store, *, most_bytes: int = _MOST_BYTES) -> None:
        self._store = store
        self._most_bytes = most_bytes
        self._n_bytes = 0
        self._objects: OrderedDict[Cid, SignedObject] = OrderedDict()

    def get(self, cid: Cid) -> SignedObject | None:
        """An object of the store; None where it isn't here, or is damaged."""
        obj = self._objects.get(cid)
        if obj is None:
            obj = self._read(cid)
            if obj is not None:
                self.add(obj)
        else:
            self._objects.move_to_end(cid)
        return obj

    def _read(self, cid: Cid) -> SignedObject | None:
        if self._store.row(cid) is None:
            return None
        try:
            block = self._store.get(cid)
            return None if block is None else parse_object(block, cid=cid)
        except (CorruptBlockError, InvalidError):
            return None

    def add(self, obj: SignedObject) -> None:
        """Remember an object that the store has."""
        if obj.cid not in self._objects:
            self._objects[obj.cid] = obj
            self._n_bytes += len(obj.block)
        while self._n_bytes > self._most_bytes:
            _, gone = self._objects.popitem(last=False)
            self._n_bytes -= len(gone.block)

    def clear(self) -> None:
        """Forget all: something may have been removed from the store."""
        self._objects.clear()
        self._n_bytes = 0


class WholeBlocks:
    """The blocks of a store, where a damaged one isn't here."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, cid: Cid, /) -> bytes | None:
        """See `BlockSource`."""
        try:
            return self._store.get(cid)
        except CorruptBlockError:
            return None
