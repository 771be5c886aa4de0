"""PNG and APNG [MED-13]: which chunks are the picture, and where they may stand."""

from __future__ import annotations

import zlib
from hashlib import sha256
from itertools import pairwise

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
from hitp2p.limits import METADATA_BYTES

SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP_KEY = b"XML:com.adobe.xmp\0\0\0\0\0"
EXIF = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
HEADER = (1).to_bytes(4, "big") * 2 + bytes((8, 0, 0, 0, 0))
DATA = zlib.compress(b"\0\x7f")


def chunk(type: bytes, content: bytes = b"") -> bytes:
    crc = zlib.crc32(type + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + type + content + crc


START, PIXELS, END = SIGNATURE + chunk(b"IHDR", HEADER), chunk(b"IDAT", DATA), chunk(b"IEND")
PLAIN = START + PIXELS + END


def pieces() -> list[Piece]:
    """With checksums made anew a flipped text would pass; as they stand, any flip is refused."""
    texts = (
        chunk(b"tEXt", b"Comment\0hello"),
        chunk(b"iTXt", XMP_KEY + b"<a>hello</a>"),
        chunk(b"caBX", b"others"),
        chunk(b"eXIf", EXIF),
    )
    out = [Piece(START, "payload")]
    for text in texts:
        out += [
            Piece(text[:8], "frame"),
            Piece(text[8:-4], "metadata"),
            Piece(text[-4:], "frame"),
        ]
    return [*out, Piece(PIXELS + END, "payload")]


def test_med_13_the_payload_is_the_items() -> None:
    items = b"IHDR" + sha256(HEADER).digest() + b"IDAT" + sha256(DATA).digest()
    digest = sha256(b"hitp2p/essence/png/1\0" + items).digest()
    assert scan("png", PLAIN).digest == scan("png", joined(pieces())).digest == digest


def test_med_13_a_flipped_byte_is_noticed() -> None:
    holds_when_flipped("png", pieces())


@given(st.binary(min_size=1, max_size=60), st.sampled_from([b"tEXt", b"zTXt", b"tIME", b"caBX"]))
def test_med_13_any_text_leaves_the_essence(text: bytes, type: bytes) -> None:
    assert scan("png", START + chunk(type, text) + PIXELS + END) == scan("png", PLAIN)


@given(st.lists(st.integers(0, len(DATA)), max_size=6))
def test_med_13_how_the_data_are_cut_does_not_count(places: list[int]) -> None:
    cuts = [0, *sorted(places), len(DATA)]
    parts = [DATA[a:b] for a, b in pairwise(cuts)]
    data = START + b"".join(chunk(b"IDAT", part) for part in parts) + END
    assert scan("png", data).digest == scan("png", PLAIN).digest


@given(st.sampled_from([b"IHDR", b"IDAT"]), st.binary(max_size=30))
def test_med_13_another_content_is_another_essence(type: bytes, content: bytes) -> None:
    header = chunk(b"IHDR", content if type == b"IHDR" else HEADER)
    data = SIGNATURE + header + chunk(b"IDAT", content if type == b"IDAT" else DATA) + END
    try:
        found = scan("png", data)
    except DecodeError:
        return
    assert (found.digest == scan("png", PLAIN).digest) is (content in (HEADER, DATA))


def test_med_13_a_cut_file_is_refused() -> None:
    holds_when_cut("png", joined(pieces()))


@given(st.binary(max_size=300))
def test_med_13_random_bytes_raise_nothing_else(data: bytes) -> None:
    for start in (b"", SIGNATURE, START, START + PIXELS):
        raises_nothing_else("png", "MED-13", start + data)
    for type in (b"iTXt", b"eXIf", b"tRNS", b"PLTE", b"acTL", b"fcTL", b"fdAT", b"pHYs", b"IHDR"):
        content = XMP_KEY + data if type == b"iTXt" else data
        raises_nothing_else("png", "MED-13", START + chunk(type, content) + PIXELS + END)


def test_med_13_a_large_file_takes_little_memory() -> None:
    length, crc = 2**26, zlib.crc32(b"IDAT")
    for _ in range(64):
        crc = zlib.crc32(bytes(2**20), crc)
    start = START + length.to_bytes(4, "big") + b"IDAT"
    found = takes_little_memory("png", start, crc.to_bytes(4, "big") + END, n_zeros=length)
    assert found.digest != scan("png", PLAIN).digest


@pytest.mark.parametrize("behind", [PLAIN, b"PK\3\4", b"\0", PIXELS, END])
def test_med_13_nothing_may_follow_the_end(behind: bytes) -> None:
    assert "behind the last chunk" in refusal("png", PLAIN + behind).message


def test_med_13_a_second_picture_cannot_hide_in_a_text_or_in_the_data() -> None:
    hidden = START + chunk(b"tEXt", b"Comment\0" + PLAIN) + PIXELS + END
    assert scan("png", hidden).digest == scan("png", PLAIN).digest
    behind_the_stream = START + chunk(b"IDAT", DATA + DATA) + END
    assert scan("png", behind_the_stream).digest != scan("png", PLAIN).digest


def test_med_13_tags_of_4_mib_are_read_and_not_a_byte_more() -> None:
    head = b"<a>tiff:Orientation>8"
    packet = head + b" " * (METADATA_BYTES - len(XMP_KEY) - len(head))
    fits = START + chunk(b"iTXt", XMP_KEY + packet) + PIXELS + END
    assert scan("png", fits).display_notes == ("orientation 8",)
    refusal("png", START + chunk(b"iTXt", XMP_KEY + packet + b" ") + PIXELS + END)
    exif = EXIF + bytes(METADATA_BYTES - len(EXIF))
    assert scan("png", START + chunk(b"eXIf", exif) + PIXELS + END).display is not None
    refusal("png", START + chunk(b"eXIf", exif + b"\0") + PIXELS + END)


@pytest.mark.parametrize("data", valid_pictures("MED-13"))
def test_med_30_a_pointer_changes_nothing_that_is_shown(data: bytes) -> None:
    holds_when_pointed("png", data)


def test_med_30_a_new_packet_stands_behind_the_header() -> None:
    pointed = point("png", PLAIN)
    assert pointed.startswith(START)
    assert pointed.endswith(PIXELS + END)
    assert pointed[len(START) + 4 :].startswith(b"iTXt" + XMP_KEY)


def test_med_30_texts_are_looked_at_too() -> None:
    text = chunk(b"tEXt", b"Copyright\0Ana, " + POINTER.encode())
    assert scan("png", START + text + PIXELS + END).tag_texts == (f"Ana, {POINTER}",)
