"""The store of a workspace: one SQLite database, and plain files for media beside it.

Theory of operation. WAL lets readers work beside a writer, in this process or another. Every change is one transaction
that begins IMMEDIATE, so that two writers queue instead of failing half-way; it is acknowledged after the commit. A commit
in NORMAL outlives a killed program, one in FULL also a power cut. Each thread has a connection of its own. Answers of many
rows are read page by page, so that a slow caller never holds a snapshot open.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from hitp2p.codec.cid import Cid
from hitp2p.errors import CorruptBlockError, StoreError, UsageError
from hitp2p.ports import Closing
from hitp2p.store import asking
from hitp2p.store.connections import Connections
from hitp2p.store.contract import LeafPlace, ObjectRow, Progress, WriteBatch
from hitp2p.store.copies import copy_store
from hitp2p.store.derive import query_words
from hitp2p.store.faults import store_errors
from hitp2p.store.index import CHUNK, advance, chunks, compare_index, find_nodes, rebuild
from hitp2p.store.intact import is_intact, require_intact
from hitp2p.store.leaves import decode_place, read_leaf
from hitp2p.store.mediafolder import (
    RESERVE_FROM_BYTES,
    free_reserve,
    keep_reserve,
    sweep_unfinished,
)
from hitp2p.store.names import parse_stored_cid, prefix_range
from hitp2p.store.remembered import Waiting
from hitp2p.store.schema import migrate, needs_migration, searches_with_fts5
from hitp2p.store.unlisted import mark_unlisted, read_unlisted
from hitp2p.store.waiting import fold, read_waiting
from hitp2p.store.writing import put_batch, put_new, remove_blocks

__all__ = ["DATABASE", "MEDIA", "SqliteStore"]

DATABASE: Final = "store.db"
"""Name of the database in the store's folder."""
MEDIA: Final = "media"
"""Name of the folder of media files in the store's folder."""
_COLUMNS: Final = "o.id, o.cid, o.kind, p.cid, i.cid, o.signer, o.generation, o.time"
_OBJECTS: Final = "object AS o LEFT JOIN object AS p ON p.id = o.project LEFT JOIN object AS i ON i.id = o.identity"
_BY_GENERATION: Final = "ORDER BY object.generation, object.cid"


class SqliteStore(Closing):
    """A store in a folder; several processes may have it open. See `hitp2p.store.contract.Store`."""

    def __init__(self, connections: Connections, folder: Path) -> None:
        """For `open`."""
        self._connections = connections
        self._folder = folder
        self._fts5 = False
        self._leaves_waiting = False
        self._require_place: Callable[[], object] = bool  # nothing to ask

    @classmethod
    def open(cls, folder: Path, *, fts5: bool | None = None) -> SqliteStore:
        """Open the store in `folder`, made first where there is none.

        Args:
            folder: `.hitp2p` of a workspace, or a backup.
            fts5: whether a store made now searches with FTS5; by default, if this SQLite can.

        Raises:
            StoreError: the folder can't be written, holds something else, or a newer program wrote it.
        """
        folder = folder.absolute()
        with store_errors(folder):
            (folder / MEDIA).mkdir(parents=True, exist_ok=True)
        store = cls(Connections(folder / DATABASE, fts5=fts5), folder)
        try:
            store._start()
        except BaseException:
            store.close()
            raise
        return store

    def _start(self) -> None:
        with self._connections.use() as db:
            self._fts5 = searches_with_fts5(db)
            is_old = needs_migration(db)
        if is_old:
            with self._writing() as db:
                migrate(db)
                rebuild(db, fts5=self._fts5)
        sweep_unfinished(self.media_folder)
        with store_errors(self._folder):
            if self._connections.path.stat().st_size >= RESERVE_FROM_BYTES:
                keep_reserve(self.media_folder)

    def require_before_writes(self, require: Callable[[], object]) -> None:
        """Let every change begin with a call, made while no other program writes; if it raises, nothing changes."""
        self._require_place = require

    @property
    def media_folder(self) -> Path:
        return self._folder / MEDIA

    def get(self, cid: Cid, /) -> bytes | None:
        with self._connections.use() as db:
            block = db.execute("SELECT data FROM block WHERE cid = ?", (bytes(cid),)).fetchone()
            data: object = None if block is None else block[0]
            if is_intact(data, cid):
                return data
            leaves = db.execute(
                "SELECT path, start, length FROM leaf JOIN file ON file.id = leaf.file WHERE cid = ?",
                (bytes(cid),),
            ).fetchall()
        if leaves:
            return read_leaf(self.media_folder, [decode_place(cid, *leaf) for leaf in leaves])
        if block is None:
            return None
        raise CorruptBlockError(
            f"the stored bytes of {cid} have changed on disk; import the block again, or take it from "
            "a backup",
            cid,
        )

    def has(self, cid: Cid, /) -> bool:
        return bool(
            self._all(
                "SELECT 1 FROM block WHERE cid = ?1 UNION ALL SELECT 1 FROM leaf WHERE cid = ?1 LIMIT 1",
                bytes(cid),
            )
        )

    def put(self, batch: WriteBatch, *, durable: bool = True) -> tuple[ObjectRow, ...]:
        for cid, data in batch.blocks:
            require_intact(cid, data)
        with self._connections.write(durable=durable) as db:
            self._require_place()
            remembered = self._connections.remembered
            remembered.refresh(db)
            remembered.keep_small()
            rows = put_new(db, batch, remembered)
            self._leaves_waiting = rows is not None
            return put_batch(db, batch, remembered) if rows is None else rows

    def row(self, cid: Cid, /) -> ObjectRow | None:
        found = self._all(
            f"SELECT {_COLUMNS} FROM block CROSS JOIN {_OBJECTS} WHERE block.cid = ? AND o.id = block.id",
            bytes(cid),
        )
        return _row(found[0]) if found else None

    def rows(
        self,
        *,
        project: Cid | None = None,
        kind: str | None = None,
        identity: Cid | None = None,
        after: int = 0,
        limit: int | None = None,
    ) -> Iterator[ObjectRow]:
        named = [cid for cid in (project, identity) if cid is not None]
        with self._connections.use() as db:
            nodes = find_nodes(db, named)
        if len(nodes) < len(set(named)):
            return
        wanted = {
            "o.project": nodes[project].id if project is not None else None,
            "o.identity": nodes[identity].id if identity is not None else None,
            "o.kind": kind,
        }
        given = {column: value for column, value in wanted.items() if value is not None}
        where = "".join(f" AND {column} = ?" for column in given)
        if kind not in (None, "contribution"):
            where += " AND o.kind <> 'contribution'"  # lets SQLite use the index of the other kinds
        sql = f"SELECT {_COLUMNS} FROM {_OBJECTS} WHERE o.id > ?{where} ORDER BY o.id LIMIT ?"
        left = limit
        while left is None or left > 0:
            size = CHUNK if left is None else min(left, CHUNK)
            page = self._all(sql, after, *given.values(), size)
            yield from map(_row, page)
            if len(page) < size:
                return
            after = advance(after, page[-1][0])
            left = None if left is None else left - size

    def last_seq(self) -> int:
        return self._number("SELECT coalesce(max(id), 0) FROM object")

    def children(self, cid: Cid, /) -> tuple[Cid, ...]:
        with self._whole() as (db, waiting):
            return asking.children(db, waiting, cid)

    def heads(self, project: Cid, /) -> tuple[Cid, ...]:
        with self._whole() as (db, waiting):
            return asking.heads(db, waiting, project)

    def ancestors(self, cids: Iterable[Cid], /) -> Iterator[ObjectRow]:
        with self._whole() as (db, waiting):
            ids = asking.ancestor_ids(db, waiting, cids)
        for chunk in chunks(id_ for (id_,) in ids):
            page = self._all(
                f"SELECT {_COLUMNS} FROM json_each (?) AS wanted CROSS JOIN {_OBJECTS} "
                "WHERE o.id = wanted.value ORDER BY wanted.key",
                json.dumps(chunk),
            )
            yield from map(_row, page)

    def count_ancestors(self, cids: Iterable[Cid], /) -> int:
        with self._whole() as (db, waiting):
            return asking.count_ancestors(db, waiting, cids)

    def referrers(self, cid: Cid, /) -> tuple[Cid, ...]:
        with self._whole() as (db, waiting):
            return asking.referrers(db, waiting, cid)

    def linkers(self, cid: Cid, /) -> tuple[Cid, ...]:
        return self._naming("link", "target", bytes(cid))

    def with_media(self, digest: bytes, /) -> tuple[Cid, ...]:
        return self._naming("media", "digest", digest)

    def _naming(self, table: str, column: str, value: bytes) -> tuple[Cid, ...]:
        return self._cids(
            f"SELECT object.cid FROM {table} JOIN object ON object.id = {table}.id "
            f"WHERE {table}.{column} = ? {_BY_GENERATION}",
            value,
        )

    def events(self, identity: Cid, /) -> tuple[Cid, ...]:
        with self._connections.use() as db:
            remembered = self._connections.remembered
            remembered.refresh(db)
            found = remembered.events.get(identity)
            if found is None:
                found = self._events(identity)
                if not db.in_transaction:  # in which they may still change
                    remembered.keep_small()
                    remembered.events[identity] = found
            return found

    def _events(self, identity: Cid) -> tuple[Cid, ...]:
        return self._cids(
            "SELECT object.cid FROM block JOIN object ON object.identity = block.id "
            f"WHERE block.cid = ? AND object.kind = 'identity' {_BY_GENERATION}",
            bytes(identity),
        )

    def match_prefix(self, text: str, /, limit: int) -> tuple[Cid, ...]:
        between = prefix_range(text)
        if between is None:
            return ()
        return self._cids(
            "SELECT block.cid FROM block JOIN object ON object.id = block.id "
            "WHERE block.cid BETWEEN ? AND ? ORDER BY block.cid LIMIT ?",
            *between,
            limit,
        )

    def search(self, words: str, /, *, project: Cid | None = None, limit: int) -> tuple[Cid, ...]:
        wanted = query_words(words)
        if not wanted:
            return ()
        with self._whole() as (db, waiting):
            return asking.search(db, waiting, wanted, project, limit, fts5=self._fts5)

    def iter_cids(self) -> Iterator[Cid]:
        for sql in (
            "SELECT cid FROM block WHERE cid > ? ORDER BY cid LIMIT ?",
            "SELECT DISTINCT cid FROM leaf WHERE cid > ? AND cid NOT IN (SELECT cid FROM block) "
            "ORDER BY cid LIMIT ?",
        ):
            last = b""
            while page := self._all(sql, last, CHUNK):
                yield from (parse_stored_cid(raw) for (raw,) in page)
                last = advance(last, page[-1][0])

    def places(self) -> Iterator[LeafPlace]:
        for file, path in self._all("SELECT id, path FROM file ORDER BY path"):
            for raw, start, length in self._all(
                "SELECT cid, start, length FROM leaf WHERE file = ? ORDER BY start", file
            ):
                yield decode_place(parse_stored_cid(raw), path, start, length)

    def remove(self, cids: Iterable[Cid], /) -> None:
        with self._writing() as db:
            remove_blocks(db, cids, fts5=self._fts5)

    @contextmanager
    def exclusive(self) -> Generator[None]:
        with self._connections.write(durable=True, runs_callers_code=True):
            self._require_place()
            yield

    def make_room(self) -> bool:
        if not free_reserve(self.media_folder):
            return False
        self._all("PRAGMA wal_checkpoint (TRUNCATE)")
        return True

    def rebuild_index(self, *, progress: Progress | None = None) -> tuple[Cid, ...]:
        with self._writing() as db:
            return rebuild(db, fts5=self._fts5, progress=progress)

    def left_out(self) -> tuple[Cid, ...]:
        return self._cids(
            "SELECT cid FROM block WHERE verified = 1 AND id NOT IN (SELECT id FROM object) ORDER BY cid"
        )

    def audit_index(self) -> tuple[str, ...]:
        with store_errors(self._connections.path), self._connections.read() as db:
            damage = [row[0] for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
            return (*damage, *compare_index(db, fts5=self._fts5))

    def unlisted(self) -> frozenset[Cid]:
        return read_unlisted(self._folder)

    def mark_unlisted(self, projects: Iterable[Cid], is_unlisted: bool = True, /) -> None:
        self._require_place()
        mark_unlisted(self._folder, projects, is_unlisted)

    def backup(self, target: Path, /) -> None:
        with self._connections.use() as db:
            copy_store(db, self._folder, target.absolute(), database=DATABASE, media=MEDIA)

    def close(self) -> None:
        try:
            self._fold()
        finally:
            self._connections.close()

    def _fold(self) -> None:
        """Leave nothing waiting, as whoever opens the store next would read it; unless somebody else is writing."""
        if self._leaves_waiting:
            with suppress(StoreError, UsageError), self._connections.use() as db:
                db.execute("PRAGMA busy_timeout = 0")
                with self._connections.write(durable=False):
                    fold(db, self._connections.remembered)

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """One state of the index, for questions that the contract doesn't ask."""
        with store_errors(self._connections.path), self._connections.read() as db:
            yield db

    @contextmanager
    def _writing(self, *, durable: bool = True) -> Generator[sqlite3.Connection]:
        with self._connections.write(durable=durable) as db:
            self._require_place()
            self._connections.remembered.forget()
            yield db

    def _all(self, sql: str, *values: object) -> list[Any]:
        with self._connections.use() as db:
            return db.execute(sql, values).fetchall()

    def _number(self, sql: str, *values: object) -> int:
        return int(self._all(sql, *values)[0][0])

    def _cids(self, sql: str, *values: object) -> tuple[Cid, ...]:
        return tuple(parse_stored_cid(raw) for (raw,) in self._all(sql, *values))

    @contextmanager
    def _whole(self) -> Generator[tuple[sqlite3.Connection, list[Waiting]]]:
        """The tables and what waits to be written there, as one state of the store."""
        with self._connections.use() as db:
            waiting = read_waiting(db, self._connections.remembered)
            if not waiting or db.in_transaction:
                yield db, waiting
                return
            with self._connections.read():
                yield db, read_waiting(db, self._connections.remembered)


_parse_shared_cid: Final = lru_cache(256)(parse_stored_cid)
"""For names that many rows share: the project, the people."""


def _row(values: Sequence[Any]) -> ObjectRow:
    id_, cid, kind, project, identity, signer, generation, time = values
    return ObjectRow(
        cid=parse_stored_cid(cid),
        kind=kind,
        project=None if project is None else _parse_shared_cid(project),
        identity=None if identity is None else _parse_shared_cid(identity),
        signer=signer,
        generation=generation,
        seq=id_,
        time=time,
    )
