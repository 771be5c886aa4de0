"""MP3 [MED-18]: tags around frames, and a pointer in ID3v2 [MED-30]."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sound_files import (
    NEWER,
    POINTER,
    asks,
    holds_when_cut,
    holds_when_flipped,
    point,
    refusal,
    scan,
    scan_within,
    sound,
)

from hitp2p.errors import InvalidError

FRAME = bytes.fromhex("ffe318c4") + b"\1" * 68
FRAMES = sound("med-18-frames")
ALL_TAGS = sound("med-18-all-tags")


def syncsafe(number: int) -> bytes:
    return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))


def frame(name: bytes, content: bytes, version: int = 4, flags: bytes = b"\0\0") -> bytes:
    size = len(content)
    return name + (syncsafe(size) if version == 4 else size.to_bytes(4, "big")) + flags + content


def tag(*frames: bytes, version: int = 4, flags: int = 0, padding: int = 0) -> bytes:
    body = b"".join(frames) + bytes(padding)
    return b"ID3" + bytes((version, 0, flags)) + syncsafe(len(body)) + body


TITLE = frame(b"TIT2", b"\3Hi")


def test_med_18_a_flipped_byte_counts_only_in_the_frames() -> None:
    start = ALL_TAGS.index(FRAME)
    holds_when_flipped("mp3", ALL_TAGS, range(start, start + len(FRAMES)))


def test_med_18_a_flipped_byte_of_a_summary_counts_for_what_is_shown_alone() -> None:
    data = sound("med-18-trim")
    holds_when_flipped("mp3", data, range(72, len(data)), shown=range(17, 72), shape=range(17))


def test_med_18_a_cut_file_is_refused_or_another() -> None:
    holds_when_cut("mp3", tag(TITLE) + FRAMES)


@given(st.binary(max_size=400))
def test_med_18_random_bytes_raise_nothing_else(data: bytes) -> None:
    for start in (b"", b"ID3\4\0\0\0\0\0", FRAMES, FRAMES + b"APETAGEX", tag(TITLE) + FRAMES):
        for end in (b"", b"LYRICS200", b"TAG" + bytes(125)):
            asks("mp3", start + data + end, "MED-18")


def test_med_18_a_large_file_takes_little_memory() -> None:
    data = FRAME * 200_000
    assert scan_within("mp3", data).digest == sha256(b"hitp2p/essence/mp3/1\0" + data).digest()


@pytest.mark.parametrize("hidden", [FRAME, b"\xff\xe0", b"\xff\xff"])
def test_med_18_nothing_like_a_frame_hides_in_a_trailing_tag(hidden: bytes) -> None:
    footer = b"APETAGEX" + (2000).to_bytes(4, "little") + (32 + len(hidden)).to_bytes(4, "little")
    data = FRAMES + hidden + footer + bytes(16)
    assert "hide a frame" in refusal("mp3", data).message


def test_med_18_a_second_song_behind_the_tags_is_refused() -> None:
    other = bytes.fromhex("ffe318c4") + b"\2" * 68
    refusal("mp3", ALL_TAGS + other + other)
    refusal("mp3", FRAMES + b"TAG" + bytes(125) + other)


def test_med_30_a_file_without_a_tag_gets_one() -> None:
    written = point("mp3", FRAMES)
    assert written[:4] == b"ID3\3"
    assert written.endswith(FRAMES)
    assert scan("mp3", written).tag_texts == (POINTER, POINTER)


def test_med_30_other_tags_stay_and_padding_gives_room() -> None:
    data = tag(TITLE, frame(b"PRIV", b"x\0\xff\xfb"), padding=300) + FRAMES + b"TAG" + bytes(125)
    written = point("mp3", data)
    assert len(written) == len(data)
    assert written[10 : 10 + len(TITLE)] == TITLE
    assert b"PRIV\0\0\0\4\0\0x\0\xff\xfb" in written
    assert written.endswith(data[-128 - len(FRAMES) :])


@pytest.mark.parametrize(
    ("version", "encoding", "codec"),
    [(3, 0, "latin-1"), (3, 1, "utf-16"), (4, 1, "utf-16"), (4, 2, "utf-16-be"), (4, 3, "utf-8")],
)
def test_med_30_a_comment_keeps_its_words_in_its_encoding(
    version: int, encoding: int, codec: str
) -> None:
    zero = "\0".encode(codec if codec != "utf-16" else "utf-16-le")
    described = frame(b"COMM", bytes((encoding,)) + b"eng" + "d".encode(codec) + zero, version)
    mark = b"\xff\xfe" if encoding == 1 else b""
    content = bytes((encoding,)) + b"deu" + mark + zero + "fühlt".encode(codec) + zero
    data = tag(described, frame(b"COMM", content, version), version=version) + FRAMES
    written = point("mp3", data)
    assert described in written
    expected = bytes((encoding,)) + b"deu" + mark + zero + f"fühlt {POINTER}".encode(codec)
    assert frame(b"COMM", expected, version) in written


def test_med_30_a_newer_pointer_takes_the_place_of_an_older() -> None:
    ffmpegs = frame(b"TXXX", b"\3comment\0mine; " + POINTER.encode() + b"; yours\0")
    older = point("mp3", tag(ffmpegs) + FRAMES)
    newer = point("mp3", older, NEWER)
    assert POINTER.encode() not in newer
    assert newer == older.replace(POINTER.encode(), NEWER.encode())


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("ID3v2.2", tag(b"TT2\0\0\3\0Hi", version=2)),
        ("unsynchronised", tag(TITLE, flags=0x80)),
        ("with an extended header", tag(TITLE, flags=0x40)),
        ("with a footer", tag(TITLE, flags=0x10) + b"3DI" + tag(TITLE, flags=0x10)[3:10]),
        ("iTunes' sizes", tag(b"TIT2\0\0\0\x82\0\0" + bytes(130))),
        ("a frame that leaves the tag", tag(b"TIT2\0\0\0\x20\0\0\3Hi")),
        ("an empty frame", tag(frame(b"TIT2", b""))),
        ("an encrypted comment", tag(frame(b"COMM", b"\0eng\0x", flags=b"\0\4"))),
        ("a compressed copyright", tag(frame(b"TCOP", b"\0x", 3, b"\0\x80"), version=3)),
        ("an unknown encoding", tag(frame(b"TCOP", b"\4x"))),
        ("a text of another encoding", tag(frame(b"TCOP", b"\3\xff"))),
        ("UTF-16 without byte order", tag(frame(b"TCOP", b"\1ab"))),
        ("something in the padding", tag(TITLE, b"\0" * 8 + b"x")),
        ("half a frame", tag(TITLE, b"TPE1")),
    ],
)
def test_med_30_a_tag_that_cannot_be_edited_safely_is_refused(name: str, data: bytes) -> None:
    scan("mp3", data + FRAMES)
    with pytest.raises(InvalidError, match="save its tags anew"):
        point("mp3", data + FRAMES)


def test_med_30_a_tag_of_16_mib_is_edited_and_not_a_byte_more() -> None:
    written = point("mp3", tag(frame(b"APIC", b"x", 3), version=3) + FRAMES)
    longest = 16 * 1024 * 1024 - (len(written) - len(FRAMES)) + 1
    assert len(point("mp3", tag(frame(b"APIC", bytes(longest), 3), version=3) + FRAMES)) == (
        16 * 1024 * 1024 + len(FRAMES)
    )
    for more in (1, 1024):
        with pytest.raises(InvalidError, match="is not edited"):
            point("mp3", tag(frame(b"APIC", bytes(longest + more), 3), version=3) + FRAMES)


def test_texts_are_found_in_other_places_too() -> None:
    site = frame(b"TXXX", b"\0url\0see " + POINTER.encode())
    assert scan("mp3", tag(TITLE, site) + FRAMES).tag_texts == (f"url see {POINTER}",)
