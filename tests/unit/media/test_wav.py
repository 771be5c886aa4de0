"""WAV [MED-20]: one coding and one run of samples, and a pointer in LIST-INFO [MED-30]."""

from __future__ import annotations

import io
import wave
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
from hitp2p.media.formats import wav
from hitp2p.media.source import MediaSource

PLAIN = sound("med-20-plain")
FMT, DATA = PLAIN[12:36], PLAIN[36:]


def chunk(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4, "little") + content + bytes(len(content) & 1)


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def info(*entries: tuple[bytes, bytes]) -> bytes:
    return chunk(b"LIST", b"INFO" + b"".join(chunk(name, text) for name, text in entries))


def test_med_20_a_flipped_byte_counts_only_in_coding_and_samples() -> None:
    start = len(riff(FMT)) + 8
    data = riff(FMT, DATA, info((b"INAM", b"Hi\0")), chunk(b"id3 ", b"ID3"))
    rate = [*range(20, 28)]
    holds_when_flipped("wav", data, [*rate, *range(34, 36), *range(start, start + 12)])


def test_med_20_a_flipped_byte_of_a_channel_mask_shows() -> None:
    data = sound("med-20-left")
    holds_when_flipped(
        "wav", data, [*range(20, 28), *range(34, 36), *range(44, 60), *range(68, 80)], range(40, 44)
    )


def test_med_20_a_cut_file_is_refused() -> None:
    for name in ("med-20-plain", "med-20-rf64"):
        holds_when_cut("wav", sound(name))
        assert all(refusal("wav", sound(name)[:n]) for n in range(len(sound(name))))


@given(st.binary(max_size=200))
def test_med_20_random_bytes_raise_nothing_else(data: bytes) -> None:
    for start in (b"", b"RIFF", b"RF64\xff\xff\xff\xffWAVE", sound("med-20-rf64")[:60]):
        asks("wav", start + data, "MED-20")
    asks("wav", riff(FMT, data, DATA), "MED-20")
    asks("wav", riff(chunk(b"fmt ", data), DATA), "MED-20")
    asks("wav", riff(FMT, DATA, chunk(b"LIST", b"INFO" + data)), "MED-20")


def test_med_20_a_large_file_takes_little_memory() -> None:
    samples = bytes(range(256)) * 65536
    found = scan_within("wav", riff(FMT, chunk(b"data", samples)))
    payload = bytes.fromhex("0001000100001f400010") + samples
    assert found.digest == sha256(b"hitp2p/essence/wav/1\0" + payload).digest()


@pytest.mark.parametrize("n_frames", [7, 8])
def test_med_20_what_python_writes_has_an_essence(n_frames: int) -> None:
    sink = io.BytesIO()
    with wave.open(sink, "wb") as writer:
        writer.setparams((1, 1, 8000, n_frames, "NONE", ""))
        writer.writeframes(bytes(range(n_frames)))
    payload = bytes.fromhex("0001000100001f400008") + bytes(range(n_frames))
    found = scan("wav", sink.getvalue())
    assert found.digest == sha256(b"hitp2p/essence/wav/1\0" + payload).digest()
    point("wav", sink.getvalue())


@pytest.mark.parametrize(
    "name", ["med-20-rf64", "med-20-bw64", "med-20-padding-missing", "med-20-odd-length"]
)
def test_med_30_a_file_without_a_list_gets_one_at_its_end(name: str) -> None:
    written = point("wav", sound(name))
    texts = ((b"ICMT", POINTER.encode() + b"\0"), (b"ICOP", POINTER.encode() + b"\0"))
    assert written.endswith(info(*texts))
    assert scan("wav", written).tag_texts == (POINTER, POINTER)


def test_med_30_other_chunks_and_texts_stay_in_their_places() -> None:
    before = info((b"INAM", b"Hi\0"), (b"ICMT", b"f\xfchlt\0\0"), (b"ICMT", b"second\0"))
    rest = chunk(b"bext", b"x" * 603), info((b"ICMT", b"third\0"))
    written = point("wav", riff(FMT, before, DATA, *rest))
    mine = b"f\xfchlt " + POINTER.encode() + b"\0"
    texts = (b"INAM", b"Hi\0"), (b"ICMT", mine), (b"ICMT", b"second\0")
    after = info(*texts, (b"ICOP", POINTER.encode() + b"\0"))
    assert written == riff(FMT, after, DATA, *rest)


def test_med_30_a_newer_pointer_takes_the_place_of_an_older() -> None:
    older = point("wav", PLAIN)
    assert point("wav", older, NEWER) == older.replace(POINTER.encode(), NEWER.encode())


def test_med_30_a_malformed_list_is_read_over_and_not_edited() -> None:
    odd = chunk(b"LIST", b"INFO" + b"INAM\x40\0\0\0Hi")
    data = riff(FMT, odd, DATA, info((b"ICMT", POINTER.encode() + b"\0")))
    assert scan("wav", data).tag_texts == (POINTER,)
    with pytest.raises(InvalidError, match="anew with a tag editor"):
        point("wav", data)


def test_med_30_a_list_of_16_mib_is_edited_and_not_a_byte_more() -> None:
    empty = riff(FMT, DATA)
    written = point("wav", riff(FMT, DATA, info((b"INAM", b""))))
    longest = 16 * 1024 * 1024 - (len(written) - len(empty))
    assert len(point("wav", riff(FMT, DATA, info((b"INAM", bytes(longest)))))) == (
        16 * 1024 * 1024 + len(empty)
    )
    for more in (1, 1024):
        with pytest.raises(InvalidError, match="too long"):
            point("wav", riff(FMT, DATA, info((b"INAM", bytes(longest + more)))))


class Huge(io.RawIOBase):
    """A RIFF file just under its limit, made of zeros as it is read."""

    SIZE = 8 + 0xFFFFFFFE
    HEAD = b"RIFF\xfe\xff\xff\xffWAVE" + FMT + b"data" + (SIZE - 44).to_bytes(4, "little")

    def __init__(self) -> None:
        self.place = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.place = offset + (self.SIZE if whence == io.SEEK_END else 0)
        return self.place

    def read(self, size: int = -1) -> bytes:
        data = self.HEAD[self.place : self.place + size].ljust(size, b"\0")
        self.place += size
        return data


def test_med_30_a_file_that_would_outgrow_riff_is_refused() -> None:
    source = MediaSource(Huge())  # type: ignore[arg-type]
    with pytest.raises(InvalidError, match="too long for RIFF"):
        wav.write_pointer(source, io.BytesIO(), POINTER)
