"""Small pictures in pieces whose part in the essence is known, and the laws that all picture formats keep."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from random import Random
from typing import Any, BinaryIO, Final, Literal

import pytest
from spec_vectors import load

from hitp2p.codec.cid import RAW, Cid
from hitp2p.errors import DecodeError
from hitp2p.media.essence import FoundEssence
from hitp2p.media.pointer import find_pointers, pointer_text
from hitp2p.media.source import MediaSource

__all__ = [
    "CID",
    "OTHER_POINTER",
    "POINTER",
    "Piece",
    "holds_when_cut",
    "holds_when_flipped",
    "holds_when_pointed",
    "joined",
    "point",
    "raises_nothing_else",
    "refusal",
    "scan",
    "takes_little_memory",
    "valid_pictures",
]

CID: Final = Cid.of(RAW, b"a work")
POINTER: Final = pointer_text(CID)
OTHER_POINTER: Final = pointer_text(Cid.of(RAW, b"another work"))
_MEMORY_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of a file."""

    data: bytes
    part: Literal["payload", "metadata", "frame"]
    """`frame` are lengths, types and checksums around metadata: a change there may turn them into something else."""


def joined(pieces: Sequence[Piece]) -> bytes:
    """The file."""
    return b"".join(piece.data for piece in pieces)


def scan(format: str, data: bytes) -> FoundEssence:
    """What the parser of a format finds."""
    found = import_module(f"hitp2p.media.formats.{format}").scan(MediaSource.of_bytes(data))
    assert isinstance(found, FoundEssence)
    return found


def refusal(format: str, data: bytes) -> DecodeError:
    """The error of a file that is refused."""
    with pytest.raises(DecodeError) as caught:
        scan(format, data)
    return caught.value


def point(format: str, data: bytes, pointer: str = POINTER) -> bytes:
    """A copy with a pointer."""
    sink = io.BytesIO()
    module = import_module(f"hitp2p.media.formats.{format}")
    module.write_pointer(MediaSource.of_bytes(data), sink, pointer)
    return sink.getvalue()


def valid_pictures(rule: str) -> list[Any]:
    """The pictures among the vectors of a rule that have an essence, for `parametrize`."""
    vectors = load("essence-images.json", "essence")
    return [
        pytest.param(v.data, id=v.id) for v in vectors if v.rule == rule and v.expect == "valid"
    ]


def holds_when_flipped(format: str, pieces: Sequence[Piece]) -> None:
    """A changed byte of the payload changes the digest or is refused; one of the metadata is refused or changes nothing."""
    data, random = joined(pieces), Random(5)
    digest = scan(format, data).digest
    place = 0
    for piece in pieces:
        for at in range(place, place + len(piece.data)):
            for mask in (1, 0x20, 0x80, random.randrange(1, 256)):
                changed = bytearray(data)
                changed[at] ^= mask
                try:
                    equal = scan(format, bytes(changed)).digest == digest
                except DecodeError:
                    continue
                assert piece.part == "frame" or equal is (piece.part == "metadata"), (at, mask)
        place += len(piece.data)


def holds_when_cut(format: str, data: bytes, *, at_least: int = 0) -> None:
    """A file that is cut short anywhere is refused, save in its last `at_least` bytes, which don't matter."""
    for length in range(len(data) - at_least):
        refusal(format, data[:length])


def raises_nothing_else(format: str, rule: str, data: bytes) -> None:
    """Any bytes give an essence, or an error of the rule."""
    for ask in (scan, point):
        if (error := _error_of(ask, format, data)) is not None:
            assert error.rule == rule


def _error_of(ask: Callable[[str, bytes], object], format: str, data: bytes) -> DecodeError | None:
    try:
        ask(format, data)
    except DecodeError as error:
        return error
    return None


def holds_when_pointed(format: str, data: bytes) -> bytes:
    """A pointer is found, changes nothing that is shown, gives way to another, and is written once only."""
    before = scan(format, data)
    pointed = point(format, data)
    after = scan(format, pointed)
    assert (after.digest, after.display) == (before.digest, before.display)
    assert find_pointers(after.tag_texts) == (CID,)
    assert point(format, pointed) == pointed
    assert point(format, pointed, OTHER_POINTER) == point(format, data, OTHER_POINTER)
    return pointed


class _Long(io.RawIOBase):
    """A file of which only the ends are in memory."""

    def __init__(self, start: bytes, n_zeros: int, end: bytes) -> None:
        self._parts = (start, n_zeros, end)
        self._size = len(start) + n_zeros + len(end)
        self._at = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        start, n_zeros, end = self._parts
        at, stop = self._at, min(self._at + size, self._size)
        self._at = stop
        zeros = max(0, min(stop, len(start) + n_zeros) - max(at, len(start)))
        behind = max(0, at - len(start) - n_zeros), max(0, stop - len(start) - n_zeros)
        return start[at:stop] + bytes(zeros) + end[slice(*behind)]


def takes_little_memory(
    format: str, start: bytes, end: bytes, *, n_zeros: int = 2**26
) -> FoundEssence:
    """A file with 64 MiB of zeros inside is read, and a pointer written, with less than 8 MiB in use."""
    module = import_module(f"hitp2p.media.formats.{format}")
    file: BinaryIO = _Long(start, n_zeros, end)  # type: ignore[assignment]
    tracemalloc.start()
    try:
        found = module.scan(MediaSource(file))
        module.write_pointer(MediaSource(file), _Sink(), POINTER)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < _MEMORY_BYTES
    assert isinstance(found, FoundEssence)
    return found


class _Sink(io.RawIOBase):
    def write(self, data: Any) -> int:
        return len(data)
