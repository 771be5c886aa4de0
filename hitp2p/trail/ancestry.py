"""Who builds on whom, for several works at once: one walk that costs the same however often sources are shared [VER-2, VER-4]."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

from hitp2p.codec.cid import Cid
from hitp2p.errors import InvalidError
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import ObjectClass
from hitp2p.objects.known import known_field
from hitp2p.objects.pages import ListPage, parse_list_page
from hitp2p.trail.evidence import Evidence

__all__ = ["Ancestries"]

_Node: TypeAlias = tuple[Cid, bool]
"""An object, or (True) a page on which uses go on: many works may link to one page, and it is read once."""
_SOURCES: Final = (ObjectClass.WORK, ObjectClass.UNKNOWN)


class Ancestries:
    """The ancestries of some works: what their credits reach, and who has a part in it.

    As in the credits (spec 04), the walk goes along uses and parents, and neither to calls nor through them: else a work
    could hide its source behind a call.
    """

    def __init__(self, evidence: Evidence, works: Sequence[Cid]) -> None:
        """Of these works; one walk from all of them is made when the first question is asked."""
        self._evidence = evidence
        self._bits = {work: 1 << number for number, work in enumerate(works)}
        # which of the works have a node in their ancestry, or are it
        self._above: dict[_Node, int] = {(work, False): bit for work, bit in self._bits.items()}
        self._parts: dict[Cid, int] = {}  # in which of the works' ancestries a person has a part
        self._has_walked = False

    def has(self, work: Cid, source: Cid) -> bool:
        """Whether one of the works has a source in its ancestry, here or not; none has itself."""
        self._walk()
        return work != source and bool(self._above.get((source, False), 0) & self._bits[work])

    def takes_part(self, work: Cid, who: Cid) -> bool:
        """Whether a person is author of, or credited in, one of the works or its ancestry."""
        self._walk()
        return bool(self._parts.get(who, 0) & self._bits[work])

    def _walk(self) -> None:
        """Every user before what it uses, so that each node is done once."""
        if self._has_walked:
            return
        self._has_walked = True
        pages: dict[Cid, int] = {}
        for node in reversed(self._sources_first()):
            above = self._above[node]
            for source in self._next(node):
                self._above[source] = self._above.get(source, 0) | above
            obj = None if node[1] else self._source(node[0])
            if obj is not None:
                self._note_people(obj, above, pages)
        for page, above in pages.items():
            for credit in self._page(page, ListPage.CREDITS):
                self._note_credit(credit, above)

    def _sources_first(self) -> list[_Node]:
        """All nodes, each after those that it leads to; links and refs are hashes, so there is no circle."""
        done: set[_Node] = set()
        order: list[_Node] = []
        for root in self._bits:
            waiting: list[tuple[_Node, Iterator[_Node]]] = []
            if (root, False) not in done:
                done.add((root, False))
                waiting.append(((root, False), self._next((root, False))))
            while waiting:
                node, further = waiting[-1]
                following = next((one for one in further if one not in done), None)
                if following is None:
                    order.append(node)
                    waiting.pop()
                else:
                    done.add(following)
                    waiting.append((following, self._next(following)))
        return order

    def _next(self, node: _Node) -> Iterator[_Node]:
        cid, is_page = node
        if is_page:
            yield from self._used(self._page(cid, ListPage.USES))
            return
        obj = self._source(cid)
        if obj is None:
            return
        yield from ((one, False) for one in obj.parents if one != obj.project and self._leads(one))
        yield from self._used(known_field(obj, "uses") or ())
        yield from ((page, True) for page in known_field(obj, ListPage.USES.value) or ())

    def _used(self, uses: Sequence[dict[str, Any]]) -> Iterator[_Node]:
        works = (Cid.parse(use["work"]) for use in uses if "work" in use)
        return ((work, False) for work in works if self._leads(work))

    def _leads(self, cid: Cid) -> bool:
        obj = self._evidence.lookup(cid)
        return obj is None or _is_source(obj)

    def _source(self, cid: Cid) -> SignedObject | None:
        obj = self._evidence.lookup(cid)
        return obj if obj is not None and _is_source(obj) else None

    def _page(self, page: Cid, its_list: ListPage) -> Sequence[dict[str, Any]]:
        """Its entries; none where it is not here, or malformed, which counts the same [OBJ-23]."""
        block = self._evidence.get(page)
        try:
            return [] if block is None else parse_list_page(block, its_list)
        except InvalidError:
            return []

    def _note_people(self, obj: SignedObject, above: int, pages: dict[Cid, int]) -> None:
        self._parts[obj.identity] = self._parts.get(obj.identity, 0) | above
        for credit in known_field(obj, "credits") or ():
            self._note_credit(credit, above)
        for page in known_field(obj, ListPage.CREDITS.value) or ():
            pages[page] = pages.get(page, 0) | above

    def _note_credit(self, credit: dict[str, Any], above: int) -> None:
        if "who" in credit:
            who = Cid.parse(credit["who"])
            self._parts[who] = self._parts.get(who, 0) | above


def _is_source(obj: SignedObject) -> bool:
    return obj.object_class in _SOURCES and obj.kind != "call"
