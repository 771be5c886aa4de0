"""Answering: what a peer asks of a topic that we follow [NET-12, NET-16, NET-17].

Requests wait their turn in the order in which they came; there are at most 64 of them. One read of the store is under way for a
peer at a time, and none begins while its queue has no room for the largest answer, so a peer that asks for everything and takes
nothing costs a queue and no more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from hitp2p import limits
from hitp2p.codec.cid import Cid
from hitp2p.errors import InternalError
from hitp2p.protocol.actions import Load
from hitp2p.protocol.desk import Desk
from hitp2p.protocol.messages import (
    Blocks,
    Get,
    Heads,
    Peers,
    Ping,
    Pong,
    Pull,
    Ranges,
    Recon,
    Request,
    Sorry,
    State,
)
from hitp2p.protocol.ranges import answer_ranges, cid_of
from hitp2p.protocol.session import Session
from hitp2p.protocol.topics import MemberSet, Topics

__all__ = ["Serving"]

_ROOM_FOR_BLOCKS = limits.NODE_BLOCKS_FRAME_BYTES + limits.NODE_FRAME_BYTES
_ABSENT = Sorry(code="absent", wait_ms=0)


class _Job:
    """A GET or PULL that is being answered."""

    __slots__ = ("cids", "keys", "left", "message", "n_sent", "number", "place", "scope")

    def __init__(self, number: int, message: Get | Pull, scope: int) -> None:
        self.number = number
        self.message = message
        self.scope = scope
        self.cids: tuple[Cid, ...] = message.cids if isinstance(message, Get) else ()
        """What is asked for, or for PULL is read next."""
        self.keys: list[bytes] = []
        """For PULL: their keys."""
        self.place = b"" if isinstance(message, Get) else message.after
        """For PULL: the last key that is dealt with."""
        self.left = 0 if isinstance(message, Get) else message.most
        """For PULL: bytes that the asker still takes."""
        self.n_sent = 0


class _Counter:
    """What is open for one connection."""

    __slots__ = ("job", "todo", "token")

    def __init__(self) -> None:
        self.todo: deque[tuple[int, Request]] = deque()
        self.job: _Job | None = None
        self.token: int | None = None
        """Of the read that is under way."""


class Serving:
    """All answers to requests about topics."""

    def __init__(self, desk: Desk, topics: Topics) -> None:
        self._desk = desk
        self._topics = topics
        self._open: dict[int, _Counter] = {}
        self._loads: dict[int, Session] = {}
        self.tell_peers: Callable[[Session, int, Peers], None] | None = None

    def on_request(self, session: Session, number: int, message: Request) -> None:
        """Answer, now or in turn."""
        at = self._open.setdefault(session.link, _Counter())
        if not isinstance(message, Get | Pull) and session.has_room:
            self._answer(session, number, message)
            return
        at.todo.append((number, message))
        self.pump(session)

    def drop(self, session: Session) -> None:
        """Forget a connection."""
        at = self._open.pop(session.link, None)
        if at is not None and at.token is not None:
            self._loads.pop(at.token, None)

    def pump(self, session: Session) -> None:
        """Go on with what waits, as far as the queue has room."""
        at = self._open.get(session.link)
        while at is not None and at.token is None and session.is_open:
            if at.job is not None:
                if session.room < _ROOM_FOR_BLOCKS:
                    return
                self._go_on(session, at, at.job)
            elif not at.todo or not session.has_room:
                return
            else:
                self._begin(session, at, *at.todo.popleft())

    def _begin(self, session: Session, at: _Counter, number: int, message: Request) -> None:
        if not isinstance(message, Get | Pull):
            self._answer(session, number, message)
            return
        scope = self._scope(session, message)
        if scope is None:
            session.answer(number, _ABSENT)
        else:
            at.job = _Job(number, message, scope)

    def _scope(self, session: Session, message: Get | Pull | Heads | Recon) -> int | None:
        """The set that a request is about; None where nothing is to be said of it [NET-12]."""
        topic = self._topics.get(message.topic)
        if topic is None:
            return None
        if isinstance(message, Get):
            common = self._topics.scope_with(session, message.topic)
            return topic.scope if common is None else common
        return message.scope if message.scope in topic.sets else None

    # --- answers from memory --------------------------------------------------------------------

    def _answer(self, session: Session, number: int, message: Request) -> None:
        match message:
            case Ping():
                session.answer(number, Pong())
            case Peers() if self.tell_peers is not None:
                self.tell_peers(session, number, message)
            case Heads() | Recon():
                members = self._members(session, message)
                if members is None:
                    session.answer(number, _ABSENT)
                elif isinstance(message, Heads):
                    count, total, heads = members.state
                    session.answer(number, State(count=count, sum=total, heads=heads))
                else:
                    ranges = answer_ranges(members.keys, message.ranges)
                    session.answer(number, Ranges(ranges=ranges))
            case _:
                raise InternalError(f"{type(message).__name__} isn't answered here")

    def _members(self, session: Session, message: Heads | Recon | Pull) -> MemberSet | None:
        topic, scope = self._topics.get(message.topic), self._scope(session, message)
        return None if topic is None or scope is None else topic.sets[scope]

    # --- answers with blocks --------------------------------------------------------------------

    def _go_on(self, session: Session, at: _Counter, job: _Job) -> None:
        """Read what comes next."""
        message = job.message
        if isinstance(message, Pull):
            members = self._members(session, message)
            job.keys = [] if members is None else members.keys.after(job.place, limits.NODE_BLOCKS)
            job.cids = tuple(cid_of(key) for key in job.keys)
            if not job.keys:
                self._finish(session, at, job, None)
                return
        at.token = self._desk.next_token()
        self._loads[at.token] = session
        load = Load(
            token=at.token,
            topic=message.topic,
            scope=job.scope,
            cids=job.cids,
            file=message.file if isinstance(message, Get) else None,
            most=job.left if isinstance(message, Pull) else limits.NODE_PULL_BYTES,
        )
        self._desk.act(load)

    def on_loaded(self, token: int, blocks: Mapping[Cid, bytes]) -> bool:
        """Take what was read; whether it was for an answer."""
        session = self._loads.pop(token, None)
        if session is None:
            return False
        at = self._open[session.link]
        at.token = None
        if at.job is not None:
            if isinstance(at.job.message, Get):
                self._send_got(session, at, at.job, blocks)
            else:
                self._send_pulled(session, at, at.job, blocks)
        self.pump(session)
        return True

    def _send_got(
        self, session: Session, at: _Counter, job: _Job, blocks: Mapping[Cid, bytes]
    ) -> None:
        """What lies behind the last block that was read is either absent or didn't fit: it is asked for again."""
        places = [i for i, cid in enumerate(job.cids) if cid in blocks]
        n_decided = places[-1] + 1 if places else len(job.cids)
        found = tuple(blocks.get(cid) for cid in job.cids[:n_decided])
        job.cids = job.cids[n_decided:]
        if not job.cids:
            at.job = None
        session.answer(job.number, Blocks(blocks=found, last=not job.cids))

    def _send_pulled(
        self, session: Session, at: _Counter, job: _Job, blocks: Mapping[Cid, bytes]
    ) -> None:
        places = [i for i, cid in enumerate(job.cids) if cid in blocks]
        found = [blocks[job.cids[i]] for i in places]
        if job.n_sent and found and len(found[0]) > job.left:
            self._finish(session, at, job, job.place)
            return
        job.place = job.keys[places[-1] if places else -1]
        job.left -= sum(map(len, found))
        job.n_sent += len(found)
        if job.left <= 0:
            at.job = None
            session.answer(job.number, Blocks(blocks=tuple(found), last=True, next=job.place))
        elif found:
            session.answer(job.number, Blocks(blocks=tuple(found), last=False))

    def _finish(self, session: Session, at: _Counter, job: _Job, place: bytes | None) -> None:
        at.job = None
        session.answer(job.number, Blocks(blocks=(), last=True, next=place))
