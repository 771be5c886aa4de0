"""The fields that a kind's table names. What else stands in a body may hold anything, and says nothing [KND-11]."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hitp2p.objects.kinds import KINDS

if TYPE_CHECKING:
    from hitp2p.objects.envelope import SignedObject

__all__ = ["known_field"]


def known_field(obj: SignedObject, name: str) -> Any:
    """A field of a body whose shape is checked; None where it is absent, or unknown to the object's kind.

    Use it wherever code takes objects of several kinds: `uses` is a list of uses in a contribution, and in a release
    whatever its author likes.
    """
    kind = KINDS.get(obj.kind)
    return obj.body.get(name) if kind is not None and name in kind.body.fields else None
