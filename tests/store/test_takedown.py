"""Taking media down: bytes go, what was signed stays, and nobody brings or gets them again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hitp2p.codec.cid import Cid
from hitp2p.codec.unixfs import iter_file, iter_file_cids
from hitp2p.errors import NotFoundError, UsageError
from hitp2p.node.keeper import Keeper
from hitp2p.node.takedown import RECEIPTS, Receipt, Takedowns, take_down
from hitp2p.objects.envelope import SignedObject
from hitp2p.protocol.actions import Admit, Load, Want
from hitp2p.store.contract import Store, WriteBatch
from hitp2p.store.fsck import audit_store
from hitp2p.store.media import add_media
from hitp2p.store.memory import MemoryStore
from hitp2p.store.sqlite import SqliteStore
from hitp2p.testing.people import Person
from hitp2p.testing.store_suite import media_entry, raw_block

ANA = Person("Ana")
PROJECT = ANA.project()
TOPIC = PROJECT.cid
MIB = 1024 * 1024


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        with MemoryStore() as memory:
            yield memory
    else:
        with SqliteStore.open(tmp_path / "store") as sqlite:
            yield sqlite


def put(store: Store, folder: Path, *contents: bytes) -> tuple[SignedObject, list[Cid]]:
    """A work with a file of each content, laid into the store as `contribute` does."""
    entries = []
    for number, content in enumerate(contents):
        path = folder / f"file {number}"
        path.write_bytes(content)
        with add_media(store, path) as added:
            store.put(WriteBatch(blocks=added.blocks, leaves=added.leaves))
            entry = media_entry(raw_block(content))
            entries.append({**entry, "file": added.built.root})
    work = ANA.work(PROJECT, f"{len(contents)} files", media=entries)
    store.put(WriteBatch(objects=[ANA.genesis, PROJECT, work]))
    return work, [entry["file"] for entry in entries]


def below(store: Store, file: Cid) -> set[Cid]:
    return set(iter_file_cids(file, store))


def test_the_bytes_go_and_what_was_signed_stays(store: Store, tmp_path: Path) -> None:
    work, (file,) = put(store, tmp_path, b"a" * MIB + b"b" * MIB + b"c")
    blocks = below(store, file)
    receipt = take_down(store, file, Takedowns(), reason="a notice", time=7)
    assert set(receipt.blocks) == blocks
    assert receipt.n_removed == len(blocks) == 4
    assert not any(map(store.has, blocks))
    assert store.row(work.cid) is not None
    if store.media_folder is not None:
        assert [p for p in store.media_folder.rglob("*") if p.is_file() and p.name != "lock"] == []
    assert audit_store(store).is_sound


def test_what_other_files_share_stays(store: Store, tmp_path: Path) -> None:
    common = b"a" * MIB
    _, (file, other) = put(store, tmp_path, common + b"b" * MIB, b"d" * MIB + common)
    receipt = take_down(store, file, Takedowns(), reason="", time=7)
    assert receipt.shared == (raw_block(common)[0],)
    assert b"".join(iter_file(other, store)) == b"d" * MIB + common
    assert not store.has(raw_block(b"b" * MIB)[0])
    assert audit_store(store).is_sound


def test_all_files_of_a_work_are_taken_down_by_its_name(store: Store, tmp_path: Path) -> None:
    work, files = put(store, tmp_path, b"one" * 40_000, b"two")
    receipt = take_down(store, work.cid, Takedowns(), reason="", time=7)
    assert set(receipt.blocks) == set(files)
    assert not any(map(store.has, files))


def test_what_was_signed_cant_be_taken_down(store: Store) -> None:
    store.put(WriteBatch(objects=[ANA.genesis, PROJECT]))
    with pytest.raises(UsageError, match="what was signed stays"):
        take_down(store, PROJECT.cid, Takedowns(), reason="", time=7)


def test_files_elsewhere_are_named_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    path.write_bytes(b"s" * 200_000)
    with SqliteStore.open(tmp_path / "store") as store:
        with add_media(store, path, mode="reference") as added:
            store.put(WriteBatch(blocks=added.blocks, leaves=added.leaves))
        receipt = take_down(store, added.built.root, Takedowns(), reason="", time=7)
        assert receipt.elsewhere == (str(path),)
        assert not store.has(added.built.root)
    assert path.read_bytes() == b"s" * 200_000


def test_receipts_outlive_the_program_and_are_seen_by_others(tmp_path: Path) -> None:
    cid = raw_block(b"gone")[0]
    mine, other = Takedowns(tmp_path), Takedowns(tmp_path)
    with MemoryStore() as store:
        receipt = take_down(store, cid, mine, reason="a\nnotice", time=7)
        assert (cid in mine, cid in other) == (True, False)
        assert other.refresh()
        assert not other.refresh()
        assert other.receipts == (receipt,) == Takedowns(tmp_path).receipts
        take_down(store, cid, other, reason="settled", time=8, is_taken_back=True)
        assert cid not in other
        assert cid not in Takedowns(tmp_path)


def test_many_programs_write_receipts_at_once(tmp_path: Path) -> None:
    def write(number: int) -> None:
        mine = Takedowns(tmp_path)
        for n in range(20):
            cid = raw_block(f"{number} {n}".encode())[0]
            mine.add(Receipt(cid=cid, time=n, reason="", blocks=(cid,)))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Takedowns(tmp_path).receipts) == 80


def test_what_was_never_taken_down_cant_be_taken_back(store: Store) -> None:
    with pytest.raises(NotFoundError):
        take_down(store, raw_block(b"x")[0], Takedowns(), reason="", time=7, is_taken_back=True)


@pytest.mark.parametrize("line", ["no json", "[]", "{}", '{"cid": 1}', "\xff"])
def test_a_damaged_receipt_is_refused(line: str, tmp_path: Path) -> None:
    (tmp_path / RECEIPTS).write_bytes(line.encode("latin-1") + b"\n")
    with pytest.raises(UsageError, match="is no receipt"):
        Takedowns(tmp_path)


def test_half_a_line_is_left_until_the_rest_is_there(tmp_path: Path) -> None:
    cid = raw_block(b"x")[0]
    line = Receipt(cid=cid, time=1, reason="", blocks=(cid,)).encode() + "\n"
    (tmp_path / RECEIPTS).write_text(line[:30])
    found = Takedowns(tmp_path)
    (tmp_path / RECEIPTS).write_text(line)
    assert found.receipts == ()
    assert found.refresh()
    assert cid in found


# --- in a node ------------------------------------------------------------------------------------
def bring(keeper: Keeper, cid: Cid, block: bytes) -> list[Cid]:
    want = Want(TOPIC, cid, None)
    action = Admit(token=0, topic=TOPIC, objects=(), blocks=((cid, block),), wants=(want,))
    return list(keeper.admit(action).stored)


def lend(keeper: Keeper, *cids: Cid, file: Cid | None = None) -> list[Cid]:
    action = Load(token=0, topic=TOPIC, scope=1, cids=cids, file=file, most=10**9)
    return list(keeper.load(action))


def test_a_node_neither_fetches_nor_serves_it_until_it_is_let_in_again(
    store: Store, tmp_path: Path
) -> None:
    _, (file, other) = put(store, tmp_path, b"one", b"two")
    keeper = Keeper(store)
    keeper.follow(TOPIC, media=2)
    assert keeper.wants(TOPIC) == ()
    assert lend(keeper, file, other) == [file, other]
    keeper.forget_media(file, reason="a notice", time=7)
    assert lend(keeper, file, other) == [other]
    assert keeper.catch_up().wants == ()
    assert bring(keeper, file, b"one") == []
    keeper.let_in_again(file, reason="settled", time=8)
    assert keeper.catch_up().wants == (Want(TOPIC, file, None),)
    assert bring(keeper, file, b"one") == [file]


def test_a_running_node_heeds_what_another_program_takes_down(store: Store, tmp_path: Path) -> None:
    _, (file,) = put(store, tmp_path, b"a" * MIB + b"b")
    blocks = sorted(below(store, file))
    keeper = Keeper(store, takedowns=Takedowns(tmp_path))
    keeper.follow(TOPIC, media=2)
    assert set(lend(keeper, *blocks, file=file)) == set(blocks)
    others = Takedowns(tmp_path)
    take_down(store, file, others, reason="", time=7)
    store.put(WriteBatch(blocks=[raw_block(b"b")]))
    assert lend(keeper, *blocks, file=file) == []
    assert keeper.wants(TOPIC) == ()
    take_down(store, file, others, reason="", time=8, is_taken_back=True)
    assert keeper.catch_up().wants == (Want(TOPIC, file, None),)
