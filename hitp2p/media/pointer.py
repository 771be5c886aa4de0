"""Pointers: `hitp2p:` and the CID of a work, in the comment and copyright tags of a media file [MED-30].

A pointer says where to look and proves nothing: anyone can write any CID into any file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import import_module
from typing import BinaryIO, Final, Protocol, cast

from hitp2p.codec.cid import Cid
from hitp2p.errors import DecodeError, UsageError
from hitp2p.media.essence import FORMATS, FoundEssence
from hitp2p.media.sniff import SNIFF_BYTES, sniff_media_type
from hitp2p.media.source import MediaSource

__all__ = [
    "POINTER_SCHEME",
    "file_pointers",
    "find_pointers",
    "place_pointer",
    "pointer_formats",
    "pointer_text",
    "pointing_texts",
    "write_pointer",
]

POINTER_SCHEME: Final = "hitp2p:"
"""What every pointer begins with."""
TAG_TEXTS: Final = 16
"""Most texts of one file that are looked at."""
TAG_TEXT_CHARS: Final = 1024
"""Most characters of such a text."""

_POINTER: Final = re.compile(r"(?<![0-9A-Za-z])hitp2p:(b[a-z2-7]{1,200})(?![0-9A-Za-z])")
_WITHOUT_PLACE: Final = frozenset({"text"})
"""Formats that have an essence and no tags; a sidecar does for them."""
_TAGS_ONLY: Final = {"application/pdf": "pdf"}
"""Formats that have tags and no essence."""


class _Format(Protocol):
    def write_pointer(self, source: MediaSource, sink: BinaryIO, pointer: str) -> None:
        """Copy the file with the pointer in its tags, and its payload as it was."""
        ...

    def tag_texts(self, source: MediaSource) -> tuple[str, ...]:
        """Texts that speak of `hitp2p:`; formats without an essence have this."""
        ...


def pointer_text(cid: Cid) -> str:
    """The pointer to a work, as it goes into a tag."""
    return f"{POINTER_SCHEME}{cid}"


def find_pointers(texts: Iterable[str]) -> tuple[Cid, ...]:
    """The CIDs that texts point to: version 1, in canonical base32, each once, in the order found.

    Args:
        texts: tags of a file, as received. What looks like a pointer and isn't one is passed over.
    """
    found: dict[Cid, None] = {}
    for text in texts:
        for match in _POINTER.finditer(text):
            try:
                found.setdefault(Cid.parse(match[1]))
            except DecodeError:
                continue
    return tuple(found)


def pointing_texts(texts: Iterable[str]) -> tuple[str, ...]:
    """Those texts that speak of `hitp2p:`, for `FoundEssence.tag_texts`; long ones from there on."""
    found: list[str] = []
    for text in texts:
        at = text.find(POINTER_SCHEME)
        if at >= 0 and len(found) < TAG_TEXTS:
            found.append(text if len(text) <= TAG_TEXT_CHARS else text[at : at + TAG_TEXT_CHARS])
    return tuple(found)


def place_pointer(text: str, pointer: str) -> str:
    """A tag's text with the pointer in it: in the place of an older one, else at the end.

    Placing the same pointer twice gives the same text as once.
    """
    if _POINTER.search(text):
        return _POINTER.sub(pointer, text)
    return f"{text.rstrip()} {pointer}" if text.strip() else pointer


def pointer_formats() -> tuple[str, ...]:
    """The media types that a pointer can be written into, sorted."""
    tagged = {kind for kind, module in FORMATS.items() if module not in _WITHOUT_PLACE}
    return tuple(sorted(tagged | _TAGS_ONLY.keys()))


def write_pointer(source: MediaSource, sink: BinaryIO, pointer: str) -> None:
    """Copy a file with `pointer` in its comment and copyright tags; what is seen or heard stays.

    An older pointer is replaced, other tags stay as they are.

    Args:
        source: the file, whose type is told from its first bytes.
        sink: where the copy goes; after an error, what stands there is of no use.
        pointer: as `pointer_text` gives it.

    Raises:
        UsageError: files of this type have no place for it.
        DecodeError: the file is odd, or a tag can't be edited safely; the message says what to do.
    """
    media_type = _type_of(source)
    if media_type not in pointer_formats():
        raise UsageError(
            f"{media_type} has no place for a pointer; these have: {', '.join(pointer_formats())}. "
            "Put the bundle beside the file instead, under the file's name and .car"
        )
    _module(_TAGS_ONLY.get(media_type) or FORMATS[media_type]).write_pointer(source, sink, pointer)


def file_pointers(source: MediaSource, essence: FoundEssence | None) -> tuple[Cid, ...]:
    """The works that a file's tags point to.

    Args:
        source: the file.
        essence: what `scan_essence` found in it; None where it has none. The tags of a type without essences, such
            as PDF, are read here.
    """
    name = _TAGS_ONLY.get(_type_of(source))
    if name is not None:
        return find_pointers(_module(name).tag_texts(source))
    return () if essence is None else find_pointers(essence.tag_texts)


def _type_of(source: MediaSource) -> str:
    return sniff_media_type(source.read(0, min(SNIFF_BYTES, source.size), rule="MED-10"))


def _module(name: str) -> _Format:
    return cast("_Format", import_module(f"hitp2p.media.formats.{name}"))
