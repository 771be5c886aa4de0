"""What an audit of licences says: every use in an ancestry, judged, and what follows for the work [LIC-5, LIC-6]."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.objects.contribution import ForeignSource
from hitp2p.trail.license_terms import Judgement, Obligation, Permission

__all__ = ["Basis", "LicenseEdge", "LicenseReport"]


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
    through: Cid | None = None
    """The collection that holds the source, where the work uses that and not the source itself [LIC-6]."""

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
            "through": None if self.through is None else str(self.through),
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
    held: tuple[LicenseEdge, ...] = ()
    """What collections hold, as used by those who use the collections, in the order of `edges` [LIC-6]."""
    held_is_cut: bool = False
    """Whether there is more of that than is judged."""

    @property
    def conflicts(self) -> tuple[LicenseEdge, ...]:
        """Edges that are forbidden, and what is inherited from deeper down."""
        return (*having(self, Permission.FORBIDDEN), *self.inherited)

    @property
    def unknown(self) -> tuple[LicenseEdge, ...]:
        """Edges that could not be judged."""
        return having(self, Permission.UNKNOWN)

    def to_json(self) -> dict[str, Any]:
        """Plain values for `json.dumps`."""
        return {
            "stated": self.stated,
            "effective": self.effective,
            "obligations": [obligation.value for obligation in self.obligations],
            "edges": [edge.to_json() for edge in self.edges],
            "held": [edge.to_json() for edge in self.held],
            "held_is_cut": self.held_is_cut,
            "inherited": [edge.to_json() for edge in self.inherited],
            "fitting": list(self.fitting),
        }


def having(report: LicenseReport, permission: Permission) -> tuple[LicenseEdge, ...]:
    """The edges of a report with one answer, those through collections behind the others."""
    edges: Iterable[LicenseEdge] = (*report.edges, *report.held)
    return tuple(edge for edge in edges if edge.judgement.permission is permission)
