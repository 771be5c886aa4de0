"""Fetching what is wanted: members that peers are known to have, and pages, texts and media that members link to [NET-17 to NET-19].

A want is first with the peer that is known to have it, if there is one; then it is open, and every peer that follows the topic may
be asked. Who was asked in vain isn't asked again. When all were, a member is forgotten, as the next comparison names it again;
another block sleeps, longer each time, and a peer that comes anew is asked at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final, Protocol

from hitp2p import limits
from hitp2p.codec.cid import Cid, raw_bytes
from hitp2p.errors import DecodeError, InternalError
from hitp2p.protocol.actions import Want
from hitp2p.protocol.admitting import Admitting
from hitp2p.protocol.asking import Asked
from hitp2p.protocol.desk import Desk
from hitp2p.protocol.messages import Answer, Blocks, Get, Sorry
from hitp2p.protocol.session import Session
from hitp2p.protocol.topics import Topics
from hitp2p.protocol.wanted import Asking, Line, Owing, Wanted, Where

__all__ = ["Fetching", "Settling"]

_FIRST_SLEEP_S: Final = 60.0
_LAST_SLEEP_S: Final = 3600.0
_BUSY_S: Final = 60.0
"""A peer that is busy is asked again after as long at most."""
_PLACES: Final = 4
"""Topics and files that one block may be asked for in."""


class Settling(Protocol):
    """Who is told when nothing is under way any more."""

    def on_settled(self, session: Session) -> None:
        """Perhaps all members that were wanted from a peer have come, or don't come."""
        ...

    def on_spoiled(self, session: Session, topic: Cid) -> None:
        """What should have come from a peer may come another time."""
        ...


class Fetching:
    """All wants."""

    def __init__(self, desk: Desk, topics: Topics, admitting: Admitting) -> None:
        self._desk = desk
        self._topics = topics
        self._admitting = admitting
        self._wanted: dict[Cid, Wanted] = {}
        self._lines: dict[Cid, Line] = {}
        self._sleeping: dict[Cid, dict[Cid, Wanted]] = {}
        self._owing: dict[int, Owing] = {}
        self._dropped: dict[Cid, None] = {}
        """Topics of which something other than members was dropped for want of room."""
        self._stopped_until = float("-inf")
        self.settling: Settling | None = None

    def __len__(self) -> int:
        return len(self._wanted)

    def __contains__(self, cid: Cid) -> bool:
        return cid in self._wanted

    def n_wanted(self, topic: Cid) -> int:
        """How many blocks are wanted for a topic."""
        return sum(1 for want in self._wanted.values() if want.topic == topic)

    def n_under_way(self) -> int:
        """How many blocks are wanted that somebody may still give."""
        return sum(1 for want in self._wanted.values() if self._may_come(want))

    def _may_come(self, want: Wanted) -> bool:
        is_open = want.where is Where.OPEN and self._topics.followers(want.topic)
        return bool(is_open) or want.where in (Where.FIRST, Where.ASKED, Where.JUDGED)

    def n_members(self, session: Session, topic: Cid) -> int:
        """How many members of a topic are still to come from a peer."""
        owing = self._owing.get(session.link)
        return 0 if owing is None else owing.n_members.get(topic, 0)

    def short_of_wants(self) -> tuple[Cid, ...]:
        """Topics whose pages, texts and media should be named again, as there was no room and is now; each once."""
        if len(self._wanted) * 2 > limits.NODE_WANTED:
            return ()
        found, self._dropped = tuple(self._dropped), {}
        return found

    # --- wanting --------------------------------------------------------------------------------

    def want_members(self, session: Session, topic: Cid, cids: Iterable[Cid]) -> bool:
        """Fetch members that a peer should have; whether there was room for all."""
        owing = self._owing.get(session.link)
        if owing is None:
            return False
        is_all = True
        for cid in cids:
            if cid in self._wanted or not self._is_needed(topic, cid):
                continue
            is_all = (
                len(self._wanted) < limits.NODE_WANTED
                and len(owing.first) < limits.NODE_WANTED_PEER
            )
            if not is_all:
                break
            want = self._wanted[cid] = Wanted(cid, topic, None, is_member=True)
            want.go_to(Where.FIRST, owing)
            owing.first.append(want)
        self.pump(session)
        return is_all

    def _is_needed(self, topic: Cid, cid: Cid) -> bool:
        return not self._admitting.is_in_hand(cid) and not self._admitting.is_known(topic, cid)

    def want(self, wants: Iterable[Want]) -> None:
        """Fetch pages, texts and media, from whoever has them."""
        for one in wants:
            place = one.topic, one.file
            known = self._wanted.get(one.cid)
            if known is not None:
                if place not in known.places and len(known.places) < _PLACES:
                    known.places.append(place)
            elif self._topics.get(one.topic) is None or self._is_judged(one.cid):
                continue
            elif len(self._wanted) >= limits.NODE_WANTED:
                self._dropped[one.topic] = None
            else:
                want = self._wanted[one.cid] = Wanted(one.cid, *place, is_member=False)
                self._open(want)

    def _is_judged(self, cid: Cid) -> bool:
        is_judged = self._admitting.judged.has(cid, self._desk.now.mono)
        return is_judged or self._admitting.is_in_hand(cid)

    def _open(self, want: Wanted) -> None:
        """Put it in the line of its topic."""
        topic = want.topic
        self._lines.setdefault(topic, Line()).put(want)
        self._desk.set_alarm(("open", topic), 0.0, lambda: self.pump_topic(topic))

    # --- asking ---------------------------------------------------------------------------------

    def add_peer(self, session: Session) -> None:
        """A connection may be asked from now on."""
        self._owing[session.link] = Owing(session)

    def meet(self, session: Session, topic: Cid) -> None:
        """A peer follows a topic from now on: ask it for what nobody had."""
        for want in self._sleeping.pop(topic, {}).values():
            self._open(want)
        self.pump(session)

    def pump_topic(self, topic: Cid) -> None:
        """Ask all that follow a topic, as far as they have room."""
        for session in self._topics.followers(topic):
            self.pump(session)

    def pump(self, session: Session) -> None:
        """Ask a peer for what it may have, as far as there is room."""
        owing = self._owing.get(session.link)
        now = self._desk.now.mono
        if owing is None or owing.quiet_until > now or self._stopped_until > now:
            return
        while session.can_ask():
            wants = owing.next_first() or self._next_open(owing)
            if not wants:
                return
            self._ask(owing, wants)

    def _next_open(self, owing: Owing) -> list[Wanted]:
        for topic in owing.session.follows:
            line = self._lines.get(topic)
            if line and self._may_ask_in(owing, topic):
                found = line.next(owing)
                if found:
                    return found
        return []

    def _may_ask_in(self, owing: Owing, topic: Cid) -> bool:
        """Whether a peer is among the four that are asked for media of a topic."""
        n_others = sum(1 for other in self._owing.values() if topic in other.n_media)
        return topic in owing.n_media or n_others < limits.NODE_MEDIA_PEERS

    def _ask(self, owing: Owing, wants: list[Wanted]) -> None:
        topic, file = wants[0].places[0]
        asking = Asking(topic, wants)
        for want in wants:
            want.go_to(Where.ASKED, owing)
        if asking.is_media:
            owing.count_media(topic, 1)
        get = Get(topic=topic, cids=tuple(want.cid for want in wants), file=file)
        flight_bytes = sum(want.most_bytes for want in wants)
        owing.session.ask(get, self, asking, flight_bytes=flight_bytes)

    # --- answers --------------------------------------------------------------------------------

    def on_answer(self, session: Session, asked: Asked, answer: Answer) -> None:
        """Take blocks that were asked for.

        Raises:
            DecodeError: NET-18, one isn't what was asked for; NET-17, there are more.
        """
        asking, owing = _asking_of(asked), self._owing[session.link]
        if isinstance(answer, Blocks):
            wants = asking.wants[asking.n_come : asking.n_come + len(answer.blocks)]
            if len(wants) < len(answer.blocks):
                raise DecodeError("more blocks than were asked for", rule="NET-17")
            come = _checked(wants, answer.blocks)
            asking.n_come += len(wants)
            session.land(asked, sum(want.most_bytes for want in wants))
            self._take(owing, asking, wants, come)
            if not answer.last:
                return
        elif isinstance(answer, Sorry):
            self._spoil(owing, asking)
            self._be_quiet(owing, answer.wait_ms / 1000)
        for want in asking.wants[asking.n_come :]:
            self._miss(owing, want)
        if asking.is_media:
            owing.count_media(asking.topic, -1)
            self._desk.set_alarm(("open", asking.topic), 0.0, self._pump_of(asking.topic))

    def _take(
        self, owing: Owing, asking: Asking, wants: Sequence[Wanted], come: dict[Cid, bytes]
    ) -> None:
        named = [
            Want(want.topic, want.cid, want.places[0][1])
            for want in wants
            if want.cid in come and not want.is_member
        ]
        self._admitting.take(owing.session, asking.topic, come.items(), named)
        for want in wants:
            if want.cid not in come:
                self._miss(owing, want)
            elif want.where is not Where.DONE and self._admitting.is_in_hand(want.cid):
                want.go_to(Where.JUDGED, owing)
            else:
                self._done(want)
        self._look(owing)

    def _be_quiet(self, owing: Owing, wait_s: float) -> None:
        wait_s = min(wait_s, _BUSY_S)
        if wait_s:
            session = owing.session
            owing.quiet_until = self._desk.now.mono + wait_s
            self._desk.set_alarm(("quiet", session.link), wait_s, lambda: self.pump(session))

    def on_lost(self, session: Session, asked: Asked) -> None:
        """Nothing came for long: ask others. What may be on the way still counts, so this peer isn't asked for much more."""
        asking, owing = _asking_of(asked), self._owing[session.link]
        self._spoil(owing, asking)
        for want in asking.wants[asking.n_come :]:
            self._miss(owing, want)

    def _spoil(self, owing: Owing, asking: Asking) -> None:
        if self.settling is not None and not asking.is_media:
            self.settling.on_spoiled(owing.session, asking.topic)

    def _miss(self, owing: Owing, want: Wanted) -> None:
        """A peer doesn't give it: on to the next."""
        want.tried[owing.session.link] = None
        if want.where is Where.ASKED and want.owing is owing:
            self._look(owing)
            self._go_on(want)

    def _look(self, owing: Owing) -> None:
        """Say it, once this is worked off, if nothing is under way from a peer."""
        settling, session = self.settling, owing.session
        if settling is not None:
            name = ("settled", session.link)
            self._desk.set_alarm(name, 0.0, lambda: settling.on_settled(session))

    def _go_on(self, want: Wanted) -> None:
        """Open it in a topic in which somebody hasn't been asked; else it sleeps, or is forgotten."""
        want.leave(Where.OPEN)
        if len(want.tried) > 2 * len(self._owing) + 8:
            want.tried = {link: None for link in want.tried if link in self._owing}
        for _ in want.places:
            followers = self._topics.followers(want.topic)
            if any(session.link not in want.tried for session in followers):
                self._open(want)
                return
            want.places.append(want.places.pop(0))
        if want.is_member:
            self._done(want)
        else:
            self._sleep(want)

    def _pump_of(self, topic: Cid) -> Callable[[], None]:
        return lambda: self.pump_topic(topic)

    def _sleep(self, want: Wanted) -> None:
        topic = want.topic
        if not want.n_sleeps:
            self._desk.tell("gap", topic=topic, cids=(want.cid,))
        longest = min(_FIRST_SLEEP_S * 2**want.n_sleeps, _LAST_SLEEP_S)
        in_s = longest * (1 + self._desk.chance.random()) / 2
        want.n_sleeps = min(want.n_sleeps + 1, 16)
        want.at = self._desk.now.mono + in_s
        want.leave(Where.SLEEPING)
        self._sleeping.setdefault(topic, {})[want.cid] = want
        self._desk.set_alarm(("asleep", topic), in_s, lambda: self._wake(topic))

    def _wake(self, topic: Cid) -> None:
        now = self._desk.now.mono
        asleep = self._sleeping.pop(topic, {})
        later = {cid: want for cid, want in asleep.items() if want.at > now + 1}
        if later:
            self._sleeping[topic] = later
            in_s = min(want.at for want in later.values()) - now
            self._desk.set_alarm(("asleep", topic), in_s, lambda: self._wake(topic))
        for cid, want in asleep.items():
            if cid not in later:
                want.tried = {}
                self._go_on(want)

    # --- the end of a want ----------------------------------------------------------------------

    def on_judged(self, cids: Iterable[Cid]) -> None:
        """Blocks are here, or are not to be had in a good form: they aren't wanted any more."""
        for cid in cids:
            want = self._wanted.get(cid)
            if want is not None:
                self._done(want)

    def on_not_stored(self, cids: Iterable[Cid], for_s: float) -> None:
        """The disk is full: fetch nothing for a while, and these again then."""
        self._stopped_until = self._desk.now.mono + for_s
        self._desk.set_alarm(("stopped", 0), for_s, self._pump_all)
        for cid in cids:
            want = self._wanted.get(cid)
            if want is not None and want.where is Where.JUDGED:
                self._open(want)

    def _pump_all(self) -> None:
        for owing in list(self._owing.values()):
            self.pump(owing.session)

    def _done(self, want: Wanted) -> None:
        if want.where is Where.SLEEPING:
            self._sleeping.get(want.topic, {}).pop(want.cid, None)
        if want.owing is not None:
            self._look(want.owing)
        want.leave(Where.DONE)
        if self._wanted.get(want.cid) is want:
            del self._wanted[want.cid]

    def drop_peer(self, session: Session) -> None:
        """A connection is at its end: others are asked for what it owed. Its requests have been given up before."""
        owing = self._owing.pop(session.link, None)
        if owing is None:
            return
        self._desk.alarms.drop(("quiet", session.link))
        for want in owing.first:
            if want.where is Where.FIRST and want.owing is owing:
                self._go_on(want)
        for topic in owing.n_media:
            self._desk.set_alarm(("open", topic), 0.0, self._pump_of(topic))

    def drop_topic(self, topic: Cid) -> None:
        """A topic isn't followed any more."""
        for want in [want for want in self._wanted.values() if _is_of(want, topic)]:
            if want.topic != topic:
                want.places = [place for place in want.places if place[0] != topic]
                continue
            others = [place for place in want.places if place[0] != topic]
            if not others:
                self._done(want)
                continue
            was_judged = want.where is Where.JUDGED
            if want.where is Where.SLEEPING:
                self._sleeping[topic].pop(want.cid)
            want.leave(Where.JUDGED if was_judged else Where.OPEN)
            want.places = others
            if not was_judged:
                self._go_on(want)
        for held in (self._lines, self._sleeping, self._dropped):
            held.pop(topic, None)
        for name in ("open", "asleep"):
            self._desk.alarms.drop((name, topic))


def _is_of(want: Wanted, topic: Cid) -> bool:
    return any(place[0] == topic for place in want.places)


def _asking_of(asked: Asked) -> Asking:
    if not isinstance(asked.data, Asking):
        raise InternalError("an answer to a request that fetching didn't make")
    return asked.data


def _checked(wants: Sequence[Wanted], blocks: Sequence[bytes | None]) -> dict[Cid, bytes]:
    """The blocks that came, each what was asked for in its place [NET-18]."""
    come: dict[Cid, bytes] = {}
    for want, block in zip(wants, blocks, strict=True):
        if block is None:
            continue
        if sha256(block).digest() != raw_bytes(want.cid)[-32:]:
            raise DecodeError("a block that isn't what was asked for", rule="NET-18", cid=want.cid)
        come[want.cid] = block
    return come
