"""media.json: chapter 05, UnixFS files and folders."""

from __future__ import annotations

import itertools
from typing import Any

from maker import wire
from maker.book import Book
from maker.sign import in_project
from maker.trees import (
    DIRECTORY,
    FILE,
    MURMUR,
    PARTS,
    SHARD,
    SIZES,
    SYMLINK,
    WHOLE,
    Files,
    Tree,
    alone,
    data,
    link,
    node,
    number,
    three,
    unixfs,
)
from maker.wire import RAW, Link, cid, varint


def files() -> Book:
    book = Files()
    for part in (whole_files, content, nodes, sizes, messages, folders, hamts):
        part(book)
    return book.book


def whole_files(book: Files) -> None:
    tree = Tree()
    tree.add(WHOLE, RAW)
    book.file("raw-leaf", "MED-5", "a file of one chunk is a raw leaf", tree, WHOLE)
    tree = Tree()
    tree.add(b"", RAW)
    book.file("empty", "MED-5", "an empty file", tree, b"")
    book.file("three-leaves", "MED-5", "a node over three leaves", three(), WHOLE)
    book.file(
        "inline",
        "MED-5",
        "a node that holds its content",
        alone(node([], unixfs(FILE, WHOLE, len(WHOLE)))),
        WHOLE,
    )
    book.file(
        "inline-raw-type",
        "MED-9",
        "a leaf as old programs wrote it",
        alone(node([], unixfs(0, WHOLE, len(WHOLE)))),
        WHOLE,
    )
    book.file(
        "inline-no-size",
        "MED-5",
        "the same without a size",
        alone(node([], unixfs(FILE, WHOLE))),
        WHOLE,
    )
    book.file(
        "empty-node",
        "MED-5",
        "an empty file as a node",
        alone(node([], unixfs(FILE, None, 0))),
        b"",
    )
    mixed = three(unixfs(FILE, b"> ", len(WHOLE) + 2, SIZES))
    book.file(
        "inline-and-leaves", "MED-5", "inline data stand before the children", mixed, b"> " + WHOLE
    )
    tree = Tree()
    leaf = tree.leaf(b"la ")
    tree.add(node([leaf] * 3, unixfs(FILE, None, 9, (3, 3, 3))))
    book.file("leaf-thrice", "MED-5", "one leaf three times", tree, b"la la la ")
    book.file(
        "mode-and-time",
        "MED-9",
        "a mode and a time",
        alone(
            node([], unixfs(FILE, WHOLE, len(WHOLE), more=number(7, 0o644) + data(8, number(1, 1))))
        ),
        WHOLE,
    )
    missing = three()
    missing.blocks.remove(PARTS[1])
    book.book.other(
        "leaf-missing", "MED-5", "incomplete", "a leaf is not here", "file", missing.input
    )


def content(book: Files) -> None:
    """MED-2: the media entry against the file."""

    def work_with(tree: Tree, size: int, sha256: bytes) -> dict[str, Any]:
        media = {
            "file": tree.root,
            "size": size,
            "sha256": sha256,
            "type": "text/plain",
            "role": "master",
        }
        return tree.input | {"work": in_project(body={"title": "A work", "media": [media]})}

    def entry(
        name: str, why: str, tree: Tree, size: int, sha256: bytes, *, good: bool = False
    ) -> None:
        given = work_with(tree, size, sha256)
        if good:
            book.book.valid(name, "MED-2", why, "media", given)
        else:
            book.book.invalid(name, "MED-2", why, "media", given, code="rule")

    digest = wire.sha256(WHOLE)
    entry("media", "size and hash are those of the content", three(), len(WHOLE), digest, good=True)
    entry(
        "longer",
        "the content is longer than size",
        three(),
        len(WHOLE) - 1,
        wire.sha256(WHOLE[:-1]),
    )
    entry("shorter", "the content is shorter than size", three(), len(WHOLE) + 1, digest)
    entry("other", "the content has another hash", three(), len(WHOLE), wire.sha256(b"other"))
    folder = alone(node([], unixfs(DIRECTORY)))
    book.book.invalid(
        "folder-as-media",
        "MED-9",
        "a folder in place of a file",
        "media",
        work_with(folder, 0, wire.sha256(b"")),
        also=["MED-2"],
    )


def nodes(book: Files) -> None:
    """MED-4: dag-pb in its one form."""
    message = unixfs(FILE, b"a", 1)
    leaf = link(cid(b"a", RAW), size=1)
    plain = unixfs(FILE, None, 1, (1,))
    long_varint = varint(1 << 3 | 2) + bytes([len(message) | 0x80, 0]) + message

    def bad(name: str, why: str, block: bytes, **more: Any) -> None:
        tree = Tree()
        tree.leaf(b"a")
        tree.add(block)
        book.bad_file(name, "MED-4", why, tree, **more)

    bad("data-before-links", "data before links", data(1, plain) + data(2, leaf))
    bad("data-twice", "data twice", data(1, message) * 2)
    bad("unknown-field", "a third field", node([], message) + data(3, b""))
    bad("data-a-number", "data as a number", number(1, 1))
    bad("length-not-minimal", "a length with a needless byte", long_varint)
    bad("key-not-minimal", "a key with a needless byte", b"\x8a\x00" + data(1, message)[1:])
    bad("cut", "the last byte is missing", node([], message)[:-1])
    bad(
        "cut-link", "a link that ends early", data(2, data(1, cid(b"a", RAW))[:-1]) + data(1, plain)
    )
    bad("link-without-cid", "a link without a CID", node([data(2, b"") + number(3, 1)], plain))
    bad(
        "link-cid-bad",
        "a link with a CID that is none",
        node([link(b"\x01\x55\x12", size=1)], plain),
        also=["ENC-14"],
    )
    bad(
        "link-name-before-cid",
        "a link's fields in descending order",
        node([data(2, b"") + data(1, cid(b"a", RAW)) + number(3, 1)], plain),
    )
    bad("link-size-twice", "a link's size twice", node([leaf + number(3, 1)], plain))
    bad("link-unknown-field", "a fourth field in a link", node([leaf + number(4, 1)], plain))
    bad(
        "link-name-latin-1",
        "a name that is not UTF-8",
        node([link(cid(b"a", RAW), b"\xe9", 1)], plain),
        also=["MED-5"],
    )
    folder = Tree()
    links = [link(folder.add(b"a", RAW), name, 1) for name in (b"b", b"a")]
    folder.add(node(links, unixfs(DIRECTORY)))
    book.bad_folder("links-unsorted", "MED-4", "names in descending order", folder)


def sizes(book: Files) -> None:
    """MED-5: depth and sizes."""

    def bad(name: str, why: str, message: bytes) -> None:
        book.bad_file(name, "MED-5", why, three(message))

    def chain(levels: int) -> Tree:
        tree = Tree()
        last = tree.leaf(b"a")
        for _ in range(levels - 1):
            last = link(tree.add(node([last], unixfs(FILE, None, 1, (1,)))), size=1)
        return tree

    total = len(WHOLE)
    book.file("16-levels", "MED-5", "16 levels, leaf and root among them", chain(16), b"a")
    book.bad_file("17-levels", "MED-5", "17 levels", chain(17))
    bad("sum-too-big", "the node's size is more than the sum", unixfs(FILE, None, total + 1, SIZES))
    bad(
        "sum-too-small",
        "the node's size is less than the sum",
        unixfs(FILE, None, total - 1, SIZES),
    )
    bad(
        "child-too-small",
        "two children's sizes are exchanged",
        unixfs(FILE, None, total, (SIZES[1], SIZES[0], SIZES[2])),
    )
    bad("size-missing", "a size for two of three children", unixfs(FILE, None, total, SIZES[:2]))
    bad("size-too-many", "four sizes for three children", unixfs(FILE, None, total, (*SIZES, 1)))
    bad("no-sizes", "no sizes at all", unixfs(FILE, None, total))
    tree = Tree()
    links = [link(tree.add(b"", RAW)), tree.leaf(b"a")]
    tree.add(node(links, unixfs(FILE, None, 1, (0, 1))))
    book.bad_file("size-0", "MED-5", "a child of no bytes", tree)
    book.bad_file(
        "named-link",
        "MED-5",
        "a link with a name",
        three(change=lambda links: [*links[:2], link(cid(PARTS[2], RAW), b"c", SIZES[2])]),
    )
    tree = Tree()
    big = 2**52
    leaf = tree.leaf(b"a")
    tree.add(node([leaf, leaf], unixfs(FILE, None, 2 * big, (big, big))))
    book.bad_file("2-53", "MED-5", "2^53 bytes are announced", tree)
    tree = Tree()
    inner = tree.add(node([], unixfs(FILE, b"abc", 3)))
    tree.add(node([link(inner, size=3)], unixfs(FILE, None, 2, (2,))))
    book.bad_file(
        "child-node-too-small", "MED-5", "a child node of 3 bytes where 2 are announced", tree
    )


def messages(book: Files) -> None:
    """MED-9: the UnixFS message."""

    def bad(name: str, why: str, message: bytes | None, **more: Any) -> None:
        book.bad_file(name, "MED-9", why, alone(node([], message)), **more)

    bad("no-message", "a dag-pb node without data", None)
    bad("no-type", "no type", data(2, b"a") + number(3, 1))
    bad("type-6", "a type that is not known", unixfs(6, b"a", 1))
    bad("symlink", "a symbolic link", unixfs(SYMLINK, b"a"))
    bad("directory-in-file", "a folder where a file is asked for", unixfs(DIRECTORY))
    bad("unknown-field", "a field 9", unixfs(FILE, b"a", 1, more=number(9, 1)))
    bad("fields-descending", "size before data", number(1, FILE) + number(3, 1) + data(2, b"a"))
    bad("data-twice", "data twice", number(1, FILE) + data(2, b"a") * 2 + number(3, 2))
    bad("type-not-minimal", "the type with a needless byte", b"\x08\x82\x00" + data(2, b"a"))
    bad("time-17-bytes", "a time of 17 bytes", unixfs(FILE, b"a", 1, more=data(8, bytes(17))))
    bad("empty", "a message of no bytes", b"")
    tree = Tree()
    child = tree.add(node([], unixfs(DIRECTORY)))
    tree.add(node([link(child, size=4)], unixfs(FILE, None, 1, (1,))))
    book.bad_file(
        "directory-below", "MED-9", "a folder in the tree of a file", tree, also=["MED-5"]
    )
    tree = Tree()
    child = tree.add(wire.encode({"a": 1}), wire.DAG_CBOR)
    tree.add(node([link(child, size=4)], unixfs(FILE, None, 4, (4,))))
    book.bad_file(
        "dag-cbor-below",
        "MED-2",
        "a dag-cbor block in the tree of a file",
        tree,
        also=["MED-9", "MED-5"],
    )


def folders(book: Files) -> None:
    """MED-7: names in a folder."""

    def of(*names: bytes) -> Tree:
        tree = Tree()
        links = [link(tree.add(name, RAW), name, len(name)) for name in sorted(names)]
        tree.add(node(links, unixfs(DIRECTORY)))
        return tree

    def targets(*names: str) -> list[tuple[str, Link]]:
        return [(name, cid(name.encode(), RAW)) for name in names]

    book.folder("folder-empty", "MED-7", "an empty folder", of())
    book.folder("folder", "MED-7", "two files", of(b"a", b"b"), *targets("a", "b"))
    book.folder(
        "folder-bytes",
        "MED-7",
        "sorted by bytes: upper case first, accents last",
        of(b"a", b"B", "é".encode()),
        *targets("B", "a", "é"),
    )
    for name, names, why in (
        ("twice", (b"a", b"a"), "a name twice"),
        ("empty", (b"", b"a"), "an empty name"),
        ("dot", (b".",), "a dot"),
        ("dots", (b"..",), "two dots"),
        ("slash", (b"a/b",), "a slash"),
        ("zero", (b"a\0",), "a zero byte"),
    ):
        book.bad_folder(f"name-{name}", "MED-7", why, of(*names))
    book.bad_folder("file-as-folder", "MED-9", "a file where a folder is asked for", three())


def hamts(book: Files) -> None:
    """MED-6: folders in shards. (That a name stands in the slot of its own hash is no rule.)"""

    def shard(
        tree: Tree,
        *filled: tuple[int, bytes, Link],
        fanout: int = 256,
        code: int = MURMUR,
        bits: int | None = None,
        upper: bool = True,
    ) -> Link:
        links = []
        for slot, name, target in filled:
            digits = f"{slot:02X}" if upper else f"{slot:02x}"
            links.append(link(target, digits.encode() + name, 1))
        bits = sum(1 << slot for slot, _, _ in filled) if bits is None else bits
        field = bits.to_bytes(32, "big").lstrip(b"\0") or b""
        return tree.add(node(links, unixfs(SHARD, field, more=number(5, code) + number(6, fanout))))

    def two(**how: Any) -> Tree:
        tree = Tree()
        a, b = tree.add(b"a", RAW), tree.add(b"b", RAW)
        shard(tree, (0x0A, b"a", a), (0xBC, b"b", b), **how)
        return tree

    def tower(levels: int) -> Tree:
        tree = Tree()
        last, name = tree.add(b"a", RAW), b"a"
        for slot in itertools.repeat(7, levels):
            last, name = shard(tree, (slot, name, last)), b""
        return tree

    a, b = cid(b"a", RAW), cid(b"b", RAW)
    book.folder("hamt", "MED-6", "a shard with two names", two(), ("a", a), ("b", b))
    book.folder("hamt-8-levels", "MED-6", "8 levels", tower(8), ("a", a))
    book.bad_folder("hamt-9-levels", "MED-6", "9 levels", tower(9))
    book.bad_folder("hamt-fanout-128", "MED-6", "a fan-out of 128", two(fanout=128))
    book.bad_folder("hamt-fanout-huge", "MED-6", "a fan-out of 2^40", two(fanout=2**40))
    book.bad_folder("hamt-hash", "MED-6", "another hash code", two(code=0x12))
    book.bad_folder("hamt-lower-case", "MED-6", "slots in lower case", two(upper=False))
    book.bad_folder(
        "hamt-bit-missing", "MED-6", "a filled slot whose bit is not set", two(bits=1 << 0x0A)
    )
    book.bad_folder(
        "hamt-bit-too-many",
        "MED-6",
        "a bit of a slot that is not filled",
        two(bits=1 << 0x0A | 1 << 0xBC | 1),
    )
    tree = Tree()
    empty, leaf = shard(tree), tree.add(b"a", RAW)
    shard(tree, (0x05, b"", empty), (0x0A, b"a", leaf))
    book.bad_folder("hamt-empty-shard", "MED-6", "an empty shard below the root", tree)
    tree = Tree()
    shard(tree)
    book.folder("hamt-empty-root", "MED-6", "an empty root", tree)
    tree = Tree()
    shard(tree, (0x0A, b"a", tree.add(b"a", RAW)), (0x0A, b"b", tree.add(b"b", RAW)))
    book.bad_folder("hamt-slot-twice", "MED-6", "a slot twice", tree)
    tree = Tree()
    inner = shard(tree, (0x01, b"a", tree.add(b"a", RAW)))
    shard(tree, (0x01, b"a", cid(b"a", RAW)), (0x02, b"", inner))
    book.bad_folder("hamt-name-twice", "MED-7", "a name twice, in two shards", tree)
