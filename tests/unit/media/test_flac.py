"""FLAC [MED-19]: metadata blocks before frames, and a pointer in the comments [MED-30]."""

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

INFO = sound("med-19-plain")[8:42]
FRAMES = sound("med-19-plain")[42:]
STREAMINFO, PADDING, APPLICATION, COMMENT, PICTURE = 0, 1, 2, 4, 6


def comments(*lines: bytes) -> bytes:
    fields = b"".join(len(line).to_bytes(4, "little") + line for line in lines)
    return b"\1\0\0\0v" + len(lines).to_bytes(4, "little") + fields


def flac(*blocks: tuple[int, bytes]) -> bytes:
    """STREAMINFO, these blocks, frames."""
    every = [(STREAMINFO, INFO), *blocks]
    data = b"fLaC"
    for place, (kind, content) in enumerate(every):
        is_last = place == len(every) - 1
        data += bytes((kind | is_last << 7,)) + len(content).to_bytes(3, "big") + content
    return data + FRAMES


def blocks(data: bytes) -> list[tuple[int, bytes]]:
    """The blocks behind STREAMINFO."""
    found, at, is_last = [], 4, False
    while not is_last:
        is_last, length = data[at] > 127, int.from_bytes(data[at + 1 : at + 4], "big")
        found.append((data[at] & 127, data[at + 4 : at + 4 + length]))
        at += 4 + length
    assert data[at:] == FRAMES
    return found[1:]


def lines(data: bytes) -> list[bytes]:
    """The lines of the comment block."""
    (content,) = (content for kind, content in blocks(data) if kind == COMMENT)
    vendor = 4 + int.from_bytes(content[:4], "little")
    found, at = [], vendor + 4
    for _ in range(int.from_bytes(content[vendor:at], "little")):
        end = at + 4 + int.from_bytes(content[at : at + 4], "little")
        found.append(content[at + 4 : end])
        at = end
    assert at == len(content)
    return found


def test_med_19_a_flipped_byte_counts_only_in_streaminfo_and_frames() -> None:
    data = sound("med-19-every-block")
    holds_when_flipped("flac", data, [*range(8, 42), *range(len(data) - len(FRAMES), len(data))])


def test_med_19_a_flipped_byte_of_a_speaker_mask_shows() -> None:
    data = sound("med-19-speakers")
    start = data.index(b"0x003F")
    holds_when_flipped(
        "flac",
        data,
        [*range(8, 42), *range(len(data) - len(FRAMES), len(data))],
        shown=range(42, start + 6),
    )


def test_med_19_a_cut_file_is_refused_or_another() -> None:
    holds_when_cut("flac", flac((PADDING, bytes(9))))


@given(st.binary(max_size=300))
def test_med_19_random_bytes_raise_nothing_else(data: bytes) -> None:
    for start in (b"", b"fLaC", sound("med-19-plain")[:42], b"fLaC\0\0\0\x22" + INFO, b"ID3\4\0\0"):
        asks("flac", start + data, "MED-19")
    asks("flac", flac((COMMENT, data)), "MED-19")
    asks("flac", flac((PICTURE, data)), "MED-19")


def test_med_19_a_large_file_takes_little_memory() -> None:
    frames = FRAMES + bytes(16 * 1024 * 1024)
    found = scan_within("flac", sound("med-19-plain")[:42] + frames)
    assert found.digest == sha256(b"hitp2p/essence/flac/1\0" + INFO + frames).digest()


def test_med_19_frames_hidden_behind_a_picture_that_is_too_long_are_refused() -> None:
    picture = bytes(3) + b"\3" + bytes(8) + bytes(16) + (40).to_bytes(4, "big") + b"pic"
    refusal("flac", flac((PICTURE, picture), (APPLICATION, bytes(41) + FRAMES)))


def test_med_19_a_second_song_behind_the_first_is_another_work() -> None:
    one = sound("med-19-plain")
    assert scan("flac", one + one).digest != scan("flac", one).digest


def test_med_30_a_file_without_comments_gets_some_behind_streaminfo() -> None:
    written = point("flac", flac())
    assert blocks(written)[0][0] == COMMENT
    assert lines(written) == [f"COMMENT={POINTER}".encode(), f"COPYRIGHT={POINTER}".encode()]


def test_med_30_other_blocks_stay_and_padding_gives_room() -> None:
    others = [(APPLICATION, b"appl"), (PICTURE, bytes(32)), (9, b"?")]
    data = flac(others[0], (COMMENT, comments(b"TITLE=Hi")), *others[1:], (PADDING, bytes(400)))
    written = point("flac", data)
    assert len(written) == len(data)
    kept = [block for block in blocks(written) if block[0] not in (COMMENT, PADDING)]
    assert kept == others
    assert lines(written)[0] == b"TITLE=Hi"
    assert blocks(written)[-1] == (PADDING, bytes(len(blocks(written)[-1][1])))


def test_med_30_too_little_padding_stays_as_it_is() -> None:
    data = flac((COMMENT, comments()), (PADDING, bytes(5)))
    assert blocks(point("flac", data))[-1] == (PADDING, bytes(5))


def test_med_30_a_newer_pointer_takes_the_place_of_an_older() -> None:
    ours = [b"Comment=mine", f"description=see {POINTER}!".encode(), b"COPYRIGHT=\xff"]
    written = point("flac", flac((COMMENT, comments(*ours))), NEWER)
    assert lines(written) == [
        b"Comment=mine",
        f"description=see {NEWER}!".encode(),
        b"COPYRIGHT=\xff",
        f"COPYRIGHT={NEWER}".encode(),
    ]
    assert POINTER.encode() in point("flac", written)


def test_med_30_a_pointer_in_another_line_stays() -> None:
    site = f"SOURCE={POINTER}".encode()
    assert site in lines(point("flac", flac((COMMENT, comments(site))), NEWER))


def test_med_30_an_id3_tag_in_front_stays() -> None:
    written = point("flac", sound("med-19-id3v2"))
    assert written.startswith(sound("med-19-id3v2")[:21])


def test_med_30_comments_that_outgrow_their_block_are_refused() -> None:
    full = comments(b"A=" + bytes((1 << 24) - 100))
    scan("flac", flac((COMMENT, full)))
    with pytest.raises(InvalidError, match="shorten them"):
        point("flac", flac((COMMENT, full)))
