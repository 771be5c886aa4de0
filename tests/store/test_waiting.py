"""Objects that came one by one: every answer is as if their index was written at once, whoever asks, and whatever happens."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hitp2p.codec.cid import RAW, Cid
from hitp2p.errors import MissingBlocksError
from hitp2p.objects.envelope import SignedObject
from hitp2p.store import remembered
from hitp2p.store.contract import WriteBatch
from hitp2p.store.fsck import audit_store
from hitp2p.store.glance import Glance
from hitp2p.store.index import dump_table
from hitp2p.store.memory import MemoryStore
from hitp2p.store.schema import INDEX_TABLES
from hitp2p.store.sqlite import DATABASE, SqliteStore
from hitp2p.store.waiting import MOST_WAITING
from hitp2p.testing.people import Person
from hitp2p.testing.store_suite import answers

ANA, BO = Person("Ana"), Person("Bo")
PROJECT = ANA.project()


def make_works() -> list[SignedObject]:
    """A trail with a fork and a merge, talk about it, and an unknown kind; each after what it requires."""
    verse = ANA.work(PROJECT, "Verse of the bus")
    beat = BO.work(PROJECT, "Beat", tags=["夜行バス"])
    song = BO.work(PROJECT, "Song", verse, beat)
    dance = BO.sign("x-dance", {"title": "A dance"}, project=PROJECT.cid, parents=[beat.cid])
    last = ANA.work(PROJECT, "Last bus", song)
    return [verse, beat, song, dance, last, BO.comment(verse, "Night bus!"), ANA.comment(last, "x")]


WORKS = make_works()
FIRST = [ANA.genesis, BO.genesis, PROJECT]
EVERYTHING = [*FIRST, *WORKS]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(folder: Path) -> Iterator[SqliteStore]:
    with SqliteStore.open(folder) as store:
        store.put(WriteBatch(objects=FIRST))
        yield store


def put_each(store: SqliteStore, objects: list[SignedObject]) -> None:
    for obj in objects:
        store.put(WriteBatch(objects=[obj]))


def count_waiting(folder: Path) -> int:
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        query = "SELECT count(*) FROM object WHERE id > (SELECT id FROM folded)"
        return int(db.execute(query).fetchone()[0])


def dump(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        return {table: list(dump_table(db, table, fts5=True)) for table in (*INDEX_TABLES, "words")}


def in_memory(objects: list[SignedObject]) -> MemoryStore:
    store = MemoryStore()
    store.put(WriteBatch(objects=objects))
    return store


@pytest.mark.parametrize("n_works", range(len(WORKS) + 1))
def test_every_answer_is_as_if_nothing_waited(
    store: SqliteStore, folder: Path, n_works: int
) -> None:
    put_each(store, WORKS[:n_works])
    assert count_waiting(folder) == n_works
    expected = answers(in_memory([*FIRST, *WORKS[:n_works]]), EVERYTHING)
    assert answers(store, EVERYTHING) == expected
    assert store.audit_index() == ()
    with SqliteStore.open(folder) as other:
        assert answers(other, EVERYTHING) == expected
    assert count_waiting(folder) == n_works  # nobody writes in order to read


def test_half_of_it_may_wait(store: SqliteStore, folder: Path) -> None:
    store.put(WriteBatch(objects=WORKS[:3]))
    put_each(store, WORKS[3:])
    assert count_waiting(folder) == len(WORKS) - 3
    assert answers(store, EVERYTHING) == answers(in_memory(EVERYTHING), EVERYTHING)


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_search_gives_the_newest_first_and_no_more_than_asked_for(
    store: SqliteStore, limit: int
) -> None:
    store.put(WriteBatch(objects=WORKS[:4]))
    put_each(store, WORKS[4:])
    wanted = (WORKS[5].cid, WORKS[4].cid, WORKS[0].cid)
    assert store.search("bus", project=None, limit=limit) == wanted[:limit]
    assert store.search("bus", project=ANA.genesis.cid, limit=limit) == ()


def test_closing_leaves_nothing_waiting_and_the_tables_as_made_anew(
    store: SqliteStore, folder: Path
) -> None:
    put_each(store, WORKS)
    store.close()
    assert count_waiting(folder) == 0
    before = dump(folder)
    with SqliteStore.open(folder) as again:
        again.rebuild_index()
    assert dump(folder) == before


def test_closing_does_not_wait_for_another_writer(store: SqliteStore, folder: Path) -> None:
    put_each(store, WORKS)
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        store.close()
        writer.execute("ROLLBACK")
    assert count_waiting(folder) == len(WORKS)
    with SqliteStore.open(folder) as again:
        assert answers(again, EVERYTHING) == answers(in_memory(EVERYTHING), EVERYTHING)


def test_who_puts_once_leaves_nothing_waiting(store: SqliteStore, folder: Path) -> None:
    with SqliteStore.open(folder) as other:
        other.put(WriteBatch(objects=[WORKS[0]]))
        assert count_waiting(folder) == 0


def test_many_are_folded_at_once(store: SqliteStore, folder: Path) -> None:
    works = [ANA.work(PROJECT, f"Work {n}") for n in range(MOST_WAITING + 2)]
    put_each(store, works[:MOST_WAITING])
    assert count_waiting(folder) == MOST_WAITING
    put_each(store, works[MOST_WAITING:])
    assert count_waiting(folder) == 2
    assert set(store.heads(PROJECT.cid)) == {work.cid for work in works}
    assert store.audit_index() == ()


def test_what_is_remembered_stays_small(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "_MOST", 5)
    last = PROJECT
    for number in range(40):
        new = (ANA, BO)[number % 2].work(PROJECT, f"Work {number}", last)
        store.put(WriteBatch(objects=[new]))
        store.events(ANA.genesis.cid), store.events(new.cid)
        last = new
        assert len(store._connections.remembered.nodes) <= 5 + 5
    assert store.count_ancestors([last.cid]) == 41
    assert store.audit_index() == ()


def test_an_object_with_blocks_does_not_wait(store: SqliteStore, folder: Path) -> None:
    put_each(store, WORKS[:2])
    file = Cid.of(RAW, b"x")
    entry = {"file": file, "size": 1, "sha256": bytes(32), "type": "a/b", "role": "master"}
    work = ANA.work(PROJECT, "With a file", media=[entry])
    store.put(WriteBatch(objects=[work]))
    assert count_waiting(folder) == 0
    assert store.with_media(bytes(32)) == (work.cid,)
    assert store.audit_index() == ()


def test_what_waits_can_be_removed(store: SqliteStore) -> None:
    put_each(store, WORKS)
    store.remove([WORKS[4].cid, WORKS[6].cid])
    left = [obj for obj in EVERYTHING if obj not in (WORKS[4], WORKS[6])]
    assert answers(store, EVERYTHING) == answers(in_memory(left), EVERYTHING)
    assert store.audit_index() == ()


def test_a_batch_that_fails_leaves_nothing_waiting(store: SqliteStore, folder: Path) -> None:
    put_each(store, WORKS[:1])
    with pytest.raises(ZeroDivisionError), store.exclusive():
        put_each(store, WORKS[1:])
        raise ZeroDivisionError
    assert answers(store, EVERYTHING) == answers(in_memory([*FIRST, WORKS[0]]), EVERYTHING)
    put_each(store, WORKS[1:])
    assert answers(store, EVERYTHING) == answers(in_memory(EVERYTHING), EVERYTHING)


def test_two_programs_in_turn_see_what_the_other_did(store: SqliteStore, folder: Path) -> None:
    with SqliteStore.open(folder) as other:
        for number, obj in enumerate(WORKS):
            put_each((store, other)[number % 2], [obj])
            expected = answers(in_memory([*FIRST, *WORKS[: number + 1]]), EVERYTHING)
            assert answers(store, EVERYTHING) == answers(other, EVERYTHING) == expected


def test_what_another_program_has_removed_is_not_remembered(
    store: SqliteStore, folder: Path
) -> None:
    put_each(store, WORKS[:2])
    with SqliteStore.open(folder) as other:
        other.remove([WORKS[0].cid])
    with pytest.raises(MissingBlocksError):
        put_each(store, [WORKS[2]])
    assert store.row(WORKS[2].cid) is None


def test_events_that_another_program_has_added_are_known(store: SqliteStore, folder: Path) -> None:
    assert store.events(ANA.genesis.cid) == (ANA.genesis.cid,)
    rotated = ANA.rotated()
    with SqliteStore.open(folder) as other:
        other.put(WriteBatch(objects=[rotated]))
    assert store.events(ANA.genesis.cid) == (ANA.genesis.cid, rotated.cid)


def test_a_glance_sees_what_waits(store: SqliteStore, folder: Path) -> None:
    put_each(store, WORKS)
    glance = Glance(folder)
    for obj in EVERYTHING:
        assert glance.children(obj.cid) == store.children(obj.cid)
        assert glance.referrers(obj.cid) == store.referrers(obj.cid)
    glance.close()


def test_a_copy_holds_what_waits(store: SqliteStore, tmp_path: Path) -> None:
    put_each(store, WORKS)
    store.backup(tmp_path / "copy")
    with SqliteStore.open(tmp_path / "copy") as copy:
        assert answers(copy, EVERYTHING) == answers(store, EVERYTHING)
        assert audit_store(copy).is_sound


KILLED = """
import os, sys
from pathlib import Path
from hitp2p.objects.envelope import parse_object
from hitp2p.store.contract import WriteBatch
from hitp2p.store.sqlite import SqliteStore
store = SqliteStore.open(Path(sys.argv[1]))
for text in sys.argv[2:]:
    store.put(WriteBatch(objects=[parse_object(bytes.fromhex(text))]))
os._exit(9)
"""


def test_what_waited_when_a_program_was_killed_is_there(store: SqliteStore, folder: Path) -> None:
    blocks = [obj.block.hex() for obj in WORKS]
    done = subprocess.run([sys.executable, "-c", KILLED, folder, *blocks], env=dict(os.environ))
    assert done.returncode == 9
    assert count_waiting(folder) == len(WORKS) - 1  # the first put found nothing remembered
    assert answers(store, EVERYTHING) == answers(in_memory(EVERYTHING), EVERYTHING)
    assert audit_store(store).is_sound


def test_what_waits_and_was_damaged_is_said_and_left_out(store: SqliteStore, folder: Path) -> None:
    put_each(store, WORKS[:2])
    with closing(sqlite3.connect(folder / DATABASE)) as db, db:
        db.execute("UPDATE block SET data = x'00' WHERE cid = ?", (bytes(WORKS[1].cid),))
    assert WORKS[0].cid in store.heads(PROJECT.cid)
    put_each(store, [ANA.work(PROJECT, "One more")])
    assert not audit_store(store).is_sound
    assert store.rebuild_index() == (WORKS[1].cid,)
    store.put(WriteBatch(objects=[WORKS[1]]))
    assert WORKS[1].cid in store.heads(PROJECT.cid)
    assert audit_store(store).is_sound
