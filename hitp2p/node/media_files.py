"""Files of the media folder that grow: each leaf is written to its place when it comes, and is there from then on.

A leaf's row names file, place and length, and is hashed whenever it is read; so a file with holes is as good as a whole
one for the leaves that it has. It is named by the CID of its tree, not by its hash, which isn't known before the end: so
it can't stand in the place of a file that the user added.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from hitp2p.codec.cid import Cid
from hitp2p.store.contract import LeafPlace
from hitp2p.store.faults import store_errors
from hitp2p.store.mediafolder import hold_shared, release, sync_folder

__all__ = ["MediaFiles", "Piece"]

_FLAGS: Final = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class Piece(NamedTuple):
    """A leaf that is to be written."""

    root: Cid
    """The file."""
    cid: Cid
    """The leaf."""
    offset: int
    data: bytes


class MediaFiles:
    """The growing files of a media folder."""

    def __init__(self, folder: Path | None) -> None:
        """`folder`: of the store; None where leaves are kept as blocks."""
        self._folder = folder

    @property
    def is_here(self) -> bool:
        """Whether there is a folder."""
        return self._folder is not None

    @contextmanager
    def held(self) -> Generator[None]:
        """Keep whoever tidies away, from the first byte of a new file to the commit that names it."""
        if self._folder is None:
            yield
            return
        lock = hold_shared(self._folder)
        try:
            yield
        finally:
            release(lock)

    def write(self, pieces: Iterable[Piece]) -> list[LeafPlace]:
        """Write leaves and put them on disk; where they lie. To be called inside `held`.

        Raises:
            StoreFullError: no room.
        """
        files: dict[Cid, list[Piece]] = {}
        for piece in pieces:
            files.setdefault(piece.root, []).append(piece)
        return [place for root, some in files.items() for place in self._write_file(root, some)]

    def _write_file(self, root: Cid, pieces: Sequence[Piece]) -> list[LeafPlace]:
        assert self._folder is not None
        name = f"{root.digest.hex()[:2]}/{root}"
        path = self._folder / name
        with store_errors(self._folder):
            is_new = not path.exists()
            path.parent.mkdir(exist_ok=True)
            file = os.open(path, _FLAGS, 0o666)
            try:
                for piece in pieces:
                    _write_at(file, piece.offset, piece.data)
                os.fsync(file)
            finally:
                os.close(file)
            if is_new:
                sync_folder(path.parent)
                sync_folder(self._folder)
        return [
            LeafPlace(cid=piece.cid, path=name, offset=piece.offset, length=len(piece.data))
            for piece in pieces
        ]


def _write_at(file: int, offset: int, data: bytes) -> None:
    os.lseek(file, offset, os.SEEK_SET)
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
