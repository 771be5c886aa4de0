"""How the trail's names and texts look to people: short names, clean lines, words for roles, links for licences."""

from __future__ import annotations

import re
from typing import Final

from hitp2p.codec.cid import OBJECT_CID_START, Cid

__all__ = [
    "code_of",
    "license_url",
    "quoted",
    "relation_words",
    "role_word",
    "safe_line",
    "safe_name",
    "short_name",
    "source_url",
    "use_words",
    "web_url",
]

_JOINERS: Final = "\u200c\u200d"
"""ZWNJ and ZWJ: scripts and emoji need them, and they move nothing."""
_WEB: Final = re.compile(r"https?://[^\s\"'<>`\\]+", re.ASCII | re.IGNORECASE)
_CC: Final = re.compile(r"CC-(BY(?:-NC)?(?:-ND|-SA)?)-(\d\.\d)(?:-([A-Z]{2}|IGO))?")


def short_name(cid: Cid, n_chars: int = 8) -> str:
    """The first characters after the constant `bafyrei`; the whole text for a CID of another kind."""
    text = str(cid)
    if not text.startswith(OBJECT_CID_START):
        return text
    return text[len(OBJECT_CID_START) : len(OBJECT_CID_START) + n_chars]


def code_of(identity: Cid) -> str:
    """The short code that stands beside a person's name, because names can be copied."""
    return f"[{short_name(identity)}]"


def safe_line(text: str) -> str:
    r"""Text as received -> one line that a terminal or a page shows as it stands.

    What isn't printable (C0, C1, ESC, bidi controls, zero width, surrogates, unassigned) becomes its escape, such as
    `\x1b`; line breaks and other spaces become one plain space.
    """
    if text.isprintable():
        return text
    return "".join(_shown(char) for char in " ".join(text.split()))


def safe_name(text: str) -> str:
    """A person's name as received -> one line that can't pass for a name with a code: its square brackets become round."""
    return safe_line(text).translate(_ROUND)


def quoted(text: str) -> str:
    """A title or label as received -> one line between quotation marks that it can't close itself."""
    return f'"{safe_line(text).translate(_SINGLE)}"'


_ROUND: Final = str.maketrans("[]\uff3b\uff3d", "()()")
_SINGLE: Final = str.maketrans(dict.fromkeys('"\u201c\u201d\u201e\u201f\u2033\u2036\uff02', "'"))


def _shown(char: str) -> str:
    if char.isprintable() or char in _JOINERS:
        return char
    return char.encode("unicode_escape").decode("ascii")


def web_url(url: str) -> str | None:
    """The URL where it is a plain http or https one that may become a link; None otherwise."""
    return url if _WEB.fullmatch(url) and url.isascii() and url.isprintable() else None


def source_url(url: str | None) -> str | None:
    """The URL of a source outside, cleaned; None where it poses as a pointer to a record, which it has none of."""
    return None if url is None or url.lower().startswith("hitp2p:") else safe_line(url)


def license_url(license_id: str) -> str | None:
    """Where the text of a Creative Commons licence stands, by its SPDX id; None for all others."""
    if license_id in _PUBLIC:
        return _PUBLIC[license_id]
    if not (found := _CC.fullmatch(license_id)):
        return None
    name, version, port = found.groups()
    tail = f"{port.lower()}/" if port else ""
    return f"https://creativecommons.org/licenses/{name.lower()}/{version}/{tail}"


_PUBLIC: Final = {
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-PDM-1.0": "https://creativecommons.org/publicdomain/mark/1.0/",
}


def role_word(role: str) -> str:
    """The word for a MARC relator code that is common in creative work; any other role as it stands."""
    return _ROLES.get(role, role)


def relation_words(relation: str) -> str:
    """How a relation reads before the title of the source: `remix of`, `inspired by`."""
    return _RELATIONS.get(relation, f"{relation} of")


def use_words(relation: str) -> str:
    """What was done with a source, below its line in a sheet: `remixed`, `taken as inspiration`."""
    return _USES.get(relation, f"used as {relation}")


_USES: Final = {
    "remix": "remixed",
    "version": "made into a new version",
    "merge": "merged",
    "response": "answered",
    "translation": "translated",
    "extract": "taken in part",
    "sample": "sampled",
    "collect": "taken unchanged into a collection",
    "reference": "referred to",
    "inspired-by": "taken as inspiration",
}
_RELATIONS: Final = {
    "response": "response to",
    "collect": "collects",
    "reference": "refers to",
    "inspired-by": "inspired by",
}

_ROLES: Final = {
    "act": "actor",
    "adp": "adapter",
    "anm": "animator",
    "arr": "arranger",
    "art": "artist",
    "aui": "author of introduction",
    "aut": "author",
    "ccp": "conceptor",
    "cmp": "composer",
    "cnd": "conductor",
    "cng": "cinematographer",
    "com": "compiler",
    "cov": "cover designer",
    "cre": "creator",
    "crr": "corrector",
    "ctb": "contributor",
    "cur": "curator",
    "dnc": "dancer",
    "drt": "director",
    "dsr": "designer",
    "edt": "editor",
    "flm": "film editor",
    "ill": "illustrator",
    "itr": "instrumentalist",
    "lbt": "librettist",
    "lyr": "lyricist",
    "mus": "musician",
    "nrt": "narrator",
    "pht": "photographer",
    "prf": "performer",
    "prg": "programmer",
    "pro": "producer",
    "pup": "puppeteer",
    "rcd": "recordist",
    "rce": "recording engineer",
    "res": "researcher",
    "scr": "scribe",
    "sds": "sound designer",
    "sng": "singer",
    "std": "set designer",
    "stl": "storyteller",
    "trl": "translator",
    "vac": "voice actor",
    "vdg": "videographer",
    "voc": "vocalist",
}
"""https://www.loc.gov/marc/relators/"""
