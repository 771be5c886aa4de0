"""Push: new members go to each peer that follows the topic, except to those they came from [NET-13, NET-14].

As bytes where a peer takes more objects of us in this second, else by their digests; and where the queue has no room, the topic is
remembered as one in which the peer lags.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from hitp2p import limits
from hitp2p.codec.cid import Cid, raw_bytes
from hitp2p.protocol.actions import Load, Member, TopicScope
from hitp2p.protocol.desk import Desk
from hitp2p.protocol.frames import encode_frame
from hitp2p.protocol.messages import Push
from hitp2p.protocol.session import Session
from hitp2p.protocol.topics import Topics

__all__ = ["Gossip"]

_PUSH_BYTES = limits.NODE_FRAME_BYTES * 3 // 4
"""Most bytes of objects in one PUSH; the rest is room for what stands around them."""
_READ = limits.NODE_PUSH_OBJECTS
"""Objects that are read for a push at once; what else is stored with them is offered."""
Holders = Mapping[Cid, Collection[int]]
"""By object, the connections that have it already."""


class _Later:
    """Members whose bytes are being read for a push."""

    __slots__ = ("cids", "holders", "of")

    def __init__(self, of: TopicScope, cids: list[Cid], holders: Holders) -> None:
        self.of = of
        self.cids = cids
        self.holders = holders


class Gossip:
    """All pushes."""

    def __init__(self, desk: Desk, topics: Topics) -> None:
        self._desk = desk
        self._topics = topics
        self._loads: dict[int, _Later] = {}

    def push(
        self, members: Iterable[Member], blocks: Mapping[Cid, bytes], holders: Holders
    ) -> None:
        """Push members that have just joined. `blocks`: bytes of some of them that are at hand."""
        by_set: dict[TopicScope, list[Member]] = {}
        for member in members:
            by_set.setdefault(member.of, []).append(member)
        for of, joined in by_set.items():
            if not self._receivers(of):
                continue
            most = limits.NODE_PUSH_OBJECT_BYTES
            lacking = [m.cid for m in joined if m.cid not in blocks and m.size <= most][:_READ]
            later = set(lacking)
            self._send(of, [m.cid for m in joined if m.cid not in later], blocks, holders)
            if lacking:
                self._load(_Later(of, lacking, holders))

    def _receivers(self, of: TopicScope) -> list[Session]:
        return [
            session
            for session in self._topics.followers(of.topic)
            if session.is_open and self._topics.scope_with(session, of.topic) == of.scope
        ]

    def _load(self, later: _Later) -> None:
        token = self._desk.next_token()
        self._loads[token] = later
        load = Load(
            token=token,
            topic=later.of.topic,
            scope=later.of.scope,
            cids=tuple(later.cids),
            file=None,
            most=limits.NODE_PULL_BYTES,
        )
        self._desk.act(load)

    def on_loaded(self, token: int, blocks: Mapping[Cid, bytes]) -> bool:
        """Push what was read; whether it was for a push."""
        later = self._loads.pop(token, None)
        if later is None:
            return False
        self._send(later.of, [c for c in later.cids if c in blocks], blocks, later.holders)
        return True

    def _send(
        self, of: TopicScope, cids: list[Cid], blocks: Mapping[Cid, bytes], holders: Holders
    ) -> None:
        """To each its own; what is the same for several is encoded once."""
        made: dict[tuple[tuple[Cid, ...], bool], list[bytes]] = {}
        for session in self._receivers(of) if cids else ():
            mine = tuple(cid for cid in cids if session.link not in holders.get(cid, ()))
            if not mine:
                continue
            n_small = sum(1 for cid in mine if is_small(blocks.get(cid)))
            inline = session.own_rates.objects.take(n_small, self._desk.now.mono)
            name = mine, inline
            if name not in made:
                made[name] = list(_frames(of.topic, mine, blocks if inline else {}))
            for frame in made[name]:
                self.send_or_lag(session, of.topic, frame)

    def send_or_lag(self, session: Session, topic: Cid, frame: bytes) -> bool:
        """Queue a notice, or drop it and remember that [NET-14]; whether it was queued."""
        if session.room - len(frame) >= 0 and session.own_rates.frames.take(1, self._desk.now.mono):
            session.send_frame(frame)
            return True
        session.lag(topic)
        return False

    def offer(self, session: Session, topic: Cid, keys: list[bytes]) -> None:
        """Offer members that a comparison found lacking, by their digests."""
        for at in range(0, len(keys), limits.NODE_PUSH_DIGESTS):
            some = tuple(key[-32:] for key in keys[at : at + limits.NODE_PUSH_DIGESTS])
            if not self.send_or_lag(session, topic, encode_frame(Push(topic=topic, cids=some))):
                return


def is_small(block: bytes | None) -> bool:
    """Whether an object is pushed as bytes."""
    return block is not None and len(block) <= limits.NODE_PUSH_OBJECT_BYTES


def _frames(topic: Cid, cids: tuple[Cid, ...], blocks: Mapping[Cid, bytes]) -> Iterable[bytes]:
    """PUSH frames for members: small ones whose bytes are given as bytes, the others by their digests."""
    objects: list[bytes] = []
    offered: list[bytes] = []
    n_bytes = 0
    for cid in cids:
        block = blocks.get(cid)
        if block is None or not is_small(block):
            offered.append(raw_bytes(cid)[-32:])
            continue
        if n_bytes + len(block) > _PUSH_BYTES or len(objects) == limits.NODE_PUSH_OBJECTS:
            yield encode_frame(Push(topic=topic, objects=tuple(objects)))
            objects, n_bytes = [], 0
        objects.append(block)
        n_bytes += len(block)
    if objects:
        yield encode_frame(Push(topic=topic, objects=tuple(objects)))
    for at in range(0, len(offered), limits.NODE_PUSH_DIGESTS):
        some = tuple(offered[at : at + limits.NODE_PUSH_DIGESTS])
        yield encode_frame(Push(topic=topic, cids=some))
