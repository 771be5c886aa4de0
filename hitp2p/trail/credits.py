"""Credits: everything that went into a work, at any depth, and who made it [CRD-1 to CRD-6].

Computed from the graph, so nobody has to keep a list. It stands beside what people said in their own words, and doesn't
replace it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import UsageError
from hitp2p.objects.envelope import SignedObject
from hitp2p.ports import BlockSource
from hitp2p.trail import credits_text
from hitp2p.trail.credit_lines import (
    Claim,
    CreditLine,
    Person,
    RoleLine,
    SourceUse,
    iter_roles,
)
from hitp2p.trail.credit_walk import CreditWalk, Lookup, is_source
from hitp2p.trail.standing import Standing

__all__ = [
    "Claim",
    "CreditLine",
    "CreditSheet",
    "Person",
    "RoleLine",
    "SourceUse",
    "credit_sheet",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditSheet:
    """The credits of one work. Equal sets of objects give equal sheets."""

    work: Cid
    """The work; the first line is its own."""
    lines: tuple[CreditLine, ...]
    """By (distance, generation descending, CID); works that are not here and sources outside stand last in their distance."""
    missing: tuple[Cid, ...]
    """Works and list pages that the walk wanted and that are not here, by CID."""
    is_cut: bool = False
    """Whether the lists are longer than what is read, so that sources and people are left out [CRD-6]."""

    def by_role(self) -> tuple[RoleLine, ...]:
        """The same credits, by what people did."""
        return tuple(iter_roles(self.lines))

    def text(self, *, by_role: bool = False, codes: bool = True) -> str:
        """Plain text: title, author, source, licence a line, safe for a terminal.

        Args:
            by_role: people under what they did instead of works with their people.
            codes: short codes beside the names of identities; without them anyone can pass for anyone.
        """
        return credits_text.render_text(self.lines, self.missing, by_role=by_role, codes=codes)

    def markdown(self, *, by_role: bool = False, codes: bool = True) -> str:
        """The same in Markdown, foreign text escaped."""
        return credits_text.render_markdown(self.lines, self.missing, by_role=by_role, codes=codes)

    def html(self, *, by_role: bool = False, codes: bool = True) -> str:
        """A fragment of HTML without scripts and styles, foreign text escaped."""
        return credits_text.render_html(self.lines, self.missing, by_role=by_role, codes=codes)

    def to_json(self) -> dict[str, Any]:
        """Plain values for `json.dumps`; the fields are in `hitp2p/trail/README.md` and stay."""
        return credits_text.to_json(self.work, self.lines, self.missing, is_cut=self.is_cut)


def credit_sheet(
    work: SignedObject,
    *,
    lookup: Lookup,
    blocks: BlockSource | None = None,
    answers: Callable[[Cid], Iterable[SignedObject]] | None = None,
    standing: Callable[[SignedObject], Standing] | None = None,
    generations: Mapping[Cid, int] | None = None,
) -> CreditSheet:
    """The credits of a work, as far as the objects that are here tell them.

    Args:
        work: valid.
        lookup: valid objects that are here.
        blocks: list pages that are here; without it, lists that go on in pages are incomplete.
        answers: valid objects that name a work by ref; of these, answers and withdrawals of names count.
        standing: asked for each work, and for each answer; None leaves standing out.
        generations: of objects, where somebody counted them before.

    Raises:
        UsageError: not a work.
    """
    if not is_source(work):
        raise UsageError(f"{work.cid} is a {work.kind}; contributions and releases have credits")
    walk = CreditWalk(lookup, blocks, answers or (lambda _: ()), standing, generations or {})
    walk.run(work)
    lines = walk.lines()
    missing = tuple(sorted(walk.missing))
    return CreditSheet(work=work.cid, lines=lines, missing=missing, is_cut=walk.is_cut)
