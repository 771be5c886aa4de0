"""Credit sheets as plain text, Markdown, HTML and JSON: title, author, source, licence, and how each source was used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from hitp2p.codec.cid import Cid
from hitp2p.trail.credit_lines import Claim, CreditLine, Person, SourceUse, iter_roles
from hitp2p.trail.display import (
    code_of,
    license_url,
    quoted,
    role_word,
    safe_line,
    safe_name,
    short_name,
    use_words,
    web_url,
)
from hitp2p.trail.standing import Standing

__all__ = ["render_html", "render_markdown", "render_text", "to_json"]

_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&:@])")
_CLAIMS: Final = {
    Claim.SELF: "",
    Claim.CONFIRMED: "confirmed",
    Claim.AMENDED: "wants it amended",
    Claim.DENIED: "DENIES this credit",
    Claim.CLAIMED: "as the author says",
}


# --- words common to all forms ----------------------------------------------------------------------
def _title(line: CreditLine) -> str:
    return safe_line(line.title) if line.title else "(untitled)"


def _who(person: Person, codes: bool) -> str:
    if person.withheld:
        return "(name withheld at their wish)"
    name = safe_name(person.name) if person.name else "(name not here)"
    if person.identity is None:
        return f"{name} (named, cannot answer)" if codes else name
    return f"{name} {code_of(person.identity)}" if codes else name


def _person(person: Person, codes: bool) -> str:
    roles = ", ".join(safe_line(role_word(role)) for role in person.roles)
    claim = _CLAIMS[person.claim] if person.identity is not None else ""
    return f"{_who(person, codes)}, {roles}" + (f" ({claim})" if claim else "")


def _license(line: CreditLine) -> str:
    if line.missing:
        return "licence not known"
    if line.license is None:
        return "no licence stated"
    return safe_line(line.license) + (
        " (the project's default)" if line.license_from_project else ""
    )


def _source(line: CreditLine) -> str:
    if line.cid is not None:
        return short_name(line.cid, 12)
    return safe_line(line.source.url) if line.source and line.source.url else "outside hitp2p"


def _use(use: SourceUse) -> str:
    words = use_words(safe_line(use.relation))
    if use.part:
        words += f" ({safe_line(use.part)} of it)"
    if use.into:
        words += f" into {safe_line(use.into)}"
    return words


def _remarks(line: CreditLine) -> Iterator[str]:
    if line.missing:
        yield "this work is not here: its credits are unknown"
    if line.incomplete:
        yield "parts of its lists are not here, or too long to read"
    if line.standing is not None and line.standing is not Standing.GOOD:
        yield f"standing: {line.standing.value}"


def _nearest(line: CreditLine) -> Iterator[SourceUse]:
    return (use for use in line.uses if use.nearest)


def _gaps(missing: Sequence[Cid]) -> str | None:
    if not missing:
        return None
    return f"Not here: {', '.join(short_name(cid, 12) for cid in missing)}"


# --- plain text -----------------------------------------------------------------------------------
def render_text(
    lines: Sequence[CreditLine], missing: Sequence[Cid], *, by_role: bool, codes: bool
) -> str:
    """Lines for a terminal, all foreign text cleaned."""
    out = list(_roles_text(lines, codes) if by_role else _lines_text(lines, codes))
    gaps = _gaps(missing)
    return "\n".join([*out, gaps] if gaps else out)


def _lines_text(lines: Iterable[CreditLine], codes: bool) -> Iterator[str]:
    for line in lines:
        indent = "  " * min(line.distance, 8)
        url = license_url(line.license) if line.license else None
        terms = _license(line) + (f"  {url}" if url else "")
        yield f"{indent}{quoted(_title(line))}  {_source(line)}  {terms}"
        for person in line.people:
            yield f"{indent}    by {_person(person, codes)}"
        for use in _nearest(line):
            yield f"{indent}    {_use(use)}"
            if use.note:
                yield f'{indent}      "{safe_line(use.note)}"'
        if line.note:
            yield f'{indent}    "{safe_line(line.note)}"'
        for remark in _remarks(line):
            yield f"{indent}    ! {remark}"


def _roles_text(lines: Sequence[CreditLine], codes: bool) -> Iterator[str]:
    for role in iter_roles(lines):
        yield f"- {safe_line(role_word(role.role))}"
        for person, where in role.people:
            yield f"    {_who(person, codes)}: {', '.join(_title(line) for line in where)}"


# --- Markdown -------------------------------------------------------------------------------------
def render_markdown(
    lines: Sequence[CreditLine], missing: Sequence[Cid], *, by_role: bool, codes: bool
) -> str:
    """A list, foreign text escaped."""
    out = list(_roles_markdown(lines, codes) if by_role else _lines_markdown(lines, codes))
    gaps = _gaps(missing)
    return "\n".join([*out, "", gaps] if gaps else out) + "\n"


def _md(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


def _lines_markdown(lines: Iterable[CreditLine], codes: bool) -> Iterator[str]:
    for line in lines:
        indent = "  " * min(line.distance, 8)
        url = license_url(line.license) if line.license else None
        terms = f"[{_md(_license(line))}]({url})" if url else _md(_license(line))
        people = "; ".join(_md(_person(person, codes)) for person in line.people)
        yield f"{indent}- **{_md(_title(line))}** by {people or '?'}, {_md(_source(line))}, {terms}"
        for use in _nearest(line):
            note = f": “{_md(safe_line(use.note))}”" if use.note else ""
            yield f"{indent}  - {_md(_use(use))}{note}"
        if line.note:
            yield f"{indent}  - “{_md(safe_line(line.note))}”"
        for remark in _remarks(line):
            yield f"{indent}  - {_md(remark)}"


def _roles_markdown(lines: Sequence[CreditLine], codes: bool) -> Iterator[str]:
    for role in iter_roles(lines):
        yield f"- **{_md(safe_line(role_word(role.role)))}**"
        for person, where in role.people:
            titles = ", ".join(_md(_title(line)) for line in where)
            yield f"  - {_md(_who(person, codes))}: {titles}"


# --- HTML -----------------------------------------------------------------------------------------
def render_html(
    lines: Sequence[CreditLine], missing: Sequence[Cid], *, by_role: bool, codes: bool
) -> str:
    """A fragment: a list without scripts, styles or pictures; only http and https links."""
    rows = _roles_html(lines, codes) if by_role else _lines_html(lines, codes)
    gaps = _gaps(missing)
    tail = f"\n<p>{escape(gaps)}</p>" if gaps else ""
    return "<ul>\n" + "\n".join(rows) + "\n</ul>" + tail + "\n"


def escape(text: str) -> str:
    """As `html.escape`, whose module takes 2 ms to import; most reports need no HTML."""
    import html

    return html.escape(text)


def _link(text: str, url: str | None) -> str:
    if url is None:
        return escape(text)
    return f'<a href="{escape(url)}" rel="nofollow noreferrer">{escape(text)}</a>'


def _lines_html(lines: Iterable[CreditLine], codes: bool) -> Iterator[str]:
    for line in lines:
        source_url = web_url(line.source.url) if line.source and line.source.url else None
        terms = _link(_license(line), license_url(line.license) if line.license else None)
        people = "; ".join(escape(_person(person, codes)) for person in line.people)
        uses = "".join(
            f"<li>{escape(_use(use))}"
            + (f": <q>{escape(safe_line(use.note))}</q>" if use.note else "")
            + "</li>"
            for use in _nearest(line)
        )
        note = f"<li><q>{escape(safe_line(line.note))}</q></li>" if line.note else ""
        remarks = "".join(f"<li>{escape(remark)}</li>" for remark in _remarks(line))
        more = f"<ul>{uses}{note}{remarks}</ul>" if uses or note or remarks else ""
        yield (
            f"<li><cite>{escape(_title(line))}</cite> by {people or '?'},"
            f" {_link(_source(line), source_url)}, {terms}{more}</li>"
        )


def _roles_html(lines: Sequence[CreditLine], codes: bool) -> Iterator[str]:
    for role in iter_roles(lines):
        people = "".join(
            f"<li>{escape(_who(person, codes))}: {escape(', '.join(_title(line) for line in where))}</li>"
            for person, where in role.people
        )
        yield f"<li>{escape(safe_line(role_word(role.role)))}<ul>{people}</ul></li>"


# --- JSON -----------------------------------------------------------------------------------------
def to_json(
    work: Cid, lines: Iterable[CreditLine], missing: Iterable[Cid], *, is_cut: bool = False
) -> dict[str, Any]:
    """Plain values; text as its author wrote it."""
    return {
        "work": str(work),
        "lines": [_line_json(line) for line in lines],
        "missing": [str(cid) for cid in missing],
        "is_cut": is_cut,
    }


def _text(cid: Cid | None) -> str | None:
    return None if cid is None else str(cid)


def _line_json(line: CreditLine) -> dict[str, Any]:
    source = line.source
    return {
        "cid": _text(line.cid),
        "project": _text(line.project),
        "title": line.title,
        "url": None if source is None else source.url,
        "sha256": None if source is None or source.sha256 is None else source.sha256.hex(),
        "people": [
            {
                "identity": _text(person.identity),
                "name": person.name,
                "withheld": person.withheld,
                "roles": list(person.roles),
                "claim": person.claim.value,
            }
            for person in line.people
        ],
        "license": line.license,
        "license_from_project": line.license_from_project,
        "license_url": license_url(line.license) if line.license else None,
        "note": line.note,
        "distance": line.distance,
        "uses": [
            {
                "by": str(use.by),
                "relation": use.relation,
                "part": use.part,
                "into": use.into,
                "note": use.note,
                "nearest": use.nearest,
            }
            for use in line.uses
        ],
        "missing": line.missing,
        "incomplete": line.incomplete,
        "standing": None if line.standing is None else line.standing.value,
    }
