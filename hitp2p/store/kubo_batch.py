"""What of a batch goes where: to the daemon as new, to the daemon again, into the index."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.store.contract import LeafPlace, WriteBatch
from hitp2p.store.holds import Held

__all__ = ["NONCE_BYTES", "index_batch", "new_nonces", "part_batch"]

NONCE_BYTES: Final = 16
"""Length of a hold's nonce, and of a workspace's name, in bytes."""


def part_batch(
    batch: WriteBatch, known: dict[Cid, bool]
) -> tuple[list[tuple[Held, bytes]], list[tuple[Held, bytes]]]:
    """What no hold keeps yet as what it is, and the rest."""
    blocks = {obj.cid: (Held(obj.cid, True), obj.block) for obj in batch.objects}
    for cid, data in batch.blocks:
        blocks.setdefault(cid, (Held(cid, False), data))
    new = [each for cid, each in blocks.items() if known.get(cid, -1) < each[0].is_object]
    again = [each for cid, each in blocks.items() if known.get(cid, -1) >= each[0].is_object]
    return new, again


def index_batch(batch: WriteBatch, staged: list[LeafPlace]) -> WriteBatch:
    """The batch as the index keeps it: of texts and media, only that they are there."""
    blocks = {leaf.cid: b"" for leaf in staged}
    blocks |= {cid: data if cid.codec == DAG_CBOR else b"" for cid, data in batch.blocks}
    return WriteBatch(
        objects=batch.objects,
        blocks=list(blocks.items()),
        leaves=[leaf for leaf in batch.leaves if os.path.isabs(leaf.path)],
    )


def new_nonces() -> Iterator[bytes]:
    while True:
        yield os.urandom(NONCE_BYTES)
