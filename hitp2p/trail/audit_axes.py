"""The axes of a report, each computed on its own from the same set of objects [VER-3 to VER-6]."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hitp2p.codec.cid import Cid
from hitp2p.errors import InvalidError, MissingBlocksError
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import ObjectClass
from hitp2p.objects.known import known_field
from hitp2p.objects.pages import ListPage, parse_list_page
from hitp2p.trail.ancestry import Ancestries
from hitp2p.trail.audit_gaps import iter_gaps
from hitp2p.trail.audit_headline import headline_of
from hitp2p.trail.claims import iter_withheld
from hitp2p.trail.credit_lines import Claim, CreditLine, Person
from hitp2p.trail.credits import CreditSheet, credit_sheet
from hitp2p.trail.evidence import Evidence
from hitp2p.trail.license_terms import ADAPTING
from hitp2p.trail.licenses import BOUND, audit_licenses
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
        self._times: dict[Cid, Time] = {}
        self._withheld: dict[Cid, frozenset[Cid]] = {}
        self.ancestries = Ancestries(evidence, ())
        self._n_left = 0

    # --- what the choice of a match needs -----------------------------------------------------------

    def weigh(self, works: Sequence[Cid], *, n_left: int = 0) -> None:
        """Get ready to compare these works, and to report on one of them.

        Args:
            works: each with the file in question.
            n_left: how many more have it, which are not compared.
        """
        self.ancestries = Ancestries(self._evidence, works)
        self._n_left = n_left

    def first_seen(self, work: Cid) -> tuple[bool, int, Cid]:
        """A key that sorts works by the earliest witness, whoever it is: quick, to choose which ones to weigh [VER-2]."""
        seen = [witness.body["seen"] for witness in self._witnesses(work)]
        return (not seen, min(seen, default=0), work)

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
            name=self._name(work.identity, work),
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
                sheet,
                lookup=self._evidence.lookup,
                grants=self._evidence.statements,
                standing=self._standing,
            ),
            "rivals": rivals,
            "n_not_weighed": self._n_left,
            "disputes": disputes,
            "unknown_kinds": tuple(self._unknown_kinds(sheet)),
            "superseded_by": tuple(self._superseded_by(work)),
            "shares": self._shares(work),
            "newest": self._newest(work),
            "has_bundle": bundle_work is not None,
        }
        draft = Report(headline=Headline.VERIFIED, because="", **parts)
        gaps = tuple(iter_gaps(draft))
        headline, because = headline_of(draft, has_gaps=bool(gaps))
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
            author_name=self._name(work.identity, work),
            n_sources=len(sheet.lines) - 1,
            n_people=len(people),
            missing=sheet.missing,
            from_bundle=work.cid == bundle_work,
        )

    def _unknown_kinds(self, sheet: CreditSheet) -> Iterator[Cid]:
        found = (self._evidence.lookup(line.cid) for line in sheet.lines if line.cid is not None)
        return (obj.cid for obj in found if obj and obj.object_class is ObjectClass.UNKNOWN)

    def _sheet(self, work: SignedObject) -> CreditSheet:
        return credit_sheet(
            work,
            lookup=self._evidence.lookup,
            blocks=self._evidence,
            answers=self._evidence.statements,
            standing=self._standing,
            generations=self._evidence.generations,
        )

    # --- time ---------------------------------------------------------------------------------------

    def time(self, cid: Cid) -> Time:
        """When a work was made, as claimed and as witnessed [VER-4]."""
        if cid not in self._times:
            self._times[cid] = self._time(self._work(cid))
        return self._times[cid]

    def _time(self, work: SignedObject) -> Time:
        seen: dict[Cid, int] = {}
        for witness in self._witnesses(work.cid):
            by = witness.identity
            if not self.ancestries.takes_part(work.cid, by):
                seen[by] = min(witness.body["seen"], seen.get(by, witness.body["seen"]))
        found = sorted((when, by) for by, when in seen.items())
        return Time(
            claimed=work.time,
            not_after=found[0][0] if found else None,
            witnesses=tuple((by, self._name(by), when) for when, by in found),
        )

    def _witnesses(self, work: Cid) -> Iterator[SignedObject]:
        """In good standing and not taken back, whoever they are by."""
        for obj in self._evidence.statements(work):
            is_good = obj.kind == "witness" and self._standing(obj) is Standing.GOOD
            if is_good and not self._is_withdrawn(obj):
                yield obj

    def _newest(self, work: SignedObject) -> int:
        about = (obj.time for obj in self._evidence.referrers(work.cid))
        return max((work.time, *about))

    # --- what others say of it ----------------------------------------------------------------------

    def _disputes(self, work: SignedObject, sheet: CreditSheet) -> Iterator[Statement]:
        """What counts against the work or a source [VER-5]."""
        uses = {line.cid: {use.relation for use in line.uses} for line in sheet.lines if line.cid}
        for line in sheet.lines:
            if line.cid is None or line.missing:
                continue
            statements = self._evidence.statements(line.cid)
            about = [obj for obj in statements if self._speaks_of(obj, line.cid)]
            for obj in sorted(about, key=lambda obj: obj.cid):
                if self._counts(obj, line.cid, work, uses) and not self._is_withdrawn(obj):
                    yield self._statement(obj, line.cid)

    def _speaks_of(self, obj: SignedObject, work: Cid) -> bool:
        target = known_field(obj, "target")
        is_about = target is not None and target["object"] == str(work)
        return is_about and self._standing(obj) is Standing.GOOD

    def _counts(
        self, obj: SignedObject, about: Cid, work: SignedObject, uses: Mapping[Cid, set[str]]
    ) -> bool:
        match obj.kind:
            case "dispute":
                return True
            case "claim_ancestor":
                return self._is_unmet(obj, uses)
            case "answer":
                return self._denies_use(obj, about)
            case "withdrawal":
                is_own = about == work.cid and obj.identity == work.identity
                return is_own and obj.body["scope"] != "name"
            case _:
                return False

    def _is_unmet(self, claim: SignedObject, uses: Mapping[Cid, set[str]]) -> bool:
        """Whether somebody's own work isn't named, or only as one of which nothing was taken."""
        own = Cid.parse(claim.body["own"]["object"])
        claimed_work = self._evidence.lookup(own)
        if claimed_work is not None and claimed_work.identity != claim.identity:
            return False
        relation = claim.body.get("relation")
        takes = ADAPTING if relation in ADAPTING else BOUND if relation in BOUND else None
        return own not in uses or (takes is not None and not takes & uses[own])

    def _denies_use(self, answer: SignedObject, about: Cid) -> bool:
        """Whether the author of a source says that a use of it isn't as the work says."""
        if answer.body["about"] != "source" or answer.body["answer"] == "accept":
            return False
        used = self._use(self._work(about), answer.body["line"])
        source = None if used is None else self._evidence.lookup(used)
        return source is not None and source.identity == answer.identity

    def _use(self, work: SignedObject, line: int) -> Cid | None:
        """The work that stands in one line of the uses, pages included; None where that can't be told."""
        uses: list[dict[str, Any]] = list(known_field(work, "uses") or ())
        for page in known_field(work, ListPage.USES.value) or ():
            if len(uses) > line:
                break
            block = self._evidence.get(page)
            try:
                uses += [] if block is None else parse_list_page(block, ListPage.USES)
            except InvalidError:
                block = None
            if block is None:
                return None
        found = uses[line].get("work") if line < len(uses) else None
        return None if found is None else Cid.parse(found)

    def _is_withdrawn(self, statement: SignedObject) -> bool:
        return any(
            obj.kind == "withdrawal"
            and obj.identity == statement.identity
            and obj.body["scope"] == "work"
            and self._speaks_of(obj, statement.cid)
            for obj in self._evidence.statements(statement.cid)
        )

    def _statement(self, obj: SignedObject, about: Cid) -> Statement:
        return Statement(
            cid=obj.cid,
            kind=obj.kind,
            by=obj.identity,
            name=self._name(obj.identity, self._work(about)),
            reason=obj.body.get("reason"),
            scope=obj.body["scope"] if obj.kind == "withdrawal" else None,
            about=about,
        )

    def _superseded_by(self, work: SignedObject) -> Iterator[Cid]:
        """Later releases by the same author that name it, and what its author names as a replacement."""
        for obj in sorted(self._evidence.referrers(work.cid), key=lambda obj: obj.cid):
            if obj.identity != work.identity or self._standing(obj) is not Standing.GOOD:
                continue
            if obj.kind == "release" and str(work.cid) in obj.body.get("supersedes", ()):
                yield obj.cid
            elif obj.kind == "withdrawal" and "replacement" in obj.body:
                yield Cid.parse(obj.body["replacement"])

    def _shares(self, work: SignedObject) -> Shares:
        """Agreed where every party accepted its line, or is the author; a name without an identity can't."""
        split = work.body.get("split") if work.kind == "release" else None
        if split is None:
            return Shares.NONE
        about = (obj for obj in self._evidence.statements(work.cid) if obj.kind == "answer")
        answers = [obj for obj in about if self._speaks_of(obj, work.cid)]
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
            and not self._is_withdrawn(answer)
        }
        return said == {"accept"}

    # --- small things -------------------------------------------------------------------------------

    def _work(self, cid: Cid) -> SignedObject:
        work = self._evidence.lookup(cid)
        if work is None:
            raise MissingBlocksError(f"{cid} is not here any more", [cid])
        return work

    def _standing(self, obj: SignedObject) -> Standing:
        return self._auditor.standing(obj)

    def _withheld_in(self, work: Cid) -> frozenset[Cid]:
        if work not in self._withheld:
            found = iter_withheld(work, self._evidence.statements(work), self._standing)
            self._withheld[work] = frozenset(found)
        return self._withheld[work]

    def _name(self, identity: Cid, work: SignedObject | None = None) -> str | None:
        """The name in a genesis that is here; none where the person asked not to be named for the work [CRD-5]."""
        if work is not None and identity in self._withheld_in(work.cid):
            return None
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
