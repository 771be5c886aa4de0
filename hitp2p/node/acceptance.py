"""What of the projects in a store is accepted [STA-5], kept up to date at a cost in proportion to what is new.

A new work or statement changes the answer for itself and for what it rests on. What decides (decisions, rules, withdrawals,
changes of keys, and the pages that were missing for one of these) may change it for anything, so then all of it is made anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable

from hitp2p.codec.cid import Cid
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import KINDS, ObjectClass
from hitp2p.store.contract import ObjectRow, Store
from hitp2p.trail.accepted import credited_in
from hitp2p.trail.project_state import STATE_KINDS, ProjectState, judge_project
from hitp2p.trail.standing import Standing, StandingAuditor

__all__ = ["Acceptance"]


class Acceptance:
    """Gives the members of projects in scope accepted. One thread's."""

    def __init__(self, store: Store, *, lookup: Callable[[Cid], SignedObject | None]) -> None:
        """Nothing is read yet.

        Args:
            store: it may have other writers.
            lookup: an object of the store.
        """
        self._store = store
        self._lookup = lookup
        self._projects: dict[Cid, _Accepted] = {}

    def __call__(self, project: Cid) -> Collection[Cid]:
        """The members now; none where the project isn't here, or is none."""
        found = self._projects.get(project)
        if found is None:
            row = self._store.row(project)
            if row is None or row.kind != "project":
                return ()
            found = self._projects[project] = _Accepted(project, self._store, self._lookup)
        return found.refresh()


class _Accepted:
    """One project. What follows from `_state` and the rows up to `_cursor`."""

    def __init__(
        self, project: Cid, store: Store, lookup: Callable[[Cid], SignedObject | None]
    ) -> None:
        self._project = project
        self._store = store
        self._lookup = lookup
        self._cursor = 0
        self._waits_for_pages = True
        """Whether a page that isn't here could change the answer; at first, nothing is known."""
        self._begin(None)

    def _begin(self, state: ProjectState | None) -> None:
        self._members: set[Cid] = set()
        self._speaking: set[Cid] = set()
        """Identities that speak in a member: all their events are members."""
        self._unheard: defaultdict[Cid, list[Cid]] = defaultdict(list)
        """Statements of identities that aren't heard, so far."""
        self._heard = set[Cid]() if state is None else set(state.speakers)
        self._chosen = frozenset[Cid]()
        self._speakers = frozenset[Cid]()
        if state is not None:
            self._chosen = state.targets("accept") | state.targets("feature")
            self._speakers = state.speakers
            self._add((self._project, *state.chain, *state.rivals, *sorted(state.counting)))

    def refresh(self) -> Collection[Cid]:
        last = self._store.last_seq()
        rows = list(self._store.rows(project=self._project, after=self._cursor))
        events = list(self._store.rows(kind="identity", after=self._cursor))
        decides = any(row.kind in STATE_KINDS for row in rows) or any(
            row.identity != row.cid for row in events
        )
        if decides or self._waits_for_pages:
            self._begin(self._judge())
            rows = list(self._store.rows(project=self._project))
            events = []
        for row in rows:
            self._take(row)
        self._add(event.cid for event in events if event.identity in self._speaking)
        self._cursor = max([last, self._cursor, *(row.seq for row in rows)])
        return self._members

    def _judge(self) -> ProjectState | None:
        project = self._lookup(self._project)
        if project is None:
            return None
        self._waits_for_pages = False
        pages = _NotingAbsence(self._store)
        auditor = StandingAuditor(
            events=lambda who: filter(None, map(self._lookup, self._store.events(who))),
            lookup=self._lookup,
            blocks=pages,
        )
        state = judge_project(
            project,
            self._deciding(),
            standing=lambda obj: self._standing(auditor, obj),
            blocks=pages,
        )
        self._waits_for_pages |= pages.is_missing_some
        return state

    def _standing(self, auditor: StandingAuditor, obj: SignedObject) -> Standing:
        standing = auditor.audit(obj).standing
        self._waits_for_pages |= standing is Standing.UNDETERMINED
        return standing

    def _deciding(self) -> Iterable[SignedObject]:
        for kind in sorted(STATE_KINDS):
            for row in self._store.rows(project=self._project, kind=kind):
                if (obj := self._lookup(row.cid)) is not None:
                    yield obj

    # --- one row after the other ------------------------------------------------------------------

    def _take(self, row: ObjectRow) -> None:
        kind = KINDS.get(row.kind)
        if kind is None or row.identity is None:
            return
        if kind.object_class is ObjectClass.WORK:
            if row.cid in self._chosen or row.identity in self._speakers:
                self._take_work(row.cid, row.identity)
        elif kind.object_class is ObjectClass.STATEMENT:
            if row.identity in self._heard:
                self._add((row.cid,))
            else:
                self._unheard[row.identity].append(row.cid)

    def _take_work(self, cid: Cid, author: Cid) -> None:
        self._add((cid,))
        work = self._lookup(cid)
        for who in (author, *(credited_in(work) if work is not None else ())):
            self._heard.add(who)
            self._add(self._unheard.pop(who, ()))

    def _add(self, cids: Iterable[Cid]) -> None:
        """These, all that they require, and the events of who speaks in them."""
        waiting = list(cids)
        while waiting:
            cid = waiting.pop()
            obj = None if cid in self._members else self._lookup(cid)
            if obj is None:
                continue
            self._members.add(cid)
            waiting.extend(obj.required)
            if obj.identity not in self._speaking:
                self._speaking.add(obj.identity)
                waiting.extend(self._store.events(obj.identity))


class _NotingAbsence:
    """The blocks of a store, with a note whether one was asked for that isn't there."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_missing_some = False

    def get(self, cid: Cid, /) -> bytes | None:
        block = self._store.get(cid)
        self.is_missing_some |= block is None
        return block
