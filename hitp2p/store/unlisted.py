"""Which projects of a store are unlisted: nothing of them goes where it would be announced. A mark here, part of no object.

An empty file a project in the folder `unlisted`, named by its CID: so two programs may mark at once, a mark outlives the
index, and whoever looks into the folder can read it. Unlisted is not encrypted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from hitp2p.codec.cid import Cid
from hitp2p.errors import DecodeError
from hitp2p.store.contract import WriteBatch
from hitp2p.store.faults import store_errors
from hitp2p.store.mediafolder import sync_folder

__all__ = ["has_unlisted", "mark_unlisted", "read_unlisted"]

UNLISTED: Final = "unlisted"
"""Name of the folder of marks in the store's folder."""


def read_unlisted(folder: Path) -> frozenset[Cid]:
    """The projects that are marked in a store's folder."""
    found: set[Cid] = set()
    with store_errors(folder):
        try:
            names = [path.name for path in (folder / UNLISTED).iterdir()]
        except FileNotFoundError:
            return frozenset()
    for name in names:
        try:
            found.add(Cid.parse(name))
        except DecodeError:  # what somebody else put there
            continue
    return frozenset(found)


def mark_unlisted(folder: Path, projects: Iterable[Cid], is_unlisted: bool) -> None:
    """Set or take away the mark of projects in a store's folder; it is on disk when this returns."""
    marks = folder / UNLISTED
    with store_errors(folder):
        for project in projects:
            if is_unlisted:
                marks.mkdir(exist_ok=True)
                (marks / str(project)).touch()
            else:
                (marks / str(project)).unlink(missing_ok=True)
        if marks.exists():
            sync_folder(marks)
            sync_folder(folder)


def has_unlisted(
    batch: WriteBatch, unlisted: frozenset[Cid], is_here: Callable[[Cid], bool]
) -> bool:
    """Whether something in a batch may belong to an unlisted project.

    Media and texts that come without an object may, if such a project is here: nothing in them says whose they are.

    Args:
        unlisted: the projects that are marked.
        is_here: whether the store has an object.
    """
    if not unlisted:
        return False
    if not batch.objects:
        return bool(batch.blocks or batch.leaves) and any(map(is_here, unlisted))
    return any(obj.cid in unlisted or obj.project in unlisted for obj in batch.objects)
