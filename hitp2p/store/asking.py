"""Questions whose answer lies partly in tables, partly in the objects that wait to be written there; see `waiting`.

Both are of one state of the store; the caller sees to that.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from hitp2p.codec.cid import Cid
from hitp2p.store.index import find_nodes
from hitp2p.store.names import parse_stored_cid
from hitp2p.store.remembered import Waiting

__all__ = ["ancestor_ids", "children", "count_ancestors", "heads", "referrers", "search"]

_Pair: TypeAlias = tuple[bytes, int]
"""The CID of an object, as stored, and its generation."""
_PAIR: Final = "object.cid, object.generation"
_BY_GENERATION: Final = "ORDER BY object.generation, object.cid"
_ANCESTORS: Final = """
WITH RECURSIVE ancestor (id) AS (
  SELECT value FROM json_each (?)
  UNION
  SELECT edge.parent FROM edge JOIN ancestor ON edge.child = ancestor.id
  ORDER BY 1 DESC
)
"""
"""Ids grow from parents to children, so taking the highest first walks the tables in one direction: a quarter faster."""


def children(db: sqlite3.Connection, waiting: Iterable[Waiting], cid: Cid) -> tuple[Cid, ...]:
    """See `Store.children`."""
    found = db.execute(
        f"SELECT {_PAIR} FROM block JOIN edge ON edge.parent = block.id "
        f"JOIN object ON object.id = edge.child WHERE block.cid = ? {_BY_GENERATION}",
        (bytes(cid),),
    ).fetchall()
    return _by_generation(found, [each for each in waiting if cid in each.obj.parents])


def heads(db: sqlite3.Connection, waiting: Iterable[Waiting], project: Cid) -> tuple[Cid, ...]:
    """See `Store.heads`."""
    found = db.execute(
        f"SELECT {_PAIR} FROM block JOIN head ON head.project = block.id "
        f"JOIN object ON object.id = head.id WHERE block.cid = ? {_BY_GENERATION}",
        (bytes(project),),
    ).fetchall()
    return _heads_of(project, found, waiting)


def referrers(db: sqlite3.Connection, waiting: Iterable[Waiting], cid: Cid) -> tuple[Cid, ...]:
    """See `Store.referrers`."""
    found = db.execute(
        f"SELECT {_PAIR} FROM ref JOIN object ON object.id = ref.id WHERE ref.target = ? {_BY_GENERATION}",
        (bytes(cid),),
    ).fetchall()
    return _by_generation(found, [each for each in waiting if cid in each.entry.refs])


def ancestor_ids(
    db: sqlite3.Connection, waiting: Iterable[Waiting], cids: Iterable[Cid]
) -> list[tuple[int]]:
    """The ids of the objects and of their ancestors, in the order of `Store.ancestors`."""
    return db.execute(
        f"{_ANCESTORS} SELECT object.id FROM ancestor JOIN object ON object.id = ancestor.id "
        f"{_BY_GENERATION}",
        (_start(db, waiting, cids),),
    ).fetchall()


def count_ancestors(db: sqlite3.Connection, waiting: Iterable[Waiting], cids: Iterable[Cid]) -> int:
    """See `Store.count_ancestors`."""
    query = f"{_ANCESTORS} SELECT count(*) FROM ancestor"
    return int(db.execute(query, (_start(db, waiting, cids),)).fetchone()[0])


def search(
    db: sqlite3.Connection,
    waiting: Iterable[Waiting],
    wanted: Sequence[str],
    project: Cid | None,
    limit: int,
    *,
    fts5: bool,
) -> tuple[Cid, ...]:
    """See `Store.search`; `wanted` are folded words."""
    if fts5:
        match = "words MATCH ?"
        values: list[object] = [" ".join(f'"{word}"*' for word in wanted)]
    else:
        match = (
            "NOT EXISTS (SELECT 1 FROM json_each (?) WHERE NOT instr(' ' || folded, ' ' || value))"
        )
        values = [json.dumps(wanted)]
    within = "" if project is None else "AND project = (SELECT id FROM block WHERE cid = ?)"
    if project is not None:
        values.append(bytes(project))
    late = _matching(wanted, project, waiting)[:limit]
    found = db.execute(
        "SELECT cid FROM words JOIN object ON object.id = words.rowid "
        f"WHERE {match} {within} ORDER BY words.rowid DESC LIMIT ?",
        (*values, limit - len(late)),
    ).fetchall()
    return (*late, *[parse_stored_cid(raw) for (raw,) in found])


def _by_generation(found: Sequence[_Pair], waiting: Iterable[Waiting]) -> tuple[Cid, ...]:
    """What the tables gave, in order of generation and CID, with what waits."""
    late = {(bytes(each.obj.cid), each.generation) for each in waiting}
    if late:
        found = sorted(late.union(found), key=lambda pair: (pair[1], pair[0]))
    return tuple([parse_stored_cid(raw) for raw, _ in found])


def _heads_of(project: Cid, found: Sequence[_Pair], waiting: Iterable[Waiting]) -> tuple[Cid, ...]:
    """The heads of a project by the tables, once what waits is counted in."""
    works = [each for each in waiting if each.entry.is_work and each.obj.project == project]
    gone = {bytes(cid) for each in works for cid in each.obj.parents}
    return _by_generation(
        [pair for pair in found if pair[0] not in gone],
        [each for each in works if bytes(each.obj.cid) not in gone],
    )


def _whole_ancestry(cids: Iterable[Cid], waiting: Iterable[Waiting]) -> set[Cid]:
    """The objects, with their ancestors as far as these are reached over objects that wait."""
    late = {each.obj.cid: each.obj for each in waiting}
    found = set(cids)
    following = [cid for cid in found if cid in late]
    for cid in following:  # which grows
        for parent in late[cid].parents:
            if parent not in found:
                found.add(parent)
                if parent in late:
                    following.append(parent)
    return found


def _matching(words: Sequence[str], project: Cid | None, waiting: Iterable[Waiting]) -> list[Cid]:
    """What waits and has words that begin so, the newest first."""
    return [
        each.obj.cid
        for each in sorted(waiting, key=lambda each: -each.id)
        if (project is None or each.obj.project_cid == project)
        and all(f" {word}" in f" {each.entry.words}" for word in words)
    ]


def _start(db: sqlite3.Connection, waiting: Iterable[Waiting], cids: Iterable[Cid]) -> str:
    nodes = find_nodes(db, _whole_ancestry(cids, waiting))
    return json.dumps([node.id for node in nodes.values()])
