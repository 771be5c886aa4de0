"""Two nodes that compare: what they say, how much of it, and that they come in step and come to an end ["Comparing" in spec 10]."""

from __future__ import annotations

import pytest
from host_world import HIGH, LOW, NAMES, Host, Stranger, Trail, Wire, settle

from hitp2p import limits
from hitp2p.node.policy import Follow as Following
from hitp2p.node.policy import Policy, Verdict
from hitp2p.protocol.actions import Admitted
from hitp2p.protocol.comparison import NEXT, Stage
from hitp2p.protocol.frames import encode_frame
from hitp2p.protocol.messages import (
    Blocks,
    Get,
    Heads,
    Message,
    Pull,
    Push,
    Range,
    Ranges,
    Recon,
    Sorry,
    State,
)
from hitp2p.protocol.ranges import key_of
from hitp2p.testing.people import Person

HEADS_BYTES = 2300
"""HEADS or STATE with 64 heads, and a little."""


def state_of(host: Host) -> State:
    """What a host says of its only topic."""
    stranger = Stranger(host, NAMES[15])
    topic = host.core.topics()[0].topic
    stranger.greet(topic)
    stranger.say(Heads(topic=topic, scope=1, count=0, sum=bytes(16), heads=()), 1)
    found = stranger.hear_one(State)[1]
    host.close(stranger.link)
    return found


def in_step(*hosts: Host) -> bool:
    """Whether all have the same objects and say the same."""
    return len({host.cids() for host in hosts}) == 1 and len({str(state_of(h)) for h in hosts}) == 1


# --- two nodes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("one_dials", [True, False])
def test_two_that_meet_come_in_step_whoever_dials(one_dials: bool) -> None:
    trail = Trail(6)
    low = Host(LOW, objects=trail.objects[:4], follow=[trail.cid])
    high = Host(HIGH, objects=trail.objects, follow=[trail.cid])
    settle([Wire(low, high) if one_dials else Wire(high, low)])
    assert in_step(low, high)
    assert low.core.is_idle


def test_who_has_the_smaller_key_begins_and_if_it_is_in_step_one_question_is_all() -> None:
    trail = Trail(6)
    hosts = [Host(name, objects=trail.objects, follow=[trail.cid]) for name in (LOW, HIGH)]
    wire = Wire(*hosts)
    settle([wire])
    assert [len(host.named("in-step")) for host in hosts] == [1, 1]
    assert wire.n_bytes < 1000
    assert [host.n_judged for host in hosts] == [0, 0]


def test_who_has_nothing_pulls_all_and_judges_each_object_once() -> None:
    trail = Trail(700)
    full = Host(LOW, objects=trail.objects, follow=[trail.cid])
    empty = Host(HIGH, follow=[trail.cid])
    settle([Wire(full, empty)], seconds=10)
    assert in_step(full, empty)
    assert empty.n_judged == len(trail.objects)
    assert full.n_judged == 0


def test_a_pull_goes_on_where_it_stopped_with_another_peer() -> None:
    trail = Trail(0)
    works = [trail.new(title="x" * 200 + str(n)) for n in range(4000)]
    first, second = (
        Host(name, objects=[*trail.base, *works], follow=[trail.cid]) for name in NAMES[:2]
    )
    empty = Host(HIGH, follow=[trail.cid])
    wire = Wire(empty, first)
    while len(empty.cids()) < 2000:
        assert wire.carry(0) or wire.carry(1)
    wire.cut()
    had, carried = len(empty.cids()), Wire(empty, second)
    settle([carried], seconds=10)
    assert in_step(second, empty)
    assert carried.n_bytes < (4000 - had + 400) * len(works[0].block) * 1.2


def test_a_few_works_that_hang_on_new_heads_cost_no_ranges() -> None:
    trail = Trail(40)
    low = Host(LOW, objects=trail.objects[:-2], follow=[trail.cid])
    high = Host(HIGH, objects=trail.objects, follow=[trail.cid])
    wire = Wire(low, high)
    settle([wire])
    assert in_step(low, high)
    assert wire.n_bytes < 3000
    assert low.n_judged == 2


def test_what_both_lack_of_each_other_is_found_by_ranges() -> None:
    trail = Trail(0)
    works = [trail.new(title=str(n)) for n in range(300)]
    low = Host(LOW, objects=[*trail.base, *works[:200]], follow=[trail.cid])
    high = Host(HIGH, objects=[*trail.base, *works[100:]], follow=[trail.cid])
    settle([Wire(low, high)], seconds=10)
    assert in_step(low, high)
    assert (low.n_judged, high.n_judged) == (100, 100)
    assert low.core.is_idle
    assert high.core.is_idle


def test_a_chain_of_which_only_the_end_is_offered_is_fetched_from_there() -> None:
    trail = Trail(30)
    host = Host(LOW, objects=trail.base, follow=[trail.cid])
    other = Host(HIGH, objects=trail.objects, follow=[trail.cid])
    wire = Wire(host, other)
    for side in (0, 1, 0, 1):  # both have greeted; nothing is compared yet
        wire.carry(side)
    other.put(trail.grow())
    settle([wire], seconds=3)
    assert in_step(host, other)


def test_three_in_a_row_come_in_step_and_each_object_travels_once_a_link() -> None:
    trail = Trail(3)
    hosts = [Host(name, objects=trail.objects, follow=[trail.cid]) for name in NAMES[:3]]
    wires = [Wire(hosts[0], hosts[1]), Wire(hosts[1], hosts[2])]
    settle(wires)
    before = [wire.n_bytes for wire in wires]
    work = trail.grow()
    hosts[0].put(work)
    settle(wires)
    assert all(host.has(work) for host in hosts)
    frame = len(encode_frame(Push(topic=trail.cid, objects=(work.block,))))
    assert [wire.n_bytes - n for wire, n in zip(wires, before, strict=True)] == [frame, frame]


def test_an_event_comes_along_and_scopes_narrow_to_the_smaller() -> None:
    trail = Trail(2)
    visitor = Person("Visitor")
    work = visitor.work(trail.project, "A visit")
    wide = Host(LOW, objects=[*trail.objects, visitor.genesis, work], follow=[trail.cid])
    narrow = Host(HIGH, follow=[Following(topic=trail.cid, scope=0, media=0)])
    settle([Wire(wide, narrow)], seconds=3)
    assert narrow.cids() == {obj.cid for obj in trail.objects}
    assert wide.named("in-step")


def test_two_that_follow_nothing_in_common_say_nothing() -> None:
    one, other = Trail(), Trail(title="Other")
    low = Host(LOW, objects=one.objects, follow=[one.cid])
    high = Host(HIGH, objects=other.objects, follow=[other.cid])
    wire = Wire(low, high)
    settle([wire], seconds=10)
    assert wire.n_bytes < 500
    assert not low.cids() & {other.cid}


# --- nothing is turned for ever -----------------------------------------------------------------


def carried(wire: Wire, seconds: int) -> int:
    before = wire.n_bytes
    settle([wire], seconds=seconds)
    return wire.n_bytes - before


def test_differing_policies_cost_a_question_now_and_then_and_no_more() -> None:
    trail = Trail(0)
    works = [trail.new(title=str(n)) for n in range(100)]
    blocked = {work.cid: Verdict.BLOCK for work in works[50:]}
    full = Host(LOW, objects=[*trail.base, *works], follow=[trail.cid])
    picky = Host(HIGH, follow=[trail.cid], policy=Policy(objects=blocked))
    wire = Wire(full, picky)
    settle([wire], seconds=20)
    assert picky.cids() == {obj.cid for obj in (*trail.base, *works[:50])}
    n_judged = picky.n_judged
    assert carried(wire, 300) < 12 * 2 * HEADS_BYTES
    assert picky.n_judged == n_judged
    assert picky.core.is_idle
    assert full.core.is_idle


def test_who_refuses_nearly_all_does_not_pull_it_again() -> None:
    trail = Trail(0)
    works = [trail.new(title=str(n)) for n in range(200)]
    blocked = {work.cid: Verdict.BLOCK for work in works[2:]}
    full = Host(LOW, objects=[*trail.base, *works], follow=[trail.cid])
    picky = Host(HIGH, follow=[trail.cid], policy=Policy(objects=blocked))
    wire = Wire(full, picky)
    settle([wire], seconds=20)
    assert picky.has(*works[:2])
    assert carried(wire, 300) < 12 * 2 * HEADS_BYTES
    assert full.core.is_idle


def test_a_policy_that_lets_in_more_is_heeded_at_once() -> None:
    trail = Trail(3)
    full = Host(LOW, objects=trail.objects, follow=[trail.cid])
    blocked = {trail.works[1].cid: Verdict.BLOCK}
    picky = Host(HIGH, follow=[trail.cid], policy=Policy(objects=blocked))
    wire = Wire(full, picky)
    settle([wire], seconds=5)
    assert not picky.has(trail.works[1])
    picky.keeper.policy = Policy(follows=picky.keeper.policy.follows)
    picky.follow(trail.cid)
    picky.core.compare_now(picky.now)
    picky.do()
    settle([wire], seconds=5)
    assert in_step(full, picky)


# --- a stranger ---------------------------------------------------------------------------------


def asked(stranger: Stranger) -> list[tuple[int, Message]]:
    return [
        (frame.number, frame.message)
        for frame in stranger.hear()
        if frame.message is not None and frame.number
    ]


def begin(trail: Trail, host: Host) -> tuple[Stranger, int]:
    """A stranger who has been asked for its heads, and the number of that."""
    stranger = Stranger(host)
    stranger.greet()
    stranger.follow(trail.cid)
    return stranger, stranger.hear_one(Heads)[0]


def test_a_few_heads_that_lack_are_fetched_and_then_it_is_asked_again() -> None:
    trail = Trail(10)
    host = Host(LOW, objects=trail.objects, follow=[trail.cid])
    stranger, number = begin(trail, host)
    new = trail.grow()
    whole = state_of(Host(objects=trail.objects, follow=[trail.cid]))
    stranger.say(whole, number)
    number, get = stranger.hear_one(Get)
    assert get.cids == (new.cid,)
    stranger.say(Blocks(blocks=(new.block,), last=True), number)
    number, heads = stranger.hear_one(Heads)
    assert (heads.count, heads.sum, heads.heads) == (whole.count, whole.sum, whole.heads)
    stranger.say(whole, number)
    assert host.core.is_idle
    assert len(host.named("in-step")) == 1


def test_heads_that_lack_are_looked_at_though_the_fingerprints_agree() -> None:
    """Who grinds digests until the sums agree can't hide a head."""
    trail = Trail(10)
    host = Host(LOW, objects=trail.objects, follow=[trail.cid])
    stranger, number = begin(trail, host)
    own = state_of(host)
    stranger.say(State(count=own.count, sum=own.sum, heads=(bytes(32),)), number)
    assert [type(message) for _, message in asked(stranger)] == [Recon]


def test_sorry_ends_it_and_busy_puts_it_off() -> None:
    trail = Trail(10)
    host = Host(LOW, objects=trail.objects, follow=[trail.cid])
    stranger, number = begin(trail, host)
    stranger.say(Sorry(code="busy", wait_ms=5000), number)
    host.pass_time(4.9)
    assert asked(stranger) == []
    host.pass_time(0.2)
    ((number, heads),) = asked(stranger)
    assert isinstance(heads, Heads)
    stranger.say(Sorry(code="absent", wait_ms=0), number)
    host.pass_time(19)
    assert [m for _, m in asked(stranger) if isinstance(m, Heads)] == []
    assert host.core.is_idle


def test_a_pull_may_bring_what_was_asked_for_and_not_a_byte_more() -> None:
    trail = Trail(0)
    host = Host(LOW, follow=[trail.cid])
    stranger, number = begin(trail, host)
    stranger.say(State(count=100, sum=bytes(16), heads=()), number)
    number, pull = stranger.hear_one(Pull)
    assert (pull.after, pull.most) == (b"", limits.NODE_PULL_BYTES)
    host.holds_admits = True
    half = bytes(limits.NODE_PULL_BYTES // 2)
    stranger.say(Blocks(blocks=(half, half), last=False), number)
    assert stranger.end is None
    host.admit(Admitted())
    stranger.say(Blocks(blocks=(b"more",), last=True), number)
    assert stranger.end == "protocol"


def test_a_pull_that_does_not_go_on_ends_it() -> None:
    trail = Trail(2)
    host = Host(LOW, follow=[trail.cid])
    stranger, number = begin(trail, host)
    stranger.say(State(count=100, sum=bytes(16), heads=()), number)
    number, _ = stranger.hear_one(Pull)
    key = key_of(0, trail.ana.genesis.cid)
    stranger.say(Blocks(blocks=(trail.ana.genesis.block,), last=True, next=key), number)
    number, pull = stranger.hear_one(Pull)
    assert pull.after == key
    stranger.say(Blocks(blocks=(), last=True, next=key), number)
    assert stranger.end == "protocol"


def test_a_pull_without_end_ends() -> None:
    trail = Trail(2)
    host = Host(LOW, follow=[trail.cid])
    stranger, number = begin(trail, host)
    stranger.say(State(count=10, sum=bytes(16), heads=()), number)
    generation = 0
    while pulls := stranger.hear_numbered(Pull):
        ((number, _),) = pulls
        generation += 1
        key = generation.to_bytes(8, "big") + bytes(32)
        blocks = (trail.ana.genesis.block,) * 64
        stranger.say(Blocks(blocks=blocks, last=True, next=key), number)
    assert generation < 10
    assert stranger.end is None


@pytest.mark.parametrize(
    "ranges",
    [
        (Range(b"", 3, digests=(), places=(500,)),),
        (Range(b"", 2, digests=(bytes(32),)),),
    ],
)
def test_net_16_ranges_that_answer_nothing_end_it(ranges: tuple[Range, ...]) -> None:
    trail = Trail(10)
    host = Host(LOW, objects=trail.objects, follow=[trail.cid])
    stranger, number = begin(trail, host)
    stranger.say(State(count=12, sum=bytes(16), heads=()), number)
    ((number, recon),) = asked(stranger)
    assert isinstance(recon, Recon)
    stranger.say(Ranges(ranges=ranges), number)
    assert stranger.end == "protocol"


def test_one_who_always_says_something_else_is_asked_a_bounded_number_of_times() -> None:
    trail = Trail(60)
    host = Host(LOW, objects=trail.objects, follow=[trail.cid])
    stranger, number = begin(trail, host)
    n_asked = n_seconds = 0
    todo: list[tuple[int, Message]] = [(number, _heads(trail))]
    while n_seconds < 600:
        for number, message in todo:
            n_asked += 1
            stranger.say(_lie(message, n_asked), number)
        todo = asked(stranger)
        if not todo:
            host.pass_time(1.0)
            n_seconds += 1
            todo = asked(stranger)
    assert stranger.end is None
    assert n_asked < 1200


def _heads(trail: Trail) -> Heads:
    return Heads(topic=trail.cid, scope=1, count=0, sum=bytes(16), heads=())


def _lie(message: Message, number: int) -> Message:
    """Another state, another fingerprint and another list each time; nothing is ever given."""
    new = number.to_bytes(32, "big")
    match message:
        case Heads():
            return State(count=62, sum=new[:16][::-1], heads=(new,))
        case Recon(ranges=ranges):
            answers = [
                Range(r.upper, 3, digests=(new,))
                if r.mode == 2
                else Range(r.upper, 2, digests=(new,))
                if r.mode == 1
                else r
                for r in ranges
            ]
            return Ranges(ranges=tuple(answers))
        case Get(cids=cids):
            return Blocks(blocks=(None,) * len(cids), last=True)
        case _:
            return Sorry(code="unable", wait_ms=0)


def test_every_stage_of_a_comparison_can_be_reached_and_left() -> None:
    assert set(NEXT) == set(Stage)
    assert set().union(*NEXT.values()) == set(Stage)
