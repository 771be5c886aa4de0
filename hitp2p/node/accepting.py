"""Scope *accepted* of the topics of a store [STA-5]: which members it has, which are heads in it, and what has changed.

It is a function of the whole set, so finding it costs as much as the set has members. It is found when somebody asks for the
members, and again after something has joined: at once in small sets, else with one of the next looks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from operator import attrgetter
from typing import Final, NamedTuple

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass, field
from hitp2p.node.remembered import WholeBlocks
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import ObjectClass
from hitp2p.protocol.actions import Member, TopicScope
from hitp2p.store.contract import ObjectRow, Store
from hitp2p.trail.accepted import accepted_scope
from hitp2p.trail.standing import StandingAuditor

__all__ = ["ACCEPTED", "Accepting", "Part"]

ACCEPTED: Final = 0
"""The scope that is a part of a project."""
AT_ONCE: Final = 1000
"""Members of a set that is small enough to be judged anew after each batch, in a hundredth of a second."""
A_LOOK: Final = 2000
"""Members of a larger set for each look, four a second, that it is left as it is: judging takes a tenth of the time then."""
_in_order = attrgetter("generation", "cid")


class Part(NamedTuple):
    """What a topic has in scope accepted."""

    members: Mapping[Cid, Member]
    """By (generation, CID)."""
    n_all: int
    """Members of the whole set."""


@dataclass(slots=True, kw_only=True)
class Difference:
    """What has become of such a part."""

    joined: list[Member] = field(default_factory=list[Member])
    left: list[tuple[TopicScope, bytes]] = field(default_factory=list[tuple[TopicScope, bytes]])
    no_heads: list[tuple[TopicScope, Cid]] = field(default_factory=list[tuple[TopicScope, Cid]])


class Accepting:
    """Which of the members of topics are accepted. One thread's."""

    def __init__(self, store: Store, lookup: Callable[[Cid], SignedObject | None]) -> None:
        self._store = store
        self._lookup = lookup
        self._parts: dict[Cid, Part] = {}
        """Of the topics whose members were asked for, as they were last told."""
        self._stale: dict[Cid, int] = {}
        """Topics in which something has changed since, and for how many looks they are left as they are."""

    @property
    def is_behind(self) -> bool:
        """Whether anything is to be looked at again."""
        return bool(self._stale)

    def has(self, topic: Cid, cid: Cid) -> bool:
        """Whether an object was told as a member."""
        return topic in self._parts and cid in self._parts[topic].members

    def forget(self, topic: Cid) -> None:
        """Tell about a topic no more."""
        self._parts.pop(topic, None)
        self._stale.pop(topic, None)

    def note(self, topics: Iterable[Cid]) -> None:
        """Topics that something has joined or left, or for which list pages have come."""
        for topic in self._parts.keys() & topics:
            self._stale.setdefault(topic, self._parts[topic].n_all // A_LOOK)

    def due(self, *, is_look: bool) -> tuple[Cid, ...]:
        """Topics that are to be looked at again now: small ones, and in a look large ones whose time has come."""
        if not is_look:
            return tuple(topic for topic in self._stale if self._parts[topic].n_all <= AT_ONCE)
        found = tuple(topic for topic, n_left in self._stale.items() if n_left <= 0)
        self._stale = {topic: n_left - 1 for topic, n_left in self._stale.items()}
        return found

    def find(self, topic: Cid, rows: Collection[ObjectRow]) -> Difference:
        """Judge a topic anew; what is another way than it was told.

        Args:
            topic: followed.
            rows: its members in scope all.
        """
        was = self._parts.get(topic, Part({}, 0)).members
        part = self._parts[topic] = self._judge(topic, rows)
        self._stale.pop(topic, None)
        now, of = part.members, TopicScope(topic, ACCEPTED)
        return Difference(
            joined=[
                one
                for cid, one in now.items()
                if cid not in was or (one.is_head and not was[cid].is_head)
            ],
            left=[
                (of, one.generation.to_bytes(8, "big") + cid.digest)
                for cid, one in was.items()
                if cid not in now
            ],
            no_heads=[
                (of, cid)
                for cid, one in was.items()
                if one.is_head and cid in now and not now[cid].is_head
            ],
        )

    def members(self, topic: Cid) -> Collection[Member]:
        """The members as they were last told, by (generation, CID)."""
        return self._parts[topic].members.values()

    def _judge(self, topic: Cid, rows: Collection[ObjectRow]) -> Part:
        objects = {row.cid: obj for row in rows if (obj := self._lookup(row.cid)) is not None}
        chosen = self._chosen(topic, objects)
        of = TopicScope(topic, ACCEPTED)
        inside = [objects[cid] for cid in objects if cid in chosen and _may_be_head(objects[cid])]
        named = {parent for obj in inside for parent in obj.parents}
        heads = {obj.cid for obj in inside if topic in (obj.project, obj.identity)} - named
        members = {
            row.cid: Member(
                of=of,
                generation=row.generation,
                cid=row.cid,
                size=len(objects[row.cid].block),
                is_head=row.cid in heads,
            )
            for row in sorted(rows, key=_in_order)
            if row.cid in chosen
        }
        return Part(members, len(rows))

    def _chosen(self, topic: Cid, objects: Mapping[Cid, SignedObject]) -> Collection[Cid]:
        """Of an identity, everything."""
        project = objects.get(topic)
        if project is None or project.kind != "project":
            return objects.keys()
        blocks = WholeBlocks(self._store)
        auditor = StandingAuditor(
            events=lambda who: filter(None, map(self._lookup, self._store.events(who))),
            lookup=lambda cid: objects.get(cid) or self._lookup(cid),
            blocks=blocks,
        )
        return accepted_scope(
            project,
            objects.values(),
            standing=lambda obj: auditor.audit(obj).standing,
            blocks=blocks,
        )


def _may_be_head(obj: SignedObject) -> bool:
    return obj.object_class in (ObjectClass.WORK, ObjectClass.EVENT)
