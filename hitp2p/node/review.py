"""Objects that wait, outside of the store, until the operator has looked at them.

They are verified, so what is shown is what its author signed; but nothing of them is stored, counted or handed on. What rests
on one that waits, waits with it. What was rejected isn't asked about again. The queue is a small database in the node's
folder; the node and the operator's commands use it at the same time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import InvalidError, MissingBlocksError, NotFoundError
from hitp2p.objects.envelope import SignedObject, parse_object, verify_object
from hitp2p.ports import Closing
from hitp2p.store.contract import Store, WriteBatch
from hitp2p.store.faults import store_errors
from hitp2p.store.index import in_order
from hitp2p.trail.check import verify_in_trail

__all__ = ["REVIEW", "Held", "ReviewQueue"]

REVIEW: Final = "review.db"
"""Name of the file in the node's folder."""
MOST_OBJECTS: Final = 4096
"""Objects that wait at most; what comes then is refused, until there is room again."""
MOST_BYTES: Final = 16 * 1024 * 1024
"""Bytes of them."""
MOST_REJECTED: Final = 65_536
"""Rejections that are remembered; the oldest are forgotten first."""
_VERSION: Final = 1
_BUSY_S: Final = 10.0
_TABLES: Final = """
CREATE TABLE held (
  id INTEGER PRIMARY KEY,    -- in the order of arrival, so each after what it requires
  cid BLOB NOT NULL UNIQUE,
  block BLOB NOT NULL,
  reason TEXT NOT NULL,
  rests INTEGER NOT NULL     -- 1: it waits only because what it rests on does
);
CREATE TABLE rejected (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  cid BLOB NOT NULL UNIQUE
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An object that waits."""

    object: SignedObject
    """Verified."""
    reason: str
    """Why it waits."""
    rests: bool
    """Whether it waits only because what it rests on does."""


class ReviewQueue(Closing):
    """The queue of one node."""

    def __init__(self, folder: Path | None = None) -> None:
        """Open it, made where there is none; without a folder it is kept in memory.

        Raises:
            StoreError: it can't be opened or written.
        """
        self._path = Path(":memory:") if folder is None else folder / REVIEW
        with store_errors(self._path):
            self._db = _open(self._path)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @contextmanager
    def _writing(self) -> Generator[sqlite3.Connection]:
        with store_errors(self._path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise

    # --- what waits -------------------------------------------------------------------------------

    def __len__(self) -> int:
        """How many wait."""
        return self._number("SELECT count(*) FROM held")

    def __iter__(self) -> Iterator[Held]:
        """All that wait, in the order of arrival."""
        with store_errors(self._path):
            rows = self._db.execute("SELECT block, reason, rests FROM held ORDER BY id").fetchall()
        for block, reason, rests in rows:
            yield Held(object=parse_object(block), reason=reason, rests=bool(rests))

    def get(self, cid: Cid) -> SignedObject | None:
        """An object that waits."""
        with store_errors(self._path):
            sql = "SELECT block FROM held WHERE cid = ?"
            row = self._db.execute(sql, (bytes(cid),)).fetchone()
        return None if row is None else parse_object(row[0], cid=cid)

    def is_rejected(self, cid: Cid) -> bool:
        """Whether the operator has rejected an object."""
        return bool(self._number("SELECT count(*) FROM rejected WHERE cid = ?", bytes(cid)))

    def _number(self, sql: str, *values: object) -> int:
        with store_errors(self._path):
            return int(self._db.execute(sql, values).fetchone()[0])

    def hold(self, held: Iterable[Held]) -> frozenset[Cid]:
        """Let objects wait, each after what it requires; those for which there is no room.

        Raises:
            StoreError: they can't be written.
        """
        new = list(held)
        if not new:
            return frozenset()
        over: set[Cid] = set()
        with self._writing() as db:
            counted = "SELECT count(*), coalesce(sum(length(block)), 0) FROM held"
            n_objects, n_bytes = db.execute(counted).fetchone()
            for one in new:
                obj = one.object
                if n_objects >= MOST_OBJECTS or n_bytes + len(obj.block) > MOST_BYTES:
                    over.add(obj.cid)
                    continue
                n_objects, n_bytes = n_objects + 1, n_bytes + len(obj.block)
                db.execute(
                    "INSERT OR IGNORE INTO held (cid, block, reason, rests) VALUES (?, ?, ?, ?)",
                    (bytes(obj.cid), obj.block, one.reason, int(one.rests)),
                )
        return frozenset(over)

    # --- deciding ---------------------------------------------------------------------------------

    def approve(self, store: Store, cids: Iterable[Cid]) -> tuple[Cid, ...]:
        """Store objects that wait, with what they require of what waits, and what waited for nothing else.

        A running node finds them in the store, and hands them on.

        Args:
            store: of the node.
            cids: which; those that don't wait are an error.

        Raises:
            NotFoundError: one of them doesn't wait, or what it requires isn't here any more.
            StoreError: the store failed; all of them still wait.
        """
        waiting = {held.object.cid: held for held in self}
        chosen: set[Cid] = set()
        stack = list(cids)
        for cid in stack:
            if cid not in waiting:
                raise NotFoundError(f"{cid} doesn't wait for review")
        while stack:
            cid = stack.pop()
            if cid in waiting and cid not in chosen:
                chosen.add(cid)
                stack.extend(waiting[cid].object.required)
        for cid, held in waiting.items():  # in the order of arrival
            needs = [need for need in held.object.required if need in waiting]
            if held.rests and needs and all(need in chosen for need in needs):
                chosen.add(cid)
        objects = _verified(store, {cid: waiting[cid].object for cid in chosen})
        store.put(WriteBatch(objects=objects))
        with self._writing() as db:
            db.executemany("DELETE FROM held WHERE cid = ?", [(bytes(cid),) for cid in chosen])
        return tuple(obj.cid for obj in objects)

    def reject(self, cids: Iterable[Cid]) -> tuple[Cid, ...]:
        """Drop objects, with what waits on top of them, and keep them out from now on.

        Raises:
            NotFoundError: one of them doesn't wait.
            StoreError: it can't be written.
        """
        waiting = {held.object.cid: held.object for held in self}
        dropped: dict[Cid, None] = {}
        for cid in cids:
            if cid not in waiting:
                raise NotFoundError(f"{cid} doesn't wait for review")
            dropped[cid] = None
        for cid, obj in waiting.items():
            if any(need in dropped for need in obj.required):
                dropped[cid] = None
        names = [(bytes(cid),) for cid in dropped]
        with self._writing() as db:
            db.executemany("DELETE FROM held WHERE cid = ?", names)
            db.executemany("INSERT OR IGNORE INTO rejected (cid) VALUES (?)", names)
            db.execute(
                "DELETE FROM rejected WHERE id <= (SELECT max(id) FROM rejected) - ?",
                (MOST_REJECTED,),
            )
        return tuple(dropped)

    def by(self, author: Cid) -> tuple[Cid, ...]:
        """What waits of an identity."""
        return tuple(held.object.cid for held in self if held.object.identity == author)


def _verified(store: Store, objects: dict[Cid, SignedObject]) -> list[SignedObject]:
    """Check again what stood in a file, each after what it requires."""
    good: dict[Cid, SignedObject] = {}

    def find(cid: Cid) -> SignedObject | None:
        if cid in good or store.row(cid) is None:
            return good.get(cid)
        block = store.get(cid)
        return None if block is None else parse_object(block, cid=cid)

    for obj in in_order(objects):
        try:
            good[obj.cid] = verify_in_trail(verify_object(obj.block, cid=obj.cid), find)
        except (MissingBlocksError, InvalidError) as error:
            raise NotFoundError(f"{obj.cid} can't be stored any more: {error}") from error
    return list(good.values())


def _open(path: Path) -> sqlite3.Connection:
    """One thread at a time works with it, not always the same."""
    db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("BEGIN IMMEDIATE")
        if db.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            for statement in _TABLES.split(";\n"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {_VERSION}")
        db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db
