"""A node takes up a trail, begins again, and lends it: beside verifying and storing the same objects."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.measure import Figure, Note
from benchmarks.samples import trail
from hitp2p.codec.cid import Cid
from hitp2p.node.keeper import Keeper
from hitp2p.node.ledger import Ledger
from hitp2p.objects.batch import verify_objects
from hitp2p.objects.envelope import SignedObject
from hitp2p.protocol.actions import Admit, Load
from hitp2p.store.contract import WriteBatch
from hitp2p.store.sqlite import SqliteStore
from hitp2p.trail.check import verify_in_trail

BATCH = 1000
ROUNDS = 5


def figures(*, smoke: bool) -> Iterator[Figure | Note]:
    """Admitting a trail in batches, and what a start costs."""
    objects = trail(200 if smoke else 10_000)
    topic = next(obj.cid for obj in objects if obj.kind == "project")
    blocks = [(obj.cid, obj.block) for obj in objects]
    yield Note(text=f"batches of {BATCH:,} on a disk, all synced; medians of {ROUNDS} runs in turn")
    rounds = [_round(topic, blocks) for _ in range(1 if smoke else ROUNDS)]
    admit, stored, members, wants, load = (median(each) for each in zip(*rounds, strict=True))
    n = len(blocks)
    yield Figure(
        name=f"admit {n:,} objects, against verifying and storing them",
        value=admit / n * 1e6,
        unit="us",
        floor=stored / n * 1e6,
        goal="<= 1.3 x",
    )
    yield Figure(name=f"name the {n:,} members at a start", value=members * 1e3, unit="ms")
    yield Figure(name="find what is wanted at a start", value=wants * 1e3, unit="ms")
    yield Figure(name="lend a member", value=load / n * 1e6, unit="us")


def _batches(blocks: list[tuple[Cid, bytes]]) -> Iterator[list[tuple[Cid, bytes]]]:
    for start in range(0, len(blocks), BATCH):
        yield blocks[start : start + BATCH]


def _round(topic: Cid, blocks: list[tuple[Cid, bytes]]) -> tuple[float, ...]:
    with TemporaryDirectory() as folder:
        at = Path(folder)
        with SqliteStore.open(at / "one") as store, Ledger(at) as ledger:
            admit = _admit(store, ledger, topic, blocks)
            again = Keeper(store, ledger=ledger)
            again.follow(topic)
            members = _time(lambda: list(again.members(topic)))
            wants = _time(lambda: again.wants(topic))
            load = _time(lambda: _lend(again, topic, blocks))
        with SqliteStore.open(at / "other") as store:
            stored = _time(lambda: _store(store, blocks))
    return admit, stored, members, wants, load


def _time(run: object) -> float:
    assert callable(run)
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _admit(
    store: SqliteStore, ledger: Ledger, topic: Cid, blocks: list[tuple[Cid, bytes]]
) -> float:
    keeper = Keeper(store, ledger=ledger)
    keeper.follow(topic)
    keeper.wants(topic)

    def run() -> None:
        for batch in _batches(blocks):
            action = Admit(token=0, topic=topic, objects=(), blocks=tuple(batch))
            assert len(keeper.admit(action).stored) == len(batch)

    return _time(run)


def _store(store: SqliteStore, blocks: list[tuple[Cid, bytes]]) -> None:
    known: dict[Cid, SignedObject] = {}
    for batch in _batches(blocks):
        good: list[SignedObject] = []
        for obj in verify_objects(batch):
            known[obj.cid] = verify_in_trail(obj, known.get)
            good.append(obj)
        store.put(WriteBatch(objects=good))


def _lend(keeper: Keeper, topic: Cid, blocks: list[tuple[Cid, bytes]]) -> None:
    for batch in _batches(blocks):
        cids = tuple(cid for cid, _ in batch)
        found = keeper.load(Load(token=0, topic=topic, scope=1, cids=cids, file=None, most=10**9))
        assert len(found) == len(cids)
