"""What a reader can't check or should know, one sentence each [spec 08, Gaps]."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hitp2p.codec.cid import Cid
from hitp2p.trail.credit_lines import Claim, CreditLine
from hitp2p.trail.display import code_of, quoted, safe_line, safe_name, short_name
from hitp2p.trail.license_report import LicenseEdge
from hitp2p.trail.names import fold_name
from hitp2p.trail.report import Gap, GapCode, Report, Rival
from hitp2p.trail.standing import Standing

__all__ = ["iter_gaps"]


def iter_gaps(report: Report) -> Iterator[Gap]:
    """The gaps of a report that has a match, whose other axes are there."""
    for gaps in _GAPS:
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
    assert report.credits is not None
    if report.credits.sheet.is_cut:
        text = "the lists of its sources are longer than anyone reads, so sources and people are left out"
        yield Gap(code=GapCode.CUT, text=text)


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
        who = _who(one.name, one.by)
        words = f": {quoted(one.reason)}" if one.reason else ""
        is_source = one.about != report.match.work
        it = f"a source, {short_name(one.about)}" if is_source else "it"
        if one.kind == "claim_ancestor":
            text = f"{who} says their own work went into {it}{words}"
            yield Gap(code=GapCode.ANCESTOR, text=text)
        elif one.kind == "answer":
            text = f"{who} says that their work isn't used in {it} as stated{words}"
            yield Gap(code=GapCode.USE, text=text)
        elif one.kind == "withdrawal":
            what = "its files" if one.scope == "media" else "it"
            text = f"its author, {who}, has withdrawn {what}{words}"
            yield Gap(code=GapCode.WITHDRAWN, text=text)
        elif is_source:
            yield Gap(code=GapCode.DISPUTE, text=f"{who} disputes {it}{words}")


def _licenses(report: Report) -> Iterator[Gap]:
    assert report.license is not None
    for edge in report.license.conflicts:
        yield Gap(code=GapCode.LICENSE, text=f"licence conflict: {_edge(edge)}")
    for edge in report.license.unknown:
        yield Gap(code=GapCode.LICENSE, text=f"licence not judged: {_edge(edge)}")
    if report.license.held_is_cut:
        text = "licences not judged: collections among its sources hold more than anyone judges"
        yield Gap(code=GapCode.LICENSE, text=text)


def _edge(edge: LicenseEdge) -> str:
    source = quoted(edge.title) if edge.title else "a source"
    code = "" if edge.source is None else f" {short_name(edge.source)}"
    words = f" (its author says: {quoted(edge.unchecked)})" if edge.unchecked else ""
    where = f"{safe_line(edge.relation)} of {source}{code} in {short_name(edge.work)}"
    if edge.through is not None:
        where += f", which has it through the collection {short_name(edge.through)}"
    return f"{where}: {safe_line(edge.judgement.reason)}{words}"


def _rivals(report: Report) -> Iterator[Gap]:
    if report.rivals:
        first = report.rivals[0]
        others = f" and {len(report.rivals) - 1} more" if len(report.rivals) > 1 else ""
        older = ", and that record was witnessed first" if _is_older(first, report) else ""
        text = f"the same file is also signed by {_who(first.name, first.author)}{others}, not as a source{older}"
        yield Gap(code=GapCode.RIVALS, text=text)
    if report.n_not_weighed:
        text = f"{_count(report.n_not_weighed, 'more record')} of the same file here, which nobody compared"
        yield Gap(code=GapCode.RIVALS, text=text)


def _is_older(rival: Rival, report: Report) -> bool:
    assert report.time is not None
    own = report.time.not_after
    return rival.not_after is not None and (own is None or rival.not_after < own)


def _display(report: Report) -> Iterator[Gap]:
    assert report.match is not None
    if report.match.display_differs:
        notes = ", ".join(map(safe_line, report.file.display_notes)) or "none in this copy"
        yield Gap(
            code=GapCode.DISPLAY,
            text=f"tags make this copy look or sound different from the one that was signed: {notes}",
        )


def _entry(report: Report) -> Iterator[Gap]:
    """[VER-9]"""
    assert report.match is not None
    if report.match.faults:
        text = "the record's media entry for this file contradicts itself, or may: "
        yield Gap(code=GapCode.ENTRY, text=text + "; ".join(report.match.faults))


def _names(report: Report) -> Iterator[Gap]:
    """A name that several people have, or one person and somebody who is only named."""
    people = dict.fromkeys(_people(report))
    found: dict[str, list[tuple[str, Cid | None]]] = {}
    for name, who in people:
        found.setdefault(fold_name(name), []).append((name, who))
    for alike in found.values():
        if len({who for _, who in alike}) > 1:
            shown = _some(dict.fromkeys(_who(name, who) for name, who in alike))
            text = f"alike in name, and not shown to be one person: {shown}"
            yield Gap(code=GapCode.NAMES, text=text)


def _people(report: Report) -> Iterator[tuple[str, Cid | None]]:
    """Everyone whom the report names."""
    assert report.credits is not None
    assert report.time is not None
    for line in report.credits.sheet.lines:
        yield from ((one.name, one.identity) for one in line.people if one.name)
    yield from ((rival.name, rival.author) for rival in report.rivals if rival.name)
    yield from ((one.name, one.by) for one in report.disputes if one.name)
    yield from ((name, by) for by, name, _ in report.time.witnesses if name)


def _kinds(report: Report) -> Iterator[Gap]:
    if report.unknown_kinds:
        names = _some(short_name(cid) for cid in report.unknown_kinds)
        count = _count(len(report.unknown_kinds), "source")
        yield Gap(
            code=GapCode.KIND,
            text=f"{count} of a kind that nobody here can read, so whom they name is not known: {names}",
        )


_GAPS = (
    _entry,
    _credit_gaps,
    _missing,
    _kinds,
    _standing,
    _statements,
    _licenses,
    _rivals,
    _names,
    _display,
)


def _who(name: str | None, identity: Cid | None) -> str:
    shown = safe_name(name) if name else "(name not here)"
    return f"{shown} {code_of(identity)}" if identity is not None else f"{shown} (no identity)"


def _title(line: CreditLine) -> str:
    return quoted(line.title) if line.title else "an untitled work"


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _some(names: Iterable[str]) -> str:
    """The first four, then how many more."""
    all_ = list(names)
    more = f" and {len(all_) - 4} more" if len(all_) > 4 else ""
    return ", ".join(all_[:4]) + more
