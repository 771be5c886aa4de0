"""Removing what nothing refers to: blocks that no object reaches, media files that no block lies in.

Nothing that any stored object reaches by links is touched. Beside writers it is safe: what arrives while we look is
looked at, too, with all writers kept out for that moment; and while someone adds media, nothing is removed at all.
"""

from __future__ import annotations

from pathlib import Path

from hitp2p.codec.cid import RAW, Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import CorruptBlockError, StoreError, StoreFullError
from hitp2p.store.contract import Store
from hitp2p.store.faults import store_errors
from hitp2p.store.mediafolder import iter_files, tidying
from hitp2p.store.reach import iter_links

__all__ = ["GcReport", "collect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GcReport:
    """What was removed, or would be."""

    blocks: tuple[Cid, ...]
    """Blocks that no object reaches, by CID."""
    files: tuple[str, ...]
    """Files of the media folder that hold no block, by name."""
    file_bytes: int
    """Their length together, in bytes."""
    is_busy: bool
    """Someone was adding media, so nothing was removed; try again later."""

    def __bool__(self) -> bool:
        raise TypeError("a report is no verdict; ask for one of its fields")


def collect(store: Store, *, dry_run: bool = False) -> GcReport:
    """Remove what nothing refers to. With `dry_run` only say what that is.

    Raises:
        StoreError: a damaged block hides what it links to; nothing was removed.
    """
    folder = store.media_folder
    if folder is None:
        blocks = _collect_blocks(store, dry_run)
        return GcReport(blocks=blocks, files=(), file_bytes=0, is_busy=False)
    with store_errors(folder), tidying(folder) as alone:
        if not alone:
            return GcReport(blocks=(), files=(), file_bytes=0, is_busy=True)
        files = _collect_files(store, folder, dry_run, set())  # needs no room; makes some
        try:
            blocks = _collect_blocks(store, dry_run)
        except StoreFullError:
            if not store.make_room():
                raise
            blocks = _collect_blocks(store, dry_run)
        files |= _collect_files(store, folder, dry_run, set(blocks))
    return GcReport(
        blocks=blocks, files=tuple(sorted(files)), file_bytes=sum(files.values()), is_busy=False
    )


def _collect_blocks(store: Store, dry_run: bool) -> tuple[Cid, ...]:
    reached: set[Cid] = set()
    _refuse_left_out(store)
    seq = _reach(store, reached, 0)
    with store.exclusive():
        _refuse_left_out(store)  # another program may have made the index anew
        _reach(store, reached, seq)
        unreached = tuple(sorted(cid for cid in store.iter_cids() if cid not in reached))
        if not dry_run:
            store.remove(unreached)
    return unreached


def _refuse_left_out(store: Store) -> None:
    """The index lacks some objects, so what they reach would seem to be reached by nothing."""
    if cids := store.left_out():
        raise StoreError(
            f"nothing was removed: {len(cids)} objects are damaged or rest on damaged ones, the first {cids[0]}. "
            "Import their works again, or take the store from a backup; fsck names the damage"
        )


def _reach(store: Store, reached: set[Cid], after: int) -> int:
    """Add all that the objects after `after` reach; the `seq` of the last one."""
    for row in store.rows(after=after):
        after = row.seq
        stack = [row.cid]
        while stack:
            cid = stack.pop()
            if cid in reached:
                continue
            reached.add(cid)
            if cid.codec != RAW:
                stack.extend(iter_links(cid, _get(store, cid)))
    return after


def _get(store: Store, cid: Cid) -> bytes:
    """The bytes; of a block that is not here, none, as nothing can be here because of it."""
    try:
        return store.get(cid) or b""
    except CorruptBlockError as error:
        raise StoreError(
            f"nothing was removed: {error}. What that block links to is unknown till then"
        ) from error


def _collect_files(store: Store, folder: Path, dry_run: bool, removed: set[Cid]) -> dict[str, int]:
    """Remove the files that hold no block but of `removed`; their sizes by name."""
    named = {place.path for place in store.places() if place.cid not in removed}
    unnamed = {
        name: (folder / name).stat().st_size for name in iter_files(folder) if name not in named
    }
    for name in () if dry_run else unnamed:
        (folder / name).unlink()
    return unnamed
