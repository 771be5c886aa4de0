"""Small sound files from the vectors, and the laws that hold for the parser of every format."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, Final

import pytest
from spec_vectors import load

from hitp2p.errors import DecodeError, InvalidError
from hitp2p.media.essence import FoundEssence
from hitp2p.media.source import PIECE_BYTES, MediaSource

__all__ = [
    "NEWER",
    "POINTER",
    "asks",
    "changed",
    "holds_when_cut",
    "holds_when_flipped",
    "point",
    "refusal",
    "scan",
    "scan_within",
    "sound",
]

POINTER: Final = "hitp2p:bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
NEWER: Final = "hitp2p:bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"
_FILES: Final = {v.id: v for v in load("essence-audio.json", "essence")}


def sound(name: str) -> bytes:
    """The file of a vector, such as `med-18-all-tags`."""
    return _FILES[name].data


def _format(name: str) -> Any:
    return import_module(f"hitp2p.media.formats.{name}")


def scan(name: str, data: bytes) -> FoundEssence:
    """The essence of a file, read as the format `name`."""
    found = _format(name).scan(MediaSource.of_bytes(data))
    assert isinstance(found, FoundEssence)
    return found


def refusal(name: str, data: bytes) -> DecodeError:
    """The error that a file is refused with."""
    with pytest.raises(DecodeError) as caught:
        scan(name, data)
    return caught.value


def point(name: str, data: bytes, pointer: str = POINTER) -> bytes:
    """The file with a pointer; the essence stays, and a second writing changes nothing."""

    def write(file: bytes) -> bytes:
        sink = io.BytesIO()
        _format(name).write_pointer(MediaSource.of_bytes(file), sink, pointer)
        return sink.getvalue()

    written = write(data)
    before, after = scan(name, data), scan(name, written)
    assert (before.digest, before.display) == (after.digest, after.display)
    assert any(pointer in text for text in after.tag_texts)
    assert write(written) == written
    return written


def changed(data: bytes, place: int, mask: int) -> bytes:
    """The file with some bits of one byte flipped."""
    return data[:place] + bytes((data[place] ^ mask,)) + data[place + 1 :]


def holds_when_flipped(
    name: str,
    data: bytes,
    payload: Iterable[int],
    shown: Iterable[int] = (),
    shape: Iterable[int] = (),
) -> None:
    """A changed byte changes the digest or is refused where it is payload; elsewhere it mustn't change it.

    Args:
        name: the format.
        data: a file that has an essence.
        payload: places of payload.
        shown: places that may change `display`.
        shape: places that may make payload of what was none.
    """
    before, moved = scan(name, data), set(payload)
    free, free_display = set(shape), {*shown, *shape}
    n_same = 0
    for place in range(len(data)):
        for mask in (1, 0x20, 0x80, 0xFF):
            try:
                after = scan(name, changed(data, place, mask))
            except DecodeError:
                continue
            at, same = f"byte {place} ^ {mask:#x}", after.digest == before.digest
            assert same is (place not in moved) or place in free, at
            assert after.display == before.display or place in free_display, at
            n_same += same
    assert n_same or moved >= set(range(len(data)))


def holds_when_cut(name: str, data: bytes) -> None:
    """A file that ends with its payload is refused or another one, wherever it is cut."""
    whole = scan(name, data).digest
    for length in range(len(data)):
        try:
            assert scan(name, data[:length]).digest != whole, f"cut to {length} bytes"
        except DecodeError:
            continue


def asks(name: str, data: bytes, rule: str) -> None:
    """A scan of any bytes answers, or refuses them by the format's rule, and nothing else."""
    refused_by = rule
    try:
        scan(name, data)
    except InvalidError as error:
        refused_by = error.rule
    assert refused_by == rule


def scan_within(name: str, data: bytes, n_bytes: int = 4 * PIECE_BYTES) -> FoundEssence:
    """The essence of a large file, found without holding more than a few pieces of it."""
    source = MediaSource.of_bytes(data)
    assert source.size > 3 * n_bytes
    read: Callable[[MediaSource], FoundEssence] = _format(name).scan
    tracemalloc.start()
    try:
        found = read(source)
        assert tracemalloc.get_traced_memory()[1] < n_bytes
    finally:
        tracemalloc.stop()
    return found
