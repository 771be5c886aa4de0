"""The graph of a set of valid objects: generations, heads, children, ancestors [TRL-10, TRL-11].

Nothing here recurses, so a chain of any length is walked; objects themselves are not kept, only how they hang together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from hitp2p.errors import MissingBlocksError, NotFoundError
from hitp2p.objects.kinds import ObjectClass

if TYPE_CHECKING:
    from hitp2p.codec.cid import Cid
    from hitp2p.objects.envelope import SignedObject

__all__ = ["Graph", "count_generations"]


def count_generations(
    cids: Iterable[Cid],
    required: Callable[[Cid], Iterable[Cid]],
    known: dict[Cid, int] | None = None,
) -> dict[Cid, int]:
    """The generation of objects and of everything that they reach [TRL-11].

    Args:
        cids: the objects.
        required: what the envelope of an object links to; asked at most twice an object.
        known: generations counted before; it is filled further and returned.
    """
    counted = {} if known is None else known
    stack = list(cids)
    while stack:
        cid = stack[-1]
        if cid in counted:
            stack.pop()
            continue
        highest, n_waiting = -1, len(stack)
        for need in required(cid):
            generation = counted.get(need)
            if generation is None:
                stack.append(need)
            elif generation > highest:
                highest = generation
        if len(stack) == n_waiting:
            counted[cid] = highest + 1
            stack.pop()
    return counted


class Graph:
    """How the objects of a set hang together. A function of the set: order and repetitions don't matter.

    Wherever objects come out in an order, it is (generation, CID).
    """

    __slots__ = ("_children", "_generation", "_order", "_parents", "_place", "_works")

    def __init__(self, objects: Iterable[SignedObject]) -> None:
        """Take in a set.

        Args:
            objects: valid, and with them everything that they require.

        Raises:
            MissingBlocksError: an object requires one that is not among them.
        """
        rows = {
            obj.cid: (
                obj.required,
                obj.parents,
                obj.project_cid if obj.object_class is ObjectClass.WORK else None,
            )
            for obj in objects
        }
        missing = {need for needs, _, _ in rows.values() for need in needs if need not in rows}
        if missing:
            raise MissingBlocksError(
                f"{len(missing)} objects that others require are not here", sorted(missing)
            )
        self._generation = count_generations(rows, lambda cid: rows[cid][0])
        self._order = sorted(rows, key=lambda cid: (self._generation[cid], cid))
        self._place = {cid: place for place, cid in enumerate(self._order)}
        self._parents = [tuple(self._place[p] for p in rows[cid][1]) for cid in self._order]
        self._works: dict[Cid, list[int]] = {}
        for place, cid in enumerate(self._order):
            project = rows[cid][2]
            if project is not None:
                self._works.setdefault(project, []).append(place)
        self._children: list[list[int] | None] | None = None

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, cid: object) -> bool:
        return cid in self._place

    def in_order(self) -> tuple[Cid, ...]:
        """All objects; each stands behind everything that it requires."""
        return tuple(self._order)

    def generation(self, cid: Cid) -> int:
        """1 + the highest generation among what the object requires, or 0 [TRL-11].

        Raises:
            NotFoundError: the object is not in the set.
        """
        return self._generation[self._order[self._find(cid)]]

    def works(self, project: Cid) -> tuple[Cid, ...]:
        """The works of a project."""
        return tuple(self._order[place] for place in self._works.get(project, ()))

    def heads(self, project: Cid) -> tuple[Cid, ...]:
        """The works of a project that no work of it names as parent [TRL-10].

        An object of an unknown kind is no head and hides none, so programs of different age agree.
        """
        works = self._works.get(project, ())
        built_on = {parent for place in works for parent in self._parents[place]}
        return tuple(self._order[place] for place in works if place not in built_on)

    def parents(self, cid: Cid) -> tuple[Cid, ...]:
        """What the object names as parents, by CID."""
        return tuple(sorted(self._order[place] for place in self._parents[self._find(cid)]))

    def children(self, cid: Cid) -> tuple[Cid, ...]:
        """Every object, of whatever kind, that names this one as parent."""
        if self._children is None:
            self._children = self._invert()
        return tuple(self._order[place] for place in self._children[self._find(cid)] or ())

    def _invert(self) -> list[list[int] | None]:
        children: list[list[int] | None] = [None] * len(self._order)
        for place, parents in enumerate(self._parents):
            for parent in parents:
                found = children[parent]
                if found is None:
                    children[parent] = [place]
                else:
                    found.append(place)
        return children

    def ancestors(self, cids: Iterable[Cid]) -> tuple[Cid, ...]:
        """The objects themselves and all that they reach by parents, each once.

        Raises:
            NotFoundError: one of the objects is not in the set.
        """
        stack = [self._find(cid) for cid in cids]
        seen = set(stack)
        while stack:
            for parent in self._parents[stack.pop()]:
                if parent not in seen:
                    seen.add(parent)
                    stack.append(parent)
        return tuple(self._order[place] for place in sorted(seen))

    def _find(self, cid: Cid) -> int:
        place = self._place.get(cid)
        if place is None:
            raise NotFoundError(f"{cid} is not in this set of objects")
        return place
