"""What licences ask and allow: the rule for one edge between a source and what was made of it, and what follows.

A table, no advice: it knows the Creative Commons family, its one-way exits and a few licences of free software, and says
"not judged" to all else. [LIC-1 to LIC-4]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from typing import Final, TypeAlias

from hitp2p.dataclass import dataclass
from hitp2p.trail.license_expressions import (
    AllOf,
    AnyOf,
    Expression,
    Family,
    Terms,
    parse_expression,
)

__all__ = [
    "ADAPTING",
    "Judgement",
    "Obligation",
    "Permission",
    "fitting_licenses",
    "judge_edge",
    "obligations_of",
]

ADAPTING: Final = frozenset(
    {"remix", "version", "merge", "translation", "extract", "sample"},
)
"""Relations that take material of the source into the work [LIC-2]."""


class Permission(StrEnum):
    """Whether a licence lets somebody do something, the best first."""

    ALLOWED = "allowed"
    WARNED = "warned"
    """Allowed, with something to know."""
    UNKNOWN = "unknown"
    """Not in the table, so not judged."""
    FORBIDDEN = "forbidden"


_RANK: Final = {permission: rank for rank, permission in enumerate(Permission)}


class Obligation(StrEnum):
    """What a licence asks of those who use a work."""

    CREDIT = "credit"
    """Name the authors, the source and the licence, and say what was changed."""
    SHARE_ALIKE = "share-alike"
    """What is made of it goes under the same terms."""
    NON_COMMERCIAL = "non-commercial"
    NO_DERIVATIVES = "no-derivatives"
    """Nothing that is made of it may be shared."""
    ASK = "ask"
    """There is no licence: ask the author."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict over one edge."""

    permission: Permission
    reason: str
    """One line of plain words."""


# --- the rule for one edge ------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def judge_edge(source: str | None, work: str | None, relation: str) -> Judgement:
    """Whether a work under one licence may be made of a source under another [LIC-2, LIC-3].

    Args:
        source: SPDX expression of the source, its shape checked; None for none.
        work: the same of what was made of it.
        relation: how the source was used.
    """
    if relation == "collect":
        return _judge(parse_expression(source), parse_expression(None), _judge_collecting)
    if relation not in ADAPTING:
        return Judgement(permission=Permission.ALLOWED, reason=f"{relation}: nothing is taken")
    return _judge(parse_expression(source), parse_expression(work), _judge_adapting)


_Rule: TypeAlias = Callable[[Terms, Terms], Judgement]


def _judge(source: Expression, work: Expression, rule: _Rule) -> Judgement:
    """`OR` in the source is the maker's choice, in the work the reader's; `AND` binds both [LIC-3]."""
    if isinstance(work, AnyOf):
        return max((_judge(source, option, rule) for option in work.options), key=_rank)
    if isinstance(source, AllOf):
        return max((_judge(part, work, rule) for part in source.parts), key=_rank)
    if isinstance(source, AnyOf):
        return min((_judge(option, work, rule) for option in source.options), key=_rank)
    if isinstance(work, AllOf):
        return min((_judge(source, part, rule) for part in work.parts), key=_rank)
    return rule(source, work)


def _rank(judgement: Judgement) -> int:
    return _RANK[judgement.permission]


def _judge_collecting(source: Terms, _work: Terms) -> Judgement:
    if source.family is Family.RESERVED:
        return _forbidden("it has no licence, so even an unchanged copy needs a grant")
    if source.family is Family.UNKNOWN:
        return _unknown(source)
    return _allowed(f"an unchanged copy in a collection keeps its own licence, {source}")


def _judge_adapting(source: Terms, work: Terms) -> Judgement:
    if source.family is Family.UNKNOWN:
        return _unknown(source)
    return _RULES[source.family](source, work)


def _from_public_domain(source: Terms, work: Terms) -> Judgement:
    if work.family is Family.RESERVED:
        return _warned(f"{source} asks nothing, but the work gives nothing on")
    return _allowed(f"{source} asks nothing")


def _from_attribution(source: Terms, work: Terms) -> Judgement:
    family = work.family
    if family is Family.PUBLIC_DOMAIN:
        return _forbidden(f"{source} asks for credit, and {work} drops it")
    if family in (Family.BY_ND, Family.BY_NC_ND, Family.RESERVED):
        return _warned(f"{source} allows it, but nobody may build on the work under {work}")
    if family is Family.UNKNOWN:
        return _unknown(work)
    if family in (Family.GPL, Family.FREE_ART, Family.PERMISSIVE):
        return _warned(f"{source} allows it where the credit stays, which {work} may not ask for")
    if family is Family.BY and work.version < source.version:
        return _warned(f"{work} is an older version than {source}")
    return _allowed(f"{source} asks for credit")


def _from_permissive(source: Terms, work: Terms) -> Judgement:
    if work.family is Family.PUBLIC_DOMAIN:
        return _forbidden(f"{source} asks to keep its notice, and {work} drops it")
    return _allowed(f"{source} asks to keep its notice")


def _from_share_alike(source: Terms, work: Terms) -> Judgement:
    later = work.version >= source.version if source.version >= (2, 0) else work.id == source.id
    if work.family is source.family and later:
        return _allowed(f"{source} asks for the same licence")
    if source.family is Family.BY_SA and source.version == (4, 0):
        if work.family is Family.GPL and work.version == (3, 0):
            if work.or_later:
                return _warned(f"{source} may become GPL-3.0, which says nothing of later versions")
            return _allowed(f"{source} may become {work}, never back")
        if work.id == "LAL-1.3":
            return _allowed(f"{source} may become {work}")
    return _forbidden(f"{source} asks for the same licence or a later version, not {work}")


def _from_non_commercial(source: Terms, work: Terms) -> Judgement:
    if work.family is Family.BY_NC_ND:
        return _warned(f"{source} allows it, but nobody may build on the work under {work}")
    if work.family in (Family.BY_NC, Family.BY_NC_SA):
        return _allowed(f"{source} asks for credit and forbids commercial use")
    return _forbidden(f"{source} forbids commercial use, and {work} does not")


def _from_no_derivatives(source: Terms, _work: Terms) -> Judgement:
    return _forbidden(f"nothing made of a work under {source} may be shared")


def _from_reserved(source: Terms, _work: Terms) -> Judgement:
    return _forbidden(f"the source has {source}; it takes a grant by its author")


def _from_gpl(source: Terms, work: Terms) -> Judgement:
    fits = work.version >= source.version if source.or_later else work.version == source.version
    widens = work.or_later and not source.or_later
    if work.family is Family.GPL and fits and not widens:
        return _allowed(f"{source} asks for the same licence")
    return _forbidden(f"{source} asks for the same licence, not {work}")


def _from_free_art(source: Terms, work: Terms) -> Judgement:
    if work.family is Family.FREE_ART and work.version >= source.version:
        return _allowed(f"{source} asks for the same licence")
    is_by_sa = work.family is Family.BY_SA and work.version == (4, 0)
    if source.version == (1, 3) and is_by_sa:
        return _allowed(f"{source} may become {work}")
    return _forbidden(f"{source} asks for the same licence, not {work}")


_RULES: Final[dict[Family, _Rule]] = {
    Family.PUBLIC_DOMAIN: _from_public_domain,
    Family.BY: _from_attribution,
    Family.BY_SA: _from_share_alike,
    Family.BY_NC: _from_non_commercial,
    Family.BY_NC_SA: _from_share_alike,
    Family.BY_ND: _from_no_derivatives,
    Family.BY_NC_ND: _from_no_derivatives,
    Family.GPL: _from_gpl,
    Family.FREE_ART: _from_free_art,
    Family.PERMISSIVE: _from_permissive,
    Family.RESERVED: _from_reserved,
}


def _allowed(reason: str) -> Judgement:
    return Judgement(permission=Permission.ALLOWED, reason=reason)


def _warned(reason: str) -> Judgement:
    return Judgement(permission=Permission.WARNED, reason=reason)


def _forbidden(reason: str) -> Judgement:
    return Judgement(permission=Permission.FORBIDDEN, reason=reason)


def _unknown(terms: Terms) -> Judgement:
    return Judgement(
        permission=Permission.UNKNOWN, reason=f"{terms} is not in the table, so it is not judged"
    )


# --- what to do -----------------------------------------------------------------------------------

_OWN: Final = 16
_COMMON: Final = (
    "CC0-1.0",
    "CC-BY-4.0",
    "CC-BY-SA-4.0",
    "CC-BY-NC-4.0",
    "CC-BY-NC-SA-4.0",
    "CC-BY-ND-4.0",
    "CC-BY-NC-ND-4.0",
    "GPL-3.0-only",
)


def fitting_licenses(sources: Iterable[tuple[str | None, str]]) -> tuple[str, ...]:
    """Which common licences, and which of the sources' own, a work made of all these sources may have.

    Args:
        sources: (licence, relation) of each, the nearest first: of the sources' own licences only a few are tried.

    Returns:
        Those that every source allows without a warning, the freest first; empty where none fits.
    """
    pairs = tuple(dict.fromkeys(sources))
    own = (source for source, relation in pairs if source is not None and relation in ADAPTING)
    return tuple(
        candidate
        for candidate in dict.fromkeys((*_COMMON, *islice(own, _OWN)))
        if all(
            judge_edge(source, candidate, relation).permission is Permission.ALLOWED
            for source, relation in pairs
        )
    )


_OBLIGATIONS: Final[dict[Family, frozenset[Obligation]]] = {
    Family.PUBLIC_DOMAIN: frozenset(),
    Family.BY: frozenset({Obligation.CREDIT}),
    Family.BY_SA: frozenset({Obligation.CREDIT, Obligation.SHARE_ALIKE}),
    Family.BY_NC: frozenset({Obligation.CREDIT, Obligation.NON_COMMERCIAL}),
    Family.BY_NC_SA: frozenset(
        {Obligation.CREDIT, Obligation.NON_COMMERCIAL, Obligation.SHARE_ALIKE}
    ),
    Family.BY_ND: frozenset({Obligation.CREDIT, Obligation.NO_DERIVATIVES}),
    Family.BY_NC_ND: frozenset(
        {Obligation.CREDIT, Obligation.NON_COMMERCIAL, Obligation.NO_DERIVATIVES}
    ),
    Family.GPL: frozenset({Obligation.CREDIT, Obligation.SHARE_ALIKE}),
    Family.FREE_ART: frozenset({Obligation.CREDIT, Obligation.SHARE_ALIKE}),
    Family.PERMISSIVE: frozenset({Obligation.CREDIT}),
    Family.RESERVED: frozenset({Obligation.ASK}),
    Family.UNKNOWN: frozenset({Obligation.ASK}),
}


def obligations_of(license: str | None) -> tuple[Obligation, ...]:
    """What a licence asks, in a fixed order: with `OR` what every option asks, with `AND` what any part does [LIC-4]."""
    found = _obligations(parse_expression(license))
    return tuple(one for one in Obligation if one in found)


def _obligations(expression: Expression) -> frozenset[Obligation]:
    if isinstance(expression, AnyOf):
        first, *others = map(_obligations, expression.options)
        return first.intersection(*others)
    if isinstance(expression, AllOf):
        return frozenset[Obligation]().union(*map(_obligations, expression.parts))
    return _OBLIGATIONS[expression.family]
