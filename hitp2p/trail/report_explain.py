"""A report in full: every axis with its evidence, what each gap means, and the tree of sources. Foreign text is cleaned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hitp2p.codec.cid import Cid
from hitp2p.trail.credit_lines import Claim, CreditLine
from hitp2p.trail.display import (
    code_of,
    quoted,
    relation_words,
    role_word,
    safe_line,
    safe_name,
    short_name,
)
from hitp2p.trail.report import GapCode, Report
from hitp2p.trail.report_text import moment_of, render_report

__all__ = ["render_explained", "render_tree"]

_CLAIMS: Final = {
    Claim.SELF: "signed the work",
    Claim.CONFIRMED: "signed an answer that accepts it",
    Claim.AMENDED: "signed an answer that wants it to say something else",
    Claim.DENIED: "signed an answer that DENIES it",
    Claim.CLAIMED: "has not answered; the author of the work says so",
}
_MEANINGS: Final = {
    GapCode.ENTRY: "an entry names its file by CID, hash, size and essence; where these are of different files, nobody can"
    " say which one its author meant, and a thief may have put the names of two into one",
    GapCode.CUT: "works may link to endless lists; what lies beyond the bound of this program is not read",
    GapCode.MISSING: "what is not here can't be checked; a bundle made where it is known would have it",
    GapCode.UNANSWERED: "a credit is the word of the work's author until the person signs an answer",
    GapCode.AMENDED: "the person takes part in it, and asks to be named otherwise",
    GapCode.DENIED: "a person whom a source names says that it is wrong",
    GapCode.STANDING: "the owner of a key can say later that it was stolen; what it signed then counts as not theirs",
    GapCode.RIVALS: "two people signed the same file and neither names the other; who was first is told by"
    " independent witnesses, never by the time that somebody claims",
    GapCode.LICENSE: "the licence that is stated isn't one that the sources allow, or it isn't in the table",
    GapCode.DISPUTE: "somebody signed that a source isn't what it says",
    GapCode.USE: "the author of a source says that it was used otherwise, or not at all",
    GapCode.ANCESTOR: "somebody signed that their work went into it and is not named; nothing here shows whether it did",
    GapCode.WITHDRAWN: "the author takes it back; a licence that was given can't be",
    GapCode.NAMES: "names can be copied: go by the codes, and ask the people elsewhere which one is theirs",
    GapCode.KIND: "a newer program, or one with kinds of its own, made it; what it says inside is not known here",
    GapCode.DISPLAY: "an orientation, a colour profile or a gain in the tags changes how the same payload is shown",
}


def render_explained(report: Report) -> str:
    """The twelve lines, then everything that they rest on."""
    parts = [render_report(report), "\n".join(_file(report))]
    if report.match is not None:
        parts += ["\n".join(part(report)) for part in (_record, _people, _times, _licenses)]
        parts += ["Sources\n" + render_tree(report)]
        parts += ["\n".join(part(report)) for part in (_statements, _gaps) if list(part(report))]
    return "\n\n".join(parts)


def _file(report: Report) -> Iterator[str]:
    file = report.file
    yield "The file"
    yield f"  {file.size:,} bytes, {safe_line(file.type)}"
    yield f"  sha256   {file.sha256.hex()}"
    yield f"  CID      {file.cid}"
    if file.essence is not None:
        yield f"  essence  {safe_line(file.essence.algorithm)} {file.essence.digest.hex()}"
    else:
        yield f"  essence  none: {safe_line(file.no_essence or '')}"
    for note in file.display_notes:
        yield f"  tags change how it is shown: {safe_line(note)}"
    for pointer in file.pointers:
        yield f"  its tags point to {pointer}, which anyone can write"


def _record(report: Report) -> Iterator[str]:
    record, standing = report.record, report.standing
    assert record is not None
    assert standing is not None
    yield "The record"
    yield f"  work     {record.work}"
    if record.project is not None:
        yield f"  project  {record.project}"
    yield f"  author   {record.author}, {_name(record.author_name, record.author)}"
    yield f"  standing of the author's key: {standing.standing.value}; {standing.reason}"
    yield f"  {record.n_sources} in its ancestry, {record.n_people} people named"
    for cid in record.missing:
        yield f"  not here: {cid}"
    for cid in report.superseded_by:
        yield f"  its author names a later one: {cid}"


def _people(report: Report) -> Iterator[str]:
    assert report.credits is not None
    yield "Credits"
    for line in report.credits.sheet.lines:
        for person in line.people:
            roles = ", ".join(safe_line(role_word(role)) for role in person.roles)
            if person.identity is None:
                state = "named without an identity, so they cannot answer"
            else:
                state = _CLAIMS[person.claim]
            yield f"  {_title(line)}: {person.shown}, {roles}: {state}"


def _times(report: Report) -> Iterator[str]:
    assert report.time is not None
    yield "Time"
    yield f"  claimed by the author: {moment_of(report.time.claimed)}"
    for by, name, seen in report.time.witnesses:
        yield f"  seen by {_name(name, by)}, who has no part in it: {moment_of(seen)}"
    if report.newest is not None:
        yield f"  the newest statement about it here claims {moment_of(report.newest)}; later ones aren't known"


def _licenses(report: Report) -> Iterator[str]:
    assert report.license is not None
    yield "Licences"
    if not report.license.edges:
        yield "  no sources, so nothing to compare"
    license = report.license
    for edge in (*license.edges, *license.held, *license.inherited):
        title = quoted(edge.title) if edge.title else "a source"
        grant = f" (grant {short_name(edge.grant)})" if edge.grant else ""
        words = f"; the author says: {safe_line(edge.unchecked)}" if edge.unchecked else ""
        through = f" through the collection {short_name(edge.through)}" if edge.through else ""
        yield (
            f"  {relation_words(safe_line(edge.relation))} {title} in {short_name(edge.work)}{through}:"
            f" {edge.judgement.permission.value}, {safe_line(edge.judgement.reason)}{grant}{words}"
        )


def _statements(report: Report) -> Iterator[str]:
    if not report.disputes:
        return
    yield "What others signed about it"
    for one in report.disputes:
        words = f": {quoted(one.reason)}" if one.reason else ""
        kind = one.kind.replace("_", " ")
        yield f"  {kind} of {short_name(one.about)} by {_name(one.name, one.by)}{words}  ({one.cid})"


def _gaps(report: Report) -> Iterator[str]:
    if not report.gaps:
        return
    yield "What the gaps mean"
    for code in dict.fromkeys(gap.code for gap in report.gaps):
        yield f"  {code.value}: {_MEANINGS[code]}"


# --- the tree of sources ----------------------------------------------------------------------------


_INDENTS: Final = 24
"""Deepest indentation; deeper lines say how deep they stand."""


def render_tree(report: Report) -> str:
    """The work and its sources, each below what was made of it; one that was told before is not unfolded again."""
    assert report.credits is not None
    lines = report.credits.sheet.lines
    below: dict[Cid, list[tuple[str, CreditLine]]] = {}
    for line in lines:
        for use in line.uses:
            below.setdefault(use.by, []).append((use.relation, line))
    out: list[str] = []
    told: set[Cid] = set()
    waiting: list[tuple[int, str, CreditLine]] = [(0, "", lines[0])]
    while waiting:
        depth, relation, line = waiting.pop()
        again = line.cid is not None and line.cid in told
        level = f"{depth}: " if depth > _INDENTS else ""
        indent = "  " * min(depth, _INDENTS)
        out.append(f"{indent}{level}{_node(relation, line)}{', see above' if again else ''}")
        if line.cid is None or again:
            continue
        told.add(line.cid)
        sources = below.get(line.cid, ())
        waiting += [(depth + 1, how, source) for how, source in reversed(sources)]
    return "\n".join(out)


def _node(relation: str, line: CreditLine) -> str:
    how = f"{relation_words(safe_line(relation))} " if relation else ""
    code = f" {short_name(line.cid)}" if line.cid is not None else ""
    if line.missing:
        return f"{how}a work that is not here{code}"
    people = ", ".join(person.shown for person in line.people)
    where = "" if line.source is None else " (outside hitp2p)"
    license = f", {safe_line(line.license)}" if line.license else ", no licence stated"
    return f"{how}{_title(line)}{code} by {people or 'someone not named'}{license}{where}"


def _title(line: CreditLine) -> str:
    return quoted(line.title) if line.title else "(untitled)"


def _name(name: str | None, identity: Cid | None) -> str:
    shown = safe_name(name) if name else "(name not here)"
    return shown if identity is None else f"{shown} {code_of(identity)}"
