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
from hitp2p.store.remembered import Node, Waiting
from hitp2p.store.schema import INDEX_TABLES, connect, create_index, drop_index

__all__ = [
    "CHUNK",
    "Node",
    "add_object_row",
    "add_objects",
    "advance",
    "chunks",
    "compare_index",
    "dump_table",
    "find_by_cid",
    "find_nodes",
    "fold_objects",
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


_INTO_OBJECT: Final = "INSERT INTO object VALUES (?,?,?,?,?,?,?,?,?)"


class _Rows:
    """Rows collected for one `executemany` a table; those of `object` are written on their own."""

    def __init__(self) -> None:
        self.edge: list[tuple[int, int]] = []
        self.head: list[tuple[int | None, int]] = []
        self.no_head: list[tuple[int | None, int]] = []
        self.ref: list[tuple[bytes, int]] = []
        self.link: list[tuple[bytes, int]] = []
        self.media: list[tuple[bytes, int]] = []
        self.words: list[tuple[int, str]] = []

    def collect(self, id_: int, obj: SignedObject, entry: Entry, known: Mapping[Cid, Node]) -> None:
        """The rows of one object. `known` holds its project and its parents."""
        project = None if obj.project_cid is None else known[obj.project_cid].id
        parents = [known[cid].id for cid in obj.parents]
        self.edge.extend((id_, parent) for parent in parents)
        if entry.is_work:
            self.head.append((project, id_))
            self.no_head.extend((project, parent) for parent in parents)
        self.ref.extend((bytes(cid), id_) for cid in entry.refs)
        self.link.extend((bytes(cid), id_) for cid in entry.links)
        self.media.extend((digest, id_) for digest in entry.media)
        if entry.words:
            self.words.append((id_, entry.words))

    def write(self, db: sqlite3.Connection) -> None:
        """Heads go in first and out afterwards: so a parent and its child may come in one batch."""
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
        # Whoever writes objects whole has folded those before.
        db.execute("UPDATE folded SET id = (SELECT coalesce(max(id), 0) FROM object)")


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
    """Index objects under their ids, when nothing waits. `known` holds all they require, and learns them."""
    rows = _Rows()
    added: list[ObjectRow] = []
    values: list[tuple[Any, ...]] = []
    for id_, obj in objects:
        added.append(_row_of(id_, obj, known))
        values.append(_values_of(added[-1], obj, known))
        rows.collect(id_, obj, entry_of(obj), known)
    db.executemany(_INTO_OBJECT, values)
    rows.write(db)
    return added


def add_object_row(
    db: sqlite3.Connection, id_: int, obj: SignedObject, known: dict[Cid, Node]
) -> ObjectRow:
    """As `add_objects`, but only into `object`."""
    row = _row_of(id_, obj, known)
    db.execute(_INTO_OBJECT, _values_of(row, obj, known))
    return row


def fold_objects(
    db: sqlite3.Connection, waiting: Iterable[Waiting], known: Mapping[Cid, Node]
) -> None:
    """Write what `add_object_row` left out, for all that waits. `known` holds their projects and parents."""
    rows = _Rows()
    for each in waiting:
        rows.collect(each.id, each.obj, each.entry, known)
    rows.write(db)


def _row_of(id_: int, obj: SignedObject, known: dict[Cid, Node]) -> ObjectRow:
    generation = max([known[cid].generation + 1 for cid in obj.required], default=0)
    known[obj.cid] = Node(id_, generation)
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


def _values_of(row: ObjectRow, obj: SignedObject, known: Mapping[Cid, Node]) -> tuple[Any, ...]:
    return (
        row.seq,
        bytes(row.cid),
        row.kind,
        None if row.project is None else known[row.project].id,
        known[obj.identity].id,
        None if obj.event is None else known[obj.event].id,
        row.signer,
        row.generation,
        row.time,
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
    source: sqlite3.Connection,
    target: sqlite3.Connection,
    progress: Progress | None = None,
    *,
    up_to: int | None = None,
) -> tuple[Cid, ...]:
    """Index the objects of `source` in `target`, both of them maybe the same; those above `up_to` are left waiting."""
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
        late = [each for each in good.values() if up_to is not None and each[0] > up_to]
        add_objects(target, list(good.values())[: len(good) - len(late)], known)
        for id_, obj in late:
            add_object_row(target, id_, obj, known)
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
        folded = [id_ for (id_,) in db.execute("SELECT id FROM folded") if type(id_) is int]
        _fill(db, fresh, up_to=max(folded, default=None))
        if folded:  # what was removed since may have been above what is left
            fresh.execute("UPDATE folded SET id = ?", (max(folded),))
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
