"""Vectors of chapters 03 and 05 on one object, list page or text at a time."""

from __future__ import annotations

import pytest
from spec_vectors import Vector, by_id, load, refused_as

from hitp2p.codec.cid import Cid
from hitp2p.objects.envelope import SignedObject, verify_object
from hitp2p.objects.pages import ListPage, encode_list_page, parse_list_page
from hitp2p.objects.text import parse_text

LISTS = {
    "uses": ListPage.USES,
    "credits": ListPage.CREDITS,
    "keep": ListPage.KEEP,
    "good-heads": ListPage.GOOD_HEADS,
}


@pytest.mark.parametrize(
    "vector", [*load("objects.json", "object"), *load("identity.json", "object")], ids=by_id
)
def test_an_object_gets_the_verdict_of_the_vector(vector: Vector) -> None:
    def ask() -> SignedObject:
        cid = vector.fields.get("cid")
        return verify_object(vector.data, cid=cid and Cid.from_bytes(bytes.fromhex(cid)))

    if vector.expect == "invalid":
        refused_as(vector, ask)
    else:
        assert ask().block == vector.data


@pytest.mark.parametrize("vector", load("objects.json", "text-block"), ids=by_id)
def test_a_text_block_gets_the_verdict_of_the_vector(vector: Vector) -> None:
    if vector.expect == "invalid":
        refused_as(vector, lambda: parse_text(vector.data))
    else:
        assert parse_text(vector.data).encode() == vector.data


@pytest.mark.parametrize("vector", load("objects.json", "list-page"), ids=by_id)
def test_a_list_page_gets_the_verdict_of_the_vector(vector: Vector) -> None:
    page = LISTS[vector.fields["list"]]
    if vector.expect == "invalid":
        refused_as(vector, lambda: parse_list_page(vector.data, page))
    else:
        entries = parse_list_page(vector.data, page)
        assert encode_list_page(entries, page)[1] == vector.data
