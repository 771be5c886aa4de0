"""A file on its way here: which of its blocks are wanted next, and where each belongs.

The tree is walked from its top, depth first, over what is here already; so a file that was cut off goes on where it was. No
more than a window of blocks is wanted at once, and nothing past the size that the work states [MED-2].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from hitp2p.codec.cid import DAG_PB, RAW, SHA2_256, Cid
from hitp2p.codec.unixfs_reader import file_size, parse_unixfs_node
from hitp2p.dataclass import dataclass
from hitp2p.errors import DecodeError
from hitp2p.limits import UNIXFS_DEPTH

__all__ = ["FileTree", "Part", "children_of"]

WINDOW: Final = 32
"""Blocks of a file that are wanted at once; each has up to 2 MiB."""


SOUGHT: Final = 16_384
"""Blocks of a file that may be wanted while one of them is looked for."""


MOST_PARTS: Final = 32_768
"""Blocks of a file whose places are held at once; a tree of 1,024 links a node has a few thousand, however long it is."""


class Part(NamedTuple):
    """A block of a file."""

    cid: Cid
    offset: int
    """Where its content begins in the file."""
    size: int
    """Length of its content, as the node above says."""
    depth: int
    """1 at the top."""


@dataclass(frozen=True, slots=True)
class _One:
    """A source that has one block."""

    block: bytes

    def get(self, _cid: Cid, /) -> bytes:
        return self.block


def children_of(part: Part, block: bytes) -> tuple[Part, ...]:
    """What hangs below a block of a file, once it is checked as far as it can be alone.

    Raises:
        DecodeError: MED-2, MED-4, MED-5, MED-9, ENC-9, ENC-14.
    """
    size = file_size(part.cid, _One(block))
    if size != part.size:
        raise DecodeError(f"{size} bytes where {part.size} must be", rule="MED-5", cid=part.cid)
    if part.cid.codec == RAW:
        return ()
    node, message = parse_unixfs_node(part.cid, block)
    offset = part.offset + len(message.data or b"")
    if node.links and part.depth == UNIXFS_DEPTH:
        raise DecodeError(
            f"a file tree of more than {UNIXFS_DEPTH} levels", rule="MED-5", cid=part.cid
        )
    parts: list[Part] = []
    for link, length in zip(node.links, message.block_sizes, strict=True):
        if link.cid.codec not in (RAW, DAG_PB) or link.cid.hash_code != SHA2_256:
            raise DecodeError(f"{link.cid} in a file", rule="MED-2", cid=part.cid)
        parts.append(Part(link.cid, offset, length, part.depth + 1))
        offset += length
    return tuple(parts)


class FileTree:
    """A file of which something is missing."""

    def __init__(
        self,
        root: Cid,
        size: int,
        *,
        get: Callable[[Cid], bytes | None],
        has: Callable[[Cid], bool],
        author: Cid | None = None,
    ) -> None:
        """Begin at the top.

        Args:
            root: of the file.
            size: its length in bytes, as a work states it.
            get: a block that is here.
            has: whether a block is here.
            author: who is to be charged for it.
        """
        self.author = author
        self.root = root
        self.size = size
        self._get = get
        self._has = has
        self._stack = [Part(root, 0, size, 1)]
        self._opened: set[Cid] = set()
        self._wanted: dict[Cid, Part] = {}
        self._untold: list[Cid] = []

    @property
    def is_complete(self) -> bool:
        """Whether all of it is here, as far as `pump` has seen."""
        return not self._stack and not self._wanted

    @property
    def weight(self) -> int:
        """How many blocks it remembers."""
        return len(self._stack) + len(self._wanted) + len(self._opened)

    @property
    def wanted(self) -> tuple[Cid, ...]:
        """Blocks that were told to be wanted, and haven't come."""
        return tuple(cid for cid in self._wanted if cid not in self._untold)

    def pump(self) -> tuple[Cid, ...]:
        """Blocks that are wanted from now on, each told once.

        Raises:
            DecodeError: a block that is here fits no file, or not this one.
        """
        while self._stack and len(self._wanted) < WINDOW:
            self._step()
        new, self._untold = tuple(self._untold), []
        return new

    def seek(self, cid: Cid) -> None:
        """Go on until a block is among those that are wanted, or too many are.

        Raises:
            DecodeError: as `pump`.
        """
        while self._stack and cid not in self._wanted and len(self._wanted) < SOUGHT:
            self._step()

    def _step(self) -> None:
        part = self._stack.pop()
        if part.cid in self._opened or part.cid in self._wanted:
            return
        if part.cid.codec == RAW:
            block, is_here = None, self._has(part.cid)
        else:
            block = self._get(part.cid)
            is_here = block is not None
        if not is_here:
            self._wanted[part.cid] = part
            self._untold.append(part.cid)
        elif block is not None:
            self._open(part, block)

    def _open(self, part: Part, block: bytes) -> None:
        self._opened.add(part.cid)
        self._stack.extend(reversed(children_of(part, block)))
        if len(self._stack) > MOST_PARTS:
            self._stack.clear()
            raise DecodeError(
                f"more than {MOST_PARTS} links on the way down", rule="MED-5", cid=part.cid
            )

    def check(self, cid: Cid, block: bytes) -> Part | None:
        """The place of a block that has come; None where it isn't wanted.

        Raises:
            DecodeError: it doesn't fit there.
        """
        part = self._wanted.get(cid)
        if part is not None:
            children_of(part, block)
        return part

    def take(self, part: Part, block: bytes) -> None:
        """Go on below a block that was checked and is stored now."""
        if self._wanted.pop(part.cid, None) is not None and part.cid.codec != RAW:
            self._open(part, block)
