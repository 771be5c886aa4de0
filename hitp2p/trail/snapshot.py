"""Snapshots: one CID for a whole set of objects, as pages of links that anyone can compute again [SNP-1, SNP-2].

A page ends where a CID's digest says so, not after a count. So one more object moves no boundary behind it: it changes
the page it falls into and the pages above that one, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.codec.dagcbor import Profile, Value, decode_object, encode
from hitp2p.dataclass import dataclass
from hitp2p.errors import MissingBlocksError, RuleError, UsageError
from hitp2p.limits import SNAPSHOT_CUT, SNAPSHOT_LEVELS, SNAPSHOT_LINKS
from hitp2p.ports import BlockSource

__all__ = [
    "Snapshot",
    "SnapshotPage",
    "SnapshotReader",
    "build_snapshot",
    "iter_snapshot",
    "parse_snapshot_page",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The pages that name a set."""

    root: Cid
    """The one CID that stands for the set."""
    pages: dict[Cid, bytes]
    """All pages by CID, each before the pages it links to, depth first, the root first [BND-3]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotPage:
    """One page, checked against SNP-1."""

    links: tuple[Cid, ...]
    """Level 0: objects and list pages, oldest first. Above: pages of the level below."""
    level: int
    """0 to 15."""


def build_snapshot(pairs: Iterable[tuple[int, Cid]]) -> Snapshot:
    """Cut a set into pages [SNP-2].

    Args:
        pairs: (generation, CID) of each member, in any order and with repetitions; a list page has generation 0.

    Raises:
        UsageError: no members, or one CID under two generations.
    """
    members = [cid for _, cid in sorted(set(pairs))]
    if not members:
        raise UsageError("a snapshot names at least one object; the set is empty")
    if len(set(members)) < len(members):
        raise UsageError("one CID stands under two generations")
    level, blocks = 0, _cut_level(members, 0)
    tree = [blocks]
    while len(blocks) > 1:
        level += 1
        blocks = _cut_level([cid for cid, _, _ in blocks], level)
        tree.append(blocks)
    return Snapshot(root=blocks[0][0], pages=_depth_first(tree))


_Block = tuple[Cid, bytes, int]
"""CID of a page, its bytes, how many links it has."""


def _cut_level(cids: list[Cid], level: int) -> list[_Block]:
    """The pages of one level, in order."""
    if level >= SNAPSHOT_LEVELS:
        raise RuleError(f"the set needs more than {SNAPSHOT_LEVELS} levels", rule="SNP-1")
    blocks: list[_Block] = []
    start = 0
    for end, cid in enumerate(cids, start=1):
        if ends_page(cid) or end - start == SNAPSHOT_LINKS or end == len(cids):
            links: list[Value] = list(cids[start:end])
            block = encode({"links": links, "level": level}, profile=Profile.OBJECT)
            blocks.append((Cid.of(DAG_CBOR, block), block, end - start))
            start = end
    return blocks


def ends_page(cid: Cid) -> bool:
    """Whether a page ends after this CID: on average every 128th does."""
    return int.from_bytes(cid.digest[:4], "big") % SNAPSHOT_CUT == 0


def _depth_first(tree: list[list[_Block]]) -> dict[Cid, bytes]:
    """Pages from the root down; `tree` holds the levels from 0 up."""
    waiting = [iter(level) for level in tree]
    pages: dict[Cid, bytes] = {}
    # Of the pages on the way down, how many links are left to follow; above the root there is a single one.
    open_links = [1]
    while open_links:
        if not open_links[-1]:
            open_links.pop()
            continue
        open_links[-1] -= 1
        level = len(tree) - len(open_links)
        cid, block, n_links = next(waiting[level])
        pages[cid] = block
        if level:
            open_links.append(n_links)
    return pages


def parse_snapshot_page(block: bytes, *, cid: Cid | None = None) -> SnapshotPage:
    """The page that a block holds; its hash is the caller's business.

    Raises:
        DecodeError: not object-profile dag-cbor.
        RuleError: SNP-1 for another shape, SNP-2 where the page should have ended earlier.
    """
    value = decode_object(block)
    if type(value) is not dict or value.keys() != {"links", "level"}:
        raise _broken(
            "not a snapshot page: a map with links and level only is allowed", "SNP-1", cid
        )
    links, level = value["links"], value["level"]
    if type(level) is not int or not 0 <= level < SNAPSHOT_LEVELS:
        raise _broken(f"level is not an integer from 0 to {SNAPSHOT_LEVELS - 1}", "SNP-1", cid)
    if type(links) is not list or not 0 < len(links) <= SNAPSHOT_LINKS:
        raise _broken(f"links is not a list of 1 to {SNAPSHOT_LINKS} entries", "SNP-1", cid)
    checked = tuple(link for link in links if type(link) is Cid and link.codec == DAG_CBOR)
    if len(checked) < len(links):
        raise _broken("an entry is not a link to dag-cbor", "SNP-1", cid)
    if any(ends_page(link) for link in checked[:-1]):
        raise _broken("the page goes on behind a CID that ends it", "SNP-2", cid)
    return SnapshotPage(links=checked, level=level)


class SnapshotReader:
    """Takes a snapshot's pages one by one, in the order of BND-3, and checks that the cut is the right one.

    Whether the members stand in the order (generation, CID) can be seen from the objects only. No page is taken twice,
    so a few small blocks can't unfold into a long list.
    """

    def __init__(self, root: Cid) -> None:
        self._waiting = [root]
        self._level_of: dict[Cid, int] = {}
        self._seen: set[Cid] = set()
        self._ended = [True] * SNAPSHOT_LEVELS
        """By level: whether the page before ended as a page in the middle must."""
        self._root = root

    @property
    def wanted(self) -> Cid | None:
        """The page that must come next; None when all are read."""
        return self._waiting[-1] if self._waiting else None

    def take(self, cid: Cid, block: bytes) -> tuple[Cid, ...]:
        """Read the page that `wanted` names; returns the members that it lists, if it is of level 0.

        Raises:
            InvalidError: the page, or its place among the others, breaks SNP-1 or SNP-2.
        """
        page = parse_snapshot_page(block, cid=cid)
        self._check_level(cid, page)
        self._check_place(cid, page)
        self._waiting.pop()
        if page.level == 0:
            return page.links
        for link in reversed(page.links):
            if link in self._seen:
                raise _broken(f"{link} is linked twice", "SNP-2", cid)
            self._seen.add(link)
            self._level_of[link] = page.level - 1
            self._waiting.append(link)
        return ()

    def _check_level(self, cid: Cid, page: SnapshotPage) -> None:
        expected = self._level_of.pop(cid, page.level)
        if page.level != expected:
            raise _broken(
                f"a page of level {page.level} where level {expected} is linked", "SNP-1", cid
            )
        if cid == self._root and page.level and len(page.links) == 1:
            raise _broken("the root has a single page below it, which is the root", "SNP-2", cid)

    def _check_place(self, cid: Cid, page: SnapshotPage) -> None:
        if not self._ended[page.level]:
            raise _broken(
                f"a page of level {page.level} follows one that ended too early", "SNP-2", cid
            )
        full = len(page.links) == SNAPSHOT_LINKS
        self._ended[page.level] = full or ends_page(page.links[-1])


def iter_snapshot(root: Cid, source: BlockSource) -> Iterator[Cid]:
    """The members of a snapshot in their order, as its pages are read and checked.

    What was given out before an error is not known to be part of any snapshot.

    Args:
        root: the snapshot.
        source: where its pages are; it hashes what it gives.

    Raises:
        MissingBlocksError: a page is not here.
        InvalidError: SNP-1 or SNP-2.
    """
    reader = SnapshotReader(root)
    seen: set[Cid] = set()
    while (wanted := reader.wanted) is not None:
        block = source.get(wanted)
        if block is None:
            raise MissingBlocksError(f"snapshot page {wanted} is not here", [wanted])
        for member in reader.take(wanted, block):
            if member in seen:
                raise _broken(f"{member} is listed twice", "SNP-2", wanted)
            seen.add(member)
            yield member


def _broken(message: str, rule: str, cid: Cid | None) -> RuleError:
    return RuleError(message, rule=rule, cid=cid)
