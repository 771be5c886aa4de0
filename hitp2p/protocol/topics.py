"""What is followed: the sets of each topic here, and which peers follow it too [NET-1, NET-12]."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from typing import Final

from hitp2p import limits
from hitp2p.codec.cid import LINK_BYTES, Cid, raw_bytes
from hitp2p.errors import UsageError
from hitp2p.protocol.actions import Admitted, Member
from hitp2p.protocol.messages import Follow, Followed
from hitp2p.protocol.ranges import SyncSet, key_of
from hitp2p.protocol.session import Session

__all__ = ["ALL", "MemberSet", "Topic", "Topics"]

ACCEPTED: Final = 0
ALL: Final = 1
"""The scopes."""
_OTHER_BYTES: Final = LINK_BYTES + 2
"""A topic, a scope and what is wanted of media, as kept of topics that we don't follow."""


class MemberSet:
    """One set: the keys of its members, and which of them are heads."""

    __slots__ = ("heads", "keys", "pulled_to")

    def __init__(self) -> None:
        self.keys = SyncSet()
        self.heads: list[bytes] = []
        """Keys, sorted."""
        self.pulled_to = b""
        """Up to which key members were pulled from somewhere, where that stopped midway."""

    def fill(self, members: Iterable[Member]) -> None:
        """Take all members at once."""
        keys: list[bytes] = []
        for member in members:
            key = key_of(member.generation, member.cid)
            keys.append(key)
            if member.is_head:
                self.heads.append(key)
        self.keys = SyncSet(keys)
        self.heads = sorted(dict.fromkeys(self.heads))

    def add(self, member: Member) -> bool:
        """Take a member; whether it is new."""
        key = key_of(member.generation, member.cid)
        if member.is_head and not _has(self.heads, key):
            insort(self.heads, key)
        return self.keys.add(key)

    def discard(self, key: bytes) -> None:
        """Let go of a member, if it is one."""
        self.keys.discard(key)
        self.lower(key)

    def lower(self, key: bytes | None) -> None:
        """A member is no head any more, if it was."""
        if key is not None and _has(self.heads, key):
            del self.heads[bisect_left(self.heads, key)]

    def top_heads(self) -> tuple[bytes, ...]:
        """The digests of the heads with the highest keys, as HEADS and STATE say them."""
        return tuple(key[-32:] for key in self.heads[-limits.NODE_HEADS :])

    @property
    def state(self) -> tuple[int, bytes, tuple[bytes, ...]]:
        """Count, fingerprint and heads: what two sides compare first."""
        return (*self.keys.fingerprint(), self.top_heads())


def _has(keys: list[bytes], key: bytes) -> bool:
    at = bisect_left(keys, key)
    return at < len(keys) and keys[at] == key


class Topic:
    """Something that we follow."""

    __slots__ = ("cid", "compared", "media", "scope", "sets")

    def __init__(self, cid: Cid, scope: int, media: int) -> None:
        self.cid = cid
        self.scope = scope
        self.media = media
        self.sets: dict[int, MemberSet] = {of: MemberSet() for of in range(scope + 1)}
        """By scope, those that are kept."""
        self.compared = float("-inf")
        """When a comparison last found it in step with a peer, in seconds of the clock that never goes back."""

    @property
    def widest(self) -> MemberSet:
        """The set that holds all others."""
        return self.sets[self.scope]

    def has(self, digest: bytes) -> bool:
        """Whether a set of it holds an object."""
        return self.widest.keys.has_digest(digest)


class Topics:
    """All topics, and who follows them."""

    def __init__(self) -> None:
        self._topics: dict[Cid, Topic] = {}
        self._followers: dict[Cid, dict[int, Session]] = {}
        """By topic that we follow and by connection."""

    def __iter__(self) -> Iterator[Topic]:
        return iter(self._topics.values())

    def __len__(self) -> int:
        return len(self._topics)

    def get(self, cid: Cid) -> Topic | None:
        """The topic, if we follow it."""
        return self._topics.get(cid)

    def follow(self, cid: Cid, scope: int, media: int, members: Iterable[Member]) -> Topic:
        """Follow a topic, with its sets as they are now; in place of how it was followed before.

        Raises:
            UsageError: it would be one too many.
        """
        if cid not in self._topics and len(self._topics) >= limits.NODE_FOLLOWED:
            raise UsageError(
                f"a node follows at most {limits.NODE_FOLLOWED} topics; unfollow one first"
            )
        topic = Topic(cid, scope, media)
        by_scope: dict[int, list[Member]] = {of: [] for of in topic.sets}
        for member in members:
            if member.of.topic == cid and member.of.scope in by_scope:
                by_scope[member.of.scope].append(member)
        for of, found in by_scope.items():
            topic.sets[of].fill(found)
        self._topics[cid] = topic
        self._followers.setdefault(cid, {})
        return topic

    def unfollow(self, cid: Cid) -> None:
        """Follow a topic no more."""
        self._topics.pop(cid, None)
        for session in self._followers.pop(cid, {}).values():
            said = session.follows.pop(cid)
            session.others += raw_bytes(cid) + bytes((said.scope, said.media))

    def apply(self, admitted: Admitted) -> tuple[Member, ...]:
        """Let the sets follow what the store says; the members that are new to them."""
        for of, key in admitted.left:
            if (found := self._set(of.topic, of.scope)) is not None:
                found.discard(key)
        joined = tuple(member for member in admitted.joined if self._add(member))
        for of, cid in admitted.no_heads:
            if (found := self._set(of.topic, of.scope)) is not None:
                found.lower(found.keys.key_of_digest(raw_bytes(cid)[-32:]))
        return joined

    def _set(self, cid: Cid, scope: int) -> MemberSet | None:
        topic = self._topics.get(cid)
        return None if topic is None else topic.sets.get(scope)

    def _add(self, member: Member) -> bool:
        found = self._set(member.of.topic, member.of.scope)
        return found is not None and found.add(member)

    # --- peers ----------------------------------------------------------------------------------

    def on_follow(self, session: Session, message: Follow) -> list[Cid]:
        """What a peer follows now; those of our topics that it didn't follow before in this way."""
        before = self.drop(session)
        others: list[bytes] = []
        for said in message.topics:
            if said.topic in self._topics:
                session.follows[said.topic] = said
                self._followers[said.topic][session.link] = session
            else:
                others.append(raw_bytes(said.topic) + bytes((said.scope, said.media)))
        session.others = b"".join(others)
        for cid in [cid for cid in session.lagging if cid not in session.follows]:
            del session.lagging[cid]
        return [
            cid
            for cid, said in session.follows.items()
            if cid not in before or before[cid].scope != said.scope
        ]

    def drop(self, session: Session) -> dict[Cid, Followed]:
        """Forget what a peer follows; what that was."""
        before, session.follows = session.follows, {}
        for cid in before:
            del self._followers[cid][session.link]
        session.others = b""
        return before

    def meet(self, cid: Cid, sessions: Iterable[Session]) -> list[Session]:
        """Find who follows a topic that we have begun to follow."""
        for session in sessions:
            said = _find(session.others, cid)
            if said is not None:
                session.follows[cid] = said
                session.others = _without(session.others, cid)
                self._followers[cid][session.link] = session
        return self.followers(cid)

    def followers(self, cid: Cid) -> list[Session]:
        """The peers that follow a topic, in the order in which they said so."""
        return list(self._followers.get(cid, {}).values())

    def scope_with(self, session: Session, cid: Cid) -> int | None:
        """The narrower of two scopes; None for what not both follow."""
        topic, said = self._topics.get(cid), session.follows.get(cid)
        return None if topic is None or said is None else min(topic.scope, said.scope)


def _place(others: bytes, cid: Cid) -> int:
    at = others.find(raw_bytes(cid))
    while at >= 0 and at % _OTHER_BYTES:
        at = others.find(raw_bytes(cid), at + 1)
    return at


def _find(others: bytes, cid: Cid) -> Followed | None:
    at = _place(others, cid)
    if at < 0:
        return None
    scope, media = others[at + LINK_BYTES : at + _OTHER_BYTES]
    return Followed(cid, scope, media)


def _without(others: bytes, cid: Cid) -> bytes:
    at = _place(others, cid)
    return others[:at] + others[at + _OTHER_BYTES :]
