"""Reading UnixFS files: this profile's and other writers' [MED-4, MED-5, MED-9].

The walk is lazy: a block is fetched when bytes of it are asked for, and each node that is opened yields at least one byte
for each of its children. So a small tree that claims a huge file costs no more than the bytes that a caller takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hitp2p.codec.cid import DAG_PB, RAW, Cid
from hitp2p.codec.dagpb import PbNode, decode_dagpb
from hitp2p.codec.unixfs_message import NodeType, UnixFs, decode_unixfs
from hitp2p.dataclass import dataclass
from hitp2p.errors import DecodeError, MissingBlocksError, UsageError
from hitp2p.limits import BLOCK_BYTES, FILE_BYTES, UNIXFS_DEPTH
from hitp2p.ports import BlockSource

__all__ = ["fetch_block", "file_size", "iter_file", "iter_file_cids", "parse_unixfs_node"]

_IDENTITY: Final = 0x00


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A subtree to be read."""

    cid: Cid
    offset: int
    """Where its content begins in the file."""
    size: int | None
    """Length of its content as its parent says; None at the root."""
    depth: int
    """1 at the root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """A subtree whose top block is here and fits what its parent says."""

    data: bytes
    """Content in the block itself; it comes before that of the children."""
    children: tuple[tuple[Cid, int], ...]
    """The links, each with the length of its content; never 0."""
    size: int
    """Length of the whole content in bytes."""


def iter_file(
    root: Cid, source: BlockSource, *, start: int = 0, end: int | None = None
) -> Iterator[bytes]:
    """The content from byte `start` up to `end`, in pieces of at most a block.

    Only blocks that hold some of these bytes, and the nodes above them, are fetched. What has been yielded is right even
    where a later block is missing or wrong. A tree can claim far more bytes than it has blocks: bound `end`.

    Args:
        root: a raw leaf or a dag-pb file.
        source: gives verified bytes.
        start: past the end of the file gives nothing.
        end: None or past the end means up to the end.

    Raises:
        MissingBlocksError: a block that is needed isn't here.
        DecodeError: MED-2 (another codec), MED-4, MED-5, MED-9, ENC-9 or ENC-14, with the block at fault.
    """
    if start < 0 or (end is not None and end < start):
        raise UsageError(f"bytes {start} to {end}; the start must lie between 0 and the end")
    stop = FILE_BYTES if end is None else end
    levels = [iter((_Part(cid=root, offset=0, size=None, depth=1),))]
    while levels:
        part = next(levels[-1], None)
        if part is None:
            levels.pop()
            continue
        opened = _open(part, source)
        piece = opened.data[max(0, start - part.offset) : max(0, stop - part.offset)]
        if piece:
            yield piece
        levels.append(_children_between(part, opened, start, stop))


def _children_between(part: _Part, opened: _Opened, start: int, stop: int) -> Iterator[_Part]:
    """The children that hold any of the bytes from `start` to `stop`."""
    offset = part.offset + len(opened.data)
    for cid, size in opened.children:
        if offset >= stop:
            return
        if offset + size > start:
            yield _Part(cid=cid, offset=offset, size=size, depth=part.depth + 1)
        offset += size


def file_size(root: Cid, source: BlockSource) -> int:
    """Length of a file in bytes, as its top block says; blocks below are not looked at.

    Raises:
        MissingBlocksError, DecodeError: as `iter_file`, for the top block.
    """
    return _open(_Part(cid=root, offset=0, size=None, depth=1), source).size


def iter_file_cids(root: Cid, source: BlockSource) -> Iterator[Cid]:
    """Every block of a file, depth first, a node before its children.

    Raw leaves are named without being fetched, so they may be absent. A node comes once; a leaf once for each node that
    lists it, so that memory goes with the nodes and not with the leaves.

    Raises:
        MissingBlocksError, DecodeError: as `iter_file`, for nodes.
    """
    todo = [_Part(cid=root, offset=0, size=None, depth=1)]
    opened_nodes: set[Cid] = set()
    while todo:
        part = todo.pop()
        if part.cid in opened_nodes:
            continue
        if part.cid.codec == RAW and part.depth <= UNIXFS_DEPTH:
            yield part.cid
            continue
        opened = _open(part, source)
        opened_nodes.add(part.cid)
        yield part.cid
        unique = dict(opened.children)
        todo += [
            _Part(cid=cid, offset=0, size=size, depth=part.depth + 1)
            for cid, size in reversed(unique.items())
        ]


def fetch_block(cid: Cid, source: BlockSource) -> bytes:
    """The verified bytes of a block; an identity CID holds them itself.

    Raises:
        MissingBlocksError: the source doesn't have it.
        DecodeError: ENC-9, a block past the limit.
    """
    block = cid.digest if cid.hash_code == _IDENTITY else source.get(cid)
    if block is None:
        raise MissingBlocksError(f"block {cid} isn't here", [cid])
    if len(block) > BLOCK_BYTES:
        raise DecodeError(
            f"a block of {len(block)} bytes; at most {BLOCK_BYTES} allowed", rule="ENC-9", cid=cid
        )
    return block


def parse_unixfs_node(cid: Cid, block: bytes) -> tuple[PbNode, UnixFs]:
    """A dag-pb node and the UnixFS message in it; errors name the block.

    Raises:
        DecodeError: MED-4, MED-9, ENC-9, ENC-14.
    """
    try:
        node = decode_dagpb(block)
        return node, decode_unixfs(node.data or b"")
    except DecodeError as error:
        offset = None if error.rule == "MED-9" else error.offset  # those count in the message
        raise DecodeError(error.message, rule=error.rule, cid=cid, offset=offset) from None


def _open(part: _Part, source: BlockSource) -> _Opened:
    if part.depth > UNIXFS_DEPTH:
        raise DecodeError(
            f"a file tree of more than {UNIXFS_DEPTH} levels", rule="MED-5", cid=part.cid
        )
    if part.cid.codec not in (RAW, DAG_PB):
        raise DecodeError(
            f"codec {part.cid.codec:#x} in a file; raw and dag-pb allowed",
            rule="MED-2",
            cid=part.cid,
        )
    block = fetch_block(part.cid, source)
    if part.cid.codec == RAW:
        opened = _Opened(data=block, children=(), size=len(block))
    else:
        opened = _open_node(part.cid, block)
    if part.size is not None and opened.size != part.size:
        raise DecodeError(
            f"{opened.size} bytes where the node above says {part.size}", rule="MED-5", cid=part.cid
        )
    return opened


def _open_node(cid: Cid, block: bytes) -> _Opened:
    node, message = parse_unixfs_node(cid, block)
    if message.type not in (NodeType.FILE, NodeType.RAW):
        raise DecodeError(
            f"UnixFS type {message.type.name} in a file; FILE and RAW allowed",
            rule="MED-9",
            cid=cid,
        )
    sizes = message.block_sizes
    if len(sizes) != len(node.links) or 0 in sizes:
        raise DecodeError(
            f"{len(node.links)} children and {len(sizes)} sizes; one above 0 for each allowed",
            rule="MED-5",
            cid=cid,
        )
    if any(link.name for link in node.links):
        raise DecodeError("a link with a name in a file; none allowed", rule="MED-5", cid=cid)
    data = message.data or b""
    size = len(data) + sum(sizes)
    if message.file_size not in (None, size) or size > FILE_BYTES:
        raise DecodeError(
            f"a file of {message.file_size} bytes whose parts add up to {size}; "
            f"the same and at most {FILE_BYTES} allowed",
            rule="MED-5",
            cid=cid,
        )
    children = tuple(zip((link.cid for link in node.links), sizes, strict=True))
    return _Opened(data=data, children=children, size=size)
