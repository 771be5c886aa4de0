"""Writing a consistent copy of a store beside its writers."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from hitp2p.errors import UsageError
from hitp2p.store.copying import copy_piece
from hitp2p.store.faults import store_errors
from hitp2p.store.leaves import READ_FLAGS
from hitp2p.store.mediafolder import hold_shared, release, sync_folder
from hitp2p.store.schema import connect
from hitp2p.store.unlisted import mark_unlisted, read_unlisted

__all__ = ["copy_store", "new_folder"]

_PIECE_BYTES: Final = 16 * 1024 * 1024


def copy_store(
    db: sqlite3.Connection, folder: Path, target: Path, *, database: str, media: str
) -> None:
    """Copy the store in `folder`, of which `db` is the open database, to `target`.

    The copy of the database is one state; media files never change, and nobody removes any meanwhile.

    Raises:
        UsageError: `target` is there already.
    """
    with store_errors(target), new_folder(target) as unfinished:
        lock = hold_shared(folder / media)
        try:
            db.execute("VACUUM INTO ?", (str(unfinished / database),))
            for path in _finish_database(unfinished / database):
                _copy_file(folder / media / path, unfinished / media / path)
            mark_unlisted(unfinished, read_unlisted(folder), True)
        finally:
            release(lock)


@contextmanager
def new_folder(target: Path) -> Generator[Path]:
    """A folder to fill, which gets the name `target` when the block ends well, and vanishes when it doesn't."""
    if target.exists():
        raise UsageError(f"{target} is there already; name a new folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.unfinished-{os.urandom(4).hex()}")
    unfinished.mkdir()
    try:
        yield unfinished
        for folder, _, _ in os.walk(unfinished):
            sync_folder(Path(folder))
        os.rename(unfinished, target)
        sync_folder(target.parent)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def _finish_database(path: Path) -> list[str]:
    """Set what `VACUUM INTO` leaves out, put the file on disk; the media files in the media folder that it names."""
    db = connect(path)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        paths = [os.fsdecode(row[0]) for row in db.execute("SELECT path FROM file ORDER BY path")]
    finally:
        db.close()
    with path.open("r+b") as file:
        os.fsync(file.fileno())
    return [name for name in paths if not os.path.isabs(name)]


def _copy_file(source: Path, target: Path) -> None:
    """A file that is missing is left out; whoever checks the copy will see."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        reader = os.open(source, READ_FLAGS)
    except FileNotFoundError:
        return
    try:
        with target.open("xb", buffering=0) as writer:
            while copy_piece(reader, writer.fileno(), _PIECE_BYTES):
                pass
            os.fsync(writer.fileno())
    finally:
        os.close(reader)
