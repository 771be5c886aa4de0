"""Who writes to a Kubo store, and who cares for it: between pins and index, a writer's steps make them differ for a while."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from hitp2p.errors import StoreError
from hitp2p.store.faults import store_errors
from hitp2p.store.mediafolder import hold_shared, release, tidying

__all__ = ["alone_with", "at_work"]


@contextmanager
def at_work(folder: Path) -> Generator[None]:
    """Keep away whoever compares pins and index; several may be at work at once."""
    with store_errors(folder):
        lock = hold_shared(folder)
    try:
        yield
    finally:
        release(lock)


@contextmanager
def alone_with(folder: Path) -> Generator[None]:
    """Keep away whoever writes.

    Raises:
        StoreError: somebody does.
    """
    with tidying(folder) as alone:
        if not alone:
            raise StoreError(
                f"{folder}: another program is writing to this store; try again when it is done"
            )
        yield
