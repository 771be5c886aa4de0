"""Bundles: a work and all that checking it needs, in one order, so that equal sets give equal bytes [spec 06]."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from hitp2p.codec.cid import DAG_CBOR, DAG_PB, RAW, Cid
from hitp2p.codec.dagpb import decode_dagpb
from hitp2p.errors import MissingBlocksError, UsageError
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import ObjectClass
from hitp2p.ports import BlockSource
from hitp2p.trail.graph import count_generations
from hitp2p.trail.snapshot import Snapshot, build_snapshot

__all__ = ["Bundle", "MediaChoice", "gather_bundle", "list_pages_of"]

Lookup: TypeAlias = Callable[[Cid], SignedObject | None]
MediaChoice: TypeAlias = Literal["none", "work", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What goes into a bundle, before a byte is written."""

    work: Cid
    """First root."""
    snapshot: Snapshot
    """Second root and its pages."""
    members: tuple[Cid, ...]
    """Objects and list pages in snapshot order."""
    n_objects: int
    """How many of the members are signed objects."""
    wanted: tuple[Cid, ...]
    """Texts and media to carry, in the order in which objects first link to them."""

    def blocks(self, source: BlockSource, missing: list[Cid]) -> Iterator[tuple[Cid, bytes]]:
        """Everything in the order of BND-3; texts and media that aren't here are noted in `missing`."""
        yield from self.snapshot.pages.items()
        for cid in self.members:
            block = source.get(cid)
            if block is None:
                raise MissingBlocksError(f"{cid} is not here any more", [cid])
            yield cid, block
        seen: set[Cid] = set()
        waiting = list(reversed(self.wanted))
        while waiting:
            cid = waiting.pop()
            if cid in seen:
                continue
            seen.add(cid)
            block = source.get(cid)
            if block is None:
                missing.append(cid)
                continue
            yield cid, block
            if cid.codec == DAG_PB:
                waiting.extend(link.cid for link in reversed(decode_dagpb(block).links))


def gather_bundle(
    work: SignedObject,
    *,
    lookup: Lookup,
    events: Callable[[Cid], Iterable[Cid]],
    referrers: Callable[[Cid], Iterable[Cid]],
    blocks: BlockSource,
    media: MediaChoice = "none",
) -> Bundle:
    """Collect a work, its ancestors, works it uses from elsewhere, and for each of these the statements about it and the
    identities of all who speak. A function of what is here.

    Args:
        work: valid, of class work.
        lookup: valid objects that are here.
        events: all events of an identity that are here.
        referrers: objects that are here and name a CID by a ref.
        blocks: list pages, texts and media.
        media: which media are wanted; texts always are.
    """
    if work.object_class is not ObjectClass.WORK:
        raise UsageError(f"{work.cid} is a {work.kind}; a bundle carries a contribution or release")
    objects = _reach(work, lookup, events, referrers)
    pages = [
        page
        for obj in objects.values()
        for page in list_pages_of(obj)
        if blocks.get(page) is not None
    ]
    generation = count_generations(objects, lambda cid: objects[cid].required)
    pairs = {**dict.fromkeys(pages, 0), **generation}
    members = tuple(sorted(pairs, key=lambda cid: (pairs[cid], cid)))
    in_order = [objects[cid] for cid in members if cid in objects]
    return Bundle(
        work=work.cid,
        snapshot=build_snapshot((pairs[cid], cid) for cid in members),
        members=members,
        n_objects=len(objects),
        wanted=tuple(dict.fromkeys(_wanted(in_order, work.cid, media))),
    )


def _reach(
    work: SignedObject,
    lookup: Lookup,
    events: Callable[[Cid], Iterable[Cid]],
    referrers: Callable[[Cid], Iterable[Cid]],
) -> dict[Cid, SignedObject]:
    found: dict[Cid, SignedObject] = {}
    waiting = [work.cid]
    while waiting:
        cid = waiting.pop()
        obj = None if cid in found else lookup(cid)
        if obj is None:
            continue
        found[cid] = obj
        waiting.extend(obj.required)
        waiting.extend(events(obj.identity))
        if obj.object_class is ObjectClass.WORK:
            waiting.extend(_used_elsewhere(obj))
            waiting.extend(ref for ref in referrers(cid) if _is_statement(lookup(ref)))
    return found


def _used_elsewhere(work: SignedObject) -> Iterator[Cid]:
    for use in work.body.get("uses", ()):
        if "project" in use:
            yield Cid.parse(use["work"])


def _is_statement(obj: SignedObject | None) -> bool:
    return obj is not None and obj.object_class is ObjectClass.STATEMENT


def list_pages_of(obj: SignedObject) -> Iterator[Cid]:
    """The list pages that an object links to: dag-cbor links that aren't signed objects [OBJ-23]."""
    required = set(obj.required)
    for link in obj.links:
        if link.codec == DAG_CBOR and link not in required:
            yield link


def _wanted(objects: Iterable[SignedObject], work: Cid, media: MediaChoice) -> Iterator[Cid]:
    for obj in objects:
        texts = {value for name, value in obj.body.items() if name.endswith("_block")}
        carries_media = media == "all" or (media == "work" and obj.cid == work)
        for link in obj.links:
            if link.codec in (RAW, DAG_PB) and (carries_media or link in texts):
                yield link
