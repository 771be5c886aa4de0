"""One core of a node, with peers that a test speaks for."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import TypeVar

from hitp2p import limits
from hitp2p.codec.cid import Cid
from hitp2p.keys.ed25519 import SigningKey
from hitp2p.protocol.actions import (
    Action,
    Close,
    Member,
    Moment,
    Notify,
    Pause,
    Resume,
    Send,
    TopicScope,
)
from hitp2p.protocol.addresses import AddressBook
from hitp2p.protocol.conduct import Bans
from hitp2p.protocol.config import NodeConfig
from hitp2p.protocol.core import NodeCore
from hitp2p.protocol.frames import FrameReader, encode_frame
from hitp2p.protocol.messages import Follow, Followed, Hello, Message
from hitp2p.testing.people import Person
from hitp2p.testing.simnet import SeededChance

__all__ = ["ANA", "PROJECT", "World", "key_of"]

ANA = Person("Ana")
PROJECT = ANA.project()
M = TypeVar("M")
A = TypeVar("A")


def key_of(name: str) -> bytes:
    """The node key of a peer, by its name."""
    return SigningKey.from_seed(sha256(b"peer " + name.encode()).digest()).public


def member(cid: Cid, *, generation: int = 1, size: int = 400, scope: int = 1) -> Member:
    """A member of the project."""
    of = TopicScope(PROJECT.cid, scope)
    return Member(of=of, generation=generation, cid=cid, size=size, is_head=True)


class World:
    """A core that follows the project of Ana, and what it has done so far."""

    def __init__(self, *, me: str = "me", follow: bool = True, **config: object) -> None:
        self.now = 1000.0
        self.me = key_of(me)
        self.log: list[Action] = []
        self.bans = Bans()
        self.core = NodeCore(
            me=self.me,
            config=NodeConfig(**config),  # type: ignore[arg-type]
            book=AddressBook(me=self.me, secret=bytes(32)),
            bans=self.bans,
            chance=SeededChance(1),
            now=self.moment,
        )
        if follow:
            self.follow()

    @property
    def moment(self) -> Moment:
        return Moment(self.now, 1_767_225_600_000 + int(self.now * 1000))

    def follow(self, *members: Member) -> None:
        self.core.follow(PROJECT.cid, scope=1, media=2, members=members, now=self.moment)
        self.act()

    def act(self) -> list[Action]:
        """What the core wants now."""
        new: list[Action] = []
        while actions := self.core.actions():
            new += actions
        self.log += new
        return new

    def at(self, time: float) -> list[Action]:
        """Let the time come; each alarm rings when it is due."""
        new: list[Action] = []
        while self.core.next_time() <= time:
            self.now = max(self.now, self.core.next_time())
            self.core.on_time(self.moment)
            new += self.act()
        self.now = time
        return new

    def after(self, seconds: float) -> list[Action]:
        return self.at(self.now + seconds)

    # --- peers ------------------------------------------------------------------------------------

    def join(
        self,
        link: int,
        name: str = "",
        *,
        host: str = "127.0.0.1",
        address: str | None = None,
        hello: bool = True,
        follows: bool = True,
    ) -> None:
        """A connection begins."""
        key = key_of(name or f"peer {link}")
        self.core.on_connected(link, key, host, address=address, token=None, now=self.moment)
        self.act()
        if hello and not self.is_closed(link):
            self.say(link, HELLO)
            if follows:
                self.say(link, FOLLOW)

    def say(self, link: int, message: Message, number: int = 0) -> list[Action]:
        """A peer says something."""
        return self.bytes(link, encode_frame(message, number))

    def bytes(self, link: int, data: bytes) -> list[Action]:
        self.core.on_bytes(link, data, self.moment)
        return self.act()

    def take(self, link: int) -> None:
        """A peer takes all that was sent to it."""
        queued = next((one.queued_bytes for one in self.core.peers() if one.link == link), 0)
        self.core.on_written(link, queued, self.moment)
        self.act()

    def heard(self, link: int, kind: Callable[..., M]) -> list[tuple[int, M]]:
        """What a peer was told so far, of one type, with the numbers."""
        reader = FrameReader()
        reader.limit = limits.NODE_BLOCKS_FRAME_BYTES
        for action in self.log:
            if isinstance(action, Send) and action.link == link:
                reader.feed(action.data)
        return [
            (frame.number, frame.message)
            for frame in reader.frames()
            if isinstance(frame.message, kind)  # type: ignore[arg-type]
        ]

    def is_closed(self, link: int) -> bool:
        return any(isinstance(one, Close) and one.link == link for one in self.log)

    def why(self, link: int) -> str:
        """With which code a connection was ended."""
        (found,) = [one for one in self.log if isinstance(one, Close) and one.link == link]
        return found.code

    def is_paused(self, link: int) -> bool:
        last = [one for one in self.log if isinstance(one, Pause | Resume) and one.link == link]
        return bool(last) and isinstance(last[-1], Pause)

    def of(self, kind: type[A]) -> list[A]:
        """All actions of one type so far."""
        return [one for one in self.log if isinstance(one, kind)]

    def events(self, name: str) -> list[Notify]:
        return [one for one in self.of(Notify) if one.event.name == name]


HELLO = Hello(versions=(1,), features=(), agent="test", listen=(), nonce=bytes(16))
FOLLOW = Follow(topics=(Followed(PROJECT.cid, 1, 2),))
