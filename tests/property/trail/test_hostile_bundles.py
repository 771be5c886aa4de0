"""Whatever people link to as pages, texts and media, a bundle that is written can be read, and says the same there."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from trail_maker import Person, World, bundle_blocks, raw_block, read_blocks

from hitp2p.codec.cid import DAG_CBOR, DAG_PB, Cid
from hitp2p.codec.dagcbor import encode
from hitp2p.codec.dagpb import PbLink, PbNode, encode_dagpb
from hitp2p.objects.envelope import SignedObject
from hitp2p.trail.credits import credit_sheet
from hitp2p.trail.standing import audit_standing

PEOPLE = [Person(name, next_keys=[f"{name} 1"]) for name in ("Ana", "Bo", "Cy")]
PROJECT = PEOPLE[0].project()

Block = tuple[Cid, bytes]


def cbor(value: Any) -> Block:
    data = value if isinstance(value, bytes) else encode(value)
    return Cid.of(DAG_CBOR, data), data


def node(*leaves: Block) -> Block:
    links = [PbLink(cid=cid, name="", tsize=len(data)) for cid, data in leaves]
    data = encode_dagpb(PbNode(links=links))
    return Cid.of(DAG_PB, data), data


USE = {"source": {"url": "https://example.org"}, "relation": "sample"}
PAGES = [
    cbor({"entries": [entry]})
    for entry in (
        {"name": "Uncle", "role": "aut"},
        USE,
        USE | {"name": "Uncle", "role": "aut"},  # of both lists
        {"project": bytes(32)},
        {"project": b"short"},
        1.5,
    )
]
PAGES += [cbor({"entries": []}), cbor(b"no dag-cbor"), cbor({"some": "thing"})]
LEAVES = [
    raw_block(data) for data in (b"a text", b"", b"\xff\xd8", b"a\r", b"more\nlines", b"\xfe")
]
NODES = [node(LEAVES[0], LEAVES[2]), node(LEAVES[3], LEAVES[5])]
NODES += [node(NODES[0], LEAVES[1]), (Cid.of(DAG_PB, b"\xff"), b"\xff")]
FILES = [*LEAVES, *NODES]

page_links = st.lists(st.sampled_from([cid for cid, _ in PAGES]), min_size=1, max_size=3)
text_links = st.sampled_from([cid for cid, _ in LEAVES])
media = st.lists(
    st.sampled_from([cid for cid, _ in FILES]).map(
        lambda cid: {"file": cid, "size": 1, "sha256": bytes(32), "type": "a/b", "role": "master"}
    ),
    min_size=1,
    max_size=2,
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "credits_pages": page_links,
    "uses_pages": page_links,
    "note_block": text_links,
    "lyrics_block": text_links,
    "see": page_links,
    "media": media,
}
bodies = st.fixed_dictionaries({}, optional=FIELDS)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[SignedObject, World]:
    """A work on others, with what people say beside it, and some of the blocks that they link to."""
    objects: list[SignedObject] = []
    work = None
    for number, body in enumerate(draw(st.lists(bodies, min_size=1, max_size=4))):
        who = draw(st.sampled_from(PEOPLE))
        work = who.work(PROJECT, f"Work {number}", parents=[work] if work else [], **body)
        objects.append(work)
    assert work is not None
    for who in draw(st.lists(st.sampled_from(PEOPLE), max_size=2, unique=True)):
        said = {"target": {"object": str(work.cid)}, "text_block": draw(text_links)}
        objects.append(who.sign("comment", said, project=PROJECT.cid, parents=[PROJECT.cid]))
    for who in draw(st.lists(st.sampled_from(PEOPLE), max_size=2, unique=True)):
        objects.append(
            who.rotate(
                signer=f"{who.keys[0][:-2]} 1",
                keys=["new"],
                next_keys=["last"],
                after=[who.genesis],
                dropped={who.keys[0]: draw(page_links)},
            )
        )
    here = draw(st.lists(st.sampled_from([*PAGES, *FILES]), unique=True))
    return work, World(*(who.genesis for who in PEOPLE), PROJECT, *objects, blocks=here)


@settings(max_examples=300)
@given(worlds(), st.sampled_from(["none", "work", "all"]))
def test_bnd_6_what_is_written_is_read_and_written_again(
    drawn: tuple[SignedObject, World], choice: Any
) -> None:
    work, world = drawn
    roots, blocks, missing = bundle_blocks(work, world, choice)
    contents = read_blocks(roots, blocks)
    there = World(*contents.objects.values(), blocks=contents.pages.items())
    there.blocks.update(contents.blocks)
    assert bundle_blocks(work, there, choice) == (roots, blocks, missing)
    sheets = [
        credit_sheet(work, lookup=each.lookup, blocks=each.blocks).to_json()
        for each in (world, there)
    ]
    assert sheets[0] == sheets[1]
    for obj in contents.objects.values():
        reports = [
            audit_standing(
                obj,
                events=[each.lookup(cid) for cid in each.event_cids(obj.identity)],  # type: ignore[misc]
                lookup=each.lookup,
                blocks=each.blocks,
            )
            for each in (world, there)
        ]
        assert reports[0].standing == reports[1].standing
