"""What a bundle brings along, and that nothing a stranger signs makes one that can't be read."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from trail_maker import Person, World, bundle_blocks, make_page, raw_block, read_blocks

from hitp2p.codec.cid import DAG_PB, Cid
from hitp2p.codec.dagpb import PbLink, PbNode, encode_dagpb
from hitp2p.errors import RuleError, UsageError
from hitp2p.objects.envelope import SignedObject
from hitp2p.trail.bundle import MediaChoice
from hitp2p.trail.bundle_reader import BundleContents, BundleReader
from hitp2p.trail.credits import credit_sheet
from hitp2p.trail.standing import Standing, audit_standing

ANA, BO, CY = Person("Ana"), Person("Bo"), Person("Cy")
PROJECT = ANA.project(license="CC-BY-4.0")
VERSE = ANA.work(PROJECT, "Verse")
SONG = BO.work(PROJECT, "Song", parents=[VERSE])


def world_of(*objects: SignedObject, blocks: Any = ()) -> World:
    people = (ANA.genesis, BO.genesis, CY.genesis)
    return World(*people, PROJECT, VERSE, SONG, *objects, blocks=blocks)


def carried(work: SignedObject, world: World, media: MediaChoice = "none") -> BundleContents:
    """Written and read again; what was read gives the same bytes."""
    roots, blocks, missing = bundle_blocks(work, world, media)
    contents = read_blocks(roots, blocks)
    again = World(*contents.objects.values())
    again.blocks = {**contents.pages, **contents.blocks}
    assert bundle_blocks(work, again, media) == (roots, blocks, missing)
    return contents


def node(*links: Cid) -> tuple[Cid, bytes]:
    block = encode_dagpb(PbNode(links=[PbLink(cid=link, name="", tsize=1) for link in links]))
    return Cid.of(DAG_PB, block), block


def media(cid: Cid) -> list[dict[str, Any]]:
    kind = {"type": "text/plain", "role": "master"}
    return [{"file": cid, "size": 1, "sha256": bytes(32), **kind}]


def test_bnd_4_a_bundle_has_the_closure_and_nothing_besides() -> None:
    later = BO.work(PROJECT, "Later", parents=[SONG])
    objects = carried(SONG, world_of(later)).objects
    assert set(objects) == {obj.cid for obj in (ANA.genesis, BO.genesis, PROJECT, VERSE, SONG)}


def test_works_used_from_elsewhere_come_along_with_theirs() -> None:
    theirs = CY.project("Theirs")
    old = CY.work(theirs, "Old")
    beat = CY.work(theirs, "Beat", parents=[old])
    use = {"work": str(beat.cid), "project": str(theirs.cid), "relation": "sample"}
    page, block = make_page(use)
    for body in ({"uses": [use]}, {"uses_pages": [page]}):
        mix = BO.work(PROJECT, "Mix", **body)
        world = world_of(theirs, old, beat, mix, blocks=[(page, block)])
        assert {theirs.cid, old.cid, beat.cid} <= set(carried(mix, world).objects)
        # As far as they are here: a gap is none of the bundle's faults.
        assert beat.cid not in carried(mix, world.without(beat.cid)).objects


def test_people_who_are_credited_come_along_with_their_names() -> None:
    credit = {"who": str(CY.cid), "role": "sng"}
    page, block = make_page(credit)
    for body in ({"credits": [credit]}, {"credits_pages": [page]}):
        duet = BO.work(PROJECT, "Duet", **body)
        assert CY.cid in carried(duet, world_of(duet, blocks=[(page, block)])).objects


def test_statements_about_works_come_along() -> None:
    thanks = CY.sign(
        "thanks",
        {"target": {"object": str(VERSE.cid)}, "text": "thank you"},
        project=PROJECT.cid,
        parents=[PROJECT.cid],
    )
    assert {thanks.cid, CY.cid} <= set(carried(SONG, world_of(thanks)).objects)


def rotated(*entries: dict[str, Any]) -> tuple[SignedObject, tuple[Cid, bytes]]:
    page, block = make_page(*entries)
    event = ANA.rotate(
        signer="Ana 1",
        keys=["Ana new"],
        next_keys=["Ana 2"],
        after=[ANA.genesis],
        dropped={"Ana 0": [page]},
    )
    return event, (page, block)


@pytest.mark.parametrize("covered", [True, False])
def test_idn_11_a_reader_comes_to_the_same_standing(covered: bool) -> None:
    other = ANA.work(PROJECT, "Other")
    later = ANA.work(PROJECT, "Later", parents=[VERSE] if covered else [other])
    entry = {"project": sha256(bytes(PROJECT.cid)).digest(), "heads": [str(later.cid)]}
    event, page = rotated(entry)
    world = world_of(event, other, later, blocks=[page])
    contents = carried(SONG, world)
    assert later.cid in contents.objects
    report = audit_standing(
        VERSE,
        events=contents.objects.values(),
        lookup=contents.objects.get,
        blocks=contents.pages,
    )
    assert report.standing is (Standing.GOOD if covered else Standing.DISAVOWED)


def test_texts_come_along_and_media_as_asked() -> None:
    text, one, two = raw_block(b"long"), raw_block(b"1"), raw_block(b"2")
    first = ANA.work(PROJECT, "First", note_block=text[0], media=media(one[0]))
    second = BO.work(PROJECT, "Second", parents=[first], media=media(two[0]))
    world = world_of(first, second, blocks=[text, one, two])
    assert set(carried(second, world).blocks) == {text[0]}
    assert set(carried(second, world, "work").blocks) == {text[0], two[0]}
    assert set(carried(second, world, "all").blocks) == {text[0], one[0], two[0]}
    assert bundle_blocks(second, world.without(one[0]), "all")[2] == [one[0]]


def test_bnd_3_a_file_that_an_earlier_work_has_too_stands_where_it_is_first_linked() -> None:
    text, shared, leaf = raw_block(b"long"), raw_block(b"shared"), raw_block(b"leaf")
    tree = node(leaf[0], shared[0])
    first = ANA.work(PROJECT, "First", media=[*media(shared[0]), *media(leaf[0])])
    second = BO.work(PROJECT, "Second", parents=[first], note_block=text[0])
    for file in (shared, tree):
        third = BO.work(PROJECT, "Third", parents=[second], media=media(file[0]))
        world = world_of(first, second, third, blocks=[text, shared, leaf, tree])
        for choice in ("none", "work", "all"):
            carried(third, world, choice)


def test_files_are_carried_with_all_their_blocks() -> None:
    leaves = [raw_block(b"leaf %d" % n) for n in range(5)]
    low, high = node(*(cid for cid, _ in leaves[:3])), node(*(cid for cid, _ in leaves[2:]))
    top = node(low[0], high[0])
    film = ANA.work(PROJECT, "Film", media=media(top[0]))
    world = world_of(film, blocks=[*leaves, low, high, top])
    assert set(carried(film, world, "work").blocks) == {c for c, _ in [*leaves, low, high, top]}
    assert set(carried(film, world.without(low[0]), "work").blocks) == {
        c for c, _ in [*leaves[2:], high, top]
    }


def test_strange_fields_make_no_bundle_that_cannot_be_read() -> None:
    page, block = make_page({"any": "thing"})
    text = raw_block(b"text")
    strange = BO.sign(
        "x-strange",
        {"title": 5, "a_block": [1], "b_block": {"c": 1}, "c_block": text[0], "see": VERSE.cid,
         "more": page, "uses": 7, "pages": [page, CY.cid]},
        project=PROJECT.cid,
        parents=[VERSE.cid],
    )  # fmt: skip
    song = BO.work(PROJECT, "Song 2", parents=[strange], see=SONG.cid, other_block=[{}])
    contents = carried(song, world_of(strange, song, blocks=[(page, block), text]))
    assert set(contents.pages) == {page}
    assert set(contents.blocks) == {text[0]}
    assert SONG.cid not in contents.objects


def test_a_broken_node_or_one_with_strange_links_is_left_out() -> None:
    broken = (Cid.of(DAG_PB, b"\xff"), b"\xff")
    old = Cid.from_bytes(b"\x12\x20" + bytes(32))
    strange = node(old, VERSE.cid, broken[0])
    film = ANA.work(PROJECT, "Film", media=media(strange[0]))
    world = world_of(film, blocks=[broken, strange])
    roots, blocks, missing = bundle_blocks(film, world, "work")
    assert set(read_blocks(roots, blocks).blocks) == {strange[0]}
    assert set(missing) == {old, VERSE.cid, broken[0]}


def test_bnd_6_a_malformed_page_is_left_out_and_changes_no_standing() -> None:
    page, block = make_page({"project": b"too short"})
    event = BO.rotate(
        signer="Bo 1",
        keys=["new"],
        next_keys=["Bo 2"],
        after=[BO.genesis],
        dropped={"Bo 0": [page]},
    )
    world = world_of(event, blocks=[(page, block)])
    contents = carried(SONG, world)
    assert event.cid in contents.objects
    assert not contents.pages
    here = World(*contents.objects.values())
    for one in (world, here):
        report = audit_standing(
            SONG, events=[BO.genesis, event], lookup=one.lookup, blocks=one.blocks
        )
        assert report.standing is Standing.UNDETERMINED


def test_bnd_6_a_malformed_page_of_credits_reads_the_same_here_and_there() -> None:
    page, block = make_page({"role": "aut"})
    song = BO.work(PROJECT, "Song 2", parents=[VERSE], credits_pages=[page])
    world = world_of(song, blocks=[(page, block)])
    contents = carried(song, world)
    here = World(*contents.objects.values())
    sheets = [credit_sheet(song, lookup=one.lookup, blocks=one.blocks) for one in (world, here)]
    assert sheets[0] == sheets[1]
    assert sheets[0].missing == (page,)
    assert sheets[0].lines[0].incomplete


def test_bnd_6_a_page_that_fits_one_of_its_lists_comes_along() -> None:
    page, block = make_page({"name": "Uncle", "role": "aut"})
    one = ANA.work(PROJECT, "One", credits_pages=[page])
    two = BO.work(PROJECT, "Two", parents=[one], uses_pages=[page])
    assert set(carried(two, world_of(one, two, blocks=[(page, block)])).pages) == {page}


@pytest.mark.parametrize("block", [b"\xff", b"", b"a\r\n", b"x" * (1024 * 1024 + 1)])
def test_bnd_6_a_text_that_is_none_is_missing_from_a_bundle(block: bytes) -> None:
    text = raw_block(block)
    poem = ANA.work(PROJECT, "Poem", note_block=text[0])
    roots, blocks, missing = bundle_blocks(poem, world_of(poem, blocks=[text]))
    assert missing == [text[0]]
    assert not read_blocks(roots, blocks).blocks


@pytest.mark.parametrize("choice", ["none", "all"])
def test_bnd_6_a_picture_that_a_stranger_calls_a_text_comes_along_as_media(
    choice: MediaChoice,
) -> None:
    leaves = [raw_block(b"\xff leaf"), raw_block(b"\xfe leaf")]
    tree = node(leaves[0][0])
    film = ANA.work(PROJECT, "Film", media=media(tree[0]) + media(leaves[1][0]))
    said = [
        CY.sign(
            "comment",
            {"target": {"object": str(film.cid)}, "text_block": cid},
            project=PROJECT.cid,
            parents=[PROJECT.cid],
        )
        for cid, _ in leaves
    ]
    contents = carried(film, world_of(film, *said, blocks=[*leaves, tree]), choice)
    assert {one.cid for one in said} <= contents.objects.keys()
    # Without media, one leaf comes along as the text that it is called; the other is known as a leaf only with its node.
    wanted = {tree[0], leaves[0][0]} if choice == "all" else set()
    assert set(contents.blocks) == wanted | {leaves[1][0]}


def test_only_works_are_bundled() -> None:
    with pytest.raises(UsageError):
        bundle_blocks(PROJECT, world_of())


@pytest.fixture(scope="module")
def rich() -> tuple[tuple[Cid, Cid], list[tuple[Cid, bytes]]]:
    """A bundle with every sort of block, a page of uses among them."""
    page = make_page({"source": {"url": "https://example.org"}, "relation": "sample"})
    text, leaves = raw_block(b"long"), [raw_block(b"leaf %d" % n) for n in range(3)]
    tree = node(*(cid for cid, _ in leaves))
    body: dict[str, Any] = {"uses_pages": [page[0]], "note_block": text[0], "media": media(tree[0])}
    mix = BO.work(PROJECT, "Mix", parents=[SONG], **body)
    roots, blocks, missing = bundle_blocks(
        mix, world_of(mix, blocks=[page, text, *leaves, tree]), "work"
    )
    assert not missing
    return roots, blocks


Rich = tuple[tuple[Cid, Cid], list[tuple[Cid, bytes]]]


def test_bnd_2_every_dropped_block_is_refused_or_a_gap(rich: Rich) -> None:
    roots, blocks = rich
    n_members = 8  # with the one snapshot page
    for number in range(len(blocks)):
        rest = blocks[:number] + blocks[number + 1 :]
        is_leaf = number >= n_members and blocks[number][0].codec != DAG_PB
        if is_leaf:
            assert len(read_blocks(roots, rest).blocks) == 4
        else:
            with pytest.raises(RuleError):
                read_blocks(roots, rest)


def test_bnd_3_every_repeated_moved_or_swapped_block_is_refused(rich: Rich) -> None:
    roots, blocks = rich
    for number, block in enumerate(blocks):
        rest = blocks[:number] + blocks[number + 1 :]
        changed = [[*blocks[:place], block, *blocks[place:]] for place in range(len(blocks) + 1)]
        changed += [
            [*rest[:place], block, *rest[place:]] for place in range(len(blocks)) if place != number
        ]
        for order in changed:
            if order == blocks:
                continue
            with pytest.raises(RuleError):
                read_blocks(roots, order)


def test_bnd_2_a_page_that_no_object_links_to_is_refused(rich: Rich) -> None:
    roots, blocks = rich
    stray = make_page({"stray": 1})
    for place in range(len(blocks) + 1):
        with pytest.raises(RuleError):
            read_blocks(roots, [*blocks[:place], stray, *blocks[place:]])


def test_pages_texts_and_media_can_be_handed_on_instead_of_held(rich: Rich) -> None:
    roots, blocks = rich
    given: dict[Cid, bytes] = {}
    reader = BundleReader(roots, on_block=given.__setitem__)
    for cid, block in blocks:
        reader.take(cid, block)
    contents = reader.finish()
    held = read_blocks(roots, blocks)
    assert not contents.blocks
    assert not contents.pages
    assert given == held.blocks | held.pages
