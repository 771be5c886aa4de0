"""Pages that name a whole set."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trail_maker import World

from hitp2p.codec.cid import DAG_CBOR, RAW, Cid
from hitp2p.codec.dagcbor import Profile, encode
from hitp2p.errors import InvalidError, MissingBlocksError, RuleError, UsageError
from hitp2p.trail.snapshot import build_snapshot, iter_snapshot, parse_snapshot_page


def member(number: int) -> Cid:
    return Cid.of(DAG_CBOR, b"object %d" % number)


def ends(cid: Cid) -> bool:
    return int.from_bytes(cid.digest[:4], "big") % 128 == 0


def pairs_of(n_members: int) -> list[tuple[int, Cid]]:
    return [(number // 3, member(number)) for number in range(n_members)]


def page(links: list[Any], level: Any = 0, **more: Any) -> tuple[Cid, bytes]:
    block = encode({"links": links, "level": level, **more}, profile=Profile.OBJECT)
    return Cid.of(DAG_CBOR, block), block


def read(*pages: tuple[Cid, bytes]) -> list[Cid]:
    return list(iter_snapshot(pages[0][0], World(blocks=pages)))


@pytest.mark.parametrize("n_members", [1, 2, 127, 128, 500, 501, 5000, 40_000])
def test_snp_2_members_come_back_in_order(n_members: int) -> None:
    snapshot = build_snapshot(pairs_of(n_members))
    assert next(iter(snapshot.pages)) == snapshot.root
    members = list(iter_snapshot(snapshot.root, World(blocks=snapshot.pages.items())))
    assert members == [cid for _, cid in sorted(pairs_of(n_members))]


@given(st.integers(1, 600), st.integers())
def test_snp_2_equal_sets_have_one_snapshot(n_members: int, seed: int) -> None:
    pairs = pairs_of(n_members) * 2
    Random(seed).shuffle(pairs)
    assert build_snapshot(pairs) == build_snapshot(pairs_of(n_members))


def test_snp_2_one_more_object_changes_about_one_page_a_level() -> None:
    pairs = pairs_of(20_000)
    before = build_snapshot(pairs)
    levels = parse_snapshot_page(before.pages[before.root]).level + 1
    changed = []
    for number in range(60):
        after = build_snapshot([*pairs, (number * 111, member(-1 - number))])
        changed.append(len(after.pages.keys() - before.pages.keys()))
    assert levels == 2
    assert sum(changed) / len(changed) <= 1.2 * levels
    assert max(changed) <= 2 * levels


def test_snp_2_pages_end_at_a_cut_or_at_500_links() -> None:
    snapshot = build_snapshot(pairs_of(40_000))
    lengths = []
    for block in snapshot.pages.values():
        links = parse_snapshot_page(block).links
        assert not any(ends(link) for link in links[:-1])
        lengths.append(len(links))
    assert 500 in lengths
    assert max(lengths) == 500


def test_snp_2_an_empty_set_has_no_snapshot() -> None:
    with pytest.raises(UsageError):
        build_snapshot([])


def test_snp_2_a_member_has_one_generation() -> None:
    with pytest.raises(UsageError):
        build_snapshot([(1, member(1)), (2, member(1))])


def test_snp_1_refuses_pages_of_another_shape() -> None:
    good = [member(1)]
    for bad in (
        page([]),
        page(good, level=16),
        page(good, level=-1),
        page(good, level=True),
        page(good, extra=1),
        page([member(n) for n in range(501)]),
        page([Cid.of(RAW, b"")]),
        page(["text"]),
        page(good, level=None),
        (member(1), encode([1])),
    ):
        with pytest.raises(RuleError) as caught:
            parse_snapshot_page(bad[1])
        assert caught.value.rule == "SNP-1"


def test_snp_1_takes_500_links_and_level_15() -> None:
    quiet = [cid for cid in map(member, range(600)) if not ends(cid)]
    assert parse_snapshot_page(page(quiet[:500], level=15)[1]).level == 15


def test_snp_1_levels_descend_one_by_one() -> None:
    low = page([member(1), member(2)])
    assert_broken("SNP-1", page([low[0], member(5)], level=2), low)


def test_snp_2_refuses_a_page_that_goes_on_behind_a_cut() -> None:
    cut = next(cid for cid in map(member, range(10_000)) if ends(cid))
    assert_broken("SNP-2", page([cut, member(1)]))


def test_snp_2_refuses_a_page_that_ends_too_early() -> None:
    low, high = page([member(1)]), page([member(2)])
    assert_broken("SNP-2", page([low[0], high[0]], level=1), low, high)


def test_snp_2_refuses_a_page_linked_twice() -> None:
    low = page([member(1)])
    assert_broken("SNP-2", page([low[0], low[0]], level=1), low)


def test_snp_2_refuses_a_root_above_the_root() -> None:
    low = page([member(1)])
    assert_broken("SNP-2", page([low[0]], level=1), low)


def test_snp_2_refuses_a_member_listed_twice() -> None:
    assert_broken("SNP-2", page([member(1), member(1)]))


def assert_broken(rule: str, *pages: tuple[Cid, bytes]) -> None:
    with pytest.raises(InvalidError) as caught:
        read(*pages)
    assert caught.value.rule == rule


def test_a_missing_page_is_named() -> None:
    snapshot = build_snapshot(pairs_of(2000))
    lost = list(snapshot.pages)[-1]
    world = World(blocks=snapshot.pages.items()).without(lost)
    with pytest.raises(MissingBlocksError) as caught:
        list(iter_snapshot(snapshot.root, world))
    assert caught.value.cids == (lost,)
