"""Which events of an identity count."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from trail_maker import Person

from hitp2p.codec.cid import Cid
from hitp2p.errors import MissingBlocksError
from hitp2p.objects.envelope import SignedObject
from hitp2p.trail.line import IdentityLine, Place, identity_line

ANA = Person("Ana", next_keys=["safe", "spare"])
G = ANA.genesis


def event(
    signer: str,
    *after: SignedObject,
    next_keys: Sequence[str] = ("safe", "spare"),
    time: int = 0,
) -> SignedObject:
    """An event that changes no signing key; `time` only makes it another one."""
    return ANA.rotate(signer=signer, keys=ANA.keys, next_keys=next_keys, after=after, time=time)


def line_of(*events: SignedObject) -> IdentityLine:
    return identity_line(G.cid, [G, *events])


def cids(*events: SignedObject) -> set[Cid]:
    return {event.cid for event in events}


def test_idn_10_a_genesis_alone_is_the_line() -> None:
    line = line_of()
    assert (line.line, line.end, line.ends) == ((G.cid,), G.cid, (G.cid,))
    assert not line.is_forked


def test_idn_10_a_chain_is_the_line() -> None:
    a = event("safe", G)
    b = event("spare", a)
    line = line_of(b, a)
    assert line.line == (G.cid, a.cid, b.cid)
    assert line.end == b.cid


def test_idn_10_the_better_rank_wins_and_the_other_branch_is_lost() -> None:
    a = event("safe", G)
    b = event("spare", G)
    c = event("safe", b)
    line = line_of(a, b, c)
    assert line.line == (G.cid, a.cid)
    assert line.lost == cids(b, c)
    assert not line.is_forked


def test_idn_10_one_key_used_twice_is_a_fork_and_nobody_picks_a_side() -> None:
    a, b = event("safe", G), event("safe", G, time=1)
    c = event("spare", G)
    a2 = event("safe", a)
    line = line_of(a, b, c, a2)
    assert line.forked_at == G.cid == line.end
    assert set(line.tied) == cids(a, b)
    assert set(line.ends) == cids(a2, b)
    assert line.lost == cids(c)
    assert [line.place(e.cid) for e in (G, a, a2, b, c)] == [
        Place.LINE,
        Place.TIED,
        Place.TIED,
        Place.TIED,
        Place.LOST,
    ]


def test_idn_10_an_event_that_reaches_all_tied_branches_resolves_the_fork() -> None:
    a, b = event("safe", G), event("safe", G, time=1)
    a2 = event("safe", a)
    a3 = event("safe", a2)
    join = event("spare", a2, b)
    line = line_of(a, b, a2, a3, join)
    assert not line.is_forked
    assert line.end == join.cid
    assert set(line.line) == cids(G, a, b, a2, join)
    assert line.lost == cids(a3)


def test_idn_10_what_joins_only_some_of_the_tied_branches_resolves_nothing() -> None:
    a, b, c = (event("safe", G, time=n) for n in range(3))
    half = event("safe", a, b)
    line = line_of(a, b, c, half)
    assert set(line.tied) == cids(a, b, c)
    assert set(line.ends) == cids(half, c)
    whole = event("safe", half, c)
    assert line_of(a, b, c, half, whole).end == whole.cid


def test_idn_10_what_follows_a_join_does_not_compete_with_it() -> None:
    a, b = event("safe", G), event("safe", G, time=1)
    join = event("spare", a, b)
    after = event("safe", join)
    line = line_of(a, b, join, after)
    assert line.end == after.cid
    assert set(line.line) == cids(G, a, b, join, after)


def test_idn_10_the_join_of_lowest_rank_wins() -> None:
    a, b = event("safe", G), event("safe", G, time=1)
    better, worse = event("safe", a, b), event("spare", a, b)
    line = line_of(a, b, better, worse)
    assert line.end == better.cid
    assert line.lost == cids(worse)


def test_idn_10_the_highest_place_over_its_parents_is_the_rank_of_a_join() -> None:
    a = event("safe", G, next_keys=["x", "y"])
    b = event("safe", G, next_keys=["y", "x"])
    one, two = event("x", a, b), event("y", a, b)
    assert line_of(a, b, one, two).forked_at == G.cid


def test_idn_10_joins_of_one_rank_are_a_fork_again() -> None:
    a, b = event("safe", G), event("safe", G, time=1)
    one, two = event("safe", a, b), event("safe", a, b, time=1)
    line = line_of(a, b, one, two)
    assert set(line.tied) == cids(one, two)
    assert set(line.line) == cids(G, a, b)
    last = event("safe", one, two)
    assert line_of(a, b, one, two, last).end == last.cid


def test_idn_10_forks_inside_a_branch_give_more_ends() -> None:
    a, b = event("safe", G), event("safe", G, time=1)
    a1, a2 = event("safe", a), event("safe", a, time=1)
    line = line_of(a, b, a1, a2)
    assert set(line.tied) == cids(a, b)
    assert set(line.ends) == cids(a1, a2, b)


def test_idn_10_an_event_on_its_own_grandparent_can_tie_with_its_parent() -> None:
    a = event("safe", G)
    b = event("safe", G, a)
    line = line_of(a, b)
    assert set(line.tied) == cids(a, b)
    assert line.place(a.cid) is Place.TIED
    assert line_of(a, b, c := event("safe", b)).end == c.cid


def test_idn_10_a_later_event_can_take_up_a_lost_branch() -> None:
    a, b = event("safe", G), event("spare", G)
    join = event("safe", a, b)
    line = line_of(a, b, join)
    assert line.end == join.cid
    assert line.place(b.cid) is Place.LINE


def test_idn_10_the_line_is_a_function_of_the_set() -> None:
    a, b = event("safe", G), event("safe", G, time=1)
    a1, a2, c = event("safe", a), event("spare", a), event("spare", G)
    join = event("spare", a1, b)
    events = [G, a, b, a1, a2, c, join, event("safe", a1, time=7)]
    expected = identity_line(G.cid, events)
    for seed in range(50):
        shuffled = events + events[::2]
        Random(seed).shuffle(shuffled)
        assert identity_line(G.cid, shuffled) == expected


def test_events_of_others_are_passed_over() -> None:
    bo = Person("Bo")
    assert identity_line(G.cid, [G, bo.genesis, ANA.project()]).line == (G.cid,)


def test_a_missing_event_is_named() -> None:
    a = event("safe", G)
    b = event("safe", a)
    with pytest.raises(MissingBlocksError) as caught:
        line_of(b)
    assert caught.value.cids == (a.cid,)
    with pytest.raises(MissingBlocksError):
        identity_line(G.cid, [])
    with pytest.raises(MissingBlocksError):
        line_of(a).place(b.cid)


def test_a_long_log_is_walked_in_a_straight_line() -> None:
    log = [G]
    for _ in range(1500):
        log.append(event("safe", log[-1]))
    line = identity_line(G.cid, log)
    assert line.line == tuple(e.cid for e in log)
    assert line.drops_after(G.cid, b"") == ((),)
