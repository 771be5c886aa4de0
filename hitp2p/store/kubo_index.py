"""What the index of a Kubo store knows beside the tables of SQLite's: which hold keeps which block.

`hold` and `held` say what is pinned on the daemon, `release` what is to be unpinned now that nothing needs it. A row of
`held` is there only when the daemon has confirmed the pin. Everything here runs inside a transaction of the caller's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable

from hitp2p.codec.cid import Cid
from hitp2p.store.holds import Held
from hitp2p.store.index import chunks, marks
from hitp2p.store.names import parse_stored_cid

__all__ = [
    "add_hold",
    "create_tables",
    "find_held",
    "find_holds",
    "held_by",
    "held_cids",
    "holds",
    "release_holds",
    "released",
    "take_released",
    "workspace_id",
]

_TABLES = (
    "CREATE TABLE IF NOT EXISTS hold (id INTEGER PRIMARY KEY, cid BLOB NOT NULL UNIQUE)",
    "CREATE TABLE IF NOT EXISTS held (cid BLOB NOT NULL, hold INTEGER NOT NULL, object INTEGER NOT NULL, "
    "PRIMARY KEY (cid, hold)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS held_by_hold ON held (hold)",
    "CREATE TABLE IF NOT EXISTS release (cid BLOB PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS workspace (id BLOB NOT NULL)",
)


def create_tables(db: sqlite3.Connection, workspace: bytes) -> bytes:
    """Make the tables, for a workspace of this name; the name under which they were made, maybe by somebody else."""
    for statement in _TABLES:
        db.execute(statement)
    db.execute(
        "INSERT INTO workspace SELECT ? WHERE NOT EXISTS (SELECT 1 FROM workspace)", (workspace,)
    )
    return bytes(db.execute("SELECT id FROM workspace").fetchone()[0])


def workspace_id(db: sqlite3.Connection) -> bytes | None:
    """The name of the workspace that this is the index of; None in a new index."""
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'workspace'").fetchone():
        return None
    found = db.execute("SELECT id FROM workspace").fetchone()
    return None if found is None else bytes(found[0])


def find_held(db: sqlite3.Connection, cids: Iterable[Cid]) -> dict[Cid, bool]:
    """Those of the blocks that some hold keeps, and whether one keeps it as an object."""
    found: dict[Cid, bool] = {}
    for chunk in chunks(dict.fromkeys(cids)):
        names = {bytes(cid): cid for cid in chunk}
        places, values = marks(list(names))
        query = f"SELECT cid, max(object) FROM held WHERE cid IN ({places}) GROUP BY cid"
        found.update((names[raw], bool(is_object)) for raw, is_object in db.execute(query, values))
    return found


def find_holds(db: sqlite3.Connection, cids: Iterable[Cid]) -> dict[Cid, int]:
    """The holds that keep any of the blocks, with their numbers in the index."""
    found: dict[Cid, int] = {}
    for chunk in chunks(bytes(cid) for cid in cids):
        places, values = marks(chunk)
        query = (
            "SELECT DISTINCT hold.cid, hold.id FROM held JOIN hold ON hold.id = held.hold "
            f"WHERE held.cid IN ({places})"
        )
        found.update((parse_stored_cid(raw), id_) for raw, id_ in db.execute(query, values))
    return found


def held_by(db: sqlite3.Connection, hold: int) -> list[Held]:
    """What a hold keeps."""
    rows = db.execute("SELECT cid, object FROM held WHERE hold = ?", (hold,))
    return [Held(parse_stored_cid(raw), bool(is_object)) for raw, is_object in rows]


def held_cids(db: sqlite3.Connection) -> list[Cid]:
    """All blocks that holds keep."""
    return [parse_stored_cid(raw) for (raw,) in db.execute("SELECT DISTINCT cid FROM held")]


def holds(db: sqlite3.Connection) -> dict[Cid, int]:
    """All holds, with their numbers in the index, the oldest first."""
    rows = db.execute("SELECT cid, id FROM hold ORDER BY id")
    return {parse_stored_cid(raw): id_ for raw, id_ in rows}


def add_hold(db: sqlite3.Connection, hold: Cid, held: Iterable[Held]) -> None:
    """Note a hold that is pinned."""
    id_ = db.execute("INSERT INTO hold (cid) VALUES (?)", (bytes(hold),)).lastrowid
    db.executemany(
        "INSERT INTO held VALUES (?, ?, ?)",
        [(bytes(cid), id_, is_object) for cid, is_object in held],
    )


def release_holds(db: sqlite3.Connection, gone: Collection[tuple[Cid, int]]) -> None:
    """Forget holds, and note that they are to be unpinned."""
    db.executemany("DELETE FROM held WHERE hold = ?", [(id_,) for _, id_ in gone])
    db.executemany("DELETE FROM hold WHERE id = ?", [(id_,) for _, id_ in gone])
    db.executemany("INSERT OR IGNORE INTO release VALUES (?)", [(bytes(cid),) for cid, _ in gone])


def released(db: sqlite3.Connection) -> list[Cid]:
    """What is to be unpinned."""
    return [parse_stored_cid(raw) for (raw,) in db.execute("SELECT cid FROM release")]


def take_released(db: sqlite3.Connection, cids: Iterable[Cid]) -> None:
    """Note that these are unpinned."""
    db.executemany("DELETE FROM release WHERE cid = ?", [(bytes(cid),) for cid in cids])
