"""Comparing a topic with a peer: heads first, then a pull, the heads that are lacking, or ranges [spec 10, "Comparing"].

One comparison of a topic and peer at a time, and eight with a peer; the others stand in line. Each turn begins with HEADS. What came
of it decides what follows, and when that has settled, another turn begins if anything has changed here; so differing policies, lies
and blocks that don't come end a comparison instead of turning it for ever. What two sides said when nothing was left to do is
remembered; as long as both say it again, there is nothing to do again.

    HEADS --same, or nothing to do--> (end)
      |---- far less here ----> PULLING --all came--> SETTLING
      |---- few heads lack ------------------------> SETTLING
      '---- else ------------> RANGING --all found--> SETTLING --something new--> HEADS
                                                        '---- nothing new, or the last turn --> (end)
"""

from __future__ import annotations

from typing import Final

from hitp2p import limits
from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.errors import InternalError, RuleError
from hitp2p.protocol.admitting import Admitting
from hitp2p.protocol.asking import Asked
from hitp2p.protocol.comparison import Comparison, Line, Memory, Said, Stage
from hitp2p.protocol.desk import Desk
from hitp2p.protocol.fetching import Fetching
from hitp2p.protocol.gossip import Gossip
from hitp2p.protocol.messages import (
    Answer,
    Blocks,
    Heads,
    Pull,
    Ranges,
    Recon,
    Sorry,
    State,
)
from hitp2p.protocol.ranges import Reconciliation, cid_of
from hitp2p.protocol.session import LAG_S, Session
from hitp2p.protocol.topics import MemberSet, Topics

__all__ = ["Comparing"]


_TURNS: Final = 8
"""Most turns of a comparison; the next one goes on."""
_FAR_LESS: Final = 4
"""Who has less than a quarter pulls."""
_FEW_HEADS: Final = 16
_FEW_MEMBERS: Final = 64
"""A few heads that lack are fetched without asking for ranges, if no more than so many members seem to."""
_A_HEAD: Final = 4
"""So many members a head at most: what hangs in a long chain is found faster by ranges."""
_BUSY_S: Final = 60.0
"""A peer that is busy is asked again after as long at most."""
_PULL_FLIGHT_BYTES: Final = limits.NODE_PULL_BYTES + limits.OBJECT_BYTES
"""What may be on the way for a PULL."""
_SPOILED_S: Final = 30.0
"""So long after something didn't come it is compared again."""
_OFFERED_S: Final = 5.0
"""So long after an offer it is asked whether all of it was taken."""


class Comparing:
    """All comparisons that we began."""

    def __init__(
        self, desk: Desk, topics: Topics, admitting: Admitting, fetching: Fetching, gossip: Gossip
    ) -> None:
        self._desk = desk
        self._topics = topics
        self._admitting = admitting
        self._fetching = fetching
        self._gossip = gossip
        self._lines: dict[int, Line] = {}
        self._in_step: dict[Cid, dict[int, float]] = {}
        """By topic and connection: when both sides last said the same."""

    # --- for the rest of the core ---------------------------------------------------------------

    def want(self, session: Session, topic: Cid) -> None:
        """Compare a topic with a peer, now or in turn."""
        if session.is_open and self._topics.scope_with(session, topic) is not None:
            self._lines.setdefault(session.link, Line()).todo[topic] = None
            self.pump(session)

    def n_open(self) -> int:
        """Comparisons that are under way or in line."""
        return sum(len(line.todo) + len(line.active) for line in self._lines.values())

    def in_step(self, session: Session, topic: Cid) -> float | None:
        """When the peer last said the same as we, by the clock that never goes back; None if it never did."""
        return self._in_step.get(topic, {}).get(session.link)

    def on_heads(self, session: Session, message: Heads, members: MemberSet) -> None:
        """A peer compares with us: it sees to the rest, unless we have far less; then we do."""
        if (message.count, message.sum, message.heads) == members.state:
            self._say_in_step(session, message.topic)
        elif len(members.keys) * _FAR_LESS < message.count:
            self.want(session, message.topic)

    def on_settled(self, session: Session) -> None:
        """Perhaps nothing is under way any more of what a peer was to bring."""
        line = self._lines.get(session.link)
        for one in list(line.active.values()) if line is not None else ():
            if one.stage is Stage.SETTLING and self._is_settled(one):
                self._next_turn(one)
        self.pump(session)

    def on_spoiled(self, session: Session, topic: Cid) -> None:
        """Something that a comparison was to bring may come another time: its end isn't to be remembered."""
        line = self._lines.get(session.link)
        if line is not None and topic in line.active:
            line.active[topic].is_spoiled = True

    def on_full(self, session: Session, topic: Cid) -> None:
        """What a peer brought wasn't stored: all of it is to come again."""
        self.on_spoiled(session, topic)
        line, found = self._lines.get(session.link), self._topics.get(topic)
        if line is not None:
            line.memory.pop(topic, None)
        for members in found.sets.values() if found is not None else ():
            members.pulled_to = b""

    def drop_peer(self, session: Session) -> None:
        """A connection is at its end."""
        self._lines.pop(session.link, None)
        for known in self._in_step.values():
            known.pop(session.link, None)

    def drop_topic(self, topic: Cid) -> None:
        """A topic isn't followed any more, or in another way."""
        self._in_step.pop(topic, None)
        for line in self._lines.values():
            for found in (line.todo, line.active, line.memory):
                found.pop(topic, None)

    def pump(self, session: Session) -> None:
        """Go on with what waits, as far as requests may go out."""
        line = self._lines.get(session.link)
        if line is None:
            return
        for one in list(line.active.values()):
            if one.is_waiting:
                self._ask(one)
        while line.todo and len(line.active) < limits.NODE_COMPARISONS and session.can_ask():
            topic = next(iter(line.todo))
            del line.todo[topic]
            scope = self._topics.scope_with(session, topic)
            if scope is not None and topic not in line.active:
                one = line.active[topic] = Comparison(session, topic, scope)
                self._ask(one)

    # --- questions ------------------------------------------------------------------------------

    def _members(self, one: Comparison) -> MemberSet | None:
        topic = self._topics.get(one.topic)
        return None if topic is None else topic.sets.get(one.scope)

    def _memory(self, one: Comparison) -> Memory:
        return self._lines[one.session.link].memory.setdefault(one.topic, Memory())

    def _ask(self, one: Comparison) -> None:
        """Send the question of the stage, if it may go out now; else `pump` tries again."""
        members = self._members(one)
        if members is None or self._topics.scope_with(one.session, one.topic) != one.scope:
            self._end(one)
        elif one.session.can_ask() and self._has_flight_room(one) and self._may_ask_ranges(one):
            one.is_waiting = False
            flight_bytes = _PULL_FLIGHT_BYTES if one.stage is Stage.PULLING else 0
            question = self._question(one, members)
            one.session.ask(question, self, one, flight_bytes=flight_bytes)

    def _has_flight_room(self, one: Comparison) -> bool:
        return one.stage is not Stage.PULLING or one.session.flight_room >= _PULL_FLIGHT_BYTES

    def _may_ask_ranges(self, one: Comparison) -> bool:
        if one.stage is not Stage.RANGING:
            return True
        bucket, now = one.session.own_rates.recons, self._desk.now.mono
        if bucket.take(1, now):
            return True
        name = ("ranges", one.session.link)
        self._desk.set_alarm(name, max(bucket.wait_s(1, now), 0.1), lambda: self.pump(one.session))
        return False

    def _question(self, one: Comparison, members: MemberSet) -> Heads | Pull | Recon:
        topic, scope = one.topic, one.scope
        if one.stage is Stage.HEADS:
            one.own = members.state
            count, total, heads = one.own
            return Heads(topic=topic, scope=scope, count=count, sum=total, heads=heads)
        if one.stage is Stage.PULLING:
            most = one.room_bytes = limits.NODE_PULL_BYTES
            return Pull(topic=topic, scope=scope, after=members.pulled_to, most=most)
        return Recon(topic=topic, scope=scope, ranges=one.ranges)

    # --- answers --------------------------------------------------------------------------------

    def on_answer(self, session: Session, asked: Asked, answer: Answer) -> None:
        """Take an answer to HEADS, PULL or RECON.

        Raises:
            RuleError: NET-15 to NET-17, for what doesn't answer the question.
        """
        one = asked.data
        if not isinstance(one, Comparison) or asked.is_given_up or not self._is_current(one):
            return  # Nobody waits for it any more.
        members = self._members(one)
        match answer:
            case _ if members is None:
                self._end(one)
            case State():
                self._on_state(one, members, (answer.count, answer.sum, answer.heads))
            case Blocks() if isinstance(asked.message, Pull):
                self._on_pulled(one, members, asked.message, answer)
            case Ranges():
                self._on_ranges(one, answer)
            case Sorry():
                self._on_sorry(one, answer)
            case _:
                raise InternalError(f"{type(answer).__name__} in a comparison")

    def _is_current(self, one: Comparison) -> bool:
        line = self._lines.get(one.session.link)
        return line is not None and line.active.get(one.topic) is one

    def on_lost(self, session: Session, asked: Asked) -> None:
        """No answer came: compare again later, if the connection lives."""
        one = asked.data
        if isinstance(one, Comparison) and self._is_current(one):
            self._end(one)
            session.lag(one.topic)

    def _on_sorry(self, one: Comparison, answer: Sorry) -> None:
        self._end(one)
        if answer.code == "busy":
            one.session.lag(one.topic, min(max(answer.wait_ms / 1000, LAG_S), _BUSY_S))

    def compare_lagging(self, session: Session) -> None:
        """Compare what a peer lags in [NET-14]."""
        for topic in list(session.lagging):
            del session.lagging[topic]
            self.want(session, topic)

    def _on_state(self, one: Comparison, members: MemberSet, theirs: Said) -> None:
        own = members.state
        one.own, one.theirs = own, theirs
        if own == theirs:
            self._say_in_step(one.session, one.topic)
            self._end(one)
        elif self._is_done(one) or theirs[0] * _FAR_LESS < own[0]:
            self._end(one)  # In the second case the other has seen our count, and pulls.
        elif own[0] * _FAR_LESS < theirs[0] and not self._memory(one).has_pulled:
            one.step(Stage.PULLING)
            self._ask(one)
        elif not self._fetch_heads(one, own, theirs):
            one.reconciliation = Reconciliation(members.keys)
            one.ranges = one.reconciliation.first()
            one.step(Stage.RANGING)
            self._ask(one)

    def _fetch_heads(self, one: Comparison, own: Said, theirs: Said) -> bool:
        """Fetch the heads that lack, if that is likely to be all; whether it is being done."""
        lacking = [cid_of(head) for head in theirs[2]]
        lacking = [cid for cid in lacking if not self._admitting.is_known(one.topic, cid)]
        n_more = theirs[0] - own[0]
        if one.turn > 1 or not 0 < len(lacking) <= _FEW_HEADS:
            return False
        if not 0 < n_more <= min(_FEW_MEMBERS, _A_HEAD * len(lacking)):
            return False
        one.step(Stage.SETTLING)
        self._fetching.want_members(one.session, one.topic, lacking)
        self._look(one)
        return True

    def _on_pulled(self, one: Comparison, members: MemberSet, asked: Pull, answer: Blocks) -> None:
        blocks = [block for block in answer.blocks if block is not None]
        is_first = one.room_bytes == asked.most
        one.room_bytes -= sum(map(len, blocks))
        if one.room_bytes < 0 and not (is_first and len(blocks) == 1):
            raise RuleError(f"more than the {asked.most} bytes that were asked for", rule="NET-17")
        come = [(Cid.of(DAG_CBOR, block), block) for block in blocks]
        one.n_stale += len(come) - self._admitting.take(one.session, one.topic, come)
        if not answer.last:
            return
        if answer.next is not None and answer.next <= asked.after:
            raise RuleError("a pull that doesn't go on", rule="NET-17")
        if answer.next is None or one.n_stale > len(members.keys) + limits.NODE_BLOCKS:
            members.pulled_to = b""
            self._memory(one).has_pulled = True
            one.step(Stage.SETTLING)
            self._look(one)
        else:
            members.pulled_to = answer.next
            one.is_waiting = True
            self._ask(one)

    def _on_ranges(self, one: Comparison, answer: Ranges) -> None:
        reconciliation = one.reconciliation
        if reconciliation is None:
            raise InternalError("ranges without a reconciliation")
        more = reconciliation.on_answer(answer.ranges)
        if more is not None:
            one.ranges = more
            one.is_waiting = True
            self._ask(one)
            return
        one.reconciliation, one.ranges = None, ()
        one.step(Stage.SETTLING)
        lacking = map(cid_of, reconciliation.lacking)
        is_all = self._fetching.want_members(one.session, one.topic, lacking)
        self._gossip.offer(one.session, one.topic, reconciliation.surplus)
        if not (is_all and reconciliation.is_complete) or reconciliation.surplus:
            one.session.lag(one.topic, _OFFERED_S)
        self._look(one)

    # --- the end of a turn ----------------------------------------------------------------------

    def _is_settled(self, one: Comparison) -> bool:
        owed = self._fetching.n_members(one.session, one.topic)
        return not owed and not one.session.n_batches

    def _look(self, one: Comparison) -> None:
        """See, once this is worked off, whether anything is under way at all."""
        session = one.session
        self._desk.set_alarm(("settled", session.link), 0.0, lambda: self.on_settled(session))

    def _next_turn(self, one: Comparison) -> None:
        members = self._members(one)
        if members is not None and members.state != one.own and one.turn < _TURNS:
            one.turn += 1
            one.step(Stage.HEADS)
            self._ask(one)
            return
        if members is not None and members.state == one.own and not one.is_spoiled:
            memory = self._memory(one)
            memory.done = one.gist
            memory.until = self._desk.now.mono + limits.NODE_JUDGED_S
        else:
            one.session.lag(one.topic, _SPOILED_S if one.is_spoiled else LAG_S)
        self._end(one)

    def _is_done(self, one: Comparison) -> bool:
        """Whether both sides say what they said when nothing was left to do."""
        memory = self._memory(one)
        return memory.done == one.gist and memory.until > self._desk.now.mono

    def _say_in_step(self, session: Session, topic: Cid) -> None:
        self._in_step.setdefault(topic, {})[session.link] = self._desk.now.mono
        found = self._topics.get(topic)
        if found is not None:
            found.compared = self._desk.now.mono
        self._desk.tell("in-step", peer=session.key, topic=topic)

    def _end(self, one: Comparison) -> None:
        line = self._lines.get(one.session.link)
        if line is not None and line.active.get(one.topic) is one:
            del line.active[one.topic]
