"""The part of bundle.json on what objects carry: list pages and texts, as they should be and otherwise."""

from __future__ import annotations

from typing import Any

from maker import trees, wire
from maker.erin import ERIN, FIRST, drop, entry, page
from maker.fields import CREDITED
from maker.packing import STORY, STORY_CID, Block, Bundle
from maker.sets import BASE, on
from maker.sign import ALICE, BOB, PROJECT_CID, RULES, in_project, ref
from maker.wire import RAW, cid, encode

OTHER_WORK: dict[str, Any] = {
    "work": ref("a work elsewhere"),
    "project": ref("its project"),
    "relation": "sample",
}
TEXT_BYTES = 1024 * 1024
PAGE_BYTES = 256 * 1024


def with_page(name: str, block: bytes, **more: Any) -> Bundle:
    """A work with a list that goes on in one page."""
    work = in_project(body={"title": "A work", name: [cid(block)]} | more)
    return Bundle(work, [*BASE, work], (block,))


def with_text(block: bytes, *rest: Block, name: str = "note_block", **more: Any) -> Bundle:
    """A work with a long text."""
    work = in_project(body={"title": "A work", name: cid(block, RAW)} | more)
    return Bundle(work, [*BASE, work], rest=((cid(block, RAW), block), *rest))


def story_entry(file: bytes = STORY_CID, content: bytes = STORY) -> dict[str, Any]:
    return {
        "file": file,
        "size": len(content),
        "sha256": wire.sha256(content),
        "type": "application/octet-stream",
        "role": "master",
    }


def long_page(n_bytes: int) -> bytes:
    """A page of credits of so many bytes, by a field that nobody knows."""
    short = encode({"entries": [CREDITED | {"x": "x" * 70_000}]})
    return encode({"entries": [CREDITED | {"x": "x" * (70_000 + n_bytes - len(short))}]})


def pages_and_texts(good: Any, bad: Any) -> None:
    good_pages(good)
    bad_pages(bad)
    shared_pages(good, bad)
    texts(good, bad)
    shared_texts(good, bad)


def good_pages(good: Any) -> None:
    good(
        "page-500",
        "OBJ-23",
        "500 entries",
        with_page("credits_pages", encode({"entries": [CREDITED] * 500})),
    )
    good(
        "page-256-kib",
        "OBJ-23",
        "a page of 256 KiB",
        with_page("credits_pages", long_page(PAGE_BYTES)),
    )
    uses = encode({"entries": [OTHER_WORK]})
    good("page-of-uses", "OBJ-23", "a page of uses", with_page("uses_pages", uses))
    more = encode({"some": "thing"})
    odd = in_project(body={"title": "A work", "x": {"y": [cid(more)]}})
    good(
        "page-of-unknown-field",
        "BND-6",
        "a dag-cbor block that an unknown field links to may hold anything",
        Bundle(odd, [*BASE, odd], (more,)),
    )
    sketch = in_project(kind="x-sketch", body={"credits_pages": [cid(more)]})
    good(
        "page-of-unknown-kind",
        "BND-6",
        "in an unknown kind all fields are unknown",
        Bundle(FIRST, [*BASE, ERIN.genesis, FIRST, sketch], (more,)),
    )
    heads = page(entry(FIRST))
    good(
        "page-of-good-heads",
        "OBJ-23",
        "a page of good heads",
        Bundle(FIRST, [*BASE, ERIN.genesis, FIRST, drop(heads)], (heads,)),
    )


def bad_pages(bad: Any) -> None:
    for name, also, why, block in (
        ("page-no-dag-cbor", "/ENC-8", "a list page that is no dag-cbor", b"no dag-cbor at all"),
        ("page-of-float", "/ENC-10", "a float in an entry", encode({"entries": [CREDITED | {"x": wire.Raw(b"\xfb" + bytes(8))}]})),
        ("page-array", "", "a list in place of a map", encode([CREDITED])),
        ("page-extra-key", "", "a second key", encode({"entries": [CREDITED], "next": 1})),
        ("page-empty", "", "no entries", encode({"entries": []})),
        ("page-501", "", "501 entries", encode({"entries": [CREDITED] * 501})),
        ("page-over-256-kib", "", "a page of 256 KiB and a byte", long_page(PAGE_BYTES + 1)),
        ("page-of-nobody", "/KND-3", "a credit without who and name", encode({"entries": [CREDITED, {"role": "aut"}]})),
    ):  # fmt: skip
        bad(name, f"OBJ-23{also}", why, with_page("credits_pages", block).car(), covers=["BND-6"])
    credits = encode({"entries": [CREDITED]})
    bad(
        "page-of-another-list",
        "OBJ-23/KND-1",
        "a page of credits where uses go on",
        with_page("uses_pages", credits).car(),
        covers=["BND-6"],
    )
    rules = in_project(kind="rules", body=RULES | {"keep_pages": [cid(credits)]})
    bad(
        "page-of-kept",
        "OBJ-23/KND-1/OBJ-17",
        "a page of credits where kept decisions go on",
        Bundle(FIRST, [*BASE, ERIN.genesis, FIRST, rules], (credits,)).car(),
        covers=["BND-6"],
    )
    heads = encode({"entries": [{"heads": [ref(FIRST)]}]})
    bad(
        "page-of-good-heads-without-project",
        "OBJ-23/KND-1",
        "good heads of no project, from an identity event",
        Bundle(FIRST, [*BASE, ERIN.genesis, FIRST, drop(heads)], (heads,)).car(),
        covers=["BND-6"],
    )


def shared_pages(good: Any, bad: Any) -> None:
    """Several lists that go on in one page."""
    credits = encode({"entries": [CREDITED]})
    first = in_project(body={"title": "First", "credits_pages": [cid(credits)]})
    second = on(first, body={"title": "Second", "uses_pages": [cid(credits)]})
    good(
        "page-fits-one-of-two",
        "BND-6",
        "credits for one work, and no uses for another that links to it too",
        Bundle(second, [*BASE, first, second], (credits,)),
    )
    neither = encode({"entries": ["nothing"]})
    first = in_project(body={"title": "First", "credits_pages": [cid(neither)]})
    second = on(first, body={"title": "Second", "uses_pages": [cid(neither)]})
    bad(
        "page-fits-none-of-two",
        "OBJ-23/KND-1",
        "neither credits nor uses, and two works link to it",
        Bundle(second, [*BASE, first, second], (neither,)).car(),
        covers=["BND-6"],
    )


def texts(good: Any, bad: Any) -> None:
    good("text-1-mib", "MED-8", "a text of 1 MiB", with_text(b"a line\n" + b"x" * (TEXT_BYTES - 7)))
    for name, why, block in (
        ("text-no-utf-8", "a text that is no UTF-8", b"\xff\xfe"),
        ("text-over-1-mib", "a text of 1 MiB and a byte", b"x" * (TEXT_BYTES + 1)),
        ("text-empty", "a text without a character", b""),
        ("text-bidi", "a character that turns a line around", "a\u202eb".encode()),
        ("text-control", "a carriage return", b"a\r\nb"),
        ("text-nfd", "an accent of its own", "e\u0301".encode()),
    ):
        bad(name, "MED-8", why, with_text(block).car(), covers=["BND-6"])
    odd = b"\xff"
    comment = in_project(
        kind="comment", body={"target": {"object": ref(FIRST)}, "text_block": cid(odd, RAW)}
    )
    bad(
        "text-of-comment",
        "MED-8",
        "a text that is no UTF-8, of a statement beside the work",
        Bundle(FIRST, [*BASE, ERIN.genesis, FIRST, comment], rest=((cid(odd, RAW), odd),)).car(),
        covers=["BND-6"],
    )
    good(
        "text-of-unknown-field",
        "BND-6",
        "a raw block of an unknown field, whatever its name",
        with_text(odd, name="lyrics_block"),
    )
    sketch = in_project(kind="x-sketch", body={"note_block": cid(odd, RAW)})
    good(
        "text-of-unknown-kind",
        "BND-6",
        "in an unknown kind all fields are unknown",
        Bundle(FIRST, [*BASE, ERIN.genesis, FIRST, sketch], rest=((cid(odd, RAW), odd),)),
    )


def shared_texts(good: Any, bad: Any) -> None:
    """Blocks that are called a text by one and media by another."""
    picture = b"\xff\xd8\xff\xe0 a picture"
    picture_entry = story_entry(cid(picture, RAW), picture)
    good(
        "text-is-media-too",
        "BND-6",
        "a picture in the same work, called its note as well",
        with_text(picture, media=[picture_entry]),
    )
    first = BOB.sign(
        "contribution",
        {"title": "First", "media": [picture_entry]},
        project=PROJECT_CID,
        parents=[PROJECT_CID],
    )
    spoiler = ALICE.sign(
        "comment",
        {"target": {"object": ref(first)}, "text_block": cid(picture, RAW)},
        project=PROJECT_CID,
        parents=[PROJECT_CID],
    )
    good(
        "text-is-media-of-another",
        "BND-6",
        "somebody calls the picture of another a text",
        Bundle(first, [*BASE, BOB.genesis, first, spoiler], rest=((cid(picture, RAW), picture),)),
    )
    leaves = [b"\xff leaf one", b"\xfe leaf two"]
    for name, n_spoilt in (("first", 0), ("last", 1)):
        leaf_of_file(good, bad, leaves, name, n_spoilt)


def leaf_of_file(good: Any, bad: Any, leaves: list[bytes], name: str, n_spoilt: int) -> None:
    """A leaf of a file that is called a note, by a work that stands before the one with the file."""
    message = trees.unixfs(trees.FILE, None, sum(map(len, leaves)), tuple(map(len, leaves)))
    links = [trees.link(cid(leaf, RAW), size=len(leaf)) for leaf in leaves]
    node = trees.node(links, message)
    file: Block = (cid(node, wire.DAG_PB), node)
    called = cid(leaves[n_spoilt], RAW)
    first = in_project(body={"title": "First", "note_block": called})
    content = b"".join(leaves)
    second = on(first, body={"title": "Second", "media": [story_entry(file[0], content)]})
    others = [(cid(leaf, RAW), leaf) for leaf in leaves if cid(leaf, RAW) != called]
    early: Block = (called, leaves[n_spoilt])
    good(
        f"text-is-{name}-leaf",
        "BND-6",
        "a leaf that is called a text, and stands before the node that shows what it is",
        Bundle(second, [*BASE, first, second], rest=(early, file, *others)),
    )
    bad(
        f"text-is-{name}-leaf-alone",
        "MED-8",
        "the same leaf, and the node that would show what it is isn't there",
        Bundle(second, [*BASE, first, second], rest=(early,)).car(),
        covers=["BND-6"],
    )
