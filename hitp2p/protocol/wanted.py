"""What is wanted: one block, where it stands, and what a connection owes of it. `fetching.py` moves it."""

from __future__ import annotations

from collections import deque
from enum import Enum

from hitp2p import limits
from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.protocol.session import Session

__all__ = ["Asking", "Line", "Owing", "Wanted", "Where"]

_LOOKED_AT = 256
"""Wants that were tried with a peer already and that are passed over at a time."""


class Where(Enum):
    """Where a want stands."""

    FIRST = "first"
    """In the line of a peer that is known to have it."""
    OPEN = "open"
    """In the line of its topic."""
    ASKED = "asked"
    JUDGED = "judged"
    """It is here, and the store judges it."""
    SLEEPING = "sleeping"
    """Nobody has it."""
    DONE = "done"


class Wanted:
    """One block."""

    __slots__ = ("at", "cid", "is_member", "n_sleeps", "owing", "places", "tried", "where")

    def __init__(self, cid: Cid, topic: Cid, file: Cid | None, *, is_member: bool) -> None:
        self.cid = cid
        self.is_member = is_member
        self.places: list[tuple[Cid, Cid | None]] = [(topic, file)]
        """Topic and file in which it is wanted; the first counts now."""
        self.where = Where.OPEN
        self.owing: Owing | None = None
        """Who is to be, or is, asked for it, or has brought it."""
        self.tried: dict[int, None] = {}
        """Connections that were asked in vain."""
        self.n_sleeps = 0
        self.at = 0.0
        """When it wakes."""

    @property
    def topic(self) -> Cid:
        """The topic in which it is asked for now."""
        return self.places[0][0]

    @property
    def is_near(self) -> bool:
        """Whether a member links to it itself, or it is one: these come before what hangs below a file."""
        return self.places[0][1] is None

    @property
    def most_bytes(self) -> int:
        """How large it may be."""
        if self.is_member:
            return limits.OBJECT_BYTES
        return limits.LIST_PAGE_BYTES if self.cid.codec == DAG_CBOR else limits.BLOCK_BYTES

    def leave(self, where: Where) -> None:
        """Go on to another place; whoever owed it owes it no more."""
        owing, self.owing, self.where = self.owing, None, where
        if owing is not None:
            owing.count(self, -1)

    def go_to(self, where: Where, owing: Owing) -> None:
        """Go on to a place with a connection."""
        self.leave(where)
        self.owing = owing
        owing.count(self, 1)


class Owing:
    """What one connection owes."""

    __slots__ = ("first", "n_media", "n_members", "quiet_until", "session")

    def __init__(self, session: Session) -> None:
        self.session = session
        self.first: deque[Wanted] = deque()
        """What it is known to have."""
        self.n_members: dict[Cid, int] = {}
        """By topic: members that it is to be asked for, is asked for, or brought and that are being judged."""
        self.n_media: dict[Cid, int] = {}
        """By topic: requests for other blocks that are under way."""
        self.quiet_until = float("-inf")
        """It is busy, as it said."""

    def count(self, want: Wanted, by: int) -> None:
        """Keep count of members."""
        if want.is_member:
            _add(self.n_members, want.topic, by)

    def count_media(self, topic: Cid, by: int) -> None:
        """Keep count of requests for other blocks."""
        _add(self.n_media, topic, by)

    def next_first(self) -> list[Wanted]:
        """What to ask it for of what it is known to have."""
        return _take(self.first, self, Where.FIRST)


class Line:
    """What is open in a topic, in two lines: the near first."""

    __slots__ = ("_far", "_near")

    def __init__(self) -> None:
        self._near: deque[Wanted] = deque()
        self._far: deque[Wanted] = deque()

    def put(self, want: Wanted) -> None:
        """Open a want to all."""
        want.leave(Where.OPEN)
        (self._near if want.is_near else self._far).append(want)

    def next(self, owing: Owing) -> list[Wanted]:
        """What to ask a peer for."""
        return _take(self._near, owing, Where.OPEN) or _take(self._far, owing, Where.OPEN)

    def __bool__(self) -> bool:
        """Whether anything may be in it."""
        return bool(self._near or self._far)


class Asking:
    """A GET that is under way."""

    __slots__ = ("n_come", "topic", "wants")

    def __init__(self, topic: Cid, wants: list[Wanted]) -> None:
        self.topic = topic
        self.wants = wants
        self.n_come = 0
        """How many of them are answered."""

    @property
    def is_media(self) -> bool:
        """Whether it is for other blocks than members."""
        return not self.wants[0].is_member


def _add(counts: dict[Cid, int], topic: Cid, by: int) -> None:
    counts[topic] = counts.get(topic, 0) + by
    if not counts[topic]:
        del counts[topic]


def _take(line: deque[Wanted], owing: Owing, where: Where) -> list[Wanted]:
    """The next in a line, for one request: all of one sort, topic and file, and no more than may be on the way."""
    found: list[Wanted] = []
    passed: list[Wanted] = []
    room = owing.session.flight_room
    while line and len(found) < limits.NODE_GET_CIDS and len(passed) < _LOOKED_AT:
        want = line[0]
        if want.where is not where or want.owing not in (None, owing):
            line.popleft()  # It has gone another way.
        elif owing.session.link in want.tried:
            passed.append(line.popleft())
        elif want.most_bytes > room or (found and not _go_together(want, found[0])):
            break
        else:
            room -= want.most_bytes
            found.append(line.popleft())
    line.extend(passed)
    return found


def _go_together(one: Wanted, other: Wanted) -> bool:
    return one.places[0] == other.places[0] and one.is_member == other.is_member
