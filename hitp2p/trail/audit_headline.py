"""The one word of a report on a file that matches, and why [VER-6]."""

from __future__ import annotations

from collections.abc import Callable

from hitp2p.codec.cid import Cid
from hitp2p.trail.display import code_of, quoted, safe_name
from hitp2p.trail.report import Headline, Report
from hitp2p.trail.standing import Standing

__all__ = ["headline_of"]


def headline_of(report: Report, *, has_gaps: bool) -> tuple[Headline, str]:
    """[VER-6] for a file that matches."""
    reason = next(filter(None, (ask(report) for ask in _DISPUTED_BY)), None)
    if reason is not None:
        return Headline.DISPUTED, reason
    if has_gaps:
        return (
            Headline.VERIFIED_WITH_GAPS,
            "what is signed is intact, but something is open: see the gaps",
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
            return f"{_who(one.name, one.by)} disputes it: {quoted(one.reason or '')}"
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
    shown = safe_name(name) if name else "(name not here)"
    return shown if identity is None else f"{shown} {code_of(identity)}"
