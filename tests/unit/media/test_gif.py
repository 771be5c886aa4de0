"""GIF [MED-15]: blocks that are the picture, and comments."""

from __future__ import annotations

import tracemalloc
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from picture_files import (
    OTHER_POINTER,
    POINTER,
    Piece,
    holds_when_cut,
    holds_when_flipped,
    holds_when_pointed,
    joined,
    point,
    raises_nothing_else,
    refusal,
    scan,
    valid_pictures,
)

from hitp2p.limits import METADATA_BYTES

SCREEN = b"\1\0\1\0\x80\0\0" + bytes(6)
IMAGE = b"\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"
CONTROL = b"\x21\xf9\4\0\x0a\0\0\0"
LOOP = b"\x21\xff\x0bNETSCAPE2.0\3\1\0\0\0"


def sub_blocks(content: bytes) -> bytes:
    cut = [content[at : at + 255] for at in range(0, len(content), 255)]
    return b"".join(bytes((len(part),)) + part for part in cut) + b"\0"


def comment(text: bytes) -> bytes:
    return b"\x21\xfe" + sub_blocks(text)


def gif(*blocks: bytes) -> bytes:
    return b"GIF89a" + SCREEN + b"".join(blocks) + b"\x3b"


PLAIN = gif(IMAGE)


def pieces() -> list[Piece]:
    return [
        Piece(b"GIF89a", "metadata"),
        Piece(SCREEN + LOOP, "payload"),
        Piece(b"\x21\xfe\5", "frame"),
        Piece(b"hello", "metadata"),
        Piece(b"\0", "frame"),
        Piece(CONTROL + IMAGE, "payload"),
        Piece(b"\x21\xff\x0bXMP DataXMP\x0c", "frame"),
        Piece(b"<a>hello</a>", "metadata"),
        Piece(b"\0", "frame"),
        Piece(b"\x3b", "payload"),
    ]


def test_med_15_the_payload_is_the_file_without_comments() -> None:
    payload = gif(LOOP, CONTROL, IMAGE)[6:]
    digest = sha256(b"hitp2p/essence/gif/1\0" + payload).digest()
    assert scan("gif", joined(pieces())).digest == digest


def test_med_15_a_flipped_byte_counts_only_in_the_picture() -> None:
    holds_when_flipped("gif", pieces())


def test_med_15_a_cut_file_is_refused() -> None:
    holds_when_cut("gif", joined(pieces()))


@given(st.binary(max_size=300))
def test_med_15_random_bytes_raise_nothing_else(data: bytes) -> None:
    for start in (b"", b"GIF89a", PLAIN[:-1], PLAIN[:-1] + b"\x21\xff\x0bXMP DataXMP"):
        for end in (b"", b"\x3b", b"\0\x3b"):
            raises_nothing_else("gif", "MED-15", start + data + end)


def test_med_15_a_large_file_takes_little_memory() -> None:
    data = gif(IMAGE[:-1] + (b"\xff" + bytes(255)) * 2**17 + b"\0")
    tracemalloc.start()
    try:
        found = scan("gif", data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.digest == sha256(b"hitp2p/essence/gif/1\0" + data[6:]).digest()
    assert peak < 8 * 1024 * 1024


@pytest.mark.parametrize("behind", [PLAIN, b"\x3b", b"\0", b"PK\3\4"])
def test_med_15_nothing_may_follow_the_trailer(behind: bytes) -> None:
    assert "behind the trailer" in refusal("gif", PLAIN + behind).message


def test_med_15_a_picture_in_a_comment_is_not_shown() -> None:
    assert scan("gif", gif(comment(PLAIN), IMAGE)).digest == scan("gif", PLAIN).digest


def test_med_15_how_often_and_how_long_frames_are_shown_counts() -> None:
    digests = {
        scan("gif", gif(*blocks)).digest
        for blocks in (
            (CONTROL, IMAGE),
            (LOOP, CONTROL, IMAGE),
            (LOOP.replace(b"\3\1\0", b"\3\1\1"), CONTROL, IMAGE),
            (CONTROL.replace(b"\x0a", b"\x0b"), IMAGE),
        )
    }
    assert len(digests) == 4


def test_med_15_tags_over_4_mib_are_refused() -> None:
    n_parts = METADATA_BYTES // 256
    block = b"\x21\xfe" + (b"\xff" + b"x" * 255) * (n_parts - 1) + b"\xfe" + b"x" * 254 + b"\0"
    assert scan("gif", gif(block, IMAGE)).digest == scan("gif", PLAIN).digest
    longer = block[:-1] + b"\1x\0"
    assert "more than" in refusal("gif", gif(longer, IMAGE)).message


@pytest.mark.parametrize("data", valid_pictures("MED-15"))
def test_med_30_a_pointer_changes_nothing_that_is_shown(data: bytes) -> None:
    assert holds_when_pointed("gif", data).startswith(b"GIF89a")


def test_med_30_a_comment_with_a_pointer_keeps_its_other_words() -> None:
    said = "caf\xe9 ".encode() + OTHER_POINTER.encode() + b" \xff"
    pointed = point("gif", gif(comment(b"another"), comment(said), IMAGE))
    assert pointed == gif(
        comment(b"another"), comment(said.replace(OTHER_POINTER.encode(), POINTER.encode())), IMAGE
    )


def test_med_30_a_new_comment_stands_before_the_first_picture_and_its_control() -> None:
    assert point("gif", gif(LOOP, CONTROL, IMAGE)) == gif(
        LOOP, comment(POINTER.encode()), CONTROL, IMAGE
    )
