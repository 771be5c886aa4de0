"""UnixFS trees for tests: built by the book, or with a fault that a builder would never make."""

from __future__ import annotations

import io
from collections.abc import Sequence

from hitp2p.codec.cid import DAG_PB, RAW, Cid
from hitp2p.codec.dagpb import PbLink, PbNode, encode_dagpb
from hitp2p.codec.unixfs import BuiltFile, Leaf, Node, NodeType, UnixFs, build_file, encode_unixfs

Blocks = dict[Cid, bytes]


def add_raw(blocks: Blocks, data: bytes) -> Cid:
    """Put a raw leaf among the blocks."""
    cid = Cid.of(RAW, data)
    blocks[cid] = data
    return cid


def add_node(blocks: Blocks, links: Sequence[PbLink], message: UnixFs | bytes) -> Cid:
    """Put a dag-pb node among the blocks."""
    data = message if isinstance(message, bytes) else encode_unixfs(message)
    block = encode_dagpb(PbNode(links=links, data=data))
    cid = Cid.of(DAG_PB, block)
    blocks[cid] = block
    return cid


def add_file_node(
    blocks: Blocks,
    children: Sequence[tuple[Cid, int]],
    *,
    inline: bytes | None = None,
    size: int | None = None,
) -> Cid:
    """Put a node of a file among the blocks; `children` are CIDs with the sizes that the node says."""
    sizes = tuple(size for _, size in children)
    total = len(inline or b"") + sum(sizes) if size is None else size
    message = UnixFs(type=NodeType.FILE, data=inline, file_size=total, block_sizes=sizes)
    return add_node(blocks, [PbLink(cid=cid, name="", tsize=1) for cid, _ in children], message)


def add_shard(
    blocks: Blocks,
    slots: Sequence[tuple[int, str, Cid]],
    *,
    fanout: int = 256,
    hash_type: int = 0x22,
    bits: int | None = None,
) -> Cid:
    """Put a HAMT shard among the blocks: slot, name (empty for a shard below), CID."""
    links = [PbLink(cid=cid, name=f"{slot:02X}{name}", tsize=1) for slot, name, cid in slots]
    filled = sum({1 << slot for slot, _, _ in slots}) if bits is None else bits
    message = UnixFs(
        type=NodeType.HAMT_SHARD,
        data=filled.to_bytes((filled.bit_length() + 7) // 8, "big"),
        hash_type=hash_type,
        fanout=fanout,
    )
    return add_node(blocks, links, message)


def build_blocks(
    content: bytes, *, chunk_bytes: int = 4, width: int = 3
) -> tuple[BuiltFile, Blocks, list[Leaf | Node]]:
    """The tree of some content, all its blocks, and what the builder emitted."""
    parts: list[Leaf | Node] = []
    built = build_file(io.BytesIO(content), parts.append, chunk_bytes=chunk_bytes, width=width)
    return built, blocks_of(content, parts), parts


def blocks_of(content: bytes, parts: Sequence[Leaf | Node]) -> Blocks:
    """The blocks that leaves and nodes stand for."""
    return {
        part.cid: part.data
        if isinstance(part, Node)
        else content[part.offset : part.offset + part.length]
        for part in parts
    }
