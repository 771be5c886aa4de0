"""What is here and blocked since: in no set and for no peer, with all that rests on it; and what moderators' labels mean."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import replace
from hitp2p.node.denylist import parse_denylist
from hitp2p.node.keeper import Keeper
from hitp2p.node.policy import Follow, Policy, Verdict
from hitp2p.objects.envelope import SignedObject
from hitp2p.protocol.actions import Admit, Admitted, Load, Member
from hitp2p.store.contract import Store, WriteBatch
from hitp2p.store.memory import MemoryStore
from hitp2p.testing.people import Person

ANA, BO, MOD = Person("Ana"), Person("Bo"), Person("Mo")
PROJECT = ANA.project()
TOPIC = PROJECT.cid
VERSE = ANA.work(PROJECT, "Verse")
BEAT = BO.work(PROJECT, "Beat", VERSE)
MIX = ANA.work(PROJECT, "Mix", BEAT)
SOLO = ANA.work(PROJECT, "Solo", VERSE)
COMMENT = ANA.comment(BEAT, "Well")
ALL = [ANA.genesis, BO.genesis, PROJECT, VERSE, BEAT, MIX, SOLO, COMMENT]
OPEN = Policy(follows=(Follow(topic=TOPIC),))
BLOCK = Verdict.BLOCK


def admit(keeper: Keeper, *objects: SignedObject) -> Admitted:
    pairs = tuple((obj.cid, obj.block) for obj in objects)
    return keeper.admit(Admit(token=0, topic=TOPIC, objects=(), blocks=pairs))


def lent(keeper: Keeper) -> set[Cid]:
    cids = tuple(obj.cid for obj in ALL)
    return set(keeper.load(Load(token=0, topic=TOPIC, scope=1, cids=cids, file=None, most=10**9)))


def members(keeper: Keeper) -> dict[Cid, Member]:
    return {member.cid: member for member in keeper.members(TOPIC)}


def heads(keeper: Keeper) -> set[Cid]:
    return {cid for cid, member in members(keeper).items() if member.is_head}


class Core:
    """What a core knows of a set, from what it is told."""

    def __init__(self, keeper: Keeper) -> None:
        self.members = members(keeper)
        self.heads = heads(keeper)

    def take(self, admitted: Admitted) -> None:
        gone = {key[-32:] for _, key in admitted.left}
        self.members = {cid: one for cid, one in self.members.items() if cid.digest not in gone}
        self.heads -= {cid for cid in self.heads if cid.digest in gone}
        for member in admitted.joined:
            self.members[member.cid] = member
            self.heads |= {member.cid} if member.is_head else set()
        self.heads -= {cid for _, cid in admitted.no_heads}

    def require_equal(self, keeper: Keeper) -> None:
        assert self.members.keys() == members(keeper).keys()
        assert self.heads == heads(keeper)


RULES: list[dict[str, Any]] = [
    {"objects": {BEAT.cid: BLOCK}},
    {"authors": {BO.genesis.cid: BLOCK}},
    {"keys": {BO.key.public: BLOCK}},
    {"deny": (parse_denylist(f"/ipfs/{BEAT.cid}"),)},
    {"deny": (parse_denylist(f"/ipfs/{BO.genesis.cid}"),)},
]


@pytest.mark.parametrize("rule", RULES)
def test_what_is_blocked_later_leaves_the_set_with_what_rests_on_it(rule: dict[str, Any]) -> None:
    with MemoryStore() as store:
        keeper = Keeper(store, policy=OPEN)
        admit(keeper, *ALL)
        core = Core(keeper)
        keeper.policy = replace(OPEN, **rule)
        core.take(keeper.catch_up())
        kept = {ANA.genesis.cid, PROJECT.cid, VERSE.cid, SOLO.cid, COMMENT.cid}
        assert core.members.keys() == kept == lent(keeper)
        assert core.heads == {SOLO.cid}
        core.require_equal(keeper)
        assert store.has(BEAT.cid)
        keeper.policy = OPEN
        core.take(keeper.catch_up())
        core.require_equal(keeper)
        assert core.members.keys() == {obj.cid for obj in ALL} == lent(keeper)


@pytest.mark.parametrize("rule", RULES)
def test_who_blocked_it_before_it_came_has_the_same_set(rule: dict[str, Any]) -> None:
    with MemoryStore() as early, MemoryStore() as late:
        policy = replace(OPEN, **rule)
        before = Keeper(early, policy=policy)
        admit(before, *ALL)
        late.put(WriteBatch(objects=ALL))
        after = Keeper(late, policy=policy)
        assert members(before) == members(after)


def test_what_a_hidden_work_was_built_on_is_a_head_again() -> None:
    with MemoryStore() as store:
        keeper = Keeper(store, policy=OPEN)
        admit(keeper, ANA.genesis, BO.genesis, PROJECT, VERSE, BEAT)
        core = Core(keeper)
        keeper.policy = replace(OPEN, objects={BEAT.cid: BLOCK})
        core.take(keeper.catch_up())
        assert core.heads == {VERSE.cid} == heads(keeper)


def test_nothing_is_taken_up_on_top_of_what_is_hidden() -> None:
    with MemoryStore() as store:
        keeper = Keeper(store, policy=OPEN)
        admit(keeper, *ALL[:5])
        keeper.policy = replace(OPEN, objects={BEAT.cid: BLOCK})
        assert "is blocked here" in admit(keeper, MIX).refused[MIX.cid]
        store.put(WriteBatch(objects=[MIX]))  # by the user
        assert MIX.cid not in {member.cid for member in keeper.catch_up().joined}
        assert MIX.cid not in members(keeper)


def test_own_works_are_never_hidden() -> None:
    with MemoryStore() as store:
        store.put(WriteBatch(objects=ALL))
        policy = replace(OPEN, authors={BO.genesis.cid: BLOCK}, own=frozenset([BO.genesis.cid]))
        assert members(Keeper(store, policy=policy)).keys() == {obj.cid for obj in ALL}


# --- labels ---------------------------------------------------------------------------------------
def label(target: Cid, value: str = "spam", *, by: Person = MOD, **body: Any) -> SignedObject:
    said = {"target": {"object": str(target)}, "value": value, **body}
    return by.sign("label", said, project=TOPIC, parents=[TOPIC])


MODERATED = replace(OPEN, moderators={MOD.genesis.cid: {"spam": BLOCK, "odd": Verdict.REVIEW}})


def moderated(store: Store, *labels: SignedObject) -> Keeper:
    keeper = Keeper(store, policy=MODERATED)
    admit(keeper, ANA.genesis, PROJECT, MOD.genesis, *labels)
    return keeper


@pytest.mark.parametrize("target", [BEAT.cid, BO.genesis.cid])
def test_a_label_keeps_out_what_comes_after_it(target: Cid) -> None:
    with MemoryStore() as store:
        admitted = admit(moderated(store, label(target)), *ALL)
        assert {BEAT.cid, MIX.cid} <= admitted.refused.keys()
        assert "label" in admitted.refused[BEAT.cid]


def test_a_label_hides_what_came_before_it_and_takes_it_back() -> None:
    with MemoryStore() as store:
        keeper = moderated(store)
        admit(keeper, *ALL)
        core = Core(keeper)
        core.take(admit(keeper, label(BEAT.cid)))
        core.require_equal(keeper)
        assert {BEAT.cid, MIX.cid} & core.members.keys() == set()
        core.take(admit(keeper, label(BEAT.cid, negate=True)))
        core.require_equal(keeper)
        assert {BEAT.cid, MIX.cid} <= core.members.keys()


def test_a_label_that_comes_with_its_target_hides_it() -> None:
    with MemoryStore() as store:
        keeper = moderated(store)
        core = Core(keeper)
        core.take(admit(keeper, *ALL, label(BEAT.cid)))
        core.require_equal(keeper)
        assert BEAT.cid not in core.members


def test_labels_that_are_here_count_from_the_start() -> None:
    with MemoryStore() as store:
        store.put(WriteBatch(objects=[*ALL, MOD.genesis, label(BEAT.cid)]))
        keeper = Keeper(store, policy=MODERATED)
        assert BEAT.cid not in members(keeper)


def test_a_label_may_ask_for_a_look() -> None:
    with MemoryStore() as store:
        admitted = admit(moderated(store, label(BEAT.cid, "odd")), *ALL)
        assert admitted.refused[BEAT.cid].startswith("waits for review: a moderator's label")


def test_labels_of_others_and_with_other_values_mean_nothing() -> None:
    with MemoryStore() as store:
        labels = (label(BEAT.cid, by=ANA), label(BEAT.cid, "nice"))
        assert not admit(moderated(store, *labels), *ALL).refused


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_whatever_is_blocked_in_whatever_order_the_core_is_told_of_it(data: st.DataObject) -> None:
    works = [VERSE]
    for number in range(data.draw(st.integers(1, 8))):
        parents = data.draw(st.lists(st.sampled_from(works), min_size=1, max_size=3, unique=True))
        works.append(data.draw(st.sampled_from((ANA, BO))).work(PROJECT, f"{number}", *parents))
    objects = [ANA.genesis, BO.genesis, PROJECT, *works]
    with MemoryStore() as store:
        keeper = Keeper(store, policy=OPEN)
        core = Core(keeper)
        pieces = data.draw(st.lists(st.integers(0, len(objects)), max_size=3).map(sorted))
        for start, stop in zip([0, *pieces], [*pieces, len(objects)], strict=True):
            core.take(admit(keeper, *objects[start:stop]))
            blocked = data.draw(st.sets(st.sampled_from(works), max_size=2))
            keeper.policy = replace(OPEN, objects={work.cid: BLOCK for work in blocked})
            core.take(keeper.catch_up())
            core.require_equal(keeper)
