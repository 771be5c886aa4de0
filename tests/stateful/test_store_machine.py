"""Any history of two stores: memory and SQLite answer alike, before and after reopening and making the index anew."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hitp2p.codec.cid import Cid
from hitp2p.errors import MissingBlocksError, UsageError
from hitp2p.objects.envelope import SignedObject
from hitp2p.store.contract import Store, WriteBatch
from hitp2p.store.gc import collect
from hitp2p.store.memory import MemoryStore
from hitp2p.store.sqlite import SqliteStore
from hitp2p.testing.people import Person
from hitp2p.testing.store_suite import answers, page, raw_block

PEOPLE = [Person("Ana"), Person("Bo")]
PAGES = [page([{"name": f"Person {n}", "role": "lyr"}]) for n in range(2)]
TEXTS = [raw_block(b"text %d" % n) for n in range(2)]


def make_universe() -> list[SignedObject]:
    """Objects of most shapes, each after what it requires; what is drawn are numbers in this list."""
    ana, bo = PEOPLE
    project, other = ana.project(), bo.project("Day Tram")
    verse = ana.work(project, "Verse", note_block=TEXTS[0][0])
    beat = bo.work(project, "Beat", tags=["夜行バス"])
    song = bo.work(project, "Song of the bus", verse, beat, credits_pages=[PAGES[0][0]])
    again = ana.work(project, "Beat again", beat, credits_pages=[p[0] for p in PAGES])
    last = ana.work(project, "Last", song, again)
    unknown = bo.sign("x-dance", {"title": "A dance"}, project=project.cid, parents=[beat.cid])
    over = bo.work(project, "After the dance", unknown)
    return [
        ana.genesis,
        bo.genesis,
        ana.rotated(),
        project,
        other,
        verse,
        beat,
        song,
        again,
        last,
        unknown,
        over,
        bo.work(other, "Elsewhere", note_block=TEXTS[1][0]),
        bo.comment(verse, "Night bus!"),
        ana.comment(last, "Done"),
    ]


UNIVERSE = make_universe()
BLOCKS = [*PAGES, *TEXTS, (UNIVERSE[7].cid, UNIVERSE[7].block)]
some_objects = st.lists(st.sampled_from(UNIVERSE), max_size=len(UNIVERSE))
some_blocks = st.lists(st.sampled_from(BLOCKS), max_size=3)
some_cids = st.lists(
    st.sampled_from([obj.cid for obj in UNIVERSE] + [cid for cid, _ in BLOCKS]), max_size=6
)


class TwoStores(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.memory = MemoryStore()
        self.sqlite = SqliteStore.open(self.folder / "store")

    def both(self, do: Any) -> Any:
        """Do something to both stores; their answer, which must be one."""
        results = [self.outcome(do, store) for store in (self.memory, self.sqlite)]
        assert results[0] == results[1]
        return results[0]

    @staticmethod
    def outcome(do: Any, store: Store) -> Any:
        try:
            return do(store)
        except (MissingBlocksError, UsageError) as error:
            return type(error), getattr(error, "cids", None)

    @rule(objects=some_objects, blocks=some_blocks, durable=st.booleans())
    def put(
        self, objects: list[SignedObject], blocks: list[tuple[Cid, bytes]], durable: bool
    ) -> None:
        batch = WriteBatch(objects=objects, blocks=blocks)
        self.both(lambda store: len(store.put(batch, durable=durable)))

    @rule(number=st.integers(0, len(UNIVERSE) - 1))
    def put_with_all_it_requires(self, number: int) -> None:
        self.both(lambda store: len(store.put(WriteBatch(objects=UNIVERSE[: number + 1]))))

    @rule(cids=some_cids)
    def remove(self, cids: list[Cid]) -> None:
        self.both(lambda store: store.remove(cids))

    @rule()
    def remove_everything(self) -> None:
        self.both(lambda store: store.remove(list(store.iter_cids())))

    @rule()
    def collect(self) -> None:
        self.both(lambda store: collect(store).blocks)

    @rule()
    def rebuild_index(self) -> None:
        assert self.both(lambda store: store.rebuild_index()) == ()

    @rule(objects=some_objects, cids=some_cids)
    def fail_inside_a_transaction(self, objects: list[SignedObject], cids: list[Cid]) -> None:
        def fail(store: Store) -> Any:
            try:
                with store.exclusive():
                    TwoStores.outcome(lambda s: s.put(WriteBatch(objects=objects)), store)
                    TwoStores.outcome(lambda s: s.remove(cids), store)
                    raise ZeroDivisionError
            except ZeroDivisionError:
                return None

        self.both(fail)

    @rule()
    def reopen(self) -> None:
        self.sqlite.close()
        self.sqlite = SqliteStore.open(self.folder / "store")

    @rule()
    def another_program_looks(self) -> None:
        """While this one has it open, and with objects that wait to be written into all tables."""
        with SqliteStore.open(self.folder / "store") as other:
            assert answers(self.memory, UNIVERSE) == answers(other, UNIVERSE)
            assert other.audit_index() == ()

    @rule(number=st.integers(0, len(UNIVERSE) - 1))
    def put_one(self, number: int) -> None:
        batch = WriteBatch(objects=[UNIVERSE[number]])
        self.both(lambda store: len(store.put(batch)))

    @rule(cids=some_cids)
    def another_program_removes(self, cids: list[Cid]) -> None:
        def remove(store: Store) -> None:
            if store is self.sqlite:
                with SqliteStore.open(self.folder / "store") as other:
                    other.remove(cids)
            else:
                store.remove(cids)

        self.both(remove)

    @invariant()
    def answers_are_alike(self) -> None:
        assert answers(self.memory, UNIVERSE) == answers(self.sqlite, UNIVERSE)
        assert self.sqlite.audit_index() == ()

    def teardown(self) -> None:
        self.sqlite.close()
        shutil.rmtree(self.folder)


TestTwoStores = TwoStores.TestCase
TestTwoStores.settings = settings(max_examples=25, stateful_step_count=12)
