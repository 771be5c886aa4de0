"""Bits that a disk flips: right bytes or an error, never wrong bytes."""

from __future__ import annotations

import random
from pathlib import Path

from hitp2p.codec.cid import Cid
from hitp2p.errors import Hitp2pError, StoreError
from hitp2p.store.contract import WriteBatch
from hitp2p.store.fsck import audit_store
from hitp2p.store.media import add_media
from hitp2p.store.sqlite import SqliteStore
from hitp2p.testing.store_suite import Story

N_FLIPS = 400


def test_flipped_bits_never_give_wrong_bytes(tmp_path: Path) -> None:
    story, chance = Story(), random.Random(7)
    sound = tmp_path / "sound.wav"
    sound.write_bytes(chance.randbytes(200_000))
    folder = tmp_path / "store"
    with SqliteStore.open(folder) as store:
        store.put(story.batch)
        with add_media(store, sound) as media:
            store.put(WriteBatch(blocks=media.blocks, leaves=media.leaves))
        right = {cid: store.get(cid) for cid in store.iter_cids()}
    whole = (folder / "store.db").read_bytes()
    n_errors = n_unopened = n_reported = 0
    for _ in range(N_FLIPS):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 1, 8, 200))):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        (folder / "store.db").write_bytes(data)
        try:
            store = SqliteStore.open(folder)
        except StoreError:
            n_unopened += 1
            continue
        with store:
            errors = sum(not _is_right(store, cid, block) for cid, block in right.items())
            n_errors += errors
            n_reported += _is_reported(store) or not errors
    assert n_errors > 0
    assert n_unopened + n_reported == N_FLIPS


def _is_right(store: SqliteStore, cid: Cid, block: bytes | None) -> bool:
    """Whether the block is still there; wrong bytes fail the test."""
    try:
        found = store.get(cid)
    except StoreError:
        return False
    assert found in (block, None)
    return found is not None


def _is_reported(store: SqliteStore) -> bool:
    """Whether a check notices, be it by not getting through."""
    try:
        return not audit_store(store).is_sound
    except Hitp2pError:
        return True
