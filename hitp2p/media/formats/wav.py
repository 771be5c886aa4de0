"""WAV: the samples of one RIFF, RF64 or BW64 file, and the few numbers that say how to play them [MED-20].

Programs write the same samples under a plain or an extensible header; the payload has one form for both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

from hitp2p.dataclass import dataclass
from hitp2p.errors import DecodeError
from hitp2p.limits import SOUND_PARTS, SOUND_TAG_BYTES
from hitp2p.media.display import Display
from hitp2p.media.essence import FoundEssence, essence_hasher
from hitp2p.media.pointer import place_pointer, pointing_texts
from hitp2p.media.source import MediaSource

__all__ = ["ALGORITHM", "scan", "write_pointer"]

ALGORITHM: Final = "wav/1"

_RULE: Final = "MED-20"
_IN_DS64: Final = 0xFFFFFFFF
"""As a size: see the chunk ds64."""
_DS64: Final = b"ds64"
_DS64_BYTES: Final = 28
_PLAY_OTHERWISE: Final = frozenset({_DS64, b"slnt", b"SMV0", b"XMA2", b"chna"})
"""Chunks that make a program play something other than `data`: silence, moving pictures, other codings, sound objects."""
_ACT: Final = bytes(212) + b"\x84"
"""Bytes 44 to 256 by which ffmpeg knows the files of some voice recorders, to play them as G.729."""
_EXTENSIBLE: Final = 0xFFFE
_GUID_TAIL: Final = bytes.fromhex("000000001000800000aa00389b71")
_BITS: Final = {1: (8, 16, 24, 32), 3: (32, 64), 6: (8,), 7: (8,)}
"""Bits of a sample by coding: integer, floating point, A-law, mu-law."""
_USUAL_SPEAKERS: Final = {1: (0, 4), 2: (0, 3)}
"""By number of channels: unsaid, or front centre, or front left and right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    """One chunk."""

    name: bytes
    start: int
    """Where its content begins in the file."""
    length: int
    """Length of the content in bytes, without the byte that pads it."""

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self.start + self.length + (self.length & 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Coding:
    """How the samples are to be played."""

    tag: int
    """1 integer, 3 floating point, 6 A-law, 7 mu-law."""
    channels: int
    hertz: int
    bits: int
    """Bits that a sample takes up."""
    speakers: int
    """One bit a loudspeaker; 0 where unsaid or usual."""


def scan(source: MediaSource) -> FoundEssence:
    """How to play the samples, then the samples.

    Raises:
        DecodeError: the file is odd [MED-20].
    """
    coding, data = _coding_and_data(source)
    hasher = essence_hasher(ALGORITHM)
    hasher.update(coding.tag.to_bytes(2, "big") + coding.channels.to_bytes(2, "big"))
    hasher.update(coding.hertz.to_bytes(4, "big") + coding.bits.to_bytes(2, "big"))
    for piece in source.pieces(data.start, data.length, rule=_RULE):
        hasher.update(piece)
    display = Display()
    if coding.speakers:
        speakers = f"speakers {coding.speakers:x}"
        display.add(speakers, speakers)
    hash, notes = display.finish(ALGORITHM)
    return FoundEssence(
        algorithm=ALGORITHM,
        digest=hasher.digest(),
        display=hash,
        display_notes=notes,
        tag_texts=pointing_texts(_iter_texts(source)),
    )


def write_pointer(source: MediaSource, sink: BinaryIO, pointer: str) -> None:
    """Copy the file with the pointer in ICMT and ICOP of its LIST-INFO [MED-30], at the end where there is none.

    Raises:
        DecodeError: the file is odd [MED-20], its list can't be edited, or it would grow past what RIFF can hold.
    """
    chunks = list(_iter_chunks(source))
    old = next((chunk for chunk in chunks if _is_info(source, chunk)), None)
    texts = list(_iter_info(source, old)) if old else []
    for name in (b"ICMT", b"ICOP"):
        _put(texts, name, pointer)
    new = _chunk(b"LIST", b"INFO" + b"".join(_chunk(name, text) for name, text in texts))
    if len(new) > SOUND_TAG_BYTES:
        raise DecodeError("with a pointer the list of texts is too long", rule=_RULE)
    size = 4 + len(new) + sum(8 + c.length + (c.length & 1) for c in chunks if c is not old)
    header = _riff_header(source, size)
    scan(source)
    sink.write(header)
    for chunk in chunks:
        if chunk is old:
            sink.write(new)
        elif chunk.name == _DS64:
            rest = source.read(chunk.start + 8, chunk.length - 8, rule=_RULE)
            sink.write(_chunk(_DS64, size.to_bytes(8, "little") + rest))
        else:
            for piece in source.pieces(chunk.start - 8, 8 + chunk.length, rule=_RULE):
                sink.write(piece)
            sink.write(bytes(chunk.length & 1))
    if not old:
        sink.write(new)


def _iter_chunks(source: MediaSource) -> Iterator[_Chunk]:
    """The chunks, which fill the file exactly; only the padding of the last may be missing."""
    head = source.read(0, 12, rule=_RULE)
    if head[:4] not in (b"RIFF", b"RF64", b"BW64") or head[8:] != b"WAVE":
        raise DecodeError("no WAV file", rule=_RULE)
    size, at, data_bytes = int.from_bytes(head[4:8], "little"), 12, None
    if head[:4] != b"RIFF":
        ds64 = _Chunk(name=_DS64, start=20, length=_DS64_BYTES)
        size, data_bytes = _read_ds64(source, size)
        yield ds64
        at = ds64.end
    if 8 + size != source.size and (not size & 1 or 9 + size != source.size):
        raise DecodeError(
            f"{8 + size} bytes announced, {source.size} there", rule=_RULE, offset=source.size
        )
    n_chunks = 0
    while at < source.size:
        n_chunks += 1
        if n_chunks > SOUND_PARTS:
            raise DecodeError(f"more than {SOUND_PARTS} chunks", rule=_RULE, offset=at)
        name = source.read(at, 8, rule=_RULE)
        length = int.from_bytes(name[4:], "little")
        if length == _IN_DS64 or (data_bytes is not None and name[:4] == b"data"):
            if data_bytes is None or length != _IN_DS64 or name[:4] != b"data":
                raise DecodeError("a chunk of unsaid length", rule=_RULE, offset=at)
            length = data_bytes
        chunk = _Chunk(name=name[:4], start=at + 8, length=length)
        if chunk.start + chunk.length > source.size:
            raise DecodeError("a chunk is cut short", rule=_RULE, offset=at)
        yield chunk
        at = chunk.end


def _read_ds64(source: MediaSource, size: int) -> tuple[int, int]:
    """The 64-bit lengths of the file and of the data."""
    head = source.read(12, 8 + _DS64_BYTES, rule=_RULE)
    is_plain = head[:8] == _DS64 + _DS64_BYTES.to_bytes(4, "little") and not any(head[32:])
    if size != _IN_DS64 or not is_plain:
        raise DecodeError("a malformed ds64", rule=_RULE, offset=12)
    return int.from_bytes(head[8:16], "little"), int.from_bytes(head[16:24], "little")


def _coding_and_data(source: MediaSource) -> tuple[_Coding, _Chunk]:
    """What the one `fmt ` says, and the one `data` behind it."""
    coding: _Coding | None = None
    data: _Chunk | None = None
    is_riff = source.read(0, 4, rule=_RULE) == b"RIFF"
    if source.size >= 257 and source.read(44, 213, rule=_RULE) == _ACT:
        raise DecodeError("it could be taken for an ACT voice file", rule=_RULE, offset=44)
    for place, chunk in enumerate(_iter_chunks(source)):
        where = chunk.start - 8
        if place == 0 and not is_riff:
            continue
        if chunk.name in _PLAY_OTHERWISE or _list_kind(source, chunk) == b"wavl":
            raise DecodeError(f"a chunk {chunk.name!r}", rule=_RULE, offset=where)
        if chunk.name == b"fmt ":
            if coding:
                raise DecodeError("two chunks 'fmt '", rule=_RULE, offset=where)
            coding = _read_coding(source, chunk)
        elif chunk.name == b"data":
            if data or not coding:
                raise DecodeError("'data' twice or before 'fmt '", rule=_RULE, offset=where)
            data = chunk
            if not data.length or data.length % (coding.channels * coding.bits // 8):
                raise DecodeError("no whole number of samples", rule=_RULE, offset=where)
    if not coding or not data:
        raise DecodeError("no sound", rule=_RULE, offset=source.size)
    return coding, data


def _read_coding(source: MediaSource, chunk: _Chunk) -> _Coding:
    """The content of `fmt `: 16 bytes, 18 with an empty extension, or 40 where it is extensible."""
    raw = source.read(chunk.start, min(chunk.length, 40), rule=_RULE)
    numbers = [int.from_bytes(raw[at : at + 2], "little") for at in range(0, len(raw) - 1, 2)]
    extension = numbers[8:9]
    is_extensible = len(numbers) == 20 and numbers[0] == _EXTENSIBLE
    is_whole = chunk.length in (16, 18, 40) and len(raw) == chunk.length
    if not is_whole or extension != {16: [], 18: [0], 40: [22]}[chunk.length]:
        raise DecodeError(f"'fmt ' of {chunk.length} bytes", rule=_RULE, offset=chunk.start)
    tag, channels, align, bits = numbers[0], numbers[1], numbers[6], numbers[7]
    speakers = 0
    if is_extensible:
        tag, valid_bits = numbers[12], numbers[9]
        speakers = int.from_bytes(raw[20:24], "little")
        if raw[26:] != _GUID_TAIL or not bits - 8 < valid_bits <= bits:
            raise DecodeError("an unknown extensible 'fmt '", rule=_RULE, offset=chunk.start)
    hertz = int.from_bytes(raw[4:8], "little")
    is_known = bits in _BITS.get(tag, ()) and is_extensible is (chunk.length == 40)
    if not is_known or not channels or not hertz or align != channels * bits // 8:
        raise DecodeError(
            f"coding {tag} of {channels} channels, {hertz} Hz, {bits} bits in {align} bytes",
            rule=_RULE,
            offset=chunk.start,
        )
    if speakers in _USUAL_SPEAKERS.get(channels, ()):
        speakers = 0
    return _Coding(tag=tag, channels=channels, hertz=hertz, bits=bits, speakers=speakers)


def _list_kind(source: MediaSource, chunk: _Chunk) -> bytes:
    """What a LIST holds, such as `INFO`; nothing for other chunks."""
    if chunk.name != b"LIST" or chunk.length < 4:
        return b""
    return source.read(chunk.start, 4, rule=_RULE)


def _is_info(source: MediaSource, chunk: _Chunk) -> bool:
    return _list_kind(source, chunk) == b"INFO"


def _iter_info(source: MediaSource, chunk: _Chunk) -> Iterator[tuple[bytes, bytes]]:
    """Name and raw text of each entry of a LIST-INFO.

    Raises:
        DecodeError: they don't fill it.
    """
    if chunk.length > SOUND_TAG_BYTES:
        raise DecodeError("a list of texts is too long to edit", rule=_RULE, offset=chunk.start)
    content, at = source.read(chunk.start, chunk.length, rule=_RULE), 4
    while at < len(content):
        start = at + 8
        end = start + int.from_bytes(content[at + 4 : start].ljust(4, b"\xff"), "little")
        if end > len(content):
            raise DecodeError(
                "a list of texts is malformed; save it anew with a tag editor",
                rule=_RULE,
                offset=chunk.start + at,
            )
        yield content[at : at + 4], content[start:end]
        at = end + (end & 1)


def _iter_texts(source: MediaSource) -> Iterator[str]:
    """All texts of the lists; as received. A malformed list is passed over."""
    for chunk in _iter_chunks(source):
        if _is_info(source, chunk):
            try:
                for _, text in _iter_info(source, chunk):
                    yield text.decode("utf-8", "replace").rstrip("\0")
            except DecodeError:
                continue


def _put(texts: list[tuple[bytes, bytes]], name: bytes, pointer: str) -> None:
    """Place the pointer in the first entry of this name, or in a new one."""
    for place, (found, raw) in enumerate(texts):
        if found == name:
            text = raw.rstrip(b"\0").decode("utf-8", "surrogateescape")
            new = place_pointer(text, pointer).encode("utf-8", "surrogateescape")
            texts[place] = name, new + b"\0"
            return
    texts.append((name, pointer.encode("ascii") + b"\0"))


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4, "little") + content + bytes(len(content) & 1)


def _riff_header(source: MediaSource, size: int) -> bytes:
    form = source.read(0, 4, rule=_RULE)
    if form != b"RIFF":
        return form + _IN_DS64.to_bytes(4, "little") + b"WAVE"
    if size >= _IN_DS64:
        raise DecodeError("with a pointer it is too long for RIFF; save it as RF64", rule=_RULE)
    return form + size.to_bytes(4, "little") + b"WAVE"
