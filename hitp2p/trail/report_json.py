"""A report as plain values, as `spec/report.schema.json` says. Text stands as its author wrote it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from hitp2p.codec.cid import Cid
from hitp2p.trail.credit_lines import CreditLine, Person
from hitp2p.trail.report import Candidate, Report, Rival, Time
from hitp2p.trail.report_text import tasl_line

__all__ = ["REPORT_FIELDS", "report_json"]

REPORT_FIELDS: Final = {
    "headline": "BROKEN, DISPUTED, VERIFIED-WITH-GAPS, VERIFIED, CONTAINS, RESEMBLES or UNKNOWN",
    "because": "why, in one sentence",
    "exit_status": "what the command exits with",
    "file": "name, size, sha256, cid, type, essence, no_essence, display_notes[], pointers[]",
    "match": "tier, work, entry, role, name, display_differs, faults[] of the entry; null without a match",
    "record": "work, title, project, project_title, author, author_name, n_sources, n_people, missing[], from_bundle",
    "standing": "of the author's key: standing, reason, by_event, sources[]",
    "credits": "answered, can_answer, named_only, denied[], amended[], sheet",
    "time": "claimed, not_after, witnesses[]; milliseconds since 1970",
    "license": "stated, effective, obligations[], edges[], held[] (through collections), held_is_cut, inherited[], fitting[]",
    "credit_line": "title, author, source and licence, ready to paste",
    "rivals[]": "other records of the same file: work, title, author, name, tier, not_after, claimed",
    "n_not_weighed": "how many more records of the same file were not compared",
    "unknown_kinds[]": "sources of a kind that isn't known",
    "statements[]": "disputes, claims of ancestry, denied uses, withdrawals: cid, kind, by, name, reason, scope, about",
    "superseded_by[]": "later works that their author names in its place",
    "shares": "none, proposed or agreed",
    "candidates[]": "near works without a verdict: tier, work, title, algorithm, value, of_work, threshold, unrelated",
    "not_compared[]": "what would have to be installed to look for more candidates",
    "gaps[]": "code and text of what is open",
    "freshness": "newest (claimed time of what is known), online",
    "not_proven[]": "what no report proves",
    "unmet[]": "requirements that are not met",
}
"""The fields of the document, in words; `spec/report.schema.json` has their types."""


def report_json(report: Report) -> dict[str, Any]:
    """Plain values for `json.dumps`."""
    return {
        "headline": report.headline.value,
        "because": report.because,
        "exit_status": report.exit_status,
        "file": _file_json(report),
        "match": _match_json(report),
        "record": _record_json(report),
        "standing": _standing_json(report),
        "credits": _credits_json(report),
        "time": _time_json(report.time),
        "license": None if report.license is None else report.license.to_json(),
        "credit_line": None if report.match is None else tasl_line(report),
        "n_not_weighed": report.n_not_weighed,
        "unknown_kinds": list(map(str, report.unknown_kinds)),
        "rivals": [_rival_json(rival) for rival in report.rivals],
        "statements": [
            {
                "cid": str(one.cid),
                "kind": one.kind,
                "by": str(one.by),
                "name": one.name,
                "reason": one.reason,
                "scope": one.scope,
                "about": str(one.about),
            }
            for one in report.disputes
        ],
        "superseded_by": list(map(str, report.superseded_by)),
        "shares": report.shares.value,
        "candidates": [_candidate_json(candidate) for candidate in report.candidates],
        "not_compared": list(report.not_compared),
        "gaps": [{"code": gap.code.value, "text": gap.text} for gap in report.gaps],
        "freshness": {"newest": report.newest, "online": report.online},
        "not_proven": list(report.not_proven),
        "unmet": list(report.unmet),
    }


def _file_json(report: Report) -> dict[str, Any]:
    file = report.file
    essence = file.essence
    return {
        "name": file.name,
        "size": file.size,
        "sha256": file.sha256.hex(),
        "cid": str(file.cid),
        "type": file.type,
        "essence": None
        if essence is None
        else {
            "algorithm": essence.algorithm,
            "digest": essence.digest.hex(),
            "display": None if essence.display is None else essence.display.hex(),
        },
        "no_essence": file.no_essence,
        "display_notes": list(file.display_notes),
        "pointers": list(map(str, file.pointers)),
    }


def _match_json(report: Report) -> dict[str, Any] | None:
    match = report.match
    if match is None:
        return None
    return {
        "tier": match.tier.value,
        "work": str(match.work),
        "entry": match.entry,
        "role": match.role,
        "name": match.name,
        "display_differs": match.display_differs,
        "faults": list(match.faults),
    }


def _record_json(report: Report) -> dict[str, Any] | None:
    record = report.record
    if record is None:
        return None
    return {
        "work": str(record.work),
        "title": record.title,
        "project": _text(record.project),
        "project_title": record.project_title,
        "author": str(record.author),
        "author_name": record.author_name,
        "n_sources": record.n_sources,
        "n_people": record.n_people,
        "missing": list(map(str, record.missing)),
        "from_bundle": record.from_bundle,
    }


def _standing_json(report: Report) -> dict[str, Any] | None:
    standing = report.standing
    if standing is None:
        return None
    return {
        "standing": standing.standing.value,
        "reason": standing.reason,
        "by_event": _text(standing.by_event),
        "sources": [
            {"work": str(cid), "standing": found.value} for cid, found in report.line_standing
        ],
    }


def _credits_json(report: Report) -> dict[str, Any] | None:
    credits = report.credits
    if credits is None:
        return None

    def people(found: Iterable[tuple[CreditLine, Person]]) -> list[dict[str, Any]]:
        return [
            {"work": _text(line.cid), "identity": _text(person.identity), "name": person.name}
            for line, person in found
        ]

    return {
        "answered": credits.n_answered,
        "can_answer": credits.n_can_answer,
        "named_only": credits.n_named,
        "denied": people(credits.denied),
        "amended": people(credits.amended),
        "sheet": credits.sheet.to_json(),
    }


def _time_json(time: Time | None) -> dict[str, Any] | None:
    if time is None:
        return None
    return {
        "claimed": time.claimed,
        "not_after": time.not_after,
        "witnesses": [
            {"identity": str(by), "name": name, "seen": seen} for by, name, seen in time.witnesses
        ],
    }


def _rival_json(rival: Rival) -> dict[str, Any]:
    return {
        "work": str(rival.work),
        "title": rival.title,
        "author": str(rival.author),
        "name": rival.name,
        "tier": rival.tier.value,
        "not_after": rival.not_after,
        "claimed": rival.claimed,
    }


def _candidate_json(candidate: Candidate) -> dict[str, Any]:
    return {
        "tier": candidate.tier.value,
        "work": str(candidate.work),
        "title": candidate.title,
        "algorithm": candidate.algorithm,
        "value": candidate.value,
        "of_work": candidate.of_work,
        "threshold": candidate.threshold,
        "unrelated": candidate.unrelated,
    }


def _text(cid: Cid | None) -> str | None:
    return None if cid is None else str(cid)
