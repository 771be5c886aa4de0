"""What a peer may have [NET-17]: members of the topic's set, and what hangs below them. Nothing is told of anything else."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Final

from hitp2p.codec.cid import DAG_CBOR, DAG_PB, Cid
from hitp2p.codec.unixfs_reader import parse_unixfs_node
from hitp2p.errors import CorruptBlockError, InvalidError
from hitp2p.node.membership import Memberships
from hitp2p.protocol.actions import Load
from hitp2p.store.contract import Store

__all__ = ["Lending"]

_LINKERS: Final = 1024
"""Objects that are asked, of those that link to one block, whether they are members."""
_REACHED: Final = 262_144
"""Blocks below files that are remembered, of all files together."""
_FILE_BLOCKS: Final = 65_536
"""Blocks of one file that are looked at at once; what lies behind them is looked at when it is asked for."""


class _Reach:
    """What of a file is known to hang below it."""

    def __init__(self, root: Cid) -> None:
        self.below: set[Cid] = {root}
        self.unread: list[Cid] = [root]
        """Nodes whose links aren't known yet."""


class Lending:
    """Reads blocks for peers. One thread's."""

    def __init__(
        self, store: Store, sets: Memberships, *, is_kept_back: Callable[[Cid], bool]
    ) -> None:
        """Over a store.

        Args:
            store: where the blocks are.
            sets: says who belongs where.
            is_kept_back: whether a block is not served, whoever links to it.
        """
        self._store = store
        self._sets = sets
        self._is_kept_back = is_kept_back
        self._reaches: OrderedDict[Cid, _Reach] = OrderedDict()

    def load(self, action: Load) -> dict[Cid, bytes]:
        """The blocks of an action that may be lent and are here, up to the first that doesn't fit any more.

        What stands behind the last of them in the action was perhaps not looked at; ask again for that.
        """
        found: dict[Cid, bytes] = {}
        n_bytes = 0
        for cid, block in self._lendable(action):
            n_bytes += len(block)
            if found and n_bytes > action.most:
                break
            found[cid] = block
        return found

    def _lendable(self, action: Load) -> Iterator[tuple[Cid, bytes]]:
        if action.topic not in self._sets.topics or action.topic in self._store.unlisted():
            return
        if action.file is not None and not self._is_linked(action, action.file):
            return
        for cid in dict.fromkeys(action.cids):
            if not self._is_kept_back(cid) and self._may_have(action, cid):
                with suppress(CorruptBlockError):
                    block = self._store.get(cid)
                    if block is not None:
                        yield cid, block

    def _may_have(self, action: Load, cid: Cid) -> bool:
        if action.file is not None:
            return self._hangs_below(action.file, cid)
        row = self._store.row(cid) if cid.codec == DAG_CBOR else None
        if row is not None:
            return self._sets.is_member(row, action.topic, action.scope)
        return self._is_linked(action, cid)

    def _is_linked(self, action: Load, cid: Cid) -> bool:
        if self._is_kept_back(cid):
            return False
        for linker in islice(self._store.linkers(cid), _LINKERS):
            row = self._store.row(linker)
            if row is not None and self._sets.is_member(row, action.topic, action.scope):
                return True
        return False

    # --- below files ------------------------------------------------------------------------------

    def _hangs_below(self, file: Cid, cid: Cid) -> bool:
        reach = self._reaches.get(file)
        if reach is None:
            reach = self._reaches[file] = _Reach(file)
            self._forget_some()
        self._reaches.move_to_end(file)
        if cid not in reach.below and reach.unread:
            self._read_on(reach)
        return cid in reach.below

    def _read_on(self, reach: _Reach) -> None:
        """Follow the links of nodes that are here; those that aren't may come later."""
        absent: list[Cid] = []
        n_seen = 0
        while reach.unread and n_seen < _FILE_BLOCKS:
            node = reach.unread.pop()
            links = self._links(node)
            n_seen += 1
            if links is None:
                absent.append(node)
                continue
            new = [link for link in links if link not in reach.below]
            n_seen += len(new)
            reach.below.update(new)
            reach.unread.extend(link for link in new if link.codec == DAG_PB)
        reach.unread = [*absent, *reach.unread]

    def _links(self, node: Cid) -> list[Cid] | None:
        """None where the node isn't here."""
        if node.codec != DAG_PB:
            return []
        with suppress(CorruptBlockError, InvalidError):
            block = self._store.get(node)
            return None if block is None else _file_links(node, block)
        return []

    def forget(self) -> None:
        """Forget what hangs below files: something was removed."""
        self._reaches.clear()

    def _forget_some(self) -> None:
        n_held = sum(len(reach.below) for reach in self._reaches.values())
        while n_held > _REACHED and len(self._reaches) > 1:
            _, gone = self._reaches.popitem(last=False)
            n_held -= len(gone.below)


def _file_links(cid: Cid, block: bytes) -> list[Cid]:
    node, _ = parse_unixfs_node(cid, block)
    return [link.cid for link in node.links]
