"""Objects that came one by one, whose rows in some tables of the index wait until they are many.

An object that comes alone is written into `block` and `object`, which is half of the pages; its rows in `edge`, `head`, `ref` and
`words` follow together with those of others. `folded` says up to which object they are written. Who asks these tables looks at
what waits as well, so every answer is as if all was folded; who changes anything else folds first. One that links to
blocks or has media never waits, so `link` and `media` are always whole.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from hitp2p.objects.envelope import SignedObject
from hitp2p.store.contract import ObjectRow
from hitp2p.store.derive import names_blocks
from hitp2p.store.index import add_object_row, find_nodes, fold_objects, parse_intact
from hitp2p.store.remembered import Remembered, Waiting

__all__ = ["MOST_WAITING", "add_waiting", "fold", "may_wait", "read_waiting"]

MOST_WAITING: Final = 64
"""Objects that wait at most. Folding as many takes some ms, and so does reading them, for who opens the store meanwhile."""


def may_wait(obj: SignedObject) -> bool:
    """Whether all its rows beside that of `object` are in tables that are folded later."""
    return not names_blocks(obj)


def add_waiting(
    db: sqlite3.Connection, id_: int, obj: SignedObject, remembered: Remembered
) -> ObjectRow:
    """Index an object that may wait, as far as is done at once. What it requires is remembered."""
    waiting = read_waiting(db, remembered)
    if len(waiting) >= MOST_WAITING:
        fold(db, remembered)
        waiting = read_waiting(db, remembered)
    row = add_object_row(db, id_, obj, remembered.nodes)
    waiting.append(Waiting(id_, row.generation, obj))
    return row


def fold(db: sqlite3.Connection, remembered: Remembered) -> None:
    """Write the rows of all that waits."""
    waiting = read_waiting(db, remembered)
    if waiting:
        named = {cid for each in waiting for cid in each.obj.required}
        fold_objects(db, waiting, find_nodes(db, named | {each.obj.cid for each in waiting}))
        remembered.waiting = []


def read_waiting(db: sqlite3.Connection, remembered: Remembered) -> list[Waiting]:
    """All that waits, by id. What a disk has damaged is left out, as it is when the index is made anew."""
    remembered.refresh(db)
    if remembered.waiting is None:
        rows = db.execute(
            "SELECT block.id, generation, block.cid, data FROM object JOIN block ON block.id = object.id "
            "WHERE object.id > (SELECT id FROM folded) ORDER BY object.id"
        )
        parsed = [(id_, generation, parse_intact(raw, data)) for id_, generation, raw, data in rows]
        remembered.waiting = [Waiting(id_, n, obj) for id_, n, obj in parsed if obj is not None]
    return remembered.waiting
