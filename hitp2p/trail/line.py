"""The line of an identity: which of its events count, from the set of its events alone [IDN-10].

Follow the event whose signer was committed to at the lowest place. Where two share that place (one recovery key was used
twice), the identity is forked until an event joins all of the tied branches. All that the event at the end of the line
has among its ancestors is on the line too: a later event decides about its keys.

Nothing here recurses: a log may be a chain of any length.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import cast

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass, field
from hitp2p.errors import MissingBlocksError
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.identity import IdentityEvent
from hitp2p.trail.graph import count_generations

__all__ = ["IdentityLine", "Place", "identity_line"]


class Place(StrEnum):
    """Where an event stands in its log."""

    LINE = "line"
    TIED = "tied"
    """On one of the branches of an unresolved fork."""
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityLine:
    """What the events of one identity add up to."""

    identity: Cid
    """The genesis."""
    line: tuple[Cid, ...]
    """The events that count, by (generation, CID): up to the end, or up to an unresolved fork."""
    end: Cid
    """Last event of the line: it says which keys may sign now; where forked, the last before the fork."""
    forked_at: Cid | None
    """The event after which the tied branches begin; None unless the identity is forked."""
    tied: tuple[Cid, ...]
    """First events of the tied branches, by CID."""
    lost: frozenset[Cid]
    """Events that lost to one of a better rank, and what follows only such."""
    ends: tuple[Cid, ...]
    """Last event of the line for each way in which the forks could go; the end alone unless forked."""
    _log: _Log = field(repr=False, compare=False)
    _places: dict[Cid, Place] = field(repr=False, compare=False)

    @property
    def is_forked(self) -> bool:
        """Whether one recovery key signed two successors, and no later event has joined them."""
        return self.forked_at is not None

    def place(self, event: Cid) -> Place:
        """Where an event of this identity stands.

        Raises:
            MissingBlocksError: the event is not among those that the line was computed from.
        """
        try:
            return self._places[event]
        except KeyError:
            raise MissingBlocksError(f"identity event {event} is not here", [event]) from None

    def drops_after(self, event: Cid, key: bytes) -> tuple[tuple[SignedObject, ...], ...]:
        """The later events that list a key as dropped; one tuple for each way in which the forks could go.

        Ways that give the same events are given once.
        """
        return self._log.drops_after(event, key, self.ends)


def identity_line(genesis: Cid, events: Iterable[SignedObject]) -> IdentityLine:
    """Compute the line [IDN-10]. A function of the set: order and repetitions don't matter.

    Args:
        genesis: the identity.
        events: valid events, of this identity (others are passed over), each with its parents.

    Raises:
        MissingBlocksError: the genesis, or a parent of an event, is not among them.
    """
    log = _Log(genesis, events)
    return _Walk(log).result()


class _Log:
    """The events of one identity and how they follow each other."""

    def __init__(self, genesis: Cid, events: Iterable[SignedObject]) -> None:
        self.genesis = genesis
        self.events = {
            event.cid: event
            for event in events
            if event.kind == "identity" and event.identity == genesis
        }
        self.parents = {cid: event.parents for cid, event in self.events.items()}
        missing = {p for parents in self.parents.values() for p in parents} | {genesis}
        missing -= self.events.keys()
        if missing:
            raise MissingBlocksError(
                f"{len(missing)} identity events are not here", sorted(missing)
            )
        generation = count_generations(self.events, self.parents.__getitem__)
        self.order = sorted(self.events, key=lambda cid: (generation[cid], cid))
        self.number = {cid: number for number, cid in enumerate(self.order)}
        self.children: dict[Cid, list[Cid]] = {}
        for cid in self.order:
            for parent in self.parents[cid]:
                self.children.setdefault(parent, []).append(cid)

    def rank(self, event: Cid, parents: Iterable[Cid]) -> int:
        """The highest place of the event's signer in what these parents commit to [IDN-3]."""
        signer = sha256(self.events[event].signer).digest()
        return max(self._body(parent).next.index(signer) for parent in parents)

    def _body(self, cid: Cid) -> IdentityEvent:
        return cast(IdentityEvent, self.events[cid].content)

    def lineage(
        self, starts: Iterable[Cid], *, up: bool = True, stop: Container[Cid] = ()
    ) -> set[Cid]:
        """These events and all their ancestors, or all their descendants; nothing beyond those in `stop`."""
        edges: Callable[[Cid], Sequence[Cid]] = (
            self.parents.__getitem__ if up else lambda cid: self.children.get(cid, ())
        )
        stack = list(starts)
        seen = set(stack)
        while stack:
            for other in edges(stack.pop()):
                if other not in seen and other not in stop:
                    seen.add(other)
                    stack.append(other)
        return seen

    def drops_after(
        self, event: Cid, key: bytes, ends: Iterable[Cid]
    ) -> tuple[tuple[SignedObject, ...], ...]:
        later = self.lineage([event], up=False) - {event}
        drops = [
            cid
            for cid in sorted(later, key=self.number.__getitem__)
            if any(gone.key == key for gone in self._body(cid).dropped)
        ]
        if not drops:
            return ((),)
        reached = self._reached_drops(later, drops)
        ways = {reached.get(end, 0) for end in ends}
        return tuple(
            tuple(self.events[cid] for bit, cid in enumerate(drops) if way >> bit & 1)
            for way in sorted(ways)
        )

    def _reached_drops(self, later: set[Cid], drops: list[Cid]) -> dict[Cid, int]:
        """For each later event, which of the drops it is or descends from, as bits."""
        reached: dict[Cid, int] = {}
        own = {cid: 1 << bit for bit, cid in enumerate(drops)}
        for cid in sorted(later, key=self.number.__getitem__):
            bits = own.get(cid, 0)
            for parent in self.parents[cid]:
                bits |= reached.get(parent, 0)
            reached[cid] = bits
        return reached

    def joiners(self, tied: Iterable[Cid]) -> list[Cid]:
        """The events whose parents reach every tied one, without those that follow another such event."""
        common = -1
        for cid in tied:
            common &= self._below[self.number[cid]]
        found: list[Cid] = []
        while common:
            oldest = (common & -common).bit_length() - 1
            found.append(self.order[oldest])
            common &= ~(self._below[oldest] | 1 << oldest)
        return found

    @cached_property
    def _below(self) -> list[int]:
        """By number: the numbers of all that descends from an event, as bits.

        Takes an eighth of the square of the log's length in bytes, so it is made for logs with a tie only.
        """
        below = [0] * len(self.order)
        for number in reversed(range(len(self.order))):
            for parent in self.parents[self.order[number]]:
                below[self.number[parent]] |= below[number] | 1 << number
        return below


class _Walk:
    """From the genesis along the line, and along each way on from an unresolved fork as if it were the line."""

    def __init__(self, log: _Log) -> None:
        self.log = log

    def result(self) -> IdentityLine:
        log = self.log
        end, tied = self.follow(log.genesis)
        line = log.lineage([end])
        line |= self.shared(tied, line)
        ends = self.ends(end, tied)
        possible = log.lineage(ends)
        places = {
            cid: Place.LINE if cid in line else Place.TIED if cid in possible else Place.LOST
            for cid in log.order
        }
        return IdentityLine(
            identity=log.genesis,
            line=tuple(cid for cid in log.order if cid in line),
            end=end,
            forked_at=end if tied else None,
            tied=tied,
            lost=frozenset(cid for cid in log.order if cid not in possible),
            ends=ends,
            _log=log,
            _places=places,
        )

    def follow(self, start: Cid) -> tuple[Cid, tuple[Cid, ...]]:
        """The last event of the line from `start` on, and the tied events if a fork stops it."""
        while len(best := self.best_after(start)) == 1:
            start = best[0]
        return start, best

    def best_after(self, cid: Cid) -> tuple[Cid, ...]:
        """What the line goes on with: one event, several that are tied, or nothing."""
        log = self.log
        best = _lowest(log.children.get(cid, ()), lambda event: log.rank(event, [cid]))
        while len(best) > 1:
            joiners = log.joiners(best)
            if not joiners:
                break
            best = _lowest(joiners, lambda event: log.rank(event, log.parents[event]))
        return tuple(sorted(best))

    def shared(self, tied: Iterable[Cid], known: set[Cid]) -> set[Cid]:
        """What every tied event has among its ancestors, beyond what is `known` to be there."""
        common: set[Cid] | None = None
        for cid in tied:
            above = self.log.lineage([cid], stop=known) - known - {cid}
            common = above if common is None else common & above
            if not common:
                break
        return common or set()

    def ends(self, end: Cid, tied: Iterable[Cid]) -> tuple[Cid, ...]:
        """Last events of the line for each way in which this fork, and those behind it, could go."""
        waiting = list(tied)
        if not waiting:
            return (end,)
        seen, ends = set(waiting), set[Cid]()
        while waiting:
            last, more = self.follow(waiting.pop())
            if not more:
                ends.add(last)
            waiting.extend(cid for cid in more if cid not in seen)
            seen.update(more)
        return tuple(sorted(ends))


def _lowest(events: Iterable[Cid], rank: Callable[[Cid], int]) -> list[Cid]:
    """The events of the lowest rank."""
    ranked = [(rank(event), event) for event in events]
    least = min((number for number, _ in ranked), default=0)
    return [event for number, event in ranked if number == least]
