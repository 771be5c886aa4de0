"""Credits for other places: one line a work, film rolls, linked data, licence sidecars, tags of media files.

All forms are made from a credit sheet alone. What is missing on the sheet is said in the forms for people and left out of the
others, which have no word for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from html import escape
from typing import Any, Final

from hitp2p.trail.credit_lines import CreditLine, Person
from hitp2p.trail.credits import CreditSheet
from hitp2p.trail.display import (
    license_url,
    quoted,
    role_word,
    safe_line,
    safe_name,
    source_url,
    use_words,
    web_url,
)

__all__ = ["FORMS", "render"]

_CAPTION_SECONDS: Final = 3
_CAPTION_LINES: Final = 4


def render(sheet: CreditSheet, form: str) -> str:
    """The credits in one of `FORMS`, ending with a line break; foreign text is cleaned and escaped as the form asks."""
    return _WRITERS[form](sheet).rstrip("\n") + "\n"


# --- words ------------------------------------------------------------------------------------------


def _title(line: CreditLine) -> str:
    return safe_line(line.title) if line.title else "Untitled"


def _name(person: Person) -> str:
    if person.withheld:
        return "name withheld"
    return safe_name(person.name) if person.name else "unknown"


def _names(people: Iterable[Person]) -> str:
    return ", ".join(dict.fromkeys(map(_name, people))) or "unknown"


def _pointer(line: CreditLine) -> str:
    if line.cid is not None:
        return f"hitp2p:{line.cid}"
    return (line.source and source_url(line.source.url)) or ""


def _terms(line: CreditLine) -> str:
    if line.license is None:
        return "licence not known" if line.missing else "all rights reserved"
    url = license_url(line.license)
    return safe_line(line.license) + (f" ({url})" if url else "")


def _tasl(line: CreditLine) -> str:
    """Title, author, source, licence."""
    if line.missing:
        return f"A work that is not here, {_pointer(line)}"
    return ", ".join(
        filter(
            None, (f"{quoted(_title(line))} by {_names(line.people)}", _pointer(line), _terms(line))
        )
    )


def _having(line: CreditLine, *roles: str) -> list[str]:
    """Names of the people with one of these roles, each once."""
    return list(dict.fromkeys(_name(p) for p in line.people if set(roles) & set(p.roles)))


# --- for people -------------------------------------------------------------------------------------


def _tasl_lines(sheet: CreditSheet) -> str:
    return "\n".join(_tasl_with_use(line) for line in sheet.lines)


def _tasl_with_use(line: CreditLine) -> str:
    uses = [use for use in line.uses if use.nearest]
    if not uses:
        return _tasl(line)
    words = dict.fromkeys(use_words(safe_line(use.relation)) for use in uses)
    return f"{_tasl(line)}; {', '.join(words)}"


def _roll_blocks(sheet: CreditSheet) -> Iterator[list[str]]:
    """The title, then everyone under what they did, then what it was built from."""
    own = sheet.lines[0]
    yield [_title(own)]
    for role in sheet.by_role():
        yield [
            role_word(role.role).upper(),
            *dict.fromkeys(_name(person) for person, _ in role.people),
        ]
    sources = [line for line in sheet.lines[1:] if not line.missing]
    if sources:
        yield ["BUILT FROM", *(f"“{_title(line)}” by {_names(line.people)}" for line in sources)]
    yield ["LICENCE", _terms(own)]
    yield [_pointer(own)]


def _roll(sheet: CreditSheet) -> str:
    return "\n\n".join("\n".join(map(safe_line, block)) for block in _roll_blocks(sheet))


def _srt(sheet: CreditSheet) -> str:
    """Captions of a few lines, each for some seconds, from the start; an editor moves them to where the roll is."""
    captions = [part for block in _roll_blocks(sheet) for part in _cut(block)]
    return "\n".join(
        f"{number + 1}\n{_clock(number)} --> {_clock(number + 1)}\n" + "\n".join(lines) + "\n"
        for number, lines in enumerate(captions)
    )


def _cut(block: list[str]) -> Iterator[list[str]]:
    """A block in captions, its heading on each."""
    heading, *rest = (_caption(line) for line in block)
    if not rest:
        yield [heading]
    for at in range(0, len(rest), _CAPTION_LINES - 1):
        yield [heading, *rest[at : at + _CAPTION_LINES - 1]]


def _caption(text: str) -> str:
    """Players read markup in captions, an arrow as a time, and an empty line as an end."""
    return safe_line(text).replace("-->", "->").translate(_NO_MARKUP).strip() or "-"


_NO_MARKUP: Final = str.maketrans("<>{}", "\u2039\u203a()")


def _clock(number: int) -> str:
    seconds = number * _CAPTION_SECONDS
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},000"


def _spdx(sheet: CreditSheet) -> str:
    """Each licence once, with the works under it."""
    found: dict[str, list[str]] = {}
    for line in sheet.lines:
        if not line.missing:
            found.setdefault(line.license or "NOASSERTION", []).append(quoted(_title(line)))
    return "\n".join(
        f"{safe_line(license)}: {', '.join(titles)}" for license, titles in found.items()
    )


# --- for programs -----------------------------------------------------------------------------------


def _json_ld(sheet: CreditSheet) -> str:
    """schema.org CreativeWork with ccREL's attribution, one node a work."""
    based_on: dict[str, list[str]] = {}
    named = [(_node_name(line, number), line) for number, line in enumerate(sheet.lines)]
    for name, line in named:
        for use in line.uses:
            based_on.setdefault(f"hitp2p:{use.by}", []).append(name)
    graph = [_node(line, name, based_on.get(name, [])) for name, line in named]
    context = {"@vocab": "https://schema.org/", "cc": "http://creativecommons.org/ns#"}
    text = json.dumps({"@context": context, "@graph": graph}, indent=2, ensure_ascii=True)
    return text.replace("<", "\\u003c")  # it may stand in a page, where `</script>` would end it


def _node(line: CreditLine, name: str, based_on: list[str]) -> dict[str, Any]:
    node: dict[str, Any] = {"@id": name, "@type": "CreativeWork"}
    if line.missing:
        return node
    url = license_url(line.license) if line.license else None
    node |= {
        "name": line.title,
        "license": url or line.license,
        "creditText": _tasl(line),
        "contributor": [_role(person, role) for person in line.people for role in person.roles],
        "isBasedOn": [{"@id": one} for one in dict.fromkeys(based_on)],
        "cc:attributionName": _names(line.people) if line.people else None,
        "cc:license": {"@id": url} if url else None,
    }
    if line.source is not None and line.source.url is not None:
        node["url"] = web_url(line.source.url)
    return {name: value for name, value in node.items() if value not in (None, [])}


def _node_name(line: CreditLine, number: int) -> str:
    """A work's pointer; a source outside has no name that its author can choose, or it could pose as a work."""
    return f"_:source{number}" if line.cid is None else f"hitp2p:{line.cid}"


def _role(person: Person, role: str) -> dict[str, Any]:
    who: dict[str, Any] = {"@type": "Person", "name": _name(person)}
    if person.identity is not None and not person.withheld:
        who["@id"] = f"hitp2p:{person.identity}"
    return {"@type": "Role", "roleName": role_word(role), "contributor": who}


def _reuse(sheet: CreditSheet) -> str:
    """A `.license` sidecar as REUSE reads it, for the work's own file: whoever has a part in it, and the sources in words."""
    here = [line for line in sheet.lines if not line.missing]
    names = dict.fromkeys(_name(person) for line in here for person in line.people)
    lines = [f"SPDX-FileCopyrightText: {name}" for name in names]
    lines += ["", f"SPDX-License-Identifier: {_reuse_license(here[0])}"]
    if len(here) > 1:
        lines += ["", "Built from:", *(f"  {_tasl(line)}" for line in here[1:])]
    return "\n".join(_reuse_line(line) for line in lines)


def _reuse_line(text: str) -> str:
    """Tools read tags anywhere in a line, so only those at its start, which are ours, stay."""
    for tag in ("SPDX-FileCopyrightText: ", "SPDX-License-Identifier: "):
        if text.startswith(tag):
            return tag + _REUSE_TAGS.sub(r"\1 ", text.removeprefix(tag).lstrip())
    return _REUSE_TAGS.sub(r"\1 ", text)


_REUSE_TAGS: Final = re.compile(r"\b(SPDX|REUSE)-", re.IGNORECASE)


def _reuse_license(line: CreditLine) -> str:
    return safe_line(line.license) if line.license else "LicenseRef-All-Rights-Reserved"


def _xmp(sheet: CreditSheet) -> str:
    """A sidecar packet: Dublin Core, rights, ccREL and Photoshop's credit line."""
    own = sheet.lines[0]
    url = license_url(own.license) if own.license else None
    creators = "".join(f"<rdf:li>{escape(name)}</rdf:li>" for name in _own_names(own))
    fields = [
        f"<dc:title>{_by_language(_title(own))}</dc:title>",
        f"<dc:creator><rdf:Seq>{creators}</rdf:Seq></dc:creator>",
        f"<dc:rights>{_by_language(_terms(own))}</dc:rights>",
        f"<dc:source>{escape(_pointer(own))}</dc:source>",
        f"<photoshop:Credit>{escape(_tasl(own))}</photoshop:Credit>",
        f"<cc:attributionName>{escape(_names(own.people))}</cc:attributionName>",
        f"<xmpRights:UsageTerms>{_by_language(_tasl_lines(sheet))}</xmpRights:UsageTerms>",
    ]
    if url is not None:
        fields += [
            f"<xmpRights:WebStatement>{escape(url)}</xmpRights:WebStatement>",
            f'<cc:license rdf:resource="{escape(url)}"/>',
        ]
    body = "\n  ".join(fields)
    return f"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
 <rdf:Description rdf:about=""
   xmlns:dc="http://purl.org/dc/elements/1.1/"
   xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/"
   xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
   xmlns:cc="http://creativecommons.org/ns#">
  {body}
 </rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def _by_language(text: str) -> str:
    return f'<rdf:Alt><rdf:li xml:lang="x-default">{escape(text)}</rdf:li></rdf:Alt>'


def _own_names(line: CreditLine) -> list[str]:
    return list(dict.fromkeys(map(_name, line.people)))


def _id3(sheet: CreditSheet) -> str:
    """Frames of ID3v2.4, `NAME=value` a line; TIPL holds pairs of role and name."""
    own = sheet.lines[0]
    url = license_url(own.license) if own.license else None
    pairs = "/".join(
        f"{_no_slash(role_word(role))}/{_no_slash(_name(person))}"
        for person in own.people
        for role in person.roles
    )
    return _fields(
        [
            ("TIT2", _title(own)),
            ("TPE1", " / ".join(_own_names(own))),
            ("TCOM", " / ".join(_having(own, "cmp"))),
            ("TEXT", " / ".join(_having(own, "lyr"))),
            ("TIPL", pairs),
            ("TCOP", f"{_names(own.people)}, {_terms(own)}"),
            ("WCOP", url or ""),
            ("COMM", _comment(sheet)),
        ]
    )


def _no_slash(text: str) -> str:
    """In TIPL a slash parts role from name and pair from pair."""
    return safe_line(text).replace("/", "-")


def _vorbis(sheet: CreditSheet) -> str:
    """Vorbis comments, one a line, as FLAC, Ogg and Opus have them."""
    own = sheet.lines[0]
    url = license_url(own.license) if own.license else None
    return _fields(
        [
            ("TITLE", _title(own)),
            *(("ARTIST", name) for name in _own_names(own)),
            *(("COMPOSER", name) for name in _having(own, "cmp")),
            *(("LYRICIST", name) for name in _having(own, "lyr")),
            *(("PERFORMER", name) for name in _having(own, "prf", "sng", "itr", "mus", "voc")),
            ("COPYRIGHT", f"{_names(own.people)}, {_terms(own)}"),
            ("LICENSE", url or (safe_line(own.license) if own.license else "")),
            ("COMMENT", _comment(sheet)),
        ]
    )


def _comment(sheet: CreditSheet) -> str:
    """The pointer first, which `verify` finds, then the direct sources."""
    own, *others = sheet.lines
    direct = [line for line in others if line.distance == 1]
    built = f"; built from {'; '.join(map(_tasl, direct))}" if direct else ""
    return f"{_pointer(own)}{built}"


def _fields(pairs: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"{name}={value}" for name, value in pairs if value)


_WRITERS: Final[dict[str, Callable[[CreditSheet], str]]] = {
    "tasl": _tasl_lines,
    "roll": _roll,
    "srt": _srt,
    "spdx": _spdx,
    "jsonld": _json_ld,
    "reuse": _reuse,
    "xmp": _xmp,
    "id3": _id3,
    "vorbis": _vorbis,
}
FORMS: Final = tuple(_WRITERS)
"""tasl: a line a work. roll, srt: film credits. spdx: licences with their works. jsonld: schema.org. reuse: a `.license` file.
xmp: a sidecar. id3, vorbis: fields of tags."""
