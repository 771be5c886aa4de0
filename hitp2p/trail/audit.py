"""The audit of a file against a set of valid objects: which work it is, and what is known of that work [spec 08].

Pure: what was found about the file is passed in, and so are the objects. Nothing that is passed in is trusted beyond
what its types say: objects are valid, the file's hashes were computed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hitp2p import limits
from hitp2p.codec.cid import Cid
from hitp2p.dataclass import replace
from hitp2p.objects.contribution import MediaEntry
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import ObjectClass
from hitp2p.objects.known import known_field
from hitp2p.trail.audit_axes import Axes
from hitp2p.trail.display import safe_line, short_name
from hitp2p.trail.entry import Content, iter_entry_faults
from hitp2p.trail.evidence import Evidence, auditor_of
from hitp2p.trail.report import Candidate, FileFacts, Headline, Match, Report, Rival, Tier

__all__ = ["audit_file"]


def audit_file(
    facts: FileFacts,
    evidence: Evidence,
    *,
    bundle_work: Cid | None = None,
    candidates: Iterable[Candidate] = (),
    content: Content = lambda _: None,
) -> Report:
    """What can be said of a file.

    Args:
        facts: what was found about the file.
        evidence: valid objects.
        bundle_work: the first root of a bundle that lies beside the file and is part of the evidence.
        candidates: works that partly match or resemble the file.
        content: what the blocks that are here show of other files.
    """
    found = _Finding(facts, evidence).matches()
    candidates = tuple(candidates)
    if not found:
        return _unmatched(facts, evidence, bundle_work, candidates)
    axes = Axes(evidence, auditor_of(evidence))
    weighed = _first(found, axes, bundle_work)
    axes.weigh([match.work for match in weighed], n_left=len(found) - len(weighed))
    match, *others = _choose(weighed, axes, bundle_work)
    rivals = tuple(_rivals(match.work, others, axes))
    match = _tried(match, facts, evidence, content)
    return replace(axes.report(facts, match, rivals, bundle_work), candidates=candidates)


def _unmatched(
    facts: FileFacts,
    evidence: Evidence,
    bundle_work: Cid | None,
    candidates: tuple[Candidate, ...],
) -> Report:
    """Candidates carry no verdict [VER-1]."""
    tiers = {candidate.tier for candidate in candidates}
    if Tier.CONTAINS in tiers:
        headline, because = Headline.CONTAINS, "it shares a part with a work that is known here"
    elif Tier.RESEMBLES in tiers:
        headline, because = Headline.RESEMBLES, "it resembles a work here: look for yourself"
    elif (pointed := _pointed_to(facts, evidence)) is not None:
        headline = Headline.UNKNOWN
        because = f"its tags point to {pointed}, but it isn't the file that was signed there"
    elif bundle_work is not None:
        headline = Headline.UNKNOWN
        because = "it differs from the file that the bundle beside it describes"
    else:
        headline, because = Headline.UNKNOWN, "nothing here describes this file"
    return Report(
        headline=headline,
        because=because,
        file=facts,
        candidates=candidates,
        has_bundle=bundle_work is not None,
    )


def _pointed_to(facts: FileFacts, evidence: Evidence) -> str | None:
    """The first work here that the file's tags point to, in words."""
    for work in filter(None, map(evidence.lookup, facts.pointers)):
        if work.object_class is ObjectClass.WORK:
            return f'"{safe_line(work.body["title"])}" {short_name(work.cid)}'
    return None


class _Finding:
    """Looks for works that match a file."""

    def __init__(self, facts: FileFacts, evidence: Evidence) -> None:
        self.facts = facts
        self.evidence = evidence

    def matches(self) -> list[Match]:
        """The best match in each work, if any matches exactly those, else those by essence."""
        facts, evidence = self.facts, self.evidence
        found = [*evidence.with_media(facts.sha256), *evidence.linkers(facts.cid)]
        if facts.essence is not None:
            found += evidence.with_media(facts.essence.digest)
        works = {obj.cid: obj for obj in found if obj.object_class is ObjectClass.WORK}
        matches = [m for m in map(self.match, works.values()) if m is not None]
        exact = [match for match in matches if match.tier is Tier.EXACT]
        return exact + [match for match in matches if match.tier is Tier.ESSENCE]

    def match(self, work: SignedObject) -> Match | None:
        entries = [MediaEntry.from_body(entry) for entry in known_field(work, "media") or ()]
        found = [m for m in (self.entry(work.cid, n, e) for n, e in enumerate(entries)) if m]
        return min(found, key=lambda match: self.rank(entries[match.entry], match), default=None)

    def rank(self, entry: MediaEntry, match: Match) -> tuple[bool, bool]:
        """Exact ones first, of these such as match in hash and root; else in their order."""
        both = entry.sha256 == self.facts.sha256 and entry.file == self.facts.cid
        return match.tier is not Tier.EXACT, not both

    def entry(self, work: Cid, number: int, entry: MediaEntry) -> Match | None:
        facts, essence = self.facts, entry.essence
        if entry.sha256 == facts.sha256 or entry.file == facts.cid:
            tier, differs = Tier.EXACT, False
        elif (
            essence is not None
            and facts.essence is not None
            and essence.algorithm == facts.essence.algorithm
            and essence.digest == facts.essence.digest
        ):
            tier, differs = Tier.ESSENCE, essence.display != facts.essence.display
        else:
            return None
        return Match(
            tier=tier,
            work=work,
            entry=number,
            role=entry.role,
            name=entry.name,
            display_differs=differs,
        )


def _tried(match: Match, facts: FileFacts, evidence: Evidence, content: Content) -> Match:
    """With what is wrong in its entry [VER-9]."""
    work = evidence.lookup(match.work)
    entries = () if work is None else known_field(work, "media")
    entry = MediaEntry.from_body(entries[match.entry])
    return replace(match, faults=tuple(iter_entry_faults(entry, facts, content)))


def _first(found: list[Match], axes: Axes, bundle_work: Cid | None) -> list[Match]:
    """As many matches as are weighed: that of the bundle, then those with the earliest witness [VER-2]."""
    if len(found) <= limits.RIVALS:
        return found
    in_order = sorted(
        found, key=lambda match: (match.work != bundle_work, axes.first_seen(match.work))
    )
    kept = in_order[: limits.RIVALS]
    return sorted(kept, key=lambda match: match.tier is not Tier.EXACT)


def _choose(found: list[Match], axes: Axes, bundle_work: Cid | None) -> list[Match]:
    """All matches, the one to report first [VER-2]."""
    best = found[0].tier
    first = [match for match in found if match.tier is best]
    of_bundle = [match for match in first if match.work == bundle_work]
    chosen = of_bundle or sorted(
        (match for match in first if not _has_matching_ancestor(match, first, axes)),
        key=lambda match: axes.evidence_order(match.work),
    )
    return [chosen[0], *(match for match in found if match is not chosen[0])]


def _has_matching_ancestor(match: Match, others: Iterable[Match], axes: Axes) -> bool:
    return any(axes.ancestries.has(match.work, other.work) for other in others)


def _rivals(work: Cid, others: Iterable[Match], axes: Axes) -> Iterator[Rival]:
    """Works that are neither sources of the work nor made of it, the earliest evidence first."""
    has = axes.ancestries.has
    for match in sorted(others, key=lambda match: axes.evidence_order(match.work)):
        if not has(work, match.work) and not has(match.work, work):
            yield axes.rival(match)
