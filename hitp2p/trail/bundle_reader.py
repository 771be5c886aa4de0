"""Reading a bundle as it comes, block by block, and checking all of it: nothing here is taken on trust [BND-1 to BND-6]."""

from __future__ import annotations

from collections.abc import Callable, Container
from copy import copy

from hitp2p.codec.cid import DAG_PB, Cid
from hitp2p.codec.dagpb import decode_dagpb
from hitp2p.dataclass import dataclass, field
from hitp2p.errors import InvalidError, MissingBlocksError, RuleError
from hitp2p.objects.carried import iter_list_pages, texts_only
from hitp2p.objects.envelope import SignedObject, verify_object
from hitp2p.objects.kinds import ObjectClass
from hitp2p.objects.pages import ListPage, audit_list_page
from hitp2p.objects.text import parse_text
from hitp2p.trail.bundle import is_list_page, is_media, list_pages_of
from hitp2p.trail.check import verify_in_trail
from hitp2p.trail.snapshot import SnapshotReader, build_snapshot

__all__ = ["BundleContents", "BundleReader"]


@dataclass(slots=True, kw_only=True)
class BundleContents:
    """What a bundle holds, verified."""

    work: Cid
    """The work it was made for."""
    snapshot: Cid
    """The snapshot of all its members."""
    objects: dict[Cid, SignedObject] = field(default_factory=dict[Cid, SignedObject])
    """Signed objects, each after what it requires."""
    pages: dict[Cid, bytes] = field(default_factory=dict[Cid, bytes])
    """List pages, unless they were handed on as they came."""
    blocks: dict[Cid, bytes] = field(default_factory=dict[Cid, bytes])
    """Texts and media, unless they were handed on as they came."""
    generations: dict[Cid, int] = field(default_factory=dict[Cid, int])
    """Of each object [TRL-11]."""


class BundleReader:
    """Takes the blocks of a bundle in their order; `finish` returns what it holds.

    Objects are held until then, because later objects are checked against them.
    """

    def __init__(
        self,
        roots: tuple[Cid, ...],
        *,
        car_version: int = 1,
        on_block: Callable[[Cid, bytes], None] | None = None,
    ) -> None:
        """Start with the head of the file.

        Args:
            roots: as received.
            car_version: of the file that they came from.
            on_block: gets list pages, texts and media as they come, instead of their being held. Whether the bundle is a
                good one is known only after `finish`.

        Raises:
            RuleError: BND-1, BND-5.
        """
        if car_version != 1:
            raise RuleError(
                f"a CAR v{car_version}; a bundle is a CAR v1 itself: take the data part out, or ask for a new export",
                rule="BND-5",
            )
        if len(roots) != 2:
            raise RuleError(
                f"{len(roots)} roots; a bundle has 2: the work and the snapshot", rule="BND-1"
            )
        self._contents = BundleContents(work=roots[0], snapshot=roots[1])
        self._on_page = on_block or self._contents.pages.__setitem__
        self._on_block = on_block or self._contents.blocks.__setitem__
        self._snapshot = SnapshotReader(roots[1])
        self._members: list[Cid] = []
        self._n_read = 0
        self._linked: set[Cid] = set()
        self._faults: dict[Cid, dict[ListPage, InvalidError]] = {}  # of each list page, by list
        self._lists: dict[Cid, set[ListPage]] = {}  # which lists go on in a page that is here
        self._waiting: list[Cid] | None = None
        self._passed: set[Cid] = set()
        self._texts: set[Cid] = set()  # blocks that are texts and nothing else, as far as is known
        self._bad_texts: dict[Cid, InvalidError] = {}

    def take(self, cid: Cid, block: bytes) -> None:
        """The next block, whose hash was checked.

        Raises:
            InvalidError: it breaks a rule, isn't reached from the roots, or stands in the wrong place.
        """
        if (page := self._snapshot.wanted) is not None:
            if cid != page:
                raise RuleError(f"{cid} stands where the snapshot page {page} must", rule="BND-3")
            self._members.extend(self._snapshot.take(cid, block))
        elif self._n_read < len(self._members):
            self._take_member(cid, block)
        else:
            self._take_other(cid, block)

    def wanted(self, here: Container[Cid]) -> Cid | None:
        """The block that comes next by BND-3, for who has them all and feeds them in order; None where none is left.

        Args:
            here: texts and media outside it are passed over; pages and members are asked for in any case.
        """
        if self._snapshot.wanted is not None:
            return self._snapshot.wanted
        if self._n_read < len(self._members):
            return self._members[self._n_read]
        if self._waiting is None:
            self._waiting = self._end_members()
        while self._waiting and (
            self._waiting[-1] in self._passed or self._waiting[-1] not in here
        ):
            self._passed.add(self._waiting.pop())
        return self._waiting[-1] if self._waiting else None

    def is_text(self, cid: Cid) -> bool:
        """Whether the block, once all members are taken, is to be read as a text."""
        return cid in self._texts

    def _take_member(self, cid: Cid, block: bytes) -> None:
        wanted = self._members[self._n_read]
        if cid != wanted:
            raise RuleError(
                f"{cid} stands where {wanted}, the next of the snapshot, must", rule="BND-3"
            )
        self._n_read += 1
        if is_list_page(block):
            self._faults[cid] = audit_list_page(block)
            self._on_page(cid, block)
            return
        obj = verify_object(block, cid=cid)
        try:
            verify_in_trail(obj, self._contents.objects.get)
        except MissingBlocksError as error:
            raise RuleError(
                f"{len(error.cids)} objects that {obj.kind} {cid} needs are not in the bundle before it",
                rule="BND-4",
                cid=error.cids[0],
            ) from error
        self._contents.objects[cid] = obj
        self._contents.generations[cid] = self._generation(obj)
        self._linked.update(list_pages_of(obj))
        for page, its_list in iter_list_pages(obj):
            if page in self._faults:
                self._lists.setdefault(page, set()).add(its_list)

    def _end_members(self) -> list[Cid]:
        """All objects and pages are here: judge the pages, and lay out what else may come."""
        self._verify_pages()
        objects = self._contents.objects.values()
        self._texts.update(texts_only(objects))
        links = (link for obj in objects for link in obj.links)
        return list(dict.fromkeys(filter(is_media, links)))[::-1]

    def _verify_pages(self) -> None:
        """A page fits one of the lists that go on in it. More can't be asked: anybody may link to a page of others [BND-6]."""
        for page, faults in self._faults.items():
            lists = self._lists.get(page, set())
            if lists and lists <= faults.keys():
                error = next(faults[its_list] for its_list in ListPage if its_list in lists)
                error.cid = page
                raise error

    def _take_other(self, cid: Cid, block: bytes) -> None:
        if self._waiting is None:
            self._waiting = self._end_members()
        while self._waiting:
            expected = self._waiting.pop()
            if expected in self._passed:
                continue
            self._passed.add(expected)
            if expected == cid:
                break
        else:
            rule = "BND-3" if cid in self._passed or self._is_member(cid) else "BND-2"
            raise RuleError(f"{cid} is not reached from the roots, or out of order", rule=rule)
        if cid.codec == DAG_PB:
            self._take_node(block, self._waiting)
        elif cid in self._texts:
            self._take_text(cid, block)
        self._on_block(cid, block)

    def _take_node(self, block: bytes, waiting: list[Cid]) -> None:
        links = [link.cid for link in decode_dagpb(block).links if is_media(link.cid)]
        waiting.extend(reversed(links))
        for link in links:  # a leaf is media, whoever calls it a text
            self._texts.discard(link)
            self._bad_texts.pop(link, None)

    def _take_text(self, cid: Cid, block: bytes) -> None:
        """Note a text that is none; a later node may show that it is media [BND-6]."""
        try:
            parse_text(block)
        except InvalidError as error:
            fault = copy(error)  # without the traceback, which holds the block
            fault.cid = cid
            self._bad_texts[cid] = fault

    def _is_member(self, cid: Cid) -> bool:
        return cid in self._contents.objects or cid in self._faults

    def finish(self) -> BundleContents:
        """What the bundle holds, once its last block was taken.

        Raises:
            InvalidError: something is missing that must be in it, or the snapshot isn't the one of what is in it.
        """
        contents = self._contents
        rest = self._snapshot.wanted
        if rest is None and self._n_read < len(self._members):
            rest = self._members[self._n_read]
        if rest is not None:
            raise RuleError("the bundle lacks a block of its snapshot", rule="BND-2", cid=rest)
        work = contents.objects.get(contents.work)
        if work is None:
            raise RuleError("the work is not in the snapshot", rule="BND-1", cid=contents.work)
        if work.object_class is not ObjectClass.WORK:
            raise RuleError(
                f"the first root is a {work.kind}; it must be a work", rule="BND-1", cid=work.cid
            )
        for page in self._faults:
            if page not in self._linked:
                raise RuleError("no object links to this list page", rule="BND-2", cid=page)
        if self._waiting is None:
            self._verify_pages()
        for error in self._bad_texts.values():
            raise error
        self._verify_order(contents)
        return contents

    def _generation(self, obj: SignedObject) -> int:
        """All that it requires is here, with a generation."""
        known = self._contents.generations
        links = (obj.author, obj.event, obj.project, *obj.parents)
        return 1 + max([known[link] for link in links if link is not None], default=-1)

    def _verify_order(self, contents: BundleContents) -> None:
        pairs = [(generation, cid) for cid, generation in contents.generations.items()]
        pairs += [(0, page) for page in self._faults]
        if build_snapshot(pairs).root != contents.snapshot:
            raise RuleError(
                "the snapshot is not that of the objects and pages in the bundle",
                rule="SNP-2",
                cid=contents.snapshot,
            )
