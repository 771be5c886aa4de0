"""Adding media: one pass over a file gives its tree, its hash and, unless it is referenced in place, a synced copy.

What `add_media` returns goes into the same `put` as the object that links to it. Until then nothing names the copy, so
whatever interrupts leaves no half-state: an unfinished copy is removed at the next opening, a finished one by `gc`. A
store that takes files itself has the blocks when `add_media` returns; until an object links to them, `gc` takes them too.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from io import BytesIO, FileIO
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Protocol, TypeAlias, runtime_checkable

from hitp2p.codec.cid import Cid
from hitp2p.codec.unixfs import BuiltFile, ByteReader, ByteTaker, Leaf, Node, build_file
from hitp2p.dataclass import dataclass
from hitp2p.errors import NotFoundError, UsageError
from hitp2p.ports import Closing
from hitp2p.store.contract import LeafPlace, Store
from hitp2p.store.copying import CopyWriter, make_buffers, share_blocks
from hitp2p.store.faults import store_errors
from hitp2p.store.leaves import READ_FLAGS
from hitp2p.store.mediafolder import (
    RESERVE_FROM_BYTES,
    hold_shared,
    keep_reserve,
    place_file,
    release,
    unfinished_path,
)

__all__ = [
    "INLINE_BYTES",
    "AddedMedia",
    "MediaSink",
    "Mode",
    "TakesMedia",
    "add_media",
    "add_stream",
    "require_file",
]

Mode: TypeAlias = Literal["copy", "reference"]
Progress: TypeAlias = Callable[[int, int], None]
"""Called with bytes done and bytes in all, now and then, in the caller's thread."""
_Built: TypeAlias = tuple[BuiltFile, list[Leaf], list[tuple[Cid, bytes]]]
"""A file's tree, its leaves and its other blocks."""

INLINE_BYTES: Final = 64 * 1024
"""A file up to this size is copied into the database: there it costs no sync of its own, and SQLite reads it faster."""


class MediaSink(ByteTaker, Protocol):
    """Takes a file while it is read: its bytes, in buffers of whole leaves, and what they are."""

    def take_leaf(self, leaf: Leaf) -> None:
        """A leaf that lies in the last bytes taken."""
        ...

    def finish(self, nodes: Iterable[tuple[Cid, bytes]]) -> None:
        """The file is whole and did not change: its other blocks."""
        ...


@runtime_checkable
class TakesMedia(Protocol):
    """A store that takes files itself, so that they need no copy in its media folder first."""

    def take_media(self, size: int) -> AbstractContextManager[MediaSink | None]:
        """Get ready for a file. When the context is left after `finish`, its blocks are in the store for good.

        Args:
            size: length of the file in bytes.

        Gives None where the store would rather have a copy.
        """
        ...


@dataclass(slots=True, kw_only=True)
class AddedMedia(Closing):
    """A file that is ready to be put. Close it after `put`, or use it as a context; it keeps `gc` away till then."""

    built: BuiltFile
    """Root CID, size and hash."""
    blocks: tuple[tuple[Cid, bytes], ...]
    """Nodes, and leaves that are kept as blocks; for `WriteBatch.blocks`."""
    leaves: tuple[LeafPlace, ...]
    """For `WriteBatch.leaves`."""
    _lock: int | None = None

    def close(self) -> None:
        """Let `gc` have the media folder again. Harmless twice."""
        if self._lock is not None:
            release(self._lock)
            self._lock = None


def add_media(
    store: Store, path: Path | str, *, mode: Mode = "copy", progress: Progress | None = None
) -> AddedMedia:
    """Read a file and make it ready to be put into `store`.

    Args:
        store: where it shall go. One without a media folder takes copies as blocks.
        path: a regular file, which nobody writes meanwhile.
        mode: "copy" keeps a copy in the store; "reference" only remembers where the file is, and it must stay.
        progress: is told how far it is.

    Raises:
        NotFoundError: there is no such file.
        UsageError: it is no regular file, or it changed while it was read.
        StoreFullError: no room for the copy; nothing of it stays.
    """
    with _Source(Path(path)) as source:
        if mode == "reference":
            return _read_through(source, progress, os.path.realpath(path))
        if store.media_folder is None or source.size <= INLINE_BYTES:
            return _read_in(source, progress)
        if isinstance(store, TakesMedia):
            added = _hand_over(source, progress, store, store.media_folder)
            if added is not None:
                return added
        return _copy(source, progress, store.media_folder)


def require_file(path: Path | str) -> None:
    """Raise what `add_media` would of a path that it can't begin to read; for who wants to know before asking a person more."""
    _Source(Path(path)).file.close()


class _Source:
    """An open file that is to stay as it is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.number = os.open(path, READ_FLAGS)
        except FileNotFoundError:
            missing = NotFoundError(f"{path}: there is no such file")
            missing.add_note("Give its path from the folder that you are in.")
            raise missing from None
        except OSError as error:
            raise UsageError(f"{path}: can't be read ({error.strerror})") from error
        state = os.fstat(self.number)
        if not stat.S_ISREG(state.st_mode):
            os.close(self.number)
            raise UsageError(f"{path}: not a regular file; only files can be added")
        self.size = state.st_size
        self._state = state
        self.file = FileIO(self.number)

    def require_same(self) -> None:
        """To be asked when all is read and before anything is kept."""
        now = os.fstat(self.number)
        if (now.st_size, now.st_mtime_ns) != (self.size, self._state.st_mtime_ns):
            raise UsageError(f"{self.path}: changed while it was read; add it when it is finished")

    def __enter__(self) -> _Source:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.file.close()


class _Watched:
    """A stream that tells how far it is, and never gives more than it said."""

    def __init__(self, stream: ByteReader, size: int, progress: Progress | None) -> None:
        self._stream = stream
        self._size = size
        self._done = 0
        self._progress = progress

    def readinto(self, buffer: memoryview, /) -> int | None:
        length = self._stream.readinto(buffer[: self._size - self._done])
        if length:
            self._done += length
            if self._progress is not None:
                self._progress(self._done, self._size)
        return length


def _build(
    stream: ByteReader,
    size: int,
    progress: Progress | None,
    also: ByteTaker | None = None,
    on_leaf: Callable[[Leaf], None] | None = None,
) -> _Built:
    leaves: list[Leaf] = []
    nodes: list[tuple[Cid, bytes]] = []
    take_leaf = leaves.append if on_leaf is None else on_leaf

    def emit(part: Leaf | Node) -> None:
        if isinstance(part, Leaf):
            take_leaf(part)
        else:
            nodes.append((part.cid, part.data))

    watched = _Watched(stream, size, progress)
    buffers = () if also is None else make_buffers()
    with ThreadPoolExecutor(1, thread_name_prefix="hitp2p-hash") as executor:
        built = build_file(watched, emit, executor=executor, also=also, buffers=buffers)
    return built, leaves, nodes


def _places(leaves: list[Leaf], path: str) -> tuple[LeafPlace, ...]:
    return tuple(
        LeafPlace(cid=leaf.cid, path=path, offset=leaf.offset, length=leaf.length)
        for leaf in leaves
    )


def _read_through(source: _Source, progress: Progress | None, path: str) -> AddedMedia:
    built, leaves, nodes = _build(source.file, source.size, progress)
    source.require_same()
    return AddedMedia(built=built, blocks=tuple(nodes), leaves=_places(leaves, path))


def _read_in(source: _Source, progress: Progress | None) -> AddedMedia:
    content = source.file.readall()
    source.require_same()
    built, leaves, nodes = _build(BytesIO(content), len(content), progress)
    blocks = {leaf.cid: content[leaf.offset : leaf.offset + leaf.length] for leaf in leaves}
    return AddedMedia(built=built, blocks=(*blocks.items(), *nodes), leaves=())


def _hand_over(
    source: _Source, progress: Progress | None, store: TakesMedia, folder: Path
) -> AddedMedia | None:
    """Let the store have the file while it is read. It is there then, and kept from whoever tidies."""
    with store_errors(folder):
        lock = hold_shared(folder)
    try:
        with store.take_media(source.size) as sink:
            if sink is None:
                release(lock)
                return None
            built, _, nodes = _build(source.file, source.size, progress, sink, sink.take_leaf)
            source.require_same()
            sink.finish(nodes)
    except BaseException:
        release(lock)
        raise
    return AddedMedia(built=built, blocks=(), leaves=(), _lock=lock)


def add_stream(folder: Path, pieces: Iterator[bytes], size: int) -> AddedMedia:
    """Make the content of a file that lies elsewhere ready to be put; as `add_media` does with a copy.

    Args:
        folder: the store's media folder.
        pieces: the content; what they raise is passed on, and nothing of the copy stays.
        size: length of the content in bytes. What is past it is left out.

    Raises:
        StoreFullError: no room for the copy; nothing of it stays.
    """
    return _keep(folder, size, lambda file: _write_through(_Pieces(pieces), size, None, file))


class _Pieces:
    """Pieces of bytes as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readinto(self, buffer: memoryview, /) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
        length = min(len(buffer), len(self._rest))
        buffer[:length] = self._rest[:length]
        self._rest = self._rest[length:]
        return length


def _copy(source: _Source, progress: Progress | None, folder: Path) -> AddedMedia:
    def write(copy: FileIO) -> _Built:
        if share_blocks(source.number, copy.fileno()):
            built = _build(copy, source.size, progress)
        else:
            built = _write_through(source.file, source.size, progress, copy)
        source.require_same()
        return built

    return _keep(folder, source.size, write)


def _write_through(
    stream: ByteReader, size: int, progress: Progress | None, copy: FileIO
) -> _Built:
    with CopyWriter(copy.fileno()) as writer:
        return _build(stream, size, progress, writer)


def _keep(folder: Path, size: int, write: Callable[[FileIO], _Built]) -> AddedMedia:
    """Have a new file written and give it its name, with the folder kept from whoever tidies."""
    with store_errors(folder):
        lock = hold_shared(folder)
        try:
            if size >= RESERVE_FROM_BYTES:
                keep_reserve(folder)
            unfinished = unfinished_path(folder)
            try:
                with FileIO(unfinished, "xb+") as copy:
                    built, leaves, nodes = write(copy)
                    os.fsync(copy.fileno())
                path = place_file(folder, unfinished, built.sha256)
            finally:
                unfinished.unlink(missing_ok=True)
        except BaseException:
            release(lock)
            raise
    return AddedMedia(built=built, blocks=tuple(nodes), leaves=_places(leaves, path), _lock=lock)
