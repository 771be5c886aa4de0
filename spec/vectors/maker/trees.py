"""UnixFS files and folders, block by block; what each field holds is the caller's affair."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maker import wire
from maker.book import Book
from maker.wire import DAG_PB, RAW, Link, cid, cid_text, varint

FILE, DIRECTORY, SYMLINK, SHARD = 2, 1, 4, 5
MURMUR = 0x22


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def data(field: int, value: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(value)) + value


def link(target: bytes, name: bytes | None = b"", size: int | None = 0) -> bytes:
    """A link of a dag-pb node."""
    fields = data(1, target)
    fields += b"" if name is None else data(2, name)
    return fields + (b"" if size is None else number(3, size))


def node(links: list[bytes], message: bytes | None) -> bytes:
    """A dag-pb node: links, then data."""
    return b"".join(data(2, one) for one in links) + (b"" if message is None else data(1, message))


def unixfs(
    type_: int,
    content: bytes | None = None,
    size: int | None = None,
    sizes: tuple[int, ...] = (),
    more: bytes = b"",
) -> bytes:
    """A UnixFS message."""
    message = number(1, type_) + (b"" if content is None else data(2, content))
    message += b"" if size is None else number(3, size)
    return message + b"".join(number(4, n) for n in sizes) + more


class Tree:
    """Blocks of one file or folder; what is added last is the root."""

    def __init__(self) -> None:
        self.blocks: list[bytes] = []
        self.root = Link()

    def add(self, block: bytes, codec: int = DAG_PB) -> Link:
        self.blocks.append(block)
        self.root = cid(block, codec)
        return self.root

    def leaf(self, content: bytes) -> bytes:
        """A link to a raw leaf."""
        return link(self.add(content, RAW), size=len(content))

    @property
    def input(self) -> dict[str, Any]:
        return {"root": self.root, "blocks": sorted(set(self.blocks), key=wire.sha256)}


PARTS = (b"Once upon ", b"a time ", b"there was a river.")
WHOLE = b"".join(PARTS)
SIZES = tuple(map(len, PARTS))


def three(
    message: bytes | None = None, change: Callable[[list[bytes]], list[bytes]] = list
) -> Tree:
    """A node over three leaves."""
    tree = Tree()
    links = change([tree.leaf(part) for part in PARTS])
    tree.add(node(links, unixfs(FILE, None, len(WHOLE), SIZES) if message is None else message))
    return tree


def alone(block: bytes) -> Tree:
    tree = Tree()
    tree.add(block)
    return tree


class Files:
    """A book of files and folders."""

    def __init__(self) -> None:
        self.book = Book("codec")

    def file(self, name: str, rule: str, why: str, tree: Tree, content: bytes) -> None:
        self.book.valid(
            name, rule, why, "file", tree.input, size=len(content), sha256=wire.sha256(content)
        )

    def bad_file(self, name: str, rule: str, why: str, tree: Tree, **more: Any) -> None:
        self.book.invalid(name, rule, why, "file", tree.input, **more)

    def folder(
        self, name: str, rule: str, why: str, tree: Tree, *entries: tuple[str, Link]
    ) -> None:
        listed = [[name, cid_text(target)] for name, target in sorted(entries)]
        self.book.valid(name, rule, why, "folder", tree.input, entries=listed)

    def bad_folder(self, name: str, rule: str, why: str, tree: Tree, **more: Any) -> None:
        self.book.invalid(name, rule, why, "folder", tree.input, **more)
