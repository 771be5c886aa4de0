"""Short names for people's fingers: the first characters of a CID instead of all 59."""

from __future__ import annotations

from typing import Final, Protocol

from hitp2p.codec.cid import OBJECT_CID_START, Cid
from hitp2p.errors import AmbiguousNameError, InvalidError, NotFoundError, UsageError
from hitp2p.trail.display import short_name

__all__ = ["SHORTEST", "PrefixIndex", "resolve_short"]

SHORTEST: Final = 4
"""Fewest characters after the constant prefix that are taken for a name."""
_CID_CHARS: Final = 59
_LISTED: Final = 8


class PrefixIndex(Protocol):
    """Finds signed objects by how their CID begins; every store does."""

    def match_prefix(self, text: str, /, limit: int) -> tuple[Cid, ...]:
        """Up to `limit` signed objects whose CID as text starts with `text`, by CID."""
        ...


def resolve_short(text: str, store: PrefixIndex) -> Cid:
    """The object that a whole CID or the beginning of one means.

    A whole CID is returned whether or not it is here.

    Raises:
        UsageError: too short, or not made of base32 characters.
        NotFoundError: nothing in the store begins so.
        AmbiguousNameError: several objects begin so; the message lists some.
    """
    name = text.strip().lower()
    if len(name) >= _CID_CHARS:
        try:
            return Cid.parse(text.strip())
        except InvalidError as error:
            raise UsageError(f"{text!r} is not a CID: {error.message}") from error
    tail = name.removeprefix(OBJECT_CID_START)
    if len(tail) < SHORTEST or not set(tail) <= set("abcdefghijklmnopqrstuvwxyz234567"):
        raise UsageError(
            f"{text!r} is not a name: write a CID, or at least {SHORTEST} of the characters"
            f" (a-z, 2-7) that follow {OBJECT_CID_START}"
        )
    found = list(store.match_prefix(OBJECT_CID_START + tail, limit=_LISTED + 1))
    if not found:
        raise NotFoundError(f"no object here has a name that begins with {tail!r}")
    if len(found) > 1:
        some = ", ".join(short_name(cid, 12) for cid in found[:_LISTED])
        more = ", ..." if len(found) > _LISTED else ""
        raise AmbiguousNameError(f"{tail!r} fits several objects: {some}{more}", found[:_LISTED])
    return found[0]
