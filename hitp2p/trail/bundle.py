"""Bundles: a work and all that checking it needs, in one order, so that equal sets give equal bytes [spec 06]."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Literal, TypeAlias

from hitp2p.codec.cid import DAG_CBOR, DAG_PB, OBJECT_CID_HEAD, RAW, SHA2_256, Cid
from hitp2p.codec.dagpb import decode_dagpb
from hitp2p.dataclass import dataclass
from hitp2p.errors import InvalidError, MissingBlocksError, UsageError
from hitp2p.objects.carried import iter_list_pages, texts_only
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import ObjectClass
from hitp2p.objects.known import known_field
from hitp2p.objects.pages import ListPage, audit_list_page, parse_list_page
from hitp2p.objects.text import parse_text
from hitp2p.ports import BlockSource
from hitp2p.trail.graph import count_generations
from hitp2p.trail.snapshot import Snapshot, build_snapshot
from hitp2p.trail.standing import StandingAuditor

__all__ = ["Bundle", "MediaChoice", "gather_bundle", "is_list_page", "is_media", "list_pages_of"]

Lookup: TypeAlias = Callable[[Cid], SignedObject | None]
MediaChoice: TypeAlias = Literal["none", "work", "all"]
"""Which media a bundle carries: none, those of the work, or those of all its sources."""


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
    linked: tuple[Cid, ...]
    """Texts and media that the objects link to, wanted or not, in the order in which they first do."""
    wanted: frozenset[Cid]
    """Which of them are to be carried, with all that hangs below."""
    texts: frozenset[Cid]
    """Which of them are texts and nothing else, so that a reader refuses them if they are no texts [BND-6]."""

    def blocks(self, source: BlockSource, missing: list[Cid]) -> Iterator[tuple[Cid, bytes]]:
        """Everything in the order of BND-3; texts and media that aren't here are noted in `missing`.

        A node that isn't canonical dag-pb or a text that isn't one, which no reader would take, counts as missing.
        """
        yield from self.snapshot.pages.items()
        for cid in self.members:
            block = source.get(cid)
            if block is None:
                raise MissingBlocksError(f"{cid} is not here any more", [cid])
            yield cid, block
        yield from self._texts_and_media(source, missing)

    def _texts_and_media(
        self, source: BlockSource, missing: list[Cid]
    ) -> Iterator[tuple[Cid, bytes]]:
        """Walks as a reader does, who doesn't know what is wanted: by the first link, carried or not."""
        children = self._children(source)
        passed: set[Cid] = set()
        waiting = list(reversed(self.linked))
        below = set[Cid]().union(*children.values())
        carried = self.wanted | below
        while waiting:
            cid = waiting.pop()
            if cid in passed or cid not in carried:
                continue
            passed.add(cid)
            lost = cid.codec == DAG_PB and cid not in children
            block = None if lost or not is_media(cid) else source.get(cid)
            if block is None or (cid in self.texts and cid not in below and not _is_text(block)):
                missing.append(cid)
                continue
            yield cid, block
            waiting.extend(reversed(children.get(cid, ())))

    def _children(self, source: BlockSource) -> dict[Cid, tuple[Cid, ...]]:
        """The links of every node to be carried that is here."""
        children: dict[Cid, tuple[Cid, ...]] = {}
        waiting = [cid for cid in self.wanted if cid.codec == DAG_PB]
        while waiting:
            cid = waiting.pop()
            block = None if cid in children or not is_media(cid) else source.get(cid)
            if block is None:
                continue
            try:
                links = decode_dagpb(block).links
            except InvalidError:
                continue
            children[cid] = tuple(link.cid for link in links)
            waiting.extend(link for link in children[cid] if link.codec == DAG_PB)
        return children


def gather_bundle(
    work: SignedObject,
    *,
    lookup: Lookup,
    events: Callable[[Cid], Iterable[Cid]],
    referrers: Callable[[Cid], Iterable[Cid]],
    blocks: BlockSource,
    media: MediaChoice = "none",
) -> Bundle:
    """Collect a work and what a bundle of it holds besides, as spec 06 says. A function of what is here.

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
    gathering = _Gathering(lookup, events, referrers, blocks)
    gathering.run(work)
    objects = gathering.found
    pages = set(gathering.pages())
    generation = count_generations(objects, lambda cid: objects[cid].required)
    pairs = {**dict.fromkeys(pages, 0), **generation}
    members = tuple(sorted(pairs, key=lambda cid: (pairs[cid], cid)))
    in_order = [objects[cid] for cid in members if cid in objects]
    return Bundle(
        work=work.cid,
        snapshot=build_snapshot((pairs[cid], cid) for cid in members),
        members=members,
        n_objects=len(objects),
        linked=tuple(
            dict.fromkeys(link for obj in in_order for link in obj.links if is_media(link))
        ),
        wanted=frozenset(_wanted(in_order, work.cid, media)),
        texts=texts_only(in_order),
    )


class _Gathering:
    """Collects objects, each with all that it requires."""

    def __init__(
        self,
        lookup: Lookup,
        events: Callable[[Cid], Iterable[Cid]],
        referrers: Callable[[Cid], Iterable[Cid]],
        blocks: BlockSource,
    ) -> None:
        self.found: dict[Cid, SignedObject] = {}
        self._lookup = lookup
        self._events = events
        self._referrers = referrers
        self._blocks = blocks
        self._read: set[tuple[Cid, ListPage]] = set()

    def run(self, work: SignedObject) -> None:
        """Collect for a work, then for as long as standing asks for more."""
        auditor = StandingAuditor(
            events=lambda identity: filter(None, map(self.get, self._events(identity))),
            lookup=self.get,
            blocks=self._blocks,
        )
        waiting = [work.cid]
        while waiting:
            new = self._reach(waiting)
            waiting = [cid for obj in new for cid in auditor.audit(obj).evidence]

    def get(self, cid: Cid) -> SignedObject | None:
        """An object that is here."""
        return self.found.get(cid) or self._lookup(cid)

    def _reach(self, cids: Iterable[Cid]) -> list[SignedObject]:
        """Take in objects and what they bring with them; returns those that are new."""
        new: list[SignedObject] = []
        waiting = list(cids)
        while waiting:
            cid = waiting.pop()
            obj = None if cid in self.found else self._lookup(cid)
            if obj is None:
                continue
            self.found[cid] = obj
            new.append(obj)
            waiting.extend(obj.required)
            waiting.extend(self._events(obj.identity))
            if obj.object_class is ObjectClass.WORK:
                waiting.extend(obj.refs)
                waiting.extend(self._refs_in_pages(obj))
                waiting.extend(self._statements_about(cid))
            elif obj.object_class is ObjectClass.STATEMENT:
                waiting.extend(self._withdrawals_of(obj))
        return new

    def _statements_about(self, work: Cid) -> Iterator[Cid]:
        for cid in self._referrers(work):
            obj = self.get(cid)
            if obj is not None and obj.object_class is ObjectClass.STATEMENT:
                yield cid

    def _withdrawals_of(self, statement: SignedObject) -> Iterator[Cid]:
        """Without them a reader would take what was taken back for what still counts."""
        for cid in self._referrers(statement.cid):
            obj = self.get(cid)
            if obj is not None and obj.kind == "withdrawal" and obj.author == statement.author:
                yield cid

    def _refs_in_pages(self, work: SignedObject) -> Iterator[Cid]:
        for page, names in _REFS_IN_PAGES.items():
            for cid in known_field(work, page.value) or ():
                if (cid, page) in self._read:  # many works may link to one long page
                    continue
                self._read.add((cid, page))
                for entry in self._entries(cid, page):
                    yield from (Cid.parse(entry[name]) for name in names if name in entry)

    def _entries(self, cid: Cid, page: ListPage) -> list[dict[str, Any]]:
        block = self._blocks.get(cid)
        try:
            return [] if block is None else parse_list_page(block, page)
        except InvalidError:
            return []

    def pages(self) -> Iterator[Cid]:
        """The list pages that are here, but for those that no reader would take [BND-6]."""
        lists: dict[Cid, set[ListPage]] = {}
        for obj in self.found.values():
            for page, its_list in iter_list_pages(obj):
                lists.setdefault(page, set()).add(its_list)
        for page in {page for obj in self.found.values() for page in list_pages_of(obj)}:
            block = None if page in self.found else self._blocks.get(page)
            if block is None or not is_list_page(block):
                continue
            if page not in lists or lists[page] - audit_list_page(block).keys():
                yield page


_REFS_IN_PAGES: Final = {ListPage.USES: ("work", "project"), ListPage.CREDITS: ("who",)}
"""Where the entries of a page have refs."""


_LINK_START: Final = b"\xd8\x2a\x58\x25\0" + OBJECT_CID_HEAD
"""How every link to dag-cbor in an object is encoded [ENC-4, ENC-16]; other bytes may hold the same by chance."""


def list_pages_of(obj: SignedObject) -> Iterator[Cid]:
    """The dag-cbor links of an object beyond what it requires: list pages, if they are no objects [OBJ-23]."""
    envelope = [obj.author, obj.event, obj.project, *obj.parents]
    if obj.block.count(_LINK_START) <= len(envelope) - envelope.count(None):
        return  # no room for another, as these links start alike; decoding the body would take 30 us
    required = set(obj.required)
    for link in obj.links:
        if link.codec == DAG_CBOR and link not in required:
            yield link


def is_list_page(block: bytes) -> bool:
    """Whether a member of a snapshot is no object. An object has `sig` first; a list page has no such key."""
    return block[1:5] != b"\x63sig"


def _is_text(block: bytes) -> bool:
    try:
        parse_text(block)
    except InvalidError:
        return False
    return True


def is_media(cid: Cid) -> bool:
    """Whether a bundle may carry the block as text or media: raw or dag-pb, under a CID as in ENC-16."""
    return cid.codec in (RAW, DAG_PB) and cid.version == 1 and cid.hash_code == SHA2_256


def _wanted(objects: Iterable[SignedObject], work: Cid, media: MediaChoice) -> Iterator[Cid]:
    for obj in objects:
        texts = {
            value
            for name, value in obj.body.items()
            if name.endswith("_block") and type(value) is Cid
        }
        carries_media = media == "all" or (media == "work" and obj.cid == work)
        for link in obj.links:
            if is_media(link) and (carries_media or link in texts):
                yield link
