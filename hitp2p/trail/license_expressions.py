"""SPDX expressions, and the families of licences that the rules tell apart [LIC-2, LIC-3]."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final, TypeAlias

from hitp2p import limits
from hitp2p.dataclass import dataclass

__all__ = ["AllOf", "AnyOf", "Expression", "Family", "Terms", "parse_expression"]


class Family(StrEnum):
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
class Terms:
    """One identifier of an expression."""

    id: str
    family: Family
    version: tuple[int, ...] = ()
    or_later: bool = False

    def __str__(self) -> str:
        return self.id or "no licence (all rights reserved)"


RESERVED: Final = Terms(id="", family=Family.RESERVED)
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


def _terms(identifier: str) -> Terms:
    if identifier in _RESERVED:
        return RESERVED
    if identifier in _PUBLIC_DOMAIN:
        return Terms(id=identifier, family=Family.PUBLIC_DOMAIN)
    if identifier in _PERMISSIVE:
        return Terms(id=identifier, family=Family.PERMISSIVE)
    if found := _CREATIVE_COMMONS.fullmatch(identifier):
        elements = "BY-NC-ND" if found[1] == "BY-ND-NC" else found[1]
        return Terms(id=identifier, family=Family(f"CC-{elements}"), version=_version(found[2]))
    if found := _GPL.fullmatch(identifier):
        later = found[2] in ("-or-later", "+")
        version = _version(found[1])
        return Terms(id=identifier, family=Family.GPL, version=version, or_later=later)
    if identifier in ("LAL-1.2", "LAL-1.3"):
        version = _version(identifier[4:])
        return Terms(id=identifier, family=Family.FREE_ART, version=version)
    return Terms(id=identifier, family=Family.UNKNOWN)


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


# --- expressions ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AnyOf:
    """`OR`: whoever uses the work chooses one."""

    options: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """`AND`: all hold together."""

    parts: tuple[Expression, ...]


Expression: TypeAlias = Terms | AnyOf | AllOf

_TOKEN: Final = re.compile(r"[()]|[A-Za-z0-9.+:-]+")


@lru_cache(maxsize=1024)
def parse_expression(text: str | None) -> Expression:
    """An expression whose shape is checked [OBJ-22]; None is no licence. `WITH` only adds a permission, so it is passed over."""
    if text is None:
        return RESERVED
    tokens = _TOKEN.findall(text)[::-1]
    if _n_identifiers(tokens) > limits.LICENSE_IDENTIFIERS:
        return Terms(id=text, family=Family.UNKNOWN)
    return _parse_any(tokens)


def _n_identifiers(tokens: list[str]) -> int:
    """Those after `WITH` left out."""
    n_words = sum(token not in _SIGNS for token in tokens)
    return n_words - tokens.count("WITH")


_SIGNS: Final = frozenset({"(", ")", "AND", "OR", "WITH"})


def _parse_any(tokens: list[str]) -> Expression:
    options = [_parse_all(tokens)]
    while tokens and tokens[-1] == "OR":
        tokens.pop()
        options.append(_parse_all(tokens))
    return options[0] if len(options) == 1 else AnyOf(tuple(options))


def _parse_all(tokens: list[str]) -> Expression:
    parts = [_parse_term(tokens)]
    while tokens and tokens[-1] == "AND":
        tokens.pop()
        parts.append(_parse_term(tokens))
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _parse_term(tokens: list[str]) -> Expression:
    token = tokens.pop()
    if token == "(":
        inside = _parse_any(tokens)
        tokens.pop()
        return inside
    if tokens and tokens[-1] == "WITH":
        del tokens[-2:]
    return _terms(token)
