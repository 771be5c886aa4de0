"""What is accepted, kept up to date in a store: the same as the rule says of the set, whatever came in which order."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from project_club import ANA, BO, CY, DEE, Scene
from trail_maker import make_page

from hitp2p.codec.cid import Cid
from hitp2p.node.acceptance import Acceptance
from hitp2p.node.remembered import Remembered
from hitp2p.objects.envelope import SignedObject
from hitp2p.store.contract import WriteBatch
from hitp2p.store.memory import MemoryStore


def keeping(store: MemoryStore) -> Acceptance:
    return Acceptance(store, lookup=Remembered(store).get)


def play(scene: Scene, objects: Sequence[SignedObject]) -> None:
    """Objects come one by one, each once what it requires is there; after each the answer is the rule's."""
    store = MemoryStore()
    accepted = keeping(store)
    here: list[SignedObject] = []
    waiting = list(objects)
    while waiting:
        ready = [obj for obj in waiting if all(store.row(cid) for cid in obj.required)]
        obj = ready[0]
        waiting.remove(obj)
        store.put(WriteBatch(objects=[obj]))
        here.append(obj)
        if store.row(scene.project.cid):
            now = scene.accepted(project_set(scene, here))
            assert set(accepted(scene.project.cid)) == now


def project_set(scene: Scene, here: Sequence[SignedObject]) -> list[SignedObject]:
    """What the rule is about: the project's objects, and the events of those who speak in one."""
    inside = [obj for obj in here if obj.project_cid == scene.project.cid]
    speakers = {obj.identity for obj in inside}
    return [*inside, *(obj for obj in here if obj.kind == "identity" and obj.identity in speakers)]


@given(st.randoms(use_true_random=False))
def test_sta_5_whatever_comes_first_the_answer_is_that_of_the_set(chance: random.Random) -> None:
    scene = Scene()
    rules = scene.rules(DEE, CY)
    scene.enact(rules, ANA, BO)
    scene.vote(DEE, "accept", scene.other, under=rules)
    scene.vote(CY, "accept", scene.other, under=rules)
    target = {"object": str(scene.votes[0].cid)}
    scene.add(ANA, "withdrawal", {"target": target, "scope": "work"})
    objects = list(dict.fromkeys(scene.objects))
    chance.shuffle(objects)
    play(scene, objects)


def test_a_page_that_comes_late_is_noticed() -> None:
    scene = Scene()
    cid, block = make_page(*sorted(str(vote.cid) for vote in scene.votes))
    scene.enact(scene.rules(CY, BO, keep_pages=[cid]), ANA, BO)
    store = MemoryStore()
    store.put(WriteBatch(objects=list(dict.fromkeys(scene.objects))))
    accepted = keeping(store)
    assert scene.base.cid not in accepted(scene.project.cid)
    store.put(WriteBatch(blocks=[(cid, block)]))
    assert scene.base.cid in accepted(scene.project.cid)


def test_what_is_no_project_has_no_members() -> None:
    scene = Scene()
    store = MemoryStore()
    accepted = keeping(store)
    assert accepted(scene.project.cid) == ()
    store.put(WriteBatch(objects=list(dict.fromkeys(scene.objects))))
    assert accepted(scene.work.cid) == ()
    assert accepted(Cid.parse(str(DEE.genesis.cid))) == ()


def test_a_new_work_costs_no_look_at_the_others() -> None:
    scene = Scene()
    store = MemoryStore()
    store.put(WriteBatch(objects=list(dict.fromkeys(scene.objects))))
    asked: list[Cid] = []
    remembered = Remembered(store)

    def lookup(cid: Cid) -> SignedObject | None:
        asked.append(cid)
        return remembered.get(cid)

    accepted = Acceptance(store, lookup=lookup)
    accepted(scene.project.cid)
    asked.clear()
    new = ANA.work(scene.project, "New", scene.own)
    store.put(WriteBatch(objects=[new]))
    assert new.cid in accepted(scene.project.cid)
    assert set(asked) <= {new.cid, *new.required}
