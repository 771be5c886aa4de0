"""Files that leave and enter a workspace."""

from __future__ import annotations

import os
import stat
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from spec_vectors import Vector, by_id, load
from trail_maker import Person, World, bundle_blocks, make_page, raw_block

import hitp2p
from hitp2p.codec.car import CarWriter
from hitp2p.codec.cid import Cid
from hitp2p.errors import InvalidError, RuleError, StoreError
from hitp2p.store.contract import WriteBatch
from hitp2p.store.memory import MemoryStore
from hitp2p.transfer import read_bundle

ANA = Person("Ana")
PROJECT = ANA.project()

CARRIED = [
    v for v in load("bundle.json", "bundle") if v.rule in ("OBJ-23", "MED-8", "BND-5", "BND-6")
]


STORES = ("memory", "kubo")


@pytest.fixture
def opened(tmp_path: Path, works_on: str | None) -> Iterator[Callable[[], hitp2p.Workspace]]:
    """Opens a new workspace, outside of the test's own folder."""
    made: list[hitp2p.Workspace] = []

    def open_new() -> hitp2p.Workspace:
        place = ":memory:" if works_on is None else f"{tmp_path}-{len(made)}"
        made.append(hitp2p.open(place, store=works_on))
        return made[-1]

    yield open_new
    for ws in made:
        ws.close()


@pytest.fixture
def work(
    opened: Callable[[], hitp2p.Workspace],
) -> tuple[hitp2p.Workspace, hitp2p.SignedObject]:
    ws, ana = opened(), hitp2p.Identity.create("Ana")
    return ws, ws.contribute(ws.create_project("P", by=ana), title="W", by=ana)


@pytest.mark.skipif(os.name != "posix", reason="there is no umask")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_a_bundle_is_as_readable_as_the_umask_says(
    work: tuple[hitp2p.Workspace, hitp2p.SignedObject], tmp_path: Path, mask: int, mode: int
) -> None:
    before = os.umask(mask)
    try:
        work[0].export(work[1], tmp_path / "w.car")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "w.car").stat().st_mode) == mode


def test_a_bundle_that_can_not_be_written_leaves_nothing(
    work: tuple[hitp2p.Workspace, hitp2p.SignedObject], tmp_path: Path
) -> None:
    with pytest.raises(StoreError):
        work[0].export(work[1], tmp_path / "nowhere" / "w.car")
    assert not list(tmp_path.iterdir())


class _Counted(dict[Any, Any]):
    """Counts what is looked at."""

    n_reads = 0

    def __getitem__(self, key: Any) -> Any:
        self.n_reads += 1
        return super().__getitem__(key)

    def values(self) -> Any:
        self.n_reads += len(self)
        return super().values()


def test_an_export_from_memory_looks_at_each_object_a_few_times_however_many_there_are(
    tmp_path: Path,
) -> None:
    """It asked of each object which others name it, by looking at all of them."""
    reads = {}
    for n_works in (30, 60, 120):
        works = [ANA.work(PROJECT, "Work 0")]
        for number in range(1, n_works):
            works.append(ANA.work(PROJECT, f"Work {number}", parents=works[-1:]))
        with hitp2p.open(":memory:") as ws:
            assert isinstance(ws.store, MemoryStore)
            ws.store.put(WriteBatch(objects=(ANA.genesis, PROJECT, *works)))
            counted = ws.store._objects = _Counted(ws.store._objects)  # pyright: ignore[reportPrivateUsage]
            ws.export(works[-1], tmp_path / f"{n_works}.car")
            reads[n_works] = counted.n_reads
    assert reads[120] - reads[60] <= 2 * (reads[60] - reads[30]) + 20
    assert reads[120] < 20 * 120


@pytest.mark.parametrize("vector", [v for v in CARRIED if v.expect == "invalid"], ids=by_id)
def test_bnd_6_a_wrong_page_or_text_refuses_the_whole_import(
    vector: Vector, tmp_path: Path, opened: Callable[[], hitp2p.Workspace]
) -> None:
    (tmp_path / "w.car").write_bytes(vector.data)
    with opened() as ws:
        with pytest.raises(InvalidError) as caught:
            ws.import_(tmp_path / "w.car")
        assert caught.value.rule in vector.allowed
        assert ws.store.last_seq() == 0
        assert not list(ws.store.iter_cids())


@pytest.mark.parametrize("vector", [v for v in CARRIED if v.expect == "valid"], ids=by_id)
def test_bnd_6_what_an_import_takes_it_gives_again(
    vector: Vector, tmp_path: Path, opened: Callable[[], hitp2p.Workspace]
) -> None:
    (tmp_path / "in.car").write_bytes(vector.data)
    with opened() as ws:
        carried = ws.import_(tmp_path / "in.car")
        ws.export(carried.cid, tmp_path / "out.car", media="all")
        first = set(ws.store.iter_cids())
    with opened() as ws:
        ws.import_(tmp_path / "out.car")
        assert set(ws.store.iter_cids()) <= first


def test_an_import_holds_few_list_pages_at_once(tmp_path: Path) -> None:
    ana = Person("Ana")
    project = ana.project()
    pages = [
        make_page({"name": "Uncle", "role": "aut", "x": bytes(250_000), "n": n}) for n in range(120)
    ]
    work = ana.work(project, "Work", credits_pages=[cid for cid, _ in pages])
    roots, blocks, _ = bundle_blocks(work, World(ana.genesis, project, work, blocks=pages))
    _write(tmp_path / "w.car", roots, blocks)
    with hitp2p.open(tmp_path / "ws") as ws:
        tracemalloc.start()
        ws.import_(tmp_path / "w.car")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert all(ws.store.get(cid) == block for cid, block in pages)
    assert peak < 20_000_000


def test_a_reader_does_not_hold_bad_pages_and_texts(tmp_path: Path) -> None:
    """Whether they matter is known only later, when it is known what links to them."""
    ana = Person("Ana")
    project = ana.project()
    pages = [make_page({"x": bytes(250_000), "n": n}) for n in range(60)]
    texts = dict(raw_block(b"\xff%d" % n + bytes(900_000)) for n in range(30))
    said = [ana.work(project, f"Work {n}", note_block=cid) for n, cid in enumerate(texts)]
    work = ana.work(project, "Work", parents=said, see=[cid for cid, _ in pages])
    world = World(ana.genesis, project, *said, work, blocks=[*pages, *texts.items()])
    roots, blocks, missing = bundle_blocks(work, world)
    assert set(missing) == set(texts)
    _write(tmp_path / "w.car", roots, blocks + [(cid, texts[cid]) for cid in missing])
    given: list[Cid] = []
    tracemalloc.start()
    with pytest.raises(RuleError) as caught:
        read_bundle(tmp_path / "w.car", on_block=lambda cid, _: given.append(cid))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.rule == "MED-8"
    assert set(given) == {*texts, *(cid for cid, _ in pages)}
    assert peak < 12_000_000


def _write(path: Path, roots: tuple[Cid, Cid], blocks: list[tuple[Cid, bytes]]) -> None:
    with path.open("wb") as file:
        writer = CarWriter(file, roots)
        for cid, block in blocks:
            writer.write(cid, block)
