"""Cores of nodes with real keepers and no shell: what they want is done at once, or is held until a test says so."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import TypeVar, assert_never

from node_records import at
from seeded import Seeded

from hitp2p import limits
from hitp2p.codec.cid import Cid
from hitp2p.keys.ed25519 import SigningKey
from hitp2p.node.keeper import Keeper
from hitp2p.node.policy import Follow as Following
from hitp2p.node.policy import Policy
from hitp2p.objects.envelope import SignedObject
from hitp2p.protocol.actions import (
    Action,
    Admit,
    Admitted,
    Close,
    Dial,
    Event,
    Load,
    Notify,
    Pause,
    Resume,
    Send,
)
from hitp2p.protocol.addresses import AddressBook
from hitp2p.protocol.conduct import Bans
from hitp2p.protocol.core import NodeConfig, NodeCore
from hitp2p.protocol.frames import Frame, FrameReader, encode_frame
from hitp2p.protocol.messages import Follow, Followed, Hello, Message
from hitp2p.store.contract import Store, WriteBatch
from hitp2p.store.memory import MemoryStore
from hitp2p.testing.people import Person

__all__ = ["HELLO", "HIGH", "LOW", "NAMES", "Host", "Stranger", "Trail", "Wire", "key_of", "settle"]

HELLO = Hello(versions=(1,), features=(), agent="stranger", listen=(), nonce=bytes(16))
M = TypeVar("M", bound=Message)


def key_of(name: str) -> bytes:
    """The node key of a name."""
    return SigningKey.from_seed(sha256(b"node " + name.encode()).digest()).public


NAMES = sorted((f"n{number}" for number in range(20)), key=key_of)
"""Names of nodes, by their keys."""
LOW, HIGH = NAMES[0], NAMES[-1]


class Trail:
    """A project with a chain of works."""

    def __init__(self, n_works: int = 3, title: str = "Night Bus") -> None:
        self.ana = Person("Ana")
        self.project = self.ana.project(title)
        self.works: list[SignedObject] = []
        for _ in range(n_works):
            self.grow()

    @property
    def cid(self) -> Cid:
        return self.project.cid

    @property
    def base(self) -> list[SignedObject]:
        return [self.ana.genesis, self.project]

    @property
    def objects(self) -> list[SignedObject]:
        return [*self.base, *self.works]

    def grow(self) -> SignedObject:
        """One more work, on top of the last."""
        self.works.append(self.new(*self.works[-1:]))
        return self.works[-1]

    def new(self, *parents: SignedObject, title: str | None = None) -> SignedObject:
        """A work that isn't among `works`."""
        return self.ana.work(self.project, title or f"Work {len(self.works)}", *parents)


class Host:
    """A node, as far as it has no sockets."""

    def __init__(
        self,
        name: str = NAMES[10],
        *,
        objects: Iterable[SignedObject] = (),
        follow: Sequence[Cid | Following] = (),
        policy: Policy | None = None,
        config: NodeConfig | None = None,
        store: Store | None = None,
    ) -> None:
        self.name = name
        self.key = key_of(name)
        self.store = store or MemoryStore()
        self.store.put(WriteBatch(objects=tuple(objects)))
        self.keeper = Keeper(self.store, policy=policy)
        self.now = at(0)
        self.bans = Bans()
        self.book = AddressBook(me=self.key, secret=bytes(32))
        self.core = NodeCore(
            me=self.key,
            config=config or NodeConfig(),
            book=self.book,
            bans=self.bans,
            chance=Seeded(7),
            now=self.now,
        )
        self.n_links = 0
        self.sent: dict[int, deque[bytes]] = {}
        """By connection: what the core has queued and nobody has taken up."""
        self.unwritten: dict[int, int] = {}
        """By connection: bytes that the core believes to wait still."""
        self.closes: dict[int, Close] = {}
        self.paused: set[int] = set()
        self.dials: list[Dial] = []
        self.events: list[Event] = []
        self.admits: list[Admit] = []
        self.loads: list[Load] = []
        """What the store is to do, as long as it is held."""
        self.n_judged = 0
        """Objects and blocks that went to the store so far."""
        self.holds_admits = self.holds_loads = False
        self.is_taken = True
        """Whether the other sides take what is queued for them at once."""
        for one in follow:
            self.follow(one)

    # --- calls ----------------------------------------------------------------------------------

    def follow(self, one: Cid | Following) -> None:
        said = one if isinstance(one, Following) else Following(topic=one, media=0)
        self.keeper.follow(said.topic, said.scope, said.media)
        scopes = range(said.scope + 1)
        members = [m for scope in scopes for m in self.keeper.members(said.topic, scope)]
        self.core.follow(
            said.topic, scope=said.scope, media=said.media, members=members, now=self.now
        )
        self.core.on_local(Admitted(wants=self.keeper.wants(said.topic)), self.now)
        self.do()

    def put(self, *objects: SignedObject, blocks: Iterable[tuple[Cid, bytes]] = ()) -> None:
        """Store as the user does."""
        self.store.put(WriteBatch(objects=objects, blocks=tuple(blocks)))
        self.core.on_local(self.keeper.catch_up(), self.now)
        self.do()

    def open(
        self, key: bytes, host: str, *, address: str | None = None, token: int | None = None
    ) -> int:
        """A connection stands; its number."""
        self.n_links += 1
        link = self.n_links
        self.sent[link], self.unwritten[link] = deque(), 0
        self.core.on_connected(link, key, host, address=address, token=token, now=self.now)
        self.do()
        return link

    def take_bytes(self, link: int, data: bytes) -> None:
        self.core.on_bytes(link, data, self.now)
        self.do()

    def close(self, link: int) -> None:
        self.core.on_closed(link, self.now)
        self.paused.discard(link)
        self.do()

    def write(self, link: int, n_bytes: int | None = None) -> None:
        """The other side takes some of the queue, or all of it."""
        if n_bytes is None:
            n_bytes = self.unwritten[link]
        self.unwritten[link] -= n_bytes
        self.core.on_written(link, n_bytes, self.now)
        self.do()

    def pass_time(self, seconds: float) -> None:
        """Let time pass, with every alarm on the way."""
        end = self.now.mono + seconds
        while (due := self.core.next_time()) <= end:
            self._wake(max(due, self.now.mono))
        self._wake(end)

    def _wake(self, mono: float) -> None:
        self.now = at(mono)
        self.core.on_time(self.now)
        self.do()

    # --- the shell ------------------------------------------------------------------------------

    def do(self) -> None:
        while actions := self.core.actions():
            for action in actions:
                self._perform(action)

    def _perform(self, action: Action) -> None:
        match action:
            case Send(link=link, data=data):
                self.sent[link].append(data)
                self.unwritten[link] += len(data)
                if self.is_taken:
                    self.unwritten[link] -= len(data)
                    self.core.on_written(link, len(data), self.now)
            case Close(link=link):
                assert link not in self.closes
                self.closes[link] = action
            case Pause(link=link):
                assert link not in self.paused
                self.paused.add(link)
            case Resume(link=link):
                self.paused.remove(link)
            case Dial():
                self.dials.append(action)
            case Admit():
                self.n_judged += len(action.blocks)
                self.admits.append(action)
                if not self.holds_admits:
                    self.admit()
            case Load():
                self.loads.append(action)
                if not self.holds_loads:
                    self.load()
            case Notify(event=event):
                self.events.append(event)
            case _:
                assert_never(action)

    def admit(self, answer: Admitted | None = None) -> Admit:
        """Let the store judge the oldest batch that waits, or say what it is to say."""
        action = self.admits.pop(0)
        self.core.on_admitted(action.token, answer or self.keeper.admit(action), self.now)
        self.do()
        return action

    def load(self) -> Load:
        """Let the store read the oldest that waits."""
        action = self.loads.pop(0)
        self.core.on_loaded(action.token, self.keeper.load(action), self.now)
        self.do()
        return action

    # --- questions ------------------------------------------------------------------------------

    def cids(self) -> frozenset[Cid]:
        return frozenset(row.cid for row in self.store.rows())

    def has(self, *objects: SignedObject) -> bool:
        return all(self.store.row(obj.cid) is not None for obj in objects)

    def named(self, name: str) -> list[Event]:
        """What the operator was told under a name."""
        return [event for event in self.events if event.name == name]


class Stranger:
    """The other side of one connection, who says what the test wants."""

    def __init__(
        self,
        host: Host,
        name: str = HIGH,
        *,
        place: str = "203.0.113.7",
        address: str | None = None,
        token: int | None = None,
    ) -> None:
        self.host = host
        self.key = key_of(name)
        self._reader = FrameReader()
        self._reader.limit = limits.NODE_BLOCKS_FRAME_BYTES
        self.link = host.open(self.key, place, address=address, token=token)

    def say(self, message: Message, number: int = 0) -> None:
        self.host.take_bytes(self.link, encode_frame(message, number))

    def say_bytes(self, data: bytes) -> None:
        self.host.take_bytes(self.link, data)

    def greet(self, *topics: Cid, scope: int = 1, media: int = 0) -> Stranger:
        """HELLO and FOLLOW; what was heard until then is forgotten."""
        self.say(HELLO)
        self.follow(*topics, scope=scope, media=media)
        self.hear()
        return self

    def follow(self, *topics: Cid, scope: int = 1, media: int = 0) -> None:
        self.say(Follow(topics=tuple(Followed(topic, scope, media) for topic in topics)))

    def hear(self) -> list[Frame]:
        """All that the core has said since the last time."""
        waiting = self.host.sent[self.link]
        while waiting:
            self._reader.feed(waiting.popleft())
        return list(self._reader.frames())

    def hear_one(self, kind: type[M]) -> tuple[int, M]:
        """The one message of a type among what was said, with its number; the others are forgotten."""
        found = self.hear_numbered(kind)
        assert len(found) == 1, found
        return found[0]

    def hear_numbered(self, kind: type[M]) -> list[tuple[int, M]]:
        """The messages of a type with their numbers; the others are forgotten."""
        return [(f.number, f.message) for f in self.hear() if isinstance(f.message, kind)]

    def hear_all(self, kind: type[M]) -> list[M]:
        """The messages of a type; the others are forgotten."""
        return [message for _, message in self.hear_numbered(kind)]

    @property
    def end(self) -> str | None:
        """Why the core has ended the connection, in a word; None if it hasn't."""
        found = self.host.closes.get(self.link)
        return None if found is None else found.code

    @property
    def is_paused(self) -> bool:
        return self.link in self.host.paused


class Wire:
    """A connection of two hosts: bytes that wait on both sides."""

    def __init__(self, dialler: Host, listener: Host) -> None:
        into = listener.open(dialler.key, f"{dialler.name}.example")
        place = f"{listener.name}.example"
        out = dialler.open(listener.key, place, address=f"/dns/{place}/tcp/1")
        self.ends = ((dialler, out), (listener, into))
        self.is_open = True
        self.n_bytes = 0
        """What was carried so far, both ways."""
        self.n_pieces = 0

    def carry(self, side: int) -> bool:
        """Bring one piece from a side to the other; whether there was one that could go."""
        (source, out), (target, into) = self.ends[side], self.ends[1 - side]
        if not self.is_open or not source.sent[out] or into in target.paused:
            return False
        data = source.sent[out].popleft()
        self.n_bytes += len(data)
        self.n_pieces += 1
        target.take_bytes(into, data)
        return True

    def finish(self) -> None:
        """End it, if one side wants that and all that it said has come."""
        if any(link in host.closes and not host.sent[link] for host, link in self.ends):
            self.cut()

    def cut(self) -> None:
        if self.is_open:
            self.is_open = False
            for host, link in self.ends:
                host.close(link)


def settle(wires: Sequence[Wire], seconds: int = 0) -> None:
    """Carry all that waits, and let time pass a second at a time."""
    hosts = list({id(host): host for wire in wires for host, _ in wire.ends}.values())
    for second in range(seconds + 1):
        while sum(wire.carry(side) for wire in wires for side in (0, 1)):
            pass
        for wire in wires:
            wire.finish()
        for host in hosts if second < seconds else ():
            host.pass_time(1.0)
