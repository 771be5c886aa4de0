"""Writing the index of the SQLite store: add objects, forget them, make all of it anew, compare.

Everything here runs inside a transaction of the caller's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

from hitp2p.codec.cid import Cid
from hitp2p.errors import InvalidError, StoreError
from hitp2p.objects.envelope import SignedObject, parse_object
from hitp2p.objects.kinds import KINDS, ObjectClass
from hitp2p.store.contract import ObjectRow, Progress
from hitp2p.store.derive import Entry, entry_of
from hitp2p.store.remembered import Node
from hitp2p.store.schema import INDEX_TABLES, connect, create_index, drop_index

__all__ = [
    "CHUNK",
    "Node",
    "add_objects",
    "advance",
    "chunks",
    "compare_index",
    "dump_table",
    "find_by_cid",
    "find_nodes",
    "forget_object",
    "in_order",
    "marks",
    "parse_intact",
    "rebuild",
]

T = TypeVar("T")

CHUNK: Final = 500
"""Values in one SQL list; rows read at a time."""
_SIZES: Final = (1, 8, 64, CHUNK)
"""Lengths of SQL lists: few, so that prepared statements are found again; a shorter list repeats its last value."""


class _Rows:
    """Rows collected for one `executemany` a table."""

    def __init__(self) -> None:
        self.object: list[tuple[Any, ...]] = []
        self.edge: list[tuple[int, int]] = []
        self.head: list[tuple[int | None, int]] = []
        self.no_head: list[tuple[int | None, int]] = []
        self.ref: list[tuple[bytes, int]] = []
        self.link: list[tuple[bytes, int]] = []
        self.media: list[tuple[bytes, int]] = []
        self.words: list[tuple[int, str]] = []

    def write(self, db: sqlite3.Connection) -> None:
        """Heads go in first and out afterwards: so a parent and its child may come in one batch."""
        db.executemany("INSERT INTO object VALUES (?,?,?,?,?,?,?,?,?)", self.object)
        for sql, rows in (
            ("INSERT INTO edge VALUES (?,?)", self.edge),
            ("INSERT INTO head VALUES (?,?)", self.head),
            ("DELETE FROM head WHERE project = ? AND id = ?", self.no_head),
            ("INSERT INTO ref VALUES (?,?)", self.ref),
            ("INSERT INTO link VALUES (?,?)", self.link),
            ("INSERT INTO media VALUES (?,?)", self.media),
            ("INSERT INTO words (rowid, folded) VALUES (?,?)", self.words),
        ):
            if rows:
                db.executemany(sql, rows)


def chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    """The values in lists of at most `CHUNK`."""
    chunk: list[Any] = []
    for value in values:
        chunk.append(value)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def advance(last: Any, new: Any) -> Any:
    """Where the next page begins. A damaged table may lead in a circle, which would never end.

    Raises:
        StoreError: `new` doesn't come after `last`.
    """
    if type(new) is not type(last) or new <= last:
        raise StoreError("a table of the database is damaged: its rows are out of order")
    return new


def marks(values: Sequence[Any]) -> tuple[str, list[Any]]:
    """Question marks for an SQL list, and the values for them."""
    size = next(size for size in _SIZES if size >= len(values))
    padded = [*values, *([values[-1]] * (size - len(values)))]
    return ",".join("?" * size), padded


def find_by_cid(
    db: sqlite3.Connection, query: str, cids: Iterable[Cid], make: Callable[..., T]
) -> dict[Cid, T]:
    """What a query says of some blocks.

    Args:
        db: the database.
        query: selects a CID and more; a condition on `block.cid` is added.
        cids: of the blocks.
        make: called with what follows the CID in a row.
    """
    found: dict[Cid, T] = {}
    for chunk in chunks(cids):
        names = {bytes(cid): cid for cid in chunk}
        places, values = marks(list(names))
        for raw, *row in db.execute(f"{query} WHERE block.cid IN ({places})", values):
            found[names[raw]] = make(*row)
    return found


def find_nodes(db: sqlite3.Connection, cids: Iterable[Cid]) -> dict[Cid, Node]:
    """Those of the CIDs that are objects in the index."""
    query = "SELECT block.cid, object.id, object.generation FROM block JOIN object ON object.id = block.id"
    return find_by_cid(db, query, cids, Node)


def in_order(objects: Mapping[Cid, SignedObject]) -> Iterator[SignedObject]:
    """The objects, each after those of them that it requires. (There are no circles: a hash can't hold itself.)"""
    done: set[Cid] = set()
    for start in objects:
        stack = [start]
        while stack:
            cid = stack[-1]
            waiting = [r for r in objects[cid].required if r in objects and r not in done]
            if cid in done or not waiting:
                stack.pop()
                if cid not in done:
                    done.add(cid)
                    yield objects[cid]
            else:
                stack.extend(waiting)


def add_objects(
    db: sqlite3.Connection, objects: Iterable[tuple[int, SignedObject]], known: dict[Cid, Node]
) -> list[ObjectRow]:
    """Index objects under their ids. `known` holds all they require, and learns them."""
    rows = _Rows()
    added = [_collect(rows, id_, obj, entry_of(obj), known) for id_, obj in objects]
    rows.write(db)
    return added


def _collect(
    rows: _Rows, id_: int, obj: SignedObject, entry: Entry, known: dict[Cid, Node]
) -> ObjectRow:
    generation = max((known[cid].generation + 1 for cid in obj.required), default=0)
    known[obj.cid] = Node(id_, generation)
    project = None if obj.project_cid is None else known[obj.project_cid].id
    event = None if obj.event is None else known[obj.event].id
    rows.object.append(
        (
            id_,
            bytes(obj.cid),
            obj.kind,
            project,
            known[obj.identity].id,
            event,
            obj.signer,
            generation,
            obj.time,
        )
    )
    parents = [known[cid].id for cid in obj.parents]
    rows.edge.extend((id_, parent) for parent in parents)
    if entry.is_work:
        rows.head.append((project, id_))
        rows.no_head.extend((project, parent) for parent in parents)
    rows.ref.extend((bytes(cid), id_) for cid in entry.refs)
    rows.link.extend((bytes(cid), id_) for cid in entry.links)
    rows.media.extend((digest, id_) for digest in entry.media)
    if entry.words:
        rows.words.append((id_, entry.words))
    return ObjectRow(
        cid=obj.cid,
        kind=obj.kind,
        project=obj.project_cid,
        identity=obj.identity,
        signer=obj.signer,
        generation=generation,
        seq=id_,
        time=obj.time,
    )


def forget_object(db: sqlite3.Connection, id_: int, obj: SignedObject, *, fts5: bool) -> None:
    """Take an object that nothing builds on out of the index; its parents may become heads again."""
    entry = entry_of(obj)
    db.executemany("DELETE FROM ref WHERE target=? AND id=?", [(bytes(c), id_) for c in entry.refs])
    db.executemany(
        "DELETE FROM link WHERE target=? AND id=?", [(bytes(c), id_) for c in entry.links]
    )
    db.executemany("DELETE FROM media WHERE digest=? AND id=?", [(d, id_) for d in entry.media])
    if entry.words and fts5:
        db.execute(
            "INSERT INTO words (words, rowid, folded) VALUES ('delete', ?, ?)", (id_, entry.words)
        )
    elif entry.words:
        db.execute("DELETE FROM words WHERE rowid = ?", (id_,))
    parents = [row[0] for row in db.execute("SELECT parent FROM edge WHERE child = ?", (id_,))]
    db.execute("DELETE FROM edge WHERE child = ?", (id_,))
    db.execute(
        "DELETE FROM head WHERE id = ? AND project = (SELECT project FROM object WHERE id = ?)",
        (id_, id_),
    )
    db.execute("DELETE FROM object WHERE id = ?", (id_,))
    if entry.is_work:
        for parent in parents:
            _make_head(db, parent)


def _make_head(db: sqlite3.Connection, id_: int) -> None:
    """Let a work be a head if no work names it."""
    if not _is_work(db, id_):
        return
    for (child,) in db.execute("SELECT child FROM edge WHERE parent = ?", (id_,)).fetchall():
        if _is_work(db, child):
            return
    db.execute("INSERT OR IGNORE INTO head SELECT project, id FROM object WHERE id = ?", (id_,))


def _is_work(db: sqlite3.Connection, id_: int) -> bool:
    kind = db.execute("SELECT kind FROM object WHERE id = ?", (id_,)).fetchone()[0]
    return kind in KINDS and KINDS[kind].object_class is ObjectClass.WORK


def rebuild(
    db: sqlite3.Connection, *, fts5: bool, progress: Progress | None = None
) -> tuple[Cid, ...]:
    """Make the index anew; returns the objects left out because they or what they require are damaged."""
    drop_index(db)
    db.execute("REINDEX block")
    create_index(db, fts5=fts5)
    return _fill(db, db, progress)


def _fill(
    source: sqlite3.Connection, target: sqlite3.Connection, progress: Progress | None = None
) -> tuple[Cid, ...]:
    """Index the objects of `source` in `target`, both of them maybe the same."""
    n_done = n_all = 0
    if progress is not None:
        (n_all,) = source.execute("SELECT count(*) FROM block WHERE verified = 1").fetchone()
    left_out: list[Cid] = []
    known: dict[Cid, Node] = {}
    for page in _verified_blocks(source):
        good: dict[Cid, tuple[int, SignedObject]] = {}
        for id_, raw, data in page:
            obj = parse_intact(raw, data)
            if obj is not None and all(cid in known or cid in good for cid in obj.required):
                good[obj.cid] = (id_, obj)
            else:
                left_out.extend(_names(raw))
        add_objects(target, good.values(), known)
        if progress is not None:
            n_done += len(page)
            progress(n_done, n_all)
    return tuple(left_out)


def _verified_blocks(db: sqlite3.Connection) -> Iterator[list[tuple[int, Any, Any]]]:
    last = 0
    while page := db.execute(
        "SELECT id, cid, data FROM block WHERE verified = 1 AND id > ? ORDER BY id LIMIT ?",
        (last, CHUNK),
    ).fetchall():
        last = advance(last, page[-1][0])
        yield page


def parse_intact(raw: Any, data: Any) -> SignedObject | None:
    """The object in a row of the database, None where a disk has changed it."""
    if type(raw) is not bytes or type(data) is not bytes:
        return None
    try:
        return parse_object(data, cid=Cid.from_bytes(raw))
    except InvalidError:
        return None


def _names(raw: Any) -> Iterator[Cid]:
    if type(raw) is bytes:
        with suppress(InvalidError):
            yield Cid.from_bytes(raw)


def compare_index(db: sqlite3.Connection, *, fts5: bool) -> tuple[str, ...]:
    """Sentences on how the index differs from one made anew; none where it doesn't."""
    fresh = connect("")
    try:
        fresh.execute("BEGIN")
        create_index(fresh, fts5=fts5)
        _fill(db, fresh)
        found: list[str] = []
        for table in (*INDEX_TABLES, "words"):
            here, anew = (set(dump_table(each, table, fts5=fts5)) for each in (db, fresh))
            if here != anew:
                found.append(
                    f"index table {table}: {len(here - anew)} rows too many, {len(anew - here)} missing"
                )
        return tuple(found)
    finally:
        fresh.close()


def dump_table(db: sqlite3.Connection, table: str, *, fts5: bool) -> Iterator[tuple[Any, ...]]:
    """The rows of an index table, by its key; of `words`, which object has which word."""
    if table != "words":
        yield from db.execute(f"SELECT * FROM {table} ORDER BY {INDEX_TABLES[table]}")
    elif not fts5:
        yield from db.execute("SELECT rowid, folded FROM words ORDER BY rowid")
    else:
        db.execute(
            "CREATE VIRTUAL TABLE IF NOT EXISTS temp.words_in "
            "USING fts5vocab (main, words, instance)"
        )
        yield from db.execute("SELECT doc, term FROM words_in ORDER BY doc, term")
