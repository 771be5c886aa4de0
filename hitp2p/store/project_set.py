"""All that belongs to a project in a store: its objects, what they link to, and what of that isn't here."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from hitp2p.codec.cid import DAG_PB, OBJECT_CID_HEAD, Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import CorruptBlockError
from hitp2p.store.kubo_snapshot import iter_targets, project_snapshot
from hitp2p.store.reach import iter_links
from hitp2p.store.sqlite import SqliteStore
from hitp2p.trail.snapshot import Snapshot, parse_snapshot_page

__all__ = ["ProjectSet", "count_held", "project_set"]

_HERE: Final = "EXISTS (SELECT 1 FROM block WHERE block.cid = {0}) OR EXISTS (SELECT 1 FROM leaf WHERE leaf.cid = {0})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSet:
    """A project as it is in a store."""

    project: Cid
    snapshot: Snapshot
    """The pages that name its objects, oldest first, with the events of those who speak in it and list pages."""
    objects: tuple[Cid, ...]
    """What the snapshot names, in its order."""
    held: tuple[Cid, ...]
    """The texts and media that they link to and that are here, with all their pieces."""
    missing: tuple[Cid, ...]
    """Blocks that they link to, or pieces of their media, and that are not here."""


def project_set(store: SqliteStore, project: Cid) -> ProjectSet:
    """Gather a project.

    Raises:
        NotFoundError: no object of it is here.
    """
    with store.reading() as db:
        snapshot = project_snapshot(db, project)
        objects = tuple(_iter_members(snapshot))
        linked = list(iter_targets(db, project))
    named = frozenset(objects)
    held: list[Cid] = []
    missing: list[Cid] = []
    for cid in _iter_reached(store, linked):
        if cid not in named:
            (held if store.has(cid) else missing).append(cid)
    return ProjectSet(
        project=project,
        snapshot=snapshot,
        objects=objects,
        held=tuple(held),
        missing=tuple(sorted(missing)),
    )


def _iter_members(snapshot: Snapshot) -> Iterator[Cid]:
    for page in map(parse_snapshot_page, snapshot.pages.values()):
        if page.level == 0:
            yield from page.links


def _iter_reached(store: SqliteStore, linked: list[Cid]) -> Iterator[Cid]:
    """The blocks, and those that media among them are made of; each once."""
    waiting, seen = linked, set[Cid]()
    while waiting:
        cid = waiting.pop()
        if cid not in seen:
            seen.add(cid)
            yield cid
            if cid.codec == DAG_PB and store.has(cid):
                with suppress(CorruptBlockError):  # lost: what hangs below can't be known
                    waiting.extend(iter_links(cid, store.get(cid) or b""))


def count_held(store: SqliteStore) -> tuple[int, int]:
    """How many texts and media files objects here link to, and how many of these are here, as far as the index knows."""
    with store.reading() as db:
        return _count(db, ""), _count(db, f" AND ({_HERE.format('link.target')})")


def _count(db: sqlite3.Connection, also: str) -> int:
    query = f"SELECT count(DISTINCT target) FROM link WHERE substr(target, 1, 4) <> ?{also}"
    return int(db.execute(query, (OBJECT_CID_HEAD,)).fetchone()[0])
