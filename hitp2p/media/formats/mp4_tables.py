"""Sample tables of a track: how many samples, how long, how large, and where their bytes are [MED-22].

All tables are streamed: memory holds 16,384 entries of each, whatever the length of the film.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from itertools import groupby
from math import gcd
from typing import Final

from hitp2p.dataclass import dataclass
from hitp2p.media.formats.mp4_boxes import RULE, Box, odd
from hitp2p.media.source import MediaSource

__all__ = ["RunHasher", "Sizes", "Tables", "Times", "chunk_offsets", "chunk_runs", "measure_times"]

_ENTRIES: Final = 16_384
"""Table entries that are read at once."""
_SIGN: Final = 1 << 31
"""Numbers from here on are negative to some players and large to others."""
_RUN: Final = struct.Struct(">Iq")

Runs = Iterable[tuple[int, int]]
"""(How many samples in a row, the value they share)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The boxes of one `stbl`; not yet checked against each other."""

    durations: Box
    """`stts`."""
    offsets: Box | None
    """`ctts`."""
    chunks: Box
    """`stsc`."""
    sizes: Box
    """`stsz` or `stz2`."""
    places: Box
    """`stco` or `co64`."""


class RunHasher:
    """SHA-256 over runs of equal values, so that it doesn't matter how a table cuts them."""

    __slots__ = ("_count", "_hash", "_value")

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._count = 0
        self._value = 0

    def add(self, count: int, value: int) -> None:
        """Take in a run; one that continues the last becomes part of it."""
        if value == self._value:
            self._count += count
        elif count:
            self._flush()
            self._count, self._value = count, value

    def digest(self) -> bytes:
        """The hash of all runs; call once."""
        self._flush()
        return self._hash.digest()

    def _flush(self) -> None:
        if self._count:
            self._hash.update(_RUN.pack(self._count, self._value))


def _entries(
    source: MediaSource, box: Box, layout: str, *, versions: tuple[int, ...] = (0,)
) -> Iterator[tuple[int, ...]]:
    """The entries of a table that has a version, flags, a count and nothing but these entries."""
    _count_of(source, box, struct.calcsize(layout), versions)
    step = struct.calcsize(layout) * _ENTRIES
    for at in range(box.body + 8, box.end, step):
        yield from struct.iter_unpack(layout, source.read(at, min(step, box.end - at), rule=RULE))


def _count_of(source: MediaSource, box: Box, entry_bytes: int, versions: tuple[int, ...]) -> int:
    head = source.read(box.body, 8, rule=RULE) if box.size >= 8 else b"\xff"
    count = int.from_bytes(head[4:], "big")
    if head[0] not in versions or box.size != 8 + count * entry_bytes:
        raise odd(f"table {box.name!a} of {box.size} bytes for {count} entries", box.start)
    return count


class Sizes:
    """The sizes of a track's samples, in order; a running hash of them on the way."""

    __slots__ = ("_at", "_block", "_blocks", "_runs", "constant", "count", "left")

    def __init__(self, source: MediaSource, box: Box) -> None:
        """Check the table's length.

        Raises:
            DecodeError: it isn't as long as its count says.
        """
        head = source.read(box.body, 12, rule=RULE) if box.size >= 12 else bytes(12)
        self.count = int.from_bytes(head[8:], "big")
        """Samples in the track."""
        self.left = self.count
        """Samples not yet taken."""
        self.constant = int.from_bytes(head[4:8], "big") if box.name == b"stsz" else 0
        """Size of every sample, or 0 where each has its own."""
        bits = (0 if self.constant else 32) if box.name == b"stsz" else head[7]
        if (
            box.size != 12 + (self.count * bits + 7) // 8
            or head[0]
            or bits not in (0, 4, 8, 16, 32)
        ):
            raise odd(f"table {box.name!a} of {box.size} bytes for {self.count} samples", box.start)
        if box.name == b"stz2" and (not bits or head[4:7] != bytes(3)):
            raise odd("sizes of an unknown width", box.start)
        self._blocks = _size_blocks(source, box, bits, self.count)
        self._block: tuple[int, ...] = ()
        self._at = 0
        self._runs = RunHasher()

    def take(self, n_samples: int) -> int:
        """How many bytes the next samples have together.

        Raises:
            DecodeError: there are fewer.
        """
        if n_samples > self.left:
            raise odd(f"chunks hold more than the {self.count} samples of the track")
        self.left -= n_samples
        if self.constant:
            self._runs.add(n_samples, self.constant)
            return n_samples * self.constant
        total = 0
        while n_samples:
            if self._at == len(self._block):
                self._next_block()
            part = self._block[self._at : self._at + n_samples]
            total += sum(part)
            self._at += len(part)
            n_samples -= len(part)
        return total

    def _next_block(self) -> None:
        self._block, self._at = next(self._blocks), 0
        for value, group in groupby(self._block):
            self._runs.add(sum(1 for _ in group), value)

    def digest(self) -> bytes:
        """The hash of the runs of sizes; all must be taken.

        Raises:
            DecodeError: some samples are in no chunk.
        """
        if self.left:
            raise odd(f"{self.left} of {self.count} samples are in no chunk")
        return self._runs.digest()


def _size_blocks(source: MediaSource, box: Box, bits: int, count: int) -> Iterator[tuple[int, ...]]:
    layouts = {32: "I", 16: "H", 8: "B", 4: "B"}
    step = _ENTRIES * bits // 8
    for at in range(box.body + 12, box.end, step or 1):
        data = source.read(at, min(step, box.end - at), rule=RULE)
        if bits == 4:
            pairs = tuple(half for byte in data for half in (byte >> 4, byte & 15))
            yield pairs[: count - 2 * (at - box.body - 12)]
        else:
            yield struct.unpack(f">{len(data) * 8 // bits}{layouts[bits]}", data)


def chunk_offsets(source: MediaSource, box: Box) -> tuple[int, Iterator[int]]:
    """How many chunks a track has, and where each begins in the file."""
    layout = ">I" if box.name == b"stco" else ">Q"
    count = _count_of(source, box, struct.calcsize(layout), (0,))
    return count, (offset for (offset,) in _entries(source, box, layout))


def chunk_runs(
    source: MediaSource, box: Box, n_chunks: int, n_descriptions: int
) -> Iterator[tuple[int, int, int]]:
    """(Chunks in a row, samples in each, number of their description from 1), for all chunks.

    Raises:
        DecodeError: the runs don't begin at the first chunk and ascend, or say what isn't there.
    """
    last: tuple[int, int, int] | None = None
    for first, n_samples, description in _entries(source, box, ">III"):
        if first != 1 if last is None else not last[0] < first:
            raise odd(f"chunk {first} of the table 'stsc' is out of order", box.start)
        if first > n_chunks or not n_samples or not 1 <= description <= n_descriptions:
            raise odd(f"chunk {first} of the table 'stsc' isn't there or is empty", box.start)
        if last is not None:
            yield first - last[0], last[1], last[2]
        last = (first, n_samples, description)
    if last is not None:
        yield n_chunks + 1 - last[0], last[1], last[2]
    elif n_chunks:
        raise odd(f"{n_chunks} chunks and an empty table 'stsc'", box.start)


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When a track's samples come, freed of the clock and the origin that a muxer chose."""

    ticks: int
    """Ticks in a second: the smallest number with which all times are whole."""
    shift: int
    """Ticks of the file's own clock between its origin and the earliest sample shown."""
    total: int
    """Length of all samples in ticks of the file's own clock."""
    all_one_tick: bool
    """Each sample lasts one tick of the file's own clock."""
    durations: bytes
    """Hash of the runs of durations, save the last sample's."""
    offsets: bytes
    """Hash of the runs of offsets from decoding to showing, counted from the earliest sample shown."""


def measure_times(source: MediaSource, tables: Tables, timescale: int, count: int) -> Times:
    """Read both tables of times: for the earliest sample, for the common divisor, for the hashes.

    Args:
        timescale: ticks in a second, as received.
        count: samples in the track.

    Raises:
        DecodeError: a table doesn't speak of all samples, or numbers that players read differently.
    """
    shift, total, all_one_tick = _shift(source, tables, count)
    unit = timescale
    for _, value in _relative(source, tables, count, shift):
        unit = gcd(unit, value)
    for _, value in _starts(source, tables, count):
        unit = gcd(unit, value)
    durations, offsets = RunHasher(), RunHasher()
    for n, value in _starts(source, tables, count):
        durations.add(n, value // unit)
    for n, value in _relative(source, tables, count, shift):
        offsets.add(n, value // unit)
    return Times(
        ticks=timescale // unit,
        shift=shift,
        total=total,
        all_one_tick=all_one_tick,
        durations=durations.digest(),
        offsets=offsets.digest(),
    )


def _durations(source: MediaSource, tables: Tables, count: int) -> Iterator[tuple[int, int]]:
    left = count
    for n, value in _entries(source, tables.durations, ">II"):
        if n > left or value >= _SIGN:
            raise odd(
                "durations of more samples than there are, or negative", tables.durations.start
            )
        left -= n
        if n:
            yield n, value
    if left:
        raise odd(f"{left} samples without a duration", tables.durations.start)


def _starts(source: MediaSource, tables: Tables, count: int) -> Iterator[tuple[int, int]]:
    """Durations without the last sample's: stream copies lose it, and it moves no other sample."""
    left = count - 1
    for n, value in _durations(source, tables, count):
        yield min(n, left), value if left else 0
        left -= min(n, left)


def _offsets(source: MediaSource, tables: Tables, count: int) -> Iterator[tuple[int, int]]:
    box = tables.offsets
    if box is None:
        yield count, 0
        return
    left, may_be_negative = count, source.read(box.body, 1, rule=RULE) == b"\1"
    for n, value in _entries(source, box, ">Ii", versions=(0, 1)):
        if n > left or (value < 0 and not may_be_negative):
            raise odd("offsets of more samples than there are, or negative", box.start)
        left -= n
        if n:
            yield n, value
    if left:
        raise odd(f"{left} samples without an offset", box.start)


def _relative(
    source: MediaSource, tables: Tables, count: int, shift: int
) -> Iterator[tuple[int, int]]:
    return ((n, value - shift) for n, value in _offsets(source, tables, count))


def _shift(source: MediaSource, tables: Tables, count: int) -> tuple[int, int, bool]:
    """The earliest time of showing, the length of all samples, and whether each lasts one tick.

    Times of decoding never go back, so in a run of equal offsets the first sample is the earliest.
    """
    durations = _durations(source, tables, count)
    left = value = now = 0
    earliest: int | None = None
    all_one_tick = True
    for n, offset in _offsets(source, tables, count):
        earliest = now + offset if earliest is None else min(earliest, now + offset)
        while n:
            if not left:
                left, value = next(durations)
                all_one_tick = all_one_tick and value == 1
                continue
            step = min(n, left)
            now += step * value
            left, n = left - step, n - step
    for _ in durations:  # what follows is empty, or raises
        pass
    return earliest or 0, now, all_one_tick
