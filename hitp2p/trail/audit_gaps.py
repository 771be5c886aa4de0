"""What a reader can't check or should know, one sentence each [spec 08, Gaps]."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hitp2p.trail.credit_lines import Claim, CreditLine
from hitp2p.trail.display import code_of, safe_line, short_name
from hitp2p.trail.license_terms import Permission
from hitp2p.trail.licenses import LicenseEdge
from hitp2p.trail.report import Gap, GapCode, Report
from hitp2p.trail.standing import Standing

__all__ = ["iter_gaps"]


def iter_gaps(report: Report) -> Iterator[Gap]:
    """The gaps of a report that has a match, whose other axes are there."""
    for gaps in (_credit_gaps, _missing, _standing, _statements, _licenses, _rivals, _display):
        yield from gaps(report)


def _credit_gaps(report: Report) -> Iterator[Gap]:
    credits = report.credits
    assert credits is not None
    for line, person in credits.denied:
        if line.distance:
            yield Gap(
                code=GapCode.DENIED, text=f"{person.shown} denies their credit in {_title(line)}"
            )
    for line, person in credits.amended:
        yield Gap(
            code=GapCode.AMENDED,
            text=f"{person.shown} wants their credit in {_title(line)} to say something else",
        )
    silent = [
        person
        for line in credits.sheet.lines
        for person in line.people
        if person.identity is not None and person.claim is Claim.CLAIMED
    ]
    if silent:
        names = _some(dict.fromkeys(person.shown for person in silent))
        yield Gap(
            code=GapCode.UNANSWERED,
            text=f"{_count(len(silent), 'credit')} not answered by the person: {names}",
        )


def _missing(report: Report) -> Iterator[Gap]:
    assert report.record is not None
    if report.record.missing:
        names = _some(short_name(cid) for cid in report.record.missing)
        yield Gap(
            code=GapCode.MISSING,
            text=f"{_count(len(report.record.missing), 'source')} or list page not here: {names}",
        )


def _standing(report: Report) -> Iterator[Gap]:
    assert report.standing is not None
    if report.standing.standing is Standing.UNDETERMINED:
        yield Gap(
            code=GapCode.STANDING,
            text="whether the author stands behind the key that signed it can't be told from what is here",
        )
    for cid, standing in report.line_standing:
        yield Gap(
            code=GapCode.STANDING,
            text=f"a source, {short_name(cid)}, is signed by a {_KEYS[standing]}",
        )


_KEYS = {
    Standing.DISAVOWED: "key that its owner denies",
    Standing.FORKED: "person with two rival successors",
    Standing.UNDETERMINED: "key whose standing can't be told from what is here",
}


def _statements(report: Report) -> Iterator[Gap]:
    assert report.match is not None
    for one in report.disputes:
        who = f"{safe_line(one.name or '(name not here)')} {code_of(one.by)}"
        words = f': "{safe_line(one.reason)}"' if one.reason else ""
        if one.kind == "claim_ancestor":
            yield Gap(code=GapCode.ANCESTOR, text=f"{who} says their own work went into it{words}")
        elif one.kind == "withdrawal":
            yield Gap(code=GapCode.WITHDRAWN, text=f"its author, {who}, has withdrawn it{words}")
        elif one.about != report.match.work:
            text = f"{who} disputes a source, {short_name(one.about)}{words}"
            yield Gap(code=GapCode.DISPUTE, text=text)


def _licenses(report: Report) -> Iterator[Gap]:
    assert report.license is not None
    for edge in report.license.conflicts:
        words = f' (its author says: "{safe_line(edge.unchecked)}")' if edge.unchecked else ""
        yield Gap(
            code=GapCode.LICENSE,
            text=f"licence conflict: {_edge(edge)}: {safe_line(edge.judgement.reason)}{words}",
        )
    for edge in report.license.unknown:
        yield Gap(
            code=GapCode.LICENSE,
            text=f"licence not judged: {_edge(edge)}: {safe_line(edge.judgement.reason)}",
        )


def _edge(edge: LicenseEdge) -> str:
    source = f'"{safe_line(edge.title)}"' if edge.title else "a source"
    code = "" if edge.source is None else f" {short_name(edge.source)}"
    how = edge.relation if edge.judgement.permission is not Permission.ALLOWED else ""
    return f"{safe_line(how)} of {source}{code} in {short_name(edge.work)}"


def _rivals(report: Report) -> Iterator[Gap]:
    if not report.rivals:
        return
    first = report.rivals[0]
    who = f"{safe_line(first.name or '(name not here)')} {code_of(first.author)}"
    others = f" and {len(report.rivals) - 1} more" if len(report.rivals) > 1 else ""
    yield Gap(
        code=GapCode.RIVALS, text=f"the same file is also signed by {who}{others}, not as a source"
    )


def _display(report: Report) -> Iterator[Gap]:
    assert report.match is not None
    if report.match.display_differs:
        notes = ", ".join(map(safe_line, report.file.display_notes)) or "none in this copy"
        yield Gap(
            code=GapCode.DISPLAY,
            text=f"tags make this copy look or sound different from the one that was signed: {notes}",
        )


def _title(line: CreditLine) -> str:
    return f'"{safe_line(line.title)}"' if line.title else "an untitled work"


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _some(names: Iterable[str]) -> str:
    """The first four, then how many more."""
    all_ = list(names)
    more = f" and {len(all_) - 4} more" if len(all_) > 4 else ""
    return ", ".join(all_[:4]) + more
