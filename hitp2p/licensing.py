"""What stops a work before it is signed: a source whose licence forbids it [spec 07]."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain
from typing import Any, TypeAlias

from hitp2p import limits
from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import InvalidError, LicenseError
from hitp2p.objects.contribution import ForeignSource, Use
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.known import known_field
from hitp2p.objects.pages import ListPage, parse_list_page
from hitp2p.ports import BlockSource
from hitp2p.trail.collected import iter_held
from hitp2p.trail.display import safe_line
from hitp2p.trail.license_terms import Judgement, Permission, fitting_licenses
from hitp2p.trail.licenses import BOUND, NOT_HERE, judge_source
from hitp2p.trail.standing import Standing

__all__ = ["LicenseCheck", "is_surely_allowed"]

_Key: TypeAlias = Cid | ForeignSource
_Pair: TypeAlias = tuple[SignedObject | None, Use]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """One source of a new work, or what a collection among these holds."""

    work: SignedObject | None
    """None for one outside hitp2p, or that isn't here."""
    foreign: ForeignSource | None
    relation: str
    through: SignedObject | None = None
    """The collection that holds it [LIC-6]."""


def is_surely_allowed(author: Cid, works: Iterable[SignedObject | None]) -> bool:
    """Whether all sources are the author's own, and none of them a collection; `LicenseCheck` allows those, 0.02 ms later."""
    return all(
        work is not None
        and work.author == author
        and work.kind != "release"
        and b"collect" not in work.block
        and b"uses_pages" not in work.block
        for work in works
    )


class LicenseCheck:
    """Judges the direct sources of a new work, and what collections among them hold.

    What lies deeper was judged when those were signed, or shows in every report.
    """

    def __init__(
        self,
        *,
        author: Cid,
        lookup: Callable[[Cid], SignedObject | None],
        statements: Callable[[Cid], Iterable[SignedObject]],
        standing: Callable[[SignedObject], Standing],
        blocks: BlockSource,
    ) -> None:
        """For the works of one author.

        Args:
            lookup: valid objects that are here.
            statements: valid objects that name a work by ref.
            standing: the standing of a grant.
            blocks: list pages that are here.
        """
        self._author = author
        self._lookup = lookup
        self._statements = statements
        self._standing = standing
        self._blocks = blocks

    def verify(self, license: str | None, sources: Iterable[_Pair]) -> None:
        """Refuse a work whose sources don't allow its licence, or can't be judged.

        Args:
            license: of the new work; None for none.
            sources: each use with its work, or None for a source outside hitp2p.

        Raises:
            LicenseError: says which source, why, and what would be allowed.
        """
        pairs = list(sources)
        direct = [
            _Source(work=work, foreign=use.source, relation=use.relation) for work, use in pairs
        ]
        everything = [*direct, *self._held(direct)]
        for source in everything:
            judgement = self._judge(license, source)
            if judgement.permission in (Permission.FORBIDDEN, Permission.UNKNOWN):
                raise LicenseError(_refusal(source, judgement, self._fitting(everything)))

    def _judge(self, license: str | None, source: _Source) -> Judgement:
        if source.work is None and source.foreign is None and source.relation in BOUND:
            return NOT_HERE
        judgement, _, _ = judge_source(
            source.work,
            self._license_of(source),
            author=self._author,
            license=license,
            relation=source.relation,
            grants=self._statements,
            standing=self._standing,
        )
        return judgement

    def _license_of(self, source: _Source) -> str | None:
        work = source.work
        if work is None:
            return None if source.foreign is None else source.foreign.license
        own: str | None = known_field(work, "license")
        project = None if own is not None or work.project is None else self._lookup(work.project)
        return own if project is None else project.body.get("license")

    def _fitting(self, sources: Iterable[_Source]) -> tuple[str, ...]:
        return fitting_licenses(
            (self._license_of(source), source.relation)
            for source in sources
            if source.work is None or source.work.author != self._author
        )

    # --- through collections ----------------------------------------------------------------------

    def _held(self, direct: Collection[_Source]) -> Iterator[_Source]:
        """What collections among the sources hold, as used by the new work [LIC-6]."""
        bound = [source for source in direct if source.relation in BOUND]
        named = {key for source in bound if (key := _key_of(source)) is not None}
        n_held = 0
        for relation in dict.fromkeys(source.relation for source in bound):
            seen = set(named)
            for source in bound:
                if source.work is None or source.relation != relation:
                    continue
                for held in iter_held(source.work.cid, self._collects, seen):
                    n_held += 1
                    if n_held > limits.LICENSE_HELD:
                        raise LicenseError(_too_much(source.work))
                    yield self._as_source(held, relation, source.work)

    def _as_source(self, key: _Key, relation: str, through: SignedObject) -> _Source:
        if isinstance(key, Cid):
            work, foreign = self._lookup(key), None
        else:
            work, foreign = None, key
        return _Source(work=work, foreign=foreign, relation=relation, through=through)

    def _collects(self, key: _Key) -> Iterator[_Key]:
        """What a work collects directly; a release what its parents collect, and releases among these."""
        work = self._lookup(key) if isinstance(key, Cid) else None
        seen = set[Cid]()
        waiting = [] if work is None else [work]
        for one in waiting:  # which grows
            if one.kind != "release":
                yield from self._collected_by(one)
                continue
            parents = (cid for cid in one.parents if cid != one.project and cid not in seen)
            for cid in parents:
                seen.add(cid)
                waiting += filter(None, [self._lookup(cid)])

    def _collected_by(self, work: SignedObject) -> Iterator[_Key]:
        for body in self._uses_of(work):
            if body["relation"] == "collect":
                use = Use.from_body(body)
                yield from filter(None, [use.work or use.source])

    def _uses_of(self, work: SignedObject) -> Iterator[dict[str, Any]]:
        pages = known_field(work, ListPage.USES.value) or ()
        return chain(known_field(work, "uses") or (), chain.from_iterable(map(self._page, pages)))

    def _page(self, cid: Cid) -> Iterable[dict[str, Any]]:
        """Its uses; none where it isn't here, or is malformed, which counts the same [OBJ-23]."""
        block = self._blocks.get(cid)
        try:
            return () if block is None else parse_list_page(block, ListPage.USES)
        except InvalidError:
            return ()


def _key_of(source: _Source) -> _Key | None:
    return source.foreign if source.work is None else source.work.cid


def _name(work: SignedObject | None, foreign: ForeignSource | None) -> str:
    if work is not None:
        return f'"{safe_line(known_field(work, "title") or work.kind)}"'
    if foreign is not None:
        return safe_line(foreign.title or foreign.url or "a source outside")
    return "a work that is not here"


def _refusal(source: _Source, judgement: Judgement, fitting: tuple[str, ...]) -> str:
    what = f"{source.relation} of {_name(source.work, source.foreign)}"
    if source.through is not None:
        what += f", which is in the collection {_name(source.through, None)}"
    allowed = (
        f"allowed would be: {', '.join(fitting)}"
        if fitting
        else "no licence fits all sources: ask their authors for a grant"
    )
    if source.through is not None:
        allowed += _INSTEAD
    return f"{what}: {safe_line(judgement.reason)}; {allowed}"


_INSTEAD = (
    "; or keep it as it is and say so (relation collect), or name the works in the collection that you used"
    " instead of the collection"
)


def _too_much(collection: SignedObject) -> str:
    return (
        f"the collection {_name(collection, None)} holds more than {limits.LICENSE_HELD} sources, which are too many"
        " to judge; name the works in it that you used instead of the collection"
    )
