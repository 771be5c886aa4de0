"""A person's files on their way into a store: read once, described, and kept together until the work is signed."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from hitp2p.codec.cid import RAW, Cid
from hitp2p.drafts import WorkOptions
from hitp2p.errors import DecodeError, NotFoundError, UsageError
from hitp2p.media.essence import scan_essence
from hitp2p.media.sniff import SNIFF_BYTES, sniff_media_type
from hitp2p.media.source import MediaSource
from hitp2p.objects.contribution import Essence, MediaEntry
from hitp2p.ports import Closing
from hitp2p.store.contract import LeafPlace, Store, WriteBatch
from hitp2p.store.media import Mode, add_media

__all__ = ["Files", "Intake"]

Files = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""One file or several; the first is the master."""


class Intake(Closing):
    """Collects the media and text blocks of one work. A context: leaving it lets the store tidy again.

    No object is in the store until `batch` is put; what was copied or handed over, and isn't put, is swept later.
    """

    def __init__(self, store: Store, *, dry_run: bool = False) -> None:
        self._store = store
        self._dry_run = dry_run
        self._held = ExitStack()
        self._blocks: list[tuple[Cid, bytes]] = []
        self._leaves: list[LeafPlace] = []

    def close(self) -> None:
        """Let the store tidy again."""
        self._held.close()

    def entries(self, files: Files, options: WorkOptions) -> tuple[MediaEntry, ...]:
        """Read the files of a work and describe them as they will stand in it.

        Args:
            files: the first becomes the master, the others source files.
            options: `alt`, `reference` and `progress` count here.

        Raises:
            NotFoundError: a file isn't there.
            UsageError: one isn't a regular file, or can't be read.
            StoreFullError: no room for a copy.
        """
        paths = (files,) if isinstance(files, str | os.PathLike) else tuple(files)
        return tuple(self._entry(Path(path), n, options) for n, path in enumerate(paths))

    def _entry(self, path: Path, number: int, options: WorkOptions) -> MediaEntry:
        media_type, essence, state = _look_at(path)
        mode: Mode = "reference" if self._dry_run or options.get("reference") else "copy"
        added = add_media(self._store, path, mode=mode, progress=options.get("progress"))
        self._held.enter_context(added)
        if _state_of(path) != state:
            raise UsageError(f"{path} was changed while it was read; nothing was kept")
        self._blocks += added.blocks
        self._leaves += added.leaves
        return MediaEntry(
            file=added.built.root,
            size=added.built.size,
            sha256=added.built.sha256,
            type=media_type,
            role="source-file" if number else "master",
            name=unicodedata.normalize("NFC", path.name),
            alt=None if number else options.get("alt"),
            essence=essence,
        )

    def text_block(self, text: bytes) -> Cid:
        """Keep a text that is too long for a body as a block of its own [OBJ-24]."""
        cid = Cid.of(RAW, text)
        self._blocks.append((cid, text))
        return cid

    def batch(self) -> WriteBatch:
        """What is to be put together with the object that links to it."""
        return WriteBatch(blocks=tuple(self._blocks), leaves=tuple(self._leaves))


def _look_at(path: Path) -> tuple[str, Essence | None, tuple[int, ...]]:
    """Type and essence of a file, and what tells whether it is still the same file. An odd file has no essence."""
    try:
        state = _state_of(path)
        if not path.is_file():  # opening a pipe would wait for ever
            raise UsageError(f"{path}: not a regular file; only files can be added")
        with path.open("rb") as file:
            media_type = sniff_media_type(file.read(SNIFF_BYTES))
            try:
                return media_type, scan_essence(MediaSource(file)).recorded, state
            except DecodeError:
                return media_type, None, state
    except FileNotFoundError:
        error = NotFoundError(f"{path}: there is no such file")
        error.add_note("Give its path from the folder that you are in.")
        raise error from None
    except OSError as error:
        raise UsageError(f"{path}: can't be read ({error.strerror})") from error


def _state_of(path: Path) -> tuple[int, ...]:
    state = path.stat()
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns
