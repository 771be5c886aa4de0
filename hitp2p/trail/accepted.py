"""Scope *accepted*: the part of a project that a node carries which doesn't want all of it [STA-5]."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from hitp2p.codec.cid import Cid
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import ObjectClass
from hitp2p.objects.known import known_field
from hitp2p.ports import BlockSource
from hitp2p.trail.project_state import ProjectState, judge_project
from hitp2p.trail.standing import Standing

__all__ = ["accepted_roots", "accepted_scope", "credited_in"]


def accepted_scope(
    project: SignedObject,
    objects: Iterable[SignedObject],
    *,
    standing: Callable[[SignedObject], Standing],
    blocks: BlockSource,
) -> frozenset[Cid]:
    """The members of a project in scope accepted.

    Args:
        project: an object of kind project.
        objects: all valid objects of the project, and all events of the identities that speak in one of them.
        standing: of a valid object.
        blocks: list pages that are here.
    """
    known = {obj.cid: obj for obj in objects} | {project.cid: project}
    inside = [obj for obj in known.values() if obj.project_cid == project.cid]
    state = judge_project(project, inside, standing=standing, blocks=blocks)
    found = _closed(accepted_roots(project, inside, state), known)
    speakers = {known[cid].identity for cid in found}
    events = [obj for obj in known.values() if obj.kind == "identity" and obj.identity in speakers]
    return frozenset(found) | _closed((event.cid for event in events), known)


def accepted_roots(
    project: SignedObject, inside: Iterable[SignedObject], state: ProjectState
) -> Iterator[Cid]:
    """What STA-5 names, before what that requires.

    Args:
        project: the project.
        inside: the valid objects of the project.
        state: of these.
    """
    yield project.cid
    yield from state.chain
    yield from state.rivals
    yield from state.counting
    chosen = state.targets("accept") | state.targets("feature")
    statements: list[SignedObject] = []
    heard = set(state.speakers)
    for obj in inside:
        if obj.object_class is ObjectClass.WORK:
            if obj.cid in chosen or obj.identity in state.speakers:
                yield obj.cid
                heard.add(obj.identity)
                heard.update(credited_in(obj))
        elif obj.object_class is ObjectClass.STATEMENT:
            statements.append(obj)
    yield from (obj.cid for obj in statements if obj.identity in heard)


def credited_in(work: SignedObject) -> Iterator[Cid]:
    """The identities in the credits of a work's body."""
    for credit in known_field(work, "credits") or ():
        if "who" in credit:
            yield Cid.parse(credit["who"])


def _closed(roots: Iterable[Cid], known: Mapping[Cid, SignedObject]) -> set[Cid]:
    """What is here of the roots and all that they require."""
    found: set[Cid] = set()
    waiting = list(roots)
    while waiting:
        cid = waiting.pop()
        obj = known.get(cid)
        if obj is not None and cid not in found:
            found.add(cid)
            waiting.extend(obj.required)
    return found
