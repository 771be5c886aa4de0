"""All ancestors of a work, from the index of a store."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import hitp2p
from benchmarks.measure import Figure, wall_s
from benchmarks.samples import trail
from hitp2p.store.contract import WriteBatch


def figures(*, smoke: bool) -> Iterator[Figure]:
    """Counting and naming all ancestors among 10^5 objects, two sources a work."""
    objects = trail(200 if smoke else 100_000, fan_in=2)
    batches = 2 if smoke else 10
    with tempfile.TemporaryDirectory() as name, hitp2p.open(Path(name)) as ws:
        ws.store.put(WriteBatch(objects=objects), durable=False)
        last = objects[-1].cid
        n_found = ws.store.count_ancestors([last])
        yield Figure(
            name=f"find all {n_found} ancestors among {len(objects)} objects",
            value=wall_s(lambda: ws.store.count_ancestors([last]), batches=batches) * 1e3,
            unit="ms",
            goal="<= 100 ms",
        )
        yield Figure(
            name="the same, each with its row",
            value=wall_s(lambda: list(ws.store.ancestors([last])), batches=batches) * 1e3,
            unit="ms",
        )
