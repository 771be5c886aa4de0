"""A large file onto a Kubo daemon and out of it, beside Kubo's own command line with the same options.

The floor of the way in is `ipfs dag import` of the same blocks in a CAR that lies ready: what the daemon itself takes to
store and pin them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.kubo_daemons import new_daemon, store_on
from benchmarks.measure import Figure, own_peak_kib, peak_mib, wall_s
from hitp2p.codec.car import CarWriter
from hitp2p.codec.cid import RAW, Cid
from hitp2p.codec.unixfs import Node, build_file, iter_file
from hitp2p.limits import CHUNK_BYTES
from hitp2p.store.contract import WriteBatch
from hitp2p.store.kubo import KuboStore
from hitp2p.store.kubo_address import parse_kubo_address
from hitp2p.store.media import add_media

_MIB = 1024 * 1024
_ADD = ("--cid-version=1", "--raw-leaves", "--chunker=size-1048576", "--max-file-links=1024")


def figures(*, smoke: bool) -> Iterator[Figure]:
    """In turn, each round on a new daemon, so that nobody finds blocks of the other."""
    n_mib, rounds = (4, 1) if smoke else (1024, 3)
    taken: dict[str, list[float]] = {"in": [], "out": [], "add": [], "cat": [], "import": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "large.bin"
        _write(source, n_mib)
        for number in range(rounds):
            for daemon in new_daemon(folder / "peer"):
                with daemon:
                    _peer(daemon, source, taken)
                shutil.rmtree(folder / "peer")
            for daemon in new_daemon(folder / "bare"):
                with daemon:
                    _import(daemon, source, taken)
                shutil.rmtree(folder / "bare")
            for daemon in new_daemon(folder / "ours"):
                with daemon:
                    _ours(daemon, source, folder / "store", taken)
                    if number == rounds - 1:
                        yield from _memory(daemon, source, folder, n_mib)
                shutil.rmtree(folder / "ours")
                shutil.rmtree(folder / "store")
    for ours, peer, what in (
        ("in", "add", f"a file of {n_mib} MiB onto a daemon, pinned, against `ipfs add`"),
        ("in", "import", "the same, against `ipfs dag import` of its blocks, hashed before"),
        ("out", "cat", "the same out of it into a file, each block hashed, against `ipfs cat`"),
    ):
        if taken[ours]:
            yield Figure(
                name=what,
                value=n_mib / median(taken[ours]),
                unit="MiB/s",
                floor=n_mib / median(taken[peer]),
                goal="" if peer == "import" else ">= 0.8 x",
            )


def _write(path: Path, n_mib: int) -> None:
    with path.open("wb") as file:
        for _ in range(n_mib):
            file.write(os.urandom(_MIB))
        os.fsync(file.fileno())


def _peer(daemon: Any, source: Path, taken: dict[str, list[float]]) -> None:
    roots: list[str] = []

    def add() -> None:
        roots.append(daemon.ipfs("add", "-Q", *_ADD, source).decode().strip())

    taken["add"].append(wall_s(add, batches=1))
    with open(f"{source}.out", "wb") as file:
        taken["cat"].append(
            wall_s(
                lambda: subprocess.run(
                    [daemon._binary, "cat", roots[0]],
                    env=daemon._environ(),
                    stdout=file,
                    check=True,
                ),
                batches=1,
            )
        )


def _import(daemon: Any, source: Path, taken: dict[str, list[float]]) -> None:
    car = Path(f"{source}.car")
    nodes: list[Node] = []
    with source.open("rb") as file, car.open("wb") as sink:
        root = build_file(file, lambda part: nodes.append(part) if isinstance(part, Node) else None)
        writer = CarWriter(sink, [root.root])
        file.seek(0)
        while leaf := file.read(CHUNK_BYTES):
            writer.write(Cid.of(RAW, leaf), leaf)
        for node in nodes:
            writer.write(node.cid, node.data)
        sink.flush()
        os.fsync(sink.fileno())
    taken["import"].append(wall_s(lambda: daemon.ipfs("dag", "import", car), batches=1))
    car.unlink()


def _ours(daemon: Any, source: Path, folder: Path, taken: dict[str, list[float]]) -> None:
    with store_on(daemon, folder) as store:
        roots: list[Cid] = []
        taken["in"].append(wall_s(lambda: roots.append(_put(store, source)), batches=1))
        taken["out"].append(wall_s(lambda: _get(store, roots[0], Path(f"{source}.out")), batches=1))


def _put(store: KuboStore, source: Path) -> Cid:
    with add_media(store, source) as media:
        store.put(WriteBatch(blocks=media.blocks, leaves=media.leaves))
        return media.built.root


def _get(store: KuboStore, root: Cid, path: Path) -> None:
    with path.open("wb") as file:
        file.writelines(iter_file(root, store))


def _memory(daemon: Any, source: Path, folder: Path, n_mib: int) -> Iterator[Figure]:
    yield Figure(
        name=f"peak memory of {n_mib} MiB onto a daemon and out of it",
        value=peak_mib(__name__, daemon.api, folder / "memory", source),
        unit="MiB",
        goal="< 300 MB",
    )


if __name__ == "__main__":
    with KuboStore.connect(Path(sys.argv[2]), parse_kubo_address(sys.argv[1])) as own_store:
        own_root = _put(own_store, Path(sys.argv[3]))
        _get(own_store, own_root, Path(f"{sys.argv[3]}.out"))
    print(own_peak_kib())
