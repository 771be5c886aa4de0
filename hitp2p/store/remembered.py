"""What a connection has seen of objects, so that the next work of somebody who goes on needn't look it up again."""

from __future__ import annotations

import sqlite3
from itertools import islice
from typing import Final, NamedTuple

from hitp2p.codec.cid import Cid

__all__ = ["Node", "Remembered"]

_MOST: Final = 1024
"""Objects and identities that are remembered; most works name what came just before."""


class Node(NamedTuple):
    """An object as the index knows it."""

    id: int
    generation: int


class Remembered:
    """What one connection has seen, for as long as the tables are as they were then.

    That another connection has committed, SQLite says (`PRAGMA data_version`); what this one changes, or takes back, its
    owner says with `forget`. A look-up by SQL takes three to five times as long as asking for the version.
    """

    __slots__ = ("_version", "events", "nodes")

    def __init__(self) -> None:
        self._version: object = None
        self.nodes: dict[Cid, Node] = {}
        """Objects in the index."""
        self.events: dict[Cid, tuple[Cid, ...]] = {}
        """All events of an identity, as `Store.events` gives them."""

    def refresh(self, db: sqlite3.Connection) -> None:
        """Forget all if another connection has committed since the last call. To be called before anything is taken out."""
        (version,) = db.execute("PRAGMA data_version").fetchone()
        if version != self._version or len(self.nodes) + len(self.events) > _MOST:
            self.forget()
            self._version = version

    def forget(self) -> None:
        """Forget all: the tables may have changed, or a transaction was taken back."""
        self.nodes.clear()
        self.events.clear()

    def learn(self, nodes: dict[Cid, Node]) -> None:
        """Remember the last of what a transaction looked up, or added."""
        self.nodes.update(islice(reversed(nodes.items()), _MOST // 2))
