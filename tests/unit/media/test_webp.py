"""WebP [MED-14]: simple, extended and animated files."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from picture_files import (
    Piece,
    holds_when_cut,
    holds_when_flipped,
    holds_when_pointed,
    joined,
    point,
    raises_nothing_else,
    refusal,
    scan,
    takes_little_memory,
    valid_pictures,
)

EXIF = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
LOSSY = b"\x10\0\0\x9d\x01\x2a\x10\0\x08\0pixels"
LOSSLESS = b"\x2f" + (15 | 7 << 14).to_bytes(4, "little") + b"pixels"
SIZE = b"\x0f\0\0\x07\0\0"


def chunk(type: bytes, content: bytes) -> bytes:
    return type + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2)


def webp(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def vp8x(flags: int) -> bytes:
    return chunk(b"VP8X", bytes((flags, 0, 0, 0)) + SIZE)


PLAIN = webp(chunk(b"VP8 ", LOSSY))
FRAME = bytes(6) + SIZE + b"\x64\0\0\0" + chunk(b"VP8 ", LOSSY)
ANIMATION = (chunk(b"ANIM", bytes(6)), chunk(b"ANMF", FRAME), chunk(b"ANMF", FRAME))


def pieces() -> list[Piece]:
    tags = (
        chunk(b"EXIF", EXIF),
        chunk(b"XMP ", b"<a>hello</a>"),
        chunk(b"C2PA", b"others"),
    )
    picture = chunk(b"VP8 ", LOSSY)
    data = webp(vp8x(0x0C), picture, *tags)
    out = [
        Piece(data[:20], "frame"),
        Piece(data[20:21], "metadata"),  # the flags of a still picture
        Piece(data[21:30], "payload"),
        Piece(picture, "payload"),
    ]
    for tag in tags:
        out += [Piece(tag[:8], "frame"), Piece(tag[8:], "metadata")]
    assert joined(out) == data
    return out


def test_med_14_the_payload_is_the_items() -> None:
    items = b"VP8 " + sha256(LOSSY).digest()
    digest = sha256(b"hitp2p/essence/webp/1\0" + items).digest()
    assert scan("webp", PLAIN).digest == scan("webp", joined(pieces())).digest == digest


def test_med_14_a_flipped_byte_counts_only_in_the_picture() -> None:
    holds_when_flipped("webp", pieces())


def test_med_14_a_flipped_byte_of_an_animation_is_noticed() -> None:
    head = webp(vp8x(2), *ANIMATION)[:20]
    flags = Piece(vp8x(2)[8:9], "frame")  # those of tags don't count, that of transparency does
    rest = Piece(vp8x(2)[9:] + b"".join(ANIMATION), "payload")
    holds_when_flipped("webp", [Piece(head, "payload"), flags, rest])


def test_med_14_a_cut_file_is_refused() -> None:
    holds_when_cut("webp", joined(pieces()))
    holds_when_cut("webp", webp(vp8x(2), *ANIMATION))


@given(st.binary(max_size=300))
def test_med_14_random_bytes_raise_nothing_else(data: bytes) -> None:
    raises_nothing_else("webp", "MED-14", data)
    raises_nothing_else("webp", "MED-14", webp(data))
    raises_nothing_else("webp", "MED-14", webp(vp8x(0x2C), chunk(b"VP8 ", LOSSY), data))
    for type in (b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ICCP", b"EXIF", b"XMP "):
        raises_nothing_else("webp", "MED-14", webp(chunk(type, data)))
        odd = webp(vp8x(0x3C), chunk(type, data), chunk(b"VP8 ", LOSSY))
        raises_nothing_else("webp", "MED-14", odd)
    for type in (b"ANIM", b"ANMF"):
        raises_nothing_else("webp", "MED-14", webp(vp8x(2), ANIMATION[0], chunk(type, data)))


def test_med_14_a_large_file_takes_little_memory() -> None:
    length = 2**26
    size = (12 + len(LOSSY) + length).to_bytes(4, "little")
    head = b"VP8 " + (len(LOSSY) + length).to_bytes(4, "little")
    found = takes_little_memory(
        "webp", b"RIFF" + size + b"WEBP" + head + LOSSY, b"", n_zeros=length
    )
    assert found.digest != scan("webp", PLAIN).digest


def test_med_14_a_picture_behind_the_tags_is_another_or_refused() -> None:
    other = chunk(b"VP8 ", LOSSY + b"!!")
    refusal("webp", webp(vp8x(4), chunk(b"VP8 ", LOSSY), chunk(b"XMP ", b"x"), other))
    moved = webp(vp8x(4), chunk(b"XMP ", b"x"), chunk(b"VP8 ", LOSSY))
    assert scan("webp", moved).digest == scan("webp", PLAIN).digest


def test_med_14_the_order_of_frames_counts() -> None:
    other = FRAME[:-1] + b"!"
    one = webp(vp8x(2), ANIMATION[0], chunk(b"ANMF", FRAME), chunk(b"ANMF", other))
    two = webp(vp8x(2), ANIMATION[0], chunk(b"ANMF", other), chunk(b"ANMF", FRAME))
    assert scan("webp", one).digest != scan("webp", two).digest


@pytest.mark.parametrize("data", valid_pictures("MED-14"))
def test_med_30_a_pointer_changes_nothing_that_is_shown(data: bytes) -> None:
    pointed = holds_when_pointed("webp", data)
    assert int.from_bytes(pointed[4:8], "little") == len(pointed) - 8


@pytest.mark.parametrize(
    ("content", "flags"), [(b"VP8 " + LOSSY, 0x04), (b"VP8L" + LOSSLESS, 0x04)]
)
def test_med_30_a_simple_file_gets_the_extended_header(content: bytes, flags: int) -> None:
    picture = chunk(content[:4], content[4:])
    pointed = point("webp", webp(picture))
    assert pointed[12:].startswith(vp8x(flags) + picture + b"XMP ")


def test_med_30_transparency_is_announced_in_a_new_header() -> None:
    clear = LOSSLESS[:4] + b"\x10" + LOSSLESS[5:]
    assert point("webp", webp(chunk(b"VP8L", clear)))[12:].startswith(vp8x(0x14))
