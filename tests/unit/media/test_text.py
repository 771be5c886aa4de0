"""Plain text: what of it is hashed, and within which bounds. Single cases are vectors of MED-17."""

from __future__ import annotations

import io
import tracemalloc
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitp2p.errors import DecodeError, InvalidError
from hitp2p.limits import TEXT_LINE_BYTES
from hitp2p.media.essence import essence_hasher, scan_essence
from hitp2p.media.formats.text import scan
from hitp2p.media.source import PIECE_BYTES, MediaSource

LINES = st.lists(
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"], exclude_characters="\ufeff")),
    min_size=1,
)


def digest(data: bytes) -> bytes:
    return scan(MediaSource.of_bytes(data)).digest


def plainly(text: str) -> bytes:
    """The rule in one go, for text that Unicode 14 knows whole."""
    lines = [unicodedata.normalize("NFC", line).rstrip(" \t") for line in text.split("\n")]
    hasher = essence_hasher("text/1")
    hasher.update("\n".join(lines).rstrip("\n").encode() + b"\n")
    return hasher.digest()


@given(LINES, st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from(["", " ", "\t \t"]))
def test_med_17_ends_of_lines_and_blanks_before_them_are_no_matter(
    lines: list[str], end: str, blanks: str
) -> None:
    data = "".join(f"{line}{blanks}{end}" for line in lines).encode()
    if not "".join(lines).strip(" \t"):
        with pytest.raises(DecodeError, match="nothing but blanks"):
            digest(data)
        return
    same = {digest(data), digest(b"\xef\xbb\xbf" + data), digest(data + b"\n\n")}
    assert same == {digest("\n".join(lines).encode())}


@given(st.text(st.sampled_from("aç\u0327\u0301e \t\n水")))
def test_med_17_reads_as_the_rule_says_in_one_go(text: str) -> None:
    if text.strip(" \t\n"):
        assert digest(text.encode()) == plainly(text)


@given(st.text(min_size=1), st.data())
def test_med_17_any_other_character_is_another_text(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("abc"))
    try:
        before = digest(text.encode("utf-8", "surrogatepass"))
        after = digest((text[:at] + letter + text[at + 1 :]).encode("utf-8", "surrogatepass"))
    except DecodeError:
        return
    same = plainly(text) == plainly(text[:at] + letter + text[at + 1 :])
    assert (before == after) is same


@given(st.binary())
def test_med_17_random_bytes_give_an_essence_or_an_error_of_the_rule(data: bytes) -> None:
    rule = "MED-17"
    try:
        digest(data)
    except InvalidError as error:
        rule = error.rule
    assert rule == "MED-17"


@pytest.mark.parametrize("place", range(PIECE_BYTES - 4, PIECE_BYTES + 2))
@pytest.mark.parametrize("seam", ["\r\n", "é", "\n\n", "  \n", "水"])
def test_med_17_the_seam_between_two_reads_is_never_seen(place: int, seam: str) -> None:
    head = "line\n" * (place // 5) + "x" * (place % 5)
    text = f"{head}{seam}end"
    assert digest(text.encode()) == plainly(text.replace("\r\n", "\n"))


def test_med_17_a_line_is_bounded_wherever_it_begins() -> None:
    for start in (b"", b"a\n", b"a\r" * 400_000, b"\xef\xbb\xbf"):
        assert len(digest(start + b"b" * TEXT_LINE_BYTES + b"\r\nc")) == 32
        with pytest.raises(DecodeError, match="a line of over 1048576 bytes"):
            digest(start + b"b" * (TEXT_LINE_BYTES + 1) + b"\r\nc")


def test_med_17_memory_stays_flat() -> None:
    class Endless(io.RawIOBase):
        """8 MiB of lines, made where they are read; then empty ones, then a word."""

        size = 8 * 1024 * 1024
        at = 0

        def seek(self, offset: int, whence: int = 0) -> int:
            self.at = self.size if whence == io.SEEK_END else offset
            return self.at

        def read(self, size: int = -1) -> bytes:
            piece = b"A line of this text, with blanks.  \n" * (size // 36 + 1)
            piece = piece[:size] if self.at < self.size // 2 else b"\n" * size
            self.at += size
            return piece if self.at < self.size else piece[:-1] + b"a"

    source = MediaSource(Endless())  # type: ignore[arg-type]
    tracemalloc.start()
    try:
        scan(source)
        assert tracemalloc.get_traced_memory()[1] < 40 * PIECE_BYTES
    finally:
        tracemalloc.stop()


def test_med_17_text_is_found_by_its_first_bytes() -> None:
    found = scan_essence(MediaSource.of_bytes(b"A verse with hitp2p:bafyrei in it"))
    assert (found.algorithm, found.display, found.tag_texts) == ("text/1", None, ())
