"""What the store says, and what follows from it: sets change, orphans go on, peers are told, and who brought rubbish has to go.

Here the parts meet: whatever was stored, by a peer or by the user, goes to all of them in one order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hitp2p.codec.cid import Cid
from hitp2p.protocol.actions import Admitted
from hitp2p.protocol.admitting import Admitting, Batch
from hitp2p.protocol.comparing import Comparing
from hitp2p.protocol.conduct import Bans
from hitp2p.protocol.desk import Desk
from hitp2p.protocol.fetching import Fetching
from hitp2p.protocol.gossip import Gossip
from hitp2p.protocol.session import Session
from hitp2p.protocol.topics import Topics
from hitp2p.protocol.waiting import Orphan, Waiting

__all__ = ["Intake"]

_FULL_S: Final = 30.0
"""Seconds until something is fetched again after the disk was full."""


class Intake:
    """Lets all parts know. See `Judging`."""

    def __init__(
        self,
        desk: Desk,
        *,
        topics: Topics,
        waiting: Waiting,
        admitting: Admitting,
        fetching: Fetching,
        gossip: Gossip,
        comparing: Comparing,
        sessions: Mapping[int, Session],
        bans: Bans,
    ) -> None:
        self._desk = desk
        self._topics = topics
        self._waiting = waiting
        self._admitting = admitting
        self._fetching = fetching
        self._gossip = gossip
        self._comparing = comparing
        self._sessions = sessions
        self._bans = bans

    def on_judged(self, batch: Batch, admitted: Admitted) -> None:
        """See `Judging`."""
        session = batch.session
        if admitted.full:
            self._on_full(batch)
        else:
            self._punish(batch, admitted)
            holders = {cid: self._admitting.holders(cid) for cid in batch.cids}
            blocks = dict(batch.blocks)
            blocks.update((cid, one.obj.block) for cid, one in batch.orphans.items())
            n_new = self.take_in(admitted, blocks, holders)
            if session is not None:
                session.n_brought += n_new
            self._let_wait(batch, admitted)
            self._fetching.on_judged(batch.cids)
        if session is not None:
            name = ("settled", session.link)
            self._desk.set_alarm(name, 0.0, lambda: self._comparing.on_settled(session))

    def _on_full(self, batch: Batch) -> None:
        self._desk.tell("full", topic=batch.topic)
        self._fetching.on_not_stored(batch.cids, _FULL_S)
        if batch.session is not None:
            self._comparing.on_full(batch.session, batch.topic)
            batch.session.lag(batch.topic, _FULL_S)

    def _punish(self, batch: Batch, admitted: Admitted) -> None:
        """Send away who brought an object that breaks a rule [NET-23]. What was asked for as something else is no object."""
        wanted = {want.cid for want in batch.wants}
        for cid, why in admitted.invalid.items():
            orphan = batch.orphans.get(cid)
            if orphan is not None:
                self._ban(orphan.key, orphan.host, f"{cid}: {why}")
            elif batch.session is not None and cid in batch.blocks and cid not in wanted:
                batch.session.dismiss("invalid", f"{cid}: {why}")
        if admitted.refused:
            peer = None if batch.session is None else batch.session.key
            refused = tuple(admitted.refused)
            self._desk.tell("refused", peer=peer, topic=batch.topic, cids=refused)

    def _ban(self, key: bytes, host: str, why: str) -> None:
        sessions = [one for one in self._sessions.values() if one.key == key and not one.is_over]
        for session in sessions:
            session.dismiss("invalid", why)
        if not sessions:
            self._bans.ban(key, host, self._desk.now)

    def take_in(
        self,
        admitted: Admitted,
        blocks: Mapping[Cid, bytes],
        holders: Mapping[Cid, Mapping[int, None]],
    ) -> int:
        """Let sets, orphans, wants and peers follow what the store says; how many objects are new."""
        joined = self._topics.apply(admitted)
        new = tuple(dict.fromkeys(member.cid for member in joined))
        here = dict.fromkeys((*admitted.stored, *new))
        self._admitting.judged.discard(new)
        self._gossip.push(joined, blocks, {cid: tuple(at) for cid, at in holders.items()})
        self._admitting.retry(self._waiting.on_here(here))
        for cid in (*admitted.invalid, *admitted.refused):
            self._waiting.on_lost(cid)
        self._fetching.on_judged(here)
        self._fetching.want(admitted.wants)
        if new:
            self._desk.tell("stored", cids=new)
        return len(new)

    def _let_wait(self, batch: Batch, admitted: Admitted) -> None:
        """Let orphans wait, and fetch what they require from who brought them."""
        for obj, missing in admitted.waiting:
            orphan = batch.orphans.get(obj.cid)
            if orphan is None:
                session = batch.session
                if session is None:
                    continue
                orphan = Orphan(
                    obj,
                    batch.topic,
                    missing,
                    link=session.link,
                    key=session.key,
                    host=session.host,
                )
            else:
                orphan.missing = dict.fromkeys(missing)
            self._waiting.put(orphan, self._desk.now.mono)
            self._fetch_for(orphan)
        self._set_expiry()

    def _fetch_for(self, orphan: Orphan) -> None:
        wanted = [cid for cid in orphan.missing if cid not in self._waiting]
        bringer = self._sessions.get(orphan.link)
        followers = self._topics.followers(orphan.topic)
        for session in [bringer] if bringer is not None else followers[:1]:
            self._fetching.want_members(session, orphan.topic, wanted)

    def _expire(self) -> None:
        self._waiting.expire(self._desk.now.mono)
        self._set_expiry()

    def _set_expiry(self) -> None:
        end = self._waiting.next_end
        if end is not None:
            self._desk.alarms.set(("waiting", 0), end, self._expire)
