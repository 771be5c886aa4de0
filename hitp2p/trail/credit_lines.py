"""What a credit sheet is made of: people, uses of a source, lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import TypeAlias

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.objects.contribution import ForeignSource
from hitp2p.trail.display import code_of, safe_name
from hitp2p.trail.standing import Standing

__all__ = ["Claim", "CreditLine", "Person", "RoleLine", "SourceUse", "iter_roles"]


class Claim(StrEnum):
    """Whose word a credit is [CRD-2]."""

    SELF = "self"
    """The person signed the work."""
    CONFIRMED = "confirmed"
    """The person signed an answer that accepts the credit."""
    AMENDED = "amended"
    """The person wants it to say something else."""
    DENIED = "denied"
    """The person says that it is wrong."""
    CLAIMED = "claimed"
    """The author of the work says so, and nobody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone who did something in a work."""

    identity: Cid | None
    """Genesis of their identity; None for someone without one."""
    name: str | None
    """As the credit gives it, else as their genesis does; None where that is not here."""
    roles: tuple[str, ...]
    """MARC relator codes or words, in the order of the work's list."""
    claim: Claim
    withheld: bool = False
    """The person signed that their name is not to be shown; then `name` is None [CRD-5]."""

    @property
    def shown(self) -> str:
        """Name and short code for people, cleaned."""
        if self.withheld:
            return "(name withheld at their wish)"
        name = safe_name(self.name) if self.name else "(name not here)"
        return name if self.identity is None else f"{name} {code_of(self.identity)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceUse:
    """How a work used a source."""

    by: Cid
    """The work that used it."""
    relation: str
    """`remix`, `sample`, `translation` and so on."""
    part: str | None
    """Media fragment: what of the source."""
    into: str | None
    """Media fragment: where in the work."""
    note: str | None
    """The person's own sentence."""
    nearest: bool
    """Whether it lies on a shortest path to the work that the sheet is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditLine:
    """One work, or one source outside hitp2p, that went into a work."""

    cid: Cid | None
    """The work; None for a source outside."""
    project: Cid | None
    """Its project; for a work that is not here, as the work that used it says."""
    source: ForeignSource | None
    """A source outside hitp2p, as the work that used it describes it."""
    title: str | None
    """None where nobody gave one, or the work is not here."""
    people: tuple[Person, ...]
    """Each person once."""
    license: str | None
    """SPDX expression; None where there is none or the work is not here."""
    license_from_project: bool
    """Whether the licence is the project's default [CRD-4]."""
    note: str | None
    """What the author says of the work."""
    distance: int
    """Steps from the work that the sheet is about; 0 is the work itself."""
    uses: tuple[SourceUse, ...]
    """All uses that the walk met, those nearest to the work first; none of the work itself."""
    missing: bool
    """The work is not here, so all that is known of it is its name [CRD-3]."""
    incomplete: bool
    """Pages of its lists are not here or can't be read, so people or sources may be missing."""
    standing: Standing | None
    """Whether the identity in whose name the work is signed stands behind it; None: not asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleLine:
    """Who did one kind of thing, over all works of a sheet."""

    role: str
    """MARC relator code or words."""
    people: tuple[tuple[Person, tuple[CreditLine, ...]], ...]
    """Each person once, in the order of the sheet, with the lines in which they have the role."""


_Who: TypeAlias = tuple[Cid | str | None, bool]
"""Who, and whether the name is withheld: who doesn't want it in one work is not given away by another [CRD-5]."""


def iter_roles(lines: Iterable[CreditLine]) -> Iterator[RoleLine]:
    """The same credits turned round: by role, in the order in which roles first appear."""
    found: dict[str, dict[_Who, tuple[Person, list[CreditLine]]]] = {}
    for line in lines:
        for person in line.people:
            for role in person.roles:
                people = found.setdefault(role, {})
                key = (person.identity or person.name, person.withheld)
                people.setdefault(key, (person, []))[1].append(line)
    for role, people in found.items():
        yield RoleLine(
            role=role, people=tuple((person, tuple(where)) for person, where in people.values())
        )
