"""Bundles: written in one order, checked whole, refused for any fault."""

from __future__ import annotations

import io
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hitp2p
from hitp2p.codec.car import CarReader, CarWriter
from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.errors import InvalidError, UsageError
from hitp2p.transfer import read_bundle

Blocks = list[tuple[Cid, bytes]]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("bundle")
    (folder / "verse.txt").write_text("the night bus\n")
    chance = random.Random(1).randbytes  # another cut of the snapshot would be another file
    ana, bo = (
        hitp2p.Identity.create(name, clock=lambda: 0, randomness=chance) for name in ("Ana", "Bo")
    )
    with hitp2p.open(":memory:", clock=lambda: 0, randomness=chance) as ws:
        p = ws.create_project("P", license="CC-BY-4.0", by=ana)
        verse = ws.contribute(p, folder / "verse.txt", title="Verse", note="n" * 2000, by=ana)
        song = ws.remix([verse], folder / "verse.txt", title="Song", by=bo)
        ws.export(song, folder / "song.car", media="all")
    return (folder / "song.car").read_bytes()


def _open(data: bytes) -> tuple[tuple[Cid, ...], Blocks]:
    reader = CarReader(io.BytesIO(data))
    return reader.roots, [(block.cid, block.data) for block in reader]


def _n_members(blocks: Blocks) -> int:
    """Snapshot pages and objects; texts and media are raw here."""
    return sum(cid.codec == DAG_CBOR for cid, _ in blocks)


def _close(roots: tuple[Cid, ...], blocks: Blocks) -> bytes:
    sink = io.BytesIO()
    writer = CarWriter(sink, roots)
    for cid, data in blocks:
        writer.write(cid, data)
    return sink.getvalue()


def _refused(data: bytes, path: Path) -> str:
    path.write_bytes(data)
    with pytest.raises(InvalidError) as caught:
        read_bundle(path)
    return caught.value.rule


def test_bnd_3_equal_sets_give_equal_bytes(bundle: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.car").write_bytes(bundle)
    with hitp2p.open(tmp_path / "ws") as ws:
        carried = ws.import_(tmp_path / "a.car")
        assert carried.n_new == carried.n_objects == 5
        ws.export(carried.cid, tmp_path / "b.car", media="all")
        assert ws.import_(tmp_path / "b.car").n_new == 0
    assert (tmp_path / "b.car").read_bytes() == bundle


def test_any_flipped_byte_is_noticed(bundle: bytes, tmp_path: Path) -> None:
    for position in range(0, len(bundle), 7):
        damaged = bytearray(bundle)
        damaged[position] ^= 1 + position % 255
        _refused(bytes(damaged), tmp_path / "bad.car")


def test_a_bundle_cut_anywhere_in_its_objects_is_refused(bundle: bytes, tmp_path: Path) -> None:
    for length in range(0, len(bundle) - 2200, 11):
        _refused(bundle[:length], tmp_path / "cut.car")


def test_bnd_2_a_dropped_member_is_noticed(bundle: bytes, tmp_path: Path) -> None:
    roots, blocks = _open(bundle)
    for number in range(_n_members(blocks)):
        rule = _refused(_close(roots, blocks[:number] + blocks[number + 1 :]), tmp_path / "x.car")
        assert rule in ("BND-2", "BND-3", "SNP-1", "BND-4")


def test_bnd_2_a_block_that_nothing_reaches_is_refused(bundle: bytes, tmp_path: Path) -> None:
    roots, blocks = _open(bundle)
    stranger = b"buy this"
    extra = [*blocks, (Cid.of(0x55, stranger), stranger)]
    assert _refused(_close(roots, extra), tmp_path / "x.car") == "BND-2"


def test_bnd_3_blocks_in_another_order_are_refused(bundle: bytes, tmp_path: Path) -> None:
    roots, blocks = _open(bundle)
    for number in range(len(blocks) - 1):
        swapped = blocks[:]
        swapped[number], swapped[number + 1] = swapped[number + 1], swapped[number]
        assert _refused(_close(roots, swapped), tmp_path / "x.car") in ("BND-2", "BND-3")


@pytest.mark.parametrize(
    "change",
    [lambda roots: roots[:1], lambda roots: (*roots, roots[0])],
    ids=["one root", "three roots"],
)
def test_bnd_1_a_bundle_has_two_roots(
    bundle: bytes,
    tmp_path: Path,
    change: Callable[[tuple[Cid, ...]], tuple[Cid, ...]],
) -> None:
    roots, blocks = _open(bundle)
    assert _refused(_close(change(roots), blocks), tmp_path / "x.car") == "BND-1"


def test_bnd_1_the_work_is_in_the_snapshot(bundle: bytes, tmp_path: Path) -> None:
    roots, blocks = _open(bundle)
    other = Cid.of(0x71, b"\xa0")
    assert _refused(_close((other, roots[1]), blocks), tmp_path / "x.car") == "BND-1"


def test_media_may_be_missing(bundle: bytes, tmp_path: Path) -> None:
    roots, blocks = _open(bundle)
    (tmp_path / "x.car").write_bytes(_close(roots, blocks[: _n_members(blocks)]))
    contents, n_blocks = read_bundle(tmp_path / "x.car")
    assert n_blocks == _n_members(blocks)
    assert len(contents.objects) == 5


def test_a_refused_bundle_leaves_no_trace(bundle: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.car").write_bytes(bundle[:-1])
    with hitp2p.open(tmp_path / "ws") as ws:
        with pytest.raises(InvalidError):
            ws.import_(tmp_path / "x.car")
        assert ws.store.last_seq() == 0
        assert not list(ws.store.iter_cids())


def test_an_import_holds_few_media_at_once(tmp_path: Path) -> None:
    with (tmp_path / "big.bin").open("wb") as file:
        for number in range(48):
            file.write(bytes([number]) * 1024 * 1024)
    with hitp2p.open(tmp_path / "one") as ws:
        p = ws.create_project("P", by=(ana := hitp2p.Identity.create("Ana")))
        big = ws.contribute(p, tmp_path / "big.bin", title="Big", by=ana)
        ws.export(big, tmp_path / "big.car", media="work")
    with hitp2p.open(tmp_path / "two") as ws:
        tracemalloc.start()
        ws.import_(tmp_path / "big.car")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert b"".join(ws.cat(big)) == (tmp_path / "big.bin").read_bytes()
    assert peak < 24_000_000


def test_a_bundle_that_changes_while_it_is_read_leaves_no_trace(
    bundle: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.car"
    path.write_bytes(bundle)
    roots, blocks = _open(bundle)

    def read_then_change(*args: Any, **named: Any) -> Any:
        found = read_bundle(*args, **named)
        path.write_bytes(_close(roots, blocks[:-1]))
        return found

    monkeypatch.setattr("hitp2p.transfer.read_bundle", read_then_change)
    with hitp2p.open(tmp_path / "ws") as ws:
        with pytest.raises(UsageError, match="changed"):
            ws.import_(path)
        assert not list(ws.store.iter_cids())
