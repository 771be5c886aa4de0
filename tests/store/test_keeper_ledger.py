"""What a node remembers of its work: a start costs what has come since, and quotas ask what is taken up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import replace
from hitp2p.node.keeper import Keeper
from hitp2p.node.ledger import LEDGER, Ledger
from hitp2p.node.policy import Follow, Policy, Verdict
from hitp2p.node.quotas import Amount, Quotas, Usage, over_quota
from hitp2p.objects.envelope import SignedObject
from hitp2p.protocol.actions import Admit, Admitted, Want
from hitp2p.store.contract import WriteBatch
from hitp2p.store.memory import MemoryStore
from hitp2p.store.sqlite import SqliteStore
from hitp2p.testing.people import Person
from hitp2p.testing.store_suite import Story, media_entry, raw_block

STORY = Story()
TOPIC = STORY.project.cid
OURS = [obj for obj in STORY.objects if obj is not STORY.elsewhere]
PAGE, SOUND = Want(TOPIC, STORY.page[0], None), Want(TOPIC, STORY.sound[0], None)
ALL_MEDIA = Policy(follows=(Follow(topic=TOPIC, media=2),))


class CountingStore(SqliteStore):
    """Counts the blocks that are read."""

    n_read = 0

    def get(self, cid: Cid, /) -> bytes | None:
        self.n_read += 1
        return super().get(cid)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CountingStore]:
    with CountingStore.open(tmp_path / "store") as store:
        assert isinstance(store, CountingStore)
        yield store


def admit(
    keeper: Keeper,
    *objects: SignedObject,
    blocks: dict[Cid, bytes] | None = None,
    wants: tuple[Want, ...] = (),
) -> Admitted:
    pairs = [*((obj.cid, obj.block) for obj in objects), *(blocks or {}).items()]
    return keeper.admit(Admit(token=0, topic=TOPIC, objects=(), blocks=tuple(pairs), wants=wants))


# --- starts ---------------------------------------------------------------------------------------
def test_a_start_reads_nothing_where_nothing_has_come(store: CountingStore, tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        keeper = Keeper(store, policy=ALL_MEDIA, ledger=ledger)
        assert keeper.wants(TOPIC) == ()
        admit(keeper, *OURS)
        admit(keeper, blocks=dict([STORY.page]), wants=(PAGE,))
    with Ledger(tmp_path) as ledger:
        keeper = Keeper(store, policy=ALL_MEDIA, ledger=ledger)
        store.n_read = 0
        assert keeper.wants(TOPIC) == (SOUND,)
        assert store.n_read == 0


def test_a_start_looks_at_what_has_come_since(store: CountingStore, tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        keeper = Keeper(store, policy=ALL_MEDIA, ledger=ledger)
        keeper.wants(TOPIC)
        admit(keeper, *(obj for obj in OURS if obj is not STORY.song and obj is not STORY.comment))
    store.put(WriteBatch(objects=[STORY.song, STORY.comment]))
    with Ledger(tmp_path) as ledger:
        assert set(Keeper(store, policy=ALL_MEDIA, ledger=ledger).wants(TOPIC)) == {PAGE, SOUND}


def test_other_media_than_before_are_looked_for_in_all_members(
    store: CountingStore, tmp_path: Path
) -> None:
    for media, wanted in ((0, {PAGE}), (2, {PAGE, SOUND}), (0, {PAGE})):
        with Ledger(tmp_path) as ledger:
            policy = Policy(follows=(Follow(topic=TOPIC, media=media),))
            keeper = Keeper(store, policy=policy, ledger=ledger)
            admit(keeper, *OURS)
            assert set(keeper.wants(TOPIC)) == wanted


def test_another_store_under_the_same_ledger_is_read_anew(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger, MemoryStore() as one, MemoryStore() as other:
        keeper = Keeper(one, policy=ALL_MEDIA, ledger=ledger)
        keeper.wants(TOPIC)
        admit(keeper, *OURS)
        other.put(WriteBatch(objects=OURS[::-1], blocks=[STORY.page]))
        assert Keeper(other, policy=ALL_MEDIA, ledger=ledger).wants(TOPIC) == (SOUND,)


def test_what_is_unfollowed_is_forgotten(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger, MemoryStore() as store:
        keeper = Keeper(store, policy=ALL_MEDIA, ledger=ledger)
        keeper.wants(TOPIC)
        admit(keeper, *OURS)
        keeper.unfollow(TOPIC)
        assert ledger.wanted(TOPIC) == ()
        assert ledger.looked(TOPIC) is None
        assert ledger.usage() == {}
        assert keeper.wants(TOPIC) == ()


def test_a_damaged_ledger_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / LEDGER).write_bytes(b"no database" * 1000)
    with Ledger(tmp_path) as ledger:
        assert ledger.usage() == {}


def test_what_was_blocked_when_it_was_linked_is_wanted_once_it_is_not(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger, MemoryStore() as store:
        blocking = replace(ALL_MEDIA, objects={STORY.sound[0]: Verdict.BLOCK})
        keeper = Keeper(store, policy=blocking, ledger=ledger)
        keeper.wants(TOPIC)
        assert admit(keeper, *OURS).wants == (PAGE,)
        came = admit(keeper, blocks=dict([STORY.sound]), wants=(SOUND,))
        assert list(came.refused) == [STORY.sound[0]]
        again = Keeper(store, policy=ALL_MEDIA, ledger=ledger)
        assert set(again.wants(TOPIC)) == {PAGE, SOUND}


# --- quotas ---------------------------------------------------------------------------------------
def test_amounts_add_up_by_topic_and_author() -> None:
    ana, bo = STORY.ana.genesis.cid, STORY.bo.genesis.cid
    usage = Usage({(TOPIC, ana): Amount(1, 10), (TOPIC, bo): Amount(2, 20)})
    usage.add((bo, bo), Amount(1, 5))
    assert usage.total == (4, 35)
    assert (usage.of_topic(TOPIC), usage.of_author(bo)) == ((3, 30), (3, 25))
    usage.forget(TOPIC)
    assert (usage.total, usage.of_author(bo), usage.of_author(ana)) == ((1, 5), (1, 5), (0, 0))


@pytest.mark.parametrize(
    "name",
    [
        "all_objects",
        "all_bytes",
        "project_objects",
        "project_bytes",
        "author_objects",
        "author_bytes",
    ],
)
def test_a_quota_is_reached_and_not_passed(name: str) -> None:
    account = (TOPIC, STORY.ana.genesis.cid)
    usage, batch = Usage({account: Amount(2, 2)}), Usage({account: Amount(1, 1)})
    quotas = Quotas(**{name: 4})
    assert over_quota(quotas, usage, batch, account, Amount(1, 1)) is None
    fault = over_quota(quotas, usage, batch, account, Amount(2, 2))
    assert fault == f"over the quota {name}: 5 where 4 are allowed"


def with_quotas(**bounds: int) -> Policy:
    return replace(ALL_MEDIA, quotas=Quotas(**bounds))


def test_what_goes_over_a_quota_is_refused_and_nothing_that_rests_on_it_stays() -> None:
    with MemoryStore() as store:
        keeper = Keeper(store, policy=with_quotas(project_objects=5))
        admitted = admit(keeper, *OURS)
        assert len(admitted.stored) == 5 == len(list(store.rows()))
        assert len(admitted.refused) == len(OURS) - 5
        assert any("project_objects" in reason for reason in admitted.refused.values())


def test_media_count_for_the_quota_in_bytes() -> None:
    with MemoryStore() as store:
        n_bytes = sum(len(obj.block) for obj in OURS) + len(STORY.page[1])
        keeper = Keeper(store, policy=with_quotas(project_bytes=n_bytes + len(STORY.sound[1]) - 1))
        admit(keeper, *OURS)
        came = admit(keeper, blocks=dict([STORY.page, STORY.sound]), wants=(PAGE, SOUND))
        assert (came.stored, list(came.refused)) == ((STORY.page[0],), [STORY.sound[0]])


def test_what_is_here_takes_no_more_room_when_it_comes_again() -> None:
    with MemoryStore() as store:
        keeper = Keeper(store, policy=with_quotas(all_objects=len(OURS)))
        for _ in range(2):
            assert len(admit(keeper, *OURS).stored) == len(OURS)


def test_own_works_and_pinned_topics_are_not_counted() -> None:
    bo = STORY.bo.genesis.cid
    with MemoryStore() as store:
        policy = with_quotas(all_objects=5)
        own = replace(policy, own=frozenset([bo]))
        assert not admit(Keeper(store, policy=own), *OURS).refused
    with MemoryStore() as store:
        pinned = replace(policy, pinned=frozenset([TOPIC]))
        assert not admit(Keeper(store, policy=pinned), *OURS).refused


def test_identities_that_nobody_has_heard_of_take_room_too() -> None:
    with MemoryStore() as store:
        keeper = Keeper(store, policy=with_quotas(project_objects=10))
        strangers = [Person(f"Stranger {n}").genesis for n in range(20)]
        for one in strangers:
            admit(keeper, one)
        assert len(list(store.rows())) == 10


def test_usage_outlives_the_program(tmp_path: Path) -> None:
    with MemoryStore() as store:
        with Ledger(tmp_path) as ledger:
            keeper = Keeper(store, policy=with_quotas(all_objects=9), ledger=ledger)
            keeper.wants(TOPIC)
            admit(keeper, *OURS)
        with Ledger(tmp_path) as ledger:
            keeper = Keeper(store, policy=with_quotas(all_objects=9), ledger=ledger)
            keeper.wants(TOPIC)
            more = [STORY.ana.work(STORY.project, f"More {n}") for n in range(3)]
            assert len(admit(keeper, *more).stored) == 9 - len(OURS)


def test_a_long_file_is_refused_piece_by_piece_once_the_quota_is_reached() -> None:
    sounds = [raw_block(bytes([n]) * 1000) for n in range(3)]
    work = STORY.ana.work(STORY.project, "Three", media=[media_entry(one) for one in sounds])
    objects = [STORY.ana.genesis, STORY.project, work]
    n_bytes = sum(len(obj.block) for obj in objects) + 2000
    with MemoryStore() as store:
        keeper = Keeper(store, policy=with_quotas(author_bytes=n_bytes))
        wants = admit(keeper, *objects).wants
        stored = [admit(keeper, blocks=dict([one]), wants=wants).stored for one in sounds]
        assert [len(one) for one in stored] == [1, 1, 0]


def test_room_that_is_left_to_others_is_not_taken() -> None:
    with MemoryStore() as store:
        free = 1000
        keeper = Keeper(store, policy=with_quotas(keep_free_bytes=1000), free_bytes=lambda: free)
        assert admit(keeper, *OURS[:3]).stored
        free = 999
        assert admit(keeper, *OURS) == Admitted(full=True)
        assert not admit(keeper).full
        assert len(list(store.rows())) == 3


def test_a_keeper_goes_on_where_the_last_one_in_its_folder_ended(tmp_path: Path) -> None:
    with MemoryStore() as store:
        with Keeper.open(store, tmp_path, policy=ALL_MEDIA) as keeper:
            keeper.wants(TOPIC)
            admit(keeper, *OURS)
            keeper.forget_media(STORY.sound[0], reason="", time=7)
        with Keeper.open(store, tmp_path, policy=ALL_MEDIA) as keeper:
            assert keeper.wants(TOPIC) == (PAGE,)


def test_what_is_counted_anew_is_what_was_counted_as_it_came(tmp_path: Path) -> None:
    with MemoryStore() as store, Ledger(tmp_path) as ledger:
        keeper = Keeper(store, policy=ALL_MEDIA, ledger=ledger)
        keeper.wants(TOPIC)
        admit(keeper, *OURS)
        admit(keeper, blocks=dict([STORY.page, STORY.sound]), wants=(PAGE, SOUND))
        before = ledger.usage()
        keeper.unfollow(TOPIC)
        keeper.follow(TOPIC, media=2)
        keeper.wants(TOPIC)
        assert ledger.usage() == before
