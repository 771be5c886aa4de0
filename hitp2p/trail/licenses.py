"""The licences of a work and of all that went into it: the rule for every edge, and what follows for the work [LIC-1 to LIC-6].

What it says follows from what people stated, so it is a check of their words, and no legal advice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from typing import Final, TypeAlias

from hitp2p import limits
from hitp2p.codec.cid import Cid
from hitp2p.objects.contribution import ForeignSource
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.known import known_field
from hitp2p.trail.collected import iter_held
from hitp2p.trail.credit_lines import CreditLine
from hitp2p.trail.credits import CreditSheet
from hitp2p.trail.license_report import Basis, LicenseEdge, LicenseReport
from hitp2p.trail.license_terms import (
    ADAPTING,
    Judgement,
    Obligation,
    Permission,
    fitting_licenses,
    judge_edge,
    obligations_of,
)
from hitp2p.trail.standing import Standing

__all__ = [
    "BOUND",
    "NOT_HERE",
    "Basis",
    "LicenseEdge",
    "LicenseReport",
    "audit_licenses",
    "judge_source",
]

NOT_HERE: Final = Judgement(
    permission=Permission.UNKNOWN, reason="the source is not here, so its licence is not known"
)
"""Of a source that would have to be judged [LIC-4]."""
_Source: TypeAlias = Cid | ForeignSource

Lookup: TypeAlias = Callable[[Cid], SignedObject | None]
"""Valid objects that are here."""
Grants: TypeAlias = Callable[[Cid], Iterable[SignedObject]]
"""Valid objects that name a work by ref; what else than grants they are is passed over."""


def audit_licenses(
    sheet: CreditSheet,
    *,
    lookup: Lookup,
    grants: Grants | None = None,
    standing: Callable[[SignedObject], Standing] | None = None,
) -> LicenseReport:
    """Judge every use in the ancestry of a work.

    Args:
        sheet: the credits of the work, which have walked its ancestry.
        lookup: valid objects that are here.
        grants: valid objects that name a work by ref; None for none.
        standing: asked for each grant, which counts only where it is good; None leaves standing out.
    """
    return _Audit(sheet, lookup, grants or (lambda _: ()), standing).report()


def _granted(
    source: SignedObject,
    grantee: Cid,
    grants: Iterable[SignedObject],
    standing: Callable[[SignedObject], Standing] | None = None,
) -> SignedObject | None:
    """The first grant, by CID, with which the author of a source allows somebody to use it [LIC-4]."""
    fitting = (
        grant
        for grant in grants
        if grant.kind == "grant"
        and grant.author == source.author
        and grant.body["work"]["object"] == str(source.cid)
        and grant.body.get("grantee", str(grantee)) == str(grantee)
        and (standing is None or standing(grant) is Standing.GOOD)
    )
    return min(fitting, key=lambda grant: grant.cid, default=None)


def judge_source(
    source: SignedObject | None,
    source_license: str | None,
    *,
    author: Cid | None,
    license: str | None,
    relation: str,
    grants: Grants,
    standing: Callable[[SignedObject], Standing] | None = None,
) -> tuple[Judgement, Basis, Cid | None]:
    """Whether somebody may make a work of a source, by what, and the grant if it is by one [LIC-2, LIC-4].

    By the licence first, so that nobody is asked for what everybody may do.

    Args:
        source: the source that is here; None for one outside hitp2p.
        source_license: its own or its project's; None for none.
        author: who makes the work; None where that isn't known.
        license: of the work; None for none.
        relation: how the source is used.
        grants: valid objects that name a work by ref.
        standing: asked for each grant; None leaves standing out.
    """
    judgement = judge_edge(source_license, license, relation)
    if source is None or author is None or relation not in BOUND:
        return judgement, Basis.LICENSE, None
    if source.author == author:
        return _OWN, Basis.AUTHOR, None
    if judgement.permission in (Permission.ALLOWED, Permission.WARNED):
        return judgement, Basis.LICENSE, None
    grant = _granted(source, author, grants(source.cid), standing)
    if grant is None:
        return judgement, Basis.LICENSE, None
    given: str | None = grant.body.get("license")
    if given is not None:
        return judge_edge(given, license, relation), Basis.GRANT, grant.cid
    return _GRANTED, Basis.GRANT, grant.cid


_OWN: Final = Judgement(permission=Permission.ALLOWED, reason="both are by one author")
_GRANTED: Final = Judgement(
    permission=Permission.WARNED,
    reason="the author of the source gave a grant; its terms are not judged",
)


_Maker: TypeAlias = tuple[Cid | None, str | None, str | None]
"""Author, licence and `unchecked` of a work that uses others, read once for all that it uses."""


class _Audit:
    def __init__(
        self,
        sheet: CreditSheet,
        lookup: Lookup,
        grants: Grants,
        standing: Callable[[SignedObject], Standing] | None,
    ) -> None:
        self.sheet = sheet
        self.lookup = lookup
        self.grants = grants
        self.standing = standing
        self.licenses = {line.cid: line.license for line in sheet.lines if line.cid is not None}
        self.lines = {key: line for line in sheet.lines if (key := line.cid or line.source)}
        self.makers: dict[Cid, _Maker] = {}

    def report(self) -> LicenseReport:
        stated = self.licenses[self.sheet.work]
        edges = tuple(
            self.edge(line, use.by, use.relation)
            for line in self.sheet.lines[1:]
            for use in line.uses
        )
        found = self.held(edges)
        held = tuple(islice(found, limits.LICENSE_HELD))
        is_cut = next(found, None) is not None
        uses = (*edges, *held)
        taken = self.taken(uses)
        inherited = tuple(self.inherited(taken))
        ok = all(e.judgement.permission is not Permission.FORBIDDEN for e in (*uses, *inherited))
        return LicenseReport(
            stated=stated,
            effective=stated if ok else None,
            obligations=self.obligations(stated, uses, taken),
            edges=edges,
            held=held,
            held_is_cut=is_cut,
            inherited=inherited,
            fitting=self.fitting(uses, taken),
        )

    def edge(
        self, line: CreditLine, by: Cid, relation: str, through: Cid | None = None
    ) -> LicenseEdge:
        """One source in one work."""
        maker = self.maker(by)
        judgement, basis, grant = self.judge(line, maker, relation)
        return LicenseEdge(
            work=by,
            source=line.cid,
            foreign=line.source,
            title=line.title,
            relation=relation,
            source_license=line.license,
            work_license=maker[1],
            judgement=judgement,
            basis=basis,
            grant=grant,
            unchecked=maker[2],
            through=through,
        )

    def maker(self, work: Cid) -> _Maker:
        found = self.makers.get(work)
        if found is None:
            obj = self.lookup(work)
            license = self.licenses[work]
            found = (None, license, None)
            if obj is not None:
                found = (obj.author, license, _unchecked(obj))
            self.makers[work] = found
        return found

    def judge(
        self, line: CreditLine, maker: _Maker, relation: str
    ) -> tuple[Judgement, Basis, Cid | None]:
        """As `judge_source`; a source that isn't here can't be judged."""
        if line.missing and relation in BOUND:
            return NOT_HERE, Basis.LICENSE, None
        return judge_source(
            None if line.cid is None else self.lookup(line.cid),
            line.license,
            author=maker[0],
            license=maker[1],
            relation=relation,
            grants=self.grants,
            standing=self.standing,
        )

    # --- through collections ----------------------------------------------------------------------

    def held(self, edges: Iterable[LicenseEdge]) -> Iterator[LicenseEdge]:
        """What collections hold, as used by those who use the collections, each use once [LIC-6]."""
        bound = [edge for edge in edges if edge.relation in BOUND]
        if all(edge.relation != "collect" for edge in bound):
            return
        collections = _Collections(bound, self.lookup)
        told: dict[tuple[Cid, str], set[_Source]] = {}
        for edge in bound:
            if edge.source is None or not collections.collects(edge.source):
                continue
            relation = "collect" if collections.is_release(edge.work) else edge.relation
            seen = told.setdefault((edge.work, relation), collections.named(edge.work))
            for source in iter_held(edge.source, collections.collects, seen):
                yield self.edge(self.lines[source], edge.work, relation, edge.source)

    # --- what follows -----------------------------------------------------------------------------

    def taken(self, edges: Iterable[LicenseEdge]) -> dict[_Source, int]:
        """Sources whose material is in the work itself: reached over adapting edges alone; with the number of steps."""
        by_work: dict[Cid, list[LicenseEdge]] = {}
        for edge in edges:
            by_work.setdefault(edge.work, []).append(edge)
        found: dict[_Source, int] = {}
        layer, steps = [self.sheet.work], 0
        while layer:
            steps += 1
            further: list[Cid] = []
            for edge in (edge for work in layer for edge in by_work.get(work, ())):
                key = edge.source or edge.foreign
                if key is None or key in found or edge.relation not in ADAPTING:
                    continue
                found[key] = steps
                if edge.source is not None:
                    further.append(edge.source)
            layer = further
        return found

    def inherited(self, taken: dict[_Source, int]) -> Iterator[LicenseEdge]:
        """Deeper sources that forbid the licence of the work, each told as one long edge."""
        maker = self.maker(self.sheet.work)
        for line in self.sheet.lines[1:]:
            key = line.cid or line.source
            if key is None or taken.get(key, 0) < 2 or line.missing:
                continue
            judgement, _, _ = self.judge(line, maker, "remix")
            if judgement.permission is Permission.FORBIDDEN:
                yield self.edge(line, self.sheet.work, "remix")

    def obligations(
        self, stated: str | None, edges: Iterable[LicenseEdge], taken: dict[_Source, int]
    ) -> tuple[Obligation, ...]:
        found = set(obligations_of(stated))
        binding = {
            edge.source_license
            for edge in edges
            if _binds(edge) and (edge.source or edge.foreign) in taken
        }
        for license in binding:
            found.update(obligations_of(license))
        if stated is not None and Obligation.ASK not in obligations_of(stated):
            found.discard(Obligation.ASK)  # told as a conflict, or as not judged
        return tuple(one for one in Obligation if one in found)

    def fitting(self, edges: Iterable[LicenseEdge], taken: dict[_Source, int]) -> tuple[str, ...]:
        direct = [
            (edge.source_license, edge.relation)
            for edge in edges
            if edge.work == self.sheet.work and _binds(edge)
        ]
        deeper = [
            (line.license, "remix")
            for line in self.sheet.lines[1:]
            if taken.get(line.cid or line.source or self.sheet.work, 0) > 1 and not line.missing
        ]
        return fitting_licenses(dict.fromkeys([*direct, *deeper]))


class _Collections:
    """What the works of an ancestry collect, and what they use on their own account [LIC-6]."""

    def __init__(self, bound: Iterable[LicenseEdge], lookup: Lookup) -> None:
        self._lookup = lookup
        self._named: dict[Cid, dict[_Source, None]] = {}
        self._collected: dict[Cid, dict[_Source, None]] = {}
        for edge in bound:
            source = edge.source or edge.foreign
            if source is not None:
                self._named.setdefault(edge.work, {})[source] = None
                if edge.relation == "collect":
                    self._collected.setdefault(edge.work, {})[source] = None
        self._released: dict[Cid, dict[_Source, None]] = {}

    def named(self, work: Cid) -> set[_Source]:
        """What a work takes material from or collects; a set of the caller's own."""
        return set(self._named[work])

    def is_release(self, work: Cid) -> bool:
        obj = self._lookup(work)
        return obj is not None and obj.kind == "release"

    def collects(self, source: _Source) -> Collection[_Source]:
        """What a work collects directly; a release, which can't say how it uses its parents, what they collect."""
        if not isinstance(source, Cid) or source not in self._named:
            return ()
        if not self.is_release(source):
            return self._collected.get(source, {})
        if source not in self._released:
            self._released[source] = dict.fromkeys(self._of_release(source))
        return self._released[source]

    def _of_release(self, release: Cid) -> Iterator[_Source]:
        seen = {release}
        waiting = [release]
        for one in waiting:  # which grows
            yield from self._collected.get(one, ())
            for parent in self._named[one] if self.is_release(one) else ():
                if isinstance(parent, Cid) and parent in self._named and parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)


BOUND: Final = ADAPTING | {"collect"}
"""Relations for which it matters what the source allows."""


def _unchecked(work: SignedObject) -> str | None:
    """Why its author signed it unchecked; few works say so, and a body takes 20 us to decode."""
    has_it = b"unchecked" in work.block
    reason: str | None = known_field(work, "unchecked") if has_it else None
    return reason


def _binds(edge: LicenseEdge) -> bool:
    """Whether the licence of the source goes on to bind what is made of the work."""
    return edge.relation in ADAPTING and edge.basis is Basis.LICENSE
