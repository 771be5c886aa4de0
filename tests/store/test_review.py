"""Objects of authors whom nobody knows wait until the operator has looked at them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import replace
from hitp2p.errors import NotFoundError
from hitp2p.node import review as module
from hitp2p.node.held_card import show_held
from hitp2p.node.keeper import Keeper
from hitp2p.node.policy import Follow, Policy, Verdict
from hitp2p.node.review import Held, ReviewQueue
from hitp2p.objects.envelope import SignedObject
from hitp2p.protocol.actions import Admit, Admitted
from hitp2p.store.contract import Store, WriteBatch
from hitp2p.store.memory import MemoryStore
from hitp2p.testing.people import Person
from hitp2p.testing.store_suite import media_entry, raw_block
from hitp2p.trail.standing import Standing

ANA, BO, CY = Person("Ana"), Person("Bo"), Person("Cy")
PROJECT = ANA.project()
TOPIC = PROJECT.cid
VERSE = ANA.work(PROJECT, "Verse")
BEAT = BO.work(PROJECT, "Beat", VERSE)
MORE = BO.work(PROJECT, "More", BEAT)
ON_TOP = ANA.work(PROJECT, "On top", BEAT)
REVIEWING = Policy(follows=(Follow(topic=TOPIC),), default=Verdict.REVIEW)
BASE = (ANA.genesis, BO.genesis, CY.genesis, PROJECT, VERSE)


@pytest.fixture
def store() -> Iterator[Store]:
    with MemoryStore() as store:
        yield store


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[ReviewQueue]:
    with ReviewQueue(tmp_path) as queue:
        yield queue


@pytest.fixture
def keeper(store: Store, queue: ReviewQueue) -> Keeper:
    return Keeper(store, policy=REVIEWING, review=queue)


def admit(keeper: Keeper, *objects: SignedObject) -> Admitted:
    pairs = tuple((obj.cid, obj.block) for obj in objects)
    return keeper.admit(Admit(token=0, topic=TOPIC, objects=(), blocks=pairs))


def waiting(queue: ReviewQueue) -> list[Cid]:
    return [held.object.cid for held in queue]


def test_who_made_the_project_needs_no_look_and_strangers_do(
    keeper: Keeper, store: Store, queue: ReviewQueue
) -> None:
    admitted = admit(keeper, *BASE, BEAT)
    assert set(admitted.stored) == {obj.cid for obj in BASE}
    assert admitted.refused[BEAT.cid].startswith("waits for review")
    assert waiting(queue) == [BEAT.cid]
    assert not store.has(BEAT.cid)


def test_what_rests_on_one_that_waits_waits_with_it_in_the_same_batch_or_later(
    keeper: Keeper, queue: ReviewQueue
) -> None:
    admit(keeper, *BASE, MORE, BEAT)
    admitted = admit(keeper, ON_TOP)
    assert "rests on" in admitted.refused[ON_TOP.cid]
    assert admitted.waiting == ()
    assert set(waiting(queue)) == {BEAT.cid, MORE.cid, ON_TOP.cid}


def test_what_is_approved_is_stored_with_what_waited_for_nothing_else(
    keeper: Keeper, store: Store, queue: ReviewQueue
) -> None:
    admit(keeper, *BASE, BEAT, MORE, ON_TOP)
    assert set(queue.approve(store, [BEAT.cid])) == {BEAT.cid, ON_TOP.cid}
    assert waiting(queue) == [MORE.cid]
    told = {member.cid for member in keeper.catch_up().joined}
    assert told == {BO.genesis.cid, BEAT.cid, ON_TOP.cid}


def test_who_was_let_in_once_needs_no_look_any_more(
    keeper: Keeper, store: Store, queue: ReviewQueue
) -> None:
    admit(keeper, *BASE, BEAT)
    queue.approve(store, [BEAT.cid])
    keeper.catch_up()
    assert admit(keeper, MORE).stored == (MORE.cid,)


def test_approving_brings_what_is_required_along(
    keeper: Keeper, store: Store, queue: ReviewQueue
) -> None:
    admit(keeper, *BASE, BEAT, MORE)
    assert queue.approve(store, [MORE.cid]) == (BEAT.cid, MORE.cid)
    assert len(queue) == 0


def test_what_was_rejected_goes_with_what_rests_on_it_and_doesnt_come_back(
    keeper: Keeper, store: Store, queue: ReviewQueue
) -> None:
    admit(keeper, *BASE, BEAT, ON_TOP)
    assert set(queue.reject([BEAT.cid])) == {BEAT.cid, ON_TOP.cid}
    admitted = admit(keeper, BEAT)
    assert admitted.refused == {BEAT.cid: "the operator has rejected it"}
    assert waiting(queue) == []


def test_a_rule_to_review_an_author_holds_for_each_of_their_works(
    store: Store, queue: ReviewQueue
) -> None:
    policy = replace(REVIEWING, default=Verdict.ALLOW, authors={BO.genesis.cid: Verdict.REVIEW})
    keeper = Keeper(store, policy=policy, review=queue)
    admit(keeper, *BASE, BEAT)
    queue.approve(store, [BEAT.cid])
    keeper.catch_up()
    admit(keeper, MORE)
    assert waiting(queue) == [MORE.cid] == list(queue.by(BO.genesis.cid))


def test_what_is_here_already_doesnt_wait(store: Store, queue: ReviewQueue) -> None:
    policy = replace(REVIEWING, default=Verdict.ALLOW, authors={BO.genesis.cid: Verdict.REVIEW})
    store.put(WriteBatch(objects=[*BASE, BEAT]))
    admitted = admit(Keeper(store, policy=policy, review=queue), BEAT)
    assert (admitted.stored, len(queue)) == ((BEAT.cid,), 0)


def test_own_works_need_no_look(store: Store, queue: ReviewQueue) -> None:
    policy = replace(REVIEWING, own=frozenset([BO.genesis.cid]))
    assert not admit(Keeper(store, policy=policy, review=queue), *BASE, BEAT).refused


def test_a_forged_object_never_waits(keeper: Keeper, queue: ReviewQueue) -> None:
    admit(keeper, *BASE)
    block = bytearray(BEAT.block)
    block[20] ^= 1
    cid = Cid.of(0x71, bytes(block))
    action = Admit(token=0, topic=TOPIC, objects=(), blocks=((cid, bytes(block)),))
    assert list(keeper.admit(action).invalid) == [cid]
    assert len(queue) == 0


def test_a_full_queue_takes_no_more(
    keeper: Keeper, queue: ReviewQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_OBJECTS", 1)
    admit(keeper, *BASE, BEAT)
    assert admit(keeper, MORE).refused == {MORE.cid: "the review queue is full"}
    monkeypatch.setattr(module, "MOST_OBJECTS", 9)
    monkeypatch.setattr(module, "MOST_BYTES", len(BEAT.block) + len(MORE.block) - 1)
    assert admit(keeper, MORE).refused == {MORE.cid: "the review queue is full"}
    assert waiting(queue) == [BEAT.cid]


def test_the_oldest_rejections_are_forgotten(
    keeper: Keeper, queue: ReviewQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_REJECTED", 1)
    admit(keeper, *BASE, BEAT, MORE)
    queue.reject([MORE.cid])
    queue.reject([BEAT.cid])
    assert (queue.is_rejected(MORE.cid), queue.is_rejected(BEAT.cid)) == (False, True)


def test_what_doesnt_wait_cant_be_decided_on(store: Store, queue: ReviewQueue) -> None:
    with pytest.raises(NotFoundError, match="doesn't wait"):
        queue.approve(store, [BEAT.cid])
    with pytest.raises(NotFoundError, match="doesn't wait"):
        queue.reject([BEAT.cid])


def test_what_lost_its_base_meanwhile_stays_in_the_queue(
    keeper: Keeper, queue: ReviewQueue
) -> None:
    admit(keeper, *BASE, BEAT)
    with MemoryStore() as other:
        other.put(WriteBatch(objects=[ANA.genesis]))
        with pytest.raises(NotFoundError, match="can't be stored any more"):
            queue.approve(other, [BEAT.cid])
    assert waiting(queue) == [BEAT.cid]


def test_the_queue_is_seen_by_other_programs_and_outlives_the_node(
    keeper: Keeper, tmp_path: Path, queue: ReviewQueue
) -> None:
    admit(keeper, *BASE, BEAT)
    with ReviewQueue(tmp_path) as other:
        assert waiting(other) == [BEAT.cid]
        (held,) = other
        assert (held.reason, held.rests) == ("no rule speaks of its author", False)
        other.reject([BEAT.cid])
    assert len(queue) == 0


def test_the_same_object_waits_once(queue: ReviewQueue) -> None:
    held = Held(object=BEAT, reason="x", rests=False)
    assert queue.hold([held, held]) == frozenset() == queue.hold([held])
    assert len(queue) == 1


# --- the card -------------------------------------------------------------------------------------
def test_a_card_shows_sources_licenses_and_files_of_what_waits(
    store: Store, queue: ReviewQueue
) -> None:
    keeper = Keeper(store, policy=REVIEWING, review=queue)
    closed = ANA.work(PROJECT, "Closed", license="CC-BY-ND-4.0")
    sound = media_entry(raw_block(b"sound"))
    use = {"work": str(closed.cid), "relation": "remix"}
    remix = BO.work(PROJECT, "Remix", closed, uses=[use], license="CC0-1.0", media=[sound])
    admit(keeper, *BASE, closed, remix)
    card = show_held(store, queue, remix.cid)
    assert (card.title, card.author_name, card.standing) == ("Remix", "Bo", Standing.GOOD)
    assert [entry.file for entry in card.files] == [sound["file"]]
    assert card.credits is not None
    assert [line.cid for line in card.credits.lines] == [remix.cid, closed.cid]
    assert card.licenses is not None
    assert [edge.source for edge in card.licenses.conflicts] == [closed.cid]
    assert card.n_of_author == 1  # the identity itself


def test_a_card_of_a_work_on_top_of_another_that_waits_knows_that_one(
    keeper: Keeper, store: Store, queue: ReviewQueue
) -> None:
    admit(keeper, *BASE, BEAT, MORE)
    card = show_held(store, queue, MORE.cid)
    assert card.credits is not None
    assert BEAT.cid in [line.cid for line in card.credits.lines]


def test_a_card_of_a_comment_shows_its_words(
    keeper: Keeper, store: Store, queue: ReviewQueue
) -> None:
    words = BO.comment(VERSE, "What a bus!")
    admit(keeper, *BASE, words)
    card = show_held(store, queue, words.cid)
    assert (card.title, card.credits, card.licenses) == ("What a bus!", None, None)
    with pytest.raises(NotFoundError):
        show_held(store, queue, VERSE.cid)
