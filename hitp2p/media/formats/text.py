"""Plain text: its characters, however an editor ends lines, spells accents or leaves blanks behind [MED-17].

Text has no tags, so a pointer has no place in it: the bundle goes beside the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from hitp2p.errors import DecodeError
from hitp2p.limits import TEXT_LINE_BYTES
from hitp2p.media.essence import FoundEssence, essence_hasher
from hitp2p.media.source import MediaSource
from hitp2p.objects.text import to_nfc

__all__ = ["ALGORITHM", "scan"]

ALGORITHM: Final = "text/1"

_RULE: Final = "MED-17"
_MARK: Final = b"\xef\xbb\xbf"
"""The byte order mark in UTF-8."""
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")
_BLANKS: Final = " \t"
_EMPTY_LINES: Final = 65_536
"""Empty lines that are hashed at once."""


def scan(source: MediaSource) -> FoundEssence:
    """The essence of a text.

    Raises:
        DecodeError: MED-17, for what isn't UTF-8, has control characters or nothing but blanks, or too long a line.
    """
    hasher = essence_hasher(ALGORITHM)
    n_ends, is_blank = 0, True
    for block in _normal_blocks(source):
        text = block.rstrip(b"\n")
        if text:
            for at in range(0, n_ends, _EMPTY_LINES):  # those after the last line never come here
                hasher.update(b"\n" * min(_EMPTY_LINES, n_ends - at))
            hasher.update(text)
            n_ends, is_blank = 0, False
        n_ends += len(block) - len(text)
    if is_blank:
        raise DecodeError("a text of nothing but blanks", rule=_RULE)
    hasher.update(b"\n")
    return FoundEssence(algorithm=ALGORITHM, digest=hasher.digest())


def _normal_blocks(source: MediaSource) -> Iterator[bytes]:
    """Some lines at a time in normal form: each ends with LF and has no blanks before it."""
    for block in _blocks(source):
        try:
            text = block.decode()
        except UnicodeDecodeError:
            raise DecodeError("not UTF-8", rule=_RULE) from None
        if found := _CONTROL.search(text):
            raise DecodeError(f"control character U+{ord(found[0]):04X} in text", rule=_RULE)
        lines = (text if text.isascii() else to_nfc(text)).removesuffix("\n").split("\n")
        yield "\n".join([*(line.rstrip(_BLANKS) for line in lines), ""]).encode()


def _blocks(source: MediaSource) -> Iterator[bytes]:
    """Whole lines that end with LF, without the mark. A line that goes on is kept for the next block."""
    start = len(_MARK) if source.size >= 3 and source.read(0, 3, rule=_RULE) == _MARK else 0
    kept = b""
    for piece in source.pieces(start, source.size - start, rule=_RULE):
        data = kept + piece
        half = b"\r" if data.endswith(b"\r") else b""  # perhaps of CR and LF
        data = data.removesuffix(half).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        end = data.rfind(b"\n") + 1
        block, kept = data[:end], data[end:]
        if max(map(len, (*block.split(b"\n"), kept))) > TEXT_LINE_BYTES:
            raise DecodeError(f"a line of over {TEXT_LINE_BYTES} bytes", rule=_RULE)
        kept += half
        if block:
            yield block
    if kept:
        yield kept.removesuffix(b"\r") + b"\n"
