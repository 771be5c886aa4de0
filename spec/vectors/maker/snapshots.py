"""snapshot.json: chapter 06."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maker import wire
from maker.book import Book
from maker.wire import RAW, Link, cid, cid_text, encode

Block = tuple[Link, bytes]

LIMIT = 500


def ends_page(link: bytes) -> bool:
    return int.from_bytes(link[4:8], "big") % 128 == 0


def encode_page(links: list[Link], level: int) -> bytes:
    return encode({"links": links, "level": level})


class Snapshot:
    """The pages over some links in their order; `cut` says after which a page ends."""

    def __init__(self, links: list[Link], cut: Callable[[list[Link]], bool] | None = None) -> None:
        cut = cut or (lambda page: ends_page(page[-1]) or len(page) == LIMIT)
        self.blocks: dict[Link, bytes] = {}
        self.below: dict[Link, list[Link]] = {}
        level = 0
        while True:
            links = self._cut(links, level, cut)
            if len(links) == 1:
                break
            level += 1
        self.root = links[0]

    def _cut(self, links: list[Link], level: int, cut: Callable[[list[Link]], bool]) -> list[Link]:
        pages: list[list[Link]] = [[]]
        for link in links:
            if pages[-1] and cut(pages[-1]):
                pages.append([])
            pages[-1].append(link)
        return [self.add(page, level) for page in pages]

    def add(self, links: list[Link], level: int) -> Link:
        block = encode_page(links, level)
        self.blocks[cid(block)] = block
        self.below[cid(block)] = links if level else []
        return cid(block)

    def depth_first(self) -> list[Block]:
        """The pages, each before those that it links to."""
        found: list[Block] = []
        waiting = [self.root]
        while waiting:
            page = waiting.pop()
            found.append((page, self.blocks[page]))
            waiting += reversed(self.below[page])
        return found


def counted_links(n: int) -> list[Link]:
    """The CIDs of the numbers 0 to n - 1 as text: a set whose generations are all 0."""
    return sorted(cid(b"%d" % k) for k in range(n))


def snapshots() -> Book:
    book = Book("trail")
    for n in (1, 2, 499, 500, 501, 3000, 70_000):
        snapshot = Snapshot(counted_links(n))
        pages = [cid_text(page) for page, _ in snapshot.depth_first()]
        digest = wire.sha256("".join(pages).encode())
        book.valid(
            f"count-{n}",
            "SNP-2",
            f"{n} CIDs of generation 0: those of the texts 0 to {n - 1}",
            "snapshot-of-count",
            n,
            root=cid_text(snapshot.root),
            n_pages=len(pages),
            sha256_of_pages=digest,
        )
    pairs = [[k % 7, cid(b"%d" % k)] for k in range(40)]
    snapshot = Snapshot([link for _, link in sorted(pairs)])
    book.valid(
        "generations",
        "SNP-2",
        "by generation first, then by CID",
        "snapshot-of-pairs",
        pairs,
        root=cid_text(snapshot.root),
    )
    snapshot_pages(book)
    snapshot_trees(book)
    return book


def snapshot_pages(book: Book) -> None:
    calm = [link for link in counted_links(600) if not ends_page(link)]
    ending = next(link for link in counted_links(600) if ends_page(link))

    def good(name: str, why: str, block: bytes) -> None:
        book.valid(name, "SNP-1", why, "snapshot-page", block)

    def bad(name: str, rule: str, why: str, block: bytes, **more: Any) -> None:
        book.invalid(
            name,
            rule,
            why,
            "snapshot-page",
            block,
            code="decode" if rule.startswith("ENC") else "rule",
            **more,
        )

    good("page", "a page of one link", encode_page(calm[:1], 0))
    good("page-level-15", "level 15", encode_page(calm[:2], 15))
    good("page-500", "500 links", encode_page(calm[:500], 0))
    bad("page-501", "SNP-1", "501 links", encode_page(calm[:501], 0))
    bad("page-empty", "SNP-1", "no link", encode_page([], 0))
    bad("page-level-16", "SNP-1", "level 16", encode_page(calm[:2], 16))
    bad("page-level-minus-1", "SNP-1", "level -1", encode_page(calm[:2], -1))
    bad("page-level-true", "SNP-1", "true as level", encode({"links": calm[:2], "level": True}))
    bad(
        "page-extra-key",
        "SNP-1",
        "a third key",
        encode({"links": calm[:1], "level": 0, "next": calm[1]}),
    )
    bad("page-no-level", "SNP-1", "no level", encode({"links": calm[:1]}))
    bad(
        "page-ref",
        "SNP-1",
        "a ref in place of a link",
        encode({"links": [cid_text(calm[0])], "level": 0}),
    )
    bad("page-raw", "SNP-1", "a link to a raw block", encode_page([cid(b"", RAW)], 0))
    bad("page-array", "SNP-1", "a list of links", encode(calm[:2]))
    bad(
        "page-float",
        "ENC-10",
        "a float as level",
        encode({"links": calm[:1], "level": wire.Raw(b"\xfb" + bytes(8))}),
    )
    bad(
        "page-goes-on",
        "SNP-2",
        "a page goes on behind a CID that ends it",
        encode_page(sorted([*calm[:3], ending]), 0)
        if ending < calm[2]
        else encode_page([ending, *calm[:2]], 0),
    )


def snapshot_trees(book: Book) -> None:
    """Trees of pages, cut in another way than the rule says. What orders the links is not in question here."""
    calm = [link for link in counted_links(900) if not ends_page(link)]

    def tree(
        name: str,
        why: str,
        snapshot: Snapshot,
        *,
        good: bool = False,
        rule: str = "SNP-2",
        **more: Any,
    ) -> None:
        data = {"root": snapshot.root, "blocks": [block for _, block in snapshot.depth_first()]}
        if good:
            book.valid(name, rule, why, "snapshot-tree", data, **more)
        else:
            book.invalid(name, rule, why, "snapshot-tree", data, code="rule", **more)

    tree("tree", "pages cut by the rule", Snapshot(calm[:600]), good=True, n_links=600)
    tree(
        "cut-early",
        "a page ends before the rule ends it",
        Snapshot(calm[:20], cut=lambda page: len(page) == 10),
    )
    snapshot = Snapshot(calm[:20])
    snapshot.root = snapshot.add([snapshot.root], 1)
    tree("level-too-many", "a page of level 1 over the single page of level 0", snapshot)
    snapshot = Snapshot(calm[:20])
    snapshot.root = snapshot.add([snapshot.root, snapshot.root], 1)
    tree("page-twice", "a page linked twice", snapshot)
    snapshot = Snapshot(calm[:600])
    snapshot.root = snapshot.add(snapshot.below[snapshot.root], 2)
    tree("level-skipped", "a page of level 2 over pages of level 0", snapshot, also=["SNP-1"])
    tree("member-twice", "a link that is listed twice", Snapshot([*calm[:500], calm[499]]))
