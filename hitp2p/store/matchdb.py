"""Prints of the media in a workspace, in a small database of its own beside the store.

All of it is made from the media and can be made again: it may be deleted at any time, no backup holds it, and a
damaged one is thrown away. What no work names any more stays in it unasked, as works are looked up in the store.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.media.prints import Print
from hitp2p.ports import Closing
from hitp2p.store.faults import store_errors

__all__ = ["MATCH_DATABASE", "Absent", "MatchDatabase", "Shared"]

MATCH_DATABASE: Final = "match.db"
"""Name of the file in the store's folder."""
_VERSION: Final = 1
_BUSY_S: Final = 10.0
_TABLES: Final = """
CREATE TABLE medium (
  id INTEGER PRIMARY KEY,
  sha256 BLOB NOT NULL,
  algorithm TEXT NOT NULL,
  total INTEGER NOT NULL,
  kept BLOB NOT NULL,
  UNIQUE (algorithm, sha256)
);
CREATE TABLE mark (
  hash INTEGER NOT NULL,
  medium INTEGER NOT NULL,
  weight INTEGER NOT NULL,
  PRIMARY KEY (hash, medium)
) WITHOUT ROWID;
CREATE TABLE progress (
  algorithm TEXT PRIMARY KEY,
  seq INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE absent (
  algorithm TEXT NOT NULL,
  sha256 BLOB NOT NULL,
  work BLOB NOT NULL,
  entry INTEGER NOT NULL,
  tried INTEGER NOT NULL,
  PRIMARY KEY (algorithm, sha256)
) WITHOUT ROWID;
CREATE INDEX absent_by_turn ON absent (algorithm, tried);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What a file has in common with a known medium."""

    sha256: bytes
    of_asked: int
    """Weight of the file's marks that the medium has."""
    of_known: int
    """Weight of the medium's marks that the file has."""
    known_total: int
    """Weight of all marks of the medium."""
    n_marks: int
    """Different marks in common."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """A medium that a work names and that was not here when it was looked for."""

    sha256: bytes
    work: Cid
    entry: int
    """Which of the work's media."""


class MatchDatabase(Closing):
    """Prints by SHA-256 and algorithm, and how far the store was read for each algorithm."""

    def __init__(self, folder: Path | None) -> None:
        """Open the database in the store's folder, made where there is none; None keeps it in memory.

        Raises:
            StoreError: it can't be opened or written.
        """
        self._path = None if folder is None else folder / MATCH_DATABASE
        with store_errors(self._path or Path(":memory:")):
            try:
                self._db = self._open()
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError) or self._path is None:
                    raise  # busy, read-only or full: nothing is wrong with the file
                self._path.unlink(missing_ok=True)
                self._db = self._open()

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            ":memory:" if self._path is None else self._path, timeout=_BUSY_S, isolation_level=None
        )
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("BEGIN IMMEDIATE")
            if db.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                _make_tables(db)
            db.execute("COMMIT")
            db.execute("CREATE TEMP TABLE asked (hash INTEGER PRIMARY KEY, weight INTEGER)")
        except BaseException:
            db.close()
            raise
        return db

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @contextmanager
    def _writing(self) -> Generator[None]:
        with store_errors(self._path or Path(":memory:")):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise

    # --- keeping ------------------------------------------------------------------------------------

    def progress(self, algorithm: str) -> int:
        """The `seq` up to which the works of the store were read."""
        found = self._db.execute("SELECT seq FROM progress WHERE algorithm = ?", (algorithm,))
        row = found.fetchone()
        return 0 if row is None else int(row[0])

    def advance(self, algorithm: str, seq: int) -> None:
        """Works up to `seq` are done."""
        with self._writing():
            self._db.execute("INSERT OR REPLACE INTO progress VALUES (?, ?)", (algorithm, seq))

    def has(self, algorithm: str, sha256: bytes) -> bool:
        """Whether a medium was measured."""
        found = self._db.execute(
            "SELECT 1 FROM medium WHERE algorithm = ? AND sha256 = ?", (algorithm, sha256)
        )
        return found.fetchone() is not None

    def keep(self, algorithm: str, sha256: bytes, made: Print) -> None:
        """Keep the print of a medium, which was verified to have this hash."""
        with self._writing():
            done = self._db.execute(
                "INSERT OR IGNORE INTO medium (sha256, algorithm, total, kept) VALUES (?, ?, ?, ?)",
                (sha256, algorithm, made.total, made.kept),
            )
            if done.rowcount == 1:
                medium = done.lastrowid
                rows = ((mark, medium, weight) for mark, weight in sorted(made.marks.items()))
                self._db.executemany("INSERT INTO mark VALUES (?, ?, ?)", rows)
            self._forget_absent(algorithm, sha256)

    def miss(self, algorithm: str, absent: Absent) -> None:
        """Remember a medium that isn't here, to look for it again."""
        with self._writing():
            self._db.execute(
                "INSERT INTO absent SELECT ?1, ?2, ?3, ?4, coalesce(max(tried), 0) + 1 FROM absent WHERE algorithm = ?1"
                " ON CONFLICT DO UPDATE SET tried = excluded.tried",
                (algorithm, absent.sha256, bytes(absent.work), absent.entry),
            )

    def found(self, algorithm: str, sha256: bytes) -> None:
        """A medium is here, and has no print."""
        with self._writing():
            self._forget_absent(algorithm, sha256)

    def _forget_absent(self, algorithm: str, sha256: bytes) -> None:
        self._db.execute(
            "DELETE FROM absent WHERE algorithm = ? AND sha256 = ?", (algorithm, sha256)
        )

    def absent(self, algorithm: str, limit: int) -> list[Absent]:
        """Media to look for again, those first that were not looked for the longest."""
        rows = self._db.execute(
            "SELECT sha256, work, entry FROM absent WHERE algorithm = ? ORDER BY tried LIMIT ?",
            (algorithm, limit),
        )
        return [
            Absent(sha256=sha256, work=Cid.from_bytes(work), entry=entry)
            for sha256, work, entry in rows.fetchall()
        ]

    # --- asking -------------------------------------------------------------------------------------

    def shared(self, algorithm: str, marks: Mapping[int, int]) -> list[Shared]:
        """Media that have any of the marks, in no order. Costs go with the marks and the media that have them."""
        with store_errors(self._path or Path(":memory:")):
            self._db.execute("DELETE FROM asked")
            self._db.execute("BEGIN")
            self._db.executemany("INSERT INTO asked VALUES (?, ?)", marks.items())
            self._db.execute("COMMIT")
            rows = self._db.execute(
                "SELECT sha256, sum(asked.weight), sum(mark.weight), total, count(*)"
                " FROM asked CROSS JOIN mark USING (hash) JOIN medium ON medium.id = mark.medium"
                " WHERE algorithm = ? GROUP BY medium.id",
                (algorithm,),
            )
            return [
                Shared(sha256=sha256, of_asked=asked, of_known=known, known_total=total, n_marks=n)
                for sha256, asked, known, total, n in rows
            ]

    def kept(self, algorithm: str) -> Iterator[tuple[bytes, bytes]]:
        """SHA-256 and codes of all media of an algorithm, in no order."""
        yield from self._db.execute(
            "SELECT sha256, kept FROM medium WHERE algorithm = ?", (algorithm,)
        )

    def codes(self, algorithm: str, sha256: bytes) -> bytes:
        """The codes of one medium; empty where there are none."""
        found = self._db.execute(
            "SELECT kept FROM medium WHERE algorithm = ? AND sha256 = ?", (algorithm, sha256)
        )
        row = found.fetchone()
        return b"" if row is None else bytes(row[0])


def _make_tables(db: sqlite3.Connection) -> None:
    """In the caller's transaction, in place of whatever another version left."""
    names = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (name,) in names:
        db.execute(f'DROP TABLE IF EXISTS "{name}"')
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            db.execute(statement)
    db.execute(f"PRAGMA user_version = {_VERSION}")
