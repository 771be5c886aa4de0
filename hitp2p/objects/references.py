"""What an object links to and speaks of, and the rules on that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from hitp2p import limits
from hitp2p.codec.cid import Cid
from hitp2p.errors import RuleError
from hitp2p.objects.kinds import KINDS
from hitp2p.objects.parts import TARGET
from hitp2p.rules import RuleSet

if TYPE_CHECKING:
    from hitp2p.objects.envelope import SignedObject

__all__ = ["OBJECT_RULES", "iter_links", "iter_refs", "may_have_many_references"]

_MIN_LINK_BYTES: Final = 41
"""A link in dag-cbor; a ref takes 61."""


def may_have_many_references(block: bytes) -> bool:
    """Whether there is room in it for more links and refs than OBJ-10 allows."""
    return len(block) >= _MIN_LINK_BYTES * (limits.REFERENCES + 1)


OBJECT_RULES: RuleSet[[SignedObject]] = RuleSet()
"""Checks of an object whose envelope and body have the right shape."""


@OBJECT_RULES.rule("OBJ-10")
def _has_few_references(obj: SignedObject) -> None:
    """What one object makes others store and walk is bounded."""
    if not may_have_many_references(obj.block):
        return  # counting costs 7 us
    n_found = sum(1 for _ in iter_links(obj)) + sum(1 for _ in iter_refs(obj))
    if n_found > limits.REFERENCES:
        raise RuleError(
            f"{n_found} links and refs; at most {limits.REFERENCES} allowed", rule="OBJ-10"
        )


@OBJECT_RULES.rule("OBJ-17")
def _target_here_has_no_project(obj: SignedObject) -> None:
    """One target has one spelling: `project` stands only where it is another one."""
    for name in _TARGET_FIELDS.get(obj.kind, ()):
        if name in obj.body:
            _refuse_own_project(obj, obj.body[name], "OBJ-17")
    if obj.kind == "call":
        for target in obj.body.get("material", ()):
            _refuse_own_project(obj, target, "OBJ-17")


@OBJECT_RULES.rule("KND-2")
def _use_from_here_has_no_project(obj: SignedObject) -> None:
    """Else a work could use another of its project without naming it as parent [TRL-7]."""
    if obj.kind == "contribution":
        for use in obj.body.get("uses", ()):
            _refuse_own_project(obj, use, "KND-2")


_TARGET_FIELDS: Final = {
    name: tuple(field for field, shape in kind.body.fields.items() if shape is TARGET)
    for name, kind in KINDS.items()
}


def _refuse_own_project(obj: SignedObject, target: dict[str, Any], rule: str) -> None:
    if "project" in target and obj.project is not None and target["project"] == str(obj.project):
        raise RuleError("project is the object's own; leave it out", rule=rule)


def iter_links(obj: SignedObject) -> Iterator[Cid]:
    """Every link, each time that it stands there, in the order of the block."""
    values: list[Any] = [obj.project, *reversed(obj.parents), obj.author, obj.event, obj.body]
    while values:
        value = values.pop()
        if type(value) is Cid:
            yield value
        elif type(value) is dict:
            values.extend(reversed(value.values()))  # pyright: ignore
        elif type(value) is list:
            values.extend(reversed(value))  # pyright: ignore


def iter_refs(obj: SignedObject) -> Iterator[str]:
    """Every ref in a known field, each time that it stands there, in the order of the block."""
    kind = KINDS.get(obj.kind)
    return iter(()) if kind is None else kind.body.refs(obj.body)
