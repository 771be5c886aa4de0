"""One track of a film: its samples, their times and what a decoder needs, as one digest [MED-22]."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from hitp2p.dataclass import dataclass
from hitp2p.media.formats.mp4_boxes import (
    RULE,
    Box,
    children,
    clock_of,
    iter_boxes,
    odd,
    one,
    payload,
)
from hitp2p.media.formats.mp4_descriptions import Description, parse_descriptions
from hitp2p.media.formats.mp4_display import edit_lines, read_edit, track_lines
from hitp2p.media.formats.mp4_tables import (
    RunHasher,
    Sizes,
    Tables,
    Times,
    chunk_offsets,
    chunk_runs,
    measure_times,
)
from hitp2p.media.source import MediaSource

__all__ = ["MediaData", "Track", "read_track"]

_IN_TRACK: Final = frozenset({b"tkhd", b"edts", b"mdia"})
_IN_MEDIA: Final = frozenset({b"mdhd", b"hdlr", b"minf"})
_IN_INFORMATION: Final = frozenset({b"dinf", b"stbl"})
_IN_TABLES: Final = frozenset(
    {b"stsd", b"stts", b"ctts", b"stsc", b"stsz", b"stz2", b"stco", b"co64"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What one track adds to a film."""

    kind: str
    """Its handler, such as `vide`; four characters."""
    digest: bytes
    """32 bytes over samples, times and descriptions."""
    lines: tuple[str, ...]
    """What changes how it is shown."""


class MediaData:
    """The media data of a file, and how much of it samples may still fill."""

    __slots__ = ("_boxes", "_left", "_starts")

    def __init__(self, boxes: Sequence[Box]) -> None:
        """All `mdat`, in file order."""
        self._boxes = boxes
        self._starts = [box.body for box in boxes]
        self._left = sum(box.size for box in boxes)

    def require(self, start: int, end: int) -> None:
        """Take a range for samples.

        Raises:
            DecodeError: it isn't inside one `mdat`, or makes all samples longer than all media data.
        """
        found = bisect_right(self._starts, start) - 1
        if found < 0 or end > self._boxes[found].end:
            raise odd(f"samples up to byte {end} lie outside the media data", start)
        self._left -= end - start
        if self._left < 0:
            raise odd("samples that together are longer than the media data", start)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Media:
    """The parts of a track that its digest needs; as received, save that each is there once."""

    kind: bytes
    clock: int
    tables: Tables
    descriptions: Box


def read_track(source: MediaSource, box: Box, data: MediaData, film_clock: int) -> Track | None:
    """Read a `trak`; None where it has no samples.

    Args:
        film_clock: ticks of the film in a second.

    Raises:
        DecodeError: MED-22.
    """
    parts = children(source, box, _IN_TRACK)
    media = _media(source, one(parts, b"mdia", box))
    sizes = Sizes(source, media.tables.sizes)
    if not sizes.count:
        return None
    descriptions = parse_descriptions(source, media.descriptions, media.kind)
    times = measure_times(source, media.tables, media.clock, sizes.count)
    if media.kind == b"soun" and times.all_one_tick:
        _require_frames(sizes, descriptions)
    samples = _hash_samples(source, media.tables, sizes, data, len(descriptions))
    head = media.kind + sizes.count.to_bytes(4, "big") + times.ticks.to_bytes(4, "big")
    setup = b"".join(len(each.payload).to_bytes(4, "big") + each.payload for each in descriptions)
    hasher = hashlib.sha256(head + len(descriptions).to_bytes(4, "big") + setup)
    hasher.update(times.durations + times.offsets + sizes.digest() + samples)
    header = payload(source, one(parts, b"tkhd", box))
    lines = track_lines(header, kind=media.kind, sizes=descriptions[0].sizes)
    return Track(
        kind=media.kind.decode("ascii"),
        digest=hasher.digest(),
        lines=(
            *lines,
            *_edit_lines(source, parts, media, times, film_clock),
            *_shown_lines(descriptions),
        ),
    )


def _media(source: MediaSource, box: Box) -> _Media:
    media = children(source, box, _IN_MEDIA)
    information_box = one(media, b"minf", box)
    information = children(source, information_box, _IN_INFORMATION)
    _require_own_data(source, one(information, b"dinf", information_box))
    table_box = one(information, b"stbl", information_box)
    tables = children(source, table_box, _IN_TABLES)
    handler = payload(source, one(media, b"hdlr", box))[8:12]
    if len(handler) != 4 or not all(32 < byte < 127 for byte in handler):
        raise odd("a track of no kind", box.start)
    return _Media(
        kind=handler,
        clock=clock_of(payload(source, one(media, b"mdhd", box))),
        tables=_tables(tables, table_box),
        descriptions=one(tables, b"stsd", table_box),
    )


def _tables(found: Mapping[bytes, Box], parent: Box) -> Tables:
    for pair in ((b"stsz", b"stz2"), (b"stco", b"co64")):
        if sum(name in found for name in pair) != 1:
            raise odd(f"not just one of {pair[0]!a} and {pair[1]!a}", parent.start)
    return Tables(
        durations=one(found, b"stts", parent),
        offsets=found.get(b"ctts"),
        chunks=one(found, b"stsc", parent),
        sizes=found.get(b"stsz") or found[b"stz2"],
        places=found.get(b"stco") or found[b"co64"],
    )


def _require_own_data(source: MediaSource, box: Box) -> None:
    """Samples must be in this very file: one data reference, whose flag says so."""
    reference = one(children(source, box, frozenset({b"dref"})), b"dref", box)
    head = source.read(reference.body, min(8, reference.size), rule=RULE)
    if head != bytes(7) + b"\1":
        raise odd("other than one data reference", reference.start)
    entries = tuple(iter_boxes(source, reference.body + 8, reference.end))
    if (
        len(entries) != 1
        or source.read(entries[0].body, min(4, entries[0].size), rule=RULE)[3:] != b"\1"
    ):
        raise odd("samples in another file", reference.start)


def _require_frames(sizes: Sizes, descriptions: Sequence[Description]) -> None:
    """Players take sound of one tick a sample for PCM and count its bytes by channels and bits, not by `stsz`."""
    if any(not sizes.constant or each.frame_bytes != sizes.constant for each in descriptions):
        raise odd(
            f"sound of one tick a sample, whose samples aren't frames: {sizes.constant} bytes"
        )


def _hash_samples(
    source: MediaSource, tables: Tables, sizes: Sizes, data: MediaData, n_descriptions: int
) -> bytes:
    """The hash of the runs of description numbers, then that of the samples' bytes in order."""
    hasher, numbers = hashlib.sha256(), RunHasher()
    for start, end in _ranges(source, tables, sizes, numbers, n_descriptions):
        data.require(start, end)
        for piece in source.pieces(start, end - start, rule=RULE):
            hasher.update(piece)
    return numbers.digest() + hasher.digest()


def _ranges(
    source: MediaSource, tables: Tables, sizes: Sizes, numbers: RunHasher, n_descriptions: int
) -> Iterator[tuple[int, int]]:
    """Where the samples' bytes are; chunks that follow each other without a gap are one range."""
    n_chunks, offsets = chunk_offsets(source, tables.places)
    start = end = 0
    for n_same, n_samples, number in chunk_runs(source, tables.chunks, n_chunks, n_descriptions):
        numbers.add(min(n_same * n_samples, sizes.count), number)
        for _ in range(n_same):
            offset, length = next(offsets), sizes.take(n_samples)
            if offset != end and length:
                if end > start:
                    yield start, end
                start = end = offset
            end += length
    if end > start:
        yield start, end


def _edit_lines(
    source: MediaSource, parts: Mapping[bytes, Box], media: _Media, times: Times, film_clock: int
) -> Iterator[str]:
    if b"edts" not in parts:
        return
    lists = children(source, parts[b"edts"], frozenset({b"elst"}))
    edit = read_edit(source, lists[b"elst"]) if lists else None
    if edit is not None:
        yield from edit_lines(
            edit,
            film_clock=film_clock,
            track_clock=media.clock,
            shift=times.shift,
            total=times.total,
        )


def _shown_lines(descriptions: Sequence[Description]) -> Iterator[str]:
    """Lines of the first description as they are, of the others with their number."""
    for number, each in enumerate(descriptions, 1):
        yield from (line if number == 1 else f"{line} ({number})" for line in each.shown)
