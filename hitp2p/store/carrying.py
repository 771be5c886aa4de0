"""Carrying all that a store keeps into another one: objects, list pages, texts, media, where referenced files lie, and
which projects are unlisted.

Nothing in the source changes. What the target has already isn't sent again, so a copy that was cut off goes on where it
was, and two stores with different works become one. Everything is checked on the way: each block hashed, each signature
and rule checked again, as a file of somebody else's says nothing about who signed. What doesn't pass is named and left out,
with all that rests on it. The source is read while the target writes.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from typing import Final, TypeAlias

from hitp2p.codec.cid import DAG_CBOR, DAG_PB, Cid
from hitp2p.codec.unixfs import iter_file
from hitp2p.dataclass import dataclass
from hitp2p.errors import CorruptBlockError, InvalidError, MissingBlocksError
from hitp2p.objects.contribution import MediaEntry
from hitp2p.objects.envelope import SignedObject, parse_object, verify_object
from hitp2p.objects.known import known_field
from hitp2p.store.contract import LeafPlace, Store, WriteBatch
from hitp2p.store.media import INLINE_BYTES, add_stream
from hitp2p.store.reach import iter_links
from hitp2p.trail.check import verify_in_trail

__all__ = ["CopyFault", "CopyReport", "Move", "carry"]

Move: TypeAlias = Callable[[int, int], None]
"""Called with blocks done and blocks in all, now and then, in the caller's thread."""
_BATCH_BYTES: Final = 8 * 1024 * 1024
_BATCH_BLOCKS: Final = 2048
"""What goes into the target in one transaction: enough that its cost doesn't matter, little enough to hold twice."""
_REMEMBERED: Final = 4096
"""Objects kept in memory, because many others require them."""
_THREADS: Final = 8
"""Blocks that are read at once: a daemon answers eight calls four times as fast as one after the other."""
_AHEAD: Final = 16
"""Blocks that are read before they are wanted, of at most a megabyte each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyFault:
    """A block that could not be copied."""

    cid: Cid
    message: str
    """What is wrong with it in the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyReport:
    """What a copy did, or would do."""

    n_objects: int
    """Signed objects that were copied."""
    n_blocks: int
    """Other blocks that were copied: list pages, texts, media."""
    n_bytes: int
    """Bytes in all of these."""
    n_references: int
    """Blocks of media that stay in files elsewhere, of which the target knows now where they are."""
    n_kept: int
    """Blocks of the source that the target had already."""
    n_beside: int
    """Blocks that the target had and the source hasn't; they stay."""
    faults: tuple[CopyFault, ...] = ()
    """What could not be copied, by CID."""
    findings: tuple[str, ...] = ()
    """What is wrong with the target afterwards, one sentence each."""
    switched: bool = False
    """Whether the workspace uses the target from now on."""

    @property
    def is_sound(self) -> bool:
        """Whether the target has all that the source has, and is in order."""
        return not self.faults and not self.findings

    def __bool__(self) -> bool:
        raise TypeError("a report is no verdict; ask for one of its fields")


def carry(
    source: Store,
    target: Store | None,
    *,
    dry_run: bool = False,
    as_files: bool = True,
    progress: Move | None = None,
) -> CopyReport:
    """Put all that `source` keeps into `target`. What arrives meanwhile may be left out; another call brings it.

    Args:
        source: nothing in it changes.
        target: what it has stays. None, in a dry run: one that isn't there yet.
        dry_run: read and check everything, write nothing.
        as_files: lay large media into the target's media folder. Without, they go into it as blocks, as a store on
            a daemon wants them.
        progress: told how far it is.

    Raises:
        StoreError: a store failed. What is in the target by then stays; another call goes on from there.
        UnlistedError: some of it belongs to an unlisted project, and the target would announce it.
    """
    if target is not None and not dry_run:
        target.mark_unlisted(
            source.unlisted() - target.unlisted()
        )  # before anything that is marked
    with ThreadPoolExecutor(1, thread_name_prefix="hitp2p-put") as writer:
        carrier = _Carrier(source, target, writer, dry_run, progress)
        carrier.carry_objects(as_files=as_files)
        carrier.carry_blocks()
        carrier.carry_references()
        return carrier.finish()


class _Carrier:
    """One copy under way."""

    def __init__(
        self,
        source: Store,
        target: Store | None,
        writer: ThreadPoolExecutor,
        dry_run: bool,
        progress: Move | None,
    ) -> None:
        self._source = source
        self._target = target
        self._writer = writer
        self._writes = not dry_run
        self._progress = progress
        self._n_all = sum(1 for _ in source.iter_cids())
        self._n_before = 0 if target is None else sum(1 for _ in target.iter_cids())
        self._references, held = _split(source.places())
        self._elsewhere = {place.cid for place in self._references} - held
        """Leaves that lie in files elsewhere alone."""
        self._carried: set[Cid] = set()
        """Blocks of files that were laid into the media folder."""
        self._faults: dict[Cid, str] = {}
        self._lookup = lru_cache(_REMEMBERED)(self._find)
        self._objects: list[SignedObject] = []
        self._blocks: list[tuple[Cid, bytes]] = []
        self._n_waiting = 0
        """Bytes in these."""
        self._written: Future[object] | None = None
        self._n_done = self._n_kept = self._n_objects = self._n_blocks = self._n_bytes = 0
        self._n_references = 0

    # --- objects ----------------------------------------------------------------------------------

    def carry_objects(self, *, as_files: bool) -> None:
        """All signed objects, each after what it requires; before each, its media as files where that is wished."""
        folder = None if self._target is None or not as_files else self._target.media_folder
        for row in self._source.rows():
            if self._target is not None and self._target.row(row.cid) is not None:
                self._keep()
                continue
            obj = self._checked(row.cid)
            if obj is None:
                continue
            if folder is not None and self._writes:
                for entry in known_field(obj, "media") or ():
                    self._carry_file(MediaEntry.from_body(entry))
            self._n_objects += 1
            self._objects.append(obj)
            self._add(len(obj.block))
        for cid in self._source.left_out():
            if self._target is None or self._target.row(cid) is None:
                self._refuse(cid, "it is damaged, or rests on what is")
        self._flush()

    def _checked(self, cid: Cid) -> SignedObject | None:
        try:
            obj = verify_object(self._source.get(cid) or b"", cid=cid)
            return verify_in_trail(obj, self._lookup)
        except (CorruptBlockError, InvalidError, MissingBlocksError) as error:
            self._refuse(cid, str(error))
            return None

    def _find(self, cid: Cid) -> SignedObject | None:
        """An object that another one requires. Those come first, so a bad one is known by now."""
        if cid in self._faults:
            return None
        try:
            data = self._source.get(cid)
            return None if data is None else parse_object(data, cid=cid)
        except (CorruptBlockError, InvalidError):
            return None

    # --- media as files ---------------------------------------------------------------------------

    def _carry_file(self, entry: MediaEntry) -> None:
        """A large file that is here whole, in one transaction. All others go as blocks."""
        assert self._target is not None
        folder = self._target.media_folder
        if folder is None or entry.size <= INLINE_BYTES or self._target.has(entry.file):
            return
        if self._first_leaf(entry.file) in self._elsewhere:
            return
        try:
            pieces = self._counted(iter_file(entry.file, self._source, end=entry.size))
            added = add_stream(folder, pieces, entry.size)
        except (CorruptBlockError, InvalidError, MissingBlocksError):
            return
        with added:
            if added.built.root != entry.file:  # another program cut it into other blocks
                return
            self._wait()
            self._target.put(WriteBatch(blocks=added.blocks, leaves=added.leaves))
        lengths = {leaf.cid: leaf.length for leaf in added.leaves}
        lengths |= {cid: len(data) for cid, data in added.blocks}
        self._carried |= lengths.keys()
        self._n_blocks += len(lengths)
        self._n_bytes += sum(lengths.values())

    def _first_leaf(self, cid: Cid) -> Cid:
        """The block in which a file begins."""
        for _ in range(_AHEAD):
            with suppress(CorruptBlockError):
                data = self._source.get(cid) if cid.codec == DAG_PB else None
                below = next(iter_links(cid, data or b""), None)
                if below is not None:
                    cid = below
                    continue
            break
        return cid

    def _counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            yield piece
            self._step()

    # --- other blocks -----------------------------------------------------------------------------

    def carry_blocks(self) -> None:
        """All that is no signed object."""
        self._wait()
        for cid, read in self._read_ahead(self._wanted()):
            try:
                data = read.result()
            except CorruptBlockError as error:
                self._refuse(cid, str(error))
                continue
            if data is None:  # removed since it was listed
                continue
            self._n_blocks += 1
            self._blocks.append((cid, data))
            self._add(len(data))
        self._flush()

    def _wanted(self) -> Iterator[Cid]:
        for cid in self._source.iter_cids():
            if cid in self._faults or cid in self._elsewhere or cid in self._carried:
                continue
            if cid.codec == DAG_CBOR and self._source.row(cid) is not None:
                continue  # an object: done, or it came meanwhile
            if self._target is not None and self._target.has(cid):
                self._keep()
                continue
            yield cid

    def _read_ahead(self, cids: Iterable[Cid]) -> Iterator[tuple[Cid, Future[bytes | None]]]:
        reading: deque[tuple[Cid, Future[bytes | None]]] = deque()
        rest = iter(cids)
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="hitp2p-get") as readers:
            try:
                while True:
                    for cid in islice(rest, _AHEAD - len(reading)):
                        reading.append((cid, readers.submit(self._source.get, cid)))
                    if not reading:
                        return
                    yield reading.popleft()
            finally:
                readers.shutdown(cancel_futures=True)

    # --- files elsewhere --------------------------------------------------------------------------

    def carry_references(self) -> None:
        """Where files lie that are referenced in place. They themselves stay where they are."""
        rest = iter(self._references)
        while places := tuple(islice(rest, _BATCH_BLOCKS)):
            for place in places:
                here = self._target is not None and self._target.has(place.cid)
                self._n_references += not here
                if place.cid not in self._elsewhere:
                    continue
                if here:
                    self._keep()
                else:
                    self._step()
            if self._writes and self._target is not None:
                self._target.put(WriteBatch(leaves=places))

    # --- writing ----------------------------------------------------------------------------------

    def _add(self, n_bytes: int) -> None:
        self._step()
        self._n_bytes += n_bytes
        self._n_waiting += n_bytes
        n_blocks = len(self._objects) + len(self._blocks)
        if n_blocks >= _BATCH_BLOCKS or self._n_waiting >= _BATCH_BYTES:
            self._flush()

    def _flush(self) -> None:
        """Let what was read be written, while more is read."""
        self._wait()
        batch = WriteBatch(objects=tuple(self._objects), blocks=tuple(self._blocks))
        self._objects, self._blocks, self._n_waiting = [], [], 0
        if self._writes and self._target is not None and (batch.objects or batch.blocks):
            self._written = self._writer.submit(self._target.put, batch)

    def _wait(self) -> None:
        if self._written is not None:
            self._written.result()
            self._written = None

    # --- counting ---------------------------------------------------------------------------------

    def _refuse(self, cid: Cid, message: str) -> None:
        self._faults.setdefault(cid, message)
        self._step()

    def _keep(self) -> None:
        self._n_kept += 1
        self._step()

    def _step(self) -> None:
        self._n_done += 1
        if self._progress is not None:
            self._progress(min(self._n_done, self._n_all), self._n_all)

    def finish(self) -> CopyReport:
        self._wait()
        faults = [CopyFault(cid=cid, message=why) for cid, why in sorted(self._faults.items())]
        return CopyReport(
            n_objects=self._n_objects,
            n_blocks=self._n_blocks,
            n_bytes=self._n_bytes,
            n_references=self._n_references,
            n_kept=self._n_kept,
            n_beside=max(0, self._n_before - self._n_kept),
            faults=tuple(faults),
        )


def _split(places: Iterable[LeafPlace]) -> tuple[tuple[LeafPlace, ...], set[Cid]]:
    """The places in files elsewhere, and the leaves that lie in the store's own files."""
    elsewhere: list[LeafPlace] = []
    held: set[Cid] = set()
    for place in places:
        if os.path.isabs(place.path):
            elsewhere.append(place)
        else:
            held.add(place.cid)
    return tuple(elsewhere), held
