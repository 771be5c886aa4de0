"""Short names for people's fingers: the first characters of a CID instead of all 59."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from hitp2p.codec.cid import OBJECT_CID_START, Cid
from hitp2p.errors import AmbiguousNameError, InvalidError, NotFoundError, UsageError
from hitp2p.trail.display import safe_line, short_name

__all__ = ["SHORTEST", "PrefixIndex", "Titled", "own_title", "resolve_short"]

SHORTEST: Final = 4
"""Fewest characters after the constant prefix that are taken for a name."""
_CID_CHARS: Final = 59
_LISTED: Final = 8
_TITLE_CHARS: Final = 40
"""How much of a title tells objects apart where several are listed."""


class PrefixIndex(Protocol):
    """Finds signed objects by how their CID begins; every store does."""

    def match_prefix(self, text: str, /, limit: int) -> tuple[Cid, ...]:
        """Up to `limit` signed objects whose CID as text starts with `text`, by CID."""
        ...


class Titled(Protocol):
    """What is told of an object where several fit."""

    @property
    def kind(self) -> str: ...
    @property
    def body(self) -> Mapping[str, Any]: ...


def own_title(obj: Titled) -> str | None:
    """The title or name of an object, as received."""
    values = (obj.body.get(field) for field in ("title", "name", "version"))
    return next((value for value in values if isinstance(value, str)), None)


def resolve_short(text: str, store: PrefixIndex, lookup: Callable[[Cid], Titled | None]) -> Cid:
    """The object that a whole CID or the beginning of one means.

    A whole CID is returned whether or not it is here.

    Args:
        text: as a person wrote it.
        store: where it is looked for.
        lookup: gives the objects, so that the message can name them where several fit.

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
        some = ", ".join(_described(cid, lookup(cid)) for cid in found[:_LISTED])
        more = ", ..." if len(found) > _LISTED else ""
        raise AmbiguousNameError(f"{tail!r} fits several objects: {some}{more}", found[:_LISTED])
    return found[0]


def _described(cid: Cid, obj: Titled | None) -> str:
    """`6c7rjq2ad5ht (contribution "Verse")`."""
    if obj is None:
        return short_name(cid, 12)
    title = safe_line(own_title(obj) or "")
    title = title if len(title) <= _TITLE_CHARS else title[: _TITLE_CHARS - 3] + "..."
    return f"{short_name(cid, 12)} ({obj.kind}" + (f' "{title}")' if title else ")")
