"""Texts that share passages: runs of eight words, whatever the case, the punctuation and the line ends.

Coverage is told of the shorter text: an excerpt is wholly in its source, however long that is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from hitp2p.media.prints import Print, mark_of
from hitp2p.objects.text import to_nfc

__all__ = [
    "ALGORITHM",
    "LEAST",
    "TEXT_BYTES",
    "THRESHOLD",
    "UNRELATED",
    "measure",
    "needs",
    "suits",
]

ALGORITHM: Final = "shingle8/1"
THRESHOLD: Final = 0.10
UNRELATED: Final = 0.043
LEAST: Final = 4
"""Fewest different shingles that two texts must share: eleven words in a row."""
TEXT_BYTES: Final = 4 * 1024 * 1024
"""Longest text that is compared, in bytes: some long novels."""

_WORDS: Final = 8
_WORD: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
    r"|[^\W_\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"
)
"""A run of letters and digits; a single character of scripts that write no spaces (Thai, Lao, Burmese, Khmer, Japanese, Chinese)."""


def suits(media_type: str, /) -> bool:
    """Plain text; its markup counts as words."""
    return media_type == "text/plain"


def needs() -> str | None:
    """Nothing."""
    return None


def measure(pieces: Iterable[bytes], media_type: str, /) -> Print | None:
    """The shingles of a text. None for what isn't UTF-8, is longer than `TEXT_BYTES` or has fewer than eight words."""
    data = bytearray()
    for piece in pieces:
        data += piece
        if len(data) > TEXT_BYTES:
            return None
    try:
        words = _WORD.findall(to_nfc(data.decode("utf-8-sig")).casefold())
    except UnicodeDecodeError:
        return None
    runs = {" ".join(words[n : n + _WORDS]) for n in range(len(words) - _WORDS + 1)}
    marks = {mark_of(run.encode(), ALGORITHM): 1 for run in runs}
    return Print(marks=marks, total=len(marks)) if marks else None
