"""The licences of a work and of all that went into it: the rule for every edge, and what follows for the work [LIC-1 to LIC-5].

What it says follows from what people stated, so it is a check of their words, and no legal advice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Any, Final, TypeAlias

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.objects.contribution import ForeignSource
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.known import known_field
from hitp2p.trail.credit_lines import CreditLine
from hitp2p.trail.credits import CreditSheet
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
    "Basis",
    "LicenseEdge",
    "LicenseReport",
    "audit_licenses",
    "judge_source",
]

Lookup: TypeAlias = Callable[[Cid], SignedObject | None]
"""Valid objects that are here."""
Grants: TypeAlias = Callable[[Cid], Iterable[SignedObject]]
"""Valid objects that name a work by ref; what else than grants they are is passed over."""


class Basis(StrEnum):
    """What an edge is judged by."""

    LICENSE = "license"
    """The licence of the source."""
    AUTHOR = "author"
    """Both are by one author, who needs no licence of their own."""
    GRANT = "grant"
    """The author of the source allowed it to this author."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseEdge:
    """One use of a source, judged. Text is as its author wrote it; clean it before showing it."""

    work: Cid
    """The work in question: what was made, or for an inherited conflict what the source went into at last."""
    source: Cid | None
    """The source, where it is a work."""
    foreign: ForeignSource | None
    """The source, where it lies outside hitp2p."""
    title: str | None
    """Of the source."""
    relation: str
    source_license: str | None
    """None for none; for a source that isn't here, None and `judgement` unknown."""
    work_license: str | None
    judgement: Judgement
    basis: Basis
    grant: Cid | None
    """The grant, where the basis is one."""
    unchecked: str | None
    """Why the author signed all the same, in their words."""

    def to_json(self) -> dict[str, Any]:
        """Plain values for `json.dumps`."""
        foreign = self.foreign
        return {
            "work": str(self.work),
            "source": None if self.source is None else str(self.source),
            "foreign": None if foreign is None else foreign.url or foreign.title,
            "title": self.title,
            "relation": self.relation,
            "source_license": self.source_license,
            "work_license": self.work_license,
            "permission": self.judgement.permission.value,
            "reason": self.judgement.reason,
            "basis": self.basis.value,
            "grant": None if self.grant is None else str(self.grant),
            "unchecked": self.unchecked,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseReport:
    """What the licences of a work and its sources say together. Equal sets of objects give equal reports."""

    stated: str | None
    """Licence of the work as it or its project states it."""
    effective: str | None
    """The same where no source forbids it; None where one does, or none is stated [LIC-5]."""
    obligations: tuple[Obligation, ...]
    """What whoever uses the work must keep to, for the work and for all of its sources that are in it."""
    edges: tuple[LicenseEdge, ...]
    """Every use in the whole ancestry, in the order of the credits."""
    inherited: tuple[LicenseEdge, ...]
    """Sources deeper down that forbid the licence of the work itself, though the edges between are allowed."""
    fitting: tuple[str, ...]
    """Common licences that all sources would allow."""

    @property
    def conflicts(self) -> tuple[LicenseEdge, ...]:
        """Edges that are forbidden, and what is inherited from deeper down."""
        bad = (edge for edge in self.edges if edge.judgement.permission is Permission.FORBIDDEN)
        return (*bad, *self.inherited)

    @property
    def unknown(self) -> tuple[LicenseEdge, ...]:
        """Edges that could not be judged."""
        return tuple(e for e in self.edges if e.judgement.permission is Permission.UNKNOWN)

    def to_json(self) -> dict[str, Any]:
        """Plain values for `json.dumps`."""
        return {
            "stated": self.stated,
            "effective": self.effective,
            "obligations": [obligation.value for obligation in self.obligations],
            "edges": [edge.to_json() for edge in self.edges],
            "inherited": [edge.to_json() for edge in self.inherited],
            "fitting": list(self.fitting),
        }


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
        reason = "both are by one author"
        return Judgement(permission=Permission.ALLOWED, reason=reason), Basis.AUTHOR, None
    if judgement.permission in (Permission.ALLOWED, Permission.WARNED):
        return judgement, Basis.LICENSE, None
    grant = _granted(source, author, grants(source.cid), standing)
    if grant is None:
        return judgement, Basis.LICENSE, None
    given: str | None = grant.body.get("license")
    if given is not None:
        return judge_edge(given, license, relation), Basis.GRANT, grant.cid
    reason = "the author of the source gave a grant; its terms are not judged"
    return Judgement(permission=Permission.WARNED, reason=reason), Basis.GRANT, grant.cid


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

    def report(self) -> LicenseReport:
        stated = self.licenses[self.sheet.work]
        edges = tuple(
            self.edge(line, use.by, use.relation)
            for line in self.sheet.lines[1:]
            for use in line.uses
        )
        taken = self.taken(edges)
        inherited = tuple(self.inherited(taken))
        ok = all(e.judgement.permission is not Permission.FORBIDDEN for e in (*edges, *inherited))
        return LicenseReport(
            stated=stated,
            effective=stated if ok else None,
            obligations=self.obligations(stated, edges, taken),
            edges=edges,
            inherited=inherited,
            fitting=self.fitting(edges, taken),
        )

    def edge(self, line: CreditLine, by: Cid, relation: str) -> LicenseEdge:
        """One source in one work."""
        judgement, basis, grant = self.judge(line, by, relation)
        maker = self.lookup(by)
        return LicenseEdge(
            work=by,
            source=line.cid,
            foreign=line.source,
            title=line.title,
            relation=relation,
            source_license=line.license,
            work_license=self.licenses[by],
            judgement=judgement,
            basis=basis,
            grant=grant,
            unchecked=None if maker is None else known_field(maker, "unchecked"),
        )

    def judge(
        self, line: CreditLine, by: Cid, relation: str
    ) -> tuple[Judgement, Basis, Cid | None]:
        """As `judge_source`; a source that isn't here can't be judged."""
        if line.missing and relation in BOUND:
            reason = "the source is not here, so its licence is not known"
            judgement = Judgement(permission=Permission.UNKNOWN, reason=reason)
            return judgement, Basis.LICENSE, None
        source = None if line.cid is None else self.lookup(line.cid)
        maker = self.lookup(by)
        return judge_source(
            source,
            line.license,
            author=None if maker is None else maker.author,
            license=self.licenses[by],
            relation=relation,
            grants=self.grants,
            standing=self.standing,
        )

    def taken(self, edges: Iterable[LicenseEdge]) -> dict[Cid | ForeignSource, int]:
        """Sources whose material is in the work itself: reached over adapting edges alone; with the number of steps."""
        by_work: dict[Cid, list[LicenseEdge]] = {}
        for edge in edges:
            by_work.setdefault(edge.work, []).append(edge)
        found: dict[Cid | ForeignSource, int] = {}
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

    def inherited(self, taken: dict[Cid | ForeignSource, int]) -> Iterator[LicenseEdge]:
        """Deeper sources that forbid the licence of the work, each told as one long edge."""
        for line in self.sheet.lines[1:]:
            key = line.cid or line.source
            if key is None or taken.get(key, 0) < 2 or line.missing:
                continue
            edge = self.edge(line, self.sheet.work, "remix")
            if edge.judgement.permission is Permission.FORBIDDEN:
                yield edge

    def obligations(
        self,
        stated: str | None,
        edges: Iterable[LicenseEdge],
        taken: dict[Cid | ForeignSource, int],
    ) -> tuple[Obligation, ...]:
        found = set(obligations_of(stated))
        for edge in edges:
            key = edge.source or edge.foreign
            if key in taken and _binds(edge):
                found.update(obligations_of(edge.source_license))
        if stated is not None and Obligation.ASK not in obligations_of(stated):
            found.discard(Obligation.ASK)  # told as a conflict, or as not judged
        return tuple(one for one in Obligation if one in found)

    def fitting(
        self, edges: Iterable[LicenseEdge], taken: dict[Cid | ForeignSource, int]
    ) -> tuple[str, ...]:
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
        return fitting_licenses([*direct, *deeper])


BOUND: Final = ADAPTING | {"collect"}
"""Relations for which it matters what the source allows."""


def _binds(edge: LicenseEdge) -> bool:
    """Whether the licence of the source goes on to bind what is made of the work."""
    return edge.relation in ADAPTING and edge.basis is Basis.LICENSE
