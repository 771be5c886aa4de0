"""MP4, M4A and QuickTime: what counts, what doesn't, and within which bounds. Single faults are vectors of MED-22."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spec_vectors import Vector, by_id, load

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.errors import DecodeError, InvalidError
from hitp2p.media.essence import FoundEssence, scan_essence
from hitp2p.media.formats.mp4 import scan, write_pointer
from hitp2p.media.pointer import find_pointers, pointer_text
from hitp2p.media.source import MediaSource

VALID = [v for v in load("essence-video.json", "essence") if v.expect == "valid"]
BY_NAME = {v.id.removeprefix("med-22-"): v.data for v in VALID}
FILM = BY_NAME["film"]
INDEX_FIRST = BY_NAME["index-first"]
WORK, OTHER = Cid.of(DAG_CBOR, b"work"), Cid.of(DAG_CBOR, b"other")


def read(data: bytes) -> FoundEssence:
    return scan(MediaSource.of_bytes(data))


def pointed(data: bytes, cid: Cid = WORK) -> bytes:
    sink = io.BytesIO()
    write_pointer(MediaSource.of_bytes(data), sink, pointer_text(cid))
    return sink.getvalue()


def box(name: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), name) + body


# --- what counts ----------------------------------------------------------------------------------

NO_MATTER = {
    b"ftyp": range(99),
    b"mvhd": [*range(4, 20), *range(26, 36), *range(72, 100)],
    b"tkhd": [1, 2, 3, *range(4, 32), *range(34, 40), *range(76, 84)],
    b"mdhd": [1, 2, 3, *range(4, 12), *range(16, 24)],
    b"hdlr": [*range(8), *range(12, 99)],
    b"dref": [13, 14],
    b"stts": [1, 2, 3, *range(28, 32)],
    b"stsd": [],
    b"stsc": [1, 2, 3],
    b"stsz": [1, 2, 3],
    b"stco": [1, 2, 3],
    b"avc1": [*range(6), *range(8, 24), *range(28, 74)],
    b"mp4a": [*range(6), *range(10, 28)],
    b"esds": range(29),
}
"""Bytes of the content of each box in FILM that may change nothing. (Those of `tkhd` that matter in some track have vectors.)"""
HOLDERS = {b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl", b"stsd", b"avc1", b"mp4a", b"dref"}
SKIPPED = {b"stsd": 8, b"avc1": 78, b"mp4a": 28, b"dref": 8}


def free_places(data: bytes, start: int, end: int) -> set[int]:
    """Where NO_MATTER lies in a file."""
    found: set[int] = set()
    while start < end:
        size, name = struct.unpack(">I4s", data[start : start + 8])
        found |= {start + 8 + at for at in NO_MATTER.get(name, ())}
        if name in HOLDERS:
            found |= free_places(data, start + 8 + SKIPPED.get(name, 0), start + size)
        start += size
    return found


@pytest.mark.parametrize("mask", [1, 0x80, 0xFF])
def test_med_22_any_flipped_byte_changes_the_answer_or_is_in_a_place_known_not_to_matter(
    mask: int,
) -> None:
    whole, places = read(FILM), free_places(FILM, 0, len(FILM))
    unnoticed = set()
    for at in range(len(FILM)):
        data = bytearray(FILM)
        data[at] ^= mask
        try:
            found = read(bytes(data))
        except DecodeError:
            continue
        if (found.digest, found.display) == (whole.digest, whole.display):
            unnoticed.add(at)
    assert sorted(unnoticed - places) == []


def test_med_22_any_flipped_byte_of_a_sample_changes_the_digest() -> None:
    whole, start = read(FILM).digest, FILM.index(b"first picture")
    end = FILM.index(b"aac 333") + 7
    digests = set()
    for at in range(start, end):
        data = bytearray(FILM)
        data[at] ^= 1
        digests.add(read(bytes(data)).digest)
    assert len(digests) == end - start
    assert whole not in digests


@pytest.mark.parametrize("data", [FILM, INDEX_FIRST])
def test_med_22_a_film_cut_anywhere_is_refused(data: bytes) -> None:
    for length in range(len(data)):
        with pytest.raises(DecodeError):
            read(data[:length])


@given(
    st.sampled_from(sorted(BY_NAME.values())),
    st.lists(st.tuples(st.integers(0, 2**20), st.binary(max_size=8)), min_size=1, max_size=6),
)
def test_med_22_damaged_films_raise_nothing_but_our_errors(
    data: bytes, edits: list[tuple[int, bytes]]
) -> None:
    for at, new in edits:
        at %= len(data)
        data = data[:at] + new + data[at + len(new) :]
    rules = {"MED-22"}
    for ask in (read, pointed):
        try:
            ask(data)
        except InvalidError as error:
            rules.add(error.rule)
    assert rules == {"MED-22"}


@given(st.binary(max_size=200))
def test_med_22_random_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        read(box(b"ftyp", b"isom", bytes(4)) + data)


def test_med_22_is_found_by_the_first_bytes() -> None:
    assert scan_essence(MediaSource.of_bytes(FILM)) == read(FILM)


def test_med_22_says_in_words_what_changes_the_display() -> None:
    assert read(BY_NAME["delay-start"]).display_notes == ("vide 1 delay 0.5", "vide 1 start 0.1")
    assert read(BY_NAME["rotated"]).display_notes == ("vide 1 rotated 90",)


# --- bounds ---------------------------------------------------------------------------------------


def long_film(n_samples: int, *, sizes: bytes, data: bytes) -> bytes:
    """FILM's pictures with other tables: one chunk for every sample."""
    start = FILM.index(b"mdat") + 4
    offsets = b"".join(struct.pack(">I", start + n) for n in range(n_samples))
    tables = {
        b"stts": struct.pack(">IIII", 0, 1, n_samples, 512),
        b"stsz": sizes,
        b"stco": struct.pack(">II", 0, n_samples) + offsets,
    }
    moov = FILM[FILM.index(b"moov") - 4 :]
    for name, content in tables.items():
        at = moov.index(name) - 4
        size = int.from_bytes(moov[at : at + 4], "big")
        moov = grown(moov, at, size, box(name, content))
    sound = moov.rindex(b"trak") - 4
    moov = grown(moov, sound, len(moov) - sound, b"")
    return FILM[: start - 8] + box(b"mdat", data) + moov


def grown(moov: bytes, at: int, size: int, new: bytes) -> bytes:
    """`moov` with a box replaced, and the sizes of all boxes around it."""
    data = bytearray(moov)
    for name in HOLDERS:
        place = moov.find(name) - 4
        while 0 <= place < at:
            old = int.from_bytes(moov[place : place + 4], "big")
            if place + old >= at + size:
                data[place : place + 4] = struct.pack(">I", old + len(new) - size)
            place = moov.find(name, place + 5) - 4
    data[at : at + size] = new
    return bytes(data)


def test_med_22_memory_stays_flat_however_many_samples_there_are() -> None:
    n = 200_000
    sizes = struct.pack(">III", 0, 0, n) + struct.pack(">I", 1) * n
    data = long_film(n, sizes=sizes, data=bytes(n))
    source = MediaSource.of_bytes(data)
    tracemalloc.start()
    try:
        scan(source)
        assert tracemalloc.get_traced_memory()[1] < 3 * 1024 * 1024
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("sizes", [struct.pack(">III", 0, 2**31, 3), struct.pack(">III", 0, 9, 3)])
def test_med_22_samples_that_are_read_again_and_again_are_refused_at_once(sizes: bytes) -> None:
    with pytest.raises(DecodeError, match="media data"):
        read(long_film(3, sizes=sizes, data=b"data of film"))


def test_med_22_a_count_of_four_milliards_costs_nothing() -> None:
    """A table of one size has no entries, so only the counts of the other tables hold it back."""
    sizes = struct.pack(">III", 0, 1, 2**32 - 1)
    start = time.thread_time()
    with pytest.raises(DecodeError, match="samples"):
        read(long_film(1, sizes=sizes, data=b"data of film"))
    assert time.thread_time() - start < 0.5


@pytest.mark.parametrize(("n_boxes", "is_odd"), [(65_533, False), (65_534, True)])
def test_med_22_boxes_side_by_side_are_bounded(n_boxes: int, is_odd: bool) -> None:
    data = FILM + box(b"free") * n_boxes
    if is_odd:
        with pytest.raises(DecodeError, match="more than 65536 boxes"):
            read(data)
    else:
        assert read(data).digest == read(FILM).digest


@pytest.mark.parametrize("n_more", [63, 64])
def test_med_22_descriptions_are_bounded(n_more: int) -> None:
    at = FILM.index(b"stsd") - 4
    size = int.from_bytes(FILM[at : at + 4], "big")
    entry = FILM[at + 16 : at + size]
    stsd = box(b"stsd", struct.pack(">II", 0, 1 + n_more), entry * (1 + n_more))
    start = FILM.index(b"moov") - 4
    data = FILM[:start] + grown(FILM[start:], at - start, size, stsd)
    if n_more > 63:
        with pytest.raises(DecodeError, match="65 sample descriptions"):
            read(data)
    else:
        assert read(data).digest != read(FILM).digest


@pytest.mark.parametrize("more", [0, 1])
def test_med_22_boxes_that_are_read_whole_are_bounded(more: int) -> None:
    at = FILM.index(b"hdlr") - 4
    size = int.from_bytes(FILM[at : at + 4], "big")
    hdlr = box(b"hdlr", FILM[at + 8 : at + size].ljust(16 * 1024 * 1024 + more, b"\0"))
    start = FILM.index(b"moov") - 4
    data = FILM[:start] + grown(FILM[start:], at - start, size, hdlr)
    if more:
        with pytest.raises(DecodeError, match="at most 16777216"):
            read(data)
    else:
        assert read(data).digest == read(FILM).digest


@pytest.mark.parametrize("n_tracks", [256, 257])
def test_med_22_tracks_are_bounded(n_tracks: int) -> None:
    empty = BY_NAME["empty-track"]
    moov = empty[empty.index(b"moov") - 4 :]
    track = moov[moov.rindex(b"trak") - 4 :]
    more = track * (n_tracks - 3)
    data = empty[: -len(moov)] + box(b"moov", moov[8:], more)
    if n_tracks > 256:
        with pytest.raises(DecodeError, match="257 tracks"):
            read(data)
    else:
        assert read(data).digest == read(empty).digest


# --- pointers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", VALID, ids=by_id)
def test_med_30_a_pointer_leaves_the_essence_and_is_found_again(vector: Vector) -> None:
    before, once = read(vector.data), pointed(vector.data)
    after = read(once)
    assert (after.digest, after.display) == (before.digest, before.display)
    assert find_pointers(after.tag_texts) == (WORK,)
    assert pointed(once) == once


@pytest.mark.parametrize("vector", VALID, ids=by_id)
def test_med_30_an_older_pointer_is_replaced(vector: Vector) -> None:
    assert pointed(pointed(vector.data, OTHER)) == pointed(vector.data)
    assert find_pointers(read(pointed(pointed(vector.data), OTHER)).tag_texts) == (OTHER,)


def item(name: bytes, text: bytes, kind: int = 1) -> bytes:
    return box(name, box(b"data", struct.pack(">II", kind, 0), text))


def tagged(*items: bytes, handler: bytes = b"mdir") -> bytes:
    """INDEX_FIRST or FILM cannot take tags without moving, so this is FILM with tags at its end."""
    hdlr = box(b"hdlr", bytes(8) + handler + bytes(13))
    return with_user(box(b"meta", bytes(4), hdlr, box(b"ilst", *items)))


def with_user(*tags: bytes) -> bytes:
    at = FILM.index(b"moov") - 4
    return FILM[:at] + box(b"moov", FILM[at + 8 :], box(b"udta", *tags))


def test_med_30_other_tags_and_other_words_stay() -> None:
    others = item(b"\xa9nam", b"Night Bus") + item(b"cpil", b"\1", 21) + box(b"----", b"junk")
    data = pointed(tagged(others, item(b"\xa9cmt", b"Nice "), item(b"cprt", b"2026 Ana")))
    assert others in data
    assert read(data).tag_texts == (f"Nice {pointer_text(WORK)}", f"2026 Ana {pointer_text(WORK)}")


def test_med_30_quicktimes_own_tags_are_read_and_an_older_pointer_in_them_replaced() -> None:
    text = f"by Ana {pointer_text(OTHER)}".encode()
    own = box(b"\xa9cmt", struct.pack(">HH", len(text), 0x55C4), text)
    data = with_user(own, box(b"\xa9nam", b"\0\3\x55\xc4Bus"), bytes(4))
    assert find_pointers(read(data).tag_texts) == (OTHER,)
    assert read(pointed(data)).tag_texts[0] == f"by Ana {pointer_text(WORK)}"
    assert find_pointers(read(pointed(data)).tag_texts) == (WORK,)
    assert pointed(data).endswith(bytes(4))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (tagged(item(b"\xa9cmt", b"text", 21)), "isn't one text"),
        (tagged(item(b"\xa9cmt", b"\xff\xfe")), "isn't one text in UTF-8"),
        (tagged(box(b"cprt", bytes(4))), "box"),
        (tagged(item(b"cprt", b"a"), item(b"cprt", b"b")), "second box"),
        (tagged(handler=b"mdta"), "isn't known"),
        (with_user(box(b"meta", bytes(4)), box(b"meta", bytes(4))), "two lists"),
    ],
)
def test_med_30_tags_that_cant_be_edited_safely_are_left_alone(data: bytes, why: str) -> None:
    assert read(data).digest == read(FILM).digest
    with pytest.raises(DecodeError, match=why):
        pointed(data)


def test_med_30_chunk_offsets_that_would_leave_32_bits_are_refused() -> None:
    at = INDEX_FIRST.index(b"stco") + 12
    data = INDEX_FIRST[:at] + struct.pack(">I", 2**32 - 50) + INDEX_FIRST[at + 4 :]
    with pytest.raises(DecodeError, match="32 bits; move the index behind"):
        pointed(data)


def test_med_30_an_index_with_a_size_of_64_bits_grows_too() -> None:
    at = FILM.index(b"moov") - 4
    content = FILM[at + 8 :]
    data = FILM[:at] + struct.pack(">I4sQ", 1, b"moov", 16 + len(content)) + content
    assert read(pointed(data)).digest == read(FILM).digest
    assert find_pointers(read(pointed(data)).tag_texts) == (WORK,)


def test_med_30_auxiliary_tables_keep_a_pointer_out_only_where_they_would_move() -> None:
    at = INDEX_FIRST.index(b"stco")
    data = INDEX_FIRST.replace(b"stco", b"saio", 1)
    assert data[at : at + 4] == b"saio"
    with pytest.raises(DecodeError, match="auxiliary"):
        pointed(data)
