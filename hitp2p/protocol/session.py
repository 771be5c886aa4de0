"""One connection: greeting, requests and answers, silence, rates [NET-9 to NET-12, NET-22, NET-23].

The other side is foreign until the last byte. Whatever breaks a rule ends in `end`, and nothing of it leaves this module as
an exception. A session never waits: what can't go on now is taken up again by an alarm, by room in the queue, or by the
answer of the store.

    GREETING --HELLO--> OPEN --END--> ENDING --CLOSED--> GONE
       |                  |                               ^
       +------ END -------|-------------> ENDING          |
       +------ CLOSED ----+-------------------------------+
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from enum import Enum, IntFlag
from typing import Final, Protocol

from hitp2p import limits
from hitp2p.codec.cid import Cid
from hitp2p.errors import InternalError, InvalidError, ProtocolViolationError
from hitp2p.protocol.actions import Close, Pause, Resume, Send
from hitp2p.protocol.asking import Asked, Asker, OpenRequests
from hitp2p.protocol.conduct import Bans
from hitp2p.protocol.config import VERSION
from hitp2p.protocol.desk import Desk
from hitp2p.protocol.frames import Frame, FrameReader, encode_frame
from hitp2p.protocol.messages import (
    Answer,
    Blocks,
    Bye,
    Followed,
    Hello,
    Message,
    Notice,
    Ping,
    Pong,
    Request,
)
from hitp2p.protocol.rates import OwnRates, Rates

__all__ = ["LAG_S", "Asked", "Hold", "Parts", "Session", "State"]


class State(Enum):
    """Where a connection stands."""

    GREETING = "greeting"
    """Our HELLO is out, theirs isn't here."""
    OPEN = "open"
    ENDING = "ending"
    """We have ended it; nothing that comes is looked at."""
    GONE = "gone"


class Step(Enum):
    """What takes a connection on."""

    HELLO = "hello"
    END = "end"
    CLOSED = "closed"


NEXT: Final[Mapping[tuple[State, Step], State]] = {
    (State.GREETING, Step.HELLO): State.OPEN,
    (State.GREETING, Step.END): State.ENDING,
    (State.GREETING, Step.CLOSED): State.GONE,
    (State.OPEN, Step.END): State.ENDING,
    (State.OPEN, Step.CLOSED): State.GONE,
    (State.ENDING, Step.CLOSED): State.GONE,
}
"""Every step that there is; a second HELLO is none."""


class Hold(IntFlag):
    """Why nothing is read from a peer."""

    NONE = 0
    RATE = 1
    """It is over a rate [NET-22]."""
    BATCHES = 2
    """Two batches of its objects wait to be judged."""


class Parts(Protocol):
    """What a session tells the rest of the core."""

    def on_open(self, session: Session) -> None:
        """Both HELLOs have gone."""
        ...

    def on_notice(self, session: Session, message: Notice) -> None:
        """FOLLOW or PUSH."""
        ...

    def on_request(self, session: Session, number: int, message: Request) -> None:
        """Anything but PING. `Session.answer` is to follow."""
        ...

    def on_room(self, session: Session) -> None:
        """The queue has become shorter, or a request is answered."""
        ...

    def on_lagging(self, session: Session) -> None:
        """Some time ago something was left out that a comparison finds."""
        ...

    def on_ended(self, session: Session) -> None:
        """Nothing can be sent any more; once."""
        ...


LAG_S: Final = 1.0
"""A comparison follows so soon on what was dropped."""
_ROOM_FOR_SMALL: Final = limits.NODE_FRAME_BYTES + 1024
_ALIVE_BYTES: Final = limits.NODE_FRAME_BYTES
"""So much of a frame that is still on its way counts as a sign of life."""
_LEAST_WAIT_S: Final = 0.01
"""Rounding never makes an alarm ring without end."""


class Session:
    """One connection. See the head of this module."""

    def __init__(
        self,
        desk: Desk,
        parts: Parts,
        rates: Rates,
        bans: Bans,
        *,
        link: int,
        key: bytes,
        host: str,
        address: str | None,
    ) -> None:
        """Begin to listen. `address`: what was dialled; None if they dialled."""
        self._desk = desk
        self._parts = parts
        self._rates = rates
        self._bans = bans
        self.link = link
        self.key = key
        self.host = host
        self.address = address
        self.state = State.GREETING
        self.since = self.heard = self._taken = desk.now.mono
        """When it began, when a frame last came, and when the other side last took something."""
        self.hello: Hello | None = None
        self.follows: dict[Cid, Followed] = {}
        """Which of the topics that we follow it follows too."""
        self.others = b""
        """What else it follows, 38 bytes each."""
        self.lagging: dict[Cid, None] = {}
        """Topics in which something for it was dropped [NET-14]."""
        self.queued_bytes = 0
        self.in_bytes = 0
        self.out_bytes = 0
        self.n_brought = 0
        """How many objects that were new came from it."""
        self.n_batches = 0
        """How many batches of its objects wait to be judged."""
        self.own_rates = OwnRates()
        self._hold = Hold.NONE
        self._held: deque[Frame] = deque()
        """At most one frame, that waits for its rate."""
        self._reader = FrameReader()
        self._asking = OpenRequests(self.since)
        self._theirs: dict[int, Request] = {}
        self._seen_bytes = 0
        self._arm(limits.NODE_HELLO_S)

    @property
    def is_open(self) -> bool:
        """Whether requests and notices may go out."""
        return self.state is State.OPEN

    @property
    def is_over(self) -> bool:
        """Whether nothing more can be said."""
        return self.state in (State.ENDING, State.GONE)

    @property
    def dialled(self) -> bool:
        """Whether we dialled."""
        return self.address is not None

    @property
    def dialler(self) -> bytes:
        """The key of the side that dialled [NET-10]."""
        return self._desk.me if self.dialled else self.key

    def _step(self, step: Step) -> None:
        self.state = NEXT[self.state, step]

    # --- out ------------------------------------------------------------------------------------

    @property
    def room(self) -> int:
        """How many bytes the queue may still take."""
        return limits.NODE_QUEUE_BYTES - self.queued_bytes

    @property
    def has_room(self) -> bool:
        """Whether any frame that holds no blocks still fits."""
        return self.room >= _ROOM_FOR_SMALL

    def send(self, message: Message, number: int = 0) -> None:
        """Queue a message; whoever calls has asked for room."""
        self.send_frame(encode_frame(message, number))

    def send_frame(self, data: bytes) -> None:
        """Queue a frame that is made already."""
        if self.is_over:
            return
        if not self.queued_bytes:
            self._taken = self._desk.now.mono
            self._arm(limits.NODE_STALL_S)
        self.queued_bytes += len(data)
        self.out_bytes += len(data)
        self._desk.act(Send(link=self.link, data=data))

    def can_ask(self) -> bool:
        """Whether a request may go out now."""
        return self.is_open and self.has_room and not self._asking.is_full

    @property
    def flight_room(self) -> int:
        """How many bytes of blocks may still be asked for [NET-19]."""
        return self._asking.flight_room

    def ask(
        self,
        message: Request,
        asker: Asker | None,
        data: object = None,
        *,
        flight_bytes: int = 0,
    ) -> None:
        """Send a request. Only where `can_ask`, and where `flight_room` has room for the blocks that it brings."""
        if not self.can_ask() or flight_bytes > self.flight_room:
            raise InternalError("a request was made that can't go out")
        now = self._desk.now.mono
        asked = Asked(message, asker, data, flight_bytes=flight_bytes, sent=now)
        number = self._asking.put(asked)
        self.set_frame_limit()
        self._arm(limits.NODE_SILENCE_S)
        self.send(message, number)

    def land(self, asked: Asked, n_bytes: int) -> None:
        """Some of the blocks of a request aren't on the way any more."""
        self._asking.land(asked, n_bytes)

    def set_frame_limit(self) -> None:
        """Let long frames come while blocks are awaited [NET-5]."""
        few, many = limits.NODE_FRAME_BYTES, limits.NODE_BLOCKS_FRAME_BYTES
        self._reader.limit = many if self._asking.awaits_blocks else few

    def answer(self, number: int, message: Answer) -> None:
        """Answer a request; the last answer to it frees its number."""
        if not (isinstance(message, Blocks) and not message.last):
            self._theirs.pop(number, None)
        self.send(message, number)

    def on_written(self, n_bytes: int) -> None:
        """The other side has taken something."""
        self.queued_bytes = max(0, self.queued_bytes - n_bytes)
        self._taken = self._desk.now.mono
        if not self.is_over:
            self._parts.on_room(self)

    def lag(self, topic: Cid, in_s: float = LAG_S) -> None:
        """Remember that a topic is to be compared, in some seconds [NET-14]."""
        if topic in self.follows and not self.is_over:
            self.lagging[topic] = None
            self._desk.set_alarm(("lag", self.link), in_s, self._on_lag)

    def _on_lag(self) -> None:
        if not self.is_over:
            self._parts.on_lagging(self)

    # --- in -------------------------------------------------------------------------------------

    def on_bytes(self, data: bytes) -> None:
        """Take what came."""
        if self.is_over:
            return
        self.in_bytes += len(data)
        self._seen_bytes += len(data)
        if self._seen_bytes >= _ALIVE_BYTES:
            self._seen_bytes = 0
            self._asking.answered = self.heard = self._desk.now.mono
        self._reader.feed(data)
        self.read_on()

    def read_on(self) -> None:
        """Work on what has come, up to the next reason to wait."""
        try:
            while not self._hold and not self.is_over:
                frame = self._held.popleft() if self._held else next(self._reader.frames(), None)
                if frame is None:
                    return
                self._take(frame)
        except ProtocolViolationError as error:
            self.dismiss("protocol", str(error))
        except InvalidError as error:
            self.dismiss("invalid" if error.rule == "NET-18" else "protocol", str(error))

    def hold(self, reason: Hold) -> None:
        """Read no more."""
        if not self._hold and not self.is_over:
            self._desk.act(Pause(link=self.link))
        self._hold |= reason

    def release(self, reason: Hold) -> None:
        """Read on, if this was the only reason not to."""
        if not self._hold & reason:
            return
        self._hold &= ~reason
        if self._hold or self.is_over:
            return
        self._asking.answered = self.heard = self._desk.now.mono
        self._desk.act(Resume(link=self.link))
        self.read_on()

    def _take(self, frame: Frame) -> None:
        wait_s = self._rates.take(self.key, self.host, frame.message, self._desk.now.mono)
        if wait_s:
            self._held.append(frame)
            self.hold(Hold.RATE)
            name = ("rate", self.link)
            self._desk.set_alarm(name, max(wait_s, _LEAST_WAIT_S), self._on_rate)
            return
        self.heard = self._desk.now.mono
        self._seen_bytes = 0
        message = frame.message
        if isinstance(message, Hello):
            self._greet(message)
        elif self.state is State.GREETING:
            raise ProtocolViolationError("HELLO comes first [NET-9]")
        elif isinstance(message, Request):
            self._take_request(frame.number, message)
        elif isinstance(message, Answer):
            self._take_answer(frame.number, message)
        elif isinstance(message, Bye):
            self._desk.tell("bye", peer=self.key, text=f"{message.code}: {message.text}")
            self.end("leaving", "the other side has ended it", say=False)
        elif message is not None:
            self._parts.on_notice(self, message)

    def _on_rate(self) -> None:
        self.release(Hold.RATE)

    def _greet(self, hello: Hello) -> None:
        if self.state is not State.GREETING:
            raise ProtocolViolationError("a second HELLO [NET-9]")
        if VERSION not in hello.versions:
            raise ProtocolViolationError(
                f"versions {hello.versions}; {VERSION} must be one [NET-9]"
            )
        self.hello = hello
        self._reader.limit = limits.NODE_FRAME_BYTES
        self._step(Step.HELLO)
        self._arm(limits.NODE_PING_S)
        self._parts.on_open(self)

    def _take_request(self, number: int, message: Request) -> None:
        if number in self._theirs:
            raise ProtocolViolationError(f"request {number} is open already [NET-11]")
        if len(self._theirs) >= limits.NODE_REQUESTS:
            raise ProtocolViolationError(
                f"more than {limits.NODE_REQUESTS} requests are open [NET-11]"
            )
        self._theirs[number] = message
        self._parts.on_request(self, number, message)

    def _take_answer(self, number: int, message: Answer) -> None:
        self._asking.take(self, number, message, self._desk.now.mono)
        if isinstance(message, Pong):
            self._arm(limits.NODE_PING_S)  # else the next look would be when it would be dead
        if not self.is_over:
            self._parts.on_room(self)

    # --- time and end ---------------------------------------------------------------------------

    def _arm(self, in_s: float) -> None:
        self._desk.set_alarm(("session", self.link), in_s, self._on_alarm)

    def _on_alarm(self) -> None:
        """See what is late, and look again when the next thing may be."""
        if self.is_over:
            return
        now = self._desk.now.mono
        if self._hold:
            self._asking.answered = self.heard = now
        if self.state is State.GREETING and now - self.since >= limits.NODE_HELLO_S:
            self.end("silent", f"no HELLO within {limits.NODE_HELLO_S} seconds")
        elif now - self.heard >= limits.NODE_DEAD_S:
            self.end("silent", f"nothing came for {limits.NODE_DEAD_S} seconds")
        elif self.queued_bytes and now - self._taken >= limits.NODE_STALL_S:
            self.end("slow", f"nothing was taken for {limits.NODE_STALL_S} seconds")
        elif self._asking.is_useless:
            self.end("silent", "too many requests weren't answered")
        else:
            self._ask_for_life(now)
            self._asking.give_up_late(self, now)
            self._arm(self._next_look(now))

    def _ask_for_life(self, now: float) -> None:
        is_quiet = now - self.heard >= limits.NODE_PING_S
        if is_quiet and not self._asking.awaits_life and self.can_ask():
            self.ask(Ping(), None)

    def _next_look(self, now: float) -> float:
        """Seconds until something else may be late."""
        if self.state is State.GREETING:
            return max(self.since + limits.NODE_HELLO_S - now, _LEAST_WAIT_S)
        ends = [self.heard + limits.NODE_DEAD_S]
        if now - self.heard < limits.NODE_PING_S:
            ends = [self.heard + limits.NODE_PING_S]
        if self.queued_bytes:
            ends.append(self._taken + limits.NODE_STALL_S)
        late = self._asking.next_late()
        if late is not None:
            ends.append(late)
        return max(min(ends) - now, _LEAST_WAIT_S)

    def dismiss(self, code: str, text: str) -> None:
        """Send away who broke a rule, and don't let them in for a while [NET-23]."""
        if not self.is_over:
            self._bans.ban(self.key, self.host, self._desk.now)
            self._desk.tell("banned", peer=self.key, text=text)
        self.end(code, text)

    def end(self, code: str, text: str, *, say: bool = True) -> None:
        """End the connection; harmless twice. `say`: whether the other side is told why."""
        if self.is_over:
            return
        if say:
            self.send(Bye(code=code, text=_cut(text)))
        self._step(Step.END)
        self._desk.act(Close(link=self.link, code=code, text=text))
        self._let_go()

    def on_closed(self) -> None:
        """The connection is at its end."""
        if self.state is State.GONE:
            return
        was_over = self.is_over
        self._step(Step.CLOSED)
        if not was_over:
            self._let_go()

    def _let_go(self) -> None:
        for name in ("session", "rate", "lag"):
            self._desk.alarms.drop((name, self.link))
        self._held.clear()
        self._theirs.clear()
        self._asking.lose_all(self)
        self._parts.on_ended(self)


def _cut(text: str) -> str:
    """As much of a text as fits into BYE."""
    return text.encode()[: limits.NODE_BYE_TEXT_BYTES].decode(errors="ignore")
