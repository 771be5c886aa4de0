"""Connections to the database: one a thread, and one writer at a time."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from hitp2p.errors import UsageError
from hitp2p.store.faults import Translated, sqlite_errors, store_errors
from hitp2p.store.logroom import LogRoom
from hitp2p.store.remembered import Remembered
from hitp2p.store.schema import open_database

__all__ = ["Connections"]


class _Link(NamedTuple):
    """The connection of one thread."""

    thread: threading.Thread
    db: sqlite3.Connection
    busy: threading.RLock
    """Held while the thread works with it: to close a connection that another thread works with crashes Python."""
    remembered: Remembered


class _Use:
    """What `Connections.use` returns. A class, because every query enters one and a generator takes 2 us more."""

    __slots__ = ("_connections", "_errors", "_link")

    def __init__(self, connections: Connections, errors: Translated) -> None:
        self._connections = connections
        self._errors = errors

    def __enter__(self) -> sqlite3.Connection:
        self._link = self._connections.hold()
        return self._link.db

    @property
    def db(self) -> sqlite3.Connection:
        """The connection, between enter and exit."""
        return self._link.db

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._link.busy.release()
        self._errors.__exit__(kind, error, trace)


class _Write:
    """What `Connections.write` returns; a class for the same reason."""

    __slots__ = ("_connections", "_durable", "_is_part", "_use")

    def __init__(self, connections: Connections, durable: bool, errors: Translated) -> None:
        self._connections = connections
        self._durable = durable
        self._use = _Use(connections, errors)

    def __enter__(self) -> sqlite3.Connection:
        db = self._use.__enter__()
        try:
            self._is_part = db.in_transaction
            if self._is_part:
                db.execute("SAVEPOINT part")
            else:
                self._connections.begin(db, durable=self._durable)
        except BaseException as error:
            self._use.__exit__(type(error), error, None)
            raise
        return db

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._end(failed=error is not None)
        except BaseException as another:
            self._use.__exit__(type(another), another, None)
            raise
        self._use.__exit__(kind, error, trace)

    def _end(self, *, failed: bool) -> None:
        db = self._use.db
        if not self._is_part:
            self._connections.end(db, durable=self._durable, failed=failed)
            return
        if failed:
            self._connections.remembered.forget()
            if not db.in_transaction:  # SQLite has taken all of it back
                return
            db.execute("ROLLBACK TO part")
        db.execute("RELEASE part")


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
        self._open: list[_Link] = []
        self._closed = False
        self._process = os.getpid()

    def use(self) -> _Use:
        """A context: the connection of this thread, which nobody closes meanwhile; its faults become errors of ours.

        Raises:
            UsageError: closed, or opened before a fork (SQLite's locks don't survive one).
        """
        return _Use(self, store_errors(self.path))

    def hold(self) -> _Link:
        """The connection of this thread, made on first use, with its `busy` acquired. For `use`, `read` and `write`."""
        self._require_open()
        link: _Link | None = getattr(self._local, "link", None)
        link = self._connect() if link is None else link
        link.busy.acquire()
        if self._closed:  # while we waited
            link.busy.release()
            self._require_open()
        return link

    @property
    def remembered(self) -> Remembered:
        """What the connection of this thread has seen; for who is using it."""
        link: _Link = self._local.link
        return link.remembered

    def _require_open(self) -> None:
        if self._closed:
            raise UsageError("this store is closed; open it again")
        if self._process != os.getpid():
            raise UsageError(
                "this store was opened before a fork; close it before forking and open it in the child"
            )

    def _connect(self) -> _Link:
        db = open_database(self.path, fts5=self._fts5)
        link = _Link(threading.current_thread(), db, threading.RLock(), Remembered())
        with self._guard:
            if self._closed:
                db.close()
                self._require_open()
            for other in self._open:
                if not other.thread.is_alive():
                    other.db.close()
            self._open = [other for other in self._open if other.thread.is_alive()]
            self._open.append(link)
        self._local.link = link
        self._local.durable = None
        return link

    @contextmanager
    def read(self) -> Generator[sqlite3.Connection]:
        """Several reads of one state of the store."""
        with _Use(self, sqlite_errors(self.path)) as db:
            if db.in_transaction:
                yield db
                return
            db.execute("BEGIN")
            try:
                yield db
            finally:
                db.execute("ROLLBACK")

    def write(self, *, durable: bool, runs_callers_code: bool = False) -> _Write:
        """A transaction that no other writer interrupts; inside another one of this thread, a part of that."""
        errors = sqlite_errors if runs_callers_code else store_errors
        return _Write(self, durable, errors(self.path))

    def begin(self, db: sqlite3.Connection, *, durable: bool) -> None:
        """For `write`."""
        self._writer.acquire()
        try:
            self._set_durable(db, durable)
            db.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._end(db)
            raise

    def end(self, db: sqlite3.Connection, *, durable: bool, failed: bool) -> None:
        """For `write`: commit, or take all back."""
        try:
            if failed:
                self.remembered.forget()
                return
            if durable:
                self._room.keep()
            db.execute("COMMIT")
        except BaseException:
            self.remembered.forget()
            raise
        finally:
            self._end(db)

    def _end(self, db: sqlite3.Connection) -> None:
        try:
            if db.in_transaction:
                db.execute("ROLLBACK")
        finally:
            self._writer.release()

    def _set_durable(self, db: sqlite3.Connection, durable: bool) -> None:
        """FULL syncs the log at each commit, and with it all earlier ones; NORMAL leaves that to the next checkpoint."""
        if self._local.durable != durable:
            db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._local.durable = durable

    def close(self) -> None:
        """Close the connections of all threads, each once its thread is done with what it is doing.

        The last one to close writes the log back into the database.
        """
        with self._guard:
            self._closed = True
            links, self._open = self._open, []
        if self._process != os.getpid():
            return
        with self._writer:
            self._room.close()
        for link in links:
            if not link.thread.is_alive():
                link.db.close()
                continue
            with link.busy:
                link.db.close()
