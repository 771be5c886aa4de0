"""The daemon dies at any moment, its disk is full, its garbage is collected all the time: nothing acknowledged is lost."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from kubo_daemon import KuboDaemon, running_kubo

from hitp2p.codec.cid import Cid
from hitp2p.errors import BackendError, BackendFullError, StoreError
from hitp2p.store.contract import WriteBatch
from hitp2p.store.fsck import audit_store
from hitp2p.store.kubo import KuboStore
from hitp2p.store.kubo_address import parse_kubo_address
from hitp2p.testing.people import Person
from hitp2p.testing.store_suite import raw_block, run_threads

ANA = Person("Ana")
PROJECT = ANA.project()

KILLS = 24
"""A start of the daemon takes 0.2 s or more."""
MOMENT_S = 0.03
"""A daemon is killed up to this long after a call began: about as long as the call takes."""
SWEEPS = 200
"""Garbage collections beside writers."""
WRITERS = 2


def opened(folder: Path, daemon: KuboDaemon) -> KuboStore:
    return KuboStore.connect(folder, parse_kubo_address(daemon.api))


def require_all(store: KuboStore, acknowledged: set[Cid]) -> None:
    """Every block comes from the daemon or the index, and hashes."""
    for cid in acknowledged:
        assert store.get(cid) is not None


def kill_after(daemon: KuboDaemon, moment_s: float) -> threading.Thread:
    """Kill the daemon in a moment; the thread ends when it is dead."""

    def kill() -> None:
        threading.Event().wait(moment_s)
        daemon.kill()

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


def write_until_dead(store: KuboStore, chance: random.Random, number: int) -> set[Cid]:
    """Write works with media of some size until the daemon is gone; what was acknowledged."""
    done: set[Cid] = set()
    with pytest.raises(BackendError):
        for n in range(10_000):
            blocks = [raw_block(chance.randbytes(200_000)) for _ in range(8)]
            work = ANA.work(PROJECT, f"Work {number} {n}")
            store.put(WriteBatch(objects=[work], blocks=blocks))
            done |= {work.cid, *(cid for cid, _ in blocks)}
    return done


def test_a_daemon_killed_while_it_imports_and_pins_loses_nothing_acknowledged(
    tmp_path: Path,
) -> None:
    chance = random.Random(1)
    acknowledged: set[Cid] = set()
    with running_kubo(tmp_path) as daemon:
        with opened(tmp_path / "store", daemon) as store:
            store.put(WriteBatch(objects=[ANA.genesis, PROJECT]))
        for number in range(KILLS):
            with opened(tmp_path / "store", daemon) as store:
                killing = kill_after(daemon, chance.uniform(0, 6 * MOMENT_S))
                acknowledged |= write_until_dead(store, chance, number)
                killing.join()
            daemon.start()
            daemon.gc()
            with opened(tmp_path / "store", daemon) as store:
                require_all(store, acknowledged)
        with opened(tmp_path / "store", daemon) as store:
            store.repair()  # lets go of pins that were never acknowledged
            daemon.gc()
            require_all(store, acknowledged)
            report = audit_store(store)
            assert report.is_sound, report
            assert store.audit_index() == ()
    assert len(acknowledged) > KILLS, "nearly every kill hit the first call"


def test_a_daemon_killed_while_it_is_read_gives_right_blocks_or_an_error(tmp_path: Path) -> None:
    chance = random.Random(2)
    blocks = [raw_block(chance.randbytes(500_000)) for _ in range(24)]
    with running_kubo(tmp_path) as daemon:
        with opened(tmp_path / "store", daemon) as store:
            store.put(WriteBatch(blocks=blocks))
        for _ in range(4):
            with opened(tmp_path / "store", daemon) as store:
                killing = kill_after(daemon, chance.uniform(0, MOMENT_S))
                with pytest.raises(BackendError):
                    while True:
                        for cid, data in blocks:
                            assert store.get(cid) == data
                killing.join()
                with pytest.raises(BackendError):
                    store.audit_index()  # which exports
            daemon.start()
        with opened(tmp_path / "store", daemon) as store:
            assert [store.get(cid) for cid, _ in blocks] == [data for _, data in blocks]


def test_a_daemon_killed_while_it_pins_a_snapshot_keeps_the_one_before(tmp_path: Path) -> None:
    chance = random.Random(3)
    with running_kubo(tmp_path) as daemon:
        with opened(tmp_path / "store", daemon) as store:
            works = [ANA.work(PROJECT, f"Work {n}") for n in range(300)]
            store.put(WriteBatch(objects=[ANA.genesis, PROJECT, *works]))
            pinned = {str(store.pin_snapshot(PROJECT.cid))}
        for number in range(5):
            with opened(tmp_path / "store", daemon) as store:
                store.put(WriteBatch(objects=[ANA.work(PROJECT, f"One more {number}")]))
                killing = kill_after(daemon, chance.uniform(0, MOMENT_S))
                with suppress(BackendError):
                    pinned.add(str(store.pin_snapshot(PROJECT.cid)))
                killing.join()
            daemon.start()
            daemon.gc()
            name = f"hitp2p:{PROJECT.cid}"
            held = [cid for cid, pin in daemon.pins().items() if pin["Name"] == name]
            assert held, "no snapshot is pinned"
            for cid in held:
                daemon.ipfs(
                    "dag", "stat", "--progress=false", cid
                )  # fails where a block is missing
            with opened(tmp_path / "store", daemon) as store:
                assert store.pin_snapshot(PROJECT.cid) is not None
                assert audit_store(store).is_sound


def test_garbage_collection_all_the_time_beside_writers_takes_nothing_acknowledged(
    tmp_path: Path,
) -> None:
    acknowledged: list[set[Cid]] = [set() for _ in range(WRITERS)]
    swept = threading.Event()
    n_swept = 0

    with running_kubo(tmp_path) as daemon, opened(tmp_path / "store", daemon) as store:
        store.put(WriteBatch(objects=[ANA.genesis, PROJECT]))

        def write(part: int) -> None:
            number = 0
            while not swept.is_set():
                number += 1
                work = ANA.work(PROJECT, f"Work {part} {number}")
                block = raw_block(b"medium %d %d" % (part, number))
                store.put(WriteBatch(objects=[work], blocks=[block]), durable=False)
                acknowledged[part] |= {work.cid, block[0]}
                if number % 8 == 0:
                    store.remove([block[0]])
                    acknowledged[part].discard(block[0])

        def sweep() -> None:
            nonlocal n_swept
            try:
                for number in range(SWEEPS):
                    daemon.rpc("repo/gc")
                    n_swept += 1
                    if number % 10 == 0:
                        for done in acknowledged:
                            require_on_daemon(daemon, sorted(done)[-3:])
            finally:
                swept.set()

        assert run_threads([sweep, *(partial(write, part) for part in range(WRITERS))]) == []
        assert n_swept == SWEEPS
        daemon.rpc("repo/gc")
        for done in acknowledged:
            assert len(done) > 20
            require_all(store, done)
        assert audit_store(store).is_sound
        assert store.audit_index() == ()


def require_on_daemon(daemon: KuboDaemon, cids: list[Cid]) -> None:
    for cid in cids:
        assert daemon.rpc("block/stat", arg=str(cid), offline="true")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MiB of its own."""
    if sys.platform != "linux" or os.geteuid() != 0:
        message = "only root on Linux can mount a small disk"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_of_the_daemon_is_said_and_loses_nothing(disk: Path, tmp_path: Path) -> None:
    chance = random.Random(4)
    acknowledged: set[Cid] = set()
    with running_kubo(disk) as daemon, opened(tmp_path / "store", daemon) as store:
        store.put(WriteBatch(objects=[ANA.genesis, PROJECT]))
        with pytest.raises(BackendFullError, match=r"is full.*repo gc"):
            for number in range(1000):
                blocks = [raw_block(chance.randbytes(400_000)) for _ in range(3)]
                work = ANA.work(PROJECT, f"Work {number}")
                store.put(WriteBatch(objects=[work], blocks=blocks))
                acknowledged |= {work.cid, *(cid for cid, _ in blocks)}
        assert len(acknowledged) > 8
        require_all(store, acknowledged)
        with suppress(StoreError):
            store.put(WriteBatch(blocks=[raw_block(chance.randbytes(900_000))]))
        daemon.gc()  # what was half-sent goes
        store.put(WriteBatch(objects=[ANA.work(PROJECT, "There is room again")]))
        require_all(store, acknowledged)
        assert store.audit_index() == ()
