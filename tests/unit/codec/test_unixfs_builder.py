"""Building files: one tree for the same content, whatever the pieces, the stream or the threads."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest
from unixfs_trees import build_blocks

from hitp2p import limits
from hitp2p.codec.cid import DAG_PB, RAW, Cid
from hitp2p.codec.dagpb import decode_dagpb
from hitp2p.codec.unixfs import FileBuilder, Leaf, Node, build_file, decode_unixfs
from hitp2p.errors import UsageError
from hitp2p.limits import BLOCK_BYTES, CHUNK_BYTES

CONTENT = bytes(range(256)) * 3


class Dripping(io.BytesIO):
    """A stream that gives one byte at a time, as a slow pipe does."""

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return super().readinto(buffer[:1])


class NonBlocking:
    def readinto(self, buffer: memoryview, /) -> int | None:
        return None


class Breaking:
    """A stream that fails after two full buffers."""

    def __init__(self) -> None:
        self.calls = 0

    def readinto(self, buffer: memoryview, /) -> int | None:
        self.calls += 1
        if self.calls > 2:
            raise OSError("the disk is gone")
        return len(buffer)


def test_an_empty_file_is_an_empty_raw_leaf() -> None:
    built, _, parts = build_blocks(b"")
    assert parts == [Leaf(cid=built.root, offset=0, length=0)]
    assert built.root == Cid.of(RAW, b"")
    assert (built.size, built.dag_size, built.sha256) == (0, 0, sha256(b"").digest())


def test_a_file_of_one_chunk_is_that_raw_leaf() -> None:
    built, _, parts = build_blocks(b"abcd", chunk_bytes=4)
    assert built.root == Cid.of(RAW, b"abcd")
    assert parts == [Leaf(cid=built.root, offset=0, length=4)]


@pytest.mark.parametrize(
    ("n_leaves", "n_nodes", "depth"),
    [(1, 0, 1), (2, 1, 2), (3, 1, 2), (4, 3, 3), (9, 4, 3), (10, 7, 4), (27, 13, 4), (28, 17, 5)],
)
def test_a_tree_is_balanced_and_no_deeper_than_needed(
    n_leaves: int, n_nodes: int, depth: int
) -> None:
    built, blocks, parts = build_blocks(CONTENT[:n_leaves], chunk_bytes=1, width=3)
    assert sum(isinstance(part, Node) for part in parts) == n_nodes
    depths = set[int]()
    todo = [(built.root, 1)]
    while todo:
        cid, level = todo.pop()
        if cid.codec == RAW:
            depths.add(level)
        else:
            todo += [(link.cid, level + 1) for link in decode_dagpb(blocks[cid]).links]
    assert depths == {depth}


@pytest.mark.parametrize(
    ("n_more", "n_links"), [(0, limits.UNIXFS_WIDTH), (1, 2)], ids=["full", "one more"]
)
def test_a_node_has_up_to_1024_links(n_more: int, n_links: int) -> None:
    blocks: dict[Cid, bytes] = {}

    def keep(part: Leaf | Node) -> None:
        if isinstance(part, Node):
            blocks[part.cid] = part.data

    content = bytes(limits.UNIXFS_WIDTH + n_more)
    built = build_file(io.BytesIO(content), keep, chunk_bytes=1)
    assert len(decode_dagpb(blocks[built.root]).links) == n_links


def test_a_file_of_1_mib_is_one_leaf_and_one_byte_more_is_two() -> None:
    for n_more, n_leaves in ((0, 1), (1, 2)):
        parts: list[Leaf | Node] = []
        build_file(io.BytesIO(bytes(limits.CHUNK_BYTES + n_more)), parts.append)
        assert sum(isinstance(part, Leaf) for part in parts) == n_leaves


def test_leaves_come_by_offset_and_each_node_after_its_children() -> None:
    built, blocks, parts = build_blocks(CONTENT, chunk_bytes=5, width=4)
    leaves = [part for part in parts if isinstance(part, Leaf)]
    assert [leaf.offset for leaf in leaves] == list(range(0, len(CONTENT), 5))
    assert sum(leaf.length for leaf in leaves) == len(CONTENT)
    seen: set[Cid] = set()
    for part in parts:
        if isinstance(part, Node):
            assert part.cid == Cid.of(DAG_PB, part.data)
            assert seen.issuperset(link.cid for link in decode_dagpb(part.data).links)
        seen.add(part.cid)
    assert parts[-1].cid == built.root
    assert blocks.keys() == seen


def test_sizes_are_those_of_the_content_and_of_the_blocks() -> None:
    content = bytes(i % 251 for i in range(1000))
    built, blocks, parts = build_blocks(content, chunk_bytes=10, width=5)
    assert built.size == 1000
    assert built.sha256 == sha256(content).digest()
    assert built.dag_size == sum(
        len(part.data) if isinstance(part, Node) else part.length for part in parts
    )
    top = decode_dagpb(blocks[built.root])
    assert decode_unixfs(top.data or b"").file_size == 1000
    assert sum(link.tsize or 0 for link in top.links) + len(blocks[built.root]) == built.dag_size


@pytest.mark.parametrize("n_threads", [0, 1, 3])
def test_threads_do_not_change_the_result(n_threads: int) -> None:
    content = bytes(7) + b"x" * (5 * CHUNK_BYTES) + b"end"
    alone: list[Leaf | Node] = []
    expected = build_file(io.BytesIO(content), alone.append)
    assert expected.sha256 == sha256(content).digest()
    parts: list[Leaf | Node] = []
    if n_threads == 0:
        builder = FileBuilder()
        parts += builder.feed(content)
        rest, built = builder.finish()
        parts += rest
    else:
        with ThreadPoolExecutor(n_threads) as executor:
            built = build_file(io.BytesIO(content), parts.append, executor=executor)
    assert (built, parts) == (expected, alone)


def test_a_stream_that_drips_gives_the_same_tree() -> None:
    parts: list[Leaf | Node] = []
    built = build_file(Dripping(CONTENT), parts.append, chunk_bytes=7, width=3)
    expected, _, alone = build_blocks(CONTENT, chunk_bytes=7, width=3)
    assert (built, parts) == (expected, alone)


def test_pieces_of_any_buffer_type_give_the_same_tree() -> None:
    expected, _, alone = build_blocks(CONTENT, chunk_bytes=7, width=3)
    builder = FileBuilder(chunk_bytes=7, width=3)
    parts: list[Leaf | Node] = []
    buffer = bytearray(1)
    for byte in CONTENT:
        buffer[0] = byte  # one buffer over and over: nothing of it may be kept
        parts += builder.feed(memoryview(buffer))
    rest, built = builder.finish()
    assert (built, parts + rest) == (expected, alone)


class Slow:
    """Looks at what it took only when it is asked for room."""

    def __init__(self) -> None:
        self.waiting: list[memoryview] = []
        self.seen = b""

    def take(self, data: memoryview, /) -> None:
        self.waiting.append(data)

    def wait_for_room(self, n_waiting: int, /) -> None:
        while len(self.waiting) > n_waiting:
            self.seen += self.waiting.pop(0)


@pytest.mark.parametrize("n_buffers", [2, 3, 5])
def test_what_else_takes_the_content_gets_every_byte_before_its_buffer_is_used_again(
    n_buffers: int,
) -> None:
    expected, _, alone = build_blocks(CONTENT, chunk_bytes=7, width=3)
    slow, parts = Slow(), list[Leaf | Node]()
    buffers = [memoryview(bytearray(10)) for _ in range(n_buffers)]
    built = build_file(
        io.BytesIO(CONTENT), parts.append, chunk_bytes=7, width=3, also=slow, buffers=buffers
    )
    assert (built, parts) == (expected, alone)
    assert slow.seen == CONTENT


def test_a_stream_that_fails_leaves_no_thread_at_work() -> None:
    with ThreadPoolExecutor(1) as executor, pytest.raises(OSError, match="the disk is gone"):
        build_file(Breaking(), lambda part: None, executor=executor)


def test_a_stream_that_does_not_block_is_refused() -> None:
    with pytest.raises(UsageError, match="block"):
        build_file(NonBlocking(), lambda part: None)


@pytest.mark.parametrize(
    ("chunk_bytes", "width"), [(0, 3), (BLOCK_BYTES + 1, 3), (1, 1), (1, 0), (-1, 2)]
)
def test_impossible_chunks_and_widths_are_refused(chunk_bytes: int, width: int) -> None:
    with pytest.raises(UsageError, match=r"chunks|width"):
        FileBuilder(chunk_bytes=chunk_bytes, width=width)
