"""Media on demand: list pages, texts and files that objects here link to, fetched as far as they come.

Only what is asked for is fetched. Every block is hashed and stored a part at a time, so that a fetch which was cut off
goes on where it was. A file's tree is read no further than the size that its work states [MED-2].
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.codec.unixfs import file_size, iter_file_cids
from hitp2p.dataclass import dataclass
from hitp2p.errors import InvalidError, MissingBlocksError, RuleError
from hitp2p.objects.carried import iter_texts
from hitp2p.objects.contribution import MediaEntry
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.known import known_field
from hitp2p.store.contract import Store, WriteBatch
from hitp2p.trail.bundle import is_list_page, list_pages_of

if TYPE_CHECKING:
    from hitp2p.pulling import Move
    from hitp2p.store.kubo_network import KuboNetwork

__all__ = ["LEAVES_AT_ONCE", "Fetched", "fetch_files", "fetch_pages_and_texts", "media_entries"]

LEAVES_AT_ONCE: Final = 16
"""Pieces of a file that are asked for together; each has up to 2 MiB."""
_PART_BYTES: Final = 8 * 1024 * 1024
"""How much is held before it is stored, in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a fetch brought."""

    n_blocks: int = 0
    """Blocks that came."""
    n_bytes: int = 0
    """Their bytes."""
    missing: tuple[Cid, ...] = ()
    """List pages, texts and files that did not come, or are not what the work says."""

    def plus(self, other: Fetched) -> Fetched:
        """Both together."""
        return Fetched(
            n_blocks=self.n_blocks + other.n_blocks,
            n_bytes=self.n_bytes + other.n_bytes,
            missing=(*self.missing, *other.missing),
        )


def media_entries(work: SignedObject) -> tuple[MediaEntry, ...]:
    """The files of a work; none of an object that has none."""
    return tuple(MediaEntry.from_body(entry) for entry in known_field(work, "media") or ())


def fetch_pages_and_texts(
    store: Store, objects: Iterable[SignedObject], network: KuboNetwork
) -> Fetched:
    """Fetch the list pages and texts of objects, those that aren't here.

    Raises:
        BackendError: the daemon fails or lies.
    """
    links = (link for obj in objects for link in (*list_pages_of(obj), *iter_texts(obj)))
    wanted = [cid for cid in dict.fromkeys(links) if not store.has(cid)]
    keeper = _Keeper(store)
    for cid, block in network.fetch_all(wanted):
        if cid.codec != DAG_CBOR or is_list_page(block):  # an object isn't stored unjudged
            keeper.keep(cid, block)
    keeper.flush()
    return keeper.report(cid for cid in wanted if cid not in keeper.kept)


def fetch_files(
    store: Store,
    entries: Sequence[MediaEntry],
    network: KuboNetwork,
    *,
    strict: bool = False,
    progress: Move | None = None,
) -> Fetched:
    """Fetch what isn't here of files.

    Args:
        store: where it goes.
        entries: the files.
        network: where it comes from.
        strict: raise for a file that doesn't come, instead of noting it.
        progress: told how many bytes are there, and of how many.

    Raises:
        BackendError: the daemon fails or lies.
        MissingBlocksError: `strict`, and a block did not come in time; the error says what to do.
        InvalidError: `strict`, and a file isn't what its work says.
    """
    total = sum(entry.size for entry in entries)
    fetched, done = Fetched(), 0
    for entry in {entry.file: entry for entry in entries}.values():
        tree = _Tree(store, entry, network, strict=strict)
        for n_bytes in tree.fetch():
            if progress is not None:
                progress(done + n_bytes, total)
        fetched = fetched.plus(tree.report())
        done += entry.size
    return fetched


class _Keeper:
    """Puts blocks into a store, a part at a time."""

    def __init__(self, store: Store) -> None:
        self.kept: set[Cid] = set()
        self.n_bytes = 0
        self._store = store
        self._part: dict[Cid, bytes] = {}
        self._part_bytes = 0

    def keep(self, cid: Cid, block: bytes) -> None:
        self.kept.add(cid)
        self.n_bytes += len(block)
        self._part[cid] = block
        self._part_bytes += len(block)
        if self._part_bytes >= _PART_BYTES:
            self.flush()

    def flush(self) -> None:
        if self._part:
            self._store.put(WriteBatch(blocks=list(self._part.items())))
        self._part, self._part_bytes = {}, 0

    def get(self, cid: Cid) -> bytes | None:
        return self._part.get(cid) or self._store.get(cid)

    def has(self, cid: Cid) -> bool:
        return cid in self._part or self._store.has(cid)

    def report(self, missing: Iterable[Cid]) -> Fetched:
        return Fetched(n_blocks=len(self.kept), n_bytes=self.n_bytes, missing=tuple(missing))


class _Tree:
    """A file, whose nodes are fetched when they are read."""

    def __init__(
        self, store: Store, entry: MediaEntry, network: KuboNetwork, *, strict: bool
    ) -> None:
        self._strict = strict
        self._entry = entry
        self._network = network
        self._keeper = _Keeper(store)
        self._missing: tuple[Cid, ...] = ()

    def get(self, cid: Cid, /) -> bytes:
        """A node, as a `BlockSource` gives it; one that doesn't come is an error that says what to do."""
        block = self._keeper.get(cid)
        if block is None:
            block = self._network.get(cid)
            if block is None:
                raise self._network.not_found([cid])
            self._keeper.keep(cid, block)
        return block

    def fetch(self) -> Iterator[int]:
        """Fetch what isn't here; the bytes that have come till now."""
        try:
            yield from self._fetch()
        except (InvalidError, MissingBlocksError):
            self._missing = (self._entry.file,)
            if self._strict:
                raise
        finally:
            self._keeper.flush()

    def _fetch(self) -> Iterator[int]:
        if file_size(self._entry.file, self) != self._entry.size:
            raise RuleError("not of the size that the work states", rule="MED-2")
        yield self._keeper.n_bytes
        for part in self._absent():
            missing = set(part)
            for cid, block in self._network.fetch_all(part, at_once=LEAVES_AT_ONCE):
                missing.discard(cid)
                self._keeper.keep(cid, block)
                yield self._keeper.n_bytes
            if missing:
                raise self._network.not_found(sorted(missing))

    def _absent(self) -> Iterator[list[Cid]]:
        """The leaves that aren't here, in lists of those that are asked for together."""
        part: list[Cid] = []
        for cid in iter_file_cids(self._entry.file, self):
            if not self._keeper.has(cid):
                part.append(cid)
            if len(part) == LEAVES_AT_ONCE:
                yield part
                part = []
        if part:
            yield part

    def report(self) -> Fetched:
        return self._keeper.report(self._missing)
