"""Room in the log: made once a program goes on writing, never in the way of what is stored."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hitp2p.store.contract import WriteBatch
from hitp2p.store.fsck import audit_store
from hitp2p.store.logroom import ROOM_BYTES, LogRoom
from hitp2p.store.sqlite import DATABASE, SqliteStore
from hitp2p.testing.people import Person

ANA = Person("Ana")
PROJECT = ANA.project()
FEW_BYTES = 256 * 1024


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore.open(tmp_path / "store") as store:
        store.put(WriteBatch(objects=[ANA.genesis, PROJECT]))
        yield store


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "store" / f"{DATABASE}-wal"


def put_works(store: SqliteStore, first: int, n_works: int, *, durable: bool = True) -> None:
    for number in range(first, first + n_works):
        store.put(WriteBatch(objects=[ANA.work(PROJECT, f"Work {number}")]), durable=durable)


def test_a_program_that_commits_once_adds_no_room(store: SqliteStore, log: Path) -> None:
    assert log.stat().st_size < FEW_BYTES


def test_a_program_that_goes_on_writes_into_room(store: SqliteStore, log: Path) -> None:
    put_works(store, 0, 1)
    with_room = log.stat().st_size
    assert with_room >= ROOM_BYTES
    put_works(store, 1, 5)
    assert log.stat().st_size == with_room
    put_works(store, 6, 40)
    assert with_room < log.stat().st_size <= with_room + 3 * ROOM_BYTES


def test_what_is_not_synced_needs_no_room(store: SqliteStore, log: Path) -> None:
    put_works(store, 0, 3, durable=False)
    assert log.stat().st_size < FEW_BYTES


def test_a_log_that_begins_again_gets_no_more_room(store: SqliteStore, log: Path) -> None:
    put_works(store, 0, 3)
    size = log.stat().st_size
    for number in range(3, 9):
        with closing(sqlite3.connect(log.with_name(DATABASE))) as db:
            db.execute("PRAGMA wal_checkpoint (RESTART)")
        put_works(store, number, 1)
    assert log.stat().st_size == size


def test_two_programs_share_the_room(store: SqliteStore, log: Path, tmp_path: Path) -> None:
    with SqliteStore.open(tmp_path / "store") as other:
        for number in range(12):
            put_works((store, other)[number % 2], number, 1)
    assert log.stat().st_size < 3 * ROOM_BYTES


def test_whoever_finds_a_log_with_room_reads_all_of_it(
    store: SqliteStore, log: Path, tmp_path: Path
) -> None:
    put_works(store, 0, 4)
    copy = tmp_path / "copy"
    (copy / "media").mkdir(parents=True)
    for path in (log, log.with_name(DATABASE)):  # as after a power cut: nobody closed them
        (copy / path.name).write_bytes(path.read_bytes())
    with SqliteStore.open(copy) as found:
        assert [row.cid for row in found.rows()] == [row.cid for row in store.rows()]
        assert audit_store(found).findings == ()


def test_where_a_file_may_not_grow_the_log_stays_as_it_is(tmp_path: Path) -> None:
    log = tmp_path / "some.db-wal"
    log.write_bytes(b"first")
    room = LogRoom(tmp_path / "some.db")
    room.keep()
    log.write_bytes(b"first and second")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES // 2, before[1]))
    try:
        room.keep()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert log.read_bytes() == b"first and second"


def test_a_log_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    database = tmp_path / "some.db"
    sqlite3.connect(database).close()
    LogRoom(database).keep()
    assert not database.with_name("some.db-wal").exists()
