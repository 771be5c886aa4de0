"""The rules on the envelope: which keys an object has, and what may stand in them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

from hitp2p import limits
from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.errors import NewerVersionError, RuleError
from hitp2p.objects.kinds import KINDS, Presence
from hitp2p.objects.shape import say_type
from hitp2p.rules import RuleSet

__all__ = ["ENVELOPE_RULES"]

ENVELOPE_RULES: RuleSet[[dict[str, Any]]] = RuleSet()
"""Checks of the decoded block; each may assume that those before it have passed."""

_TYPES: Final[dict[str, type]] = {
    "sig": bytes,
    "body": dict,
    "kind": str,
    "spec": int,
    "time": int,
    "event": Cid,
    "author": Cid,
    "signer": bytes,
    "parents": list,
    "project": Cid,
}
_REQUIRED: Final = ("sig", "body", "kind", "spec", "time", "signer")
_KIND_CHARS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")


@ENVELOPE_RULES.rule("OBJ-3")
def _is_of_this_version(fields: dict[str, Any]) -> None:
    """Stands first: a later version may have other keys, and is newer rather than wrong."""
    spec = fields.get("spec", 1)
    if spec != 1 and type(spec) is int:
        raise NewerVersionError(
            f"format version {spec}; this program knows version 1", rule="OBJ-3"
        )


@ENVELOPE_RULES.rule("OBJ-1")
def _has_the_ten_keys(fields: dict[str, Any]) -> None:
    """The set is closed, so that `sig` always sorts first and no field can hide beside the body."""
    for name, value in fields.items():
        if type(value) is not _TYPES.get(name):
            raise _wrong_field(name, value)
    for name in _REQUIRED:
        if name not in fields:
            raise RuleError(f"{name} is absent; it is required", rule="OBJ-1")
    if len(fields["sig"]) != 64 or len(fields["signer"]) != 32:
        raise RuleError("sig is 64 bytes and signer 32", rule="OBJ-1")
    for parent in fields.get("parents", ()):
        if type(parent) is not Cid:
            raise RuleError("parents has an entry that is not a link", rule="OBJ-1")


def _wrong_field(name: str, value: object) -> RuleError:
    if name not in _TYPES:
        return RuleError(f"{name!a} is not a key of an object", rule="OBJ-1")
    return RuleError(f"{name} is {say_type(value)}, which it can't be", rule="OBJ-1")


@ENVELOPE_RULES.rule("OBJ-4")
def _kind_is_a_word(fields: dict[str, Any]) -> None:
    kind: str = fields["kind"]
    if kind in KINDS:
        return
    if not 1 <= len(kind) <= limits.KIND_CHARS:
        raise RuleError(
            f"kind of {len(kind)} characters; 1 to {limits.KIND_CHARS} allowed", rule="OBJ-4"
        )
    if not ("a" <= kind[0] <= "z" and _KIND_CHARS.issuperset(kind)):
        raise RuleError(f"kind {kind!a}; a letter, then a-z 0-9 _ - are allowed", rule="OBJ-4")


@ENVELOPE_RULES.rule("OBJ-13")
def _time_fits_a_double(fields: dict[str, Any]) -> None:
    """Programs in JavaScript must read the same number."""
    if not 0 <= fields["time"] <= limits.TIME_MAX:
        raise RuleError(f"time {fields['time']}; 0 to {limits.TIME_MAX} are allowed", rule="OBJ-13")


@ENVELOPE_RULES.rule("OBJ-5")
def _parents_are_not_empty(fields: dict[str, Any]) -> None:
    """An empty list and an absent field would be two spellings of one object."""
    if "parents" in fields and not fields["parents"]:
        raise RuleError("empty parents; leave the field out", rule="OBJ-5")


@ENVELOPE_RULES.rule("OBJ-7")
def _parents_ascend(fields: dict[str, Any]) -> None:
    """One set of parents has one spelling."""
    parents: list[Cid] = fields.get("parents", [])
    if len(parents) > limits.PARENTS:
        raise RuleError(f"{len(parents)} parents; at most {limits.PARENTS} allowed", rule="OBJ-7")
    if len(parents) > 1 and any(left >= right for left, right in pairwise(parents)):
        raise RuleError("parents are not sorted and unique", rule="OBJ-7")


@ENVELOPE_RULES.rule("OBJ-8")
def _someone_speaks(fields: dict[str, Any]) -> None:
    if fields["kind"] != "identity" and not ("author" in fields and "event" in fields):
        raise RuleError("author and event are required", rule="OBJ-8")


@ENVELOPE_RULES.rule("OBJ-9")
def _belongs_where_its_kind_says(fields: dict[str, Any]) -> None:
    """`project` and `parents` go together; which kinds have them, the table knows."""
    kind = KINDS.get(fields["kind"])
    presence = _EITHER if kind is None else kind.presence
    if presence is _EVENT:
        return
    has_project = "project" in fields
    if has_project is not ("parents" in fields):
        raise RuleError("project and parents go together", rule="OBJ-9")
    if presence is not _EITHER and has_project is not (presence is _BOTH):
        raise RuleError(
            f"{fields['kind']} must have {presence.value} of project and parents", rule="OBJ-9"
        )


_EITHER: Final = Presence.EITHER  # reading it from the enum takes 0.07 us each time
_BOTH: Final = Presence.BOTH
_EVENT: Final = Presence.EVENT


@ENVELOPE_RULES.rule("OBJ-11")
def _envelope_links_name_objects(fields: dict[str, Any]) -> None:
    """A link to anything else could never be followed to a signed object."""
    # The codec stands in the second byte of every link that the decoder lets through [ENC-16];
    # `Cid.codec`, which can tell all codecs, takes 0.1 us more a link.
    for name in ("author", "event", "project"):
        link: Cid | None = fields.get(name)
        if link is not None and bytes(link)[1] != DAG_CBOR:
            raise RuleError(f"{name} {link} can't be a signed object", rule="OBJ-11")
    for parent in fields.get("parents", ()):
        if bytes(parent)[1] != DAG_CBOR:
            raise RuleError(f"parent {parent} can't be a signed object", rule="OBJ-11")
