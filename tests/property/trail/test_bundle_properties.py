"""Laws of bundles and snapshots over drawn trails."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trail_maker import World, bundle_blocks, read_blocks

from hitp2p.errors import InvalidError
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import ObjectClass
from hitp2p.testing.strategies import trails
from hitp2p.trail.credits import credit_sheet
from hitp2p.trail.graph import Graph
from hitp2p.trail.snapshot import build_snapshot, iter_snapshot
from hitp2p.trail.standing import Standing
from hitp2p.trail.view import Trail


def works_among(objects: list[SignedObject]) -> list[SignedObject]:
    return [obj for obj in objects if obj.object_class is ObjectClass.WORK]


@settings(max_examples=60)
@given(trails(), st.integers())
def test_bnd_3_equal_sets_give_equal_bytes(objects: list[SignedObject], seed: int) -> None:
    shuffled = objects * 2
    Random(seed).shuffle(shuffled)
    for work in works_among(objects)[-2:]:
        written = bundle_blocks(work, World(*objects), "all")
        assert bundle_blocks(work, World(*shuffled), "all") == written


@settings(max_examples=60)
@given(trails())
def test_bnd_4_what_is_read_gives_the_same_bundle(objects: list[SignedObject]) -> None:
    for work in works_among(objects)[-2:]:
        roots, blocks, missing = bundle_blocks(work, World(*objects), "all")
        contents = read_blocks(roots, blocks)
        assert contents.work == work.cid
        assert set(Graph(contents.objects.values()).ancestors([work.cid])) <= set(contents.objects)
        again = World(*contents.objects.values(), blocks=contents.pages.items())
        again.blocks.update(contents.blocks)
        assert bundle_blocks(work, again, "all") == (roots, blocks, missing)


@settings(max_examples=60)
@given(trails(), st.data())
def test_bnd_2_no_block_can_be_dropped_doubled_or_moved(
    objects: list[SignedObject], data: st.DataObject
) -> None:
    works = works_among(objects)
    if not works:
        return
    roots, blocks, _ = bundle_blocks(works[-1], World(*objects))
    number = data.draw(st.integers(0, len(blocks) - 1))
    place = data.draw(st.integers(0, len(blocks) - 1))
    rest = blocks[:number] + blocks[number + 1 :]
    for changed in (
        rest,
        [*blocks[:place], blocks[number], *blocks[place:]],
        [*rest[:place], blocks[number], *rest[place:]],
    ):
        if changed != blocks:
            with pytest.raises(InvalidError) as refused:
                read_blocks(roots, changed)
            assert refused.value.rule.startswith(("BND", "SNP"))


@settings(max_examples=60)
@given(trails(), st.integers())
def test_views_are_functions_of_the_set(objects: list[SignedObject], seed: int) -> None:
    shuffled = objects * 2
    Random(seed).shuffle(shuffled)
    project = next(obj for obj in objects if obj.kind == "project")
    seen = []
    for order in (objects, shuffled):
        world = World(*order)
        graph = Graph(order)
        snapshot = build_snapshot((graph.generation(cid), cid) for cid in graph.in_order())
        assert tuple(iter_snapshot(snapshot.root, snapshot.pages)) == graph.in_order()
        mine = [obj for obj in order if obj.project == project.cid]
        trail = Trail.of(project, mine, lookup=world.lookup, standing=lambda _: Standing.GOOD)
        heads = {entry.cid for entry in trail.entries if entry.is_head}
        assert heads == set(graph.heads(project.cid))
        sheets = [
            credit_sheet(work, lookup=world.lookup)
            for work in sorted(works_among(objects), key=lambda work: work.cid)
            if work.kind != "call"
        ]
        for sheet in sheets:
            assert sheet.text()
            assert sheet.markdown()
            assert sheet.html()
            assert sheet.to_json()
        seen.append((graph.in_order(), snapshot, trail, trail.text(), sheets))
    assert seen[0] == seen[1]
