"""The core of a node under any order of things, and under anything that a stranger may say."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, TypeVar

from host_world import HELLO, HIGH, LOW, NAMES, Host, Stranger, Trail, Wire, settle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hitp2p import limits
from hitp2p.codec.cid import DAG_CBOR, RAW, Cid
from hitp2p.dataclass import replace
from hitp2p.objects.envelope import SignedObject
from hitp2p.protocol.actions import Admitted
from hitp2p.protocol.frames import encode_frame
from hitp2p.protocol.messages import (
    Blocks,
    Bye,
    Follow,
    Followed,
    Get,
    Heads,
    Message,
    Peers,
    Ping,
    Pong,
    Pull,
    Push,
    Range,
    Ranges,
    Recon,
    Records,
    Sorry,
    State,
)
from hitp2p.testing.people import Person

# --- any order ----------------------------------------------------------------------------------

PEOPLE = [Person(name) for name in ("Ana", "Bo", "Cy")]
TRAIL = Trail(0)


class InAnyOrder(RuleBasedStateMachine):
    """Four nodes, connections that come and go, people who make works: in the end all have the same.

    Bytes travel as the machine wants: a piece at a time, on any connection, while others stand still. A connection that is cut
    loses what was on its way. A node that starts anew knows what its store holds, and nothing else.
    """

    def __init__(self) -> None:
        super().__init__()
        self.hosts = [Host(NAMES[n], objects=TRAIL.base, follow=[TRAIL.cid]) for n in range(4)]
        self.wires: list[Wire] = []
        self.made: list[SignedObject] = []

    def _works_at(self, host: Host) -> list[SignedObject]:
        return [obj for obj in self.made if obj.kind == "contribution" and host.has(obj)]

    @rule(at=st.integers(0, 3), who=st.sampled_from(PEOPLE), data=st.data())
    def make(self, at: int, who: Person, data: st.DataObject) -> None:
        host = self.hosts[at]
        seen = self._works_at(host)
        parents = (
            data.draw(st.lists(st.sampled_from(seen), max_size=3, unique=True)) if seen else []
        )
        work = who.work(TRAIL.project, f"Work {len(self.made)}", *parents)
        self.made += [who.genesis, work]
        host.put(who.genesis, work)

    @rule(ends=st.permutations(range(4)))
    def join(self, ends: list[int]) -> None:
        self.wires.append(Wire(self.hosts[ends[0]], self.hosts[ends[1]]))

    @precondition(lambda self: self.wires)
    @rule(at=st.integers(0, 50), n_pieces=st.integers(1, 12), side=st.integers(0, 1))
    def carry(self, at: int, n_pieces: int, side: int) -> None:
        wire = self.wires[at % len(self.wires)]
        for _ in range(n_pieces):
            wire.carry(side)
        wire.finish()

    @precondition(lambda self: self.wires)
    @rule(at=st.integers(0, 50))
    def cut(self, at: int) -> None:
        self.wires.pop(at % len(self.wires)).cut()

    @rule(at=st.integers(0, 3), seconds=st.sampled_from([0.1, 1.0, 31.0, 700.0]))
    def wait(self, at: int, seconds: float) -> None:
        self.hosts[at].pass_time(seconds)

    @rule(at=st.integers(0, 3))
    def start_anew(self, at: int) -> None:
        for wire in [w for w in self.wires if any(h is self.hosts[at] for h, _ in w.ends)]:
            self.wires.remove(wire)
            wire.cut()
        old = self.hosts[at]
        self.hosts[at] = Host(old.name, store=old.store, follow=[TRAIL.cid])

    @rule(at=st.integers(0, 3))
    def hold(self, at: int) -> None:
        """The store takes its time."""
        self.hosts[at].holds_admits = True

    @rule(at=st.integers(0, 3))
    def judge(self, at: int) -> None:
        self._judge(self.hosts[at])

    def _judge(self, host: Host) -> None:
        host.holds_admits = False
        while host.admits:
            host.admit()

    @rule(at=st.integers(0, 3))
    def fill_disk(self, at: int) -> None:
        host = self.hosts[at]
        if host.admits:
            host.admit(Admitted(full=True))

    @invariant()
    def nobody_is_banned_and_no_queue_overflows(self) -> None:
        for host in self.hosts:
            assert host.named("banned") == []
            assert all(view.queued_bytes <= limits.NODE_QUEUE_BYTES for view in host.core.peers())

    def teardown(self) -> None:
        for host in self.hosts:
            self._judge(host)
        for wire in self.wires:
            wire.cut()
        ring = [Wire(self.hosts[n], self.hosts[n - 1]) for n in range(4)]
        settle(ring, seconds=150)
        wanted = {obj.cid for obj in (*TRAIL.base, *self.made)}
        for host in self.hosts:
            assert host.cids() == wanted
            assert host.core.is_idle


TestInAnyOrder = InAnyOrder.TestCase
TestInAnyOrder.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)


@settings(max_examples=30, deadline=None)
@given(
    shape=st.lists(st.lists(st.integers(0, 100), max_size=3), min_size=1, max_size=60),
    split=st.randoms(use_true_random=False),
)
def test_two_that_have_any_parts_of_a_trail_come_to_have_all_of_it(
    shape: list[list[int]], split: Any
) -> None:
    """Whatever the shape; each has what its own works rest on, as a store does."""
    works: list[SignedObject] = []
    for number, parents in enumerate(shape):
        named = [works[parent % number] for parent in parents] if number else []
        works.append(TRAIL.ana.work(TRAIL.project, f"{number}", *dict.fromkeys(named)))
    by_cid = {work.cid: work for work in works}
    hosts = [Host(name, follow=[TRAIL.cid]) for name in (LOW, HIGH)]
    for host in hosts:
        tips = [work for work in works if split.random() < 0.3]
        host.put(*TRAIL.base, *_closure(tips, by_cid))
    settle([Wire(*hosts)], seconds=10)
    both = hosts[0].cids() | hosts[1].cids()
    assert hosts[0].cids() == hosts[1].cids() == both
    assert all(host.core.is_idle for host in hosts)


def _closure(tips: list[SignedObject], by_cid: dict[Cid, SignedObject]) -> list[SignedObject]:
    found: dict[Cid, SignedObject] = {}
    todo = list(tips)
    while todo:
        work = todo.pop()
        if work.cid not in found:
            found[work.cid] = work
            todo += [by_cid[parent] for parent in work.parents if parent in by_cid]
    return [work for work in by_cid.values() if work.cid in found]


# --- anything a stranger may say ----------------------------------------------------------------

FULL = Trail(40)
T = TypeVar("T")


def one_of(pool: Sequence[T]) -> st.SearchStrategy[T]:
    """As `sampled_from`, for things that are long when they are printed."""
    return st.integers(0, len(pool) - 1).map(lambda at: pool[at])


CIDS = one_of(
    [
        *(obj.cid for obj in FULL.objects),
        Trail(title="Other").cid,
        *(Cid.of(codec, b"%d" % n) for codec in (RAW, DAG_CBOR) for n in range(3)),
    ]
)
DIGESTS = CIDS.map(lambda cid: bytes(cid)[-32:])
TOPICS = one_of([FULL.cid, FULL.cid, FULL.cid, Trail(title="Other").cid])
SCOPES = st.integers(0, 1)
BLOCKS = one_of([*(obj.block for obj in FULL.objects), b"", b"x", bytes(8000)])
KEYS = st.binary(min_size=40, max_size=40)
SUMS = st.binary(min_size=16, max_size=16)
COUNTS = st.integers(0, 100) | st.just(2**62)
HEADS = st.lists(DIGESTS, max_size=5, unique=True).map(tuple)


def _ranges(modes: int) -> st.SearchStrategy[tuple[Range, ...]]:
    payloads = st.builds(
        _range,
        st.integers(0, modes),
        COUNTS,
        SUMS,
        st.lists(DIGESTS, max_size=4).map(tuple),
        st.lists(st.integers(0, 40), max_size=4, unique=True).map(
            lambda found: tuple(sorted(found))
        ),
    )
    bounds = st.lists(st.binary(min_size=1, max_size=40), max_size=4, unique=True).map(sorted)
    return st.tuples(bounds, st.lists(payloads, min_size=5, max_size=5)).map(
        lambda both: tuple(
            replace(made, upper=upper)
            for upper, made in zip([*both[0], b""], both[1], strict=False)
        )
    )


def _range(
    mode: int, count: int, total: bytes, digests: tuple[bytes, ...], places: tuple[int, ...]
) -> Range:
    return [
        Range(b"", 0),
        Range(b"", 1, count=count, sum=total),
        Range(b"", 2, digests=digests),
        Range(b"", 3, digests=digests, places=places),
    ][mode]


SAID: st.SearchStrategy[Message] = st.one_of(
    st.builds(
        Follow,
        topics=st.lists(
            st.builds(Followed, TOPICS, SCOPES, st.integers(0, 2)),
            max_size=2,
            unique_by=lambda f: f[0],
        ).map(tuple),
    ),
    st.builds(Push, topic=TOPICS, objects=st.lists(BLOCKS, min_size=1, max_size=4).map(tuple)),
    st.builds(Push, topic=TOPICS, cids=st.lists(DIGESTS, min_size=1, max_size=20).map(tuple)),
    st.builds(Heads, topic=TOPICS, scope=SCOPES, count=COUNTS, sum=SUMS, heads=HEADS),
    st.builds(State, count=COUNTS, sum=SUMS, heads=HEADS),
    st.builds(Recon, topic=TOPICS, scope=SCOPES, ranges=_ranges(2)),
    st.builds(Ranges, ranges=_ranges(3)),
    st.builds(
        Get,
        topic=TOPICS,
        cids=st.lists(CIDS, min_size=1, max_size=9).map(tuple),
        file=st.none() | CIDS,
    ),
    st.builds(
        Blocks,
        blocks=st.lists(st.none() | BLOCKS, max_size=6).map(tuple),
        last=st.booleans(),
        next=st.none() | KEYS,
    ),
    st.builds(
        Pull,
        topic=TOPICS,
        scope=SCOPES,
        after=st.just(b"") | KEYS,
        most=st.integers(1, limits.NODE_PULL_BYTES),
    ),
    st.builds(Peers, most=st.integers(1, 32)),
    st.builds(Records, records=st.lists(st.binary(max_size=100), max_size=3).map(tuple)),
    st.builds(Ping),
    st.builds(Pong),
    st.builds(Bye, code=st.just("x"), text=st.text(max_size=5)),
    st.builds(Sorry, code=st.sampled_from(["absent", "busy", "unable"]), wait_ms=COUNTS),
)
"""What a stranger may say of itself: any message, well formed."""


def _is_answer(message: Message) -> bool:
    return isinstance(message, State | Ranges | Blocks | Records | Pong | Sorry)


def _needs_number(message: Message) -> bool:
    return not isinstance(message, Follow | Push | Bye)


class Anything(RuleBasedStateMachine):
    """A stranger who says anything at any time, and answers what it likes: the node stays whole, and serves on.

    `Stranger.say` fails where the core raises; the bounds are looked at after each step.
    """

    def __init__(self) -> None:
        super().__init__()
        self.host = Host(LOW, objects=FULL.objects[:20], follow=[FULL.cid])
        self.n_strangers = 0
        self.honest = Stranger(self.host, "honest").greet(FULL.cid)
        self._come()

    def _come(self) -> None:
        self.n_strangers += 1
        self.stranger = Stranger(
            self.host, f"stranger {self.n_strangers}", place=f"h{self.n_strangers}"
        )
        self.stranger.say(HELLO)
        self.stranger.follow(FULL.cid)

    @rule(message=SAID, number=st.integers(1, 5))
    def say(self, message: Message, number: int) -> None:
        """Answers mostly answer something, as else it is over soon."""
        asked = [frame.number for frame in self.stranger.hear() if frame.number]
        if _is_answer(message) and asked:
            number = asked[-1]
        if not self.stranger.is_paused:
            self.stranger.say(message, number if _needs_number(message) else 0)

    @rule(message=SAID, at=st.integers(0, 200), mask=st.integers(1, 255))
    def garble(self, message: Message, at: int, mask: int) -> None:
        data = bytearray(encode_frame(message, int(_needs_number(message))))
        data[at % len(data)] ^= mask
        if not self.stranger.is_paused:
            self.stranger.say_bytes(bytes(data))

    @rule(data=st.binary(max_size=100))
    def babble(self, data: bytes) -> None:
        if not self.stranger.is_paused:
            self.stranger.say_bytes(data)

    @rule()
    def come_anew(self) -> None:
        self.host.close(self.stranger.link)
        self._come()

    @rule(seconds=st.sampled_from([0.5, 10.0, 31.0, 65.0]))
    def wait(self, seconds: float) -> None:
        self.host.pass_time(seconds)
        if self.honest.end is not None:  # it was silent
            self.host.close(self.honest.link)
            self.honest = Stranger(self.host, "honest").greet(FULL.cid)

    @rule(n_bytes=st.integers(0, 5000))
    def take_some(self, n_bytes: int) -> None:
        self.host.write(self.stranger.link, min(n_bytes, self.host.unwritten[self.stranger.link]))

    @rule(is_taken=st.booleans())
    def take_nothing(self, is_taken: bool) -> None:
        self.host.is_taken = is_taken

    @rule(is_held=st.booleans())
    def hold(self, is_held: bool) -> None:
        self.host.holds_admits = self.host.holds_loads = is_held
        while self.host.admits and not is_held:
            self.host.admit()
        while self.host.loads and not is_held:
            self.host.load()

    @invariant()
    def the_honest_are_served(self) -> None:
        if self.honest.end is None and self.host.is_taken and not self.honest.is_paused:
            self.honest.hear()
            self.honest.say(Ping(), 7)
            assert len(self.honest.hear_all(Pong)) == 1

    @invariant()
    def bounds_are_kept(self) -> None:
        for view in self.host.core.peers():
            assert view.queued_bytes <= limits.NODE_QUEUE_BYTES
        assert len(self.host.admits) <= limits.NODE_BATCHES * (self.n_strangers + 1)

    @invariant()
    def only_what_is_good_is_kept(self) -> None:
        assert self.host.cids() <= {obj.cid for obj in FULL.objects}


TestAnything = Anything.TestCase
TestAnything.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=8))
def test_any_bytes_before_hello_end_it_or_wait_for_more(pieces: list[bytes]) -> None:
    host = Host()
    stranger = Stranger(host)
    for piece in pieces:
        stranger.say_bytes(piece)
    if stranger.end is None:
        host.pass_time(limits.NODE_HELLO_S)
    assert stranger.end in ("protocol", "silent")


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(1, 400), min_size=1, max_size=10))
def test_pieces_of_any_size_say_the_same(cuts: list[int]) -> None:
    said = [
        encode_frame(HELLO),
        encode_frame(Follow(topics=(Followed(FULL.cid, 1, 0),))),
        encode_frame(Get(topic=FULL.cid, cids=(FULL.cid,)), 1),
        encode_frame(Push(topic=FULL.cid, objects=(FULL.works[-1].block,))),
        encode_frame(Pull(topic=FULL.cid, scope=1, after=b"", most=5000), 2),
    ]
    heard = {_heard([b"".join(said)]), _heard(said), _heard(_cut(b"".join(said), cuts))}
    assert len(heard) == 1


def _cut(data: bytes, cuts: list[int]) -> list[bytes]:
    pieces: list[bytes] = []
    while data:
        size = cuts[len(pieces) % len(cuts)]
        pieces.append(data[:size])
        data = data[size:]
    return pieces


def _heard(pieces: list[bytes]) -> bytes:
    host = Host(HIGH, objects=FULL.objects[:-1], follow=[FULL.cid])
    stranger = Stranger(host, LOW)
    for piece in pieces:
        stranger.say_bytes(piece)
    return sha256(b"".join(host.sent[stranger.link])).digest()
