"""Clock and randomness of a run: the system's, or replayed for tests and walkthroughs.

HITP2P_NOW fixes the time (milliseconds since 1970, or `2026-03-01T12:00:00Z`). HITP2P_SEED replaces
chance by a stream that depends on the seed and the command line, so a script run twice writes the
same bytes. Keys made under a seed are worthless as keys; `id new` says so.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hitp2p.errors import UsageError

if TYPE_CHECKING:
    from hitp2p.ports import Clock, Randomness

__all__ = ["clock_from", "randomness_from"]


def clock_from(environ: Mapping[str, str]) -> Clock:
    """The system's clock, or one that stands still at HITP2P_NOW."""
    fixed = environ.get("HITP2P_NOW")
    if not fixed:
        import time

        return lambda: time.time_ns() // 1_000_000
    now = _parse_time(fixed)
    return lambda: now


def _parse_time(text: str) -> int:
    if text.isascii() and text.isdigit():
        return int(text)
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"HITP2P_NOW is {text!r}; a time such as 2026-03-01T12:00:00Z is needed"
        ) from None
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)


def randomness_from(environ: Mapping[str, str], argv: Sequence[str]) -> Randomness:
    """The system's randomness, or a stream of SHA-256 blocks over HITP2P_SEED and the command line."""
    seed = environ.get("HITP2P_SEED")
    if not seed:
        return os.urandom
    return _Stream("\0".join([seed, *argv]).encode("utf-8", "surrogateescape"))


class _Stream:
    """SHA-256 in counter mode."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._counter = 0

    def __call__(self, n_bytes: int, /) -> bytes:
        from hashlib import sha256

        out = b""
        while len(out) < n_bytes:
            out += sha256(self._counter.to_bytes(8, "big") + self._key).digest()
            self._counter += 1
        return out[:n_bytes]
