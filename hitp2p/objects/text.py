"""What text in a known field may look like, and cleaners that make it so."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from hitp2p import limits
from hitp2p.errors import RuleError, UsageError
from hitp2p.rules import RuleSet

__all__ = ["TEXT_RULES", "clean_line", "clean_text", "parse_text", "to_nfc"]

_INVISIBLE: Final = re.compile(
    "[\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u200b\u2060\ufeff\U000e0000-\U000e007f]"
)
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_BUT_LF: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")

_LATER: Final = re.compile(
    "(["
    "\u0897\u0ece\u1acf-\u1aff\U00010d40-\U00010d8f\U00010ec5-\U00010eff\U00011380-\U000113ff"
    "\U00011b60-\U00011b7f\U00011db0-\U00011def\U00011f00-\U00011f5f\U00016100-\U0001613f"
    "\U00016d40-\U00016d7f\U0001e030-\U0001e08f\U0001e4d0-\U0001e4ff\U0001e5d0-\U0001e5ff"
    "\U0001e6c0-\U0001e6ff"
    "])"
)
"""Where Unicode 15 to 17 put characters that combine and Unicode 14 has none: they combine with nothing
here, so that text has one verdict under every Python. A test fails once a Python knows more of them."""

TEXT_RULES: RuleSet[[str, int, bool, str]] = RuleSet()
"""Checks of (text, most bytes of UTF-8, whether LF may stand, rule of the bound)."""


@TEXT_RULES.rule("OBJ-16")
def _fits(text: str, limit_bytes: int, _multiline: bool, rule: str) -> None:
    n_bytes = len(text.encode("utf-8", "surrogatepass"))
    if n_bytes > limit_bytes:
        raise RuleError(f"text of {n_bytes} bytes; at most {limit_bytes} allowed", rule=rule)


@TEXT_RULES.rule("OBJ-14")
def _is_plain(text: str, _limit_bytes: int, _multiline: bool, _rule: str) -> None:
    """Two texts that look the same should be the same, and none may turn a line around."""
    if not text:
        raise RuleError("empty text; leave the field out", rule="OBJ-14")
    if found := _INVISIBLE.search(text):
        raise RuleError(f"invisible character U+{ord(found[0]):04X} in text", rule="OBJ-14")
    if not all(unicodedata.is_normalized("NFC", piece) for piece in _LATER.split(text)[::2]):
        raise RuleError("text is not in Unicode normal form NFC", rule="OBJ-14")


@TEXT_RULES.rule("OBJ-15")
def _has_no_controls(text: str, _limit_bytes: int, multiline: bool, _rule: str) -> None:
    """A control character could drive a terminal or forge a line of output."""
    if found := (_CONTROL_BUT_LF if multiline else _CONTROL).search(text):
        what = "multi-line text, which may have LF" if multiline else "single-line text"
        raise RuleError(f"control character U+{ord(found[0]):04X} in {what}", rule="OBJ-15")


def parse_text(block: bytes) -> str:
    """The text in a text block (`note_block` and its like), whose hash is verified [MED-8].

    Raises:
        RuleError: too long, not UTF-8, or against OBJ-14 or OBJ-15; the rule is MED-8 in all cases.
    """
    if len(block) > limits.TEXT_BLOCK_BYTES:
        raise RuleError(
            f"text block of {len(block)} bytes; at most {limits.TEXT_BLOCK_BYTES} allowed",
            rule="MED-8",
        )
    try:
        text = block.decode()
        TEXT_RULES(text, limits.TEXT_BLOCK_BYTES, True, "MED-8")
    except UnicodeDecodeError as error:
        raise RuleError("text block is not UTF-8", rule="MED-8", offset=error.start) from error
    except RuleError as error:
        raise RuleError(f"text block: {error.message} ({error.rule})", rule="MED-8") from error
    return text


def clean_line(text: str, limit_bytes: int = limits.LINE_BYTES) -> str:
    """A person's input as single-line text that may go into an object.

    Runs of white space and control characters become one space, what is invisible goes, the rest
    comes into NFC. Nothing is cut: a person should decide what to leave out.

    Raises:
        UsageError: nothing is left, or it is longer than `limit_bytes` in UTF-8.
    """
    return _fit(" ".join(_CONTROL.sub(" ", _plain(text)).split()), limit_bytes)


def clean_text(text: str, limit_bytes: int = limits.NOTE_BYTES) -> str:
    """A person's input as multi-line text that may go into an object; see `clean_line`.

    Line ends of all systems become LF; spaces at the ends of lines and empty lines around go.
    """
    lines = re.split("\r\n|[\r\n\x85\u2028\u2029]", _plain(text))
    return _fit("\n".join(_CONTROL.sub(" ", line).rstrip() for line in lines).strip(), limit_bytes)


def _plain(text: str) -> str:
    # Taking out what is invisible may put a letter beside its accent, so NFC comes after it.
    return to_nfc(_INVISIBLE.sub("", text))


def to_nfc(text: str) -> str:
    """Text in the normal form NFC as of Unicode 14, whatever later version this Python knows [OBJ-14]."""
    if not _LATER.search(text):
        return unicodedata.normalize("NFC", text)
    pieces = _LATER.split(text)  # every second one is a later character
    pieces[::2] = [unicodedata.normalize("NFC", piece) for piece in pieces[::2]]
    return "".join(pieces)


def _fit(text: str, limit_bytes: int) -> str:
    n_bytes = len(text.encode())
    if not text:
        raise UsageError("nothing is left of the text once invisible characters are taken out")
    if n_bytes > limit_bytes:
        raise UsageError(f"text of {n_bytes} bytes; at most {limit_bytes} allowed [OBJ-16]")
    return text
