"""Credits: everything that went into a work, at any depth, and who made it [CRD-1 to CRD-6].

Computed from the graph, so nobody has to keep a list. It stands beside what people said in their own words, and doesn't
replace it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, TypeAlias

from hitp2p import limits
from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass, field
from hitp2p.errors import InvalidError, MissingBlocksError, UsageError
from hitp2p.objects.contribution import Credit, ForeignSource, Use
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import ObjectClass
from hitp2p.objects.known import known_field
from hitp2p.objects.pages import ListPage, parse_list_page
from hitp2p.ports import BlockSource
from hitp2p.trail import credits_text
from hitp2p.trail.claims import Said, claim_of
from hitp2p.trail.credit_lines import (
    Claim,
    CreditLine,
    Person,
    RoleLine,
    SourceUse,
    iter_roles,
)
from hitp2p.trail.graph import count_generations
from hitp2p.trail.standing import Standing

__all__ = [
    "Claim",
    "CreditLine",
    "CreditSheet",
    "Person",
    "RoleLine",
    "SourceUse",
    "credit_sheet",
]

Lookup: TypeAlias = Callable[[Cid], SignedObject | None]
"""Valid objects that are here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditSheet:
    """The credits of one work. Equal sets of objects give equal sheets."""

    work: Cid
    """The work; the first line is its own."""
    lines: tuple[CreditLine, ...]
    """By (distance, generation descending, CID); works that are not here and sources outside stand last in their distance."""
    missing: tuple[Cid, ...]
    """Works and list pages that the walk wanted and that are not here, by CID."""
    is_cut: bool = False
    """Whether the lists are longer than what is read, so that sources and people are left out [CRD-6]."""

    def by_role(self) -> tuple[RoleLine, ...]:
        """The same credits, by what people did."""
        return tuple(iter_roles(self.lines))

    def text(self, *, by_role: bool = False, codes: bool = True) -> str:
        """Plain text: title, author, source, licence a line, safe for a terminal.

        Args:
            by_role: people under what they did instead of works with their people.
            codes: short codes beside the names of identities; without them anyone can pass for anyone.
        """
        return credits_text.render_text(self.lines, self.missing, by_role=by_role, codes=codes)

    def markdown(self, *, by_role: bool = False, codes: bool = True) -> str:
        """The same in Markdown, foreign text escaped."""
        return credits_text.render_markdown(self.lines, self.missing, by_role=by_role, codes=codes)

    def html(self, *, by_role: bool = False, codes: bool = True) -> str:
        """A fragment of HTML without scripts and styles, foreign text escaped."""
        return credits_text.render_html(self.lines, self.missing, by_role=by_role, codes=codes)

    def to_json(self) -> dict[str, Any]:
        """Plain values for `json.dumps`; the fields are in `hitp2p/trail/README.md` and stay."""
        return credits_text.to_json(self.work, self.lines, self.missing, is_cut=self.is_cut)


def credit_sheet(
    work: SignedObject,
    *,
    lookup: Lookup,
    blocks: BlockSource | None = None,
    answers: Callable[[Cid], Iterable[SignedObject]] | None = None,
    standing: Callable[[SignedObject], Standing] | None = None,
) -> CreditSheet:
    """The credits of a work, as far as the objects that are here tell them.

    Args:
        work: valid.
        lookup: valid objects that are here.
        blocks: list pages that are here; without it, lists that go on in pages are incomplete.
        answers: valid objects that name a work by ref; of these, answers and withdrawals of names count.
        standing: asked for each work, and for each answer; None leaves standing out.

    Raises:
        UsageError: not a work.
    """
    if not _is_source(work):
        raise UsageError(f"{work.cid} is a {work.kind}; contributions and releases have credits")
    walk = _Walk(lookup, blocks, answers or (lambda _: ()), standing)
    walk.run(work)
    lines = walk.lines()
    missing = tuple(sorted(walk.missing))
    return CreditSheet(work=work.cid, lines=lines, missing=missing, is_cut=walk.is_cut)


def _is_source(obj: SignedObject) -> bool:
    """Whether the object gives a line: a contribution, a release, or a kind that we don't know."""
    is_work = obj.object_class in (ObjectClass.WORK, ObjectClass.UNKNOWN)
    return is_work and obj.kind != "call"


_SourceKey: TypeAlias = Cid | tuple[str | None, str | None, bytes | None]
"""A work, or what tells sources outside apart: url, title, sha256."""


@dataclass(slots=True)
class _Met:
    """What the walk knows of a source."""

    distance: int
    obj: SignedObject | None
    source: ForeignSource | None
    project: Cid | None
    uses: list[tuple[int, SourceUse]] = field(default_factory=list[tuple[int, SourceUse]])
    """Which of the user's uses, and how."""
    incomplete: bool = False


class _Walk:
    """Breadth first from the work, so that a source is met at its shortest distance."""

    def __init__(
        self,
        lookup: Lookup,
        blocks: BlockSource | None,
        answers: Callable[[Cid], Iterable[SignedObject]],
        standing: Callable[[SignedObject], Standing] | None,
    ) -> None:
        self.lookup = lookup
        self.blocks = blocks
        self.answers = answers
        self.standing = standing
        self.met: dict[_SourceKey, _Met] = {}
        self.missing: set[Cid] = set()
        self.lost: set[tuple[Cid, ListPage]] = set()  # lists with a page that is not here
        self.names: dict[Cid, str | None] = {}
        self.generations: dict[Cid, int] = {}
        self.n_entries = self.n_page_bytes = 0
        self.is_cut = False

    def run(self, work: SignedObject) -> None:
        self.met[work.cid] = _Met(distance=0, obj=work, source=None, project=work.project)
        layer = [work]
        while layer:
            further: list[SignedObject] = []
            for user in layer:
                for number, use in enumerate(self.uses_of(user)):
                    self.meet(user, number, use, further)
            layer = further

    def uses_of(self, user: SignedObject) -> Iterator[Use]:
        """Its uses, then its parents that no use names."""
        named: set[Cid] = set()
        for entry in self.entries(user, "uses", ListPage.USES):
            use = Use.from_body(entry)
            if use.work is not None:
                named.add(use.work)
            yield use
        for parent in user.parents:
            if parent not in named and parent != user.project and self.has_room(user):
                yield Use(relation="remix", work=parent)

    def has_room(self, user: SignedObject) -> bool:
        """Whether one entry more is read; how a work that wasn't read to the end used its parents is not known."""
        self.n_entries += 1
        if self.n_entries > limits.SHEET_ENTRIES or self.is_cut:
            self.is_cut = self.met[user.cid].incomplete = True
        return not self.is_cut

    def meet(self, user: SignedObject, number: int, use: Use, further: list[SignedObject]) -> None:
        """Note one use; a work that is met for the first time goes to `further`."""
        key = _key_of(use)
        met = self.met.get(key)
        if met is None:
            obj = None if use.work is None else self.lookup(use.work)
            if obj is not None and not _is_source(obj):
                return
            met = self.met[key] = _Met(
                distance=self.met[user.cid].distance + 1,
                obj=obj,
                source=use.source,
                project=use.project or user.project if obj is None else obj.project,
            )
            if obj is not None:
                further.append(obj)
            elif use.work is not None:
                self.missing.add(use.work)
        at = self.met[user.cid].distance
        met.uses.append(
            (
                number,
                SourceUse(
                    by=user.cid,
                    relation=use.relation,
                    part=use.part,
                    into=use.into,
                    note=use.note,
                    nearest=at == met.distance - 1,
                ),
            )
        )

    def entries(self, obj: SignedObject, name: str, page: ListPage) -> Iterator[Mapping[str, Any]]:
        """A list in the body of a known kind, with the pages on which it goes on, up to the bounds [CRD-6].

        Works may link to the pages of others, so the lists of a small bundle could be endless.
        """
        pages = (self.page_entries(obj, cid, page) for cid in known_field(obj, page.value) or ())
        for entry in chain(known_field(obj, name) or (), chain.from_iterable(pages)):
            if not self.has_room(obj):
                return
            yield entry

    def page_entries(
        self, obj: SignedObject, cid: Cid, page: ListPage
    ) -> Iterable[Mapping[str, Any]]:
        block = None if self.blocks is None else self.blocks.get(cid)
        if block is not None:
            self.n_page_bytes += len(block)
            if self.n_page_bytes > limits.SHEET_PAGE_BYTES:
                self.is_cut = True
            try:
                return [{}] if self.is_cut else parse_list_page(block, page)
            except InvalidError:
                pass  # counts as one that is not here [OBJ-23]
        self.missing.add(cid)
        self.lost.add((obj.cid, page))
        self.met[obj.cid].incomplete = True
        return ()

    # --- lines ------------------------------------------------------------------------------------

    def lines(self) -> tuple[CreditLine, ...]:
        return tuple(self.line(key, met) for key, met in sorted(self.met.items(), key=self.order))

    def order(self, item: tuple[_SourceKey, _Met]) -> tuple[Any, ...]:
        """[CRD-1]"""
        key, met = item
        if met.obj is not None:
            return (met.distance, 0, -self.generation(met.obj.cid), met.obj.cid)
        if isinstance(key, Cid):
            return (met.distance, 1, key)
        return (met.distance, 2, *("" if part is None else repr(part) for part in key))

    def line(self, key: _SourceKey, met: _Met) -> CreditLine:
        obj, source = met.obj, met.source
        title = people = license_ = None
        from_project = False
        standing = None
        note = None
        if obj is not None:
            known = obj.object_class is not ObjectClass.UNKNOWN
            standing = self.standing and self.standing(obj)
            people = tuple(self.people(obj, standing))
            title = obj.body["title"] if known else None
            note = known_field(obj, "note")
            license_, from_project = self.license(obj)
        elif source is not None:
            title, license_ = source.title, source.license
            people = _foreign_people(source)
        return CreditLine(
            cid=key if isinstance(key, Cid) else None,
            project=met.project,
            source=source,
            title=title,
            people=people or (),
            license=license_,
            license_from_project=from_project,
            note=note,
            distance=met.distance,
            uses=self.uses(met),
            missing=obj is None and source is None,
            incomplete=met.incomplete,
            standing=standing,
        )

    def uses(self, met: _Met) -> tuple[SourceUse, ...]:
        def order(found: tuple[int, SourceUse]) -> tuple[Any, ...]:
            number, use = found
            return (self.met[use.by].distance, -self.generation(use.by), use.by, number)

        return tuple(use for _, use in sorted(met.uses, key=order))

    def license(self, obj: SignedObject) -> tuple[str | None, bool]:
        """The licence, and whether it is the project's default [CRD-4]."""
        own: str | None = known_field(obj, "license")
        if own is not None or obj.project is None:
            return own, False
        project = self.lookup(obj.project)
        default: str | None = None if project is None else project.body.get("license")
        return default, default is not None

    def people(self, obj: SignedObject, standing: Standing | None) -> Iterator[Person]:
        """Those whom the work credits, and its author."""
        credits: list[tuple[int | None, Credit]] = []
        for number, entry in enumerate(self.entries(obj, "credits", ListPage.CREDITS)):
            # after a page that is not here nobody can tell the place of a credit
            place = None if (obj.cid, ListPage.CREDITS) in self.lost else number
            credits.append((place, Credit.from_body(entry)))
        if all(credit.who != obj.author for _, credit in credits):
            credits.append((None, Credit(who=obj.author, role="ctb")))
        said = Said.about(obj, self.answers, self.standing)
        by_person: dict[Cid | str | None, list[tuple[int | None, Credit]]] = {}
        for place, credit in credits:
            by_person.setdefault(credit.who or credit.name, []).append((place, credit))
        for named in by_person.values():
            who = named[0][1].who
            name = next((credit.name for _, credit in named if credit.name), None)
            withheld = who in said.withheld
            yield Person(
                identity=who,
                name=None if withheld else name or (None if who is None else self.name(who)),
                withheld=withheld,
                roles=tuple(dict.fromkeys(credit.role for _, credit in named)),
                claim=claim_of(obj, who, [place for place, _ in named], standing, said),
            )

    def name(self, identity: Cid) -> str | None:
        """The name in a genesis, if it is here."""
        if identity not in self.names:
            genesis = self.lookup(identity)
            is_person = genesis is not None and genesis.kind == "identity"
            self.names[identity] = genesis.body.get("name") if genesis and is_person else None
        return self.names[identity]

    def generation(self, cid: Cid) -> int:
        if cid not in self.generations:
            count_generations([cid], self.required, self.generations)
        return self.generations[cid]

    def required(self, cid: Cid) -> tuple[Cid, ...]:
        met = self.met.get(cid)
        obj = self.lookup(cid) if met is None or met.obj is None else met.obj
        if obj is None:
            raise MissingBlocksError(f"{cid}, which a valid object requires, is not here", [cid])
        return obj.required


def _key_of(use: Use) -> _SourceKey:
    if use.work is not None:
        return use.work
    source = use.source or ForeignSource()
    return (source.url, source.title, source.sha256)


def _foreign_people(source: ForeignSource) -> tuple[Person, ...]:
    if source.author is None:
        return ()
    return (Person(identity=None, name=source.author, roles=("cre",), claim=Claim.CLAIMED),)
