"""The walk that credits are made from: from a work along its uses and parents, to any depth [CRD-1 to CRD-6]."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final, TypeAlias, TypeVar

from hitp2p import limits
from hitp2p.codec.cid import Cid
from hitp2p.errors import InvalidError, MissingBlocksError
from hitp2p.objects.contribution import ForeignSource
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import KINDS, ObjectClass
from hitp2p.objects.pages import ListPage, parse_list_page
from hitp2p.ports import BlockSource
from hitp2p.trail.claims import Said, claim_of
from hitp2p.trail.credit_lines import Claim, CreditLine, Person, SourceUse
from hitp2p.trail.graph import count_generations
from hitp2p.trail.standing import Standing

__all__ = ["CreditWalk", "Lookup", "is_source"]

Lookup: TypeAlias = Callable[[Cid], SignedObject | None]
"""Valid objects that are here."""


def is_source(obj: SignedObject) -> bool:
    """Whether the object gives a line: a contribution, a release, or a kind that we don't know."""
    is_work = obj.object_class in (ObjectClass.WORK, ObjectClass.UNKNOWN)
    return is_work and obj.kind != "call"


_E = TypeVar("_E")
_SourceKey: TypeAlias = Cid | tuple[str | None, str | None, bytes | None]
"""A work, or what tells sources outside apart: url, title, sha256."""


_Credit: TypeAlias = tuple[str | None, str | None, str]
"""Who, name, role: tuples of text are no burden for the garbage collector, and there are as many as works."""


class _Met:
    """What the walk knows of a source."""

    __slots__ = (
        "credits",
        "credits_pages",
        "distance",
        "incomplete",
        "license",
        "note",
        "obj",
        "project",
        "source",
        "title",
        "uses",
    )

    def __init__(
        self,
        distance: int,
        obj: SignedObject | None,
        source: ForeignSource | None,
        project: Cid | None,
    ) -> None:
        self.distance = distance
        self.obj = obj
        self.source = source
        self.project = project
        self.uses: list[SourceUse] = []
        """Those of one user stand in its order."""
        self.incomplete = False
        self.title: str | None = None
        self.note: str | None = None
        self.license: str | None = None
        """Its own."""
        self.credits: tuple[_Credit, ...] = ()
        self.credits_pages: tuple[Cid, ...] = ()


class CreditWalk:
    """Breadth first from the work, so that a source is met at its shortest distance.

    A trail of 10^4 works is walked for every report on its last: what is the same for many works is made once, and entries
    of bodies are read as they are, which took a third of the time of typed ones.
    """

    def __init__(
        self,
        lookup: Lookup,
        blocks: BlockSource | None,
        answers: Callable[[Cid], Iterable[SignedObject]],
        standing: Callable[[SignedObject], Standing] | None,
        generations: Mapping[Cid, int],
    ) -> None:
        self.lookup = lookup
        self.blocks = blocks
        self.answers = answers
        self.standing = standing
        self.met: dict[_SourceKey, _Met] = {}
        self.missing: set[Cid] = set()
        self.lost: set[tuple[Cid, ListPage]] = set()  # lists with a page that is not here
        self.cids: dict[str, Cid] = {}
        self.names: dict[Cid, str | None] = {}
        self.defaults: dict[Cid, str | None] = {}
        self.persons: dict[tuple[Any, ...], Person] = {}
        self.generations = dict(generations)
        self.n_entries = self.n_page_bytes = 0
        self.is_cut = False

    def run(self, work: SignedObject) -> None:
        self.met[work.cid] = _Met(0, work, None, work.project)
        layer = [work]
        while layer:
            further: list[SignedObject] = []
            for user in layer:
                self.meet_sources(user, further)
            layer = further

    def meet_sources(self, user: SignedObject, further: list[SignedObject]) -> None:
        """Its uses, then its parents that no use names; works that are met for the first time go to `further`."""
        here = self.met[user.cid]
        said = _read(user)
        here.title, here.note, here.license = map(said.get, ("title", "note", "license"))
        here.credits = tuple(map(_credit, said.get("credits", ())))
        here.credits_pages = tuple(said.get("credits_pages", ()))
        uses, pages = said.get("uses", ()), said.get("uses_pages", ())
        named: set[Cid] = set()
        for use in self.entries(user, uses, pages, ListPage.USES):
            text = use.get("work")
            work = None if text is None else self.cid(text)
            if work is not None:
                named.add(work)
            self.meet(user, here, use, work, further)
        for parent in user.parents:
            if parent not in named and parent != user.project and self.has_room(user):
                self.meet(user, here, _AS_PARENT, parent, further)

    def cid(self, text: str) -> Cid:
        """Of a ref; the same few come again and again."""
        found = self.cids.get(text)
        if found is None:
            found = self.cids[text] = Cid.parse(text)
        return found

    def has_room(self, user: SignedObject) -> bool:
        """Whether one entry more is read; how a work that wasn't read to the end used its parents is not known."""
        self.n_entries += 1
        if self.n_entries > limits.SHEET_ENTRIES or self.is_cut:
            self.is_cut = self.met[user.cid].incomplete = True
        return not self.is_cut

    def meet(
        self,
        user: SignedObject,
        here: _Met,
        use: Mapping[str, Any],
        work: Cid | None,
        further: list[SignedObject],
    ) -> None:
        """Note one use."""
        key = work or _key_of(use)
        met = self.met.get(key)
        if met is None:
            met = self.meet_first(user, here, use, work, further)
            if met is None:
                return
            self.met[key] = met
        get = use.get
        met.uses.append(
            SourceUse(
                by=user.cid,
                relation=use["relation"],
                part=get("part"),
                into=get("into"),
                note=get("note"),
                nearest=here.distance == met.distance - 1,
            )
        )

    def meet_first(
        self,
        user: SignedObject,
        here: _Met,
        use: Mapping[str, Any],
        work: Cid | None,
        further: list[SignedObject],
    ) -> _Met | None:
        """None for what is no source."""
        distance = here.distance + 1
        if work is None:
            source = ForeignSource.from_body(use.get("source", {}))
            return _Met(distance, None, source, user.project)
        obj = self.lookup(work)
        if obj is None:
            self.missing.add(work)
            project = use.get("project")
            where = user.project if project is None else self.cid(project)
            return _Met(distance, None, None, where)
        if not is_source(obj):
            return None
        further.append(obj)
        return _Met(distance, obj, None, obj.project)

    def entries(
        self, obj: SignedObject, own: Sequence[_E], pages: Sequence[Cid], page: ListPage
    ) -> Iterable[_E | Mapping[str, Any]]:
        """A list in the body of a known kind, with the pages on which it goes on, up to the bounds [CRD-6].

        Works may link to the pages of others, so the lists of a small bundle could be endless.
        """
        n_entries = self.n_entries + len(own)
        if pages or self.is_cut or n_entries > limits.SHEET_ENTRIES:
            return self.entries_with_room(obj, own, pages, page)
        self.n_entries = n_entries
        return own

    def entries_with_room(
        self,
        obj: SignedObject,
        own: Iterable[_E],
        pages: Iterable[Cid],
        page: ListPage,
    ) -> Iterator[_E | Mapping[str, Any]]:
        further = (self.page_entries(obj, cid, page) for cid in pages)
        everything: Iterator[_E | Mapping[str, Any]] = chain(own, chain.from_iterable(further))
        for entry in everything:
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
        objects = (met.obj for met in self.met.values())
        count_generations(
            (obj.cid for obj in objects if obj is not None), self.required, self.generations
        )
        return tuple(self.line(key, met) for key, met in sorted(self.met.items(), key=self.order))

    def order(self, item: tuple[_SourceKey, _Met]) -> tuple[Any, ...]:
        """[CRD-1]"""
        key, met = item
        if met.obj is not None:
            return (met.distance, 0, -self.generations[met.obj.cid], bytes(met.obj.cid))
        if isinstance(key, Cid):
            return (met.distance, 1, bytes(key))
        return (met.distance, 2, *("" if part is None else repr(part) for part in key))

    def line(self, key: _SourceKey, met: _Met) -> CreditLine:
        obj, source = met.obj, met.source
        title = license_ = note = standing = None
        people: tuple[Person, ...] = ()
        from_project = False
        if obj is not None:
            standing = self.standing and self.standing(obj)
            people = tuple(self.people(obj, met, standing))
            title, note = met.title, met.note
            license_, from_project = self.license(obj, met.license)
        elif source is not None:
            title, license_ = source.title, source.license
            people = _foreign_people(source)
        return CreditLine(
            cid=key if isinstance(key, Cid) else None,
            project=met.project,
            source=source,
            title=title,
            people=people,
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
        """Sorting keeps those of one user in its order."""

        def order(use: SourceUse) -> tuple[int, int, bytes]:
            return (self.met[use.by].distance, -self.generations[use.by], bytes(use.by))

        return tuple(met.uses if len(met.uses) < 2 else sorted(met.uses, key=order))

    def license(self, obj: SignedObject, own: str | None) -> tuple[str | None, bool]:
        """The licence, and whether it is the project's default [CRD-4]."""
        if own is not None or obj.project is None:
            return own, False
        if obj.project not in self.defaults:
            project = self.lookup(obj.project)
            self.defaults[obj.project] = None if project is None else project.body.get("license")
        default = self.defaults[obj.project]
        return default, default is not None

    def people(self, obj: SignedObject, met: _Met, standing: Standing | None) -> Iterator[Person]:
        """Those whom the work credits, and its author."""
        author, is_named = obj.author, False
        by_person: dict[Cid | str | None, list[tuple[int | None, _Credit]]] = {}
        entries = self.entries(obj, met.credits, met.credits_pages, ListPage.CREDITS)
        for number, entry in enumerate(entries):
            credit = entry if isinstance(entry, tuple) else _credit(entry)
            # after a page that is not here nobody can tell the place of a credit
            place = None if self.lost and (obj.cid, ListPage.CREDITS) in self.lost else number
            text, name, _ = credit
            who = None if text is None else self.cid(text)
            is_named = is_named or who == author
            by_person.setdefault(who or name, []).append((place, credit))
        if not is_named:
            by_person.setdefault(author, []).append((None, _AS_AUTHOR))
        said = Said.about(obj, self.answers, self.standing)
        for key, named in by_person.items():
            who = key if isinstance(key, Cid) else None
            claim = claim_of(obj, who, [place for place, _ in named], standing, said)
            yield self.person(who, [credit for _, credit in named], claim, said)

    def person(self, who: Cid | None, named: Sequence[_Credit], claim: Claim, said: Said) -> Person:
        """The same person in the same roles is made once."""
        withheld = who in said.withheld
        name = None
        if not withheld:
            name = next((name for _, name, _ in named if name), None)
            name = name or (None if who is None else self.name(who))
        roles = tuple(dict.fromkeys([role for _, _, role in named]))
        key = (who, name, roles, claim, withheld)
        person = self.persons.get(key)
        if person is None:
            person = self.persons[key] = Person(
                identity=who, name=name, roles=roles, claim=claim, withheld=withheld
            )
        return person

    def name(self, identity: Cid) -> str | None:
        """The name in a genesis, if it is here."""
        if identity not in self.names:
            genesis = self.lookup(identity)
            is_person = genesis is not None and genesis.kind == "identity"
            self.names[identity] = genesis.body.get("name") if genesis and is_person else None
        return self.names[identity]

    def required(self, cid: Cid) -> tuple[Cid, ...]:
        met = self.met.get(cid)
        obj = self.lookup(cid) if met is None or met.obj is None else met.obj
        if obj is None:
            raise MissingBlocksError(f"{cid}, which a valid object requires, is not here", [cid])
        return obj.required


_FIELDS: Final = {
    "title", "note", "license", "uses", ListPage.USES.value, "credits", ListPage.CREDITS.value,
}  # fmt: skip
_AS_PARENT: Final[Mapping[str, Any]] = {"relation": "remix"}
"""How a parent is used that no use names."""
_AS_AUTHOR: Final[_Credit] = (None, None, "ctb")
"""How an author is credited whom the list doesn't name."""
_ASKED: Final = {
    name: tuple(_FIELDS & kind.body.fields.keys())
    for name, kind in KINDS.items()
    if kind.object_class is ObjectClass.WORK
}
"""What of `_FIELDS` a kind has [KND-11]."""


def _read(obj: SignedObject) -> Mapping[str, Any]:
    """What credits are made of; nothing of an unknown kind, whose fields say nothing."""
    asked = _ASKED.get(obj.kind)
    if asked is None:
        return {}
    body = obj.passing_body()
    return {name: body[name] for name in asked if name in body}


def _credit(entry: Mapping[str, Any]) -> _Credit:
    get = entry.get
    return get("who"), get("name"), entry["role"]


def _key_of(use: Mapping[str, Any]) -> _SourceKey:
    source = use.get("source", {})
    return (source.get("url"), source.get("title"), source.get("sha256"))


def _foreign_people(source: ForeignSource) -> tuple[Person, ...]:
    if source.author is None:
        return ()
    return (Person(identity=None, name=source.author, roles=("cre",), claim=Claim.CLAIMED),)
