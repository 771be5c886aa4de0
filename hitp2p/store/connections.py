"""Connections to the database: one a thread, and one writer at a time."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from hitp2p.errors import UsageError
from hitp2p.store.faults import sqlite_errors
from hitp2p.store.logroom import LogRoom
from hitp2p.store.schema import open_database

__all__ = ["Connections"]


class Connections:
    """Hands each thread its connection and runs transactions on it."""

    def __init__(self, path: Path, *, fts5: bool | None = None) -> None:
        self.path = path
        self._fts5 = fts5
        self._room = LogRoom(path)
        self._local = threading.local()
        self._writer = threading.RLock()
        """Threads queue here, in turn; processes queue in SQLite, which polls."""
        self._guard = threading.Lock()
        self._open: list[tuple[threading.Thread, sqlite3.Connection]] = []
        self._closed = False
        self._process = os.getpid()

    def get(self) -> sqlite3.Connection:
        """The connection of this thread, made on first use.

        Raises:
            UsageError: closed, or opened before a fork (SQLite's locks don't survive one).
        """
        if self._closed:
            raise UsageError("this store is closed; open it again")
        if self._process != os.getpid():
            raise UsageError(
                "this store was opened before a fork; close it before forking and open it in the child"
            )
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        return self._connect() if db is None else db

    def _connect(self) -> sqlite3.Connection:
        db = open_database(self.path, fts5=self._fts5)
        with self._guard:
            for thread, other in self._open:
                if not thread.is_alive():
                    other.close()
            self._open = [pair for pair in self._open if pair[0].is_alive()]
            self._open.append((threading.current_thread(), db))
        self._local.db = db
        self._local.durable = None
        return db

    @contextmanager
    def read(self) -> Generator[sqlite3.Connection]:
        """Several reads of one state of the store."""
        db = self.get()
        with sqlite_errors(self.path):
            if db.in_transaction:
                yield db
                return
            db.execute("BEGIN")
            try:
                yield db
            finally:
                db.execute("ROLLBACK")

    @contextmanager
    def write(self, *, durable: bool) -> Generator[sqlite3.Connection]:
        """A transaction that no other writer interrupts; inside another one of this thread, a part of that."""
        db = self.get()
        with sqlite_errors(self.path):
            if db.in_transaction:
                with _savepoint(db):
                    yield db
                return
            with self._writer:
                self._set_durable(db, durable)
                try:
                    db.execute("BEGIN IMMEDIATE")
                    yield db
                    if durable:
                        self._room.keep()
                    db.execute("COMMIT")
                except BaseException:
                    if db.in_transaction:
                        db.execute("ROLLBACK")
                    raise

    def _set_durable(self, db: sqlite3.Connection, durable: bool) -> None:
        """FULL syncs the log at each commit, and with it all earlier ones; NORMAL leaves that to the next checkpoint."""
        if self._local.durable != durable:
            db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._local.durable = durable

    def close(self) -> None:
        """Close the connections of all threads. The last one to close writes the log back into the database."""
        with self._guard:
            self._closed = True
            if self._process == os.getpid():
                for _, db in self._open:
                    db.close()
                self._open = []


@contextmanager
def _savepoint(db: sqlite3.Connection) -> Generator[None]:
    db.execute("SAVEPOINT part")
    try:
        yield
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK TO part")
            db.execute("RELEASE part")
        raise
    db.execute("RELEASE part")
