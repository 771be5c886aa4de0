"""Standing: whether the identity that speaks in an object still stands behind the key that signed it [IDN-11].

A dropped key closes with good heads: what lies in their ancestry stays good, all else is disavowed. So a thief who dates
objects back gains nothing, and nobody can erase what others built on. Standing is a function of the set of objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from hashlib import sha256
from typing import Final, NoReturn, cast

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass, field
from hitp2p.errors import InvalidError, UsageError
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.identity import IdentityEvent
from hitp2p.objects.kinds import ObjectClass
from hitp2p.objects.pages import GoodHeads, ListPage, parse_list_page
from hitp2p.ports import BlockSource
from hitp2p.trail.line import IdentityLine, Place, identity_line

__all__ = ["Standing", "StandingAuditor", "StandingReport", "audit_standing", "project_hash"]


class Standing(StrEnum):
    """How the identity stands to an object made in its name."""

    GOOD = "good"
    DISAVOWED = "disavowed"
    """The signature is right, and the owner of the identity denies it."""
    UNDETERMINED = "undetermined"
    """Blocks that would tell are not here."""
    FORKED = "forked"
    """The identity has two successors with equal right; nobody picks one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingReport:
    """The standing of one object, with what it rests on."""

    cid: Cid
    """The object."""
    standing: Standing
    reason: str
    """One sentence for people, made of our words only."""
    by_event: Cid | None = None
    """The identity event that decides: the one that dropped the key, or after which the identity is forked."""
    by_head: Cid | None = None
    """The good head that covers the object: itself, or the first by CID among its descendants in the entry."""
    missing: tuple[Cid, ...] = ()
    """What would have to be here for another answer than `undetermined`; by CID."""
    evidence: tuple[Cid, ...] = ()
    """Objects that, with their ancestors, lead anyone who has the events and pages to the same answer; by CID."""

    def __bool__(self) -> NoReturn:
        raise TypeError("a StandingReport is neither true nor false; look at its `standing`")


def project_hash(obj: SignedObject) -> bytes:
    """Under what a page of good heads lists the object: sha256 of its project, or of its identity if it has none."""
    return sha256(bytes(obj.project_cid or obj.identity)).digest()


def audit_standing(
    obj: SignedObject,
    *,
    events: Iterable[SignedObject],
    lookup: Callable[[Cid], SignedObject | None],
    blocks: BlockSource,
) -> StandingReport:
    """The standing of one valid object; see `StandingAuditor` for many.

    Args:
        obj: valid.
        events: the valid events of its identity; others are passed over.
        lookup: valid objects that are here.
        blocks: list pages that are here.
    """
    known = tuple(events)
    return StandingAuditor(events=lambda _: known, lookup=lookup, blocks=blocks).audit(obj)


class StandingAuditor:
    """Audits many objects over one set, and remembers the lines of identities and the ancestries of good heads.

    What it remembers is right for the set as it was; make a new one when objects have come in.
    """

    def __init__(
        self,
        *,
        events: Callable[[Cid], Iterable[SignedObject]],
        lookup: Callable[[Cid], SignedObject | None],
        blocks: BlockSource,
    ) -> None:
        """Audit over a set.

        Args:
            events: the valid events of an identity.
            lookup: valid objects that are here.
            blocks: list pages that are here.
        """
        self._events = events
        self._lookup = lookup
        self._blocks = blocks
        self._lines: dict[Cid, IdentityLine] = {}
        self._drops: dict[tuple[Cid, bytes], tuple[tuple[SignedObject, ...], ...]] = {}
        self._pages: dict[Cid, tuple[GoodHeads, ...] | None] = {}
        self._ancestries: dict[tuple[Cid, ...], tuple[dict[Cid, Cid], frozenset[Cid]]] = {}
        self._kept: set[tuple[Cid, Cid, bytes]] = set()
        """(identity, event, key) of keys that were not dropped, whatever they signed."""

    def line(self, identity: Cid) -> IdentityLine:
        """The line of an identity [IDN-10].

        Raises:
            MissingBlocksError: its genesis is not here.
        """
        line = self._lines.get(identity)
        if line is None:
            line = self._lines[identity] = identity_line(identity, self._events(identity))
        return line

    def standing(self, obj: SignedObject) -> Standing:
        """As `audit`, without the reasons: for nearly all objects of a trail, a look into a set.

        Raises:
            MissingBlocksError: as `audit`.
        """
        if obj.event is None:
            return self.audit(obj).standing
        key = (obj.identity, obj.event, obj.signer)
        if key in self._kept:
            return Standing.GOOD
        found = self.audit(obj).standing
        if found is Standing.GOOD and not any(self._drops_after(self.line(obj.identity), obj)):
            self._kept.add(key)
        return found

    def audit(self, obj: SignedObject) -> StandingReport:
        """The standing of a valid object; of an identity event, whether it is on the line.

        Raises:
            MissingBlocksError: the event under which the object is signed is not among the events.
        """
        line = self.line(obj.identity)
        event = obj.event or obj.cid
        place = line.place(event)
        if place is Place.TIED:
            return _report(obj, Standing.FORKED, _ON_TIED_BRANCH, by_event=line.forked_at)
        if place is Place.LOST:
            return _report(obj, Standing.DISAVOWED, _ON_LOST_BRANCH, by_event=event)
        if obj.event is None:
            return _report(obj, Standing.GOOD, _ON_THE_LINE)
        ways = [self._audit_way(obj, drops) for drops in self._drops_after(line, obj)]
        if line.is_forked and any(way.standing is not Standing.GOOD for way in ways):
            evidence = {cid for way in ways for cid in way.evidence}
            return _report(
                obj,
                Standing.FORKED,
                _NOT_GOOD_EVERYWHERE,
                by_event=line.forked_at,
                evidence=evidence,
            )
        return ways[0]

    def _drops_after(
        self, line: IdentityLine, obj: SignedObject
    ) -> tuple[tuple[SignedObject, ...], ...]:
        if obj.event is None:
            raise UsageError("an identity event is not signed under another")
        key = (obj.event, obj.signer)
        found = self._drops.get(key)
        if found is None:
            found = self._drops[key] = line.drops_after(obj.event, obj.signer)
        return found

    def _audit_way(self, obj: SignedObject, drops: tuple[SignedObject, ...]) -> StandingReport:
        """Steps 2 to 5 of the spec, for one way the line may go."""
        if not drops:
            return _report(obj, Standing.GOOD, _NOT_DROPPED)
        search = _Search()
        for event in drops:
            head = self._covering_head(obj, event, search)
            if head is not None:
                return _report(
                    obj,
                    Standing.GOOD,
                    _COVERED,
                    by_event=event.cid,
                    by_head=head,
                    evidence={head} - {obj.cid},
                )
        return _report(
            obj,
            Standing.UNDETERMINED if search.missing else Standing.DISAVOWED,
            _CANNOT_TELL if search.missing else _NOT_COVERED,
            by_event=drops[0].cid,
            missing=search.missing,
            evidence=search.heads,
        )

    def _covering_head(self, obj: SignedObject, event: SignedObject, search: _Search) -> Cid | None:
        """A good head that covers the object, from the pages with which `event` drops its key."""
        wanted = project_hash(obj)
        for page in _pages_of(event, obj.signer):
            entries = self._parse_page(page)
            if entries is None:
                search.missing.add(page)
                continue
            for entry in entries:
                if entry.project != wanted or obj.cid in entry.exceptions:
                    continue
                if obj.cid in entry.heads:
                    return obj.cid
                if obj.object_class in _HAS_DESCENDANTS:
                    reached, missing = self._ancestry(entry.heads)
                    if obj.cid in reached:
                        return reached[obj.cid]
                    search.missing |= missing
                    search.heads |= set(entry.heads) - missing
        return None

    def _ancestry(self, heads: tuple[Cid, ...]) -> tuple[dict[Cid, Cid], frozenset[Cid]]:
        """All that these objects reach by parents, each with the first head that does, and what of it is not here."""
        found = self._ancestries.get(heads)
        if found is None:
            found = self._ancestries[heads] = self._climb(heads)
        return found

    def _climb(self, heads: tuple[Cid, ...]) -> tuple[dict[Cid, Cid], frozenset[Cid]]:
        reached: dict[Cid, Cid] = {}
        missing: set[Cid] = set()
        for head in sorted(heads):
            stack = [head]
            while stack:
                cid = stack.pop()
                if cid in reached:
                    continue
                reached[cid] = head
                obj = self._lookup(cid)
                if obj is None:
                    missing.add(cid)
                else:
                    stack.extend(obj.parents)
        return reached, frozenset(missing)

    def _parse_page(self, page: Cid) -> tuple[GoodHeads, ...] | None:
        """The entries of a page of good heads; None where it is not here, or malformed, which counts the same [OBJ-23]."""
        if page not in self._pages:
            block = self._blocks.get(page)
            if block is None:
                return None
            try:
                entries = parse_list_page(block, ListPage.GOOD_HEADS)
                self._pages[page] = tuple(map(GoodHeads.from_body, entries))
            except InvalidError:
                self._pages[page] = None
        return self._pages[page]


@dataclass(slots=True)
class _Search:
    """What the search for a good head came by."""

    missing: set[Cid] = field(default_factory=set[Cid])
    """Blocks that would be needed to be sure that there is none."""
    heads: set[Cid] = field(default_factory=set[Cid])
    """Heads that were looked at, and are here."""


_HAS_DESCENDANTS: Final = frozenset(
    {ObjectClass.WORK, ObjectClass.RULES, ObjectClass.PROJECT, ObjectClass.UNKNOWN}
)
"""Of these, being an ancestor of a good head is enough; statements have to be listed themselves. What is unknown is taken
for a work, as it is as a parent: else a work would be good and what it builds on disavowed [KND-11]."""

_ON_THE_LINE: Final = "the event is on the line of its identity"
_ON_TIED_BRANCH: Final = "the identity is forked, and this stands on one of the branches"
_ON_LOST_BRANCH: Final = "its identity event lost to one that a key of better rank signed"
_NOT_DROPPED: Final = "its key was not dropped"
_COVERED: Final = "its key was dropped, and a good head covers it"
_NOT_COVERED: Final = "its key was dropped, and no good head covers it"
_CANNOT_TELL: Final = "its key was dropped, and what would show a good head is not all here"
_NOT_GOOD_EVERYWHERE: Final = "the identity is forked, and not every branch stands behind it"


def _pages_of(event: SignedObject, key: bytes) -> tuple[Cid, ...]:
    """The list pages with which an event drops a key."""
    body = cast(IdentityEvent, event.content)
    return next((gone.pages for gone in body.dropped if gone.key == key), ())


def _report(
    obj: SignedObject,
    standing: Standing,
    reason: str,
    *,
    by_event: Cid | None = None,
    by_head: Cid | None = None,
    missing: Iterable[Cid] = (),
    evidence: Iterable[Cid] = (),
) -> StandingReport:
    return StandingReport(
        cid=obj.cid,
        standing=standing,
        reason=reason,
        by_event=by_event,
        by_head=by_head,
        missing=tuple(sorted(missing)),
        evidence=tuple(sorted(evidence)),
    )
