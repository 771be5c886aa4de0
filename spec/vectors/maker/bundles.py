"""bundle.json: chapter 06."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maker import trees, wire
from maker.book import Book
from maker.carried import pages_and_texts
from maker.fields import CREDITED, HERE
from maker.packing import CLOSURE, CREDITS_PAGE, MELODY, Block, Bundle, song
from maker.sets import BASE, BOB_BASE, BOBS_WORK, LATER, on
from maker.sign import ALICE, BOB, PROJECT, PROJECT_CID, in_project, ref
from maker.snapshots import Snapshot
from maker.wire import RAW, cid, cid_text, encode


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
        if rule.startswith(("SNP", "MED")):
            more["code"] = "rule"
        book.invalid(name, rule, why, "bundle", data, **more | ({"also": also} if also else {}))

    whole_bundles(good)
    broken_bundles(bad)
    wrapped_bundles(bad)
    pages_and_texts(good, bad)
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
    tree = trees.three()
    work = in_project(
        body={
            "title": "A story",
            "media": [
                {
                    "file": tree.root,
                    "size": len(trees.WHOLE),
                    "sha256": wire.sha256(trees.WHOLE),
                    "type": "text/plain",
                    "role": "master",
                }
            ],
        }
    )
    parts = [
        (tree.root, next(b for b in tree.blocks if cid(b, wire.DAG_PB) == tree.root)),
        *((cid(part, RAW), part) for part in trees.PARTS),
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


def wrapped_bundles(bad: Any) -> None:
    """The same bundle as the data part of a CAR v2: with an index behind it, or a gap before it."""
    data = song().car()
    for name, gap, index in (("car-v2", 0, b""), ("car-v2-with-gap-and-index", 7, b"\x81\x08")):
        start = 11 + 40 + gap
        places = (start, len(data), start + len(data) if index else 0)
        head = bytes(16) + b"".join(n.to_bytes(8, "little") for n in places)
        pragma = bytes.fromhex("0aa16776657273696f6e02")
        bad(
            name,
            "BND-5/CAR-1",
            "the bundle as data part of a CAR v2",
            pragma + head + bytes(gap) + data + index,
        )
