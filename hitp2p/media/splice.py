"""Copying a file with some of its bytes replaced, and finding texts in blocks of tags."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import BinaryIO, Final

from hitp2p.media.pointer import POINTER_SCHEME, TAG_TEXT_CHARS, TAG_TEXTS
from hitp2p.media.source import MediaSource

__all__ = ["TagFinder", "splice"]

_SCHEME: Final = POINTER_SCHEME.encode("ascii")
_AROUND: Final = TAG_TEXT_CHARS // 2
"""How many bytes on either side of a pointer are shown with it."""
_BEFORE: Final = re.compile(rb"[^\x00-\x08\x0b\x0c\x0e-\x1f<>\"']*\Z")
_AFTER: Final = re.compile(rb"[^\x00-\x08\x0b\x0c\x0e-\x1f<>\"']*")


def splice(
    source: MediaSource, sink: BinaryIO, edits: Iterable[tuple[int, int, bytes]], *, rule: str
) -> None:
    """Copy a file; each edit is a start, an end and the bytes that stand there instead, in ascending order."""
    at = 0
    for start, end, new in edits:
        _copy(source, sink, at, start, rule)
        sink.write(new)
        at = end
    _copy(source, sink, at, source.size, rule)


def _copy(source: MediaSource, sink: BinaryIO, start: int, end: int, rule: str) -> None:
    for piece in source.pieces(start, end - start, rule=rule):
        sink.write(piece)


class TagFinder:
    """Collects the texts that speak of `hitp2p:` from blocks of tags whose structure isn't read.

    A text ends at a quote, an angle bracket or a control character. So UTF-8 and ASCII texts in EXIF, XMP,
    comments and the like are found.
    """

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: list[str] = []

    @property
    def texts(self) -> tuple[str, ...]:
        """As received, in file order; as many and as long as `FoundEssence.tag_texts` allows."""
        return tuple(self._found)

    def look(self, block: bytes) -> None:
        """Find the texts of a block."""
        at = block.find(_SCHEME)
        while at >= 0 and len(self._found) < TAG_TEXTS:
            before = _BEFORE.search(block, max(0, at - _AROUND), at)
            after = _AFTER.match(block, at, at + _AROUND)
            first = at if before is None else before.start()
            end = at if after is None else after.end()
            self._found.append(block[first:end].decode("utf-8", "replace"))
            at = block.find(_SCHEME, max(end, at + 1))
