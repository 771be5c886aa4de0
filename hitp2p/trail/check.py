"""Whether an object fits the objects that it links to [TRL-1 to TRL-9].

The verdict is a function of an object and the objects its envelope names: never of arrival order, clock
or store. It changes only from incomplete (something is missing) to valid or invalid.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import NoReturn, TypeAlias, cast

from hitp2p.codec.cid import Cid
from hitp2p.errors import InvalidError, MissingBlocksError, RuleError
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.identity import IdentityEvent
from hitp2p.objects.kinds import ObjectClass
from hitp2p.rules import RuleSet

__all__ = [
    "EVENT_RULES",
    "TRAIL_RULES",
    "Found",
    "Lookup",
    "SetReport",
    "audit_set",
    "verify_in_trail",
]

Found: TypeAlias = Mapping[Cid, SignedObject]
"""All objects that an object requires, by CID; valid."""
Lookup: TypeAlias = Callable[[Cid], SignedObject | None]
"""The valid object with this CID, or None where it isn't here."""


def verify_in_trail(obj: SignedObject, lookup: Lookup) -> SignedObject:
    """Return `obj`, whose signature is verified, once it fits the objects that it links to.

    Args:
        obj: verified by itself.
        lookup: gives valid objects only; asked once for each of `obj.required`.

    Raises:
        MissingBlocksError: some of them are not here; names all that are missing.
        RuleError: a rule TRL or IDN is broken.
    """
    found: dict[Cid, SignedObject] = {}
    missing: list[Cid] = []
    for cid in obj.required:
        other = lookup(cid)
        if other is None:
            missing.append(cid)
        else:
            found[cid] = other
    if missing:
        raise MissingBlocksError(
            f"{obj.kind} {obj.cid} can't be judged: {len(missing)} objects that it links to are missing",
            missing,
        )
    try:
        (EVENT_RULES if obj.kind == "identity" else TRAIL_RULES)(obj, found)
    except RuleError as error:
        error.cid = obj.cid
        raise
    return obj


# --- objects that are not identity events ---------------------------------------------------------
TRAIL_RULES: RuleSet[[SignedObject, Found]] = RuleSet()


@TRAIL_RULES.rule("TRL-6")
def _signer_speaks_for_author(obj: SignedObject, found: Found) -> None:
    """Else anyone could put a work under another's name."""
    if obj.author is None or obj.event is None:
        raise RuleError("author and event are required", rule="TRL-6")
    author, event = found[obj.author], found[obj.event]
    if author.kind != "identity" or not author.is_genesis:
        raise RuleError("author is not the genesis of an identity", rule="TRL-6")
    if event.kind != "identity" or event.identity != author.cid:
        raise RuleError("event is not an event of the author", rule="TRL-6")
    if obj.signer not in event.body["keys"]:
        raise RuleError("the signer is not among the keys of the event", rule="TRL-6")


@TRAIL_RULES.rule("TRL-5")
def _project_is_a_project(obj: SignedObject, found: Found) -> None:
    if obj.project is not None and found[obj.project].kind != "project":
        raise RuleError("project is not an object of kind project", rule="TRL-5")


@TRAIL_RULES.rule("TRL-1")
def _parents_share_the_project(obj: SignedObject, found: Found) -> None:
    """A parent from elsewhere would carry strangers into the credits; such works go into uses."""
    for parent in obj.parents:
        if parent != obj.project and found[parent].project != obj.project:
            raise RuleError(f"parent {parent} belongs to another project", rule="TRL-1")


@TRAIL_RULES.rule("TRL-2")
def _works_follow_works(obj: SignedObject, found: Found) -> None:
    if obj.object_class is ObjectClass.WORK and not _is_first(obj):
        _require_parents(
            obj, found, {ObjectClass.WORK, ObjectClass.UNKNOWN}, "works of the project", "TRL-2"
        )


@TRAIL_RULES.rule("TRL-3")
def _rules_follow_rules(obj: SignedObject, found: Found) -> None:
    if obj.object_class is ObjectClass.RULES and not _is_first(obj):
        _require_parents(obj, found, {ObjectClass.RULES}, "rules", "TRL-3")


@TRAIL_RULES.rule("TRL-4")
def _statements_follow_the_project(obj: SignedObject, found: Found) -> None:
    """Nothing builds on what people say about works, so that talk never delays a work."""
    if obj.object_class is ObjectClass.STATEMENT and obj.parents and not _is_first(obj):
        raise RuleError("the parent of a statement is the project alone", rule="TRL-4")


@TRAIL_RULES.rule("TRL-7")
def _uses_name_parents(obj: SignedObject, found: Found) -> None:
    """What is used from this project is here whenever the work is, so its credits are."""
    if obj.kind == "contribution" and "uses" in obj.body:
        parents = {str(parent) for parent in obj.parents}
        for use in obj.body["uses"]:
            if "work" in use and "project" not in use and use["work"] not in parents:
                raise RuleError(
                    f"use of {use['work']}, which is not a parent; "
                    "a work of another project needs its project beside it",
                    rule="TRL-7",
                )


def _is_first(obj: SignedObject) -> bool:
    return len(obj.parents) == 1 and obj.parents[0] == obj.project


def _require_parents(
    obj: SignedObject, found: Found, allowed: set[ObjectClass], what: str, rule: str
) -> None:
    for parent in obj.parents:
        if found[parent].object_class not in allowed:
            raise RuleError(
                f"parent {parent} is a {found[parent].kind}; allowed are {what}, "
                "or the project alone",
                rule=rule,
            )


# --- identity events ------------------------------------------------------------------------------
EVENT_RULES: RuleSet[[SignedObject, Found]] = RuleSet()


@EVENT_RULES.rule("TRL-6")
def _author_of_event_is_genesis(event: SignedObject, found: Found) -> None:
    if event.author is not None:
        author = found[event.author]
        if author.kind != "identity" or not author.is_genesis:
            raise RuleError("author is not the genesis of an identity", rule="TRL-6")


@EVENT_RULES.rule("TRL-8")
def _parents_are_events_of_the_identity(event: SignedObject, found: Found) -> None:
    """[IDN-2] A log of one identity can't take up events of another."""
    for cid in event.parents:
        parent = found[cid]
        if parent.kind != "identity" or parent.identity != event.identity:
            raise RuleError(f"parent {cid} is not an event of this identity", rule="TRL-8")


@EVENT_RULES.rule("IDN-3")
def _signer_was_committed_to(event: SignedObject, found: Found) -> None:
    """Who steals a signing key can neither rotate nor revoke."""
    commitment = sha256(event.signer).digest()
    for cid in event.parents:
        if commitment not in _event(found[cid]).next:
            raise RuleError(f"the signer was not committed to by parent {cid}", rule="IDN-3")


@EVENT_RULES.rule("IDN-6")
def _keys_end_openly(event: SignedObject, found: Found) -> None:
    """A key that vanished without being dropped would leave its works without a standing."""
    here = _event(event)
    known = {*here.keys, *(gone.key for gone in here.dropped)}
    for cid in event.parents:
        for key in _event(found[cid]).keys:
            if key not in known:
                raise RuleError(
                    f"key {key.hex()} of parent {cid} is neither in keys nor dropped", rule="IDN-6"
                )


def _event(obj: SignedObject) -> IdentityEvent:
    return cast(IdentityEvent, obj.content)


# --- sets -----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class SetReport:
    """What a set of objects is worth. Equal sets give equal reports, in whatever order they came."""

    valid: Mapping[Cid, SignedObject]
    """Valid objects, each after those that it links to."""
    incomplete: Mapping[Cid, tuple[Cid, ...]]
    """Objects that can't be judged yet, with those of their links that are absent or incomplete."""
    invalid: Mapping[Cid, InvalidError]
    """Objects that can never become valid, each with the rule that it breaks."""
    missing: frozenset[Cid]
    """What is absent; with all of it here, and valid, nothing would be incomplete."""

    def __bool__(self) -> NoReturn:
        raise TypeError("a report has no truth value; look at valid, incomplete and invalid")


def audit_set(objects: Iterable[SignedObject]) -> SetReport:
    """Judge a set of objects, each verified by itself, in any order and with repetitions [TRL-9].

    An object that links to an invalid one is invalid itself, even if other links are missing.
    """
    return _Audit({obj.cid: obj for obj in objects}).run()


class _Audit:
    """Kahn's walk: an object's turn comes when all that it links to within the set is judged.

    Iterative, so that a chain of 10^5 is no deeper than one of ten; hashes make cycles impossible.
    """

    def __init__(self, objects: dict[Cid, SignedObject]) -> None:
        # By CID, so that the order of arrival leaves no trace in the report.
        self._objects = {cid: objects[cid] for cid in sorted(objects)}
        self._valid: dict[Cid, SignedObject] = {}
        self._incomplete: dict[Cid, tuple[Cid, ...]] = {}
        self._invalid: dict[Cid, InvalidError] = {}
        self._missing: set[Cid] = set()

    def run(self) -> SetReport:
        waiting_for: dict[Cid, int] = {}
        dependents: dict[Cid, list[SignedObject]] = {}
        for obj in self._objects.values():
            inside = [cid for cid in obj.required if cid in self._objects]
            waiting_for[obj.cid] = len(inside)
            for cid in inside:
                dependents.setdefault(cid, []).append(obj)
        ready = deque(obj for obj in self._objects.values() if not waiting_for[obj.cid])
        while ready:
            obj = ready.popleft()
            self._judge(obj)
            for dependent in dependents.get(obj.cid, ()):
                waiting_for[dependent.cid] -= 1
                if not waiting_for[dependent.cid]:
                    ready.append(dependent)
        return SetReport(
            valid=self._valid,
            incomplete=self._incomplete,
            invalid=self._invalid,
            missing=frozenset(self._missing),
        )

    def _judge(self, obj: SignedObject) -> None:
        for cid in obj.required:
            if cid in self._invalid:
                self._invalid[obj.cid] = RuleError(
                    f"links to {cid}, which is invalid", rule="TRL-9", cid=obj.cid
                )
                return
        try:
            self._valid[obj.cid] = verify_in_trail(obj, self._valid.get)
        except MissingBlocksError as error:
            self._incomplete[obj.cid] = error.cids
            self._missing.update(cid for cid in error.cids if cid not in self._objects)
        except InvalidError as error:
            self._invalid[obj.cid] = error
