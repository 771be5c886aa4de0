"""The trail of a project for people: what was made, by whom, from what, the oldest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.objects.contribution import Use
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import ObjectClass
from hitp2p.objects.known import known_field
from hitp2p.trail.display import code_of, relation_words, safe_line, safe_name, short_name
from hitp2p.trail.graph import count_generations
from hitp2p.trail.lanes import LaneRow, draw_lanes
from hitp2p.trail.standing import Standing

__all__ = ["Trail", "TrailEntry", "TrailSource"]

Lookup: TypeAlias = Callable[[Cid], SignedObject | None]
"""Valid objects that are here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailSource:
    """One source of an entry."""

    relation: str
    """How it was used: `remix` and so on."""
    cid: Cid | None
    """The work; None for something outside hitp2p."""
    title: str | None
    """Its title; None where it isn't here or has none."""
    part: str | None
    """Media fragment: what of it was used."""
    into: str | None
    """Media fragment: where in the entry it went."""
    note: str | None
    """The person's own sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailEntry:
    """One object of the trail. Text is as its author wrote it; clean it before showing it."""

    cid: Cid
    kind: str
    object_class: ObjectClass
    title: str | None
    """None where it has none, or the kind is unknown."""
    identity: Cid
    """Who speaks."""
    name: str | None
    """What they call themselves, a claim; None where their genesis isn't here."""
    time: int
    """Milliseconds since 1970, as claimed; orders nothing."""
    generation: int
    is_head: bool
    """A work that no work here names as parent [TRL-10]."""
    parents: tuple[Cid, ...]
    """Works, and objects of unknown kinds, of this trail that it names as parents."""
    sources: tuple[TrailSource, ...]
    more_sources: bool
    """Whether its uses go on in list pages, which a trail doesn't read; the credits do."""
    note: str | None
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """A project's objects in the order (generation, CID): sources before what was made of them."""

    project: Cid
    title: str
    license: str | None
    """Default licence of the project."""
    entries: tuple[TrailEntry, ...]

    @classmethod
    def of(
        cls,
        project: SignedObject,
        objects: Iterable[SignedObject],
        *,
        lookup: Lookup,
        standing: Callable[[SignedObject], Standing],
    ) -> Trail:
        """The trail of a set of objects; equal sets give equal trails.

        Args:
            project: the project.
            objects: valid objects of it that are here.
            lookup: finds other objects: people, works elsewhere.
            standing: the standing of an object.
        """
        members = {obj.cid: obj for obj in (project, *objects)}
        view = _View(members, lookup, standing)
        return cls(
            project=project.cid,
            title=project.body["title"],
            license=project.body.get("license"),
            entries=tuple(view.entries()),
        )

    def text(self) -> str:
        """Lines for a terminal: works in lanes, `*` marks a head (see `hitp2p.trail.lanes`). Foreign text is cleaned."""
        return "\n".join(self._text_lines())

    def _text_lines(self) -> Iterator[str]:
        works = [entry for entry in self.entries if entry.object_class in _IN_LANES]
        number = {entry.cid: place for place, entry in enumerate(works)}
        rows = draw_lanes([[number[parent] for parent in entry.parents] for entry in works])
        row = LaneRow(work="", below="")
        for entry in self.entries:
            if entry.cid in number:
                row = next(rows)
                yield from _lines(entry, row.work, row.below)
            else:
                yield from _lines(entry, row.below, row.below)

    def to_json(self) -> dict[str, Any]:
        """Plain values with stable names: project, title, license, entries."""
        return {
            "project": str(self.project),
            "title": self.title,
            "license": self.license,
            "entries": [_entry_json(entry) for entry in self.entries],
        }


_IN_LANES: Final = frozenset({ObjectClass.WORK, ObjectClass.UNKNOWN})
"""What can be a parent of works."""


class _View:
    """Makes the entries of one set."""

    def __init__(
        self,
        members: Mapping[Cid, SignedObject],
        lookup: Lookup,
        standing: Callable[[SignedObject], Standing],
    ) -> None:
        self.members = members
        self.lookup = lookup
        self.standing = standing
        self.names: dict[Cid, str | None] = {}
        self.built_on = {
            parent
            for obj in members.values()
            if obj.object_class is ObjectClass.WORK
            for parent in obj.parents
        }

    def entries(self) -> Iterator[TrailEntry]:
        generation = count_generations(self.members, self.required)
        for cid in sorted(self.members, key=lambda cid: (generation[cid], cid)):
            yield self.entry(self.members[cid], generation[cid])

    def required(self, cid: Cid) -> tuple[Cid, ...]:
        obj = self.get(cid)
        return () if obj is None else obj.required

    def get(self, cid: Cid) -> SignedObject | None:
        return self.members.get(cid) or self.lookup(cid)

    def entry(self, obj: SignedObject, generation: int) -> TrailEntry:
        is_work = obj.object_class is ObjectClass.WORK
        return TrailEntry(
            cid=obj.cid,
            kind=obj.kind,
            object_class=obj.object_class,
            title=_text_of(obj, "title"),
            identity=obj.identity,
            name=self.name(obj.identity),
            time=obj.time,
            generation=generation,
            is_head=is_work and obj.cid not in self.built_on,
            parents=tuple(filter(self.is_in_lanes, obj.parents)),
            sources=tuple(self.sources(obj)) if is_work else (),
            more_sources=bool(known_field(obj, "uses_pages")),
            note=_text_of(obj, "note", "prompt", "reason", "text"),
            standing=self.standing(obj),
        )

    def is_in_lanes(self, cid: Cid) -> bool:
        obj = self.members.get(cid)
        return obj is not None and obj.object_class in _IN_LANES

    def name(self, identity: Cid) -> str | None:
        if identity not in self.names:
            genesis = self.get(identity)
            self.names[identity] = None if genesis is None else _text_of(genesis, "name")
        return self.names[identity]

    def sources(self, obj: SignedObject) -> Iterator[TrailSource]:
        used: set[Cid] = set()
        for use in map(Use.from_body, known_field(obj, "uses") or ()):
            if use.work is not None:
                used.add(use.work)
            yield self.source(use)
        for parent in obj.parents:
            if parent not in used and parent != obj.project:
                yield self.source(Use(relation="remix", work=parent))

    def source(self, use: Use) -> TrailSource:
        title = None
        if use.source is not None:
            title = use.source.title or use.source.url
        elif use.work is not None and (work := self.get(use.work)) is not None:
            title = _text_of(work, "title")
        return TrailSource(
            relation=use.relation,
            cid=use.work,
            title=title,
            part=use.part,
            into=use.into,
            note=use.note,
        )


def _text_of(obj: SignedObject, *names: str) -> str | None:
    """The first of these fields that a body has; bodies of unknown kinds may hold anything, and are left alone."""
    if obj.object_class is ObjectClass.UNKNOWN:
        return None
    found = next((obj.body[name] for name in names if name in obj.body), None)
    return found if isinstance(found, str) else None


def _lines(entry: TrailEntry, lane: str, below: str) -> Iterator[str]:
    who = f"{safe_name(entry.name or '?')} {code_of(entry.identity)}"
    words = [short_name(entry.cid), entry.kind, safe_line(entry.title or ""), f"by {who}"]
    if entry.standing is not Standing.GOOD:
        words.append(f"({entry.standing.value})")
    yield f"{lane:<2} " + "  ".join(filter(None, words))
    for line in _remarks(entry):
        yield f"{below:<2}     {line}"


def _remarks(entry: TrailEntry) -> Iterator[str]:
    for source in entry.sources:
        part = f" {safe_line(source.part)}" if source.part else ""
        name = safe_line(source.title) if source.title else "(not here)"
        cid = "" if source.cid is None else f" {short_name(source.cid)}"
        into = f" into {safe_line(source.into)}" if source.into else ""
        yield f"{relation_words(source.relation)} {name}{cid}{part}{into}"
        if source.note:
            yield f'  "{safe_line(source.note)}"'
    if entry.more_sources:
        yield "and more sources; the credits list them"
    if entry.note:
        yield f'"{safe_line(entry.note)}"'


def _entry_json(entry: TrailEntry) -> dict[str, Any]:
    return {
        "cid": str(entry.cid),
        "kind": entry.kind,
        "title": entry.title,
        "identity": str(entry.identity),
        "name": entry.name,
        "time": entry.time,
        "generation": entry.generation,
        "is_head": entry.is_head,
        "standing": entry.standing.value,
        "note": entry.note,
        "sources": [
            {
                "relation": source.relation,
                "cid": None if source.cid is None else str(source.cid),
                "title": source.title,
                "note": source.note,
            }
            for source in entry.sources
        ],
    }
