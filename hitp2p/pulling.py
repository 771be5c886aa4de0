"""Pulling a trail from IPFS into a store: by snapshot where there is one, else along the links, breadth first.

Nothing that comes is trusted. Every block is hashed, every signature and rule is checked, and what one of the objects
requires and isn't here is fetched as well, until nothing is open. Only then all of it is stored, in one transaction; if
something doesn't come or breaks a rule, nothing is. What had come by then stays on the daemon, so the next try goes on
from there. List pages, texts and media are another matter: no object's validity depends on them (see `fetching`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, TypeAlias

from hitp2p import limits
from hitp2p.codec.cid import RAW, Cid
from hitp2p.codec.unixfs import file_size, iter_file, iter_file_cids
from hitp2p.dataclass import dataclass
from hitp2p.errors import DecodeError, InvalidError, MissingBlocksError, RuleError, UsageError
from hitp2p.fetching import LEAVES_AT_ONCE
from hitp2p.objects.envelope import SignedObject, parse_object, verify_object
from hitp2p.store.contract import Store, WriteBatch
from hitp2p.store.index import in_order
from hitp2p.store.kubo_snapshot import pinned_snapshots
from hitp2p.trail.bundle import is_list_page, list_pages_of
from hitp2p.trail.check import verify_in_trail
from hitp2p.trail.graph import count_generations
from hitp2p.trail.snapshot import build_snapshot, iter_snapshot, parse_snapshot_page

if TYPE_CHECKING:
    from hitp2p.ipns import NameClaim
    from hitp2p.store.kubo_network import KuboNetwork

__all__ = ["Move", "Pulled", "pull_bundle", "pull_objects"]

Move: TypeAlias = Callable[[int, int], None]
"""Called with (done, in all); how much it is in all may grow."""
_AT_ONCE: Final = 256
"""Objects that are asked for together; if one of them doesn't come, no more are asked for."""
_HEAD_BYTES: Final = 16
_BUNDLE_HEAD: Final = re.compile(rb"(?s).{1,3}\xa2eroots|\x0a\xa1gversion")
"""How a CAR begins, version 1 or 2. What else is wrong with it, reading it tells."""
_WHAT: Final = 'name a snapshot, a project, a work or a bundle; "ipfs get" fetches files and folders as they are'


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What came of a pull."""

    works: tuple[Cid, ...] = ()
    """The objects that were named, or the work of a bundle."""
    snapshots: tuple[Cid, ...] = ()
    """The snapshots that were followed: named, or pinned on the daemon for a project that was named."""
    names: tuple[NameClaim, ...] = ()
    """IPNS names that were followed, with what the holders of their keys claim."""
    objects: tuple[Cid, ...] = ()
    """Signed objects that they reach: all here and valid now."""
    n_new: int = 0
    """How many of them were not here before."""
    n_blocks: int = 0
    """Blocks that were fetched."""
    n_bytes: int = 0
    """Their bytes."""
    missing: tuple[Cid, ...] = ()
    """List pages, texts and media that were wanted and did not come, or are not what the work says."""


def pull_objects(
    store: Store, cids: Sequence[Cid], network: KuboNetwork, *, progress: Move | None = None
) -> Pulled:
    """Fetch snapshots and objects, with all that they require, into a store: all of it or nothing.

    Args:
        store: where it goes.
        cids: snapshots, and objects of any kind. From a project alone nothing leads to its works, so the snapshot that
            the daemon pins under its name is followed, if there is one.
        network: where it comes from.
        progress: told how many blocks are there, and how many it will be as far as is known.

    Raises:
        MissingBlocksError: a block did not come; the error says what to do. Nothing was stored.
        InvalidError: a block breaks a rule. Nothing was stored.
        BackendError: the daemon fails or lies. Nothing was stored.
        UsageError: it is more than a pull takes.
    """
    pull = _Pull(store, network, progress)
    for cid in cids:
        pull.begin(cid)
    pull.follow_pins()
    members = {root: pull.take_snapshot(root) for root in pull.snapshots}
    pull.close()
    new = pull.judge()
    for root, listed in members.items():
        pull.verify_snapshot(root, listed)
    stored = store.put(WriteBatch(objects=new, blocks=list(pull.pages.items())))
    return Pulled(
        works=tuple(pull.named),
        snapshots=tuple(members),
        objects=tuple(pull.reached(members.values())),
        n_new=len(stored),
        n_blocks=pull.n_blocks,
        n_bytes=pull.n_bytes,
    )


def pull_bundle(
    store: Store, root: Cid, network: KuboNetwork, *, progress: Move | None = None
) -> Pulled:
    """Fetch a bundle that somebody added to IPFS as a file, and take it in: all of it or nothing.

    Raises:
        MissingBlocksError: a block of it did not come.
        InvalidError: it breaks a rule.
        BackendError: the daemon fails or lies.
        UsageError: it is no bundle, or too large.
    """
    from hitp2p.transfer import import_bundle

    with TemporaryDirectory() as folder:
        path = Path(folder) / "pulled.car"
        try:
            n_blocks = _download(root, path, network, progress)
        except MissingBlocksError as error:
            raise network.not_found(error.cids) from error
        carried = import_bundle(store, path)
        n_bytes = path.stat().st_size
    return Pulled(
        works=(carried.cid,),
        objects=tuple(dict.fromkeys(_around(store, [carried.cid]))),
        n_new=carried.n_new,
        n_blocks=n_blocks,
        n_bytes=n_bytes,
    )


def _file_size(root: Cid, network: KuboNetwork) -> int:
    try:
        return file_size(root, network)
    except DecodeError as error:
        raise UsageError(f"{root} is no file ({error.message}); {_WHAT}") from error


def _download(root: Cid, path: Path, network: KuboNetwork, progress: Move | None) -> int:
    """Write a file of IPFS to a path; how many blocks it has."""
    size = _file_size(root, network)
    if size > limits.PULL_BUNDLE_BYTES:
        raise UsageError(
            f"{root} is a file of {size:,} bytes; bundles of at most {limits.PULL_BUNDLE_BYTES:,} are pulled"
        )
    head = b"".join(iter_file(root, network, end=min(size, _HEAD_BYTES)))
    if not _BUNDLE_HEAD.match(head):
        raise UsageError(f"{root} is a file of {size:,} bytes, and no bundle; {_WHAT}")
    blocks = list(iter_file_cids(root, network))
    n_bytes = 0
    for _, block in network.fetch_all(
        [cid for cid in blocks if cid.codec == RAW], at_once=LEAVES_AT_ONCE
    ):
        n_bytes += len(block)
        if progress is not None:
            progress(n_bytes, size)
    with path.open("wb") as file:
        file.writelines(iter_file(root, network, end=size))
    return len(blocks)


def _around(store: Store, cids: Iterable[Cid]) -> Iterator[Cid]:
    """Objects that are here, their ancestors, and who speaks in them."""
    identities: dict[Cid, None] = {}
    for row in store.ancestors(cids):
        yield row.cid
        if row.identity is not None:
            identities[row.identity] = None
    for identity in identities:
        yield from store.events(identity)


class _Pull:
    """What has come, before any of it is stored."""

    def __init__(self, store: Store, network: KuboNetwork, progress: Move | None) -> None:
        self.named: dict[Cid, None] = {}
        self.snapshots: dict[Cid, bytes | None] = {}
        """Their roots, with the first page where it has come."""
        self.pages: dict[Cid, bytes] = {}
        """List pages of snapshots that aren't here yet."""
        self.n_blocks = 0
        self.n_bytes = 0
        self._store = store
        self._network = network
        self._progress = progress
        self._found: dict[Cid, SignedObject] = {}
        """Objects that aren't here yet, their signatures checked."""
        self._known: dict[Cid, SignedObject] = {}
        """Objects of the store that others require."""
        self._n_told = self._n_wanted = 0

    # --- what was named ---------------------------------------------------------------------------

    def begin(self, cid: Cid) -> None:
        """Find out what a CID is."""
        if self._store.row(cid) is not None:
            self.named[cid] = None
            return
        ((_, block),) = self._fetch([cid])
        if not is_list_page(block):
            self._found[cid] = verify_object(block, cid=cid)
            self.named[cid] = None
            return
        try:
            parse_snapshot_page(block, cid=cid)
        except InvalidError as error:
            raise RuleError(
                f"neither a signed object nor a snapshot ({error.message})",
                rule=error.rule,
                cid=cid,
            ) from error
        self.snapshots[cid] = block

    def follow_pins(self) -> None:
        """Of projects that were named, the snapshots that the daemon pins."""
        for cid in self.named:
            row = self._store.row(cid)
            kind = row.kind if row else self._found[cid].kind
            if kind == "project":
                for root in pinned_snapshots(self._network, cid):
                    self.snapshots.setdefault(root, None)

    # --- fetching ---------------------------------------------------------------------------------

    def take_snapshot(self, root: Cid) -> tuple[Cid, ...]:
        """The members of a snapshot, those fetched that aren't here."""
        pages = self._snapshot_pages(root)
        members = tuple(iter_snapshot(root, _Blocks(pages)))
        self._require_room(len(members))
        absent: list[Cid] = []
        for cid in members:
            if cid in self._found or self._store.row(cid) is not None:
                continue
            block = self._store.get(cid)
            if block is None:
                absent.append(cid)
            elif not is_list_page(block):  # here, but not as an object
                self._found[cid] = verify_object(block, cid=cid)
        for cid, block in self._fetch(absent):
            if is_list_page(block):
                self.pages[cid] = block
            else:
                self._found[cid] = verify_object(block, cid=cid)
        return members

    def _snapshot_pages(self, root: Cid) -> dict[Cid, bytes]:
        """All pages, a level at once; whether they fit together, `iter_snapshot` says."""
        first = self.snapshots[root]
        came: Iterable[tuple[Cid, bytes]] = (
            self._fetch([root]) if first is None else [(root, first)]
        )
        pages: dict[Cid, bytes] = {}
        for _ in range(limits.SNAPSHOT_LEVELS):
            below: dict[Cid, None] = {}
            for cid, block in came:
                pages[cid] = block
                page = parse_snapshot_page(block, cid=cid)
                if page.level:
                    below.update(dict.fromkeys(page.links))
            layer = [cid for cid in below if cid not in pages]
            self._require_room(len(pages) + len(layer))
            came = self._fetch(layer)
        return pages

    def close(self) -> None:
        """Fetch what is required and isn't here, breadth first, until nothing is open."""
        layer = list(self._found.values())
        while layer:
            wanted = dict.fromkeys(cid for obj in layer for cid in obj.required)
            absent = [
                cid for cid in wanted if cid not in self._found and self._store.row(cid) is None
            ]
            layer = [verify_object(block, cid=cid) for cid, block in self._fetch(absent)]
            self._found.update((obj.cid, obj) for obj in layer)

    def _fetch(self, cids: Sequence[Cid]) -> Iterator[tuple[Cid, bytes]]:
        """Blocks, every one of them.

        Raises:
            MissingBlocksError: some did not come.
        """
        wanted = list(dict.fromkeys(cids))
        self._require_room(len(self._found) + len(self.pages) + len(wanted))
        self._n_wanted += len(wanted)
        for start in range(0, len(wanted), _AT_ONCE):
            missing = set(wanted[start : start + _AT_ONCE])
            for cid, block in self._network.fetch_all(
                wanted[start : start + _AT_ONCE], moved=self._move
            ):
                missing.discard(cid)
                self.n_blocks += 1
                self.n_bytes += len(block)
                self._require_room(0)
                yield cid, block
            if missing:
                raise self._network.not_found(sorted(missing))

    def _move(self, count: int) -> None:
        self._n_told += count
        if self._progress is not None:
            self._progress(self._n_told, self._n_wanted)

    def _require_room(self, n_blocks: int) -> None:
        if n_blocks > limits.PULL_OBJECTS or self.n_bytes > limits.PULL_BYTES:
            raise UsageError(
                f"this is more than a pull takes: {limits.PULL_OBJECTS:,} objects, {limits.PULL_BYTES:,} bytes of "
                "them; pull older works first, or import a bundle"
            )

    # --- judging ----------------------------------------------------------------------------------

    def judge(self) -> list[SignedObject]:
        """What came, each object after those that it requires, if all of it is valid."""
        good: dict[Cid, SignedObject] = {}

        def lookup(cid: Cid) -> SignedObject | None:
            return good.get(cid) or self._stored(cid)

        for obj in in_order(self._found):
            good[obj.cid] = verify_in_trail(obj, lookup)
        return list(good.values())

    def _stored(self, cid: Cid) -> SignedObject | None:
        if cid not in self._known and self._store.row(cid) is not None:
            block = self._store.get(cid)
            if block is not None:
                self._known[cid] = parse_object(block, cid=cid)
        return self._known.get(cid)

    def verify_snapshot(self, root: Cid, members: Collection[Cid]) -> None:
        """Whether the snapshot is the one of these members; known only when all of them are [SNP-2]."""
        generation = dict.fromkeys(members, 0)  # which list pages have
        generation.update(self._generations(members))
        linked = {page for cid in members for page in self._pages_of(cid)}
        odd = [page for page in self.pages if page in generation and page not in linked]
        pairs = ((number, cid) for cid, number in generation.items())
        if odd or build_snapshot(pairs).root != root:
            raise RuleError("the snapshot is not that of its objects", rule="SNP-2", cid=root)

    def _generations(self, members: Collection[Cid]) -> Iterator[tuple[Cid, int]]:
        known: dict[Cid, int] = {}
        for cid in {*members, *(cid for obj in self._found.values() for cid in obj.required)}:
            if (row := self._store.row(cid)) is not None:
                known[cid] = row.generation
        counted = count_generations(self._found, lambda cid: self._found[cid].required, known)
        return ((cid, counted[cid]) for cid in members if cid in counted)

    def _pages_of(self, cid: Cid) -> Iterable[Cid]:
        if not self.pages:
            return ()
        obj = self._found.get(cid) or self._stored(cid)
        return () if obj is None else list_pages_of(obj)

    def reached(self, members: Iterable[Collection[Cid]]) -> Iterator[Cid]:
        """All objects that were spoken of, once they are stored."""
        listed = (cid for part in members for cid in part if self._store.row(cid) is not None)
        yield from dict.fromkeys((*listed, *self._found, *_around(self._store, self.named)))


class _Blocks:
    """Blocks at hand, as a `BlockSource`."""

    def __init__(self, blocks: dict[Cid, bytes]) -> None:
        self._blocks = blocks

    def get(self, cid: Cid, /) -> bytes | None:
        return self._blocks.get(cid)
