"""A glance answers as the store does, from whatever the disk gives it, and beside whoever writes."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.errors import CorruptBlockError, StoreError
from hitp2p.store import schema
from hitp2p.store.contract import WriteBatch
from hitp2p.store.glance import Glance
from hitp2p.store.sqlite import SqliteStore
from hitp2p.testing.people import Person
from hitp2p.testing.store_suite import Story

ABSENT = Cid.of(DAG_CBOR, b"absent")


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def folder(tmp_path: Path, story: Story) -> Path:
    with SqliteStore.open(tmp_path / "store") as store:
        store.put(story.batch)
    return tmp_path / "store"


@pytest.fixture
def glance(folder: Path) -> Iterator[Glance]:
    glance = Glance(folder)
    yield glance
    glance.close()


def change(folder: Path, sql: str, *values: object) -> None:
    """Do to the database what no program of ours would."""
    db = sqlite3.connect(folder / "store.db")
    db.execute(sql, values)
    db.commit()
    db.close()


def ask_all(glance: Glance, story: Story) -> None:
    """Every question once."""
    glance.projects(9)
    glance.match_prefix("", 99)
    for obj in story.objects:
        glance.lookup(obj.cid)
        glance.children(obj.cid)
        glance.referrers(obj.cid)
        glance.generation(obj.cid)
        glance.count_events(obj.cid)


# --- the same answers -------------------------------------------------------------------------------
def test_an_object_has_the_fields_that_were_signed(glance: Glance, story: Story) -> None:
    names = ("cid", "block", "kind", "time", "signer", "author", "event", "project", "parents")
    for obj in story.objects:
        found = glance.lookup(obj.cid)
        assert found is not None
        assert [getattr(found, name) for name in names] == [getattr(obj, name) for name in names]
        assert found.body == obj.body


def test_what_is_no_object_here_is_not_found(glance: Glance, story: Story) -> None:
    for cid in (ABSENT, story.page[0], story.sound[0]):
        assert glance.lookup(cid) is None
        assert glance.children(cid) == glance.referrers(cid) == ()
        assert glance.generation(cid) == glance.count_events(cid) == 0


def test_the_questions_have_the_answers_of_the_store(folder: Path, story: Story) -> None:
    with SqliteStore.open(folder) as store:
        glance = Glance(folder)
        for obj in story.objects:
            row = store.row(obj.cid)
            assert row is not None
            assert glance.generation(obj.cid) == row.generation
            assert glance.children(obj.cid) == store.children(obj.cid)
            assert glance.referrers(obj.cid) == store.referrers(obj.cid)
            assert glance.count_events(obj.cid) == len(store.events(obj.cid))
        assert glance.count_events(story.ana.genesis.cid) == 1
        rows = sorted(store.rows(kind="project"), key=lambda row: -row.seq)
        assert glance.projects(9) == tuple(row.cid for row in rows)
        assert glance.projects(1) == (rows[0].cid,)
        for text in ("", *(str(obj.cid)[:n] for obj in story.objects for n in range(60))):
            for limit in (1, 99):
                assert glance.match_prefix(text, limit) == store.match_prefix(text, limit), text
        glance.close()


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(max_size=70), st.text("abcdefghijklmnopqrstuvwxyz234567", max_size=70)))
def test_any_text_is_the_beginning_of_a_name_or_has_no_answer(glance: Glance, text: str) -> None:
    """A shell asks with whatever has been typed."""
    for start in (text, "bafyrei" + text):
        for cid in glance.match_prefix(start, 9):
            assert str(cid).startswith(start) or str(cid)[7:].startswith(start)


def test_closing_twice_is_harmless(folder: Path) -> None:
    glance = Glance(folder)
    glance.close()
    glance.close()


def test_it_imports_neither_keys_nor_objects() -> None:
    """Else it would take as long to start as the store."""
    program = "import sys, hitp2p.store.glance; print(*sorted(sys.modules))"
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout
    modules = said.decode().split()
    assert "hitp2p.store.glance" in modules
    heavy = ("cryptography", "hitp2p.objects", "hitp2p.keys", "hitp2p.store.sqlite")
    assert [name for name in modules if name.startswith(heavy)] == []


# --- what is there instead of a store ----------------------------------------------------------------
def test_where_there_is_no_store_none_is_made(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(StoreError, match="there is no store"):
            Glance(folder)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"hello, world" * 1000, b"SQLite format 3\0" + bytes(84)])
def test_another_file_in_its_place_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "store.db").write_bytes(content)
    with pytest.raises(StoreError):
        Glance(tmp_path)


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store.db").mkdir()
    with pytest.raises(StoreError):
        Glance(tmp_path)


def test_a_store_of_a_newer_program_is_refused(folder: Path) -> None:
    change(folder, f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
    with pytest.raises(StoreError, match="update hitp2p"):
        Glance(folder)


def test_a_store_of_an_older_program_is_brought_up_to_date(
    folder: Path, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    def add_column(db: sqlite3.Connection) -> None:
        db.execute("ALTER TABLE file ADD COLUMN note TEXT")

    older = schema.SCHEMA_VERSION
    monkeypatch.setattr(schema, "SCHEMA_VERSION", older + 1)
    monkeypatch.setitem(schema.MIGRATIONS, older, add_column)  # type: ignore[arg-type]
    glance = Glance(folder)
    ask_all(glance, story)
    found = glance.lookup(story.song.cid)
    assert found is not None
    assert found.body == story.song.body
    glance.close()
    db = sqlite3.connect(folder / "store.db")
    assert db.execute("PRAGMA user_version").fetchone() == (older + 1,)
    db.close()


# --- damage ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("table", ["block", "object", "edge", "ref"])
def test_a_table_that_is_missing_is_an_error_of_the_store(
    folder: Path, story: Story, table: str
) -> None:
    change(folder, f"DROP TABLE {table}")
    glance = Glance(folder)
    with pytest.raises(StoreError):
        ask_all(glance, story)
    glance.close()


@pytest.mark.parametrize("data", [b"", b"other bytes", "text", 7, None])
def test_bytes_that_have_changed_are_never_shown(folder: Path, story: Story, data: object) -> None:
    cid = story.song.cid
    if data is None:
        change(folder, "CREATE TABLE b AS SELECT * FROM block")
        change(folder, "DROP TABLE block")
        change(folder, "ALTER TABLE b RENAME TO block")
    change(folder, "UPDATE block SET data = ? WHERE cid = ?", data, bytes(cid))
    glance = Glance(folder)
    with pytest.raises(CorruptBlockError) as caught:
        glance.lookup(cid)
    assert caught.value.cid == cid
    glance.close()


def test_a_block_that_is_marked_as_an_object_and_is_none_is_damage(
    folder: Path, story: Story
) -> None:
    change(folder, "UPDATE block SET verified = 1")
    glance = Glance(folder)
    for cid in (story.page[0], story.sound[0]):
        with pytest.raises(StoreError, match="fsck"):
            glance.lookup(cid)
    assert glance.lookup(story.song.cid) is not None
    glance.close()


DAMAGE: dict[str, Callable[[Glance, Story], object]] = {
    "UPDATE object SET cid = x'00'": lambda glance, story: glance.children(story.beat.cid),
    "UPDATE object SET cid = 'text'": lambda glance, story: glance.projects(9),
    "UPDATE object SET cid = 5": lambda glance, story: glance.referrers(story.song.cid),
    "UPDATE object SET generation = 'many'": lambda glance, story: glance.generation(
        story.song.cid
    ),
}


@pytest.mark.parametrize("sql", DAMAGE)
def test_a_damaged_index_is_an_error_of_the_store(folder: Path, story: Story, sql: str) -> None:
    """Not of foreign bytes, and no crash."""
    change(folder, sql)
    glance = Glance(folder)
    with pytest.raises(StoreError, match="fsck"):
        DAMAGE[sql](glance, story)
    glance.close()


def test_flipped_bits_give_right_bytes_or_an_error_of_the_store(folder: Path, story: Story) -> None:
    chance = random.Random(7)
    whole = (folder / "store.db").read_bytes()
    right = {obj.cid: obj.block for obj in story.objects}
    n_errors = 0
    for _ in range(200):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 8, 200))):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        (folder / "store.db").write_bytes(data)
        try:
            glance = Glance(folder)
        except StoreError:
            n_errors += 1
            continue
        for cid, block in right.items():
            try:
                found = glance.lookup(cid)
            except StoreError:
                n_errors += 1
            else:
                assert found is None or found.block == block
        try:
            ask_all(glance, story)
        except StoreError:
            n_errors += 1
        glance.close()
    assert n_errors > 0


# --- beside those who write ---------------------------------------------------------------------------
WRITER = """
import sys
from pathlib import Path
from hitp2p.store.contract import WriteBatch
from hitp2p.store.sqlite import SqliteStore
from hitp2p.testing.people import Person
me = Person(sys.argv[2])
project = me.project(f"Of {sys.argv[2]}")
with SqliteStore.open(Path(sys.argv[1])) as store:
    store.put(WriteBatch(objects=[me.genesis, project]))
    last = project
    for n in range(40):
        last = me.work(project, f"Work {n}", *([] if last is project else [last]))
        store.put(WriteBatch(objects=[last]))
"""


def test_two_processes_write_while_it_looks(folder: Path, story: Story) -> None:
    """What it sees is whole: a child is found only with its bytes."""
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(folder), name]) for name in ("Di", "Ed")
    ]
    glance = Glance(folder)
    projects = [Person(name).project(f"Of {name}").cid for name in ("Di", "Ed")]
    seen = [0, 0]
    while any(writer.poll() is None for writer in writers):
        for place, project in enumerate(projects):
            found = glance.match_prefix("", 999)
            assert all(glance.lookup(cid) is not None for cid in found)
            n_children = len(glance.children(project))
            assert n_children >= seen[place]
            seen[place] = n_children
    assert [writer.returncode for writer in writers] == [0, 0]
    assert all(len(glance.children(project)) == 1 for project in projects)
    assert len(glance.match_prefix("", 999)) == len(story.objects) + 2 * 42
    glance.close()


def test_a_writer_in_the_middle_of_a_transaction_does_not_hold_it_up(
    folder: Path, story: Story
) -> None:
    with SqliteStore.open(folder) as store, store.exclusive():
        after = story.ana.work(story.project, "After")
        store.put(WriteBatch(objects=[after]))
        glance = Glance(folder)
        assert glance.lookup(after.cid) is None
        assert glance.lookup(story.song.cid) is not None
    assert glance.lookup(after.cid) is not None
    glance.close()
