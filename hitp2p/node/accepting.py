"""Scope *accepted* of the topics of a store [STA-5]: which members it has, which are heads in it, and what has changed.

It is a function of the whole set. It is found when somebody asks for the members, and again after something has joined: at once
in small projects, else with one of the next looks, as a decision may have all of it judged anew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from operator import attrgetter
from typing import Final, NamedTuple

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass, field
from hitp2p.node.acceptance import Acceptance
from hitp2p.node.remembered import WholeBlocks
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import KINDS, ObjectClass
from hitp2p.protocol.actions import Member, TopicScope
from hitp2p.store.contract import ObjectRow, Store
from hitp2p.store.sizes import block_sizes
from hitp2p.trail.accepted import accepted_scope
from hitp2p.trail.standing import StandingAuditor

__all__ = ["ACCEPTED", "Accepting", "Difference"]

ACCEPTED: Final = 0
"""The scope that is a part of a project."""
AT_ONCE: Final = 2000
"""Accepted members of a project that is small enough to be judged anew after each batch, in some hundredths of a second."""
A_LOOK: Final = 4000
"""Those of a larger one for each look, four a second, that it is left as it is: judging takes a tenth of the time at most."""
_in_order = attrgetter("generation", "cid")


class _Heads(NamedTuple):
    """Members that became heads, and that are none any more."""

    raised: Collection[Cid]
    lowered: Collection[Cid]


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
        self._acceptance = Acceptance(store, lookup=lookup)
        self._parts: dict[Cid, dict[Cid, Member]] = {}
        """Of the topics whose members were asked for, as they were last told."""
        self._stale: dict[Cid, int] = {}
        """Topics in which something has changed since, and for how many looks they are left as they are."""

    @property
    def is_behind(self) -> bool:
        """Whether anything is to be looked at again."""
        return bool(self._stale)

    def has(self, topic: Cid, cid: Cid) -> bool:
        """Whether an object was told as a member."""
        return topic in self._parts and cid in self._parts[topic]

    def forget(self, topic: Cid) -> None:
        """Tell about a topic no more."""
        self._parts.pop(topic, None)
        self._stale.pop(topic, None)

    def note(self, topics: Iterable[Cid]) -> None:
        """Topics that something has joined or left, or for which list pages have come."""
        for topic in self._parts.keys() & topics:
            self._stale.setdefault(topic, len(self._parts[topic]) // A_LOOK)

    def due(self, *, is_look: bool) -> tuple[Cid, ...]:
        """Topics that are to be looked at again now: small ones, and in a look large ones whose time has come."""
        if not is_look:
            return tuple(topic for topic in self._stale if len(self._parts[topic]) <= AT_ONCE)
        found = tuple(topic for topic, n_left in self._stale.items() if n_left <= 0)
        self._stale = {topic: n_left - 1 for topic, n_left in self._stale.items()}
        return found

    def find(
        self, topic: Cid, rows: Callable[[], Collection[ObjectRow]], hidden: Collection[Cid]
    ) -> Difference:
        """Look at a topic; what is another way than it was told.

        Args:
            topic: followed.
            rows: gives its members in scope all.
            hidden: what is in the store and in no set.
        """
        self._stale.pop(topic, None)
        members = self._parts.setdefault(topic, {})
        project = self._lookup(topic)
        if project is not None and project.kind == "project" and not hidden:
            now: Collection[Cid] = self._acceptance(topic)
            if not members:
                self._fill(topic, now)
                return Difference(joined=list(self.members(topic)))
        else:
            now = self._chosen(topic, rows())
        gone = {cid: members.pop(cid) for cid in members.keys() - now}
        new = set(self._join(topic, [cid for cid in now if cid not in members]))
        of = TopicScope(topic, ACCEPTED)
        lower = self._set_heads(topic, new, gone)
        return Difference(
            joined=sorted((members[cid] for cid in (*new, *lower.raised)), key=_in_order),
            left=[
                (of, one.generation.to_bytes(8, "big") + cid.digest) for cid, one in gone.items()
            ],
            no_heads=[(of, cid) for cid in lower.lowered],
        )

    def _fill(self, topic: Cid, cids: Collection[Cid]) -> None:
        """Make the first members of a project, of which there may be many: from rows alone, no object read again."""
        rows = {row.cid: row for row in self._store.rows(project=topic) if row.cid in cids}
        for cid in cids:
            if cid not in rows and (row := self._store.row(cid)) is not None:
                rows[cid] = row
        sizes = block_sizes(self._store, list(rows))
        works = {cid for cid, row in rows.items() if _is_work(row)}
        heads = works.intersection(self._store.heads(topic))
        for cid in works - heads:
            if works.isdisjoint(self._store.children(cid)):
                heads.add(cid)
        of = TopicScope(topic, ACCEPTED)
        for cid, row in rows.items():
            self._parts[topic][cid] = Member(
                of=of,
                generation=row.generation,
                cid=cid,
                size=sizes.get(cid, 0),
                is_head=cid in heads,
            )

    def _join(self, topic: Cid, cids: Iterable[Cid]) -> list[Cid]:
        """Make members of objects; those that are here."""
        of, members = TopicScope(topic, ACCEPTED), self._parts[topic]
        joined: list[Cid] = []
        for cid in cids:
            row, obj = self._store.row(cid), self._lookup(cid)
            if row is not None and obj is not None:
                size = len(obj.block)
                members[cid] = Member(
                    of=of, generation=row.generation, cid=cid, size=size, is_head=False
                )
                joined.append(cid)
        return joined

    def _set_heads(self, topic: Cid, new: Collection[Cid], gone: Collection[Cid]) -> _Heads:
        """Say of members whether they are heads, after some have joined and left.

        A member joins after what it was built on, or with it; so what has joined names all that is no head any more.
        """
        members = self._parts[topic]
        builders = [obj for cid in new if (obj := self._candidate(topic, cid)) is not None]
        named = {parent for obj in builders for parent in obj.parents}
        for obj in builders:
            members[obj.cid] = members[obj.cid]._replace(is_head=obj.cid not in named)
        lowered = [cid for cid in named if cid in members and members[cid].is_head]
        left = [obj for cid in gone if (obj := self._candidate(topic, cid)) is not None]
        bare = {parent for obj in left for parent in obj.parents if parent in members}
        raised = [cid for cid in bare if cid not in new and self._is_bare(topic, cid)]
        for cid in lowered:
            members[cid] = members[cid]._replace(is_head=False)
        for cid in raised:
            members[cid] = members[cid]._replace(is_head=True)
        return _Heads(raised, lowered)

    def _candidate(self, topic: Cid, cid: Cid) -> SignedObject | None:
        obj = self._lookup(cid)
        if obj is None or topic not in (obj.project, obj.identity):
            return None
        is_event = obj.object_class is ObjectClass.EVENT
        return obj if obj.object_class is ObjectClass.WORK or is_event else None

    def _is_bare(self, topic: Cid, cid: Cid) -> bool:
        if self._candidate(topic, cid) is None:
            return False
        children = (one for one in self._store.children(cid) if one in self._parts[topic])
        return all(self._candidate(topic, one) is None for one in children)

    def members(self, topic: Cid) -> Collection[Member]:
        """The members as they were last told, by (generation, CID)."""
        return sorted(self._parts[topic].values(), key=_in_order)

    def _chosen(self, topic: Cid, rows: Collection[ObjectRow]) -> Collection[Cid]:
        """Judged over these members alone; of an identity, all of them."""
        objects = {row.cid: obj for row in rows if (obj := self._lookup(row.cid)) is not None}
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


def _is_work(row: ObjectRow) -> bool:
    kind = KINDS.get(row.kind)
    return kind is not None and kind.object_class is ObjectClass.WORK
