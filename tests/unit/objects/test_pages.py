"""List pages: uses, credits, kept decisions, good heads."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest

from hitp2p import limits
from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.codec.dagcbor import Profile, encode
from hitp2p.errors import InvalidError, RuleError, UsageError
from hitp2p.objects.pages import (
    GoodHeads,
    ListPage,
    encode_list_page,
    parse_list_page,
    split_into_pages,
)

REF = str(Cid.of(DAG_CBOR, b""))
CREDIT = {"name": "Bo", "role": "lyr"}


@pytest.mark.parametrize(
    ("page", "entry"),
    [
        (ListPage.USES, {"relation": "remix", "work": REF}),
        (ListPage.CREDITS, CREDIT),
        (ListPage.KEEP, REF),
        (ListPage.GOOD_HEADS, {"project": bytes(32), "heads": [REF], "except": [REF]}),
    ],
)
def test_obj_23_a_page_reads_back(page: ListPage, entry: Any) -> None:
    cid, block = encode_list_page([entry], page)
    assert cid == Cid.of(DAG_CBOR, block)
    assert parse_list_page(block, page) == [entry]
    for other in set(ListPage) - {page}:
        with pytest.raises(RuleError):
            parse_list_page(block, other)


@pytest.mark.parametrize(
    "value",
    [[], [CREDIT], {}, {"entries": []}, {"entries": {}}, {"entries": [CREDIT], "x": 1}, "entries", None],
)  # fmt: skip
def test_obj_23_refuses_other_maps(value: Any) -> None:
    with pytest.raises(RuleError) as caught:
        parse_list_page(encode(value, profile=Profile.OBJECT), ListPage.CREDITS)
    assert caught.value.rule == "OBJ-23"


def test_obj_23_refuses_501_entries_and_more_than_256_kib() -> None:
    encode_list_page([CREDIT] * 500, ListPage.CREDITS)
    for entries in ([CREDIT] * 501, [{**CREDIT, "x": bytes(limits.LIST_PAGE_BYTES)}]):
        with pytest.raises(RuleError) as caught:
            encode_list_page(entries, ListPage.CREDITS)
        assert caught.value.rule == "OBJ-23"


def test_an_error_in_a_page_says_which_entry() -> None:
    with pytest.raises(InvalidError, match="entry 1: neither who nor name") as caught:
        encode_list_page([CREDIT, {"role": "lyr"}], ListPage.CREDITS)
    assert caught.value.rule == "KND-3"


def test_a_long_list_goes_into_few_pages_in_order() -> None:
    entries = [{**CREDIT, "name": f"Person {number}"} for number in range(1001)]
    pages = list(split_into_pages(entries, ListPage.CREDITS))
    read = [parse_list_page(block, ListPage.CREDITS) for _, block in pages]
    assert [len(page) for page in read] == [500, 500, 1]
    assert list(chain(*read)) == entries
    assert list(split_into_pages(iter(entries), ListPage.CREDITS)) == pages
    assert list(split_into_pages([], ListPage.CREDITS)) == []


def test_long_entries_make_pages_of_at_most_256_kib() -> None:
    entries = [{**CREDIT, "x": bytes(20_000 + number)} for number in range(40)]
    blocks = [block for _, block in split_into_pages(entries, ListPage.CREDITS)]
    assert list(chain(*(parse_list_page(block, ListPage.CREDITS) for block in blocks))) == entries
    assert all(len(block) <= limits.LIST_PAGE_BYTES for block in blocks)
    assert len(blocks) == 4
    with pytest.raises(UsageError):
        list(split_into_pages([{**CREDIT, "x": bytes(limits.LIST_PAGE_BYTES)}], ListPage.CREDITS))


def test_good_heads_read_back() -> None:
    head = Cid.of(DAG_CBOR, b"head")
    for entry in (
        GoodHeads(project=bytes(32)),
        GoodHeads(project=bytes(32), heads=(head,), exceptions=(head,)),
    ):
        _, block = encode_list_page([entry.to_body()], ListPage.GOOD_HEADS)
        assert [GoodHeads.from_body(e) for e in parse_list_page(block, ListPage.GOOD_HEADS)] == [
            entry
        ]
