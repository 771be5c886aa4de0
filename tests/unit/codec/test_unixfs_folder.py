"""Folders: plain ones built and listed, HAMTs listed, bombs and odd names refused."""

from __future__ import annotations

import pytest
from unixfs_trees import Blocks, add_node, add_raw, add_shard

from hitp2p.codec.cid import DAG_PB, RAW, Cid
from hitp2p.codec.dagpb import PbLink
from hitp2p.codec.unixfs import (
    DirectoryEntry,
    Node,
    NodeType,
    UnixFs,
    build_directory,
    build_tree,
    iter_directory,
)
from hitp2p.errors import DecodeError, MissingBlocksError, UsageError
from hitp2p.limits import HAMT_DEPTH

LEAF = Cid.of(RAW, b"leaf")
BAD_NAMES = ["", ".", "..", "a/b", "/", "a\0b"]


def names(root: Cid, blocks: Blocks) -> list[str]:
    return [entry.name for entry in iter_directory(root, blocks)]


def refused(root: Cid, blocks: Blocks) -> str:
    """The rule by which a folder is refused."""
    with pytest.raises(DecodeError) as caught:
        names(root, blocks)
    assert caught.value.cid is not None
    return caught.value.rule


def test_an_empty_folder_is_the_one_that_ipfs_knows() -> None:
    built = build_directory({})
    assert str(built.cid) == "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354"
    assert names(built.cid, {built.cid: built.block}) == []


def test_entries_are_sorted_by_the_bytes_of_their_names() -> None:
    given = ["b", "a", "Z", "\U00010000", "\uffff", "\u00e9"]
    built = build_directory(dict.fromkeys(given, (LEAF, 4)))
    entries = list(iter_directory(built.cid, {built.cid: built.block}))
    assert [entry.name for entry in entries] == sorted(given, key=str.encode)
    assert entries[0] == DirectoryEntry(name="Z", cid=LEAF, size=4)
    assert built.dag_size == len(built.block) + 4 * len(given)


def test_a_tree_of_files_becomes_folders_from_the_bottom_up() -> None:
    emitted: list[Node] = []
    built = build_tree({"a/b/x": (LEAF, 4), "a/y": (LEAF, 4), "z": (LEAF, 4)}, emitted.append)
    blocks = {node.cid: node.data for node in emitted}
    assert [node.cid for node in emitted][-1] == built.cid
    assert names(built.cid, blocks) == ["a", "z"]
    a, z = iter_directory(built.cid, blocks)
    assert z == DirectoryEntry(name="z", cid=LEAF, size=4)
    assert names(a.cid, blocks) == ["b", "y"]
    assert built.dag_size == sum(map(len, blocks.values())) + 12


def test_a_tree_does_not_depend_on_the_order_of_its_files() -> None:
    paths = ["a/b/c", "a/b/d", "a-b", "a/c", "b/a/a/a"]
    results = set()
    for order in (paths, paths[::-1], sorted(paths)):
        emitted: list[Node] = []
        built = build_tree(dict.fromkeys(order, (LEAF, 4)), emitted.append)
        results.add((built.cid, built.dag_size, tuple(node.cid for node in emitted)))
    assert len(results) == 1


@pytest.mark.parametrize(
    "paths", [["a", "a/b"], ["a/b", "a"], ["a//b"], ["/a"], ["a/../b"], ["a/"]]
)
def test_paths_that_clash_or_climb_are_refused(paths: list[str]) -> None:
    with pytest.raises(UsageError):
        build_tree(dict.fromkeys(paths, (LEAF, 4)), lambda node: None)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_med_7_refuses_names_that_are_no_part_of_a_path(name: str) -> None:
    with pytest.raises(UsageError):
        build_directory({name: (LEAF, 4)})
    blocks: Blocks = {}
    folder = UnixFs(type=NodeType.DIRECTORY)
    plain = add_node(blocks, [PbLink(cid=LEAF, name=name, tsize=1)], folder)
    assert refused(plain, blocks) == "MED-7"
    if name:
        assert refused(add_shard(blocks, [(3, name, LEAF)]), blocks) == "MED-7"


def test_a_name_that_is_not_unicode_is_refused_as_the_callers_fault() -> None:
    with pytest.raises(UsageError):
        build_directory({"\udcff": (LEAF, 4)})


def test_med_7_refuses_a_name_that_stands_twice() -> None:
    blocks: Blocks = {}
    links = [PbLink(cid=LEAF, name="a"), PbLink(cid=add_raw(blocks, b"2"), name="a")]
    plain = add_node(blocks, links, UnixFs(type=NodeType.DIRECTORY))
    assert refused(plain, blocks) == "MED-7"
    assert refused(add_shard(blocks, [(1, "a", LEAF), (2, "a", LEAF)]), blocks) == "MED-7"


def test_too_many_entries_for_a_block_are_refused() -> None:
    with pytest.raises(UsageError, match="at most"):
        build_directory({f"{i:060}": (LEAF, 4) for i in range(21_000)})


def test_a_hamt_is_listed_by_slot_through_its_shards() -> None:
    blocks: Blocks = {}
    below = add_shard(blocks, [(0, "deep", LEAF), (255, "down", LEAF)])
    root = add_shard(blocks, [(0, "a", LEAF), (7, "", below), (8, "z", LEAF)])
    assert names(root, blocks) == ["a", "deep", "down", "z"]
    assert names(add_shard(blocks, []), blocks) == []


def test_a_missing_shard_is_named() -> None:
    blocks: Blocks = {}
    below = add_shard(blocks, [(0, "deep", LEAF)])
    root = add_shard(blocks, [(7, "", below)])
    del blocks[below]
    with pytest.raises(MissingBlocksError) as caught:
        names(root, blocks)
    assert caught.value.cids == (below,)


@pytest.mark.parametrize("fanout", [0, 1, 8, 255, 257, 512, 1 << 40])
def test_med_6_refuses_another_fan_out(fanout: int) -> None:
    blocks: Blocks = {}
    assert refused(add_shard(blocks, [(1, "a", LEAF)], fanout=fanout), blocks) == "MED-6"


def test_med_6_refuses_another_hash_or_none() -> None:
    blocks: Blocks = {}
    assert refused(add_shard(blocks, [(1, "a", LEAF)], hash_type=0x23), blocks) == "MED-6"
    bare = add_node(blocks, [], UnixFs(type=NodeType.HAMT_SHARD, fanout=256))
    assert refused(bare, blocks) == "MED-6"


def test_med_6_refuses_slots_that_are_none_or_differ_from_the_bits() -> None:
    blocks: Blocks = {}
    for name in ("", "A", "0ga", "0aa", "\u0660\u0660a"):
        message = UnixFs(type=NodeType.HAMT_SHARD, data=b"\x02", hash_type=0x22, fanout=256)
        shard = add_node(blocks, [PbLink(cid=LEAF, name=name)], message)
        assert refused(shard, blocks) == "MED-6"
    for bits in (0, 1, 6, 1 << 300):
        assert refused(add_shard(blocks, [(1, "a", LEAF)], bits=bits), blocks) == "MED-6"
    assert refused(add_shard(blocks, [(1, "a", LEAF), (1, "b", LEAF)]), blocks) == "MED-6"


def test_med_6_refuses_an_empty_shard_below_the_root_and_a_plain_folder_there() -> None:
    blocks: Blocks = {}
    assert refused(add_shard(blocks, [(1, "", add_shard(blocks, []))]), blocks) == "MED-6"
    plain = build_directory({"a": (LEAF, 4)})
    blocks[plain.cid] = plain.block
    assert refused(add_shard(blocks, [(1, "", plain.cid)]), blocks) == "MED-6"


def nested(blocks: Blocks, n_levels: int) -> Cid:
    cid = add_shard(blocks, [(1, "a", LEAF)])
    for _ in range(n_levels - 1):
        cid = add_shard(blocks, [(1, "", cid)])
    return cid


def test_med_6_takes_a_hamt_at_the_deepest_level_and_refuses_one_past_it() -> None:
    blocks: Blocks = {}
    assert names(nested(blocks, HAMT_DEPTH), blocks) == ["a"]
    assert refused(nested(blocks, HAMT_DEPTH + 1), blocks) == "MED-6"


def test_a_hamt_that_lists_one_shard_in_every_slot_is_refused_at_once() -> None:
    blocks: Blocks = {}
    cid = add_shard(blocks, [(1, "a", LEAF)])
    for _ in range(HAMT_DEPTH - 1):
        cid = add_shard(blocks, [(slot, "", cid) for slot in range(256)])
    assert refused(cid, blocks) == "MED-7"


def test_med_9_refuses_what_is_no_folder() -> None:
    blocks: Blocks = {}
    assert refused(add_raw(blocks, b"raw"), blocks) == "MED-9"
    for kind in (NodeType.FILE, NodeType.RAW, NodeType.SYMLINK, NodeType.METADATA):
        assert refused(add_node(blocks, [], UnixFs(type=kind)), blocks) == "MED-9"


def test_a_folder_that_is_not_here_is_missing() -> None:
    cid = Cid.of(DAG_PB, b"")
    with pytest.raises(MissingBlocksError) as caught:
        names(cid, {})
    assert caught.value.cids == (cid,)
