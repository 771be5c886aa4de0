"""The axes of a report, each computed on its own from the same set of objects [VER-3 to VER-6]."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hitp2p.codec.cid import Cid
from hitp2p.errors import InvalidError, MissingBlocksError
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import ObjectClass
from hitp2p.objects.pages import ListPage, parse_list_page
from hitp2p.trail.audit_gaps import iter_gaps
from hitp2p.trail.credit_lines import Claim, CreditLine, Person
from hitp2p.trail.credits import CreditSheet, credit_sheet
from hitp2p.trail.display import code_of, safe_line
from hitp2p.trail.evidence import Evidence
from hitp2p.trail.licenses import audit_licenses
from hitp2p.trail.report import (
    Credits,
    FileFacts,
    Headline,
    Match,
    Record,
    Report,
    Rival,
    Shares,
    Statement,
    Time,
)
from hitp2p.trail.standing import Standing, StandingAuditor

__all__ = ["Axes"]


class Axes:
    """Computes axes over one set of objects, and remembers what several of them need."""

    def __init__(self, evidence: Evidence, auditor: StandingAuditor) -> None:
        self._evidence = evidence
        self._auditor = auditor
        self._ancestries: dict[Cid, frozenset[Cid]] = {}
        self._times: dict[Cid, Time] = {}

    # --- what the choice of a match needs -----------------------------------------------------------

    def ancestry(self, work: Cid) -> frozenset[Cid]:
        """The works that a work builds on, to any depth, here or not; without itself."""
        if work not in self._ancestries:
            met: set[Cid] = set()
            waiting = [work]
            while waiting:
                obj = self._evidence.lookup(waiting.pop())
                new = set() if obj is None else set(self._sources(obj)) - met
                met |= new
                waiting.extend(new)
            self._ancestries[work] = frozenset(met)
        return self._ancestries[work]

    def _sources(self, obj: SignedObject) -> Iterator[Cid]:
        if obj.object_class not in (ObjectClass.WORK, ObjectClass.UNKNOWN):
            return
        yield from (parent for parent in obj.parents if parent != obj.project)
        if obj.object_class is ObjectClass.WORK:
            for use in self._entries(obj, "uses", ListPage.USES):
                if "work" in use:
                    yield Cid.parse(use["work"])

    def _entries(self, obj: SignedObject, name: str, page: ListPage) -> Iterator[dict[str, Any]]:
        yield from obj.body.get(name, ())
        for cid in obj.body.get(page.value, ()):
            block = self._evidence.get(cid)
            try:
                yield from () if block is None else parse_list_page(block, page)
            except InvalidError:
                continue

    def evidence_order(self, work: Cid) -> tuple[bool, int, Cid]:
        """A key that sorts works by the earliest evidence of time, those without last [VER-2]."""
        not_after = self.time(work).not_after
        return (not_after is None, not_after or 0, work)

    def rival(self, match: Match) -> Rival:
        """What is told of another record of the same file."""
        work = self._work(match.work)
        time = self.time(match.work)
        return Rival(
            work=work.cid,
            title=_title(work),
            author=work.identity,
            name=self._name(work.identity),
            tier=match.tier,
            not_after=time.not_after,
            claimed=time.claimed,
        )

    # --- the report ---------------------------------------------------------------------------------

    def report(
        self, facts: FileFacts, match: Match, rivals: tuple[Rival, ...], bundle_work: Cid | None
    ) -> Report:
        """All axes of the work that matches, and the headline that follows from them."""
        work = self._work(match.work)
        sheet = self._sheet(work)
        disputes = tuple(self._disputes(work, sheet))
        credits = _credits(sheet)
        parts: dict[str, Any] = {
            "file": facts,
            "match": match,
            "record": self._record(work, sheet, bundle_work),
            "standing": self._auditor.audit(work),
            "line_standing": tuple(_standings(sheet)),
            "credits": credits,
            "time": self.time(work.cid),
            "license": audit_licenses(
                sheet, lookup=self._evidence.lookup, grants=self._referrers, standing=self._standing
            ),
            "rivals": rivals,
            "disputes": disputes,
            "superseded_by": tuple(self._superseded_by(work)),
            "shares": self._shares(work),
            "newest": self._newest(work),
            "has_bundle": bundle_work is not None,
        }
        draft = Report(headline=Headline.VERIFIED, because="", **parts)
        gaps = tuple(iter_gaps(draft))
        headline, because = _headline(draft, bool(gaps))
        return Report(headline=headline, because=because, gaps=gaps, **parts)

    def _record(self, work: SignedObject, sheet: CreditSheet, bundle_work: Cid | None) -> Record:
        project = None if work.project is None else self._evidence.lookup(work.project)
        people = {p.identity or p.name for line in sheet.lines for p in line.people}
        return Record(
            work=work.cid,
            project=work.project,
            project_title=None if project is None else project.body.get("title"),
            title=_title(work),
            author=work.identity,
            author_name=self._name(work.identity),
            n_sources=len(sheet.lines) - 1,
            n_people=len(people),
            missing=sheet.missing,
            from_bundle=work.cid == bundle_work,
        )

    def _sheet(self, work: SignedObject) -> CreditSheet:
        return credit_sheet(
            work,
            lookup=self._evidence.lookup,
            blocks=self._evidence,
            answers=self._referrers,
            standing=self._standing,
        )

    # --- time ---------------------------------------------------------------------------------------

    def time(self, cid: Cid) -> Time:
        """When a work was made, as claimed and as witnessed [VER-4]."""
        if cid not in self._times:
            self._times[cid] = self._time(self._work(cid))
        return self._times[cid]

    def _time(self, work: SignedObject) -> Time:
        seen: dict[Cid, int] = {}
        witnesses = [w for w in self._referrers(work.cid) if w.kind == "witness"]
        concerned = self._concerned(work) if witnesses else frozenset[Cid]()
        for witness in witnesses:
            by = witness.identity
            if by in concerned or self._standing(witness) is not Standing.GOOD:
                continue
            seen[by] = min(witness.body["seen"], seen.get(by, witness.body["seen"]))
        found = sorted((when, by) for by, when in seen.items())
        return Time(
            claimed=work.time,
            not_after=found[0][0] if found else None,
            witnesses=tuple((by, self._name(by), when) for when, by in found),
        )

    def _concerned(self, work: SignedObject) -> frozenset[Cid]:
        """Authors and credited people of a work and of its ancestry, who can't be witnesses for it."""
        works = (self._evidence.lookup(cid) for cid in (work.cid, *self.ancestry(work.cid)))
        return frozenset(who for obj in works if obj is not None for who in self._people(obj))

    def _people(self, obj: SignedObject) -> Iterator[Cid]:
        yield obj.identity
        if obj.object_class is ObjectClass.WORK:
            for credit in self._entries(obj, "credits", ListPage.CREDITS):
                if "who" in credit:
                    yield Cid.parse(credit["who"])

    def _newest(self, work: SignedObject) -> int:
        about = (obj.time for obj in self._referrers(work.cid))
        return max((work.time, *about))

    # --- what others say of it ----------------------------------------------------------------------

    def _disputes(self, work: SignedObject, sheet: CreditSheet) -> Iterator[Statement]:
        """Disputes of the work and its sources, unmet claims of ancestors, withdrawals of the work [VER-5]."""
        for line in sheet.lines:
            if line.cid is None or line.missing:
                continue
            about = [obj for obj in self._referrers(line.cid) if self._speaks_of(obj, line.cid)]
            for obj in sorted(about, key=lambda obj: obj.cid):
                if self._counts(obj, line.cid, is_work=line.cid == work.cid):
                    yield self._statement(obj, line.cid)

    def _speaks_of(self, obj: SignedObject, work: Cid) -> bool:
        target = obj.body.get("target")
        is_about = isinstance(target, dict) and target.get("object") == str(work)
        return is_about and self._standing(obj) is Standing.GOOD

    def _counts(self, obj: SignedObject, work: Cid, *, is_work: bool) -> bool:
        match obj.kind:
            case "dispute":
                return not self._is_withdrawn(obj)
            case "claim_ancestor":
                own = Cid.parse(obj.body["own"]["object"])
                return is_work and own not in self.ancestry(work) and not self._is_withdrawn(obj)
            case "withdrawal":
                return is_work and obj.identity == self._work(work).identity
            case _:
                return False

    def _is_withdrawn(self, statement: SignedObject) -> bool:
        return any(
            obj.kind == "withdrawal"
            and obj.identity == statement.identity
            and obj.body["scope"] == "work"
            and self._speaks_of(obj, statement.cid)
            for obj in self._referrers(statement.cid)
        )

    def _statement(self, obj: SignedObject, about: Cid) -> Statement:
        return Statement(
            cid=obj.cid,
            kind=obj.kind,
            by=obj.identity,
            name=self._name(obj.identity),
            reason=obj.body.get("reason"),
            about=about,
        )

    def _superseded_by(self, work: SignedObject) -> Iterator[Cid]:
        """Later releases by the same author that name it, and what its author names as a replacement."""
        for obj in sorted(self._referrers(work.cid), key=lambda obj: obj.cid):
            if obj.identity != work.identity or self._standing(obj) is not Standing.GOOD:
                continue
            if obj.kind == "release" and str(work.cid) in obj.body.get("supersedes", ()):
                yield obj.cid
            elif obj.kind == "withdrawal" and "replacement" in obj.body:
                yield Cid.parse(obj.body["replacement"])

    def _shares(self, work: SignedObject) -> Shares:
        """Agreed where every party with an identity accepted its line, or is the author."""
        split = work.body.get("split") if work.kind == "release" else None
        if split is None:
            return Shares.NONE
        answers = [obj for obj in self._referrers(work.cid) if obj.kind == "answer"]
        agreed = all(
            part.get("who") == str(work.identity) or self._accepts(answers, part.get("who"), line)
            for line, part in enumerate(split["parts"])
        )
        return Shares.AGREED if agreed else Shares.PROPOSED

    def _accepts(self, answers: Iterable[SignedObject], who: str | None, line: int) -> bool:
        said = {
            answer.body["answer"]
            for answer in answers
            if str(answer.identity) == who
            and answer.body["about"] == "split"
            and answer.body["line"] == line
            and self._standing(answer) is Standing.GOOD
        }
        return said == {"accept"}

    # --- small things -------------------------------------------------------------------------------

    def _work(self, cid: Cid) -> SignedObject:
        work = self._evidence.lookup(cid)
        if work is None:
            raise MissingBlocksError(f"{cid} is not here any more", [cid])
        return work

    def _referrers(self, cid: Cid) -> Iterable[SignedObject]:
        return self._evidence.referrers(cid)

    def _standing(self, obj: SignedObject) -> Standing:
        return self._auditor.audit(obj).standing

    def _name(self, identity: Cid) -> str | None:
        genesis = self._evidence.lookup(identity)
        is_person = genesis is not None and genesis.kind == "identity"
        return genesis.body.get("name") if genesis is not None and is_person else None


def _title(work: SignedObject) -> str | None:
    title: str | None = work.body.get("title")
    return title


def _credits(sheet: CreditSheet) -> Credits:
    everyone = [(line, person) for line in sheet.lines for person in line.people]
    can_answer = [(line, person) for line, person in everyone if person.identity is not None]

    def having(claim: Claim) -> tuple[tuple[CreditLine, Person], ...]:
        return tuple((line, person) for line, person in can_answer if person.claim is claim)

    return Credits(
        sheet=sheet,
        n_answered=sum(person.claim is not Claim.CLAIMED for _, person in can_answer),
        n_can_answer=len(can_answer),
        n_named=len(everyone) - len(can_answer),
        denied=having(Claim.DENIED),
        amended=having(Claim.AMENDED),
    )


def _standings(sheet: CreditSheet) -> Iterator[tuple[Cid, Standing]]:
    for line in sheet.lines[1:]:
        if line.cid is not None and line.standing not in (None, Standing.GOOD):
            assert line.standing is not None
            yield line.cid, line.standing


# --- the headline -----------------------------------------------------------------------------------


def _headline(report: Report, has_gaps: bool) -> tuple[Headline, str]:
    """[VER-6] for a file that matches."""
    reason = next(filter(None, (ask(report) for ask in _DISPUTED_BY)), None)
    if reason is not None:
        return Headline.DISPUTED, reason
    if has_gaps:
        return (
            Headline.VERIFIED_WITH_GAPS,
            "what is here is right, and something is open: see the gaps",
        )
    return Headline.VERIFIED, "all that is needed is here and right, and nothing is open"


def _denied(report: Report) -> str | None:
    assert report.credits is not None
    for line, person in report.credits.denied:
        if line.distance == 0:
            return f"{person.shown} denies the credit that the work gives them"
    return None


def _disputed(report: Report) -> str | None:
    assert report.match is not None
    for one in report.disputes:
        if one.kind == "dispute" and one.about == report.match.work:
            return f'{_who(one.name, one.by)} disputes it: "{safe_line(one.reason or "")}"'
    return None


def _badly_signed(report: Report) -> str | None:
    assert report.standing is not None
    assert report.record is not None
    who = _who(report.record.author_name, report.record.author)
    if report.standing.standing is Standing.DISAVOWED:
        return f"{who} denies the key that signed it"
    if report.standing.standing is Standing.FORKED:
        return f"two rival successors claim to be {who}, so nobody can tell whose word it is"
    return None


_DISPUTED_BY: tuple[Callable[[Report], str | None], ...] = (_denied, _disputed, _badly_signed)


def _who(name: str | None, identity: Cid | None) -> str:
    shown = safe_line(name) if name else "(name not here)"
    return shown if identity is None else f"{shown} {code_of(identity)}"
