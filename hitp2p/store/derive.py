"""What an index holds about one object, as pure functions; every store derives its index from these."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Final

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import ObjectClass

__all__ = ["Entry", "entry_of", "names_blocks", "query_words"]

_ASCII_WORD: Final = re.compile("[a-z0-9]+")
_TEXT_FIELDS: Final = frozenset(("title", "name", "note", "purpose", "prompt", "text", "reason"))
_NAMED_LISTS: Final = frozenset(("credits", "media"))
_UNSPACED: Final = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x3400, 0x9FFF),  # Han
    (0xF900, 0xFAFF),  # Han, compatibility
    (0x20000, 0x3FFFF),  # Han, later planes
)
"""Scripts that put no spaces between words, as ranges of code points; there, each character counts as a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What goes into the index for one object, beside the fields of its envelope."""

    is_work: bool
    """Whether it may be a head, and unmakes its parents' being heads [TRL-10]."""
    refs: frozenset[Cid]
    """What it names by ref."""
    links: frozenset[Cid]
    """Blocks that its body links to: pages, texts, media."""
    media: frozenset[bytes]
    """Whole-file hashes and essence digests of its media entries."""
    words: str
    """Its words for search, folded, each once, sorted, with a space between."""


def entry_of(obj: SignedObject) -> Entry:
    """Derive the entry of an object."""
    return Entry(
        is_work=obj.object_class is ObjectClass.WORK,
        refs=frozenset(obj.refs),
        links=_body_links(obj),
        media=frozenset(_media_digests(obj)),
        words=" ".join(sorted({word for text in _texts(obj) for word in _words(text)})),
    )


def names_blocks(obj: SignedObject) -> bool:
    """Whether its entry has links or media."""
    return bool(_body_links(obj)) or any(True for _ in _media_digests(obj))


def query_words(text: str) -> tuple[str, ...]:
    """The words of a search, folded as the index is."""
    return tuple(dict.fromkeys(_words(text)))


def _body_links(obj: SignedObject) -> frozenset[Cid]:
    own = (obj.author, obj.event, obj.project, *obj.parents)
    if obj.block.count(_LINK_TAG) == len(own) - own.count(
        None
    ):  # which spares a walk through the body
        return frozenset()
    return frozenset(obj.links) - frozenset(obj.required)


_LINK_TAG: Final = b"\xd8\x2a"
"""Stands in front of each link."""


def _media_digests(obj: SignedObject) -> Iterator[bytes]:
    media = obj.body.get("media")
    if media is None:
        return
    for digest in (*_fields(media, "sha256"), *_fields(_fields(media, "essence"), "digest")):
        if isinstance(digest, bytes):
            yield digest


def _texts(obj: SignedObject) -> Iterator[str]:
    """Text of known fields; an unknown kind may hold anything there, so types are asked."""
    values: list[Any] = []
    for name, value in obj.body.items():
        if name in _TEXT_FIELDS:
            values.append(value)
        elif name == "tags":
            values.extend(_entries(value))
        elif name in _NAMED_LISTS:
            values.extend(_fields(value, "name"))
    for value in values:
        if isinstance(value, str):
            yield value


def _entries(value: Any) -> list[Any]:
    """The entries of a list; of anything else, none."""
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]


def _fields(value: Any, name: str) -> list[Any]:
    """One field of each map in a list."""
    return [entry.get(name) for entry in _entries(value) if isinstance(entry, dict)]  # pyright: ignore


def _words(text: str) -> Iterator[str]:
    """Runs of letters and digits without case and accents."""
    if text.isascii():  # a tenth of the time
        yield from _ASCII_WORD.findall(text.lower())
        return
    word = ""
    for char in _decompose(_decompose(text).casefold()):
        if any(low <= ord(char) <= high for low, high in _UNSPACED):
            yield from filter(None, (word, char if char.isalnum() else ""))
            word = ""
        elif char.isalnum() or unicodedata.category(char) == "Mc":
            word += char
        elif not unicodedata.combining(char) and word:
            yield word
            word = ""
    if word:
        yield word


def _decompose(text: str) -> str:
    return unicodedata.normalize("NFKD", text)
