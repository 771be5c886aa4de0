"""Finding texts in tags [MED-30], and copies with some bytes replaced."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from picture_files import CID, POINTER

from hitp2p.media.pointer import TAG_TEXT_CHARS, TAG_TEXTS, find_pointers
from hitp2p.media.source import MediaSource
from hitp2p.media.splice import TagFinder, splice


def found(*blocks: bytes) -> tuple[str, ...]:
    finder = TagFinder()
    for block in blocks:
        finder.look(block)
    return finder.texts


def test_med_30_texts_end_at_quotes_brackets_and_control_characters() -> None:
    text = POINTER.encode()
    assert found(b"\0Ana, " + text + b" \xc3\xa9\0more") == (f"Ana, {POINTER} é",)
    assert found(b'<a b="' + text + b'">x ' + text + b" y</a>") == (POINTER, f"x {POINTER} y")
    assert found(b"nothing here", b"") == ()


@given(st.binary(max_size=2000))
def test_med_30_a_pointer_is_found_in_whatever_surrounds_it(junk: bytes) -> None:
    for block in (junk + b"\0" + POINTER.encode() + b"\0" + junk, b"\0" + POINTER.encode()):
        assert CID in find_pointers(found(block))


def test_med_30_many_and_long_texts_are_bounded() -> None:
    texts = found(b" ".join([POINTER.encode() + b"\0"] * 1000))
    assert len(texts) == TAG_TEXTS
    (text,) = found(b"x" * 10_000 + b" " + POINTER.encode() + b" " + b"y" * 10_000)
    assert POINTER in text
    assert len(text) <= TAG_TEXT_CHARS


def test_a_copy_with_edits_is_the_file_with_other_bytes_in_those_places() -> None:
    sink = io.BytesIO()
    edits = [(0, 1, b"A"), (3, 3, b"+"), (5, 8, b"")]
    splice(MediaSource.of_bytes(b"abcdefgh"), sink, edits, rule="MED-12")
    assert sink.getvalue() == b"Abc+de"
