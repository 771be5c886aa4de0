"""Whom to dial, and whom to let in: slots for the connections of both ways [NET-10, NET-21, "Limits and conduct" in spec 10].

The address book draws whom; here stands how many, and who gives way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from hitp2p import limits
from hitp2p.errors import InvalidError
from hitp2p.protocol.actions import Dial
from hitp2p.protocol.addresses import AddressBook
from hitp2p.protocol.asking import Asked
from hitp2p.protocol.conduct import Bans
from hitp2p.protocol.config import NodeConfig
from hitp2p.protocol.desk import Desk
from hitp2p.protocol.messages import Answer, Peers, Records, Sorry
from hitp2p.protocol.places import host_key, is_own, network_group
from hitp2p.protocol.records import PeerAddress, verify_record
from hitp2p.protocol.session import Session, State

__all__ = ["Dialling"]

_LOOK_S: Final = 1.0
"""Seconds until it is looked again whether anyone can be dialled."""
_RESTING_S: Final = 15.0
"""The same, where the book had nobody."""
_ASK_S: Final = 900.0
"""A peer is asked for address records so often."""
_KEPT: Final = 2
"""Connections that are kept for the peers that brought most."""
_IDLE_S: Final = 60.0
"""A connection that follows nothing of ours may give way after as long."""


class _Attempt(NamedTuple):
    """A dial that is under way."""

    address: PeerAddress
    is_named: bool


class Dialling:
    """All dials, and the judgement on who is let in."""

    def __init__(
        self,
        desk: Desk,
        config: NodeConfig,
        book: AddressBook,
        bans: Bans,
        sessions: Mapping[int, Session],
    ) -> None:
        self._desk = desk
        self._config = config
        self._book = book
        self._bans = bans
        self._sessions = sessions
        self._attempts: dict[int, _Attempt] = {}
        self.named: dict[bytes, None] = {}
        """Whom the operator named."""
        self.own_record = b""
        """What we say of ourselves, signed; empty for nothing."""
        self.is_leaving = False
        """Nobody is dialled or let in any more."""
        for key, address in config.static:
            self.name(key, address)
        self._look_in(0.0)

    # --- whom to dial ---------------------------------------------------------------------------

    def name(self, key: bytes, address: str) -> None:
        """Dial a peer until `unname`, whenever it isn't connected."""
        self._book.name(key, address)
        self.named[key] = None
        self._look_in(0.0)

    def unname(self, key: bytes) -> None:
        """Don't dial it of our own accord."""
        self._book.unname(key)
        self.named.pop(key, None)

    def _look_in(self, in_s: float) -> None:
        self._desk.set_alarm(("dial", 0), in_s, self._look)

    def _look(self) -> None:
        if self.is_leaving:
            return
        self._dial_named()
        is_done = self._dial_other()
        in_s = _LOOK_S if not is_done else _RESTING_S
        waits = [self._book.wait_s(key, self._desk.now) for key in self._named_missing()]
        self._look_in(min([in_s, *(wait_s or _LOOK_S for wait_s in waits)]))

    def _taken(self) -> dict[bytes, None]:
        taken = dict.fromkeys(one.address.key for one in self._attempts.values())
        taken.update((session.key, None) for session in self._sessions.values())
        taken[self._desk.me] = None
        return taken

    def _named_missing(self) -> list[bytes]:
        taken = self._taken()
        return [key for key in self.named if key not in taken]

    def _dial_named(self) -> None:
        now = self._desk.now
        while self._n_dialled() < self._config.max_dialled:
            taken = self._taken()
            found = self._book.pick_named(taken=taken, chance=self._desk.chance, now=now)
            if found is None:
                return
            self._dial(found, is_named=True)

    def _dial_other(self) -> bool:
        """Dial one of the book; whether nobody else is to be dialled now."""
        own = [s for s in self._sessions.values() if s.dialled and s.key not in self.named]
        n_own = len(own) + sum(1 for one in self._attempts.values() if not one.is_named)
        if n_own >= self._config.max_outbound or self._n_dialled() >= self._config.max_dialled:
            self._rest(own)
            return True
        now = self._desk.now
        hosts = [one.address.host for one in self._attempts.values()]
        hosts += [s.host for s in self._sessions.values() if s.dialled]
        groups = dict.fromkeys(network_group(host) for host in hosts)
        found = self._book.pick(
            taken=self._taken(), groups=groups, chance=self._desk.chance, now=now
        )
        if found is None:
            return now.mono >= self._book.next_dial()
        self._dial(found, is_named=False)
        return False

    def _rest(self, own: list[Session]) -> None:
        """Once an hour end one of our own, so that another gets its turn."""
        now = self._desk.now
        if own and now.mono - own[0].since >= limits.NODE_REST_EVERY_S:
            key = self._book.tired(chance=self._desk.chance, now=now)
            for session in [one for one in own if one.key == key]:
                session.end("leaving", "another peer gets its turn")

    def _n_dialled(self) -> int:
        return len(self._attempts) + sum(1 for s in self._sessions.values() if s.dialled)

    def _dial(self, found: PeerAddress, *, is_named: bool) -> None:
        if self._bans.is_banned(found.key, found.host, self._desk.now):
            self._book.on_failed(found.key, found.text, self._desk.now)
            return
        token = self._desk.next_token()
        self._attempts[token] = _Attempt(found, is_named)
        self._desk.act(Dial(token=token, key=found.key, address=found.text))

    def on_connected(self, key: bytes, address: str | None, token: int | None) -> None:
        """A dial has led to a connection."""
        if token is not None:
            self._attempts.pop(token, None)
        if address is not None:
            self._book.on_connected(key, address, self._desk.now)

    def on_failed(self, token: int) -> None:
        """A dial has failed."""
        attempt = self._attempts.pop(token, None)
        if attempt is not None:
            self._book.on_failed(attempt.address.key, attempt.address.text, self._desk.now)
            self._look_in(_LOOK_S)

    def on_ended(self, session: Session) -> None:
        """A connection is at its end."""
        if session.dialled:
            self._book.on_disconnected(session.key, self._desk.now)
        self._look_in(_LOOK_S)

    # --- whom to let in -------------------------------------------------------------------------

    def refusal(self, new: Session) -> tuple[str, str] | None:
        """Why a connection isn't kept, if so. Who has to give way to it is sent away."""
        if self.is_leaving:
            return "leaving", "the node stops"
        if new.key == self._desk.me:
            return "self", "this node has met itself"
        if self._bans.is_banned(new.key, new.host, self._desk.now):
            return "banned", "this peer was sent away a short while ago"
        others = [one for one in self._sessions.values() if one is not new and not one.is_over]
        same = [one for one in others if one.key == new.key]
        if same and not self._is_better(new, same[0]):
            return "duplicate", "there is another connection with this peer"
        full = None if same or new.dialled else self._full(new, others)
        if full is None:
            for one in same:
                one.end("duplicate", "there is another connection with this peer")
        return full

    def _is_better(self, new: Session, old: Session) -> bool:
        """Which of two connections with one peer stays [NET-10]."""
        return new.dialler != old.dialler and new.dialler == min(new.key, self._desk.me)

    def _full(self, new: Session, others: list[Session]) -> tuple[str, str] | None:
        inbound = [one for one in others if not one.dialled]
        greeting = [one for one in inbound if one.state is State.GREETING]
        if not self._is_exempt(new.host):
            host = host_key(new.host)
            if sum(1 for one in inbound if host_key(one.host) == host) >= limits.NODE_HOST_LINKS:
                return "full", "too many connections from this address"
        if new.key in self.named:
            return None
        if len(greeting) >= limits.NODE_GREETINGS:
            return "full", "too many connections are beginning"
        if len(inbound) < self._config.max_inbound:
            return None
        idle = self._idle(inbound)
        if idle is None:
            return "full", "all places are taken"
        idle.end("full", "this connection followed nothing of ours")
        return None

    def _is_exempt(self, host: str) -> bool:
        return is_own(host) or host in self._config.exempt_hosts

    def _idle(self, inbound: list[Session]) -> Session | None:
        """Who gives way: the oldest that follows nothing of ours, was not named, and isn't of those that brought most."""
        useful = sorted(inbound, key=lambda one: -one.n_brought)[:_KEPT]
        for one in inbound:
            is_kept = one.key in self.named or (one in useful and one.n_brought)
            if not is_kept and not one.follows and self._desk.now.mono - one.since >= _IDLE_S:
                return one
        return None

    # --- exchange of addresses ------------------------------------------------------------------

    def ask_for_peers(self, session: Session) -> None:
        """Ask a peer whom it knows, now and every quarter of an hour."""
        if session.can_ask():
            session.ask(Peers(most=limits.NODE_RECORDS_ASKED), self)
        if session.is_open:
            name = ("peers", session.link)
            self._desk.set_alarm(name, _ASK_S, lambda: self.ask_for_peers(session))

    def answer(self, session: Session, number: int, message: Peers) -> None:
        """Tell a peer whom we know, once a minute [NET-21]."""
        found = self._book.sample(
            message.most, asking_key=session.key, chance=self._desk.chance, now=self._desk.now
        )
        records = [record.block for record in found]
        if self.own_record:
            records = [self.own_record, *records][: message.most]
        session.answer(number, Records(records=tuple(records)))

    def on_answer(self, session: Session, asked: Asked, answer: Answer) -> None:
        """Take up what a peer tells; a record that isn't good is passed over [NET-20]."""
        for block in answer.records if isinstance(answer, Records) else ():
            try:
                record = verify_record(block, now_ms=self._desk.now.wall)
            except InvalidError:
                continue
            self._book.add(record, source=session.host, now=self._desk.now)
        if isinstance(answer, Records | Sorry):
            self._look_in(_LOOK_S)

    def on_lost(self, session: Session, asked: Asked) -> None:
        """It doesn't tell; others do."""
