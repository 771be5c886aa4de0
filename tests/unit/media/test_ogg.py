"""Ogg [MED-21]: the packets of one Vorbis or Opus stream, and a pointer in its comments [MED-30]."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sound_files import (
    NEWER,
    POINTER,
    asks,
    changed,
    holds_when_cut,
    point,
    refusal,
    scan,
    scan_within,
    sound,
)

from hitp2p.errors import DecodeError
from hitp2p.media.formats.ogg_pages import Page, iter_packets, iter_pages, paginate
from hitp2p.media.source import MediaSource

VORBIS, OPUS = sound("med-21-vorbis"), sound("med-21-opus")
SMALL, LARGE = b"\0s", b"\2l"
"""Packets of 64 and 256 samples in the setup of the vectors."""


def pages(data: bytes) -> list[Page]:
    return list(iter_pages(MediaSource.of_bytes(data)))


def packets(data: bytes) -> list[bytes]:
    return [packet.data for packet in iter_packets(MediaSource.of_bytes(data))]


def joined(*parts: Page) -> bytes:
    return b"".join(page.encode() for page in parts)


def comments(*lines: bytes) -> bytes:
    fields = b"".join(len(line).to_bytes(4, "little") + line for line in lines)
    return b"OpusTags\1\0\0\0v" + len(lines).to_bytes(4, "little") + fields


def opus(comment: bytes) -> bytes:
    """The Opus file of the vectors with another comment packet."""
    first, _, last = pages(OPUS)
    head = paginate([comment], first)
    return joined(first, *head, replace(last, sequence=len(head) + 1))


@pytest.mark.parametrize("name", ["med-21-vorbis", "med-21-vorbis-torn", "med-21-opus"])
def test_med_21_any_flipped_bit_is_noticed(name: str) -> None:
    data = sound(name)
    for place in range(len(data)):
        for bit in range(8):
            refusal("ogg", changed(data, place, 1 << bit))


@pytest.mark.parametrize("name", ["med-21-vorbis", "med-21-opus"])
def test_med_21_flipped_bits_under_a_right_checksum_count_only_outside_the_comment(
    name: str,
) -> None:
    before, parts = scan("ogg", sound(name)), pages(sound(name))
    n_comment = len(packets(sound(name))[1])
    for number, page in enumerate(parts):
        for place in range(len(page.body)):
            body = changed(page.body, place, 1)
            others = [*parts[:number], replace(page, body=body), *parts[number + 1 :]]
            try:
                after = scan("ogg", joined(*others))
            except DecodeError:
                continue
            same = after.digest == before.digest
            assert same is (number == 1 and place < n_comment), f"page {number}, byte {place}"


@pytest.mark.parametrize("name", ["med-21-vorbis-pages", "med-21-opus"])
def test_med_21_a_cut_file_is_refused(name: str) -> None:
    holds_when_cut("ogg", sound(name))
    assert all(refusal("ogg", sound(name)[:n]) for n in range(len(sound(name))))


@given(st.binary(max_size=300))
def test_med_21_random_bytes_raise_nothing_else(data: bytes) -> None:
    asks("ogg", data, "MED-21")
    asks("ogg", VORBIS + data, "MED-21")
    first, second, last = pages(VORBIS)
    for page in (first, second, last):
        if data:
            lacing = bytes([255] * (len(data) // 255) + [len(data) % 255])
            other = replace(page, body=data, lacing=lacing)
            asks(
                "ogg", joined(*(other if p is page else p for p in (first, second, last))), "MED-21"
            )


@given(st.lists(st.integers(1, 700), min_size=2, max_size=30), st.data())
def test_med_21_pages_do_not_count(lengths: list[int], draw: st.DataObject) -> None:
    sounds = [b"\2" + bytes(n) for n in lengths]
    lacing = b"".join(b"\xff" * (len(p) // 255) + bytes((len(p) % 255,)) for p in sounds)
    digests = set()
    for _ in range(2):
        ends = draw.draw(st.sets(st.integers(1, len(lacing) - 1)))
        digests.add(scan("ogg", paged(sounds, lacing, sorted({*ends, len(lacing)}))).digest)
    assert len(digests) == 1


def paged(sounds: list[bytes], lacing: bytes, ends: list[int]) -> bytes:
    """The Vorbis file of the vectors with these packets, whose pages end behind these segments."""
    first, second, last = pages(VORBIS)
    parts, start, at, body = [first, second], 0, 0, b"".join(sounds)
    for end in ends:
        segments = lacing[start:end]
        n_before = sum(length < 255 for length in lacing[:end])
        flags = (1 if start and lacing[start - 1] == 255 else 0) | (4 if end == ends[-1] else 0)
        parts.append(
            replace(
                last,
                flags=flags,
                granule=128 * (n_before - 1) if segments.rstrip(b"\xff") else -1,
                sequence=len(parts),
                lacing=segments,
                body=body[at : at + sum(segments)],
            )
        )
        start, at = end, at + sum(segments)
    return joined(*parts)


def test_med_21_a_large_file_takes_little_memory() -> None:
    first, second, last = pages(VORBIS)
    body, n_pages = (b"\2" + bytes(253)) * 255, 250
    file = io.BytesIO()
    file.write(joined(first, second))
    for number in range(n_pages):
        page = replace(
            last,
            flags=4 if number == n_pages - 1 else 0,
            granule=128 * (255 * (number + 1) - 1),
            sequence=number + 2,
            lacing=bytes([254]) * 255,
            body=body,
        )
        file.write(page.encode())
    scan_within("ogg", file.getvalue())


def test_med_21_a_packet_goes_on_over_256_pages_and_not_one_more() -> None:
    full = 255 * 255
    head = len(comments(b""))
    longest = comments(bytes(256 * full - head + 3))
    parts = pages(opus(longest))
    assert [page.granule for page in parts[1:-1]] == [-1] * 256 + [0]
    scan("ogg", opus(longest))
    assert "too long" in refusal("ogg", opus(comments(bytes(257 * full - head + 3)))).message


def test_med_21_a_second_stream_is_refused_wherever_it_stands() -> None:
    first, second, last = pages(VORBIS)
    other = [replace(page, serial=b"\1\2\3\4") for page in (first, second, last)]
    refusal("ogg", joined(first, second, last, *other))
    refusal("ogg", joined(first, other[0], second, other[1], last, other[2]))
    refusal("ogg", joined(first, second, other[2], last))


def test_med_30_the_pages_behind_a_longer_header_are_numbered_anew() -> None:
    long = comments(b"TITLE=" + b"x" * (255 * 255 - 40))
    data = opus(long)
    assert len(pages(data)) == 3
    written = point("ogg", data)
    assert [page.sequence for page in pages(written)] == [0, 1, 2, 3]
    assert pages(written)[-1] == replace(
        pages(data)[-1], sequence=3, offset=pages(written)[-1].offset
    )
    assert packets(written)[2:] == packets(data)[2:]


def test_med_30_other_lines_stay_and_so_does_what_stands_behind_them() -> None:
    data = opus(comments(b"TITLE=Hi") + b"\1kept")
    written = packets(point("ogg", data))[1]
    added = f"COMMENT={POINTER}".encode(), f"COPYRIGHT={POINTER}".encode()
    assert written == comments(b"TITLE=Hi", *added) + b"\1kept"


def test_med_30_a_newer_pointer_takes_the_place_of_an_older() -> None:
    older = point("ogg", VORBIS)
    newer = point("ogg", older, NEWER)
    assert packets(newer)[1] == packets(older)[1].replace(POINTER.encode(), NEWER.encode())
    assert packets(newer)[2:] == packets(VORBIS)[2:]
