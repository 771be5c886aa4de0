"""Backups: a copy beside the writers, opened and checked before anyone relies on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hitp2p.store.contract import Store
from hitp2p.store.fsck import FsckReport, audit_store
from hitp2p.store.sqlite import SqliteStore

__all__ = ["back_up"]


def back_up(
    store: Store, target: Path, *, progress: Callable[[int], None] | None = None
) -> FsckReport:
    """Copy a store into the new folder `target` and check every byte of the copy.

    `SqliteStore.open(target)` restores it. Copying the database file by hand while someone writes is no backup: in
    11 of 12 trials that copy was broken.

    Args:
        store: may be written to meanwhile.
        target: must not be there yet.
        progress: told how many blocks of the copy have been checked.

    Raises:
        UsageError: `target` is there already.
        StoreFullError: no room; nothing stays at `target`.
    """
    store.backup(target)
    with SqliteStore.open(target) as copy:
        return audit_store(copy, progress=progress)
