"""Taking media down: the bytes go, what was signed stays, and what went is remembered, so that no peer brings or gets it again.

Each takedown leaves a receipt, one line of JSON at the end of a file that only grows. The blocks that it names are kept out
from then on, until another line takes it back. Backups, and copies with others, are not reached; nor are freed pages of
the database, until something else is written there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from hitp2p.codec.cid import DAG_PB, Cid
from hitp2p.codec.unixfs_reader import parse_unixfs_node
from hitp2p.dataclass import dataclass
from hitp2p.errors import CorruptBlockError, InvalidError, NotFoundError, UsageError
from hitp2p.node.linked import files_of
from hitp2p.objects.carried import iter_texts
from hitp2p.objects.envelope import parse_object
from hitp2p.store.contract import LeafPlace, Store, WriteBatch
from hitp2p.store.faults import store_errors
from hitp2p.store.mediafolder import tidying

__all__ = ["RECEIPTS", "Receipt", "Takedowns", "take_down"]

RECEIPTS: Final = "takedowns.jsonl"
"""Name of the file in the node's folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was taken down, and when."""

    cid: Cid
    """What was named: a file, a text, or a work with all of its files and texts."""
    time: int
    """Milliseconds since 1970."""
    reason: str
    blocks: tuple[Cid, ...]
    """All blocks that are kept out from now on, by CID."""
    n_removed: int = 0
    """How many of them were here."""
    shared: tuple[Cid, ...] = ()
    """Blocks of it that other files have as well: these stay."""
    elsewhere: tuple[str, ...] = ()
    """Files of the user's that hold some of it; they are not touched."""
    is_taken_back: bool = False
    """Whether the line takes back what was said before."""

    def encode(self) -> str:
        """The line, without its end."""
        return json.dumps(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Plain values for `json.dumps`."""
        return {
            "cid": str(self.cid),
            "time": self.time,
            "reason": self.reason,
            "blocks": [str(cid) for cid in self.blocks],
            "removed": self.n_removed,
            "shared": [str(cid) for cid in self.shared],
            "elsewhere": list(self.elsewhere),
            "taken_back": self.is_taken_back,
        }

    @staticmethod
    def parse(line: str) -> Receipt:
        """A receipt from its line.

        Raises:
            UsageError: it is no receipt.
        """
        try:
            record: dict[str, Any] = json.loads(line)
            return Receipt(
                cid=Cid.parse(record["cid"]),
                time=int(record["time"]),
                reason=str(record["reason"]),
                blocks=tuple(map(Cid.parse, record["blocks"])),
                n_removed=int(record["removed"]),
                shared=tuple(map(Cid.parse, record["shared"])),
                elsewhere=tuple(map(str, record["elsewhere"])),
                is_taken_back=bool(record["taken_back"]),
            )
        except (ValueError, KeyError, TypeError, RecursionError, InvalidError) as error:
            raise UsageError(f"a line of {RECEIPTS} is no receipt: {error}") from error


class Takedowns:
    """The receipts of a node. Several programs may write and read them at once."""

    def __init__(self, folder: Path | None = None) -> None:
        """Those in a node's folder; without one, they are kept in memory.

        Raises:
            UsageError: a line is damaged. What was taken down isn't known then, so no node should run.
            StoreError: the file can't be read.
        """
        self._path = None if folder is None else folder / RECEIPTS
        self._read_bytes = 0
        self._receipts: list[Receipt] = []
        self._kept_out: set[Cid] = set()
        self.refresh()

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """All of them, the oldest first."""
        return tuple(self._receipts)

    def __contains__(self, cid: Cid) -> bool:
        """Whether a block is kept out."""
        return cid in self._kept_out

    @property
    def is_behind(self) -> bool:
        """Whether another program has written since."""
        if self._path is None:
            return False
        with store_errors(self._path), suppress(FileNotFoundError):
            return self._path.stat().st_size != self._read_bytes
        return False

    def refresh(self) -> bool:
        """Read what other programs have written since; whether there was anything."""
        if self._path is None or not self.is_behind:
            return False
        with store_errors(self._path), self._path.open("rb") as file:
            file.seek(self._read_bytes)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]  # another program may be writing the rest
        for line in whole.decode("utf-8", "replace").splitlines():
            self._take(Receipt.parse(line))
        self._read_bytes += len(whole)
        return bool(whole)

    def add(self, receipt: Receipt) -> None:
        """Write a receipt; it is on disk when this returns.

        Raises:
            StoreError: it can't be written.
        """
        if self._path is None:
            self._take(receipt)
            return
        with store_errors(self._path):
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(file, receipt.encode().encode() + b"\n")
                os.fsync(file)
            finally:
                os.close(file)
        self.refresh()

    def _take(self, receipt: Receipt) -> None:
        self._receipts.append(receipt)
        if receipt.is_taken_back:
            self._kept_out.difference_update(receipt.blocks)
        else:
            self._kept_out.update(receipt.blocks)


def take_down(
    store: Store,
    cid: Cid,
    takedowns: Takedowns,
    *,
    reason: str,
    time: int,
    is_taken_back: bool = False,
) -> Receipt:
    """Take a file or text down, or all those of a work; or take that back, so that peers may bring them again.

    What is to be kept out is on disk before the first byte goes; called again after a crash, it goes on.

    Args:
        store: where the bytes are.
        cid: a file or text, here or not; or a work.
        takedowns: takes the receipt.
        reason: a sentence for the receipt.
        time: milliseconds since 1970.
        is_taken_back: whether it is let in again. Bytes don't come back by that.

    Raises:
        UsageError: it is a signed object without files or texts: what was signed stays.
        StoreError: the store failed; what was removed by then stays so.
    """
    tops = _tops(store, cid)
    blocks = _with_all_below(store, tops)
    if is_taken_back:
        old = [one for one in takedowns.receipts if one.cid == cid and not one.is_taken_back]
        if not old:
            raise NotFoundError(f"{cid} was not taken down")
        blocks = {block for one in old for block in one.blocks}
    shared = set[Cid]() if is_taken_back else _shared(store, blocks, tops)
    places = [place for place in store.places() if place.cid in blocks and not is_taken_back]
    gone = [block for block in sorted(blocks - shared) if store.has(block) and not is_taken_back]
    receipt = Receipt(
        cid=cid,
        time=time,
        reason=reason,
        blocks=tuple(sorted(blocks - shared)),
        n_removed=len(gone),
        shared=tuple(sorted(shared)),
        elsewhere=tuple(sorted({p.path for p in places if os.path.isabs(p.path)})),
        is_taken_back=is_taken_back,
    )
    takedowns.add(receipt)
    if not is_taken_back:
        _remove(store, gone, [place for place in places if not os.path.isabs(place.path)], shared)
    return receipt


def _tops(store: Store, cid: Cid) -> frozenset[Cid]:
    if store.row(cid) is None:
        return frozenset((cid,))
    obj = parse_object(store.get(cid) or b"", cid=cid)
    found = frozenset((*(entry.file for entry in files_of(obj)), *iter_texts(obj)))
    if not found:
        raise UsageError(
            f"{cid} is a {obj.kind} without media or texts, and what was signed stays; to keep it from others, block it"
        )
    return found


def _links(store: Store, cid: Cid) -> Iterator[Cid]:
    with suppress(CorruptBlockError, InvalidError):
        block = store.get(cid) if cid.codec == DAG_PB else None
        if block is not None:
            node, _ = parse_unixfs_node(cid, block)
            yield from (link.cid for link in node.links)


def _with_all_below(store: Store, tops: Iterable[Cid]) -> set[Cid]:
    found: set[Cid] = set()
    waiting = list(tops)
    while waiting:
        cid = waiting.pop()
        if cid not in found:
            found.add(cid)
            waiting.extend(_links(store, cid))
    return found


def _shared(store: Store, blocks: set[Cid], tops: frozenset[Cid]) -> set[Cid]:
    """Blocks, not named themselves, that an object links to or another file has, with all below these."""
    roots = {cid for cid in blocks - tops if store.linkers(cid)}
    if len(blocks) > len(tops):
        for cid in store.iter_cids():
            if cid.codec == DAG_PB and cid not in blocks:
                roots.update(link for link in _links(store, cid) if link in blocks - tops)
    return _with_all_below(store, roots)


def _remove(store: Store, gone: list[Cid], places: list[LeafPlace], shared: set[Cid]) -> None:
    """Remove blocks, and the media files in which they lay; what else lies in these is kept as blocks."""
    paths = {place.path for place in places}
    others = {place.cid for place in store.places() if place.path in paths} - set(gone)
    with store.exclusive():
        for cid in sorted(others | (shared & {place.cid for place in places})):
            with suppress(CorruptBlockError):
                block = store.get(cid)
                if block is not None:
                    store.remove([cid])
                    store.put(WriteBatch(blocks=[(cid, block)]))
        store.remove(gone)
    folder = store.media_folder
    if folder is None or not paths:
        return
    with store_errors(folder), tidying(folder) as is_alone:
        named = {place.path for place in store.places()}
        for path in (paths - named) if is_alone else ():
            (folder / path).unlink(missing_ok=True)
