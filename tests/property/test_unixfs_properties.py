"""Laws of UnixFS trees: pieces don't matter, ranges are slices, foreign bytes raise nothing but `DecodeError`."""

from __future__ import annotations

import itertools
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st
from unixfs_trees import Blocks, add_file_node, add_raw, build_blocks

from hitp2p.codec.cid import DAG_PB, RAW, Cid
from hitp2p.codec.dagpb import PbLink, PbNode, decode_dagpb, encode_dagpb
from hitp2p.codec.unixfs import (
    FileBuilder,
    Leaf,
    Node,
    build_directory,
    decode_unixfs,
    encode_unixfs,
    file_size,
    iter_directory,
    iter_file,
    iter_file_cids,
)
from hitp2p.errors import DecodeError, InvalidError, MissingBlocksError, UsageError

contents = st.binary(max_size=300)
chunk_sizes = st.integers(1, 20)
widths = st.integers(2, 6)
cids = st.binary(max_size=4).map(lambda data: Cid.of(RAW, data))
links = st.builds(
    PbLink,
    cid=cids,
    name=st.none() | st.text(max_size=5),
    tsize=st.none() | st.integers(0, (1 << 63) - 1),
)


@given(contents, chunk_sizes, widths, st.lists(st.integers(0, 300)))
def test_any_cut_of_the_input_gives_the_same_tree(
    content: bytes, chunk_bytes: int, width: int, cuts: list[int]
) -> None:
    expected, _, whole = build_blocks(content, chunk_bytes=chunk_bytes, width=width)
    builder = FileBuilder(chunk_bytes=chunk_bytes, width=width)
    parts: list[Leaf | Node] = []
    edges = [0, *sorted(cuts), len(content)]
    for start, end in itertools.pairwise(edges):
        parts += builder.feed(content[start:end])
    rest, built = builder.finish()
    assert (built, parts + rest) == (expected, whole)


@given(contents, chunk_sizes, widths, st.integers(0, 320), st.integers(0, 320) | st.none())
def test_a_range_is_a_slice(
    content: bytes, chunk_bytes: int, width: int, start: int, end: int | None
) -> None:
    built, blocks, _ = build_blocks(content, chunk_bytes=chunk_bytes, width=width)
    if end is not None:
        start, end = sorted((start, end))
    assert b"".join(iter_file(built.root, blocks, start=start, end=end)) == content[start:end]
    assert file_size(built.root, blocks) == len(content) == built.size
    assert built.sha256 == sha256(content).digest()
    assert set(iter_file_cids(built.root, blocks)) == set(blocks)


@st.composite
def trees(draw: st.DrawFn, depth: int = 4) -> tuple[Cid, bytes, Blocks]:
    """A file in a layout that nobody builds: any inline data, any widths, leaves at any depth."""
    blocks: Blocks = {}
    inline = draw(st.binary(max_size=5))
    if depth == 0 or draw(st.booleans()):
        content = inline or b"x"
        return add_raw(blocks, content), content, blocks
    children = draw(st.lists(trees(depth=depth - 1), max_size=4))
    for _, _, below in children:
        blocks |= below
    root = add_file_node(
        blocks, [(c, len(data)) for c, data, _ in children if data], inline=inline or None
    )
    return root, inline + b"".join(data for _, data, _ in children), blocks


@given(trees(), st.integers(0, 30), st.integers(0, 30))
def test_any_layout_is_read(tree: tuple[Cid, bytes, Blocks], start: int, length: int) -> None:
    root, content, blocks = tree
    assert b"".join(iter_file(root, blocks)) == content
    part = b"".join(iter_file(root, blocks, start=start, end=start + length))
    assert part == content[start : start + length]


@given(st.lists(links, max_size=5), st.none() | st.binary(max_size=20))
def test_a_node_that_can_be_written_comes_back(
    given_links: list[PbLink], data: bytes | None
) -> None:
    ordered = sorted(given_links, key=lambda link: (link.name or "").encode())
    node = PbNode(links=ordered, data=data)
    assert decode_dagpb(encode_dagpb(node)) == node


@given(st.binary(max_size=100))
def test_random_bytes_are_one_canonical_node_or_refused(block: bytes) -> None:
    try:
        node = decode_dagpb(block)
    except DecodeError:
        return
    assert encode_dagpb(node) == block


@given(st.binary(max_size=40))
def test_random_bytes_are_one_canonical_message_or_refused(data: bytes) -> None:
    try:
        message = decode_unixfs(data)
    except DecodeError:
        return
    assert encode_unixfs(message) == data


@given(contents, chunk_sizes, widths, st.data())
def test_any_changed_byte_of_a_tree_is_refused_or_another_file(
    content: bytes, chunk_bytes: int, width: int, data: st.DataObject
) -> None:
    """A changed node has another CID; a reader that is given it as a root must not crash on it."""
    _, blocks, parts = build_blocks(content, chunk_bytes=chunk_bytes, width=width)
    nodes = [part.data for part in parts if isinstance(part, Node)]
    if not nodes:
        return
    block = bytearray(data.draw(st.sampled_from(nodes)))
    position = data.draw(st.integers(0, len(block) - 1))
    block[position] ^= data.draw(st.integers(1, 255))
    root = Cid.of(DAG_PB, bytes(block))
    read_all(root, blocks | {root: bytes(block)})


@given(st.binary(max_size=60), st.binary(max_size=40))
def test_random_blocks_raise_nothing_but_what_the_contract_says(block: bytes, data: bytes) -> None:
    for root_block in (block, encode_dagpb(PbNode(data=data))):
        root = Cid.of(DAG_PB, root_block)
        read_all(root, {root: root_block})


def read_all(root: Cid, blocks: Blocks) -> None:
    """Every way to read a block; each may refuse it or miss others, nothing else."""
    for read in (iter_file, iter_file_cids, iter_directory):
        try:
            for _, _ in zip(range(1000), read(root, blocks), strict=False):
                pass
        except (InvalidError, MissingBlocksError):
            pass


@given(st.dictionaries(st.text(max_size=8), st.tuples(cids, st.integers(0, 1 << 50))))
def test_a_folder_lists_what_it_was_built_from(entries: dict[str, tuple[Cid, int]]) -> None:
    try:
        built = build_directory(entries)
    except UsageError:
        assert any(name in ("", ".", "..") or set(name) & set("/\0") for name in entries)
        return
    found = {e.name: (e.cid, e.size) for e in iter_directory(built.cid, {built.cid: built.block})}
    assert found == entries
