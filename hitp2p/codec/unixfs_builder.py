"""Files to UnixFS trees in the profile unixfs-v1-2025, in one pass and in flat memory [spec 05].

Theory of operation: content is cut into leaves of `chunk_bytes`. Each leaf's link joins level 0; when a link comes to a
level that holds `width` of them, these become a node first, whose link joins the level above. So a level never holds
more than `width` links, and at the end the levels are folded from the bottom up into one root. The hash of the leaf and
of the whole file are fed from the caller's own buffers; content is never kept or copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Protocol

from hitp2p.codec.cid import DAG_PB, RAW, Cid, new_link
from hitp2p.codec.dagpb import PbLink, PbNode, encode_dagpb
from hitp2p.codec.unixfs_message import NodeType, UnixFs, encode_unixfs
from hitp2p.dataclass import dataclass
from hitp2p.errors import UsageError
from hitp2p.limits import BLOCK_BYTES, CHUNK_BYTES, UNIXFS_WIDTH

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

__all__ = [
    "BuiltFile",
    "ByteReader",
    "ByteTaker",
    "FileBuilder",
    "Leaf",
    "Node",
    "build_file",
]

_RAW_LINK: Final = bytes((1, RAW, 0x12, 32))
"""A CIDv1 of a raw leaf up to its sha2-256 digest."""
_BUFFER_BYTES: Final = 2 * 1024 * 1024
"""About how much is read at once: large enough to make the calls cheap, small enough to stay in the CPU's cache."""
_N_BUFFERS: Final = 3
"""Read-ahead: one buffer is read while two wait for the second thread or are in its hands."""


class ByteReader(Protocol):
    """A binary stream that fills a buffer of ours; files, `io.BytesIO` and raw streams all do."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill the buffer from its start and say how many bytes came; 0 at the end. May fill only a part."""
        ...


class ByteTaker(Protocol):
    """Something that uses the content beside the hashes, at its own pace: what copies it, for example."""

    def take(self, data: memoryview, /) -> None:
        """The next bytes, in order. They stay as they are until `wait_for_room` returns."""
        ...

    def wait_for_room(self, n_waiting: int, /) -> None:
        """Wait until at most `n_waiting` of the pieces taken are in use. Raises what went wrong with them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A block that is a piece of the file itself."""

    cid: Cid
    """Its name; codec raw."""
    offset: int
    """Where it begins in the file, in bytes."""
    length: int
    """Its length in bytes; 0 only where the file is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An inner node of the tree. It comes after all that it links to."""

    cid: Cid
    """Its name; codec dag-pb."""
    data: bytes
    """The block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltFile:
    """What a finished file amounts to."""

    root: Cid
    """Names the file: its only leaf, or the top node."""
    size: int
    """Length of the content in bytes."""
    sha256: bytes
    """Digest of the whole content, 32 bytes."""
    dag_size: int
    """Bytes of all blocks of the tree, as a folder says of its entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Branch:
    """A finished subtree that no node links to yet."""

    cid: Cid
    size: int
    """Bytes of content."""
    dag_size: int
    """Bytes of all blocks."""


class _Tree:
    """Leaves and nodes of one file; everything but the hash of the whole."""

    def __init__(self, chunk_bytes: int, width: int) -> None:
        if not 1 <= chunk_bytes <= BLOCK_BYTES:
            raise UsageError(f"chunks of {chunk_bytes} bytes; 1 to {BLOCK_BYTES} allowed")
        if width < 2:
            raise UsageError(f"a width of {width} links; at least 2 needed")
        self._chunk_bytes = chunk_bytes
        self._width = width
        self._levels: list[list[_Branch]] = [[]]
        self._leaf_hash = sha256()
        self._leaf_bytes = 0
        self._offset = 0

    def feed(self, data: memoryview) -> Iterator[Leaf | Node]:
        at = 0
        while at < len(data):
            piece = data[at : at + self._chunk_bytes - self._leaf_bytes]
            self._leaf_hash.update(piece)
            self._leaf_bytes += len(piece)
            at += len(piece)
            if self._leaf_bytes == self._chunk_bytes:
                yield from self._end_leaf()

    def _end_leaf(self) -> Iterator[Leaf | Node]:
        length = self._leaf_bytes
        cid = new_link(_RAW_LINK + self._leaf_hash.digest())
        yield Leaf(cid=cid, offset=self._offset, length=length)
        self._offset += length
        self._leaf_hash, self._leaf_bytes = sha256(), 0
        yield from self._add(0, _Branch(cid=cid, size=length, dag_size=length))

    def _add(self, level: int, branch: _Branch) -> Iterator[Node]:
        """Put a branch on a level. A full level becomes a node only now: it might have been the last."""
        if level == len(self._levels):
            self._levels.append([])
        if len(self._levels[level]) == self._width:
            yield from self._fold(level)
        self._levels[level].append(branch)

    def _fold(self, level: int) -> Iterator[Node]:
        """Make a node of all that is on a level, for the level above."""
        block, branch = _encode_branches(self._levels[level])
        self._levels[level] = []
        yield Node(cid=branch.cid, data=block)
        yield from self._add(level + 1, branch)

    def finish(self) -> Iterator[Leaf | Node]:
        """The rest; after it there is one branch left, `root`."""
        if self._leaf_bytes or not self._offset:
            yield from self._end_leaf()
        level = 0
        while level < len(self._levels) - 1 or len(self._levels[level]) > 1:
            yield from self._fold(level)
            level += 1

    @property
    def root(self) -> _Branch:
        return self._levels[-1][0]


def _encode_branches(branches: list[_Branch]) -> tuple[bytes, _Branch]:
    """The node over some branches."""
    links = [PbLink(cid=branch.cid, name="", tsize=branch.dag_size) for branch in branches]
    sizes = tuple(branch.size for branch in branches)
    message = UnixFs(type=NodeType.FILE, file_size=sum(sizes), block_sizes=sizes)
    block = encode_dagpb(PbNode(links=links, data=encode_unixfs(message)))
    dag_size = len(block) + sum(branch.dag_size for branch in branches)
    return block, _Branch(cid=Cid.of(DAG_PB, block), size=sum(sizes), dag_size=dag_size)


class FileBuilder:
    """Content in pieces of any size in, leaves and nodes out. The pieces don't change the tree.

    What comes out is in one order for the same content: leaves by offset, each node right after its last child.
    """

    def __init__(self, *, chunk_bytes: int = CHUNK_BYTES, width: int = UNIXFS_WIDTH) -> None:
        self._tree = _Tree(chunk_bytes, width)
        self._whole = sha256()

    def feed(self, data: bytes | bytearray | memoryview) -> list[Leaf | Node]:
        """Take the next bytes; what became complete with them. The buffer is free again when this returns."""
        view = memoryview(data).cast("B")
        self._whole.update(view)
        return list(self._tree.feed(view))

    def finish(self) -> tuple[list[Leaf | Node], BuiltFile]:
        """No more bytes: the remaining leaf and nodes, and the whole. To be called once, as the last."""
        rest = list(self._tree.finish())
        return rest, _built(self._tree.root, self._whole.digest())


def _built(root: _Branch, digest: bytes) -> BuiltFile:
    return BuiltFile(root=root.cid, size=root.size, sha256=digest, dag_size=root.dag_size)


def build_file(
    stream: ByteReader,
    emit: Callable[[Leaf | Node], None],
    *,
    chunk_bytes: int = CHUNK_BYTES,
    width: int = UNIXFS_WIDTH,
    executor: Executor | None = None,
    also: ByteTaker | None = None,
    buffers: Sequence[memoryview] = (),
) -> BuiltFile:
    """Read a stream to its end and emit its tree, in flat memory.

    Args:
        stream: positioned at the start of the content.
        emit: called with each leaf and node in order, in the caller's thread.
        chunk_bytes: length of the leaves; another than the default makes another CID.
        width: most links of a node; likewise.
        executor: threads, one of which then hashes the whole while this one hashes the leaves.
        also: gets every byte as well.
        buffers: at least two to read into, of one length; made here unless given.
    """
    tree = _Tree(chunk_bytes, width)
    whole = _WholeHash(executor)
    takers: tuple[ByteTaker, ...] = (whole,) if also is None else (whole, also)
    buffers = buffers or _make_buffers(chunk_bytes)
    try:
        for buffer in _in_turn(buffers):
            for taker in takers:
                taker.wait_for_room(len(buffers) - 1)
            length = _fill(stream, buffer)
            for taker in takers:
                taker.take(buffer[:length])
            for part in tree.feed(buffer[:length]):
                emit(part)
            if length < len(buffer):
                break
        for part in tree.finish():
            emit(part)
    finally:
        for taker in takers:
            taker.wait_for_room(0)
    return _built(tree.root, whole.digest())


def _make_buffers(chunk_bytes: int) -> list[memoryview]:
    length = max(1, _BUFFER_BYTES // chunk_bytes) * chunk_bytes
    return [memoryview(bytearray(length)) for _ in range(_N_BUFFERS)]


def _in_turn(buffers: Sequence[memoryview]) -> Iterator[memoryview]:
    while True:
        yield from buffers


def _fill(stream: ByteReader, buffer: memoryview) -> int:
    """Read until the buffer is full or the stream ends; how many bytes came."""
    length = 0
    while length < len(buffer):
        n_bytes = stream.readinto(buffer[length:])
        if n_bytes is None:
            raise UsageError("the stream doesn't block; only blocking streams can be read")
        if n_bytes == 0:
            break
        length += n_bytes
    return length


class _WholeHash:
    """The hash of a whole file, on a thread of the executor where there is one."""

    def __init__(self, executor: Executor | None) -> None:
        self._executor = executor
        self._hash = sha256()
        self._waiting: list[Future[None]] = []

    def take(self, data: memoryview, /) -> None:
        if self._executor is None:
            self._hash.update(data)
            return
        before = self._waiting[-1] if self._waiting else None
        self._waiting.append(self._executor.submit(self._update_after, before, data))

    def _update_after(self, before: Future[None] | None, data: memoryview) -> None:
        """Several threads may take pieces; each waits for the piece before its own."""
        if before is not None:
            before.result()
        self._hash.update(data)

    def wait_for_room(self, n_waiting: int, /) -> None:
        while len(self._waiting) > n_waiting:
            self._waiting.pop(0).result()

    def digest(self) -> bytes:
        return self._hash.digest()
