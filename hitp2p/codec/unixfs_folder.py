"""UnixFS folders: building plain ones, listing plain and HAMT ones [MED-6, MED-7, MED-9]."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from hitp2p.codec.cid import DAG_PB, Cid
from hitp2p.codec.dagpb import PbLink, PbNode, encode_dagpb
from hitp2p.codec.unixfs_builder import Node
from hitp2p.codec.unixfs_message import NodeType, UnixFs, encode_unixfs
from hitp2p.codec.unixfs_reader import fetch_block, parse_unixfs_node
from hitp2p.dataclass import dataclass
from hitp2p.errors import DecodeError, UsageError
from hitp2p.limits import HAMT_DEPTH, HAMT_FANOUT
from hitp2p.ports import BlockSource

__all__ = [
    "BuiltDirectory",
    "DirectoryEntry",
    "build_directory",
    "build_tree",
    "iter_directory",
]

_MURMUR3: Final = 0x22
"""Multihash code of the function that places names in a HAMT."""
_SLOT_CHARS: Final = 2
_FOLDER_DATA: Final = encode_unixfs(UnixFs(type=NodeType.DIRECTORY))


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryEntry:
    """What a folder says of one thing in it."""

    name: str
    """Unique in the folder; never empty, `.` or `..`, no `/` and no zero byte. Otherwise as its writer chose it."""
    cid: Cid
    """A file or another folder."""
    size: int | None
    """Bytes of all blocks below, as the writer says; nobody checks it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltDirectory:
    """A folder's block."""

    cid: Cid
    """Its name."""
    block: bytes
    """The dag-pb block."""
    dag_size: int
    """Bytes of this block and, as the entries say, of all below."""


def build_directory(entries: Mapping[str, tuple[Cid, int]]) -> BuiltDirectory:
    """The folder with these entries: name to CID and bytes of all blocks (`dag_size`).

    Raises:
        UsageError: a name that MED-7 forbids, or more entries than fit into a block (about 20,000).
    """
    try:
        for name in entries:
            _check_name(name, None)
    except DecodeError as error:
        raise UsageError(str(error)) from None
    links = [PbLink(cid=entries[n][0], name=n, tsize=entries[n][1]) for n in sorted(entries)]
    block = encode_dagpb(PbNode(links=links, data=_FOLDER_DATA))
    dag_size = len(block) + sum(size for _, size in entries.values())
    return BuiltDirectory(cid=Cid.of(DAG_PB, block), block=block, dag_size=dag_size)


def build_tree(
    files: Mapping[str, tuple[Cid, int]], emit: Callable[[Node], None]
) -> BuiltDirectory:
    """The folder that holds all files at their relative paths, and every folder between.

    Args:
        files: path with `/` between its parts, to CID and bytes of all blocks.
        emit: called with each folder, the deepest first and the outermost last.

    Raises:
        UsageError: as `build_directory`, or a path that is both a file and a folder.
    """
    folders: dict[tuple[str, ...], dict[str, tuple[Cid, int]]] = {(): {}}
    for path, entry in files.items():
        *above, name = path.split("/")
        for n_parts in range(len(above) + 1):
            folders.setdefault(tuple(above[:n_parts]), {})
        folders[tuple(above)][name] = entry
    built = build_directory({})
    for parts in sorted(folders, key=lambda parts: (-len(parts), parts)):
        built = build_directory(folders[parts])
        emit(Node(cid=built.cid, data=built.block))
        if parts:
            _place_folder(folders[parts[:-1]], parts, built)
    return built


def _place_folder(
    above: dict[str, tuple[Cid, int]], parts: tuple[str, ...], built: BuiltDirectory
) -> None:
    if parts[-1] in above:
        raise UsageError(f"{'/'.join(parts)!a} is both a file and a folder")
    above[parts[-1]] = (built.cid, built.dag_size)


def iter_directory(root: Cid, source: BlockSource) -> Iterator[DirectoryEntry]:
    """The entries of a folder: by name in a plain one, by slot in a HAMT.

    What stands behind the entries is not looked at. Names are unique and fit to be one part of a path, yet a stranger's:
    clean them before they reach a terminal or a disk.

    Raises:
        MissingBlocksError: a block of the folder itself isn't here.
        DecodeError: MED-4, MED-6, MED-7, MED-9, ENC-9 or ENC-14, with the block at fault.
    """
    names: set[str] = set()
    for entry in _iter_entries(root, source):
        _check_name(entry.name, root)
        if entry.name in names:
            raise DecodeError(f"the name {entry.name!a} stands twice", rule="MED-7", cid=root)
        names.add(entry.name)
        yield entry


def _check_name(name: str, folder: Cid | None) -> None:
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise DecodeError(
            f"{name!a} as a name in a folder; one part of a path allowed", rule="MED-7", cid=folder
        )


def _iter_entries(root: Cid, source: BlockSource) -> Iterator[DirectoryEntry]:
    links, message = _open_folder(root, source)
    if message.type is NodeType.HAMT_SHARD:
        yield from _iter_hamt(root, source)
        return
    for link in links:
        yield DirectoryEntry(name=link.name or "", cid=link.cid, size=link.tsize)


def _open_folder(cid: Cid, source: BlockSource) -> tuple[Sequence[PbLink], UnixFs]:
    if cid.codec != DAG_PB:
        raise DecodeError(
            f"codec {cid.codec:#x} for a folder; dag-pb allowed", rule="MED-9", cid=cid
        )
    node, message = parse_unixfs_node(cid, fetch_block(cid, source))
    if message.type not in (NodeType.DIRECTORY, NodeType.HAMT_SHARD):
        raise DecodeError(
            f"UnixFS type {message.type.name} for a folder; DIRECTORY and HAMT_SHARD allowed",
            rule="MED-9",
            cid=cid,
        )
    return node.links, message


def _iter_hamt(root: Cid, source: BlockSource) -> Iterator[DirectoryEntry]:
    """Depth first. No shard is empty or comes twice, so the work goes with the number of blocks."""
    levels = [iter(_open_shard(root, source, depth=1))]
    opened = {root}
    while levels:
        link = next(levels[-1], None)
        if link is None:
            levels.pop()
            continue
        name = (link.name or "")[_SLOT_CHARS:]
        if name:
            yield DirectoryEntry(name=name, cid=link.cid, size=link.tsize)
            continue
        if link.cid in opened:
            raise DecodeError(
                "a shard stands twice, and so do its names", rule="MED-7", cid=link.cid
            )
        opened.add(link.cid)
        levels.append(iter(_open_shard(link.cid, source, depth=len(levels) + 1)))


def _open_shard(cid: Cid, source: BlockSource, *, depth: int) -> Sequence[PbLink]:
    """The links of a shard, each named by its slot and then the name of an entry, or nothing for a shard below."""
    if depth > HAMT_DEPTH:
        raise DecodeError(f"a HAMT of more than {HAMT_DEPTH} levels", rule="MED-6", cid=cid)
    links, message = _open_folder(cid, source)
    if message.type is not NodeType.HAMT_SHARD or message.hash_type != _MURMUR3:
        raise DecodeError(
            f"UnixFS type {message.type.name} with hash code {message.hash_type} in a HAMT; "
            f"HAMT_SHARD with {_MURMUR3} allowed",
            rule="MED-6",
            cid=cid,
        )
    if message.fanout != HAMT_FANOUT:
        raise DecodeError(
            f"a HAMT with a fan-out of {message.fanout}; {HAMT_FANOUT} allowed",
            rule="MED-6",
            cid=cid,
        )
    if not links and depth > 1:
        raise DecodeError("an empty shard below the root", rule="MED-6", cid=cid)
    _check_slots(cid, [(link.name or "")[:_SLOT_CHARS] for link in links], message.data or b"")
    return links


def _check_slots(cid: Cid, slots: Sequence[str], bits: bytes) -> None:
    """Programs that look up by bits and programs that list links must see the same folder."""
    filled = 0
    for slot in slots:
        if slot not in _SLOTS:
            raise DecodeError(f"{slot!a} is no slot of a HAMT", rule="MED-6", cid=cid)
        if filled >> _SLOTS[slot]:
            raise DecodeError(f"slot {slot} is out of order or filled twice", rule="MED-6", cid=cid)
        filled |= 1 << _SLOTS[slot]
    if int.from_bytes(bits, "big") != filled:
        raise DecodeError("the bits of a HAMT differ from its links", rule="MED-6", cid=cid)


_SLOTS: Final = {f"{slot:02X}": slot for slot in range(HAMT_FANOUT)}
