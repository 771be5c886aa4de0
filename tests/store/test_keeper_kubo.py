"""A keeper on a store whose blocks lie on a real Kubo daemon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kubo_daemon import running_kubo

from hitp2p.node.keeper import Keeper
from hitp2p.protocol.actions import Admit, Load, Want
from hitp2p.store.contract import Store
from hitp2p.store.kubo import KuboStore
from hitp2p.store.kubo_address import parse_kubo_address
from hitp2p.testing.people import Person
from hitp2p.testing.store_suite import media_entry, page, raw_block

ANA = Person("Ana on Kubo")
PROJECT = ANA.project("On Kubo")
PAGE = page([{"name": "Cy on Kubo", "role": "lyr"}])
SOUND = raw_block(b"kubo" * 50_000)
SONG = ANA.work(PROJECT, "Song", credits_pages=[PAGE[0]], media=[media_entry(SOUND)])
BASE = (ANA.genesis, PROJECT, SONG)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with (
        running_kubo(tmp_path / "kubo") as daemon,
        KuboStore.connect(tmp_path / "store", parse_kubo_address(daemon.api)) as store,
    ):
        yield store


def test_a_trail_and_its_media_come_and_are_lent(store: Store, tmp_path: Path) -> None:
    topic = PROJECT.cid
    with Keeper.open(store, tmp_path) as keeper:
        keeper.follow(topic, media=2)
        pairs = tuple((obj.cid, obj.block) for obj in BASE)
        admitted = keeper.admit(Admit(token=0, topic=topic, objects=(), blocks=pairs))
        assert [member.cid for member in admitted.joined] == [obj.cid for obj in BASE]
        wants = admitted.wants
        assert set(wants) == {Want(topic, PAGE[0], None), Want(topic, SOUND[0], None)}
        action = Admit(token=1, topic=topic, objects=(), blocks=(PAGE, SOUND), wants=wants)
        assert set(keeper.admit(action).stored) == {PAGE[0], SOUND[0]}
        cids = (*(obj.cid for obj in BASE), PAGE[0], SOUND[0])
        load = Load(token=2, topic=topic, scope=1, cids=cids, file=None, most=10**9)
        assert list(keeper.load(load)) == list(cids)
        sizes = {member.cid: member.size for member in keeper.members(topic)}
        assert sizes == {obj.cid: len(obj.block) for obj in BASE}
        keeper.forget_media(SOUND[0], reason="a notice", time=7)
        assert not store.has(SOUND[0])
