"""What the parts of the core share: the time, chance, tokens, alarms, and the actions that wait for the shell."""

from __future__ import annotations

import math
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Final

from hitp2p.codec.cid import Cid
from hitp2p.protocol.actions import Action, Event, Moment, Notify
from hitp2p.protocol.chance import Chance

__all__ = ["Alarms", "Desk", "Turn"]

Alarm = tuple[str, int | Cid]
"""What an alarm is for: a word, and a connection or a topic."""
_ROUNDS: Final = 16
"""What is due at once sets further alarms; so often it is looked again before the shell gets its turn."""
_STALE: Final = 64
"""So many outdated entries may stand in the heap beside as many as there are alarms."""


class Alarms:
    """What is to be done when; an alarm has one time, the earliest that was set since it last rang."""

    __slots__ = ("_heap", "_serial", "_set")

    def __init__(self) -> None:
        self._set: dict[Alarm, tuple[float, Callable[[], None]]] = {}
        self._heap: list[tuple[float, int, Alarm]] = []
        self._serial = 0

    def set(self, name: Alarm, at: float, call: Callable[[], None]) -> None:
        """Call at a time, unless the same alarm rings before."""
        known = self._set.get(name)
        if known is not None and known[0] <= at:
            return
        self._set[name] = at, call
        self._serial += 1
        heappush(self._heap, (at, self._serial, name))
        if len(self._heap) > 2 * len(self._set) + _STALE:
            self._heap = [entry for entry in self._heap if self._holds(entry)]
            heapify(self._heap)

    def drop(self, name: Alarm) -> None:
        """Let it not ring."""
        self._set.pop(name, None)

    def _holds(self, entry: tuple[float, int, Alarm]) -> bool:
        known = self._set.get(entry[2])
        return known is not None and known[0] == entry[0]

    def next(self) -> float:
        """When the next one rings; infinity if none is set."""
        while self._heap and not self._holds(self._heap[0]):
            heappop(self._heap)
        return self._heap[0][0] if self._heap else math.inf

    def ring(self, now: float) -> None:
        """Call what is due, in order; what is set meanwhile waits for the next time."""
        due: list[Callable[[], None]] = []
        while self.next() <= now:
            due.append(self._set.pop(heappop(self._heap)[2])[1])
        for call in due:
            call()


class Desk:
    """One for a core."""

    __slots__ = ("_out", "_token", "_turn", "alarms", "chance", "me", "now")

    def __init__(self, *, me: bytes, chance: Chance, now: Moment) -> None:
        self.me = me
        """Our node key."""
        self.chance = chance
        self.now = now
        """The time of what is being worked on."""
        self.alarms = Alarms()
        self._out: list[Action] = []
        self._token = 0
        self._turn = Turn(self)

    def begin(self, now: Moment) -> Turn:
        """The call of the shell begins."""
        if now.mono >= self.now.mono:
            self.now = now
        return self._turn

    def act(self, action: Action) -> None:
        """Have the shell do something."""
        self._out.append(action)

    def take_actions(self) -> list[Action]:
        """What is to be done, once."""
        out, self._out = self._out, []
        return out

    def next_token(self) -> int:
        """A number that wasn't used before."""
        self._token += 1
        return self._token

    def set_alarm(self, name: Alarm, in_s: float, call: Callable[[], None]) -> None:
        """Call in some seconds."""
        self.alarms.set(name, self.now.mono + in_s, call)

    def tell(
        self,
        name: str,
        *,
        peer: bytes | None = None,
        topic: Cid | None = None,
        cids: tuple[Cid, ...] = (),
        text: str = "",
    ) -> None:
        """Tell the operator."""
        event = Event(name=name, peer=peer, topic=topic, cids=cids, text=text)
        self.act(Notify(event=event))


class Turn:
    """What every call ends with: all that is due now is done."""

    __slots__ = ("_desk",)

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        now, alarms = self._desk.now.mono, self._desk.alarms
        for _round in range(_ROUNDS):
            if kind is not None or alarms.next() > now:
                return
            alarms.ring(now)
