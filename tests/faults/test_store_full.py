"""Disks that are full or read-only: a clear error, nothing lost, and a way out."""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import hitp2p
from hitp2p.cli.app import root
from hitp2p.codec.cid import Cid
from hitp2p.errors import StoreError, StoreFullError
from hitp2p.node.keeper import Keeper
from hitp2p.node.ledger import Ledger
from hitp2p.objects.envelope import SignedObject
from hitp2p.protocol.actions import Admit, Admitted, Want
from hitp2p.store.contract import WriteBatch
from hitp2p.store.fsck import audit_store
from hitp2p.store.gc import collect
from hitp2p.store.media import add_media
from hitp2p.store.mediafolder import iter_files, keep_reserve
from hitp2p.store.sqlite import SqliteStore
from hitp2p.testing.people import Person
from hitp2p.testing.store_suite import media_entry, raw_block

ANA = Person("Ana")
PROJECT = ANA.project()


def mount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 32 MiB of its own."""
    if sys.platform != "linux" or os.geteuid() != 0:
        message = "only root on Linux can mount a small disk"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    folder = tmp_path / "disk"
    folder.mkdir()
    mount(folder, "size=32m")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(store: SqliteStore, chance: random.Random) -> list[SignedObject]:
    """Store works, each with text, until there is no room; returns those that were acknowledged."""
    store.put(WriteBatch(objects=[ANA.genesis, PROJECT]))
    stored: list[SignedObject] = []
    with pytest.raises(StoreFullError, match=r"no space left.*hitp2p gc"):
        while True:
            texts = [raw_block(chance.randbytes(60_000)) for _ in range(4)]
            work = ANA.work(PROJECT, f"Work {len(stored)}", note_block=texts[0][0])
            store.put(WriteBatch(objects=[work], blocks=texts), durable=False)
            stored.append(work)
    return stored


def require_intact(store: SqliteStore, stored: list[SignedObject]) -> None:
    report = audit_store(store)
    assert report.findings == ()
    assert {row.cid for row in store.rows(kind="contribution")} == {work.cid for work in stored}


def test_a_full_disk_loses_nothing_and_gc_makes_room(disk: Path) -> None:
    with SqliteStore.open(disk / "store") as store:
        keep_reserve(store.media_folder)
        stored = fill(store, random.Random(1))
        require_intact(store, stored)
        assert len(stored) > 10
        assert len(collect(store).blocks) == 3 * len(stored)
        require_intact(store, stored)
        stored.append(ANA.work(PROJECT, "There is room again"))
        store.put(WriteBatch(objects=stored[-1:]))
    with SqliteStore.open(disk / "store") as store:
        require_intact(store, stored)


def test_without_a_reserve_a_full_disk_still_loses_nothing(disk: Path) -> None:
    with SqliteStore.open(disk / "store") as store:
        stored = fill(store, random.Random(2))
        with pytest.raises(StoreFullError):
            collect(store)
        require_intact(store, stored)
    with SqliteStore.open(disk / "store") as store:
        require_intact(store, stored)


def test_media_that_do_not_fit_leave_nothing(disk: Path, tmp_path: Path) -> None:
    sound = tmp_path / "sound.wav"
    sound.write_bytes(bytes(40_000_000))
    with SqliteStore.open(disk / "store") as store:
        for _ in range(3):
            with pytest.raises(StoreFullError):
                add_media(store, sound)
            assert list(iter_files(store.media_folder)) == []
            assert os.listdir(store.media_folder / "tmp") == []
        store.put(WriteBatch(objects=[ANA.genesis]))


def fill_up(disk: Path) -> None:
    """Leave no byte."""
    with (disk / "fill").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_a_disk_without_a_byte_left_is_said_and_gc_makes_room_from_what_was_kept_back(
    disk: Path,
) -> None:
    with hitp2p.open(disk / "place") as ws:
        by = hitp2p.Identity.create("Ana")
        work = ws.contribute(ws.create_project("P", by=by), title="Work", by=by)
        ws.store.put(WriteBatch(blocks=[raw_block(bytes(1_900_000))]))
        media = ws.store.media_folder
        assert media is not None
        keep_reserve(media)
    fill_up(disk)
    with pytest.raises(StoreFullError, match=r"no space left.*hitp2p gc"):
        hitp2p.open(disk / "place")

    def run(*argv: str) -> tuple[int, Any]:
        done = CliRunner().invoke(root, ["--workspace", str(disk / "place"), "--json", *argv])
        return done.exit_code, json.loads(done.stdout or done.stderr)

    status, told = run("list")
    assert (status, told["error"]["code"]) == (74, "store-full")
    status, told = run("gc")
    assert (status, told["n_blocks"]) == (0, 1)
    status, told = run("list")
    assert [listed["cid"] for listed in told["objects"]] == [str(work.cid)]
    assert run("fsck")[1]["sound"]


def test_a_backup_that_does_not_fit_leaves_nothing(disk: Path, tmp_path: Path) -> None:
    with SqliteStore.open(tmp_path / "store") as store:
        store.put(WriteBatch(blocks=[raw_block(bytes([n]) * 2**20) for n in range(40)]))
        with pytest.raises(StoreFullError):
            store.backup(disk / "backup")
    assert os.listdir(disk) == []


def test_a_read_only_disk_is_said_and_loses_nothing(disk: Path) -> None:
    with SqliteStore.open(disk / "store") as store:
        store.put(WriteBatch(objects=[ANA.genesis, PROJECT]))
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"can't be written to.*read-only"):
            SqliteStore.open(disk / "store")
        with pytest.raises(StoreError, match=r"can't be written to"):
            SqliteStore.open(disk / "new")
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    with SqliteStore.open(disk / "store") as store:
        assert store.has(PROJECT.cid)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_of_someone_else_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreError, match=r"can't be written to"):
            SqliteStore.open(tmp_path / "store")
    finally:
        tmp_path.chmod(0o700)


def test_a_database_at_its_limit_loses_nothing(tmp_path: Path) -> None:
    """As a full disk, without one."""
    with SqliteStore.open(tmp_path / "store") as store:
        db = store._connections.hold().db
        pages = db.execute("PRAGMA page_count").fetchone()[0] + 400
        db.execute(f"PRAGMA max_page_count = {pages}")
        stored = fill(store, random.Random(3))
        require_intact(store, stored)
        assert len(collect(store).blocks) == 3 * len(stored)
        require_intact(store, stored)


def test_a_limit_on_file_size_loses_nothing(tmp_path: Path) -> None:
    """As a quota: the file can't grow, though the disk has room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    sound = tmp_path / "sound.wav"
    sound.write_bytes(bytes(9_000_000))
    with SqliteStore.open(tmp_path / "store") as store:
        resource.setrlimit(resource.RLIMIT_FSIZE, (6_000_000, hard))
        try:
            stored = fill(store, random.Random(4))
            with pytest.raises(StoreFullError):
                add_media(store, sound)
            require_intact(store, stored)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert os.listdir(store.media_folder / "tmp") == []
        stored.append(ANA.work(PROJECT, "There is room again"))
        store.put(WriteBatch(objects=stored[-1:]))
        require_intact(store, stored)


def test_a_node_on_a_full_disk_says_so_and_stores_nothing_by_halves(disk: Path) -> None:
    with SqliteStore.open(disk / "store") as store, Ledger(disk) as ledger:
        keeper = Keeper(store, ledger=ledger)
        keeper.follow(PROJECT.cid, media=2)
        given = [ANA.genesis, PROJECT]
        chance = random.Random(4)
        wants: tuple[Want, ...] = ()
        stored: list[SignedObject] = []
        admitted = admit(keeper, given)
        for number in range(1000):
            sounds = [raw_block(chance.randbytes(200_000)), raw_block(chance.randbytes(60_000))]
            media = [media_entry(sound) for sound in sounds]
            work = ANA.work(PROJECT, f"Work {number}", media=media)
            admitted = admit(keeper, [work])
            if admitted.full:
                break
            stored.append(work)
            wants = admitted.wants
            admit(keeper, [], dict(sounds), wants)
        assert admitted == Admitted(full=True)
        assert len(stored) > 10
        require_intact(store, stored)


def admit(
    keeper: Keeper,
    objects: list[SignedObject],
    others: dict[Cid, bytes] | None = None,
    wants: tuple[Want, ...] = (),
) -> Admitted:
    blocks = [*((obj.cid, obj.block) for obj in objects), *(others or {}).items()]
    action = Admit(token=0, topic=PROJECT.cid, objects=(), blocks=tuple(blocks), wants=wants)
    return keeper.admit(action)
