"""A network of nodes in virtual time, without sockets, threads or trio: hundreds of cores, faults from a seed.

    net = SimNet(seed=7)
    ana, bo = net.add("ana", follow=[project]), net.add("bo", follow=[project], peers=["ana"])
    ana.put(work)
    net.run(for_s=10)
    assert bo.has(work.cid)

What runs is the real core and the real keeper over a store in memory; only the shell is replaced. Connections are streams as TCP's:
bytes arrive in order or the connection ends. The same seed gives the same run, to the byte: `trace` says so.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from heapq import heappop, heappush
from typing import assert_never

from hitp2p.codec.cid import Cid
from hitp2p.keys.ed25519 import SigningKey
from hitp2p.node.keeper import Keeper
from hitp2p.node.policy import Follow, Policy
from hitp2p.objects.envelope import SignedObject
from hitp2p.protocol.actions import (
    Action,
    Admit,
    Close,
    Dial,
    Event,
    Load,
    Member,
    Moment,
    Notify,
    Pause,
    Resume,
    Send,
)
from hitp2p.protocol.addresses import AddressBook
from hitp2p.protocol.conduct import Bans
from hitp2p.protocol.core import NodeConfig, NodeCore
from hitp2p.protocol.records import encode_peer_id
from hitp2p.store.contract import Store, WriteBatch
from hitp2p.store.memory import MemoryStore

__all__ = ["SeededChance", "SimLink", "SimNet", "SimNode"]

_BEGAN_MS = 1_767_225_600_000
"""When the wall clocks begin: 2026."""
_STORE_S = 0.002
"""What the store takes to answer."""


class SeededChance(random.Random):
    """Chance as the core wants it."""

    def below(self, n: int, /) -> int:
        """An integer from 0 to n - 1."""
        return self.randrange(n)


class _End:
    """One side of a connection."""

    def __init__(self, node: SimNode, number: int) -> None:
        self.node = node
        self.number = number
        self.is_paused = False
        self.waiting: deque[bytes] = deque()
        """What has arrived and isn't read."""
        self.free_at = 0.0
        """When what was sent last arrives there."""


class SimLink:
    """A connection of two nodes."""

    def __init__(self, net: SimNet, dialler: _End, listener: _End) -> None:
        self._net = net
        self.ends = (dialler, listener)
        self.is_open = True

    def send(self, source: _End, data: bytes) -> None:
        """Let bytes travel, behind those that were sent before."""
        target = self._other(source)
        source.free_at = max(source.free_at, self._net.now + self._net.delay())
        self._net.at(source.free_at, lambda: self._arrive(source, target, data))

    def _arrive(self, source: _End, target: _End, data: bytes) -> None:
        if self.is_open and self._net.reaches(source.node, target.node):
            target.waiting.append(data)
            self._read(source, target)
        elif self.is_open:
            self.end()

    def _read(self, source: _End, target: _End) -> None:
        while self.is_open and target.waiting and not target.is_paused:
            self._take(source, target, target.waiting.popleft())

    def _take(self, source: _End, target: _End, data: bytes) -> None:
        self._net.note(target, data)
        target.node.tell(lambda core, now: core.on_bytes(target.number, data, now))
        source.node.tell(lambda core, now: core.on_written(source.number, len(data), now))

    def pause(self, end: _End, is_paused: bool) -> None:
        """Stop reading, or go on."""
        end.is_paused = is_paused
        if not is_paused:
            self._net.at(self._net.now, lambda: self._read(self._other(end), end))

    def close(self, source: _End) -> None:
        """End it once what was sent has arrived."""
        self._net.at(max(source.free_at, self._net.now), self.end)

    def end(self) -> None:
        """It is over, for both."""
        if not self.is_open:
            return
        self.is_open = False
        for end in self.ends:
            end.node.on_closed(end.number)

    def _other(self, end: _End) -> _End:
        return self.ends[1] if end is self.ends[0] else self.ends[0]


class SimNode:
    """One node. Made by `SimNet.add`."""

    def __init__(
        self,
        net: SimNet,
        name: str,
        *,
        store: Store,
        follow: Sequence[Cid | Follow],
        peers: Sequence[str],
        policy: Policy,
        config: NodeConfig,
        clock_off_ms: int,
    ) -> None:
        self._net = net
        self.name = name
        self.key = net.key_of(name)
        self.store = store
        self.links: dict[int, tuple[SimLink, _End]] = {}
        self.events: list[Event] = []
        """What it has told its operator."""
        self.is_up = False
        self._follow = [
            one if isinstance(one, Follow) else Follow(topic=one, media=0) for one in follow
        ]
        self._peers = peers
        self._policy = policy
        self._config = config
        self._clock_off_ms = clock_off_ms
        self._next_link = 0
        self.core: NodeCore
        self.keeper: Keeper
        self.start()

    # --- life -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin, or begin again with what the store holds."""
        self.is_up = True
        self._wake_at = float("inf")
        self.keeper = Keeper(self.store, policy=self._policy)
        self.core = NodeCore(
            me=self.key,
            config=self._config,
            book=AddressBook(me=self.key, secret=sha256(b"secret " + self.key).digest()),
            bans=Bans(),
            chance=SeededChance(self._net.chance.getrandbits(64)),
            now=self._moment(),
        )
        for one in self._follow:
            self.keeper.follow(one.topic, one.scope, one.media)
            members = [
                member
                for scope in range(one.scope + 1)
                for member in self.keeper.members(one.topic, scope)
            ]
            self._begin(one, members)
        for peer in self._peers:
            self.connect(peer)

    def _begin(self, one: Follow, members: Sequence[Member]) -> None:
        self.tell(
            lambda core, now: core.follow(
                one.topic, scope=one.scope, media=one.media, members=members, now=now
            )
        )

    def crash(self) -> None:
        """Be gone at once; what the store has acknowledged stays."""
        for link, _ in list(self.links.values()):
            link.end()
        self.is_up = False

    def connect(self, name: str) -> None:
        """Dial another node, again and again."""
        address = self._net.address_of(name)
        self.tell(lambda core, now: core.connect(self._net.key_of(name), address, now))

    # --- what a user does -------------------------------------------------------------------------

    def put(self, *objects: SignedObject) -> None:
        """Store objects as the user of the workspace does."""
        self.store.put(WriteBatch(objects=objects))
        if self.is_up:
            found = self.keeper.catch_up()
            self.tell(lambda core, now: core.on_local(found, now))

    def has(self, cid: Cid) -> bool:
        """Whether an object is here."""
        return self.store.row(cid) is not None

    def cids(self) -> frozenset[Cid]:
        """All signed objects here."""
        return frozenset(row.cid for row in self.store.rows())

    # --- the shell --------------------------------------------------------------------------------

    def _moment(self) -> Moment:
        wall = _BEGAN_MS + self._clock_off_ms + int(self._net.now * 1000)
        return Moment(self._net.now, wall)

    def tell(self, call: Callable[[NodeCore, Moment], None]) -> None:
        """Call the core, unless the node is down, and do what it wants."""
        if not self.is_up:
            return
        call(self.core, self._moment())
        while actions := self.core.actions():
            for action in actions:
                self._perform(action)
        at = self.core.next_time()
        if at < self._wake_at:
            self._wake_at = at
            core = self.core
            self._net.at(at, lambda: self._wake(core))

    def _wake(self, core: NodeCore) -> None:
        if self.core is core and self.is_up:
            self._wake_at = float("inf")
            self.tell(lambda core, now: core.on_time(now))

    def _perform(self, action: Action) -> None:
        match action:
            case Send(link=number, data=data):
                if number in self.links:
                    link, end = self.links[number]
                    link.send(end, data)
            case Close(link=number):
                if number in self.links:
                    link, end = self.links[number]
                    link.close(end)
            case Pause(link=number) | Resume(link=number):
                if number in self.links:
                    link, end = self.links[number]
                    link.pause(end, isinstance(action, Pause))
            case Dial():
                self._net.dial(self, action)
            case Admit():
                self._later(lambda: self._admit(action))
            case Load():
                self._later(lambda: self._load(action))
            case Notify(event=event):
                self.events.append(event)
            case _:
                assert_never(action)

    def _later(self, call: Callable[[], None]) -> None:
        core = self.core
        self._net.at(
            self._net.now + _STORE_S, lambda: call() if self.is_up and core is self.core else None
        )

    def _admit(self, action: Admit) -> None:
        admitted = self.keeper.admit(action)
        self.tell(lambda core, now: core.on_admitted(action.token, admitted, now))

    def _load(self, action: Load) -> None:
        found = self.keeper.load(action)
        self.tell(lambda core, now: core.on_loaded(action.token, found, now))

    def on_closed(self, number: int) -> None:
        """A connection is over."""
        self.links.pop(number, None)
        self.tell(lambda core, now: core.on_closed(number, now))

    def new_end(self) -> _End:
        """A side of a new connection."""
        self._next_link += 1
        return _End(self, self._next_link)


class SimNet:
    """The network: time, delays, partitions."""

    def __init__(self, seed: int, *, delay_s: tuple[float, float] = (0.005, 0.05)) -> None:
        """Nothing is there yet.

        Args:
            seed: of all chance.
            delay_s: the least and the most that bytes travel, in seconds.
        """
        self.now = 0.0
        self.chance = random.Random(seed)
        self.nodes: dict[str, SimNode] = {}
        self._delay_s = delay_s
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = 0
        self._apart: dict[str, int] = {}
        self._trace = sha256()

    @property
    def trace(self) -> str:
        """A hash of all that was delivered, and when: equal for equal runs."""
        return self._trace.hexdigest()

    @staticmethod
    def key_of(name: str) -> bytes:
        """The node key of a node, by its name."""
        return SigningKey.from_seed(sha256(b"sim " + name.encode()).digest()).public

    def address_of(self, name: str) -> str:
        """Where it is dialled."""
        return f"/dns/{name}.example/tcp/4311/tls/p2p/{encode_peer_id(self.key_of(name))}"

    def add(
        self,
        name: str,
        *,
        follow: Sequence[Cid | Follow] = (),
        peers: Sequence[str] = (),
        store: Store | None = None,
        policy: Policy | None = None,
        compare_every_s: float = 60.0,
        clock_off_ms: int = 0,
    ) -> SimNode:
        """A node that runs from now on.

        Args:
            name: lower-case letters and digits.
            follow: what it keeps in step.
            peers: names of nodes that it dials, again and again; they may be added later.
            store: with what it begins.
            policy: what it keeps out.
            compare_every_s: as in `NodeConfig`.
            clock_off_ms: how far its wall clock is off.
        """
        config = NodeConfig(listen=(self.address_of(name),), compare_every_s=compare_every_s)
        node = SimNode(
            self,
            name,
            store=store or MemoryStore(),
            follow=follow,
            peers=peers,
            policy=policy or Policy(),
            config=config,
            clock_off_ms=clock_off_ms,
        )
        self.nodes[name] = node
        return node

    # --- time -------------------------------------------------------------------------------------

    def at(self, time: float, call: Callable[[], None]) -> None:
        """Call at a time."""
        if time != float("inf"):
            self._serial += 1
            heappush(self._heap, (max(time, self.now), self._serial, call))

    def run(self, *, for_s: float, until: Callable[[], bool] | None = None) -> bool:
        """Let time pass; whether `until` came true."""
        end = self.now + for_s
        while self._heap and self._heap[0][0] <= end:
            if until is not None and until():
                return True
            self.now, _, call = heappop(self._heap)
            call()
        self.now = end
        return until is not None and until()

    def delay(self) -> float:
        """How long the next bytes travel."""
        return self.chance.uniform(*self._delay_s)

    def note(self, end: _End, data: bytes) -> None:
        """Take something delivered into the trace."""
        said = f"{self.now:.9f} {end.node.name} {end.number} {len(data)} "
        self._trace.update(said.encode() + data)

    # --- faults -----------------------------------------------------------------------------------

    def part(self, *groups: Iterable[str]) -> None:
        """Let only nodes of one group reach each other; those of no group reach all."""
        self._apart = {name: number for number, group in enumerate(groups) for name in group}
        for link in self.links():
            if not self.reaches(link.ends[0].node, link.ends[1].node):
                link.end()

    def heal(self) -> None:
        """Let all reach all."""
        self._apart = {}

    def reaches(self, one: SimNode, other: SimNode) -> bool:
        """Whether bytes of one come to the other."""
        here, there = self._apart.get(one.name), self._apart.get(other.name)
        return one.is_up and other.is_up and (here is None or there is None or here == there)

    def links(self) -> list[SimLink]:
        """The open connections."""
        found = [link for node in self.nodes.values() for link, _ in node.links.values()]
        return list(dict.fromkeys(found))

    def dial(self, source: SimNode, action: Dial) -> None:
        """Perform a `Dial`."""
        target = next((n for n in self.nodes.values() if n.key == action.key), None)
        core = source.core

        def arrive() -> None:
            if source.core is not core or not source.is_up:
                return
            if target is None or not self.reaches(source, target):
                source.tell(
                    lambda core, now: core.on_dial_failed(action.token, "nobody answers", now)
                )
            else:
                self._join(source, target, action)

        self.at(self.now + 2 * self.delay(), arrive)

    def _join(self, source: SimNode, target: SimNode, action: Dial) -> None:
        ours, theirs = source.new_end(), target.new_end()
        link = SimLink(self, ours, theirs)
        source.links[ours.number] = link, ours
        target.links[theirs.number] = link, theirs
        target.tell(
            lambda core, now: core.on_connected(
                theirs.number,
                source.key,
                f"{source.name}.example",
                address=None,
                token=None,
                now=now,
            )
        )
        source.tell(
            lambda core, now: core.on_connected(
                ours.number,
                target.key,
                f"{target.name}.example",
                address=action.address,
                token=action.token,
                now=now,
            )
        )
