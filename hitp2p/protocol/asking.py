"""The requests that we have made of one peer, until they are answered in full [NET-11, NET-19].

A request that isn't answered for long is given up: who asked is told, and goes on with others. It stays open all the same, as the
answer may still come, and what it may bring still counts as on the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from hitp2p import limits
from hitp2p.errors import InvalidError, ProtocolViolationError
from hitp2p.protocol.messages import ANSWER_TO, Answer, Blocks, Get, Ping, Pull, Request, Sorry

if TYPE_CHECKING:
    from hitp2p.protocol.session import Session

__all__ = ["Asked", "Asker", "OpenRequests"]

_GIVEN_UP: Final = limits.NODE_REQUESTS // 2
"""Who leaves as many requests open for too long is of no use."""


class Asked:
    """A request of ours that isn't answered in full."""

    __slots__ = ("asker", "data", "flight_bytes", "is_given_up", "message", "sent")

    def __init__(
        self,
        message: Request,
        asker: Asker | None,
        data: object,
        *,
        flight_bytes: int,
        sent: float,
    ) -> None:
        self.message = message
        self.asker = asker
        """Who asked; None for PING."""
        self.data = data
        """What the asker wants to find again."""
        self.flight_bytes = flight_bytes
        """Blocks that may still be on the way for it [NET-19]."""
        self.sent = sent
        """When, in seconds of the clock that never goes back."""
        self.is_given_up = False
        """Nothing came for too long: the asker has been told so, and an answer may still come."""


class Asker(Protocol):
    """A part of the core that asks peers."""

    def on_answer(self, session: Session, asked: Asked, answer: Answer) -> None:
        """An answer of the right type, or one of several BLOCKS; also after `on_lost`.

        Raises:
            InvalidError: it breaks a rule.
        """
        ...

    def on_lost(self, session: Session, asked: Asked) -> None:
        """None came for 30 seconds, or the connection is at an end; once."""
        ...


class OpenRequests:
    """All of them, for one connection."""

    __slots__ = ("_asked", "_flight_bytes", "_number", "answered")

    def __init__(self, now: float) -> None:
        self._asked: dict[int, Asked] = {}
        """By number, in the order of asking."""
        self._number = 0
        self._flight_bytes = 0
        self.answered = now
        """When something was last answered, or asked while nothing was open."""

    @property
    def is_full(self) -> bool:
        """Whether no request may be made [NET-11]."""
        return len(self._asked) >= limits.NODE_REQUESTS

    @property
    def flight_room(self) -> int:
        """How many bytes of blocks may still be asked for [NET-19]."""
        return limits.NODE_FLIGHT_BYTES - self._flight_bytes

    @property
    def awaits_blocks(self) -> bool:
        """Whether long frames may come [NET-5]."""
        return any(isinstance(asked.message, Get | Pull) for asked in self._asked.values())

    @property
    def awaits_life(self) -> bool:
        """Whether PING is open."""
        return any(isinstance(asked.message, Ping) for asked in self._asked.values())

    @property
    def is_useless(self) -> bool:
        """Whether half of what may be asked is given up."""
        return sum(1 for asked in self._asked.values() if asked.is_given_up) >= _GIVEN_UP

    def put(self, asked: Asked) -> int:
        """A request goes out; its number."""
        if not self._asked:
            self.answered = asked.sent
        number = self._number % limits.NODE_REQUEST_ID + 1
        while number in self._asked:
            number = number % limits.NODE_REQUEST_ID + 1
        self._number = number
        self._asked[number] = asked
        self._flight_bytes += asked.flight_bytes
        return number

    def land(self, asked: Asked, n_bytes: int) -> None:
        """Some of the blocks of a request aren't on the way any more."""
        asked.flight_bytes -= n_bytes
        self._flight_bytes -= n_bytes

    def take(self, session: Session, number: int, answer: Answer, now: float) -> None:
        """Pass an answer on to who asked. Where that raises, the request is open again, so that it counts as lost.

        Raises:
            ProtocolViolationError: it answers nothing, or something else [NET-11], or it has no end [NET-17].
            InvalidError: as `Asker.on_answer`.
        """
        asked = self._checked(number, answer)
        is_last = not isinstance(answer, Blocks) or answer.last
        if is_last:
            del self._asked[number]
        self.answered = now
        session.set_frame_limit()
        try:
            if asked.asker is not None:
                asked.asker.on_answer(session, asked, answer)
        except InvalidError:
            self._asked[number] = asked
            raise
        if is_last:
            self.land(asked, asked.flight_bytes)

    def _checked(self, number: int, answer: Answer) -> Asked:
        asked = self._asked.get(number)
        if asked is None:
            raise ProtocolViolationError(f"an answer to {number}, which isn't open [NET-11]")
        if not isinstance(answer, Sorry | ANSWER_TO[type(asked.message)]):
            raise ProtocolViolationError(
                f"{type(answer).__name__} doesn't answer {type(asked.message).__name__} [NET-11]"
            )
        if isinstance(answer, Blocks) and not answer.last and not answer.blocks:
            raise ProtocolViolationError("an answer of no blocks that isn't the last [NET-17]")
        return asked

    def give_up_late(self, session: Session, now: float) -> None:
        """If nothing was answered for long, tell who asked, in the order of asking [NET-19]."""
        late = limits.NODE_SILENCE_S
        if now - self.answered < late:
            return
        for asked in list(self._asked.values()):
            if not asked.is_given_up and now - asked.sent >= late:
                asked.is_given_up = True
                if asked.asker is not None:
                    asked.asker.on_lost(session, asked)

    def next_late(self) -> float | None:
        """When the next request is given up; None if there is none."""
        waiting = [asked.sent for asked in self._asked.values() if not asked.is_given_up]
        return max(self.answered, min(waiting)) + limits.NODE_SILENCE_S if waiting else None

    def lose_all(self, session: Session) -> None:
        """The connection is at its end."""
        lost, self._asked = self._asked, {}
        for asked in lost.values():
            if asked.asker is not None and not asked.is_given_up:
                asked.asker.on_lost(session, asked)
