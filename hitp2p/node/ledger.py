"""What a node remembers of its own work, in a small database beside its key: what is still wanted, what is taken up.

All of it can be found again from the store by reading every member; the ledger saves that at each start. It may be deleted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from hitp2p.codec.cid import Cid
from hitp2p.errors import InvalidError
from hitp2p.node.quotas import Account, Amount
from hitp2p.ports import Closing
from hitp2p.store.faults import store_errors

__all__ = ["LEDGER", "Ledger", "Looked"]

LEDGER: Final = "ledger.db"
"""Name of the file in the node's folder."""
_VERSION: Final = 1
_BUSY_S: Final = 10.0
_TABLES: Final = """
CREATE TABLE looked (
  topic BLOB PRIMARY KEY,
  seq INTEGER NOT NULL,      -- number of the last object of the store that was looked at
  cid BLOB NOT NULL,         -- that object: another store has another one under this number
  how TEXT NOT NULL          -- what was wanted of media
) WITHOUT ROWID;
CREATE TABLE want (
  topic BLOB NOT NULL,
  cid BLOB NOT NULL,
  PRIMARY KEY (topic, cid)
) WITHOUT ROWID;
CREATE INDEX want_by_cid ON want (cid);
CREATE TABLE usage (
  topic BLOB NOT NULL,
  author BLOB NOT NULL,      -- empty: of nobody in particular
  objects INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (topic, author)
) WITHOUT ROWID
"""


class Looked(NamedTuple):
    """How far the members of a topic were looked at."""

    seq: int
    cid: Cid
    how: str


class Ledger(Closing):
    """The ledger of one node."""

    def __init__(self, folder: Path | None = None) -> None:
        """Open it, made where there is none; without a folder it is kept in memory.

        Raises:
            StoreError: it can't be opened or written.
        """
        self._path = Path(":memory:") if folder is None else folder / LEDGER
        with store_errors(self._path):
            try:
                self._db = _open(self._path)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError) or folder is None:
                    raise  # busy, read-only or full: nothing is wrong with the file
                self._path.unlink(missing_ok=True)
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

    def looked(self, topic: Cid) -> Looked | None:
        """How far a topic was looked at; None where it wasn't."""
        with store_errors(self._path):
            sql = "SELECT seq, cid, how FROM looked WHERE topic = ?"
            row = self._db.execute(sql, (bytes(topic),)).fetchone()
        if row is None or not (cids := _cids([row[1]])):
            return None
        return Looked(row[0], cids[0], row[2])

    def wanted(self, topic: Cid) -> tuple[Cid, ...]:
        """Pages, texts and files that members link to and that weren't here."""
        with store_errors(self._path):
            rows = self._db.execute("SELECT cid FROM want WHERE topic = ?", (bytes(topic),))
            return _cids(raw for (raw,) in rows.fetchall())

    def usage(self) -> dict[Account, Amount]:
        """What is taken up."""
        with store_errors(self._path):
            rows = self._db.execute("SELECT topic, author, objects, bytes FROM usage").fetchall()
        found: dict[Account, Amount] = {}
        for topic, author, *amount in rows:
            topics, authors = _cids([topic]), _cids([author])
            if topics:
                found[topics[0], authors[0] if authors else None] = Amount(*amount)
        return found

    def note(
        self,
        *,
        wanted: Iterable[tuple[Cid, Cid]] = (),
        came: Iterable[Cid] = (),
        looked: Mapping[Cid, Looked] | None = None,
        spent: Iterable[tuple[Account, Amount]] = (),
    ) -> None:
        """Note what a step has changed, in one transaction. Where nothing has, nothing is written.

        Args:
            wanted: as (topic, CID).
            came: what isn't wanted any more, in no topic.
            looked: by topic.
            spent: what is added to accounts.

        Raises:
            StoreError: it can't be written.
        """
        wants = [(bytes(topic), bytes(cid)) for topic, cid in wanted]
        gone = [(bytes(cid),) for cid in came]
        marks = [
            (bytes(topic), one.seq, bytes(one.cid), one.how)
            for topic, one in (looked or {}).items()
        ]
        amounts = [(bytes(t), b"" if a is None else bytes(a), *n) for (t, a), n in spent]
        if not (wants or gone or marks or amounts):
            return
        with self._writing() as db:
            db.executemany("INSERT OR IGNORE INTO want VALUES (?, ?)", wants)
            db.executemany("DELETE FROM want WHERE cid = ?", gone)
            db.executemany("INSERT OR REPLACE INTO looked VALUES (?, ?, ?, ?)", marks)
            db.executemany(
                "INSERT INTO usage VALUES (?, ?, ?, ?) ON CONFLICT (topic, author) DO UPDATE "
                "SET objects = objects + excluded.objects, bytes = bytes + excluded.bytes",
                amounts,
            )

    def forget(self, topic: Cid) -> None:
        """Forget all about a topic.

        Raises:
            StoreError: it can't be written.
        """
        with self._writing() as db:
            for table in ("looked", "want", "usage"):
                db.execute(f"DELETE FROM {table} WHERE topic = ?", (bytes(topic),))


def _cids(values: Iterable[object]) -> tuple[Cid, ...]:
    """Those that are CIDs: a disk may have changed others."""
    found: list[Cid] = []
    for value in values:
        with suppress(InvalidError):
            found.extend([Cid.from_bytes(value)] if isinstance(value, bytes) else ())
    return tuple(found)


def _open(path: Path) -> sqlite3.Connection:
    """One thread at a time works with it, not always the same."""
    db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("BEGIN IMMEDIATE")
        if db.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            for table in ("looked", "want", "usage"):
                db.execute(f"DROP TABLE IF EXISTS {table}")
            for statement in _TABLES.split(";\n"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {_VERSION}")
        db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db
