"""What licences ask and allow: SPDX expressions, and the rule for one edge between a source and what was made of it.

A table, no advice: it knows the Creative Commons family, its one-way exits and a few licences of free software, and says
"not judged" to all else. [LIC-1 to LIC-4]
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, TypeAlias

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


class _Family(StrEnum):
    PUBLIC_DOMAIN = "CC0"
    BY = "CC-BY"
    BY_SA = "CC-BY-SA"
    BY_NC = "CC-BY-NC"
    BY_NC_SA = "CC-BY-NC-SA"
    BY_ND = "CC-BY-ND"
    BY_NC_ND = "CC-BY-NC-ND"
    GPL = "GPL"
    FREE_ART = "LAL"
    PERMISSIVE = "permissive"
    RESERVED = "all rights reserved"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """One identifier of an expression."""

    id: str
    family: _Family
    version: tuple[int, ...] = ()
    or_later: bool = False

    def __str__(self) -> str:
        return self.id or "no licence (all rights reserved)"


RESERVED: Final = _Terms(id="", family=_Family.RESERVED)
"""No licence at all."""

_CREATIVE_COMMONS: Final = re.compile(
    r"CC-(BY(?:-NC)?(?:-SA|-ND)?|BY-ND-NC)-([1-4]\.[0-9])(?:-[A-Z]{2,3})?"
)
_GPL: Final = re.compile(r"GPL-([123]\.0)(-only|-or-later|\+)?")
_PUBLIC_DOMAIN: Final = frozenset(
    {"CC0-1.0", "CC-PDDC", "CC-PDM-1.0", "Unlicense", "0BSD", "WTFPL", "PDDL-1.0"}
)
_PERMISSIVE: Final = frozenset(
    {"MIT", "MIT-0", "ISC", "Zlib", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "BSL-1.0"}
)
_RESERVED: Final = frozenset({"NONE", "LicenseRef-All-Rights-Reserved"})


def _terms(identifier: str) -> _Terms:
    if identifier in _RESERVED:
        return RESERVED
    if identifier in _PUBLIC_DOMAIN:
        return _Terms(id=identifier, family=_Family.PUBLIC_DOMAIN)
    if identifier in _PERMISSIVE:
        return _Terms(id=identifier, family=_Family.PERMISSIVE)
    if found := _CREATIVE_COMMONS.fullmatch(identifier):
        elements = "BY-NC-ND" if found[1] == "BY-ND-NC" else found[1]
        return _Terms(id=identifier, family=_Family(f"CC-{elements}"), version=_version(found[2]))
    if found := _GPL.fullmatch(identifier):
        later = found[2] in ("-or-later", "+")
        version = _version(found[1])
        return _Terms(id=identifier, family=_Family.GPL, version=version, or_later=later)
    if identifier in ("LAL-1.2", "LAL-1.3"):
        version = _version(identifier[4:])
        return _Terms(id=identifier, family=_Family.FREE_ART, version=version)
    return _Terms(id=identifier, family=_Family.UNKNOWN)


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


# --- expressions ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Any:
    """`OR`: whoever uses the work chooses one."""

    options: tuple[_Expression, ...]


@dataclass(frozen=True, slots=True)
class _All:
    """`AND`: all hold together."""

    parts: tuple[_Expression, ...]


_Expression: TypeAlias = _Terms | _Any | _All

_TOKEN: Final = re.compile(r"[()]|[A-Za-z0-9.+:-]+")


@lru_cache(maxsize=1024)
def _parse(text: str | None) -> _Expression:
    """An expression whose shape is checked [OBJ-22]; None is no licence. `WITH` only adds a permission, so it is passed over."""
    if text is None:
        return RESERVED
    tokens = _TOKEN.findall(text)[::-1]
    return _parse_any(tokens)


def _parse_any(tokens: list[str]) -> _Expression:
    options = [_parse_all(tokens)]
    while tokens and tokens[-1] == "OR":
        tokens.pop()
        options.append(_parse_all(tokens))
    return options[0] if len(options) == 1 else _Any(tuple(options))


def _parse_all(tokens: list[str]) -> _Expression:
    parts = [_parse_term(tokens)]
    while tokens and tokens[-1] == "AND":
        tokens.pop()
        parts.append(_parse_term(tokens))
    return parts[0] if len(parts) == 1 else _All(tuple(parts))


def _parse_term(tokens: list[str]) -> _Expression:
    token = tokens.pop()
    if token == "(":
        inside = _parse_any(tokens)
        tokens.pop()
        return inside
    if tokens and tokens[-1] == "WITH":
        del tokens[-2:]
    return _terms(token)


# --- the rule for one edge ------------------------------------------------------------------------


def judge_edge(source: str | None, work: str | None, relation: str) -> Judgement:
    """Whether a work under one licence may be made of a source under another [LIC-2, LIC-3].

    Args:
        source: SPDX expression of the source, its shape checked; None for none.
        work: the same of what was made of it.
        relation: how the source was used.
    """
    if relation == "collect":
        return _judge(_parse(source), _parse(None), _judge_collecting)
    if relation not in ADAPTING:
        return Judgement(permission=Permission.ALLOWED, reason=f"{relation}: nothing is taken")
    return _judge(_parse(source), _parse(work), _judge_adapting)


_Rule: TypeAlias = Callable[[_Terms, _Terms], Judgement]


def _judge(source: _Expression, work: _Expression, rule: _Rule) -> Judgement:
    """`OR` in the source is the maker's choice, in the work the reader's; `AND` binds both [LIC-3]."""
    if isinstance(work, _Any):
        return max((_judge(source, option, rule) for option in work.options), key=_rank)
    if isinstance(source, _All):
        return max((_judge(part, work, rule) for part in source.parts), key=_rank)
    if isinstance(source, _Any):
        return min((_judge(option, work, rule) for option in source.options), key=_rank)
    if isinstance(work, _All):
        return min((_judge(source, part, rule) for part in work.parts), key=_rank)
    return rule(source, work)


def _rank(judgement: Judgement) -> int:
    return _RANK[judgement.permission]


def _judge_collecting(source: _Terms, _work: _Terms) -> Judgement:
    if source.family is _Family.RESERVED:
        return _forbidden("it has no licence, so even an unchanged copy needs a grant")
    if source.family is _Family.UNKNOWN:
        return _unknown(source)
    return _allowed(f"an unchanged copy in a collection keeps its own licence, {source}")


def _judge_adapting(source: _Terms, work: _Terms) -> Judgement:
    if source.family is _Family.UNKNOWN:
        return _unknown(source)
    return _RULES[source.family](source, work)


def _from_public_domain(source: _Terms, work: _Terms) -> Judgement:
    if work.family is _Family.RESERVED:
        return _warned(f"{source} asks nothing, but the work gives nothing on")
    return _allowed(f"{source} asks nothing")


def _from_attribution(source: _Terms, work: _Terms) -> Judgement:
    family = work.family
    if family is _Family.PUBLIC_DOMAIN:
        return _forbidden(f"{source} asks for credit, and {work} drops it")
    if family in (_Family.BY_ND, _Family.BY_NC_ND, _Family.RESERVED):
        return _warned(f"{source} allows it, but nobody may build on the work under {work}")
    if family is _Family.UNKNOWN:
        return _unknown(work)
    if family in (_Family.GPL, _Family.FREE_ART, _Family.PERMISSIVE):
        return _warned(f"{source} allows it where the credit stays, which {work} may not ask for")
    if family is _Family.BY and work.version < source.version:
        return _warned(f"{work} is an older version than {source}")
    return _allowed(f"{source} asks for credit")


def _from_permissive(source: _Terms, work: _Terms) -> Judgement:
    if work.family is _Family.PUBLIC_DOMAIN:
        return _forbidden(f"{source} asks to keep its notice, and {work} drops it")
    return _allowed(f"{source} asks to keep its notice")


def _from_share_alike(source: _Terms, work: _Terms) -> Judgement:
    later = work.version >= source.version if source.version >= (2, 0) else work.id == source.id
    if work.family is source.family and later:
        return _allowed(f"{source} asks for the same licence")
    if source.family is _Family.BY_SA and source.version == (4, 0):
        if work.family is _Family.GPL and work.version == (3, 0):
            if work.or_later:
                return _warned(f"{source} may become GPL-3.0, which says nothing of later versions")
            return _allowed(f"{source} may become {work}, never back")
        if work.id == "LAL-1.3":
            return _allowed(f"{source} may become {work}")
    return _forbidden(f"{source} asks for the same licence or a later version, not {work}")


def _from_non_commercial(source: _Terms, work: _Terms) -> Judgement:
    if work.family is _Family.BY_NC_ND:
        return _warned(f"{source} allows it, but nobody may build on the work under {work}")
    if work.family in (_Family.BY_NC, _Family.BY_NC_SA):
        return _allowed(f"{source} asks for credit and forbids commercial use")
    return _forbidden(f"{source} forbids commercial use, and {work} does not")


def _from_no_derivatives(source: _Terms, _work: _Terms) -> Judgement:
    return _forbidden(f"nothing made of a work under {source} may be shared")


def _from_reserved(source: _Terms, _work: _Terms) -> Judgement:
    return _forbidden(f"the source has {source}; it takes a grant by its author")


def _from_gpl(source: _Terms, work: _Terms) -> Judgement:
    fits = work.version >= source.version if source.or_later else work.version == source.version
    widens = work.or_later and not source.or_later
    if work.family is _Family.GPL and fits and not widens:
        return _allowed(f"{source} asks for the same licence")
    return _forbidden(f"{source} asks for the same licence, not {work}")


def _from_free_art(source: _Terms, work: _Terms) -> Judgement:
    if work.family is _Family.FREE_ART and work.version >= source.version:
        return _allowed(f"{source} asks for the same licence")
    is_by_sa = work.family is _Family.BY_SA and work.version == (4, 0)
    if source.version == (1, 3) and is_by_sa:
        return _allowed(f"{source} may become {work}")
    return _forbidden(f"{source} asks for the same licence, not {work}")


_RULES: Final[dict[_Family, _Rule]] = {
    _Family.PUBLIC_DOMAIN: _from_public_domain,
    _Family.BY: _from_attribution,
    _Family.BY_SA: _from_share_alike,
    _Family.BY_NC: _from_non_commercial,
    _Family.BY_NC_SA: _from_share_alike,
    _Family.BY_ND: _from_no_derivatives,
    _Family.BY_NC_ND: _from_no_derivatives,
    _Family.GPL: _from_gpl,
    _Family.FREE_ART: _from_free_art,
    _Family.PERMISSIVE: _from_permissive,
    _Family.RESERVED: _from_reserved,
}


def _allowed(reason: str) -> Judgement:
    return Judgement(permission=Permission.ALLOWED, reason=reason)


def _warned(reason: str) -> Judgement:
    return Judgement(permission=Permission.WARNED, reason=reason)


def _forbidden(reason: str) -> Judgement:
    return Judgement(permission=Permission.FORBIDDEN, reason=reason)


def _unknown(terms: _Terms) -> Judgement:
    return Judgement(
        permission=Permission.UNKNOWN, reason=f"{terms} is not in the table, so it is not judged"
    )


# --- what to do -----------------------------------------------------------------------------------

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
        sources: (licence, relation) of each.

    Returns:
        Those that every source allows without a warning, the freest first; empty where none fits.
    """
    pairs = list(sources)
    own = [source for source, relation in pairs if source is not None and relation in ADAPTING]
    return tuple(
        candidate
        for candidate in dict.fromkeys((*_COMMON, *own))
        if all(
            judge_edge(source, candidate, relation).permission is Permission.ALLOWED
            for source, relation in pairs
        )
    )


_OBLIGATIONS: Final[dict[_Family, frozenset[Obligation]]] = {
    _Family.PUBLIC_DOMAIN: frozenset(),
    _Family.BY: frozenset({Obligation.CREDIT}),
    _Family.BY_SA: frozenset({Obligation.CREDIT, Obligation.SHARE_ALIKE}),
    _Family.BY_NC: frozenset({Obligation.CREDIT, Obligation.NON_COMMERCIAL}),
    _Family.BY_NC_SA: frozenset(
        {Obligation.CREDIT, Obligation.NON_COMMERCIAL, Obligation.SHARE_ALIKE}
    ),
    _Family.BY_ND: frozenset({Obligation.CREDIT, Obligation.NO_DERIVATIVES}),
    _Family.BY_NC_ND: frozenset(
        {Obligation.CREDIT, Obligation.NON_COMMERCIAL, Obligation.NO_DERIVATIVES}
    ),
    _Family.GPL: frozenset({Obligation.CREDIT, Obligation.SHARE_ALIKE}),
    _Family.FREE_ART: frozenset({Obligation.CREDIT, Obligation.SHARE_ALIKE}),
    _Family.PERMISSIVE: frozenset({Obligation.CREDIT}),
    _Family.RESERVED: frozenset({Obligation.ASK}),
    _Family.UNKNOWN: frozenset({Obligation.ASK}),
}


def obligations_of(license: str | None) -> tuple[Obligation, ...]:
    """What a licence asks, in a fixed order: with `OR` what every option asks, with `AND` what any part does [LIC-4]."""
    found = _obligations(_parse(license))
    return tuple(one for one in Obligation if one in found)


def _obligations(expression: _Expression) -> frozenset[Obligation]:
    if isinstance(expression, _Any):
        return frozenset.intersection(*map(_obligations, expression.options))
    if isinstance(expression, _All):
        return frozenset().union(*map(_obligations, expression.parts))
    return _OBLIGATIONS[expression.family]
