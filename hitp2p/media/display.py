"""What in a file's metadata changes how it looks [MED-11]: collected by a parser, hashed as lines."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Final, Literal

from hitp2p.errors import DecodeError
from hitp2p.media.essence import display_hasher

__all__ = ["Display", "SplitProfile", "exif_orientation", "profile_line", "xmp_orientation"]

_XMP_ORIENTATION: Final = re.compile(rb"tiff:Orientation(?:=\"|='|>)([0-9])")
_ORIENTATION: Final = 0x0112
_SHORT: Final = 3
_TYPE_BYTES: Final = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8)
"""Of a value in an EXIF directory, by the number of its type; others are passed over by those who read them."""


class Display:
    """The lines of one file: sorted, each with an end of line, they are what `display` hashes [MED-11]."""

    __slots__ = ("_exif", "_lines", "_xmp")

    def __init__(self) -> None:
        self._lines: dict[str, str] = {}
        self._exif: int | None = None
        self._xmp: int | None = None

    def add(self, line: str, note: str) -> None:
        """A line in ASCII as the format's rule words it, and the same for people."""
        self._lines[line] = note

    def take_exif(self, block: bytes, *, rule: str) -> None:
        """Look for an orientation in an EXIF block, which begins with its TIFF header.

        Raises:
            DecodeError: the block or the orientation is malformed.
        """
        self._exif = exif_orientation(block, rule=rule)

    def take_xmp(self, packet: bytes) -> None:
        """Look for an orientation in an XMP packet; it counts where EXIF has none."""
        self._xmp = xmp_orientation(packet)

    def finish(self, algorithm: str) -> tuple[bytes | None, tuple[str, ...]]:
        """The hash, None without any line, and the notes in the order of the lines."""
        orientation = self._xmp if self._exif is None else self._exif
        if orientation not in (None, 1):
            self.add(f"orientation {orientation}", f"orientation {orientation}")
        if not self._lines:
            return None, ()
        hasher = display_hasher(algorithm)
        lines = sorted(self._lines)
        hasher.update("".join(f"{line}\n" for line in lines).encode("ascii"))
        return hasher.digest(), tuple(self._lines[line] for line in lines)


def exif_orientation(block: bytes, *, rule: str) -> int | None:
    """The orientation in the first directory of an EXIF block; None without one.

    Raises:
        DecodeError: the directory can't be read, its orientation isn't one number of 16 bits, or it turns the
            picture while some of its values aren't there.
    """
    order: Literal["little", "big"] = "little" if block[:1] == b"I" else "big"
    if block[:4] not in (b"II*\0", b"MM\0*"):
        raise DecodeError("the EXIF block doesn't begin with a TIFF header", rule=rule)

    def number(at: int, length: int) -> int:
        if at + length > len(block):
            raise DecodeError("the first directory of the EXIF block is cut short", rule=rule)
        return int.from_bytes(block[at : at + length], order)

    directory = number(4, 4)
    n_entries = number(directory, 2)
    number(directory + 2 + 12 * n_entries - 1, 1)
    entries = range(directory + 2, directory + 2 + 12 * n_entries, 12)
    found = [at for at in entries if number(at, 2) == _ORIENTATION]
    if not found:
        return None
    at = found[0]
    if len(found) > 1 or number(at + 2, 2) != _SHORT or number(at + 4, 4) != 1:
        raise DecodeError("the EXIF orientation isn't one number of 16 bits", rule=rule)
    orientation = number(at + 8, 2)
    if orientation != 1:
        for entry in entries:  # some readers give up at a value that isn't there, others go on
            kind, count = number(entry + 2, 2), number(entry + 4, 4)
            size = count * (_TYPE_BYTES[kind] if kind < len(_TYPE_BYTES) else 0)
            if size > 4 and number(entry + 8, 4) + size > len(block):
                raise DecodeError("an EXIF block turns the picture and is cut short", rule=rule)
    return orientation


def xmp_orientation(packet: bytes) -> int | None:
    """The first orientation that an XMP packet states, found as text the way image libraries do."""
    found = _XMP_ORIENTATION.search(packet)
    return None if found is None else int(found[1])


def profile_line(pieces: Iterable[bytes]) -> tuple[str, str]:
    """The line and the note of a colour profile, which is known by its hash and never read."""
    hasher, size = hashlib.sha256(), 0
    for piece in pieces:
        hasher.update(piece)
        size += len(piece)
    return f"profile {hasher.hexdigest()}", f"a colour profile of {size} bytes"


class SplitProfile:
    """A profile in numbered parts, which have to come complete and in order."""

    __slots__ = ("_count", "_parts", "_rule")

    def __init__(self, *, rule: str) -> None:
        self._parts: list[bytes] = []
        self._count = 0
        self._rule = rule

    @property
    def is_any(self) -> bool:
        """Whether a part was seen."""
        return bool(self._parts)

    def take(self, part: bytes) -> None:
        """The next part: its number from 1, how many there are, and its bytes; at most 255 of 64 KiB.

        Raises:
            DecodeError: it isn't the next.
        """
        self._parts.append(part[2:])
        if len(part) < 2 or part[0] != len(self._parts) or part[1] != (self._count or part[1]):
            raise DecodeError("the parts of the colour profile aren't in order", rule=self._rule)
        self._count = part[1]

    def finish(self) -> tuple[str, str]:
        """The line and the note.

        Raises:
            DecodeError: parts are missing.
        """
        if self._count != len(self._parts):
            raise DecodeError("parts of the colour profile are missing", rule=self._rule)
        return profile_line(self._parts)
