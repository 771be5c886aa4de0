"""kill -9 at any moment: nothing that was acknowledged is lost, nothing half-done stays.

A child writes through the store's own methods and says on a pipe what has been committed. The parent kills it after some
acknowledgements and a moment more, opens the store and looks.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hitp2p.codec.cid import Cid
from hitp2p.objects.envelope import SignedObject
from hitp2p.store.contract import WriteBatch
from hitp2p.store.fsck import audit_store
from hitp2p.store.gc import collect
from hitp2p.store.media import add_media
from hitp2p.store.mediafolder import iter_files
from hitp2p.store.sqlite import SqliteStore
from hitp2p.testing.people import Person
from hitp2p.testing.store_suite import raw_block

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]

KILLS = 200
MOMENT_S = 0.004
"""A child is killed up to this long after an acknowledgement: about one more transaction."""

ANA = Person("Ana")
PROJECT = ANA.project()


def write_until_killed(folder: Path, source: Path, seed: int, acks: int) -> None:
    """What the child does. Each line on the pipe begins with what was done and names what is stored for good."""
    chance = random.Random(seed)
    with SqliteStore.open(folder) as store:
        last = ANA.work(PROJECT, f"Start of {seed}")
        store.put(WriteBatch(objects=[last]))
        for number in range(1000):
            what = chance.choices(("work", "bulk", "media", "tidy"), (6, 2, 3, 1))[0]
            stored: list[Cid] = []
            if what == "work":
                last = ANA.work(PROJECT, f"Work {seed} {number}", last)
                store.put(WriteBatch(objects=[last]))
                stored = [last.cid]
            elif what == "bulk":
                works = [ANA.work(PROJECT, f"Bulk {seed} {number} {n}") for n in range(8)]
                store.put(WriteBatch(objects=works), durable=False)
                stored = [work.cid for work in works]
            elif what == "media":
                source.write_bytes(chance.randbytes(90_000))
                stored = [put_media(store, source, f"Media {seed} {number}").cid]
            else:
                store.put(WriteBatch(blocks=[raw_block(b"garbage %d %d" % (seed, number))]))
                collect(store)
            os.write(acks, f"{what} {' '.join(map(str, stored))}\n".encode())


def put_media(store: SqliteStore, source: Path, title: str) -> SignedObject:
    with add_media(store, source) as media:
        entry: dict[str, Any] = {
            "file": media.built.root,
            "size": media.built.size,
            "sha256": media.built.sha256,
            "type": "audio/wav",
            "role": "master",
        }
        work = ANA.work(PROJECT, title, media=[entry])
        store.put(WriteBatch(objects=[work], blocks=media.blocks, leaves=media.leaves))
        return work


def start_child(folder: Path, source: Path, seed: int) -> tuple[int, int]:
    """Its process and the reading end of its pipe."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            write_until_killed(folder, source, seed, writing)
        finally:
            os._exit(1)
    os.close(writing)
    return child, reading


def read_lines(pipe: int, n_lines: int | None) -> Iterator[str]:
    """So many lines, or all that is left."""
    buffer = b""
    while n_lines is None or n_lines > 0:
        piece = os.read(pipe, 1 if n_lines is not None else 65536)
        if not piece:
            return
        buffer += piece
        *lines, buffer = buffer.split(b"\n")
        for line in lines:
            yield line.decode()
            n_lines = None if n_lines is None else n_lines - 1


def kill_after(child: int, pipe: int, n_acks: int, moment_s: float) -> list[str]:
    """All that the child acknowledged before it died."""
    lines = list(read_lines(pipe, n_acks))
    until = time.perf_counter() + moment_s
    while time.perf_counter() < until:
        pass
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, "the child failed by itself"
    lines += read_lines(pipe, None)
    os.close(pipe)
    return lines


def unfinished(folder: Path) -> list[str]:
    path = folder / "media" / "tmp"
    return os.listdir(path) if path.exists() else []


def test_nothing_acknowledged_is_lost_when_a_program_is_killed(tmp_path: Path) -> None:
    folder, source = tmp_path / "store", tmp_path / "sound.wav"
    chance = random.Random(2024)
    with SqliteStore.open(folder) as store:
        store.put(WriteBatch(objects=[ANA.genesis, PROJECT]))
    acknowledged: set[Cid] = set()
    done: Counter[str] = Counter()
    n_unfinished = 0
    for seed in range(KILLS):
        child, pipe = start_child(folder, source, seed)
        lines = kill_after(child, pipe, chance.randrange(4), chance.uniform(0, MOMENT_S))
        new = {Cid.parse(word) for line in lines for word in line.split()[1:]}
        done.update(line.split()[0] for line in lines)
        acknowledged |= new
        n_unfinished += bool(unfinished(folder))
        with SqliteStore.open(folder) as store:
            assert unfinished(folder) == []
            for cid in new:
                assert store.get(cid) is not None
                assert store.row(cid) is not None
            if seed % 20 == 0:
                assert store.audit_index() == ()
    with SqliteStore.open(folder) as store:
        assert acknowledged <= {row.cid for row in store.rows()}
        report = audit_store(store)
        assert (report.findings, report.gaps) == ((), ())
        assert not collect(store).is_busy
        named = {place.path for place in store.places()}
        assert set(iter_files(store.media_folder)) == named
    assert all(done[what] > 5 for what in ("work", "bulk", "media", "tidy")), done
    assert n_unfinished > 0, "no kill hit the middle of a copy"
