"""Reading files: other writers' layouts, ranges, missing blocks, and trees that lie or blow up."""

from __future__ import annotations

import itertools

import pytest
from unixfs_trees import Blocks, add_file_node, add_node, add_raw, build_blocks

from hitp2p.codec.cid import DAG_CBOR, DAG_PB, RAW, Cid
from hitp2p.codec.dagpb import PbLink
from hitp2p.codec.unixfs import NodeType, UnixFs, file_size, iter_file, iter_file_cids
from hitp2p.errors import DecodeError, MissingBlocksError, UsageError
from hitp2p.limits import BLOCK_BYTES, FILE_BYTES, UNIXFS_DEPTH

CONTENT = bytes(range(200))


class Counting:
    """A source that remembers what it was asked for."""

    def __init__(self, blocks: Blocks) -> None:
        self.blocks = blocks
        self.asked: list[Cid] = []

    def get(self, cid: Cid, /) -> bytes | None:
        self.asked.append(cid)
        return self.blocks.get(cid)


def read(root: Cid, blocks: Blocks) -> bytes:
    return b"".join(iter_file(root, blocks))


def refused(root: Cid, blocks: Blocks) -> str:
    """The rule by which a file is refused."""
    with pytest.raises(DecodeError) as caught:
        read(root, blocks)
    assert caught.value.cid in blocks or caught.value.cid == root
    return caught.value.rule


def test_what_was_built_is_read_back() -> None:
    for n_bytes in range(0, 200, 7):
        built, blocks, _ = build_blocks(CONTENT[:n_bytes])
        assert read(built.root, blocks) == CONTENT[:n_bytes]
        assert file_size(built.root, blocks) == n_bytes


def test_inline_data_comes_before_the_children() -> None:
    blocks: Blocks = {}
    leaf = add_raw(blocks, b"world")
    root = add_file_node(blocks, [(leaf, 5)], inline=b"hello ")
    assert read(root, blocks) == b"hello world"
    assert b"".join(iter_file(root, blocks, start=4, end=8)) == b"o wo"
    assert file_size(root, blocks) == 11


def test_old_leaves_and_absent_sizes_are_read() -> None:
    blocks: Blocks = {}
    old = add_node(blocks, [], UnixFs(type=NodeType.RAW, data=b"old", file_size=3))
    file = add_node(blocks, [], UnixFs(type=NodeType.FILE, data=b"leaf"))
    root = add_file_node(blocks, [(old, 3), (file, 4)])
    assert read(root, blocks) == b"oldleaf"


def test_children_at_different_depths_are_read() -> None:
    blocks: Blocks = {}
    deep = add_file_node(blocks, [(add_raw(blocks, b"bc"), 2), (add_raw(blocks, b"d"), 1)])
    root = add_file_node(
        blocks, [(add_raw(blocks, b"a"), 1), (deep, 3), (add_raw(blocks, b"e"), 1)]
    )
    assert read(root, blocks) == b"abcde"


def test_an_identity_cid_holds_its_block_itself() -> None:
    inline = Cid.from_bytes(b"\x01\x55\x00\x05hello")
    blocks: Blocks = {}
    root = add_file_node(blocks, [(inline, 5)])
    assert read(inline, {}) == b"hello"
    assert read(root, blocks) == b"hello"


def test_a_range_fetches_only_the_blocks_it_touches() -> None:
    built, blocks, parts = build_blocks(CONTENT, chunk_bytes=10, width=4)
    source = Counting(blocks)
    assert b"".join(iter_file(built.root, source, start=55, end=65)) == CONTENT[55:65]
    leaves = [cid for cid in source.asked if cid.codec == RAW]
    assert leaves == [part.cid for part in parts if part.cid.codec == RAW][5:7]
    assert len(source.asked) < 8


def test_ranges_past_the_end_give_what_there_is() -> None:
    built, blocks, _ = build_blocks(CONTENT)
    assert b"".join(iter_file(built.root, blocks, start=190, end=10**9)) == CONTENT[190:]
    assert b"".join(iter_file(built.root, blocks, start=200)) == b""
    assert b"".join(iter_file(built.root, blocks, start=7, end=7)) == b""


@pytest.mark.parametrize(("start", "end"), [(-1, None), (5, 4), (0, -1)])
def test_impossible_ranges_are_refused(start: int, end: int | None) -> None:
    with pytest.raises(UsageError):
        next(iter_file(Cid.of(RAW, b""), {}, start=start, end=end))


def test_a_missing_block_is_named_after_what_comes_before_it() -> None:
    built, blocks, parts = build_blocks(CONTENT, chunk_bytes=10, width=4)
    missing = parts[7].cid
    before = parts[7].offset if hasattr(parts[7], "offset") else -1
    del blocks[missing]
    got = bytearray()
    with pytest.raises(MissingBlocksError) as caught:
        for piece in iter_file(built.root, blocks):
            got += piece
    assert caught.value.cids == (missing,)
    assert bytes(got) == CONTENT[:before]
    with pytest.raises(MissingBlocksError):
        file_size(missing, blocks)


def test_med_2_refuses_other_codecs() -> None:
    blocks = {Cid.of(DAG_CBOR, b"\xa0"): b"\xa0"}
    (root,) = blocks
    assert refused(root, blocks) == "MED-2"
    assert refused(add_file_node(blocks, [(root, 1)]), blocks) == "MED-2"


@pytest.mark.parametrize("kind", [NodeType.DIRECTORY, NodeType.SYMLINK, NodeType.HAMT_SHARD])
def test_med_9_refuses_what_is_no_file(kind: NodeType) -> None:
    blocks: Blocks = {}
    root = add_node(blocks, [], UnixFs(type=kind))
    assert refused(root, blocks) == "MED-9"
    assert refused(add_file_node(blocks, [(root, 1)]), blocks) == "MED-9"


def test_med_9_errors_name_the_block() -> None:
    blocks: Blocks = {}
    root = add_node(blocks, [], b"\x08\x07")
    with pytest.raises(DecodeError) as caught:
        read(root, blocks)
    assert (caught.value.cid, caught.value.offset) == (root, None)


def test_med_5_refuses_sizes_that_lie() -> None:
    blocks: Blocks = {}
    leaf = add_raw(blocks, b"12345")
    inner = add_file_node(blocks, [(leaf, 5)])
    for child, said in itertools.product((leaf, inner), (4, 6, 1 << 40)):
        assert refused(add_file_node(blocks, [(child, said)]), blocks) == "MED-5"
    assert refused(add_file_node(blocks, [(leaf, 5)], size=6), blocks) == "MED-5"
    assert refused(add_file_node(blocks, [(leaf, 5)], size=0), blocks) == "MED-5"
    assert refused(add_file_node(blocks, [(leaf, 5)], inline=b"x", size=5), blocks) == "MED-5"


def test_med_5_refuses_children_without_sizes_and_sizes_without_children() -> None:
    blocks: Blocks = {}
    links = [PbLink(cid=add_raw(blocks, b"1"), name="", tsize=1)]
    few = add_node(blocks, links, UnixFs(type=NodeType.FILE, file_size=0))
    many = add_node(blocks, links, UnixFs(type=NodeType.FILE, file_size=2, block_sizes=(1, 1)))
    assert refused(few, blocks) == "MED-5"
    assert refused(many, blocks) == "MED-5"


def test_med_5_refuses_empty_children_and_named_ones() -> None:
    blocks: Blocks = {}
    empty = add_file_node(blocks, [(add_raw(blocks, b""), 0)])
    links = [PbLink(cid=add_raw(blocks, b"1"), name="a", tsize=1)]
    named = add_node(blocks, links, UnixFs(type=NodeType.FILE, file_size=1, block_sizes=(1,)))
    assert refused(empty, blocks) == "MED-5"
    assert refused(named, blocks) == "MED-5"


def nested(blocks: Blocks, n_levels: int) -> Cid:
    """A file of one byte, `n_levels` deep, the leaf included."""
    cid = add_raw(blocks, b"1")
    for _ in range(n_levels - 1):
        cid = add_file_node(blocks, [(cid, 1)])
    return cid


def test_med_5_takes_a_tree_at_the_deepest_level_and_refuses_one_past_it() -> None:
    blocks: Blocks = {}
    assert read(nested(blocks, UNIXFS_DEPTH), blocks) == b"1"
    assert refused(nested(blocks, UNIXFS_DEPTH + 1), blocks) == "MED-5"
    with pytest.raises(DecodeError):
        list(iter_file_cids(nested(blocks, UNIXFS_DEPTH + 1), blocks))


def test_med_5_takes_the_largest_file_and_refuses_one_past_it() -> None:
    blocks: Blocks = {}
    leaf = add_raw(blocks, b"1")
    largest = add_file_node(blocks, [(leaf, 1), (leaf, FILE_BYTES - 1)])
    assert file_size(largest, blocks) == FILE_BYTES
    assert refused(add_file_node(blocks, [(leaf, 1), (leaf, FILE_BYTES)]), blocks) == "MED-5"


def test_enc_9_takes_a_leaf_at_the_limit_and_refuses_one_past_it() -> None:
    blocks: Blocks = {}
    assert len(read(add_raw(blocks, bytes(BLOCK_BYTES)), blocks)) == BLOCK_BYTES
    assert refused(add_raw(blocks, bytes(BLOCK_BYTES + 1)), blocks) == "ENC-9"


def bomb(blocks: Blocks, *, n_links: int, n_levels: int) -> Cid:
    """One leaf of 1 MiB listed over and over, on every level."""
    cid, size = add_raw(blocks, bytes(1 << 20)), 1 << 20
    for _ in range(n_levels):
        cid = add_file_node(blocks, [(cid, size)] * n_links)
        size *= n_links
    return cid


def test_a_bomb_that_claims_a_pebibyte_costs_what_is_read_of_it() -> None:
    blocks: Blocks = {}
    root = bomb(blocks, n_links=1024, n_levels=3)
    source = Counting(blocks)
    assert file_size(root, source) == 1 << 50
    last = list(iter_file(root, source, start=(1 << 50) - 10))
    assert last == [bytes(10)]
    first = list(itertools.islice(iter_file(root, source), 3))
    assert [len(piece) for piece in first] == [1 << 20] * 3
    assert len(source.asked) < 20


def test_the_blocks_of_a_bomb_are_few() -> None:
    blocks: Blocks = {}
    source = Counting(blocks)
    root = bomb(blocks, n_links=1024, n_levels=3)
    assert set(iter_file_cids(root, source)) == set(blocks)
    assert len(source.asked) == 3


def test_med_5_refuses_a_bomb_past_the_largest_file() -> None:
    blocks: Blocks = {}
    assert refused(bomb(blocks, n_links=1024, n_levels=4), blocks) == "MED-5"


def test_the_cids_of_a_file_come_depth_first_and_without_its_leaves_here() -> None:
    content = bytes(i % 251 for i in range(2000))
    built, blocks, parts = build_blocks(content, chunk_bytes=10, width=4)
    nodes = {cid: block for cid, block in blocks.items() if cid.codec == DAG_PB}
    cids = list(iter_file_cids(built.root, nodes))
    assert cids[0] == built.root
    leaves = [part.cid for part in parts if part.cid.codec == RAW]
    assert [cid for cid in cids if cid.codec == RAW] == leaves
    assert sorted(cids) == sorted(blocks)


def test_the_cids_of_a_file_name_a_missing_node() -> None:
    built, blocks, _ = build_blocks(CONTENT)
    del blocks[built.root]
    with pytest.raises(MissingBlocksError) as caught:
        list(iter_file_cids(built.root, blocks))
    assert caught.value.cids == (built.root,)
