"""JPEG [MED-12]: which segments are the picture, and what makes decoders differ."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from picture_files import (
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
    takes_little_memory,
    valid_pictures,
)

from hitp2p.errors import DecodeError

XAP = b"http://ns.adobe.com/xap/1.0/\0"
EXIF = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


FRAME = segment(0xC0, bytes.fromhex("080008000801011100"))
TABLES = segment(0xDB, bytes(65)) + segment(0xC4, bytes(17)) + segment(0xDD, b"\0\1")
SCAN = segment(0xDA, bytes.fromhex("010100003f00")) + b"\x2a\xff\x00\x55\xff\xd0\x11"
PICTURE = TABLES + FRAME + SCAN
PLAIN = b"\xff\xd8" + PICTURE + b"\xff\xd9"
JFIF = segment(0xE0, b"JFIF\0\1\2\0\0\1\0\1\0\0")


def with_segments(*segments: bytes) -> bytes:
    return b"\xff\xd8" + b"".join(segments) + PICTURE + b"\xff\xd9"


def pieces() -> list[Piece]:
    out = [Piece(b"\xff\xd8", "payload")]
    for marker, content in (
        (0xE0, JFIF[4:]),
        (0xE1, EXIF),
        (0xE1, XAP + b"<a>hello</a>"),
        (0xFE, b"a comment"),
        (0xED, b"Photoshop"),
    ):
        out.append(Piece(segment(marker, content)[:4], "frame"))
        out.append(Piece(content, "metadata"))
    return [*out, Piece(PICTURE + b"\xff\xd9", "payload")]


def test_med_12_the_payload_is_the_file_without_metadata() -> None:
    digest = sha256(b"hitp2p/essence/jpeg/1\0" + PLAIN).digest()
    assert scan("jpeg", PLAIN).digest == scan("jpeg", joined(pieces())).digest == digest


def test_med_12_a_flipped_byte_counts_only_in_the_picture() -> None:
    holds_when_flipped("jpeg", pieces())


def test_med_12_a_cut_file_is_refused() -> None:
    holds_when_cut("jpeg", joined(pieces()))


@given(st.binary(max_size=300))
def test_med_12_random_bytes_raise_nothing_else(data: bytes) -> None:
    for start in (b"", b"\xff\xd8", PLAIN[:-2], with_segments(segment(0xE1, XAP))[:-2]):
        for end in (b"", b"\xff\xd9"):
            raises_nothing_else("jpeg", "MED-12", start + data + end)
    raises_nothing_else("jpeg", "MED-12", with_segments(segment(0xE1, b"Exif\0\0II*\0" + data)))
    raises_nothing_else("jpeg", "MED-12", with_segments(segment(0xE1, XAP + data)))


def test_med_12_a_large_file_takes_little_memory() -> None:
    found = takes_little_memory("jpeg", PLAIN[:-2], b"\xff\xd9")
    assert found.digest != scan("jpeg", PLAIN).digest


@pytest.mark.parametrize("shift", range(4))
def test_med_12_a_marker_on_the_edge_of_what_is_read_at_once_is_seen(shift: int) -> None:
    start = PLAIN[:-2]
    zeros = bytes(2**20 - len(SCAN) + len(segment(0xDA, bytes(6))) - shift)
    comment = segment(0xFE, b"hidden?")
    plain = start + zeros + b"\xff\xd9"
    assert scan("jpeg", start + zeros + comment + b"\xff\xd9").digest == scan("jpeg", plain).digest
    stuffed = start + zeros + b"\xff\x00\xff\xd7" + b"\xff\xd9"
    assert scan("jpeg", stuffed).digest != scan("jpeg", plain).digest


@pytest.mark.parametrize(
    "behind",
    [PLAIN, b"PK\3\4", b"\xff\xd9", b"\0", b"ftypmp42", b"MotionPhoto_Data"],
    ids=["a picture", "a zip", "a second end", "a zero", "a film", "a motion photo"],
)
def test_med_12_nothing_may_follow_the_picture(behind: bytes) -> None:
    assert "behind the picture" in refusal("jpeg", PLAIN + behind).message


def test_med_12_an_embedded_thumbnail_is_metadata() -> None:
    thumbnail = segment(0xE0, b"JFXX\0\x10" + PLAIN)
    exif = segment(0xE1, EXIF.replace(b"\x06\0", b"\x01\0") + PLAIN)
    found = scan("jpeg", with_segments(thumbnail, exif, segment(0xED, PLAIN)))
    assert (found.digest, found.display) == (scan("jpeg", PLAIN).digest, None)


def test_med_12_error_says_where() -> None:
    data = with_segments(JFIF, JFIF)
    assert refusal("jpeg", data).offset == 2 + len(JFIF)


@pytest.mark.parametrize("data", valid_pictures("MED-12"))
def test_med_30_a_pointer_changes_nothing_that_is_shown(data: bytes) -> None:
    holds_when_pointed("jpeg", data)


def test_med_30_a_new_packet_stands_behind_jfif_and_exif() -> None:
    exif = segment(0xE1, EXIF)
    pointed = point("jpeg", with_segments(JFIF, exif, segment(0xFE, b"x")))
    start = b"\xff\xd8" + JFIF + exif + b"\xff\xe1"
    assert pointed.startswith(start)
    assert pointed.endswith(segment(0xFE, b"x") + PICTURE + b"\xff\xd9")


def test_med_30_a_packet_without_room_is_refused_and_padding_gives_way() -> None:
    rdf = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><!--%b--></rdf:RDF>%b<?xpacket end="w"?>'
    room = 65533 - len(XAP)
    padding = room - len(rdf % (b"", b""))
    pointed = point("jpeg", with_segments(segment(0xE1, XAP + rdf % (b"", b" " * padding))))
    assert scan("jpeg", pointed).tag_texts == (POINTER, POINTER)
    assert b"  " not in pointed
    full = with_segments(segment(0xE1, XAP + rdf % (b"x" * padding, b"")))
    with pytest.raises(
        DecodeError, match=r"can't be edited safely: .* at most 65504 fit"
    ) as caught:
        point("jpeg", full)
    assert caught.value.rule == "MED-12"
