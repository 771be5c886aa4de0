"""Films in boxes, made from nothing and never played, and what chapter 05 makes of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import gcd
from typing import Any

from maker.book import Book

POINTER = b"hitp2p:bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
USUAL = (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)


def hashed(what: str, algorithm: str, data: bytes) -> bytes:
    return hashlib.sha256(f"hitp2p/{what}/{algorithm}".encode() + b"\0" + data).digest()


def number(value: int, n_bytes: int = 4) -> bytes:
    return (value % (1 << 8 * n_bytes)).to_bytes(n_bytes, "big")


def box(name: str, *content: bytes) -> bytes:
    body = b"".join(content)
    return number(8 + len(body)) + name.encode("latin-1") + body


def full(name: str, *content: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(name, bytes((version,)) + number(flags, 3), *content)


def table(name: str, entries: Sequence[bytes], version: int = 0) -> bytes:
    return full(name, number(len(entries)), *entries, version=version)


def matrix(numbers: Sequence[int] = USUAL) -> bytes:
    return b"".join(number(n) for n in numbers)


# --- a track, as a muxer writes it ----------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Track:
    """What a track holds; `boxes` says how its tables are written."""

    kind: str
    samples: tuple[bytes, ...]
    durations: tuple[int, ...]
    clock: int
    entry: bytes
    """The sample description, a whole box."""
    described: bytes
    """What the rule makes of it."""
    offsets: tuple[int, ...] = ()
    size: tuple[int, int] = (0, 0)
    flags: int = 3
    layer: int = 0
    matrix: tuple[int, ...] = USUAL
    edits: tuple[tuple[int, int], ...] = ()
    """(Length in ticks of the film, start in ticks of the track)."""
    extra: bytes = b""
    """More boxes in `trak`."""
    in_stbl: bytes = b""
    per_chunk: int = 1
    small_sizes: int = 0
    """Bits of each size where `stz2` is used."""
    wide: bool = False
    """`co64`."""
    tables: dict[str, bytes] = field(default_factory=dict)
    """Tables that are written otherwise than they should."""
    dinf: bytes = box("dinf", table("dref", [full("url ", flags=1)]))
    rate: int = 1 << 16

    def box(self, at: int) -> bytes:
        """`trak`, with the samples in a row from `at`."""
        stbl = b"".join({**self.good_tables(at), **self.tables}.values())
        head = bytes(8) + number(1) + bytes(8)
        tkhd = full(
            "tkhd", head, bytes(8), number(self.layer, 2), bytes(2),
            number(256 if self.kind == "soun" else 0, 2), bytes(2), matrix(self.matrix),
            *(number(side << 16) for side in self.size), flags=self.flags,
        )  # fmt: skip
        edits = [number(n) + number(start) + number(self.rate) for n, start in self.edits]
        mdhd = full("mdhd", bytes(8), number(self.clock), number(sum(self.durations)), bytes(4))
        hdlr = full("hdlr", bytes(4), self.kind.encode(), bytes(13))
        minf = box("minf", self.dinf, box("stbl", stbl, self.in_stbl))
        edts = box("edts", table("elst", edits)) if edits else b""
        return box("trak", tkhd, edts, box("mdia", mdhd, hdlr, minf), self.extra)

    def good_tables(self, at: int) -> dict[str, bytes]:
        sizes = [len(sample) for sample in self.samples]
        found = {
            "stsd": table("stsd", [self.entry]),
            "stts": table("stts", [number(1) + number(n) for n in self.durations]),
            "stsc": table("stsc", [number(1) + number(self.per_chunk) + number(1)]),
            "stsz": full("stsz", number(0), number(len(sizes)), *map(number, sizes)),
        }
        if self.offsets:
            version = int(min(self.offsets) < 0)
            runs = [number(1) + number(n) for n in self.offsets]
            found["ctts"] = table("ctts", runs, version=version)
        if self.small_sizes:
            found["stsz"] = self.stz2(sizes)
        chunks, place = [], at
        for n in range(0, len(sizes), self.per_chunk):
            chunks.append(number(place, 8 if self.wide else 4))
            place += sum(sizes[n : n + self.per_chunk])
        found["stco"] = table("co64" if self.wide else "stco", chunks)
        return found

    def stz2(self, sizes: list[int]) -> bytes:
        bits = "".join(f"{n:0{self.small_sizes}b}" for n in sizes)
        bits += "0" * (-len(bits) % 8)
        packed = int(bits, 2).to_bytes(len(bits) // 8, "big")
        return full("stz2", number(self.small_sizes), number(len(sizes)), packed)

    @property
    def data(self) -> bytes:
        return b"".join(self.samples)

    # --- what the rule makes of it ---

    def digest(self) -> bytes:
        n = len(self.samples)
        offsets = self.offsets or (0,) * n
        decoded = [sum(self.durations[:at]) for at in range(n)]
        first = min(at + offset for at, offset in zip(decoded, offsets, strict=True))
        relative = [offset - first for offset in offsets]
        unit = gcd(self.clock, *self.durations[:-1], *relative)
        head = self.kind.encode() + number(n) + number(self.clock // unit) + number(1)
        return hashlib.sha256(
            head
            + number(len(self.described))
            + self.described
            + runs([n // unit for n in self.durations[:-1]])
            + runs([n // unit for n in relative])
            + runs([len(sample) for sample in self.samples])
            + runs([1] * n)
            + hashlib.sha256(self.data).digest()
        ).digest()


def runs(values: Sequence[int]) -> bytes:
    found = [(len(list(group)), value) for value, group in groupby(values)]
    return hashlib.sha256(b"".join(number(n) + number(v, 8) for n, v in found)).digest()


# --- a film ---------------------------------------------------------------------------------------


def mvhd(
    clock: int = 1000, rate: int = 1 << 16, volume: int = 256, turn: Sequence[int] = USUAL
) -> bytes:
    head = bytes(8) + number(clock) + bytes(4) + number(rate) + number(volume, 2) + bytes(10)
    return full("mvhd", head, matrix(turn), bytes(24), number(9))


FTYP = box("ftyp", b"isom", bytes(4), b"isom")


@dataclass(frozen=True, kw_only=True)
class Film:
    tracks: tuple[Track, ...]
    ftyp: bytes = FTYP
    header: bytes = mvhd()
    in_moov: bytes = b""
    before: bytes = b""
    """Boxes before the media data, which stand first."""
    behind: bytes = b""
    index_first: bool = False
    dead: bytes = b""
    """Bytes of `mdat` that no table names."""
    shift: int = 0
    """How far the tables miss the samples."""
    open_end: bool = False
    """`mdat` has size 0, for "to the end"."""

    def bytes(self) -> bytes:
        data = self.dead + b"".join(track.data for track in self.tracks)
        mdat = box("mdat", data)
        if self.open_end:
            mdat = number(0) + mdat[4:]
        start = len(self.ftyp + self.before) + 8 + len(self.dead)
        if self.index_first:
            start += len(self.moov(0))
            return self.ftyp + self.before + self.moov(start) + mdat + self.behind
        return self.ftyp + self.before + mdat + self.moov(start) + self.behind

    def moov(self, start: int) -> bytes:
        tracks, at = b"", start + self.shift
        for track in self.tracks:
            tracks += track.box(at)
            at += len(track.data)
        return box("moov", self.header, tracks, self.in_moov)

    def payload(self) -> bytes:
        digests = sorted(track.digest() for track in self.tracks if track.samples)
        return number(len(digests)) + b"".join(digests)


def picture_entry(*boxes: bytes, name: str = "avc1", palette: int = 0xFFFF) -> bytes:
    return box(
        name, bytes(6), number(1, 2), bytes(16), number(16, 2), number(8, 2), bytes(14),
        bytes(32), number(24, 2), number(palette, 2), *boxes,
    )  # fmt: skip


def framed(name: str, content: bytes) -> bytes:
    return number(len(content)) + name.encode() + content


AVCC = bytes.fromhex("0142000affe100046742000a01000268ce")
PICTURES = Track(
    kind="vide",
    samples=(b"first picture", b"second", b"third one"),
    durations=(512, 512, 512),
    clock=12800,
    entry=picture_entry(box("avcC", AVCC)),
    described=b"avc1" + number(16, 2) + number(8, 2) + number(24, 2) + framed("avcC", AVCC),
    size=(16, 8),
)

SETUP = bytes.fromhex("1210")


def esds(setup: bytes = SETUP, rate: int = 64000, flags: int = 0, more: bytes = b"") -> bytes:
    decoder = (
        bytes.fromhex("4015000000")
        + number(rate)
        + number(rate)
        + b"\5"
        + bytes([len(setup)])
        + setup
    )
    stream = number(1, 2) + bytes([flags]) + b"\4" + bytes([len(decoder)]) + decoder + more
    return full("esds", b"\3" + bytes([len(stream)]) + stream)


def sound_entry(
    *boxes: bytes, name: str = "mp4a", channels: int = 2, bits: int = 16, version: int = 0
) -> bytes:
    fields = (
        number(version, 2)
        + bytes(6)
        + number(channels, 2)
        + number(bits, 2)
        + bytes(4)
        + number(44100 << 16)
    )
    return box(name, bytes(6), number(1, 2), fields, bytes(16 * version), *boxes)


SOUND = Track(
    kind="soun",
    samples=(b"aac 1", b"aac 22", b"aac 333"),
    durations=(1024, 1024, 272),
    clock=44100,
    entry=sound_entry(esds()),
    described=b"mp4a" + framed("esds", b"\x40" + SETUP),
)
PCM = Track(
    kind="soun",
    samples=(b"\1\2\3\4", b"\5\6\7\x08"),
    durations=(1, 1),
    clock=44100,
    entry=sound_entry(name="sowt"),
    tables={"stsz": full("stsz", number(4), number(2))},
    described=b"sowt" + number(0, 2) + number(2, 2) + number(16, 2) + number(44100 << 16),
)
BOTH = Film(tracks=(PICTURES, SOUND))


class Answers:
    def __init__(self, book: Book, rule: str, algorithm: str) -> None:
        self.book, self.rule, self.algorithm = book, rule, algorithm

    def good(self, name: str, why: str, data: bytes, payload: bytes, *lines: str) -> None:
        more: dict[str, Any] = {"algorithm": self.algorithm}
        more["digest"] = hashed("essence", self.algorithm, payload)
        if lines:
            text = "".join(f"{line}\n" for line in sorted(lines))
            more["display"] = hashed("display", self.algorithm, text.encode())
        self.book.valid(name, self.rule, why, "essence", data, **more)

    def odd(self, name: str, why: str, data: bytes) -> None:
        self.book.invalid(name, self.rule, why, "essence", data, algorithm=self.algorithm)
