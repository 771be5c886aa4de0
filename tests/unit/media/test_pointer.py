"""Pointers in texts: found, written, and placed beside what a tag says already."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitp2p.codec.cid import DAG_CBOR, RAW, Cid
from hitp2p.errors import UsageError
from hitp2p.media.pointer import (
    find_pointers,
    place_pointer,
    pointer_formats,
    pointer_text,
    pointing_texts,
    write_pointer,
)
from hitp2p.media.source import MediaSource

WORK = Cid.of(DAG_CBOR, b"work")
OTHER = Cid.of(RAW, b"other")


def test_a_pointer_is_found_in_the_text_around_it() -> None:
    text = f"Verse by Ana ({pointer_text(WORK)}), see also {pointer_text(OTHER)}."
    assert find_pointers([text, pointer_text(WORK)]) == (WORK, OTHER)


@pytest.mark.parametrize(
    "text",
    [
        "hitp2p:",
        f"HITP2P:{WORK}",
        f"hitp2p: {WORK}",
        f"xhitp2p:{WORK}",
        f"hitp2p:{WORK}x",
        f"hitp2p:{str(WORK)[:-1]}",
        f"hitp2p:{str(WORK).upper()}",
        f"hitp2p:{str(WORK)[:-1]}B",
        "hitp2p:QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG",
        "hitp2p:bafyreiabc",
        f"hitp2p:b{'a' * 5000}",
    ],
)
def test_what_only_looks_like_a_pointer_is_passed_over(text: str) -> None:
    assert find_pointers([text]) == ()


@given(st.lists(st.text()))
def test_any_texts_may_be_searched(texts: list[str]) -> None:
    assert find_pointers(texts) == ()
    assert all("hitp2p:" in text for text in pointing_texts(texts))


@given(st.text(st.characters(exclude_characters=":")))
def test_a_pointer_is_placed_once_and_the_text_stays(text: str) -> None:
    first = place_pointer(text, pointer_text(OTHER))
    placed = place_pointer(first, pointer_text(WORK))
    assert find_pointers([placed]) == (WORK,)
    assert place_pointer(placed, pointer_text(WORK)) == placed
    assert placed.startswith(text.rstrip())


def test_only_so_much_of_a_files_texts_is_kept() -> None:
    found = pointing_texts(["none", "x" * 3000 + "hitp2p:a" + "y" * 3000, *["hitp2p:b"] * 40])
    assert found[0] == "hitp2p:a" + "y" * 1016
    assert found[1:] == ("hitp2p:b",) * 15


def test_a_type_without_a_place_for_a_pointer_is_refused_with_the_list_of_others() -> None:
    sink = io.BytesIO()
    with pytest.raises(UsageError, match="text/plain has no place") as caught:
        write_pointer(MediaSource.of_bytes(b"A verse"), sink, pointer_text(WORK))
    assert "beside the file" in str(caught.value)
    assert sink.getvalue() == b""
    assert "text/plain" not in pointer_formats()
