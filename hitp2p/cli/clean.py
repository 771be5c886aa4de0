"""The one door to a terminal: every line that the program prints passes `clean`.

Titles, names, notes and file names come from strangers. A terminal obeys control characters, and
bidirectional controls make one name look like another; so both are shown as escapes, never sent.
"""

from __future__ import annotations

__all__ = ["clean", "clean_lines", "fit", "pad", "width"]

_JOINERS = "\u200c\u200d"
"""ZWNJ and ZWJ take no column."""


def clean(text: str) -> str:
    r"""Text as received -> one line that a terminal shows as it stands, spaces kept.

    What isn't printable (C0, C1, ESC, bidi controls, zero width, tags, surrogates, private use,
    unassigned) becomes its escape, such as `\x1b`; line breaks and other spaces become plain ones.
    """
    if text.isprintable():
        return text
    from hitp2p.trail.display import safe_line

    return "".join(char if char.isprintable() else safe_line(char) or " " for char in text)


def clean_lines(text: str) -> list[str]:
    r"""Text as received -> its lines (split at LF only), each cleaned."""
    return [clean(line) for line in text.split("\n")]


def width(text: str) -> int:
    """Columns that cleaned text takes on a terminal: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(
        0 if combining(char) or char in _JOINERS else 2 if east_asian_width(char) in "WF" else 1
        for char in text
    )


def fit(text: str, columns: int) -> str:
    """Cleaned text, cut to `columns` with an ellipsis where it is longer."""
    text = clean(text)
    if width(text) <= columns:
        return text
    kept, used = "", 0
    for char in text:
        used += width(char)
        if used > columns - 1:
            break
        kept += char
    return kept.rstrip() + "\u2026"


def pad(text: str, columns: int) -> str:
    """Cleaned text with spaces up to `columns`."""
    return text + " " * (columns - width(text))
