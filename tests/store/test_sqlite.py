"""What only the SQLite store promises: its file, its index, several processes."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.errors import CorruptBlockError, StoreError, UsageError
from hitp2p.store import schema
from hitp2p.store.contract import WriteBatch
from hitp2p.store.fsck import FindingCode, audit_store
from hitp2p.store.gc import collect
from hitp2p.store.index import dump_table
from hitp2p.store.schema import INDEX_TABLES
from hitp2p.store.sqlite import SqliteStore
from hitp2p.testing.people import Person
from hitp2p.testing.store_suite import Story, answers, raw_block, run_threads


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def store(folder: Path, story: Story) -> Iterator[SqliteStore]:
    with SqliteStore.open(folder) as store:
        store.put(story.batch)
        yield store


def change(folder: Path, sql: str, *values: object) -> None:
    """Do to the database what no program of ours would."""
    db = sqlite3.connect(folder / "store.db")
    db.execute(sql, values)
    db.commit()
    db.close()


def dump_index(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    db = sqlite3.connect(folder / "store.db")
    try:
        return {table: list(dump_table(db, table, fts5=True)) for table in (*INDEX_TABLES, "words")}
    finally:
        db.close()


# --- the file -------------------------------------------------------------------------------------


def test_what_was_stored_is_there_after_reopening(folder: Path, story: Story) -> None:
    with SqliteStore.open(folder) as store:
        rows = store.put(story.batch)
        before = answers(store, story.objects)
    with SqliteStore.open(folder) as store:
        assert answers(store, story.objects) == before
        assert tuple(store.rows()) == rows


def test_a_store_of_a_newer_program_is_refused(store: SqliteStore, folder: Path) -> None:
    store.close()
    change(folder, f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
    with pytest.raises(StoreError, match=r"newer hitp2p: update"):
        SqliteStore.open(folder)


def test_a_database_of_another_program_is_refused(folder: Path) -> None:
    folder.mkdir()
    change(folder, "CREATE TABLE bookmarks (url)")
    with pytest.raises(StoreError, match=r"another program"):
        SqliteStore.open(folder)


def test_a_file_that_is_no_database_is_refused(folder: Path) -> None:
    folder.mkdir()
    (folder / "store.db").write_bytes(b"Dear diary, " * 1000)
    with pytest.raises(StoreError, match=r"damaged"):
        SqliteStore.open(folder)


def test_an_older_store_is_brought_up_to_date(
    store: SqliteStore, folder: Path, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = answers(store, story.objects)
    store.close()

    def add_column(db: sqlite3.Connection) -> None:
        db.execute("ALTER TABLE block ADD COLUMN pinned INTEGER")

    monkeypatch.setattr(schema, "SCHEMA_VERSION", schema.SCHEMA_VERSION + 1)
    monkeypatch.setitem(schema.MIGRATIONS, schema.SCHEMA_VERSION - 1, add_column)  # type: ignore[arg-type]
    with SqliteStore.open(folder) as store:
        assert answers(store, story.objects) == before
        assert store.audit_index() == ()
    db = sqlite3.connect(folder / "store.db")
    assert db.execute("PRAGMA user_version").fetchone()[0] == schema.SCHEMA_VERSION
    assert db.execute("SELECT count(*) FROM block WHERE pinned IS NULL").fetchone()[0] > 0
    db.close()


def test_a_migration_that_fails_changes_nothing(
    store: SqliteStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.close()

    def fail(db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM block")
        raise ZeroDivisionError

    with monkeypatch.context() as newer:
        newer.setattr(schema, "SCHEMA_VERSION", schema.SCHEMA_VERSION + 1)
        newer.setitem(schema.MIGRATIONS, schema.SCHEMA_VERSION - 1, fail)  # type: ignore[arg-type]
        with pytest.raises(ZeroDivisionError):
            SqliteStore.open(folder)
    with SqliteStore.open(folder) as again:
        assert audit_store(again).is_sound


def test_fts5_is_asked_for_where_the_store_needs_it(
    store: SqliteStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.close()
    monkeypatch.setattr(schema, "has_fts5", lambda db: False)
    with pytest.raises(StoreError, match=r"FTS5"):
        SqliteStore.open(folder)
    with SqliteStore.open(folder.with_name("other")) as other:
        other.put(Story().batch)
        assert other.search("bus", limit=9)


def test_what_is_signed_is_synced_and_imports_are_not(store: SqliteStore, story: Story) -> None:
    db = store._connections.hold().db
    for durable, level in ((True, 2), (False, 1), (True, 2)):
        store.put(WriteBatch(blocks=[raw_block(b"%d" % level)]), durable=durable)
        assert db.execute("PRAGMA synchronous").fetchone()[0] == level
    assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


# --- the index ------------------------------------------------------------------------------------


def test_an_index_made_anew_has_the_same_rows(
    store: SqliteStore, folder: Path, story: Story
) -> None:
    store.put(WriteBatch(blocks=[(story.ana.rotated().cid, story.ana.rotated().block)]))
    store.put(WriteBatch(objects=[story.ana.rotated()]))
    store.remove([story.song.cid, story.elsewhere.cid])
    store.put(WriteBatch(objects=[story.elsewhere, story.song]))
    before = dump_index(folder)
    assert all(before.values())
    store.rebuild_index()
    assert dump_index(folder) == before


@pytest.mark.parametrize("table", [*INDEX_TABLES, "words"])
def test_a_row_lost_from_the_index_is_noticed_and_comes_back(
    store: SqliteStore, folder: Path, story: Story, table: str
) -> None:
    before = answers(store, story.objects)
    rows = dump_index(folder)
    if table == "words":
        change(folder, "INSERT INTO words (words) VALUES ('delete-all')")
    else:
        where = " AND ".join(f"{column} = ?" for column in INDEX_TABLES[table].split(", "))
        key = rows[table][-1][: where.count("?")]
        change(folder, f"DELETE FROM {table} WHERE {where}", *key)
    report = audit_store(store)
    assert FindingCode.INDEX in {finding.code for finding in report.findings}
    assert any(table in finding.message for finding in report.findings)
    store.rebuild_index()
    assert answers(store, story.objects) == before
    assert audit_store(store).is_sound


def test_storing_costs_the_same_in_a_large_store(tmp_path: Path) -> None:
    """Counted in steps of SQLite's machine, which no other load on this computer changes."""
    ana = Person("Ana")
    project = ana.project()
    steps: list[int] = []
    with SqliteStore.open(tmp_path) as store:
        store.put(WriteBatch(objects=[ana.genesis, project]))
        last = ana.work(project, "First")
        for size in (10, 2000):
            chain = [last]
            while len(chain) < size:
                chain.append(ana.work(project, f"Work {size} {len(chain)}", chain[-1]))
            store.put(WriteBatch(objects=chain), durable=False)
            last = ana.work(project, f"Last {size}", chain[-1], chain[-2])
            steps.append(_count_steps(store, WriteBatch(objects=[last])))
    assert steps[1] < 1.2 * steps[0]


def _count_steps(store: SqliteStore, batch: WriteBatch) -> int:
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    db = store._connections.hold().db
    db.set_progress_handler(count, 1)
    store.put(batch)
    db.set_progress_handler(None, 1)
    return counted


def test_no_question_reads_a_whole_table(store: SqliteStore, story: Story) -> None:
    plans: list[str] = []
    db = store._connections.hold().db
    real = db.execute
    statements: set[str] = set()
    db.set_trace_callback(statements.add)
    cid = story.song.cid
    store.children(cid), store.heads(cid), list(store.ancestors([cid])), store.referrers(cid)
    store.linkers(cid), store.with_media(bytes(32)), store.events(cid), store.get(cid)
    store.row(cid), store.has(cid), store.match_prefix("abcd", 9), store.search("bus", limit=9)
    for kind in ("identity", "project", "comment"):
        list(store.rows(kind=kind))
    list(store.rows(project=story.project.cid)), list(store.rows(identity=story.ana.genesis.cid))
    store.put(WriteBatch(objects=[story.ana.work(story.project, "One more")]))
    db.set_trace_callback(None)
    for sql in statements:
        if sql.lstrip().startswith(("SELECT", "INSERT", "DELETE", "UPDATE", "WITH")):
            plans += [f"{row[3]}: {sql}" for row in real(f"EXPLAIN QUERY PLAN {sql}")]
    scans = [
        plan
        for plan in plans
        if plan.startswith("SCAN ")
        and not plan.startswith(
            ("SCAN ancestor", "SCAN json_each", "SCAN wanted", "SCAN words", "SCAN folded")
        )
        and "CONSTANT ROW" not in plan
    ]
    assert scans == []


# --- damage ---------------------------------------------------------------------------------------


def damage(folder: Path, cid: Cid) -> None:
    change(folder, "UPDATE block SET data = zeroblob(length(data)) WHERE cid = ?", bytes(cid))


def test_any_number_of_words_is_searched_for(folder: Path, story: Story) -> None:
    for fts5 in (True, False):
        with SqliteStore.open(folder.with_name(f"fts5 {fts5}"), fts5=fts5) as store:
            store.put(story.batch)
            verse = "verse of the bus"
            assert store.search(verse, limit=9) == (story.verse.cid,)
            assert store.search(verse + " v ve ver" * 3000, limit=9) == (story.verse.cid,)
            assert store.search(" ".join([verse, *map(str, range(3000))]), limit=9) == ()


def test_every_question_to_a_damaged_database_gives_an_error_of_ours(
    store: SqliteStore, folder: Path, story: Story
) -> None:
    change(folder, "DROP TABLE object")
    for ask in (
        lambda: list(store.rows(project=story.project.cid)),
        lambda: list(store.rows()),
        lambda: store.row(story.song.cid),
        lambda: list(store.ancestors([story.song.cid])),
        lambda: store.left_out(),
    ):
        with pytest.raises(StoreError):
            ask()
    assert store.rebuild_index() == store.audit_index() == ()


def test_a_damaged_block_is_an_error_and_is_healed_by_putting_it_again(
    store: SqliteStore, folder: Path, story: Story
) -> None:
    before, rows = answers(store, story.objects), list(store.rows())
    damage(folder, story.beat.cid)
    damage(folder, story.page[0])
    for cid in (story.beat.cid, story.page[0]):
        with pytest.raises(CorruptBlockError, match=str(cid)):
            store.get(cid)
    report = audit_store(store)
    assert sorted(report.lost) == sorted([story.beat.cid, story.page[0]])
    assert report.n_objects == len(story.objects) - 1
    assert store.put(story.batch) == ()
    assert (answers(store, story.objects), list(store.rows())) == (before, rows)
    assert audit_store(store).is_sound


def test_a_new_index_leaves_out_what_is_damaged_until_it_is_healed(
    store: SqliteStore, folder: Path, story: Story
) -> None:
    before, rows = answers(store, story.objects), list(store.rows())
    damage(folder, story.beat.cid)
    left_out = {story.beat.cid, story.song.cid, story.other_head.cid}
    assert set(store.rebuild_index()) == left_out
    assert {row.cid for row in store.rows()} == {o.cid for o in story.objects} - left_out
    assert store.get(story.song.cid) == story.song.block
    assert {row.cid for row in store.put(story.batch)} == left_out
    assert (answers(store, story.objects), list(store.rows())) == (before, rows)
    assert store.audit_index() == ()


def test_gc_keeps_what_a_new_index_had_to_leave_out(
    store: SqliteStore, folder: Path, story: Story
) -> None:
    """The index lacks the beat and what was made of it, so nothing seems to reach their pages and sounds."""
    change(folder, "UPDATE block SET data = x'00' WHERE cid = ?", bytes(story.beat.cid))
    left_out = store.rebuild_index()
    assert store.left_out() == tuple(sorted(left_out))
    assert story.song.cid in left_out
    here = set(store.iter_cids())
    for dry_run in (True, False):
        with pytest.raises(StoreError, match=r"nothing was removed: 3 objects are damaged"):
            collect(store, dry_run=dry_run)
    assert set(store.iter_cids()) == here
    store.put(story.batch)
    assert store.left_out() == ()
    assert collect(store).blocks == ()


def test_a_damaged_object_can_be_removed(store: SqliteStore, folder: Path, story: Story) -> None:
    damage(folder, story.comment.cid)
    store.remove([story.comment.cid])
    assert store.row(story.comment.cid) is None
    assert audit_store(store).is_sound


def test_an_object_that_should_not_be_here_is_reported(
    store: SqliteStore, folder: Path, story: Story
) -> None:
    foreign = Person("Cy").project()
    change(
        folder,
        "INSERT INTO block (cid, verified, data) VALUES (?, 1, ?)",
        bytes(foreign.cid),
        foreign.block,
    )
    assert store.rebuild_index() == (foreign.cid,)
    block = bytearray(story.verse.block)
    block[10] ^= 1  # in the signature
    forged = Cid.of(DAG_CBOR, bytes(block))
    change(
        folder,
        "INSERT INTO block (cid, verified, data) VALUES (?, 1, ?)",
        bytes(forged),
        bytes(block),
    )
    store.rebuild_index()
    found = {finding.cid: finding.code for finding in audit_store(store).findings}
    assert found[forged] == FindingCode.INVALID


# --- several at once ------------------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from hitp2p.store.contract import WriteBatch
from hitp2p.store.sqlite import SqliteStore
from hitp2p.testing.people import Person

name, n_works = sys.argv[2], int(sys.argv[3])
ana, me = Person("Ana"), Person(name)
project = ana.project()
with SqliteStore.open(Path(sys.argv[1])) as store:
    store.put(WriteBatch(objects=[ana.genesis, project, me.genesis]))
    last = me.work(project, "Work 0")
    for number in range(1, n_works):
        store.put(WriteBatch(objects=[last]))
        last = me.work(project, f"Work {number}", last)
    store.put(WriteBatch(objects=[last]))
"""


def start_writer(folder: Path, name: str, n_works: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(folder), name, str(n_works)])


def test_two_processes_write_at_once(folder: Path) -> None:
    """They also create the store at once."""
    writers = [start_writer(folder, name, 60) for name in ("Bo", "Cy")]
    with SqliteStore.open(folder) as store:
        while any(writer.poll() is None for writer in writers):
            for row in store.rows():
                assert store.get(row.cid) is not None
        assert [writer.returncode for writer in writers] == [0, 0]
        assert audit_store(store).is_sound
        assert len(list(store.rows(kind="contribution"))) == 120
        assert len(store.heads(Person("Ana").project().cid)) == 2
        seqs = [row.seq for row in store.rows()]
        assert seqs == sorted(set(seqs))


def test_a_process_that_dies_inside_a_transaction_leaves_nothing_of_it(
    store: SqliteStore, folder: Path, story: Story
) -> None:
    before = answers(store, story.objects)
    program = """
import os, sys
from pathlib import Path
from hitp2p.store.sqlite import SqliteStore
store = SqliteStore.open(Path(sys.argv[1]))
with store.exclusive():
    store.remove(list(store.iter_cids()))
    os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", program, str(folder)], check=False)
    assert answers(store, story.objects) == before
    assert store.put(WriteBatch(objects=[story.ana.work(story.project, "After")]))
    assert audit_store(store).is_sound


def test_threads_may_make_one_store_at_once(folder: Path) -> None:
    def add(number: int) -> None:
        with SqliteStore.open(folder) as store:
            store.put(WriteBatch(blocks=[raw_block(b"%d" % number)]))

    assert run_threads([partial(add, number) for number in range(8)]) == []
    with SqliteStore.open(folder) as store:
        assert set(store.iter_cids()) == {raw_block(b"%d" % number)[0] for number in range(8)}
    assert sorted(path.name for path in folder.iterdir()) == ["media", "store.db"]


def test_who_makes_a_store_where_links_cannot_be_made_spares_one_that_is_there(
    folder: Path, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a FAT file system, where another program was faster."""

    def put_another(_: Path, target: Path) -> None:
        with monkeypatch.context() as faster:
            faster.setattr(os, "link", link)
            with SqliteStore.open(target.parent) as other:
                other.put(story.batch)
        raise PermissionError(errno.EPERM, "no links here")

    link = os.link
    monkeypatch.setattr(os, "link", put_another)
    with SqliteStore.open(folder) as store:
        assert store.get(story.song.cid) == story.song.block


def test_a_store_without_hard_links_is_made(
    folder: Path, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    with SqliteStore.open(folder) as store:
        assert store.put(story.batch)


def test_closing_waits_for_the_threads_that_read(folder: Path, story: Story) -> None:
    """To close a connection that another thread works with brought Python down."""
    for number in range(10):
        store = SqliteStore.open(folder.with_name(f"store {number}"))
        store.put(story.batch)
        reading = threading.Barrier(4)

        def read(store: SqliteStore = store, reading: threading.Barrier = reading) -> None:
            reading.wait()
            while True:
                assert len(list(store.rows())) == len(story.objects)
                assert store.audit_index() == ()

        def close(store: SqliteStore = store, reading: threading.Barrier = reading) -> None:
            reading.wait()
            store.last_seq()
            store.close()

        errors = run_threads([read, read, read, close])
        assert [type(error) for error in errors] == [UsageError] * 3


def test_threads_that_end_leave_no_connection(store: SqliteStore) -> None:
    for _ in range(5):
        assert run_threads([lambda: store.last_seq() and None] * 3) == []
    assert len(store._connections._open) <= 4  # this thread and the last round


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_store_does_not_survive_a_fork(store: SqliteStore, story: Story) -> None:
    child = os.fork()
    if child == 0:
        try:
            store.get(story.song.cid)
        except UsageError:
            os._exit(42)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 42
    assert store.get(story.song.cid) == story.song.block


def test_a_backup_taken_while_others_write_is_whole(folder: Path, tmp_path: Path) -> None:
    writer = start_writer(folder, "Bo", 150)
    n_backups = 0
    with SqliteStore.open(folder) as store:
        while writer.poll() is None:
            target = tmp_path / f"backup {n_backups}"
            store.backup(target)
            n_backups += 1
            with SqliteStore.open(target) as copy:
                assert audit_store(copy).is_sound
                rows = list(copy.rows())
                assert rows == list(store.rows(limit=len(rows)))
    assert writer.returncode == 0
    assert n_backups > 0


def test_a_backup_that_fails_leaves_nothing(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> Callable[[], None]:
        raise ZeroDivisionError

    monkeypatch.setattr("hitp2p.store.copies._finish_database", fail)
    target = tmp_path / "copies" / "today"
    with pytest.raises(ZeroDivisionError):
        store.backup(target)
    assert list(target.parent.iterdir()) == []
