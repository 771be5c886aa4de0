"""Files that appear under their names when they are complete and on disk, or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from io import BufferedWriter
from pathlib import Path

from hitp2p.store.faults import store_errors

__all__ = ["whole_file"]


@contextmanager
def whole_file(path: Path, *, like: Path | None = None) -> Generator[BufferedWriter]:
    """Write a file beside its place; leaving the context without an error puts it there, over an older one.

    Args:
        path: where it is to appear. What stands there is read and kept as it is till then.
        like: a file whose permissions the new one gets; else those that the person's umask says.

    Raises:
        StoreError: it can't be written; StoreFullError where there is no room.
    """
    fresh = path.with_name(f".hitp2p-{secrets.token_hex(8)}")  # short, however long the name is
    with store_errors(path.parent):
        try:
            with fresh.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if like is not None:
                shutil.copymode(like, fresh)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
