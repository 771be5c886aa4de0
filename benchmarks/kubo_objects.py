"""Objects on a Kubo daemon: many at once, one more, the snapshot after a write, and how much memory that takes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.kubo_daemons import address_of, new_daemon, store_on
from benchmarks.measure import Figure, Note, own_peak_kib, peak_mib, wall_s
from benchmarks.samples import contribution_body, people, trail
from hitp2p.codec.car import CarReader, CarWriter
from hitp2p.codec.cid import RAW, Cid
from hitp2p.objects.envelope import SignedObject, parse_object, sign_object, verify_object
from hitp2p.store.contract import WriteBatch
from hitp2p.store.kubo import KuboStore
from hitp2p.store.kubo_address import parse_kubo_address
from hitp2p.store.kubo_rpc import KuboRpc

_BATCH = 5000
"""Objects in one write of a large project."""


def figures(*, smoke: bool) -> Iterator[Figure | Note]:
    """Medians of rounds, each with the peer beside it; the daemon is new for each section."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        n_objects, n_peer, rounds = (60, 20, 1) if smoke else (10_000, 500, 3)
        for daemon in new_daemon(folder / "import"):
            with daemon:
                yield from _importing(daemon, folder, n_objects, n_peer, rounds)
        for daemon in new_daemon(folder / "large"):
            with daemon:
                yield from _growing(daemon, folder, (10, 40, 100) if smoke else (10, 1000, 100_000))


def _importing(
    daemon: Any, folder: Path, n_objects: int, n_peer: int, rounds: int
) -> Iterator[Figure | Note]:
    objects = [verify_object(obj.block, cid=obj.cid) for obj in trail(n_objects)]
    ours: list[float] = []
    peers: dict[str, list[float]] = {"true": [], "false": []}
    with KuboRpc(address_of(daemon)) as rpc:
        for number in range(rounds):
            for pin, seconds in peers.items():
                some = _others(n_peer, f"{number} {pin}")
                seconds.append(wall_s(lambda s=some, p=pin: _put_each(rpc, s, p), batches=1))
            with store_on(daemon, folder / f"import-{number}") as store:
                ours.append(wall_s(lambda s=store: s.put(WriteBatch(objects=objects)), batches=1))
                store.remove(list(store.iter_cids()))
            daemon.gc()
    us = median(ours) / len(objects) * 1e6
    checked = wall_s(lambda: [verify_object(obj.block, cid=obj.cid) for obj in objects], batches=1)
    check_us = checked / len(objects) * 1e6
    pinned_us, loose_us = (median(peers[pin]) / n_peer * 1e6 for pin in ("true", "false"))
    yield Note(
        text=f"Kubo: import of {len(objects)} objects that are checked already, pinned, named and indexed; beside "
        f"`block/put` of {n_peer} blocks one by one, the same client, its connection kept, no index"
    )
    for what, ours_us, peer_us, goal in (
        ("an object, against `block/put?pin=true`", us, pinned_us, ">= 30 x faster"),
        (
            "an object, against `block/put?pin=false`, which garbage collection takes",
            us,
            loose_us,
            "",
        ),
        (
            "an object with its signature checked on one core, against that and `block/put?pin=true`",
            us + check_us,
            pinned_us + check_us,
            "",
        ),
    ):
        yield Figure(
            name=what, value=ours_us, unit="us", floor=peer_us, goal=goal, ratio_is_speed=True
        )


def _others(n_blocks: int, salt: str) -> list[bytes]:
    """Signed objects' blocks of the same size that the daemon doesn't have."""
    return [b"\x59\x02\xbc" + f"{salt} {n}".encode().ljust(700, b".") for n in range(n_blocks)]


def _put_each(rpc: KuboRpc, blocks: Sequence[bytes], pin: str) -> None:
    options = {"cid-codec": "dag-cbor", "mhtype": "sha2-256", "pin": pin}
    for block in blocks:
        for _ in rpc.stream("block/put", options=options, body=[(block,)]):
            pass


def _growing(daemon: Any, folder: Path, sizes: Sequence[int]) -> Iterator[Figure]:
    """One project that grows; at each size, one object more, many times."""
    source = folder / "large.car"
    _write_trail(source, max(sizes))
    appended: dict[int, float] = {}
    with store_on(daemon, folder / "large-store") as store:
        left = _parts(source, sizes)
        n_here = 0
        for size in sizes:
            while n_here < size:
                part = next(left)
                store.put(WriteBatch(objects=part, blocks=_media(part)))
                n_here += len(part)
            appended[size] = _append_s(store, 5 if size < 100 else 30)
        first, last = min(appended), max(appended)
        yield Figure(
            name=f"one object more (import, pin, name, commit) at {last} objects, over that at {first}",
            value=appended[last] * 1e3,
            unit="ms",
            floor=appended[first] * 1e3,
            goal="<= 2 x",
        )
        for size in sorted(appended)[1:-1]:
            yield Figure(
                name=f"the same at {size}",
                value=appended[size] * 1e3,
                unit="ms",
                floor=appended[first] * 1e3,
            )
        project = next(store.rows(kind="project")).cid
        first_s = wall_s(lambda: store.pin_snapshot(project), batches=1)
        yield Figure(
            name=f"the first snapshot of {last} objects, pinned with all that it reaches",
            value=first_s,
            unit="s",
        )
        refreshed: list[float] = []
        for _ in range(3):
            _append_s(store, 1)
            refreshed.append(wall_s(lambda: store.pin_snapshot(project), batches=1))
        yield Figure(
            name="its refresh after a write", value=median(refreshed), unit="s", goal="<= 3 s"
        )
    nothing = peak_mib(__name__, "nothing", daemon.api, folder / "m0", source)
    for words, what in (
        ("import", f"{last} objects imported in batches of {_BATCH}"),
        ("snapshot", "their snapshot made and pinned"),
        ("rebuild", "the index made anew from the pins"),
        ("audit", "index and daemon compared"),
    ):
        yield Figure(
            name=f"peak memory: {what}",
            value=peak_mib(__name__, words, daemon.api, folder / "m1", source),
            unit="MiB",
            floor=nothing,
            goal="< 300 MB",
        )


def _append_s(store: KuboStore, times: int) -> float:
    rows = list(store.rows(kind="project"))
    project = rows[0].cid

    by = people()[0]
    taken: list[float] = []
    for _ in range(times):
        number = 10**9 + store.last_seq()
        work = sign_object(
            kind="contribution",
            body=contribution_body(number, by.cid, ()),
            signer=by.signer,
            time=number,
            author=by.cid,
            event=by.event,
            project=project,
            parents=(project,),
        )
        store.put(WriteBatch(blocks=_media([work])))
        taken.append(wall_s(lambda w=work: store.put(WriteBatch(objects=[w])), batches=1))
    return median(taken)


def _media(objects: Sequence[SignedObject]) -> list[tuple[Cid, bytes]]:
    """The media that samples link to: eight bytes each."""
    found: list[tuple[Cid, bytes]] = []
    for obj in objects:
        if obj.kind == "contribution":
            number = int(obj.body["title"].removeprefix("Take "))
            data = number.to_bytes(8, "big")
            found.append((Cid.of(RAW, data), data))
    return found


def _write_trail(path: Path, n_works: int) -> None:
    """In a process of its own, so that its memory isn't ours."""
    subprocess.run(
        [sys.executable, "-m", "benchmarks.kubo_objects", "trail", str(n_works), str(path)],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _parts(path: Path, sizes: Sequence[int]) -> Iterator[list[SignedObject]]:
    """The objects of a file, cut at each size and every `_BATCH`."""
    with path.open("rb") as file:
        part: list[SignedObject] = []
        for number, block in enumerate(CarReader(file), start=1):
            part.append(parse_object(block.data, cid=block.cid))
            if number in sizes or len(part) == _BATCH:
                yield part
                part = []
        if part:
            yield part


def _run_alone(what: str, api: str, folder: Path, source: Path) -> None:

    with KuboStore.connect(folder, parse_kubo_address(api)) as store:
        if what == "import":
            for part in _parts(source, ()):
                store.put(WriteBatch(objects=part, blocks=_media(part)))
        elif what == "snapshot":
            store.pin_snapshot(next(store.rows(kind="project")).cid)
        elif what == "audit":
            assert store.audit_index() == ()
        elif what == "rebuild":
            workspace = store.workspace
            with KuboStore.connect(
                folder / "anew", parse_kubo_address(api), workspace=workspace
            ) as anew:
                assert anew.rebuild_index() == ()


if __name__ == "__main__":
    if sys.argv[1] == "trail":
        objects = trail(int(sys.argv[2]))
        with Path(sys.argv[3]).open("wb") as file:
            writer = CarWriter(file, (objects[-1].cid,))
            for obj in objects:
                writer.write(obj.cid, obj.block)
    else:
        _run_alone(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    print(own_peak_kib())
