"""What a connection has seen of objects, so that the next work of somebody who goes on needn't look it up again."""

from __future__ import annotations

import sqlite3
from itertools import islice
from typing import Final, NamedTuple

from hitp2p.codec.cid import Cid
from hitp2p.objects.envelope import SignedObject
from hitp2p.store.derive import Entry, entry_of

__all__ = ["Node", "Remembered", "Waiting"]

_MOST: Final = 1024
"""Objects and identities that are remembered; most works name what came just before."""


class Node(NamedTuple):
    """An object as the index knows it."""

    id: int
    generation: int


class Waiting:
    """An object that is in `block` and `object`, but not yet in the other tables; see `waiting`."""

    __slots__ = ("_entry", "generation", "id", "obj")

    def __init__(self, id_: int, generation: int, obj: SignedObject) -> None:
        self.id = id_
        self.generation = generation
        self.obj = obj
        self._entry: Entry | None = None

    @property
    def entry(self) -> Entry:
        """Derived when it is asked for, as most wait without being asked."""
        if self._entry is None:
            self._entry = entry_of(self.obj)
        return self._entry


class Remembered:
    """What one connection has seen, for as long as the tables are as they were then.

    That another connection has committed, SQLite says (`PRAGMA data_version`); what this one changes, or takes back, its
    owner says with `forget`. A look-up by SQL takes three to five times as long as asking for the version.
    """

    __slots__ = ("_version", "events", "nodes", "waiting")

    def __init__(self) -> None:
        self._version: object = None
        self.nodes: dict[Cid, Node] = {}
        """Objects in the index."""
        self.events: dict[Cid, tuple[Cid, ...]] = {}
        """All events of an identity, as `Store.events` gives them."""
        self.waiting: list[Waiting] | None = None
        """All that waits, by id; None where that isn't known."""

    def refresh(self, db: sqlite3.Connection) -> None:
        """Forget all if another connection has committed since the last call. To be called before anything is taken out."""
        (version,) = db.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self.forget()
            self._version = version

    def keep_small(self) -> None:
        """Forget objects and events if they are many. Between two writes: within one, the second half needs what the first saw."""
        if len(self.nodes) + len(self.events) > _MOST:
            self.nodes.clear()
            self.events.clear()

    def forget(self) -> None:
        """Forget all: the tables may have changed, or a transaction was taken back."""
        self.nodes.clear()
        self.events.clear()
        self.waiting = None

    def learn(self, nodes: dict[Cid, Node]) -> None:
        """Remember the last of what a transaction looked up, or added."""
        self.nodes.update(islice(reversed(nodes.items()), _MOST // 2))
