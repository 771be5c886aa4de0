"""A report in twelve lines of plain words, with all foreign text cleaned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hitp2p.codec.cid import Cid
from hitp2p.trail.credit_lines import Claim, CreditLine, Person
from hitp2p.trail.display import (
    code_of,
    license_url,
    quoted,
    relation_words,
    role_word,
    safe_line,
    safe_name,
    short_name,
    source_url,
)
from hitp2p.trail.license_terms import Obligation
from hitp2p.trail.report import Candidate, Gap, GapCode, Headline, Report, Rival, Shares, Tier, Time
from hitp2p.trail.standing import Standing

__all__ = ["moment_of", "render_report", "report_lines", "tasl_line"]

_LABEL_WIDTH = 11
_DAY_MS = 86_400_000
_PEOPLE = 16
"""Most people that are named in one place; the rest is counted."""
_GAPS = 5
"""Most gaps of one kind that are told in the lines."""
_SOURCES = 8
"""Most sources that are named; the rest is counted."""
_CANDIDATES = 3
"""Most candidates that are named; the rest is counted."""


def render_report(report: Report) -> str:
    """Twelve lines: the headline, ten axes, and what to do next. A line is as long as it must be."""
    name = safe_line(report.file.name) if report.file.name else "the file"
    stop = "" if report.because.endswith('"') else "."
    lines = [f"{report.headline.value}  {name}: {report.because}{stop}"]
    lines += [f"{label + ':':<{_LABEL_WIDTH}} {words}" for label, words in report_lines(report)]
    return "\n".join(lines)


def report_lines(report: Report) -> Iterator[tuple[str, str]]:
    """Label and words of each line below the headline."""
    yield "Match", _match(report)
    if report.match is not None:
        yield "Made by", _made_by(report)
        yield "Built from", _built_from(report)
        yield "Credits", _credits(report)
        yield "Time", _time(report.time)
        yield "Licence", _license(report)
        yield "Credit it", tasl_line(report)
        yield "Rivals", _rivals(report.rivals)
        yield "Gaps", _gaps(report.gaps)
    if report.unmet:
        yield "Not met", "; ".join(report.unmet)
    yield "Not proven", "; ".join(report.not_proven)
    yield "Next", _next(report)


def _match(report: Report) -> str:
    match, file = report.match, report.file
    if match is None:
        return _no_match(report)
    label = f" {quoted(match.name)}" if match.name else ""
    what = f"the {match.role} file{label}"
    if match.tier is Tier.EXACT and match.faults:
        return (
            f"exact by a part of what the record says of {what}; other parts don't fit, or can't be checked:"
            " see the gaps"
        )
    if match.tier is Tier.EXACT:
        return f"exact: these are the very bytes of {what}"
    assert file.essence is not None
    return (
        f"essence ({safe_line(file.essence.algorithm)}): what is shown or played is that of {what};"
        " its tags differ"
    )


def _gaps(gaps: tuple[Gap, ...]) -> str:
    """Each kind of gap with its first few, so that a flood of one can't hide the others."""
    found: dict[GapCode, list[str]] = {}
    for gap in gaps:
        found.setdefault(gap.code, []).append(gap.text)
    words = [text for texts in found.values() for text in texts[:_GAPS]]
    rest = sum(len(texts[_GAPS:]) for texts in found.values())
    if rest:
        words.append(f"and {rest} more like these, which `--json` lists")
    return "; ".join(words) or "none"


def _no_match(report: Report) -> str:
    if report.headline is Headline.BROKEN:
        return "not looked for, because the bundle for it can't be trusted"
    if report.candidates:
        return _candidates(report.candidates)
    reason = report.file.no_essence
    words = "no record here has these bytes" + (
        f"; its essence can't be taken ({safe_line(reason)})" if reason else ", nor their essence"
    )
    if report.not_compared:
        words += f"; to look for works that it resembles as well: {', '.join(report.not_compared)}"
    return words


def _candidates(candidates: tuple[Candidate, ...]) -> str:
    named = "; ".join(map(_candidate, candidates[:_CANDIDATES]))
    rest = len(candidates) - _CANDIDATES
    more = f"; and {rest} more" if rest > 0 else ""
    return f"{named}{more}. Whether one was made from the other, no such figure tells"


def _candidate(candidate: Candidate) -> str:
    title = quoted(candidate.title) if candidate.title else "a work"
    where = f"{title} {short_name(candidate.work)}"
    if candidate.tier is Tier.CONTAINS:
        words = f"{_percent(candidate.value)} of it is also in {where}"
        if candidate.of_work is not None:
            words += f", and makes up {_percent(candidate.of_work)} of that"
        bounds = f"told from {_percent(candidate.threshold)} on; unrelated works shared at most {_percent(candidate.unrelated)}"
    else:
        words = f"a code of it is near to one of {where}, at distance {candidate.value:.2f}"
        bounds = f"told up to {candidate.threshold:.2f}; unrelated works came as near as {candidate.unrelated:.2f}"
    return f"{words} (by {safe_line(candidate.algorithm)}, {bounds})"


def _percent(part: float) -> str:
    """Rounded down, so that only the whole is 100%."""
    return "under 1%" if 0 < part < 0.01 else f"{int(part * 100 + 1e-9)}%"


def _made_by(report: Report) -> str:
    assert report.credits is not None
    assert report.record is not None
    own = report.credits.sheet.lines[0]
    people = _some(map(_person, own.people))
    title = quoted(own.title) if own.title else "(untitled)"
    project = report.record.project_title
    where = f", in the project {quoted(project)}" if project else ""
    return f"{people}: {title}{where}"


def _person(person: Person) -> str:
    roles = ", ".join(safe_line(role_word(role)) for role in person.roles)
    state = _STATES[person.claim] if person.identity is not None else "only named"
    return f"{person.shown} ({roles}; {state})"


_STATES = {
    Claim.SELF: "signed it",
    Claim.CONFIRMED: "confirmed it",
    Claim.AMENDED: "wants other words",
    Claim.DENIED: "DENIES it",
    Claim.CLAIMED: "has not confirmed it",
}


def _some(people: Iterable[str]) -> str:
    """The first of them, then how many more."""
    all_ = list(people)
    more = f" and {len(all_) - _PEOPLE} more" if len(all_) > _PEOPLE else ""
    return ", ".join(all_[:_PEOPLE]) + more


def _name(name: str | None, identity: Cid | None) -> str:
    shown = safe_name(name) if name else "(name not here)"
    return shown if identity is None else f"{shown} {code_of(identity)}"


def _built_from(report: Report) -> str:
    assert report.credits is not None
    sources = report.credits.sheet.lines[1:]
    if not sources:
        return "nothing that it names"
    named = ", ".join(map(_source, sources[:_SOURCES]))
    more = f" and {len(sources) - _SOURCES} more" if len(sources) > _SOURCES else ""
    return named + more


def _source(line: CreditLine) -> str:
    use = next((use for use in line.uses if use.nearest), None)
    how = (
        f"{relation_words(safe_line(use.relation))} "
        if use is not None and line.distance == 1
        else ""
    )
    if line.missing:
        return f"{how}a work that is not here" + (f" ({short_name(line.cid)})" if line.cid else "")
    title = quoted(line.title) if line.title else "an untitled work"
    people = _some(person.shown for person in line.people)
    outside = " (outside hitp2p, as whoever used it says)" if line.source is not None else ""
    return f"{how}{title} by {people or 'someone not named'}{outside}"


def _credits(report: Report) -> str:
    credits = report.credits
    assert credits is not None
    denied = [
        f"DENIED by {person.shown} in {quoted(line.title or 'an untitled work')}"
        for line, person in credits.denied[:_SOURCES]
    ]
    if len(credits.denied) > _SOURCES:
        denied.append(f"and by {len(credits.denied) - _SOURCES} more")
    words = f"{credits.n_answered} of {credits.n_can_answer} answered for by the people themselves"
    if credits.n_named:
        words += f"; {credits.n_named} named without an identity, who cannot answer"
    if report.shares is not Shares.NONE:
        words += f"; shares {report.shares.value}"
    return "; ".join([*denied, words])


def _time(time: Time | None) -> str:
    assert time is not None
    claimed = f"claimed {_day(time.claimed)}"
    if time.not_after is None:
        return f"{claimed}; nobody independent has witnessed it here"
    who = ", ".join(_name(name, by) for by, name, _ in time.witnesses[:3])
    return f"not later than {moment_of(time.not_after)}, as {who} witnessed; {claimed}"


def _day(ms: int) -> str:
    """The date in UTC, by the Gregorian calendar."""
    return "-".join(f"{part:02}" for part in _civil(ms // _DAY_MS))


def moment_of(ms: int) -> str:
    """Milliseconds since 1970 as a minute in UTC."""
    minutes = ms % _DAY_MS // 60_000
    return f"{_day(ms)} {minutes // 60:02}:{minutes % 60:02} UTC"


def _civil(days: int) -> tuple[int, int, int]:
    """Year, month and day of a number of days since 1970, counted in years that begin in March."""
    days += 719_468
    era, day_of_era = divmod(days, 146_097)
    year = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day = day_of_era - (365 * year + year // 4 - year // 100)
    month = (5 * day + 2) // 153
    return (
        year + era * 400 + (month >= 10),
        month + 3 if month < 10 else month - 9,
        day - (153 * month + 2) // 5 + 1,
    )


_ASKS = {
    Obligation.CREDIT: "give credit",
    Obligation.SHARE_ALIKE: "share what you make of it under the same terms",
    Obligation.NON_COMMERCIAL: "no commercial use",
    Obligation.NO_DERIVATIVES: "share no changed version",
    Obligation.ASK: "ask the author first",
}


def _license(report: Report) -> str:
    license = report.license
    assert license is not None
    asks = ", ".join(_ASKS[one] for one in license.obligations) or "nothing is asked"
    if license.effective is not None:
        open_ = len(license.unknown)
        doubt = f"; {open_} of its uses of sources not judged, see the gaps" if open_ else ""
        doubt += "; collections hold more than is judged" if license.held_is_cut else ""
        return f"{safe_line(license.effective)}: {asks}{doubt}"
    if license.stated is None and not license.conflicts:
        return "none stated, so all rights are reserved: ask the author first"
    fitting = ", ".join(map(safe_line, license.fitting))
    stated = safe_line(license.stated) if license.stated else "none"
    return (
        f"IN CONFLICT: {stated} is stated, and its sources don't all allow that;"
        f" {f'what would fit: {fitting}' if fitting else 'no licence fits all sources'}"
    )


def tasl_line(report: Report) -> str:
    """Title, author, source and licence, ready to paste; the direct sources after it."""
    assert report.credits is not None
    own, *sources = report.credits.sheet.lines
    direct = [line for line in sources if line.distance == 1]
    words = _tasl(own)
    if direct:
        words += "; built from " + ", ".join(map(_tasl, direct[:_SOURCES]))
    if len(direct) > _SOURCES:
        words += f" and {len(direct) - _SOURCES} more"
    return words


def _tasl(line: CreditLine) -> str:
    if line.missing:
        return f"a work that is not here, {f'hitp2p:{line.cid}' if line.cid else ''}"
    title = quoted(line.title) if line.title else "Untitled"
    named = (person for person in line.people if person.claim is not Claim.DENIED)
    people = _some(
        dict.fromkeys(
            "name withheld" if person.withheld else safe_name(person.name or "unknown")
            for person in named
        )
    )
    where = f"hitp2p:{line.cid}" if line.source is None else source_url(line.source.url)
    url = license_url(line.license) if line.license else None
    terms = (safe_line(line.license) if line.license else "all rights reserved") + (
        f" ({url})" if url else ""
    )
    return (
        f"{title} by {people or 'unknown'}"
        + (f", {safe_line(where)}" if where else "")
        + f", {terms}"
    )


def _rivals(rivals: tuple[Rival, ...]) -> str:
    if not rivals:
        return "no other record of the same file is known here"
    return "; ".join(map(_rival, rivals[:3])) + (
        f"; and {len(rivals) - 3} more" if len(rivals) > 3 else ""
    )


def _rival(rival: Rival) -> str:
    title = quoted(rival.title) if rival.title else "an untitled work"
    if rival.not_after is None:
        when = f"claimed {_day(rival.claimed)}, not witnessed"
    else:
        when = f"witnessed by {moment_of(rival.not_after)}"
    return f"{title} {short_name(rival.work)} by {_name(rival.name, rival.author)}, {when}"


def _next(report: Report) -> str:
    license = report.license
    if report.headline is Headline.BROKEN:
        return "don't rely on this bundle; ask for the file and its bundle again"
    if report.headline is Headline.DISPUTED:
        return _next_disputed(report)
    if report.match is None:
        return _next_without_match(report)
    if license is None or license.effective is None:
        return "ask the authors before you share it or build on it"
    codes = {gap.code for gap in report.gaps}
    if GapCode.ENTRY in codes:
        return "ask its author which file is meant, before you take this one for it"
    if GapCode.WITHDRAWN in codes:
        return (
            "choose another work, or ask the author; what the licence allowed before stays allowed"
        )
    if GapCode.RIVALS in codes:
        return "find out which record is the first before you share it: ask both, or a witness"
    if codes & {GapCode.ANCESTOR, GapCode.USE, GapCode.DISPUTE}:
        return "ask both sides before you share it or build on it; `--explain` shows who said what"
    words = "paste the credit line where you share it"
    if codes:
        words += "; `--explain` says what each gap means"
    return words


def _next_disputed(report: Report) -> str:
    assert report.standing is not None
    if report.standing.standing is Standing.DISAVOWED:
        return "don't take it for theirs, nor share it in their name; ask them, elsewhere, what is"
    if report.standing.standing is Standing.FORKED:
        return "don't rely on it; ask the person, elsewhere, which of the successors is theirs"
    return "ask both sides before you use it; `--explain` shows who said what"


def _next_without_match(report: Report) -> str:
    if report.candidates:
        return "compare it with the works named above; if it was made from one, its credits belong to it"
    if report.has_bundle:
        return (
            "ask for the file again: this copy was changed, or the bundle belongs to another file"
        )
    return "ask whoever gave it to you for its bundle, FILE.car, and put it beside the file"
