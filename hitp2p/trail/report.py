"""What a report on a file is made of: independent axes, each with its evidence, and one headline [VER-1 to VER-9].

Text from objects stands here as its author wrote it; clean it before showing it. `report_text` does.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NoReturn

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.objects.contribution import Essence
from hitp2p.trail.credit_lines import CreditLine, Person
from hitp2p.trail.credits import CreditSheet
from hitp2p.trail.license_report import LicenseReport
from hitp2p.trail.standing import Standing, StandingReport

__all__ = [
    "NOT_PROVEN",
    "Candidate",
    "Credits",
    "FileFacts",
    "Gap",
    "GapCode",
    "Headline",
    "Match",
    "Record",
    "Report",
    "Rival",
    "Shares",
    "Statement",
    "Tier",
    "Time",
]


class Headline(StrEnum):
    """The one word of a report [VER-6]."""

    BROKEN = "BROKEN"
    DISPUTED = "DISPUTED"
    VERIFIED_WITH_GAPS = "VERIFIED-WITH-GAPS"
    VERIFIED = "VERIFIED"
    CONTAINS = "CONTAINS"
    RESEMBLES = "RESEMBLES"
    UNKNOWN = "UNKNOWN"

    @property
    def exit_status(self) -> int:
        """What the command line exits with."""
        return _STATUSES[self]


_STATUSES: Final = {
    Headline.BROKEN: 30,
    Headline.DISPUTED: 20,
    Headline.VERIFIED_WITH_GAPS: 10,
    Headline.VERIFIED: 0,
    Headline.CONTAINS: 11,
    Headline.RESEMBLES: 12,
    Headline.UNKNOWN: 40,
}


class Tier(StrEnum):
    """How close a file is to a media entry of a work, the closest first [VER-1]."""

    EXACT = "exact"
    """The same bytes."""
    ESSENCE = "essence"
    """The same payload; tags around it differ."""
    CONTAINS = "contains"
    """Part of the one is part of the other."""
    RESEMBLES = "resembles"
    """A code of how it looks or sounds is near."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What was found about the file itself, computed from its bytes."""

    name: str | None
    """As the caller named it."""
    size: int
    """In bytes."""
    sha256: bytes
    cid: Cid
    """In profile unixfs-v1-2025."""
    type: str
    """Sniffed media type."""
    essence: Essence | None
    """None where the file has none."""
    no_essence: str | None = None
    """Why it has none, in words."""
    other_algorithms: frozenset[str] = frozenset()
    """Algorithms by which it surely has no essence, but for that of `essence`."""
    display_notes: tuple[str, ...] = ()
    """What in its tags changes the display."""
    pointers: tuple[Cid, ...] = ()
    """Works that its tags point to, as received: anyone can write them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The entry of a work that the file matches, exactly or by essence."""

    tier: Tier
    work: Cid
    entry: int
    """Which of the work's media."""
    role: str
    """`master`, `preview`, `stem` or `source-file`."""
    name: str | None
    """What the entry calls the file."""
    display_differs: bool
    """The payload is the same, but tags make it look different, as a turned picture does [MED-11]."""
    faults: tuple[str, ...] = ()
    """What in the entry can't be true of one file, or can't be told to be, in words [VER-9]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A work that a file may have something to do with; carries no verdict [VER-1]."""

    tier: Tier
    """`contains` or `resembles`."""
    work: Cid
    title: str | None
    algorithm: str
    """By what it was found, with its version."""
    value: float
    """For `contains`: how much of the file is also in the work; for `resembles`: the distance. From 0 to 1."""
    of_work: float | None = None
    """For `contains`: how much of the work is also in the file."""
    threshold: float
    """From which coverage on, or up to which distance, a work is told; of two coverages the larger counts."""
    unrelated: float
    """The nearest value that was measured between unrelated works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The record of the work, as far as it is here. All of it was verified."""

    work: Cid
    project: Cid | None
    project_title: str | None
    title: str | None
    author: Cid
    author_name: str | None
    n_sources: int
    """Works and outside sources in its ancestry."""
    n_people: int
    """Distinct people, by identity or else by name, who are credited in work and ancestry."""
    missing: tuple[Cid, ...]
    """Works and list pages that the credits wanted and that are not here."""
    from_bundle: bool
    """Whether it is the work that the bundle was made for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credits:
    """Who is named, and whose word it is [VER-3]."""

    sheet: CreditSheet
    n_answered: int
    """Credits whose identity signed the work, or an answer."""
    n_can_answer: int
    """Credits of identities."""
    n_named: int
    """Credits of names without an identity, who cannot answer."""
    denied: tuple[tuple[CreditLine, Person], ...]
    amended: tuple[tuple[CreditLine, Person], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Something that somebody signed about the work."""

    cid: Cid
    kind: str
    by: Cid
    name: str | None
    reason: str | None
    """In their own words."""
    scope: str | None
    """Of a withdrawal: `work` or `media`."""
    about: Cid
    """The work that it speaks of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """When, as a claim and as far as there is evidence [VER-4]. Milliseconds since 1970."""

    claimed: int
    not_after: int | None
    """The earliest time at which an independent witness says to have seen it; None without a witness."""
    witnesses: tuple[tuple[Cid, str | None, int], ...]
    """(identity, name, seen), the earliest first, one an identity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Another record of the same bytes or essence [VER-2]."""

    work: Cid
    title: str | None
    author: Cid
    name: str | None
    tier: Tier
    not_after: int | None
    claimed: int


class Shares(StrEnum):
    """Whether those concerned agreed to a split of what a release earns."""

    NONE = "none"
    PROPOSED = "proposed"
    AGREED = "agreed"


class GapCode(StrEnum):
    """What a reader can't check, or should know."""

    MISSING = "missing"
    CUT = "lists-too-long"
    UNANSWERED = "unanswered-credits"
    AMENDED = "amended-credits"
    DENIED = "denied-credits"
    STANDING = "standing"
    RIVALS = "rivals"
    LICENSE = "license"
    DISPUTE = "disputed-source"
    USE = "denied-use"
    ANCESTOR = "claimed-ancestor"
    WITHDRAWN = "withdrawn"
    DISPLAY = "display-differs"
    NAMES = "same-name"
    KIND = "unknown-kind"
    ENTRY = "media-entry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One gap."""

    code: GapCode
    text: str
    """A sentence; foreign text in it is cleaned."""


NOT_PROVEN: Final = (
    "that nobody made it before or elsewhere without signing it",
    "that people are who their names say, or that two of them aren't one: a name is a claim, the code beside it isn't",
    "that no source was left out, or used otherwise than it says",
    "that those who stated a licence could give it",
    "that nobody has signed anything against it that isn't here",
)
"""What no report can prove [VER-7]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What can be said of a file. Equal bytes and equal sets of objects give equal reports."""

    headline: Headline
    because: str
    """Why, in one sentence; foreign text in it is cleaned."""
    file: FileFacts
    match: Match | None = None
    """None where no work here matches exactly or by essence; then all axes below it are None or empty."""
    record: Record | None = None
    standing: StandingReport | None = None
    """Whether the author's identity stands behind the work."""
    line_standing: tuple[tuple[Cid, Standing], ...] = ()
    """Sources whose standing isn't good."""
    credits: Credits | None = None
    time: Time | None = None
    license: LicenseReport | None = None
    rivals: tuple[Rival, ...] = ()
    n_not_weighed: int = 0
    """How many more records of the same file are here than a reader weighs against each other [VER-2]."""
    disputes: tuple[Statement, ...] = ()
    """Disputes of the work and of its sources, unmet claims of ancestors, denied uses, and withdrawals of the work."""
    unknown_kinds: tuple[Cid, ...] = ()
    """Sources of a kind that isn't known, whose lists nobody can read [KND-11]."""
    superseded_by: tuple[Cid, ...] = ()
    """Later releases and replacements that say so."""
    shares: Shares = Shares.NONE
    candidates: tuple[Candidate, ...] = ()
    not_compared: tuple[str, ...] = ()
    """What would have to be installed here to look for more candidates, as commands or names."""
    has_bundle: bool = False
    """Whether a good bundle was given with the file."""
    gaps: tuple[Gap, ...] = ()
    online: bool = False
    """Whether the record was fetched just now, because the reader asked for it."""
    newest: int | None = None
    """The latest claimed time in the evidence about the work, milliseconds since 1970: what came later isn't known here."""
    not_proven: tuple[str, ...] = NOT_PROVEN
    unmet: tuple[str, ...] = ()
    """Requirements of the reader that are not met."""

    def __bool__(self) -> NoReturn:
        raise TypeError("a Report is neither true nor false; look at its `headline`")

    @property
    def exit_status(self) -> int:
        """What the command line exits with: the headline's, or 13 for an unmet requirement [VER-6]."""
        status = self.headline.exit_status
        return 13 if self.unmet and status in (0, 10, 11, 12) else status
