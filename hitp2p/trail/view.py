"""The trail of a project for people: what was made, by whom, from what, the oldest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from hitp2p.codec.cid import Cid
from hitp2p.objects.contribution import Use
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import ObjectClass
from hitp2p.trail.display import code_of, safe_line, short_name
from hitp2p.trail.graph import count_generations
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
    note: str | None
    """The person's own sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailEntry:
    """One object of the trail. Text is as its author wrote it; clean it before showing it."""

    cid: Cid
    kind: str
    title: str | None
    identity: Cid
    """Who speaks."""
    name: str | None
    """What they call themselves, a claim; None where their genesis isn't here."""
    time: int
    """Milliseconds since 1970, as claimed; orders nothing."""
    generation: int
    is_head: bool
    """A work that no work here names as parent [TRL-10]."""
    sources: tuple[TrailSource, ...]
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
        counted: dict[Cid, int] = {}

        def required(cid: Cid) -> tuple[Cid, ...]:
            obj = members.get(cid) or lookup(cid)
            return () if obj is None else obj.required

        count_generations(members, required, counted)
        named = {
            parent
            for obj in members.values()
            if obj.object_class is ObjectClass.WORK
            for parent in obj.parents
        }
        order = sorted(members, key=lambda cid: (counted[cid], cid))
        return cls(
            project=project.cid,
            title=project.body["title"],
            license=project.body.get("license"),
            entries=tuple(
                _entry(members[cid], counted[cid], cid not in named, lookup, standing)
                for cid in order
            ),
        )

    def text(self) -> str:
        """Lines for a terminal; `*` marks a head. All foreign text is cleaned."""
        return "\n".join(line for entry in self.entries for line in _lines(entry))

    def to_json(self) -> dict[str, Any]:
        """Plain values with stable names: project, title, license, entries."""
        return {
            "project": str(self.project),
            "title": self.title,
            "license": self.license,
            "entries": [_entry_json(entry) for entry in self.entries],
        }


def _entry(
    obj: SignedObject,
    generation: int,
    unnamed: bool,
    lookup: Lookup,
    standing: Callable[[SignedObject], Standing],
) -> TrailEntry:
    genesis = lookup(obj.identity)
    body = obj.body
    note = body.get("note") or body.get("reason") or body.get("text")
    return TrailEntry(
        cid=obj.cid,
        kind=obj.kind,
        title=body.get("title"),
        identity=obj.identity,
        name=None if genesis is None else genesis.body.get("name"),
        time=obj.time,
        generation=generation,
        is_head=unnamed and obj.object_class is ObjectClass.WORK,
        sources=tuple(_sources(obj, lookup)),
        note=note if isinstance(note, str) else None,
        standing=standing(obj),
    )


def _sources(obj: SignedObject, lookup: Lookup) -> Iterator[TrailSource]:
    if obj.object_class is not ObjectClass.WORK:
        return
    used: set[Cid] = set()
    for raw in obj.body.get("uses", ()):
        use = Use.from_body(raw)
        title = None
        if use.work is not None:
            used.add(use.work)
            title = _title(use.work, lookup)
        elif use.source is not None:
            title = use.source.title or use.source.url
        yield TrailSource(relation=use.relation, cid=use.work, title=title, note=use.note)
    for parent in obj.parents:
        if parent not in used and parent != obj.project:
            yield TrailSource(relation="remix", cid=parent, title=_title(parent, lookup), note=None)


def _title(cid: Cid, lookup: Lookup) -> str | None:
    found = lookup(cid)
    title = None if found is None else found.body.get("title")
    return title if isinstance(title, str) else None


def _lines(entry: TrailEntry) -> Iterator[str]:
    mark = "*" if entry.is_head else "|"
    who = f"{safe_line(entry.name or '?')} {code_of(entry.identity)}"
    what = safe_line(entry.title) if entry.title else ""
    standing = "" if entry.standing is Standing.GOOD else f"  ({entry.standing.value})"
    yield f"{mark} {short_name(entry.cid)}  {safe_line(entry.kind)}  {what}  by {who}{standing}"
    for source in entry.sources:
        name = safe_line(source.title) if source.title else "(not here)"
        cid = "" if source.cid is None else f" {short_name(source.cid)}"
        yield f"|     {source.relation} of {name}{cid}"
        if source.note:
            yield f'|       "{safe_line(source.note)}"'
    if entry.note:
        yield f'|     "{safe_line(entry.note)}"'


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
