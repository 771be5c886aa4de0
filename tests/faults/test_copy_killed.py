"""kill -9 in the middle of a copy: the source is untouched, the same command goes on, and at the end all is there once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from fake_kubo import Asked, FakeKubo
from kubo_daemon import KuboDaemon, running_kubo

import hitp2p
from hitp2p.codec.cid import Cid
from hitp2p.store.contract import Store, WriteBatch
from hitp2p.store.fsck import audit_store
from hitp2p.store.kubo import KuboStore
from hitp2p.store.kubo_index import holds
from hitp2p.store.media import add_media
from hitp2p.store.sqlite import SqliteStore
from hitp2p.testing.store_suite import Story, media_entry, raw_block

COPY = """
import os, signal, sys
import hitp2p.store.carrying as carrying
from hitp2p import copy_store
carrying._BATCH_BLOCKS = 5
stop = int(sys.argv[2])
def move(done, total):
    if done == stop:
        os.kill(os.getpid(), signal.SIGKILL)
copy_store("ws", sys.argv[1], workspace="ws", progress=move, switch=len(sys.argv) > 3)
"""
"""Copies in small batches, and may kill itself after so many blocks."""
NEVER = "0"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KuboDaemon]:
    with running_kubo(tmp_path_factory.mktemp("kubo")) as daemon:
        yield daemon


@pytest.fixture
def kubo(daemon: KuboDaemon) -> KuboDaemon:
    """A daemon on which nothing is pinned."""
    daemon.unpin(*daemon.pins())
    return daemon


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[Cid, bytes | None]:
    """The blocks of the workspace `ws`: objects, texts, a page, a film of several blocks."""
    monkeypatch.chdir(tmp_path)
    story, chance = Story(), random.Random(1)
    Path("film.mp4").write_bytes(chance.randbytes(3_500_000))
    with hitp2p.open("ws") as ws:
        ws.store.put(story.batch)
        ws.store.put(WriteBatch(blocks=[raw_block(chance.randbytes(9_000)) for _ in range(9)]))
        with add_media(ws.store, Path("film.mp4")) as added:
            entry = media_entry((added.built.root, Path("film.mp4").read_bytes()))
            film = story.ana.work(story.project, "Film", media=[entry])
            ws.store.put(WriteBatch(objects=[film], blocks=added.blocks, leaves=added.leaves))
        return blocks_of(ws.store)


def blocks_of(store: Store) -> dict[Cid, bytes | None]:
    return {cid: store.get(cid) for cid in store.iter_cids()}


def copy(target: str, stop: str = NEVER, *more: str) -> int:
    """The exit status of a program that copies."""
    done = subprocess.run([sys.executable, "-c", COPY, target, stop, *more], check=False)
    return done.returncode


def require_whole(source: dict[Cid, bytes | None], target: Path | str) -> None:
    with hitp2p.open("ws") as ws:
        assert blocks_of(ws.store) == source
    with hitp2p.open(target) as ws:
        assert blocks_of(ws.store) == source
        assert audit_store(ws.store).is_sound


@pytest.mark.parametrize("stop", [1, 6, 11, 12, 14, 20, 25])
def test_a_copy_into_a_folder_goes_on_after_a_kill(
    source: dict[Cid, bytes | None], stop: int
) -> None:
    assert stop < len(source)
    assert copy("sqlite:kept", str(stop)) == -signal.SIGKILL
    with hitp2p.open("kept") as ws:
        assert audit_store(ws.store).is_sound
        assert blocks_of(ws.store).items() <= source.items()
    assert copy("sqlite:kept") == 0
    require_whole(source, "kept")
    with SqliteStore.open(Path("kept/.hitp2p")) as store:
        assert {place.path for place in store.places()}  # the film is a file


@pytest.mark.parametrize(
    ("command", "number", "when"),
    [
        ("version", 1, "before"),
        ("dag/import", 1, "before"),
        ("dag/import", 1, "after"),
        ("dag/import", 3, "after"),
        ("pin/add", 2, "after"),
        ("pin/ls", 3, "before"),
        ("refs/local", 1, "after"),
    ],
)
def test_a_copy_onto_a_daemon_goes_on_after_a_kill(
    source: dict[Cid, bytes | None], kubo: KuboDaemon, command: str, number: int, when: str
) -> None:
    with FakeKubo(behind=kubo.api) as fake:
        target = f"kubo:{fake.api}"
        program = subprocess.Popen([sys.executable, "-c", COPY, target, NEVER, "switch"])
        count = 0

        def kill(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
            nonlocal count
            count += 1
            if count == number and when == "after":
                fake._ask(handler.path, asked.body, asked.headers.get("Content-Type"))
            if count == number:
                os.kill(program.pid, signal.SIGKILL)
                program.wait()
                handler.close_connection = True
            else:
                fake.pass_on(handler, asked)

        fake.says(command, kill)
        assert program.wait(60) == -signal.SIGKILL
        with hitp2p.open("ws") as ws:
            assert not isinstance(ws.store, KuboStore)
            assert blocks_of(ws.store) == source
        fake.tells_the_truth()
        assert copy(target, NEVER, "switch") == 0
        kubo.gc()
        require_whole(source, "ws")
        with hitp2p.open("ws") as ws:
            assert isinstance(ws.store, KuboStore)
            assert ws.store.audit_index() == ()
            pinned = [pin for pin in kubo.pins().values() if pin["Name"] == ws.store.pin_name]
            with ws.store.reading() as db:
                assert len(pinned) == len(holds(db))  # no pin is left that nothing knows of
