"""The tables of the SQLite store: what is true, what is index, and how a file comes to have them.

`block`, `file` and `leaf` are the truth. All other tables can be made again from the blocks with `verified = 1`, taken in
the order of their ids, which is an order in which everything comes after what it requires. Objects are integers inside:
with 32-byte keys a walk over all ancestors takes six times as long.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from hitp2p.errors import StoreError
from hitp2p.store.faults import store_errors

__all__ = [
    "APPLICATION_ID",
    "INDEX_TABLES",
    "MIGRATIONS",
    "SCHEMA_VERSION",
    "connect",
    "create_index",
    "drop_index",
    "has_fts5",
    "migrate",
    "needs_migration",
    "open_database",
    "searches_with_fts5",
]

APPLICATION_ID: Final = 0x68697470
"""`hitp`: in the header of the file, so that `file` and we know what it is."""
SCHEMA_VERSION = 2
"""Goes up with every change to the tables that an older program would trip over."""
OLDEST_VERSION: Final = 1
"""The first that was ever written."""
BUSY_S: Final = 30.0
"""How long a writer waits for another one, in seconds."""
CHECKPOINT_PAGES: Final = 4000
"""Pages in the log before it is written back: four times the default, as each contribution changes the same few pages."""
CACHE_KIB: Final = 16 * 1024
"""Page cache of a connection, in KiB."""

_TRUTH: Final = """
CREATE TABLE block (
  id INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of arrival, never used again: the `seq` of an object
  cid BLOB NOT NULL UNIQUE,
  verified INTEGER NOT NULL,             -- 1: a signed object whose signature and trail rules were checked
  data BLOB NOT NULL
);
CREATE TABLE file (
  id INTEGER PRIMARY KEY,
  path BLOB NOT NULL UNIQUE              -- as the file system spells it; relative to the media folder, or absolute
);
CREATE TABLE leaf (
  cid BLOB NOT NULL,
  file INTEGER NOT NULL,
  start INTEGER NOT NULL,
  length INTEGER NOT NULL,
  PRIMARY KEY (cid, file)
) WITHOUT ROWID;
CREATE INDEX leaf_by_file ON leaf (file);
"""
_INDEX: Final = """
CREATE TABLE object (
  id INTEGER PRIMARY KEY,                -- of its block
  cid BLOB NOT NULL,
  kind TEXT NOT NULL,
  project INTEGER,                       -- ids of the objects named; of a project, its own
  identity INTEGER,
  event INTEGER,
  signer BLOB NOT NULL,
  generation INTEGER NOT NULL,
  time INTEGER NOT NULL
);
CREATE INDEX object_by_project ON object (project);
CREATE INDEX object_by_identity ON object (identity);
CREATE INDEX object_by_kind ON object (kind) WHERE kind <> 'contribution';
CREATE INDEX event_by_identity ON object (identity) WHERE kind = 'identity';
CREATE TABLE edge (
  child INTEGER NOT NULL,
  parent INTEGER NOT NULL,
  PRIMARY KEY (child, parent)
) WITHOUT ROWID;
CREATE INDEX edge_by_parent ON edge (parent, child);
CREATE TABLE head (
  project INTEGER NOT NULL,
  id INTEGER NOT NULL,
  PRIMARY KEY (project, id)
) WITHOUT ROWID;
CREATE TABLE ref (
  target BLOB NOT NULL,
  id INTEGER NOT NULL,
  PRIMARY KEY (target, id)
) WITHOUT ROWID;
CREATE TABLE link (
  target BLOB NOT NULL,
  id INTEGER NOT NULL,
  PRIMARY KEY (target, id)
) WITHOUT ROWID;
CREATE TABLE media (
  digest BLOB NOT NULL,
  id INTEGER NOT NULL,
  PRIMARY KEY (digest, id)
) WITHOUT ROWID;
CREATE TABLE folded (id INTEGER NOT NULL);
INSERT INTO folded VALUES (0);           -- the one row: objects above it aren't in edge, head, ref and words yet
"""
_WORDS_FTS5: Final = """
CREATE VIRTUAL TABLE words USING fts5 (
  folded, content = '', tokenize = 'ascii', detail = none, columnsize = 0
);
"""
_WORDS_PLAIN: Final = "CREATE TABLE words (rowid INTEGER PRIMARY KEY, folded TEXT NOT NULL);"
"""Where SQLite was built without FTS5: the same answers by reading all rows."""
INDEX_TABLES: Final = {
    "object": "id",
    "edge": "child, parent",
    "head": "project, id",
    "ref": "target, id",
    "link": "target, id",
    "media": "digest, id",
    "folded": "id",
}
"""The tables of the index with their keys; `words` beside them."""

MIGRATIONS: Mapping[int, Callable[[sqlite3.Connection], None]] = {
    1: lambda _: None,  # `folded` came, which is a part of the index
}
"""From a schema version to the next: what changes the tables. Each runs in a transaction; the index is made anew afterwards."""


def connect(path: Path | str) -> sqlite3.Connection:
    """A connection with everything set that isn't kept in the file. `""` is a database of its own that vanishes.

    Thread checks are off because `close` closes the connections of all threads; each is used by one thread.
    """
    db = sqlite3.connect(
        path,
        timeout=BUSY_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    try:
        db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        db.execute("PRAGMA fullfsync = ON")  # macOS: fsync alone leaves data in the drive's cache
    except BaseException:
        db.close()
        raise
    return db


def has_fts5(db: sqlite3.Connection) -> bool:
    """Whether this SQLite can search with FTS5."""
    return bool(db.execute("SELECT sqlite_compileoption_used('ENABLE_FTS5')").fetchone()[0])


def searches_with_fts5(db: sqlite3.Connection) -> bool:
    """Whether this store does."""
    found = db.execute("SELECT sql FROM sqlite_master WHERE name = 'words'").fetchone()
    return found is None or str(found[0]).startswith("CREATE VIRTUAL")


def create_index(db: sqlite3.Connection, *, fts5: bool) -> None:
    """Create the tables of the index, empty."""
    for statement in [*_statements(_INDEX), _WORDS_FTS5 if fts5 else _WORDS_PLAIN]:
        db.execute(statement)


def drop_index(db: sqlite3.Connection) -> None:
    """Remove the tables of the index."""
    for table in (*INDEX_TABLES, "words"):
        db.execute(f"DROP TABLE IF EXISTS {table}")


def _statements(script: str) -> list[str]:
    """One by one, because `executescript` would commit the transaction around it."""
    return [statement for statement in script.split(";\n") if statement.strip()]


def open_database(path: Path, *, fts5: bool | None = None) -> sqlite3.Connection:
    """Open the database, made first where there is none. `fts5=False` makes one that searches without FTS5.

    Raises:
        StoreError: it can't be opened, is something else, or was written by a newer program.
    """
    with store_errors(path):
        if not path.exists():
            _create(path, fts5=fts5)
        db = connect(path)
        try:
            _check(db, path)
        except BaseException:
            db.close()
            raise
        return db


def _create(path: Path, *, fts5: bool | None) -> None:
    """Make the file under another name and link it into place: whoever dies or races, no half-made store is seen."""
    new = path.with_name(f"{path.name}.new-{os.urandom(8).hex()}")
    try:
        db = connect(new)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("BEGIN")
            for statement in _statements(_TRUTH):
                db.execute(statement)
            create_index(db, fts5=has_fts5(db) if fts5 is None else fts5)
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            db.execute("COMMIT")
        finally:
            db.close()
        try:
            os.link(new, path)
        except FileExistsError:
            return  # another program was faster
        except OSError:  # a file system without hard links
            if not path.exists():
                os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def _check(db: sqlite3.Connection, path: Path) -> None:
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise StoreError(f"{path}: not a hitp2p store, but a database of another program")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path}: a store of version {version}; this program knows up to {SCHEMA_VERSION}. "
            "It was written by a newer hitp2p: update hitp2p to open it"
        )
    if version < OLDEST_VERSION:
        raise StoreError(
            f"{path}: a store of version {version}, which there never was; the file is damaged"
        )
    if searches_with_fts5(db) and not has_fts5(db):
        raise StoreError(
            f"{path}: this store searches with FTS5, which this Python's SQLite lacks; use a Python "
            "whose SQLite has it"
        )


def needs_migration(db: sqlite3.Connection) -> bool:
    """Whether an older program wrote the tables."""
    return bool(db.execute("PRAGMA user_version").fetchone()[0] < SCHEMA_VERSION)


def migrate(db: sqlite3.Connection) -> None:
    """Bring the tables to this version, step by step, in the caller's transaction; the index must be made anew then."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    for step in range(version, SCHEMA_VERSION):  # none where another process was faster
        MIGRATIONS[step](db)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
