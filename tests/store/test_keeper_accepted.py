"""Scope accepted in a keeper: its members, what is lent of it, and what is told of its changes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project_club import ANA, BO, DEE, Scene

from hitp2p.codec.cid import Cid
from hitp2p.node import accepting
from hitp2p.node.keeper import Keeper
from hitp2p.objects.envelope import SignedObject
from hitp2p.protocol.actions import Admit, Admitted, Load, Member
from hitp2p.store.contract import WriteBatch
from hitp2p.store.memory import MemoryStore

SCENE = Scene()
TOPIC = SCENE.project.cid


def admit(keeper: Keeper, *objects: SignedObject) -> Admitted:
    pairs = tuple((obj.cid, obj.block) for obj in objects)
    return keeper.admit(Admit(token=0, topic=TOPIC, objects=(), blocks=pairs))


def lent(keeper: Keeper, scope: int) -> set[Cid]:
    cids = tuple(obj.cid for obj in SCENE.objects)
    action = Load(token=0, topic=TOPIC, scope=scope, cids=cids, file=None, most=10**9)
    return set(keeper.load(action))


class Core:
    """What a core knows of the accepted set, from what it is told."""

    def __init__(self, keeper: Keeper, *more: SignedObject) -> None:
        self.known = [*SCENE.objects, *more]
        self.members = {one.cid: one for one in keeper.members(TOPIC, 0)}
        self.heads = {cid for cid, one in self.members.items() if one.is_head}

    def take(self, admitted: Admitted) -> None:
        gone = {key[-32:] for of, key in admitted.left if of.scope == 0}
        self.members = {cid: one for cid, one in self.members.items() if cid.digest not in gone}
        self.heads -= {cid for cid in self.heads if cid.digest in gone}
        for member in (one for one in admitted.joined if one.of.scope == 0):
            self._require_base(member)
            self.members[member.cid] = member
            self.heads |= {member.cid} if member.is_head else set()
        self.heads -= {cid for of, cid in admitted.no_heads if of.scope == 0}

    def _require_base(self, member: Member) -> None:
        (obj,) = (one for one in self.known if one.cid == member.cid)
        assert self.members.keys() >= set(obj.required)

    def require_equal(self, keeper: Keeper) -> None:
        found = {one.cid: one for one in keeper.members(TOPIC, 0)}
        assert self.members.keys() == found.keys()
        assert self.heads == {cid for cid, one in found.items() if one.is_head}


def test_the_accepted_members_are_those_that_the_project_accepts() -> None:
    with MemoryStore() as store:
        store.put(WriteBatch(objects=SCENE.objects))
        keeper = Keeper(store)
        keeper.follow(TOPIC, scope=0)
        members = list(keeper.members(TOPIC, 0))
        assert {one.cid for one in members} == SCENE.accepted()
        assert {one.cid for one in members if one.is_head} == {SCENE.chosen.cid, SCENE.own.cid}
        assert lent(keeper, 0) == SCENE.accepted() < lent(keeper, 1)


def test_an_identity_has_the_same_members_in_both_scopes() -> None:
    with MemoryStore() as store:
        store.put(WriteBatch(objects=[DEE.genesis, DEE.rotated()]))
        keeper = Keeper(store)
        keeper.follow(DEE.genesis.cid)
        found = [list(keeper.members(DEE.genesis.cid, scope)) for scope in (0, 1)]
        assert [[(one.cid, one.is_head) for one in each] for each in found] == [
            [(DEE.genesis.cid, False), (DEE.rotated().cid, True)]
        ] * 2


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_sta_5_the_core_is_told_of_every_change(data: st.DataObject) -> None:
    order = data.draw(st.permutations(SCENE.objects))
    with MemoryStore() as store:
        keeper = Keeper(store)
        keeper.follow(TOPIC)
        core = Core(keeper)
        pool: dict[Cid, SignedObject] = {}
        for start in range(0, len(order), 5):
            pool.update((obj.cid, obj) for obj in order[start : start + 5])
            core.take(admit(keeper, *pool.values()))
            core.require_equal(keeper)
        assert core.members.keys() == SCENE.accepted()


def test_a_large_set_is_looked_at_when_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accepting, "AT_ONCE", 2)
    with MemoryStore() as store:
        keeper = Keeper(store)
        keeper.follow(TOPIC)
        people = [who.genesis for who in (ANA, BO, DEE)]
        admit(keeper, *people, SCENE.project, SCENE.own, SCENE.work)
        core = Core(keeper)
        assert {one.of.scope for one in admit(keeper, *SCENE.objects).joined} == {1}
        core.take(keeper.catch_up())
        assert core.members.keys() == SCENE.accepted()


def test_a_very_large_set_is_looked_at_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accepting, "AT_ONCE", 2)
    monkeypatch.setattr(accepting, "A_LOOK", 3)
    with MemoryStore() as store:
        keeper = Keeper(store)
        keeper.follow(TOPIC)
        people = [who.genesis for who in (ANA, BO, DEE)]
        admit(keeper, *people, SCENE.project, SCENE.own, SCENE.work)
        core = Core(keeper)
        assert not keeper.is_behind
        admit(keeper, *SCENE.objects)
        assert keeper.is_behind
        core.take(keeper.catch_up())
        assert core.members.keys() != SCENE.accepted()
        core.take(keeper.catch_up())
        assert core.members.keys() == SCENE.accepted()
        assert not keeper.is_behind


def test_a_work_that_is_declined_again_leaves() -> None:
    scene = Scene()
    with MemoryStore() as store:
        keeper = Keeper(store)
        keeper.follow(TOPIC)
        admit(keeper, *scene.objects)
        vote = scene.vote(BO, "decline", scene.chosen)
        core = Core(keeper, vote)
        assert scene.chosen.cid in core.members
        core.take(admit(keeper, vote))
        core.require_equal(keeper)
        assert scene.chosen.cid not in core.members
