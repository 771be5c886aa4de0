"""Whether an object fits the objects that it links to [TRL-1 to TRL-9].

The verdict is a function of an object and the objects its envelope names: never of arrival order, clock
or store. It changes only from incomplete (something is missing) to valid or invalid.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Final, NamedTuple, NoReturn, TypeAlias

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import InvalidError, MissingBlocksError, RuleError
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import ObjectClass
from hitp2p.rules import RuleSet

__all__ = [
    "EVENT_RULES",
    "TRAIL_RULES",
    "Linked",
    "Lookup",
    "SetReport",
    "audit_set",
    "verify_in_trail",
]

Lookup: TypeAlias = Callable[[Cid], SignedObject | None]
"""The valid object with this CID, or None where it isn't here."""


class Linked(NamedTuple):
    """The objects that one object requires; all valid."""

    author: SignedObject | None
    event: SignedObject | None
    project: SignedObject | None
    parents: tuple[SignedObject, ...]


def verify_in_trail(obj: SignedObject, lookup: Lookup) -> SignedObject:
    """Return `obj`, whose signature is verified, once it fits the objects that it links to.

    Args:
        obj: verified by itself.
        lookup: gives valid objects only.

    Raises:
        MissingBlocksError: some of them are not here; names all that are missing.
        RuleError: a rule TRL or IDN is broken.
    """
    if not _surely_fits(obj, lookup):
        linked = _look_up(obj, lookup)
        try:
            (EVENT_RULES if obj.object_class is _EVENT else TRAIL_RULES)(obj, linked)
        except RuleError as error:
            error.cid = obj.cid
            raise
    return obj


def _surely_fits(obj: SignedObject, lookup: Lookup) -> bool:
    """Whether all that a work links to is here, and it surely satisfies TRAIL_RULES.

    Says so of what is common only: a work among works, signed under the first event of its author. Where it doesn't, the
    rules are asked. That saves 4 us for most objects of a trail.
    """
    author_cid, project_cid, parents = obj.author, obj.project, obj.parents
    if (
        obj.object_class is not _WORK
        or author_cid is None
        or project_cid is None
        # Equal links are mostly one object, and comparing two takes a call in Python.
        or (obj.event is not author_cid and obj.event != author_cid)
    ):
        return False
    author, project = lookup(author_cid), lookup(project_cid)
    if (
        author is None
        or project is None
        or author.kind != "identity"
        or author.author is not None
        or obj.signer not in author.body["keys"]
        or project.kind != "project"
    ):
        return False
    for cid in parents:
        parent = lookup(cid)
        if (
            parent is None
            or parent.object_class is not _WORK
            or (parent.project is not project_cid and parent.project != project_cid)
        ):
            if parent is project and len(parents) == 1:
                continue
            return False
    return not obj.uses_here or set(map(str, parents)).issuperset(obj.uses_here)


def _look_up(obj: SignedObject, lookup: Lookup) -> Linked:
    # By field, not by CID: a dict of `required` took 2 us more an object.
    missing: list[Cid] = []

    def get(cid: Cid | None) -> SignedObject | None:
        found = None if cid is None else lookup(cid)
        if found is None and cid is not None:
            missing.append(cid)
        return found

    author = get(obj.author)
    event = author if obj.event == obj.author else get(obj.event)
    project = get(obj.project)
    parents = tuple([found for cid in obj.parents if (found := get(cid)) is not None])
    if missing:
        missing = list(dict.fromkeys(missing))
        raise MissingBlocksError(
            f"{obj.kind} {obj.cid} can't be judged: {len(missing)} objects that it links to are missing",
            missing,
        )
    return Linked(author, event, project, parents)


_WORK: Final = ObjectClass.WORK
_STATEMENT: Final = ObjectClass.STATEMENT
_RULES: Final = ObjectClass.RULES
_UNKNOWN: Final = ObjectClass.UNKNOWN
_EVENT: Final = ObjectClass.EVENT

# --- objects that are not identity events ---------------------------------------------------------
TRAIL_RULES: RuleSet[[SignedObject, Linked]] = RuleSet()


@TRAIL_RULES.rule("TRL-6")
def _signer_speaks_for_author(obj: SignedObject, linked: Linked) -> None:
    """Else anyone could put a work under another's name."""
    author, event, _, _ = linked
    _require_genesis(author)
    if event is None or event.kind != "identity" or event.identity != obj.author:
        raise RuleError("event is not an event of the author", rule="TRL-6")
    if obj.signer not in event.body["keys"]:
        raise RuleError("the signer is not among the keys of the event", rule="TRL-6")


def _require_genesis(author: SignedObject | None) -> None:
    if author is None or author.kind != "identity" or not author.is_genesis:
        raise RuleError("author is not the genesis of an identity", rule="TRL-6")


@TRAIL_RULES.rule("TRL-5")
def _project_is_a_project(obj: SignedObject, linked: Linked) -> None:
    if linked.project is not None and linked.project.kind != "project":
        raise RuleError("project is not an object of kind project", rule="TRL-5")


@TRAIL_RULES.rule("TRL-1")
def _parents_share_the_project(obj: SignedObject, linked: Linked) -> None:
    """A parent from elsewhere would carry strangers into the credits; such works go into uses."""
    for parent in linked.parents:
        if parent.project != obj.project and parent.cid != obj.project:
            raise RuleError(f"parent {parent.cid} belongs to another project", rule="TRL-1")


@TRAIL_RULES.rule("TRL-2")
def _works_follow_works(obj: SignedObject, linked: Linked) -> None:
    """A kind that isn't in our table may be anything, for ever: else a later program would refuse what we took [KND-11]."""
    if obj.object_class is _WORK:
        _require_parents(linked, (_WORK, _UNKNOWN), "works", "TRL-2")


@TRAIL_RULES.rule("TRL-3")
def _rules_follow_rules(obj: SignedObject, linked: Linked) -> None:
    if obj.object_class is _RULES:
        _require_parents(linked, (_RULES,), "rules", "TRL-3")


@TRAIL_RULES.rule("TRL-4")
def _statements_follow_the_project(obj: SignedObject, linked: Linked) -> None:
    """Nothing builds on what people say about works, so that talk never delays a work."""
    if obj.object_class is _STATEMENT:
        _require_parents(linked, (), "none", "TRL-4")


def _require_parents(
    linked: Linked, allowed: tuple[ObjectClass, ...], what: str, rule: str
) -> None:
    for parent in linked.parents:
        if parent.object_class not in allowed and not (
            linked.project is not None
            and parent.cid == linked.project.cid
            and len(linked.parents) == 1
        ):
            raise RuleError(
                f"parent {parent.cid} is a {parent.kind}; allowed are {what}, or the project alone",
                rule=rule,
            )


@TRAIL_RULES.rule("TRL-7")
def _uses_name_parents(obj: SignedObject, _linked: Linked) -> None:
    """What is used from this project is here whenever the work is, so its credits are.

    Uses on list pages aren't asked: a verdict that needed a page could change when it comes [TRL-9].
    """
    if obj.uses_here:
        parents = [str(parent) for parent in obj.parents]
        for used in obj.uses_here:
            if used not in parents:
                raise RuleError(
                    f"use of {used}, which is not a parent; "
                    "a work of another project needs its project beside it",
                    rule="TRL-7",
                )


# --- identity events ------------------------------------------------------------------------------
EVENT_RULES: RuleSet[[SignedObject, Linked]] = RuleSet()


@EVENT_RULES.rule("TRL-6")
def _author_of_event_is_genesis(event: SignedObject, linked: Linked) -> None:
    if not event.is_genesis:
        _require_genesis(linked.author)


@EVENT_RULES.rule("TRL-8")
def _parents_are_events_of_the_identity(event: SignedObject, linked: Linked) -> None:
    """A log of one identity can't take up events of another [IDN-2]."""
    for parent in linked.parents:
        if parent.kind != "identity" or parent.identity != event.identity:
            raise RuleError(f"parent {parent.cid} is no event of this identity", rule="TRL-8")


@EVENT_RULES.rule("IDN-3")
def _signer_was_committed_to(event: SignedObject, linked: Linked) -> None:
    """Who steals a signing key can neither rotate nor revoke."""
    commitment = sha256(event.signer).digest()
    for parent in linked.parents:
        if commitment not in parent.body["next"]:
            raise RuleError(f"parent {parent.cid} did not commit to the signer", rule="IDN-3")


@EVENT_RULES.rule("IDN-6")
def _keys_end_openly(event: SignedObject, linked: Linked) -> None:
    """A key that vanished without being dropped would leave its works without a standing."""
    known = {*event.body["keys"], *(gone["key"] for gone in event.body.get("dropped", ()))}
    for parent in linked.parents:
        for key in parent.body["keys"]:
            if key not in known:
                raise RuleError(
                    f"key {key.hex()} of parent {parent.cid} is neither in keys nor dropped",
                    rule="IDN-6",
                )


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
            for dependent in dependents.pop(obj.cid, ()):
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
