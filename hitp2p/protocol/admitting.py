"""What comes in: blocks of a peer go to the store to be judged, and what came of it is told to all who wait for it.

At most two batches of a peer wait to be judged; then nothing is read from it. What is here, is being judged, or was judged a
short while ago, isn't judged again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from hitp2p import limits
from hitp2p.codec.cid import Cid, raw_bytes
from hitp2p.objects.envelope import SignedObject
from hitp2p.protocol.actions import Admit, Admitted, Want
from hitp2p.protocol.desk import Desk
from hitp2p.protocol.session import Hold, Session
from hitp2p.protocol.topics import Topics
from hitp2p.protocol.waiting import Orphan, Waiting

__all__ = ["Admitting", "Batch", "Judged", "Judging"]


class Judged:
    """CIDs that were judged and are no members: refused, invalid, or stored without belonging to a set. Bounded, for a while."""

    def __init__(self) -> None:
        self._until: dict[Cid, float] = {}

    def __len__(self) -> int:
        return len(self._until)

    def put(self, cids: Iterable[Cid], now: float) -> None:
        """Remember some; the oldest give way."""
        for cid in cids:
            self._until.pop(cid, None)
            self._until[cid] = now + limits.NODE_JUDGED_S
        while len(self._until) > limits.NODE_JUDGED:
            del self._until[next(iter(self._until))]

    def discard(self, cids: Iterable[Cid]) -> None:
        """Forget some."""
        for cid in cids:
            self._until.pop(cid, None)

    def has(self, cid: Cid, now: float) -> bool:
        """Whether one is remembered."""
        until = self._until.get(cid)
        if until is not None and until <= now:
            del self._until[cid]
            return False
        return until is not None

    def clear(self) -> None:
        """Forget all, as the operator has changed what is kept out."""
        self._until.clear()


class Batch:
    """What is being judged together."""

    __slots__ = ("blocks", "orphans", "session", "topic", "wants")

    def __init__(self, topic: Cid, session: Session | None) -> None:
        self.topic = topic
        self.session = session
        """Who brought the blocks; None for orphans, who have brought theirs before."""
        self.blocks: dict[Cid, bytes] = {}
        self.orphans: dict[Cid, Orphan] = {}
        self.wants: tuple[Want, ...] = ()
        """Why those of the blocks that are no members were asked for."""

    @property
    def cids(self) -> tuple[Cid, ...]:
        """What is in it."""
        return (*self.blocks, *self.orphans)


class Judging(Protocol):
    """Who is told what came of a batch."""

    def on_judged(self, batch: Batch, admitted: Admitted) -> None:
        """It is out of the way already; the session, if any, reads on after this."""
        ...


class Admitting:
    """All batches that are being judged."""

    def __init__(self, desk: Desk, topics: Topics, waiting: Waiting) -> None:
        self._desk = desk
        self._topics = topics
        self._waiting = waiting
        self.told: Judging | None = None
        self._batches: dict[int, Batch] = {}
        self._in_hand: dict[Cid, dict[int, None]] = {}
        """What is being judged, and the connections that have brought it."""
        self.judged = Judged()

    def __len__(self) -> int:
        return len(self._batches)

    def is_known(self, topic: Cid, cid: Cid) -> bool:
        """Whether a block needn't be fetched as a member of a topic: it is one, or was judged not to be."""
        found = self._topics.get(topic)
        is_member = found is not None and found.has(raw_bytes(cid)[-32:])
        return is_member or self.judged.has(cid, self._desk.now.mono)

    def is_in_hand(self, cid: Cid) -> bool:
        """Whether a block is being judged."""
        return cid in self._in_hand

    def holders(self, cid: Cid) -> dict[int, None]:
        """The connections that brought a block that is being judged."""
        return self._in_hand.get(cid, {})

    def take(
        self,
        session: Session,
        topic: Cid,
        blocks: Iterable[tuple[Cid, bytes]],
        wants: Sequence[Want] = (),
    ) -> int:
        """Have the store judge blocks whose hashes are right; how many of them are judged now.

        Args:
            session: who brought them.
            topic: for which they came.
            blocks: with their names.
            wants: for those that are no members.
        """
        batch = Batch(topic, session)
        for cid, block in blocks:
            if cid in self._in_hand:
                self._in_hand[cid][session.link] = None
            elif cid not in self._waiting and not self.is_known(topic, cid):
                self._in_hand[cid] = {session.link: None}
                batch.blocks[cid] = block
        if batch.blocks:
            batch.wants = tuple(want for want in wants if want.cid in batch.blocks)
            self._judge(batch)
            session.n_batches += 1
            if session.n_batches >= limits.NODE_BATCHES:
                session.hold(Hold.BATCHES)
        return len(batch.blocks)

    def retry(self, orphans: Iterable[Orphan]) -> None:
        """Have the store judge objects whose requirements have come."""
        by_topic: dict[Cid, Batch] = {}
        for orphan in orphans:
            batch = by_topic.setdefault(orphan.topic, Batch(orphan.topic, None))
            batch.orphans[orphan.obj.cid] = orphan
            self._in_hand.setdefault(orphan.obj.cid, {orphan.link: None})
        for batch in by_topic.values():
            self._judge(batch)

    def _judge(self, batch: Batch) -> None:
        token = self._desk.next_token()
        self._batches[token] = batch
        objects: tuple[SignedObject, ...] = tuple(o.obj for o in batch.orphans.values())
        admit = Admit(
            token=token,
            topic=batch.topic,
            objects=objects,
            blocks=tuple(batch.blocks.items()),
            wants=batch.wants,
        )
        self._desk.act(admit)

    def on_admitted(self, token: int, admitted: Admitted) -> None:
        """Pass on what the store says."""
        batch = self._batches.pop(token, None)
        if batch is None:
            return
        self._remember(batch, admitted)
        if self.told is not None:
            self.told.on_judged(batch, admitted)
        for cid in batch.cids:
            self._in_hand.pop(cid, None)
        session = batch.session
        if session is not None:
            session.n_batches -= 1
            if session.n_batches < limits.NODE_BATCHES:
                session.release(Hold.BATCHES)

    def _remember(self, batch: Batch, admitted: Admitted) -> None:
        """What isn't to be asked for again: all of the batch that neither joined nor waits, nor is what was wanted."""
        if admitted.full:
            return
        good = {member.cid for member in admitted.joined}
        good |= {obj.cid for obj, _ in admitted.waiting}
        good |= {want.cid for want in batch.wants} & set(admitted.stored)
        done = [cid for cid in batch.cids if cid not in good]
        self.judged.put(done, self._desk.now.mono)
        self.judged.discard(member.cid for member in admitted.joined)
