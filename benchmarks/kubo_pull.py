"""A trail from one Kubo daemon to another: our pull of its snapshot, beside `ipfs pin add` of a bare chain."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

from benchmarks.kubo_daemons import address_of, new_daemon, store_on
from benchmarks.measure import Figure, wall_s
from benchmarks.samples import trail
from hitp2p.codec.car import CarWriter
from hitp2p.codec.cid import DAG_CBOR, RAW, Cid
from hitp2p.codec.dagcbor import encode
from hitp2p.pulling import pull_objects
from hitp2p.store.contract import WriteBatch
from hitp2p.store.kubo_network import KuboNetwork
from hitp2p.store.kubo_rpc import KuboRpc
from hitp2p.store.sqlite import SqliteStore


def figures(*, smoke: bool) -> Iterator[Figure]:
    """Each object hashed, its signature and rules checked, and stored, in ours; the peer only stores and pins."""
    n_objects, n_chain = (60, 20) if smoke else (10_000, 1000)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        daemons = [
            stack.enter_context(daemon)
            for each in ("from", "to")
            for daemon in new_daemon(folder / each, online=True)
        ]
        if len(daemons) < 2:
            return
        source, target = daemons
        peer = source.rpc("id")[0]["Addresses"][0]
        target.rpc("swarm/connect", arg=peer)
        head = _chain(source, n_chain)
        chain_s = wall_s(lambda: target.ipfs("pin", "add", str(head)), batches=1)
        root = _project(source, folder / "source", n_objects)
        pull_s = wall_s(lambda: _pull(target, folder / "target", root, n_objects), batches=1)
    yield Figure(
        name=f"pull a trail of {n_objects} objects between two daemons, checked and stored, an object; against "
        f"`ipfs pin add` of a bare chain of {n_chain}",
        value=pull_s / n_objects * 1e3,
        unit="ms",
        floor=chain_s / n_chain * 1e3,
        goal=">= 10 x faster",
        ratio_is_speed=True,
    )


def _chain(daemon: Any, length: int) -> Cid:
    """The last of blocks that each link to the one before, of the size of an object."""
    blocks: list[tuple[Cid, bytes]] = []
    for number in range(length):
        parents = [blocks[-1][0]] if blocks else []
        block = encode({"n": number, "parents": list(parents), "rest": bytes(340)})
        blocks.append((Cid.of(DAG_CBOR, block), block))
    sink = BytesIO()
    writer = CarWriter(sink, (blocks[-1][0],))
    for cid, block in blocks:
        writer.write(cid, block)
    daemon.ipfs("dag", "import", "--pin-roots=false", input=sink.getvalue())
    return blocks[-1][0]


def _project(daemon: Any, folder: Path, n_objects: int) -> Cid:
    """The pinned snapshot of a project."""
    objects = trail(n_objects)
    media = [number.to_bytes(8, "big") for number in range(n_objects)]
    with store_on(daemon, folder) as store:
        blocks = [(Cid.of(RAW, data), data) for data in media]
        store.put(WriteBatch(objects=objects, blocks=blocks))
        root = store.pin_snapshot(next(store.rows(kind="project")).cid)
    assert root is not None
    return root


def _pull(daemon: Any, folder: Path, root: Cid, n_objects: int) -> None:
    address = address_of(daemon)
    with (
        KuboNetwork(KuboRpc(address), address) as network,
        SqliteStore.open(folder) as store,
    ):
        assert pull_objects(store, [root], network).n_new > n_objects
