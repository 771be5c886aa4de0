"""Which objects of a store belong to which followed topics [NET-1], and what has changed since it was last asked.

The store numbers what arrives, and everything arrives after what it requires. So the rows above a cursor are all that is
new, whoever put it there: this node, the user in the workspace, or another program.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import attrgetter
from typing import Final, NamedTuple

from hitp2p.codec.cid import Cid
from hitp2p.node.accepting import ACCEPTED, Accepting, Difference
from hitp2p.node.changes import Change
from hitp2p.node.hiding import Hiding, may_block
from hitp2p.node.policy import Policy
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import ObjectClass
from hitp2p.protocol.actions import Member, TopicScope
from hitp2p.store.contract import ObjectRow, Store
from hitp2p.store.sizes import block_sizes

__all__ = ["ALL", "Memberships"]

ALL: Final = 1
"""The scope that is all of a topic."""

_CHUNK: Final = 4096
"""Members whose sizes are asked for together."""
_in_order = attrgetter("generation", "cid")


class Memberships:
    """The sets of the topics that are followed, without their members: those are in the store. One thread's."""

    def __init__(
        self,
        store: Store,
        *,
        lookup: Callable[[Cid], SignedObject | None],
        hiding: Hiding,
    ) -> None:
        """Begin at what the store holds now.

        Args:
            store: it may have other writers.
            lookup: an object of the store.
            hiding: says what is here and in no set all the same.
        """
        self._store = store
        self._lookup = lookup
        self.hiding = hiding
        self._accepting = Accepting(store, lookup)
        self._topics: dict[Cid, None] = {}
        """Those that are followed."""
        self._speaks: dict[Cid, set[Cid]] = {}
        """Of each identity, the followed projects in which it speaks; of those in `_scanned` alone."""
        self._scanned: set[Cid] = set()
        self.cursor = store.last_seq()
        """Number of the last object that was told."""
        last = next(store.rows(after=self.cursor - 1, limit=1), None)
        self.cursor_cid = None if last is None else last.cid

    # --- topics -----------------------------------------------------------------------------------

    @property
    def topics(self) -> Collection[Cid]:
        """All that are followed."""
        return self._topics.keys()

    def follow(self, topic: Cid) -> None:
        """Tell about members of a topic from now on."""
        self._topics[topic] = None

    def unfollow(self, topic: Cid) -> None:
        """Tell no more."""
        self._topics.pop(topic, None)
        self._accepting.forget(topic)
        self._scanned.discard(topic)
        for identity in [who for who, topics in self._speaks.items() if topic in topics]:
            self._speaks[identity].discard(topic)
            if not self._speaks[identity]:
                del self._speaks[identity]

    def speaks_in(self, identity: Cid) -> Collection[Cid]:
        """The followed projects in which an identity speaks."""
        self._scan_all()
        return self._speaks.get(identity, ())

    def _scan_all(self) -> None:
        for topic in self._topics.keys() - self._scanned:
            self._scan(topic)

    def _scan(self, topic: Cid) -> None:
        """Note who speaks in a project, up to the cursor."""
        for row in self._rows_in(topic):
            self._note_up_to_cursor(row, topic)
        self._scanned.add(topic)

    def _note_up_to_cursor(self, row: ObjectRow, topic: Cid) -> None:
        if row.seq <= self.cursor and row.identity is not None:
            self._speaks.setdefault(row.identity, set()).add(topic)

    def _rows_in(self, topic: Cid) -> Iterator[ObjectRow]:
        """The rows of a project that aren't hidden, as they arrived."""
        if self.hiding.may_block:
            self.hiding.look(self._store.rows(project=topic))
        hidden = self.hiding.cids
        return (row for row in self._store.rows(project=topic) if row.cid not in hidden)

    # --- who belongs ------------------------------------------------------------------------------

    def topics_of(self, row: ObjectRow) -> Collection[Cid]:
        """The followed topics to which an object of the store belongs, in scope all."""
        if row.project is not None:
            return (row.project,) if row.project in self._topics else ()
        if row.identity is None:
            return ()
        own = (row.identity,) if row.identity in self._topics else ()
        return (*own, *self.speaks_in(row.identity)) if row.kind == "identity" else own

    def is_member(self, row: ObjectRow, topic: Cid, scope: int) -> bool:
        """Whether an object of the store belongs to a followed topic."""
        if topic not in self._topics or self.hiding.hides(row):
            return False
        if topic not in self.topics_of(row):
            return False
        return scope == ALL or self._accepting.has(topic, row.cid)

    def members(self, topic: Cid, scope: int) -> Iterator[Member]:
        """All members of a followed topic, each after what it requires."""
        if scope == ACCEPTED:
            self._find_accepted(topic)
            yield from self._accepting.members(topic)
            return
        of = TopicScope(topic, scope)
        heads = self._heads(topic)
        rows = self.iter_rows(topic)
        while chunk := list(islice(rows, _CHUNK)):
            sizes = block_sizes(self._store, [row.cid for row in chunk])
            for row in chunk:
                yield _member(of, row, sizes.get(row.cid, 0), row.cid in heads)

    def iter_rows(self, topic: Cid) -> Iterator[ObjectRow]:
        """The members of a topic in scope all, each after what it requires. Never all of them are in memory at once."""
        yield from self._events(topic)
        seen = {topic}
        for row in self._rows_in(topic):
            self._note_up_to_cursor(row, topic)
            if row.identity is not None and row.identity not in seen:
                seen.add(row.identity)
                yield from self._events(row.identity)
            yield row
        self._scanned.add(topic)
        for row in self._store.rows(identity=topic):
            if row.project is None and row.kind != "identity" and not self.hiding.hides(row):
                yield row

    def _events(self, identity: Cid) -> Iterator[ObjectRow]:
        for cid in self._store.events(identity):
            row = self._store.row(cid)
            if row is not None and not self.hiding.hides(row):
                yield row

    def rows_of(self, topic: Cid) -> list[ObjectRow]:
        """The same, by (generation, CID)."""
        return sorted(self.iter_rows(topic), key=_in_order)

    def _heads(self, topic: Cid) -> Collection[Cid]:
        hidden = self.hiding.cids
        if events := self._store.events(topic):
            seen = [obj for cid in events if cid not in hidden and (obj := self._lookup(cid))]
            return {obj.cid for obj in seen}.difference(*(obj.parents for obj in seen))
        heads = set(self._store.heads(topic)) - hidden
        for cid in hidden:  # what such a one was built on may be a head for others
            obj = self._lookup(cid)
            if obj is not None and obj.project == topic:
                heads.update(filter(self._is_bare, obj.parents))
        return heads

    def _is_bare(self, cid: Cid) -> bool:
        """Whether a work isn't hidden, and all that is built on it is."""
        obj = self._lookup(cid)
        if obj is None or obj.object_class is not ObjectClass.WORK or cid in self.hiding.cids:
            return False
        seen = [child for child in self._store.children(cid) if child not in self.hiding.cids]
        works = filter(None, map(self._lookup, seen))
        return all(work.object_class is not ObjectClass.WORK for work in works)

    # --- what is new ------------------------------------------------------------------------------

    def advance(
        self,
        known: Mapping[Cid, SignedObject] | None = None,
        put: Sequence[ObjectRow] = (),
        *,
        is_look: bool = False,
    ) -> Change:
        """What has come since the last call.

        Args:
            known: objects at hand, so that they aren't read again.
            put: what `Store.put` gave for them: one transaction, so nobody else's rows stand between these.
            is_look: whether to look at what is accepted in large projects as well, as far as it is time for that.
        """
        self._scan_all()
        rows = self._new_rows(put)
        step = _Step(self, self._store, known or {}, rows)
        for row in rows:
            step.take(row)
        if rows and rows[-1].seq > self.cursor:
            self.cursor, self.cursor_cid = rows[-1].seq, rows[-1].cid
        self._heed_labels(rows, step.change)
        self._accepting.note(one.of.topic for one in step.change.joined)
        self._accepting.note(of.topic for of, _ in step.change.left)
        self._tell_accepted(step.change, is_look=is_look)
        return step.change

    # --- what is hidden ---------------------------------------------------------------------------

    def set_policy(self, policy: Policy) -> Change:
        """Hide what a policy blocks from now on, and nothing else."""
        change = Change()
        before = self._views() if self.hiding.cids or may_block(policy) else {}
        self.hiding.set_policy(policy)
        self._compare(before, change)
        return change

    def _heed_labels(self, rows: Sequence[ObjectRow], change: Change) -> None:
        if self.hiding.heeds(rows):
            before = self._views()
            if self.hiding.take_labels(rows):
                self._compare(before, change)

    def _views(self) -> dict[Cid, _View]:
        return {
            topic: _View({row.cid: row for row in self.rows_of(topic)}, self._heads(topic))
            for topic in self._topics
        }

    def _compare(self, before: Mapping[Cid, _View], change: Change) -> None:
        """Tell the difference between the sets as they were and as they are."""
        for topic, was in before.items():
            for identity in list(self._speaks):
                self._speaks[identity].discard(topic)
            rows = self.rows_of(topic)
            of = TopicScope(topic, ALL)
            heads = self._heads(topic)
            sizes = block_sizes(self._store, [row.cid for row in rows])
            for row in rows:
                if row.cid not in was.rows or (row.cid in heads and row.cid not in was.heads):
                    size = sizes.get(row.cid, 0)
                    change.joined.append(_member(of, row, size, row.cid in heads))
                if row.cid not in was.rows:
                    change.rows.append((topic, row))
            gone = was.rows.keys() - {row.cid for row in rows}
            change.take_back(topic, gone)
            change.left.extend((of, _key(was.rows[cid])) for cid in sorted(gone))
            change.no_heads.extend((of, cid) for cid in was.heads if cid not in heads)

    def _new_rows(self, put: Sequence[ObjectRow]) -> list[ObjectRow]:
        """Those of `put` aren't read again. Some of these may have come back under an older number, as they were damaged."""
        back = [row for row in put if row.seq <= self.cursor]
        ours = [row for row in put if row.seq > self.cursor]
        if not ours:
            return [*back, *self._store.rows(after=self.cursor)]
        first = next(self._store.rows(after=self.cursor, limit=1), ours[0])
        before: list[ObjectRow] = []
        if first.seq < ours[0].seq:
            before = [row for row in self._store.rows(after=self.cursor) if row.seq < ours[0].seq]
        return [*back, *before, *ours, *self._store.rows(after=ours[-1].seq)]

    def note_speaker(self, identity: Cid, project: Cid) -> bool:
        """Whether an identity had not spoken in a project before."""
        topics = self._speaks.setdefault(identity, set())
        is_new = project not in topics
        topics.add(project)
        return is_new

    def find(self, cid: Cid) -> SignedObject | None:
        """An object of the store."""
        return self._lookup(cid)

    # --- what is accepted -------------------------------------------------------------------------

    @property
    def is_behind(self) -> bool:
        """Whether something has changed of which is not known yet what it makes accepted."""
        return self._accepting.is_behind

    def note_pages(self, topics: Iterable[Cid]) -> None:
        """List pages have come for these topics, which may say that something is accepted."""
        self._accepting.note(topics)

    def _find_accepted(self, topic: Cid) -> Difference:
        return self._accepting.find(topic, lambda: self.rows_of(topic), self.hiding.cids)

    def _tell_accepted(self, change: Change, *, is_look: bool) -> None:
        for topic in self._accepting.due(is_look=is_look):
            found = self._find_accepted(topic)
            change.joined += found.joined
            change.left += found.left
            change.no_heads += found.no_heads


class _View(NamedTuple):
    """A set as it was."""

    rows: Mapping[Cid, ObjectRow]
    heads: Collection[Cid]


class _Step:
    """One look at what is new."""

    def __init__(
        self,
        sets: Memberships,
        store: Store,
        known: Mapping[Cid, SignedObject],
        rows: Iterable[ObjectRow],
    ) -> None:
        self.change = Change()
        self._sets = sets
        self._store = store
        self._objects: dict[Cid, SignedObject] = {}
        self._named: set[Cid] = set()
        """Parents of the new works and events: none of these is a head."""
        self._done: set[tuple[Cid, Cid]] = set()
        for row in rows:
            if not sets.topics_of(row) and row.kind != "identity":
                continue
            obj = known.get(row.cid) or sets.find(row.cid)
            if obj is not None:
                self._objects[row.cid] = obj
                if not sets.hiding.take(row, obj) and _may_be_head(obj):
                    self._named.update(obj.parents)

    def take(self, row: ObjectRow) -> None:
        """A row, those it requires taken before."""
        if row.cid in self._sets.hiding.cids:
            return
        for topic in self._sets.topics_of(row):
            who = row.identity if topic == row.project else None
            if who is not None and self._sets.note_speaker(who, topic):
                self._join_events(who, topic)
            self._join(topic, row)

    def _join_events(self, identity: Cid, topic: Cid) -> None:
        for cid in self._store.events(identity):
            event = self._store.row(cid)
            if event is not None and not self._sets.hiding.hides(event):
                self._join(topic, event)

    def _join(self, topic: Cid, row: ObjectRow) -> None:
        if (topic, row.cid) in self._done:
            return
        self._done.add((topic, row.cid))
        obj = self._objects.get(row.cid) or self._sets.find(row.cid)
        if obj is None:  # damaged, or removed meanwhile
            return
        of = TopicScope(topic, ALL)
        counts = _may_be_head(obj) and topic in (row.project, row.identity)
        is_head = counts and row.cid not in self._named
        self.change.joined.append(_member(of, row, len(obj.block), is_head))
        self.change.rows.append((topic, row))
        if counts:
            self.change.no_heads.extend((of, cid) for cid in obj.parents if cid != topic)


def _may_be_head(obj: SignedObject) -> bool:
    return obj.object_class in (ObjectClass.WORK, ObjectClass.EVENT)


def _key(row: ObjectRow) -> bytes:
    return row.generation.to_bytes(8, "big") + row.cid.digest


def _member(of: TopicScope, row: ObjectRow, size: int, is_head: bool) -> Member:
    return Member(of=of, generation=row.generation, cid=row.cid, size=size, is_head=is_head)
