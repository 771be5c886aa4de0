"""A node's keeper that is killed at any moment: the store is sound, and nothing that was wanted is forgotten."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hitp2p.codec.cid import Cid
from hitp2p.node.keeper import Keeper
from hitp2p.node.policy import Follow, Policy
from hitp2p.objects.envelope import SignedObject
from hitp2p.protocol.actions import Admit, Want
from hitp2p.store.fsck import audit_store
from hitp2p.store.sqlite import SqliteStore
from hitp2p.testing.people import Person
from hitp2p.testing.store_suite import media_entry, raw_block

ANA = Person("Ana")
PROJECT = ANA.project()
POLICY = Policy(follows=(Follow(topic=PROJECT.cid, media=2),))


def admit(
    keeper: Keeper,
    *objects: SignedObject,
    blocks: dict[Cid, bytes] | None = None,
    wants: tuple[Want, ...] = (),
) -> tuple[Want, ...]:
    pairs = [*((obj.cid, obj.block) for obj in objects), *(blocks or {}).items()]
    action = Admit(token=0, topic=PROJECT.cid, objects=(), blocks=tuple(pairs), wants=wants)
    return keeper.admit(action).wants


def work_on(folder: Path, seed: int) -> None:
    """Take up works with media until somebody ends it; half of the media come."""
    chance = random.Random(seed)
    with (
        SqliteStore.open(folder / "store") as store,
        Keeper.open(store, folder, policy=POLICY) as keeper,
    ):
        keeper.wants(PROJECT.cid)
        admit(keeper, ANA.genesis, PROJECT)
        print("ready", flush=True)
        while True:
            sounds = [raw_block(chance.randbytes(size)) for size in (100, 70_000)]
            work = ANA.work(PROJECT, str(chance.random()), media=[media_entry(s) for s in sounds])
            wants = admit(keeper, work)
            some = chance.sample(sounds, chance.randrange(3))
            admit(keeper, blocks=dict(some), wants=wants)


@pytest.mark.parametrize("seed", range(6))
def test_a_keeper_that_is_killed_forgets_nothing(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    for number in range(2):
        words = [sys.executable, __file__, str(tmp_path), str(seed * 2 + number)]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(chance.uniform(0.02, 0.2))
            process.kill()
    with SqliteStore.open(tmp_path / "store") as store:
        assert audit_store(store).is_sound
        with Keeper.open(store, tmp_path, policy=POLICY) as keeper:
            members = [member.cid for member in keeper.members(PROJECT.cid)]
            assert set(members) == {row.cid for row in store.rows()}
            assert len(members) > 2
            found = set(keeper.wants(PROJECT.cid))
        assert found == set(Keeper(store, policy=POLICY).wants(PROJECT.cid))
        assert found


if __name__ == "__main__":
    work_on(Path(sys.argv[1]), int(sys.argv[2]))
