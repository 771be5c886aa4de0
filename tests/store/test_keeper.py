"""The keeper of a node: what peers bring, what they may have, what others put into the same store."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.errors import UnlistedError
from hitp2p.node.keeper import Keeper
from hitp2p.objects.envelope import SignedObject
from hitp2p.protocol.actions import Admit, Admitted, Load, Member, Want
from hitp2p.store.contract import Store, WriteBatch
from hitp2p.store.memory import MemoryStore
from hitp2p.store.sqlite import SqliteStore
from hitp2p.testing.people import Person
from hitp2p.testing.store_suite import Story, answers, raw_block

STORY = Story()
TOPIC = STORY.project.cid
OURS = [obj for obj in STORY.objects if obj is not STORY.elsewhere]


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        with MemoryStore() as memory:
            yield memory
    else:
        with SqliteStore.open(tmp_path / "store") as sqlite:
            yield sqlite


@pytest.fixture
def keeper(store: Store) -> Keeper:
    keeper = Keeper(store)
    keeper.follow(TOPIC, media=2)
    return keeper


def admit(
    keeper: Keeper,
    *objects: SignedObject,
    blocks: Mapping[Cid, bytes] | None = None,
    wants: tuple[Want, ...] = (),
    topic: Cid = TOPIC,
) -> Admitted:
    pairs = [(obj.cid, obj.block) for obj in objects] + list((blocks or {}).items())
    return keeper.admit(Admit(token=1, topic=topic, objects=(), blocks=tuple(pairs), wants=wants))


def load(keeper: Keeper, *cids: Cid, file: Cid | None = None, topic: Cid = TOPIC) -> set[Cid]:
    action = Load(token=1, topic=topic, scope=1, cids=cids, file=file, most=10**9)
    return set(keeper.load(action))


def names(members: Iterator[Member] | tuple[Member, ...]) -> list[Cid]:
    return [member.cid for member in members]


def unordered(value: Any) -> Any:
    """Answers without the order of arrival, which is a store's own."""
    if isinstance(value, dict):
        return {key: unordered(one) for key, one in value.items()}
    return sorted(map(unordered, value), key=repr) if isinstance(value, list | tuple) else value


# --- sets -----------------------------------------------------------------------------------------
def test_net_1_a_project_has_its_objects_and_the_events_of_who_speaks_in_it(
    keeper: Keeper, store: Store
) -> None:
    cy = Person("Cy")
    store.put(WriteBatch(objects=[*STORY.objects, STORY.bo.rotated(), cy.genesis]))
    members = list(keeper.members(TOPIC))
    assert {m.cid for m in members} == {obj.cid for obj in (*OURS, STORY.bo.rotated())}
    places = {m.cid: place for place, m in enumerate(members)}
    assert all(places[need] < places[obj.cid] for obj in OURS for need in obj.required)
    assert {m.cid for m in members if m.is_head} == set(store.heads(TOPIC))
    assert all(m.size == len(store.get(m.cid) or b"") for m in members)


def test_net_1_an_identity_has_its_events_and_what_it_said_outside_of_projects(
    keeper: Keeper, store: Store
) -> None:
    bo, second = STORY.bo.genesis, STORY.bo.rotated()
    profile = STORY.bo.sign("profile", {"name": "Bo of the bus"})
    store.put(WriteBatch(objects=[*STORY.objects, second, profile]))
    keeper.follow(bo.cid)
    assert set(names(keeper.members(bo.cid))) == {bo.cid, second.cid, profile.cid}
    assert [m.cid for m in keeper.members(bo.cid) if m.is_head] == [second.cid]


def test_what_is_admitted_joins_in_the_order_of_what_it_requires(keeper: Keeper) -> None:
    admitted = admit(keeper, *OURS[::-1])
    assert set(admitted.stored) == {obj.cid for obj in OURS} == set(names(admitted.joined))
    seen: set[Cid] = set()
    by_cid = {obj.cid: obj for obj in OURS}
    for member in admitted.joined:
        assert seen.issuperset(by_cid[member.cid].required)
        seen.add(member.cid)
    assert {m.cid for m in admitted.joined if m.is_head} == {
        STORY.song.cid,
        STORY.other_head.cid,
    }


def test_events_that_were_here_before_join_with_the_first_work(keeper: Keeper) -> None:
    ana, bo = STORY.ana.genesis, STORY.bo.genesis
    first = admit(keeper, ana, bo, STORY.bo.rotated(), STORY.project)
    assert set(names(first.joined)) == {ana.cid, STORY.project.cid}
    second = admit(keeper, STORY.beat)
    assert names(second.joined) == [bo.cid, STORY.bo.rotated().cid, STORY.beat.cid]
    assert set(names(keeper.members(TOPIC))) == {
        *names(first.joined),
        *names(second.joined),
    }


def test_what_is_built_on_is_no_head_any_more(keeper: Keeper) -> None:
    admit(keeper, STORY.ana.genesis, STORY.bo.genesis, STORY.project, STORY.verse, STORY.beat)
    admitted = admit(keeper, STORY.song)
    assert {cid for _, cid in admitted.no_heads} == {STORY.verse.cid, STORY.beat.cid}
    assert [m.is_head for m in admitted.joined] == [True]


def test_what_the_user_makes_meanwhile_is_told(keeper: Keeper, store: Store) -> None:
    admit(keeper, *OURS[:5])
    store.put(WriteBatch(objects=[STORY.song]))
    assert names(keeper.catch_up().joined) == [STORY.song.cid]
    assert keeper.catch_up() == Admitted()
    store.put(WriteBatch(objects=[STORY.comment]))
    assert set(names(admit(keeper, STORY.other_head).joined)) == {
        STORY.comment.cid,
        STORY.other_head.cid,
    }


# --- judging --------------------------------------------------------------------------------------
def test_a_batch_with_one_bad_object_stores_the_rest(keeper: Keeper, store: Store) -> None:
    forged = bytearray(STORY.beat.block)
    forged[10] ^= 1
    cid = Cid.of(DAG_CBOR, bytes(forged))
    admitted = admit(keeper, *OURS, blocks={cid: bytes(forged)})
    assert list(admitted.invalid) == [cid]
    assert set(admitted.stored) == {obj.cid for obj in OURS}
    assert not store.has(cid)


def test_what_lacks_something_waits_and_says_for_what(keeper: Keeper, store: Store) -> None:
    admitted = admit(keeper, STORY.ana.genesis, STORY.song)
    ((waiting, missing),) = admitted.waiting
    assert waiting == STORY.song
    assert set(missing) == {*STORY.song.required} - {STORY.ana.genesis.cid}
    assert admitted.stored == (STORY.ana.genesis.cid,)
    rest = [obj for obj in OURS if obj is not STORY.song]
    action = Admit(
        token=1,
        topic=TOPIC,
        objects=(waiting,),
        blocks=tuple((obj.cid, obj.block) for obj in rest),
    )
    assert set(keeper.admit(action).stored) == {obj.cid for obj in OURS}


def test_what_belongs_to_nothing_that_is_followed_is_refused(keeper: Keeper, store: Store) -> None:
    admitted = admit(keeper, *STORY.objects)
    assert list(admitted.refused) == [STORY.elsewhere.cid]
    assert not store.has(STORY.elsewhere.cid)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_order_and_repetition_of_delivery_gives_the_same_store_and_sets(
    data: st.DataObject,
) -> None:
    objects = [*OURS, STORY.bo.rotated()]
    order = data.draw(st.permutations(objects + data.draw(st.lists(st.sampled_from(objects)))))
    with MemoryStore() as whole, MemoryStore() as store:
        whole.put(WriteBatch(objects=objects))
        keeper = Keeper(store)
        keeper.follow(TOPIC)
        told: dict[Cid, Member] = {}
        heads: set[Cid] = set()
        pool: dict[Cid, SignedObject] = {}
        while order:
            n = data.draw(st.integers(1, len(order)))
            batch, order = order[:n], order[n:]
            given_ = tuple(pool.values())
            pairs = tuple((obj.cid, obj.block) for obj in batch)
            admitted = keeper.admit(Admit(token=0, topic=TOPIC, objects=given_, blocks=pairs))
            for obj, _ in admitted.waiting:
                pool[obj.cid] = obj
            for member in admitted.joined:
                told[member.cid] = member
                heads |= {member.cid} if member.is_head else set()
            heads -= {cid for _, cid in admitted.no_heads}
        assert unordered(answers(store, objects)) == unordered(answers(whole, objects))
        members = list(keeper.members(TOPIC))
        assert set(told) == set(names(iter(members)))
        assert heads == {m.cid for m in members if m.is_head}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=5), st.data())
def test_junk_never_raises_and_is_never_stored(junk: list[bytes], data: st.DataObject) -> None:
    with MemoryStore() as store:
        keeper = Keeper(store)
        keeper.follow(TOPIC, media=2)
        blocks = tuple(
            (Cid.of(data.draw(st.sampled_from((DAG_CBOR, 0x55, 0x70))), block), block)
            for block in junk
        )
        wants = tuple(Want(TOPIC, cid, None) for cid, _ in blocks)
        admitted = keeper.admit(Admit(token=0, topic=TOPIC, objects=(), blocks=blocks, wants=wants))
        assert admitted.stored == ()
        assert list(store.iter_cids()) == []


def test_what_another_program_removes_meanwhile_is_missed(
    keeper: Keeper, tmp_path: Path, store: Store
) -> None:
    admit(keeper, STORY.ana.genesis, STORY.bo.genesis, STORY.project, STORY.verse, STORY.beat)
    store.remove([STORY.verse.cid])  # which the keeper remembers
    admitted = admit(keeper, STORY.song, STORY.other_head)
    assert [(obj, cids) for obj, cids in admitted.waiting] == [(STORY.song, (STORY.verse.cid,))]
    assert admitted.stored == (STORY.other_head.cid,)


def test_what_the_user_makes_while_the_node_stores_is_told_once_and_in_order(
    tmp_path: Path,
) -> None:
    works = [STORY.bo.work(STORY.project, f"Brought {n}") for n in range(60)]
    made = [STORY.ana.work(STORY.project, "Made 0")]
    for n in range(1, 60):
        made.append(STORY.ana.work(STORY.project, f"Made {n}", made[-1]))
    with SqliteStore.open(tmp_path / "s") as mine, SqliteStore.open(tmp_path / "s") as other:
        keeper = Keeper(mine)
        keeper.follow(TOPIC)
        told = list(admit(keeper, *OURS).joined)

        def contribute() -> None:
            for work in made:
                other.put(WriteBatch(objects=[work]), durable=False)

        user = threading.Thread(target=contribute)
        user.start()
        for work in works:
            told.extend(admit(keeper, work).joined)
        user.join()
        told.extend(keeper.catch_up().joined)
        assert len(told) == len(set(names(tuple(told))))
        assert set(names(tuple(told))) == set(names(keeper.members(TOPIC)))
        places = {cid: place for place, cid in enumerate(names(tuple(told)))}
        assert [places[work.cid] for work in made] == sorted(places[work.cid] for work in made)


def test_events_of_strangers_come_with_a_project_and_not_with_a_person(store: Store) -> None:
    keeper, cy, dee = Keeper(store), Person("Cy"), Person("Dee")
    keeper.follow(cy.genesis.cid)
    admit(keeper, cy.genesis, topic=cy.genesis.cid)
    assert list(admit(keeper, dee.genesis, topic=cy.genesis.cid).refused) == [dee.genesis.cid]
    keeper.follow(TOPIC)
    assert admit(keeper, dee.genesis).stored == (dee.genesis.cid,)


def test_a_damaged_copy_is_healed_by_what_a_peer_brings(tmp_path: Path) -> None:
    with SqliteStore.open(tmp_path / "s") as store:
        keeper = Keeper(store)
        keeper.follow(TOPIC)
        admit(keeper, *OURS)
        with sqlite3.connect(tmp_path / "s" / "store.db") as db:
            damaged = STORY.verse.block[:-1] + b"x"
            db.execute("UPDATE block SET data = ? WHERE cid = ?", (damaged, bytes(STORY.verse.cid)))
        db.close()
        assert load(Keeper(store), STORY.verse.cid) == set()
        again = Keeper(store)
        again.follow(TOPIC)
        assert load(again, STORY.verse.cid) == set()
        assert admit(again, STORY.verse).stored == (STORY.verse.cid,)
        assert load(again, STORY.verse.cid) == {STORY.verse.cid}


# --- what they link to ----------------------------------------------------------------------------
def test_pages_and_files_are_wanted_and_come(keeper: Keeper, store: Store) -> None:
    admitted = admit(keeper, *OURS)
    page, sound = STORY.page[0], STORY.sound[0]
    assert set(admitted.wants) == {Want(TOPIC, page, None), Want(TOPIC, sound, None)}
    assert set(keeper.wants(TOPIC)) == set(admitted.wants)
    came = admit(keeper, blocks=dict([STORY.page, STORY.sound]), wants=admitted.wants)
    assert set(came.stored) == {page, sound}
    assert keeper.wants(TOPIC) == () == came.wants
    assert store.get(sound) == STORY.sound[1]


def test_a_block_that_nobody_wanted_is_left(keeper: Keeper, store: Store) -> None:
    admit(keeper, *OURS)
    cid, block = raw_block(b"nobody's")
    assert admit(keeper, blocks={cid: block, STORY.page[0]: STORY.page[1]}).stored == ()
    wants = (Want(TOPIC, cid, None),)
    assert list(admit(keeper, blocks={cid: block}, wants=wants).refused) == [cid]
    assert not store.has(cid)


# --- lending --------------------------------------------------------------------------------------
def test_net_17_members_and_what_they_link_to_are_lent_and_nothing_else(
    keeper: Keeper, store: Store
) -> None:
    store.put(STORY.batch)
    stray = raw_block(b"stray")
    store.put(WriteBatch(blocks=[stray]))
    keeper.catch_up()
    everything = [*store.iter_cids()]
    lent = load(keeper, *everything)
    assert lent == {*everything} - {STORY.elsewhere.cid, stray[0]}
    assert load(keeper, *everything, topic=STORY.elsewhere.cid) == set()


def test_net_17_nothing_of_an_unlisted_project_is_lent(keeper: Keeper, store: Store) -> None:
    store.put(STORY.batch)
    keeper.catch_up()
    store.mark_unlisted([TOPIC])
    assert load(keeper, *store.iter_cids()) == set()
    assert list(keeper.members(TOPIC)) == []


def test_what_is_unlisted_later_is_followed_no_more(keeper: Keeper, store: Store) -> None:
    store.put(STORY.batch)
    assert keeper.unfollow_unlisted() == ()
    store.mark_unlisted([TOPIC, STORY.elsewhere.cid])
    assert keeper.unfollow_unlisted() == (TOPIC,)
    assert keeper.policy.follows == ()
    with pytest.raises(UnlistedError):
        keeper.follow(TOPIC)
