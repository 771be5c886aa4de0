"""What is kept of a medium so that its like can be found: marks that others may share, and codes that others may be near."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Protocol

from hitp2p.dataclass import dataclass, field

__all__ = ["Coverage", "Likeness", "Nearness", "Print", "mark_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Print:
    """One medium as one algorithm sees it. Derived from its bytes, and never part of a signed object."""

    marks: Mapping[int, int] = field(default_factory=dict[int, int])
    """Signed 64-bit hashes of its parts, each with its weight: bytes of chunks, 1 for a shingle."""
    total: int = 0
    """The weight of all its parts."""
    kept: bytes = b""
    """Codes as they are kept of a known work."""
    asked: bytes = b""
    """Codes as they are asked for; where they are empty, nothing is near."""


class Likeness(Protocol):
    """A module that finds works that a file shares parts with, or is near to."""

    @property
    def ALGORITHM(self) -> str:  # noqa: N802
        """Name and version; the prints of another version are made anew."""
        ...

    @property
    def THRESHOLD(self) -> float:  # noqa: N802
        """From which coverage on, or up to which distance, a work is told."""
        ...

    @property
    def UNRELATED(self) -> float:  # noqa: N802
        """The largest coverage, or the smallest distance, that was measured between unrelated works."""
        ...

    def suits(self, media_type: str, /) -> bool:
        """Whether it has anything to say of media of this sniffed type."""
        ...

    def needs(self) -> str | None:
        """What must be installed before it works, as a command or a name; None where all is here."""
        ...

    def measure(self, pieces: Iterable[bytes], media_type: str, /) -> Print | None:
        """The print of a medium, as received; None where it has none: too short, too large, odd or hostile.

        Args:
            pieces: its bytes in order.
            media_type: as sniffed; `suits` holds for it.
        """
        ...


class Coverage(Likeness, Protocol):
    """Tells how much of a file and of a work they have in common, by marks."""

    @property
    def LEAST(self) -> int:  # noqa: N802
        """The least weight that they must share."""
        ...


class Nearness(Likeness, Protocol):
    """Tells how far a file is from a work, by codes. Where there are marks, only works that share some are looked at."""

    def distance(self, asked: bytes, kept: bytes, /) -> float:
        """0.0 for the same, 1.0 for what can't be compared."""
        ...


def mark_of(part: bytes, algorithm: str) -> int:
    """The hash of a part: 64 bits with sign, as SQLite keeps integers."""
    digest = blake2b(part, digest_size=8, person=algorithm.encode("ascii")).digest()
    return int.from_bytes(digest, "big", signed=True)
