"""Which names look alike [VER-8]. A small table of our own: Unicode's grows with each version, and a verdict must not change."""

from __future__ import annotations

from typing import Final

__all__ = ["fold_name"]

_FROM: Final = "АаВвЕеКкМмНнОоРрСсТтУуХхІіЈјЅѕҮүҺһӀӏԀԁԚԛԜԝ" + "ΑαΒβΕεΖζΗηΙιΚκΜμΝνΟοΡρΤτΥυΧχ" + "ıɑɡ"
"""Cyrillic letters, Greek letters, and a few more."""
_TO: Final = "aabbeekkmmhhooppccttyyxxiijjssyyhhllddqqww" + "aabbeezzhhiikkmmnvooppttyuxx" + "iag"
_LEFT_OUT: Final = " .,-_'`\u00a0\u00b4\u00b7\u2010\u2011\u2012\u2013\u2018\u2019\u200c\u200d"
_TABLE: Final = {
    **{ord(char): None for char in _LEFT_OUT},
    **{ord(char): to for char, to in zip(_FROM, _TO, strict=True)},
    **{number: chr(number + 32) for number in range(ord("A"), ord("Z") + 1)},
    **{number: chr(number - 0xFEE0) for number in range(0xFF41, 0xFF5B)},
    **{number: chr(number - 0xFEC0) for number in range(0xFF21, 0xFF3B)},
}
"""Latin letters lower case, those of full width too."""


def fold_name(name: str) -> str:
    """What is left of a name for the eye: two names that give the same text look alike."""
    return name.translate(_TABLE) or name
