"""snapshot.json and bundle.json: chapter 06."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from maker import files, wire
from maker.book import Book
from maker.kinds import CREDITED, HERE
from maker.sign import ALICE, BOB, PROJECT, PROJECT_CID, in_project, ref
from maker.trails import BASE, BOB_BASE, BOBS_WORK, LATER, on
from maker.wire import RAW, Link, car, cid, cid_text, encode

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


# --- bundles --------------------------------------------------------------------------------------
STORY = b"Once upon a time there was a river.\n"
STORY_CID = cid(STORY, RAW)
NOTE = b"A note of some length.\n" * 50
CREDITS_PAGE = encode({"entries": [CREDITED, {"name": "Uncle", "role": "whistling"}]})
MELODY = in_project(body={"title": "A melody", "license": "CC-BY-4.0"})
WORDS = BOB.sign(
    "contribution",
    {
        "title": "Some words",
        "media": [
            {
                "file": STORY_CID,
                "size": len(STORY),
                "sha256": wire.sha256(STORY),
                "type": "text/plain",
                "role": "master",
            }
        ],
    },
    project=PROJECT_CID,
    parents=[PROJECT_CID],
)
SONG = on(
    MELODY, WORDS,
    body={
        "title": "A song", "uses": [{"work": ref(MELODY), "relation": "remix"}, {"work": ref(WORDS), "relation": "translation", "note": "into song"}],
        "credits_pages": [cid(CREDITS_PAGE)], "note_block": cid(NOTE, RAW),
    },
)  # fmt: skip
CLOSURE = [*BASE, BOB.genesis, MELODY, WORDS, SONG]


def needs(block: bytes, known: dict[bytes, bytes]) -> list[bytes]:
    """The blocks among `known` that the envelope of an object links to: by looking for their CIDs in its bytes."""
    return [
        other
        for link, other in known.items()
        if other != block and b"\xd8\x2a\x58\x25\0" + link in block
    ]


def generations(objects: Iterable[bytes], pages: Iterable[bytes] = ()) -> dict[bytes, int]:
    """By block; a list page has 0."""
    known = {bytes(cid(block)): block for block in objects}
    found: dict[bytes, int] = dict.fromkeys(pages, 0)

    def of(block: bytes) -> int:
        if block not in found:
            found[block] = 1 + max((of(other) for other in needs(block, known)), default=-1)
        return found[block]

    for block in known.values():
        of(block)
    return found


class Bundle:
    """A bundle in its parts, so that one of them can be spoilt."""

    def __init__(
        self,
        work: bytes,
        objects: list[bytes],
        pages: tuple[bytes, ...] = (),
        rest: tuple[Block, ...] = (),
    ) -> None:
        counted = generations(objects, pages)
        in_order = sorted(counted, key=lambda block: (counted[block], cid(block)))
        self.members: list[Block] = [(cid(block), block) for block in in_order]
        self.snapshot = Snapshot([link for link, _ in self.members])
        self.pages = self.snapshot.depth_first()
        self.rest = list(rest)
        self.roots = [cid(work), self.snapshot.root]

    @property
    def blocks(self) -> list[Block]:
        return [*self.pages, *self.members, *self.rest]

    def car(self) -> bytes:
        return car(self.roots, self.blocks)


def song(**parts: Any) -> Bundle:
    given: dict[str, Any] = {
        "objects": CLOSURE,
        "pages": (CREDITS_PAGE,),
        "rest": ((STORY_CID, STORY), (cid(NOTE, RAW), NOTE)),
    }
    return Bundle(SONG, **given | parts)


def bundles() -> Book:
    book = Book("trail")

    def good(name: str, rule: str, why: str, bundle: Bundle) -> None:
        objects = sorted(
            cid_text(link) for link, block in bundle.members if block[1:5] == encode("sig")
        )
        book.valid(
            name, rule, why, "bundle", bundle.car(), work=cid_text(bundle.roots[0]), objects=objects
        )

    def bad(name: str, rules: str, why: str, data: bytes, **more: Any) -> None:
        rule, *also = rules.split("/")
        if rule.startswith("SNP"):
            more["code"] = "rule"
        book.invalid(name, rule, why, "bundle", data, **more | ({"also": also} if also else {}))

    whole_bundles(good)
    broken_bundles(bad)
    return book


def whole_bundles(good: Any) -> None:
    good("song", "BND-1", "a work on two, with its list page, a text and a story", song())
    good(
        "song-without-texts",
        "BND-2",
        "the same without text and story: they may be missing",
        song(rest=()),
    )
    good("song-without-page", "BND-2", "the same without the list page", song(pages=()))
    good("project-work", "BND-4", "a work on the project alone", Bundle(MELODY, [*BASE, MELODY]))
    thanks = on(
        PROJECT, kind="thanks", body={"target": {"object": ref(MELODY)}, "text": "Thank you."}
    )
    good(
        "with-more",
        "BND-4",
        "a statement and a work of another project beside the closure",
        song(objects=[*CLOSURE, thanks, *BOB_BASE, BOBS_WORK]),
    )
    good("with-event", "BND-4", "a later event of an author", song(objects=[*CLOSURE, LATER]))
    chain = [MELODY]
    for n in range(200):
        chain.append(on(chain[-1], time=n))
    good(
        "chain-200",
        "BND-3",
        "a chain of 201 works: more than one page",
        Bundle(chain[-1], [*BASE, *chain]),
    )
    tree = files.three()
    work = in_project(
        body={
            "title": "A story",
            "media": [
                {
                    "file": tree.root,
                    "size": len(files.WHOLE),
                    "sha256": wire.sha256(files.WHOLE),
                    "type": "text/plain",
                    "role": "master",
                }
            ],
        }
    )
    parts = [
        (tree.root, next(b for b in tree.blocks if cid(b, wire.DAG_PB) == tree.root)),
        *((cid(part, RAW), part) for part in files.PARTS),
    ]
    good(
        "file-of-3-leaves",
        "BND-3",
        "a file's node, then its leaves in their order",
        Bundle(work, [*BASE, work], rest=tuple(parts)),
    )
    good(
        "file-without-1-leaf",
        "BND-2",
        "one of the leaves is missing",
        Bundle(work, [*BASE, work], rest=tuple(parts[:2] + parts[3:])),
    )

    odd_page = b"no dag-cbor at all"
    odd = in_project(body={"title": "A work", "credits_pages": [cid(odd_page)]})
    good(
        "page-malformed",
        "BND-2",
        "a list page that breaks OBJ-23 lists nothing, and breaks nothing",
        Bundle(odd, [*BASE, odd], (odd_page,)),
    )
    more = encode({"some": "thing"})
    odd = in_project(body={"title": "A work", "x": {"y": [cid(more)]}})
    good(
        "page-of-unknown-field",
        "BND-2",
        "a dag-cbor block that an unknown field links to counts as a list page",
        Bundle(odd, [*BASE, odd], (more,)),
    )


def broken_bundles(bad: Any) -> None:
    right = song()

    def spoilt(change: Callable[[Bundle], None]) -> bytes:
        bundle = song()
        change(bundle)
        return bundle.car()

    def swap(blocks: list[Block], one: int, two: int) -> None:
        blocks[one], blocks[two] = blocks[two], blocks[one]

    bad(
        "roots-swapped",
        "BND-1/SNP-1/BND-3",
        "the snapshot before the work",
        spoilt(lambda b: b.roots.reverse()),
    )
    bad("one-root", "BND-1", "the work alone as root", spoilt(lambda b: b.roots.pop()))
    bad("three-roots", "BND-1", "a third root", spoilt(lambda b: b.roots.append(cid(MELODY))))
    bad(
        "root-not-in-snapshot",
        "BND-1",
        "a work that the snapshot does not list, nor the file hold",
        spoilt(lambda b: b.roots.__setitem__(0, cid(BOBS_WORK))),
    )
    bad(
        "root-a-project",
        "BND-1",
        "the project in place of a work",
        spoilt(lambda b: b.roots.__setitem__(0, PROJECT_CID)),
    )
    bad(
        "member-absent",
        "BND-2/BND-3",
        "an object that the snapshot lists is not in the file",
        spoilt(lambda b: b.members.pop(-2)),
    )
    bad(
        "page-absent",
        "BND-2/BND-3",
        "the list page that the snapshot lists is not in the file",
        spoilt(lambda b: b.members.remove((cid(CREDITS_PAGE), CREDITS_PAGE))),
    )
    bad(
        "snapshot-absent",
        "BND-2/BND-3",
        "the snapshot's page is not in the file",
        spoilt(lambda b: b.pages.clear()),
    )
    bad(
        "stranger",
        "BND-2/BND-3",
        "a raw block that nothing links to",
        spoilt(lambda b: b.rest.append((cid(b"stranger", RAW), b"stranger"))),
    )
    bad(
        "stranger-object",
        "BND-2/BND-3",
        "an object that the snapshot does not list",
        spoilt(lambda b: b.rest.append((cid(BOB_BASE[1]), BOB_BASE[1]))),
    )
    bad(
        "snapshot-later",
        "BND-3",
        "the snapshot behind the objects",
        spoilt(lambda b: b.rest.insert(0, b.pages.pop())),
    )
    bad(
        "members-swapped", "BND-3", "two objects exchanged", spoilt(lambda b: swap(b.members, 0, 1))
    )
    bad(
        "rest-swapped",
        "BND-3",
        "text before story: the words, which link to the story, come before the song",
        spoilt(lambda b: swap(b.rest, 0, 1)),
    )
    bad(
        "rest-early",
        "BND-3",
        "the story before the last object",
        spoilt(lambda b: b.members.insert(-1, b.rest.pop(0))),
    )
    bad("block-twice", "BND-3", "a block twice", spoilt(lambda b: b.rest.append(b.rest[0])))
    bad(
        "no-genesis",
        "BND-4",
        "an author's genesis is not there",
        song(objects=[o for o in CLOSURE if o != BOB.genesis]).car(),
    )
    bad(
        "no-project",
        "BND-4",
        "the project is not there",
        song(objects=[o for o in CLOSURE if o != PROJECT]).car(),
    )
    bad(
        "no-ancestor",
        "BND-4",
        "a parent is not there",
        song(objects=[o for o in CLOSURE if o != MELODY]).car(),
    )
    bad(
        "extra-without-genesis",
        "BND-4",
        "a work of another project, whose author's project is not there",
        song(objects=[*CLOSURE, BOBS_WORK]).car(),
    )
    for name, why, moved in (
        ("genesis-late", "a genesis behind the project, whose generation is higher", BOB.genesis),
        ("page-last", "the list page behind all objects", CREDITS_PAGE),
    ):
        late = song()
        late.members.remove((cid(moved), moved))
        place = (
            len(late.members)
            if moved == CREDITS_PAGE
            else late.members.index((PROJECT_CID, PROJECT)) + 1
        )
        late.members.insert(place, (cid(moved), moved))
        late.snapshot = Snapshot([link for link, _ in late.members])
        late.pages, late.roots[1] = late.snapshot.depth_first(), late.snapshot.root
        bad(name, "SNP-2", why, late.car())
    stranger = encode({"entries": [CREDITED]})
    bad(
        "page-stranger",
        "BND-2/SNP-2",
        "the snapshot lists a list page that no object links to",
        song(pages=(CREDITS_PAGE, stranger)).car(),
    )
    outside = song(pages=())
    outside.rest.insert(0, (cid(CREDITS_PAGE), CREDITS_PAGE))
    bad(
        "page-outside-snapshot",
        "SNP-2/BND-2/BND-3",
        "a list page is in the file, but the snapshot does not list it",
        outside.car(),
    )
    forged = bytearray(MELODY)
    forged[10] ^= 1
    bad(
        "signature",
        "OBJ-6/KEY-4/KEY-1",
        "an object whose signature is not of it",
        Bundle(bytes(forged), [*BASE, bytes(forged)]).car(),
        code="signature",
    )
    odd = on(in_project(kind="thanks", body={"target": HERE, "text": "Thank you."}))
    bad(
        "trail-rule",
        "TRL-2",
        "a work on a statement",
        Bundle(
            odd,
            [*BASE, in_project(kind="thanks", body={"target": HERE, "text": "Thank you."}), odd],
        ).car(),
    )
    thief = ALICE.sign(
        "contribution", {"title": "Stolen"}, key=BOB.key, project=PROJECT_CID, parents=[PROJECT_CID]
    )
    bad(
        "wrong-key",
        "TRL-6",
        "signed by a key that the event does not list",
        Bundle(thief, [*BASE, thief]).car(),
    )
    bit = bytearray(right.car())
    bit[-1] ^= 1
    bad("bit", "CAR-3", "one bit of the last block is another", bytes(bit))
    bad("cut", "CAR-4", "the last byte is missing", right.car()[:-1])
