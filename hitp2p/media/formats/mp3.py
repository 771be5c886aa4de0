"""MP3: MPEG audio layer III frames between tags [MED-18].

What ffmpeg plays is the measure: it plays every frame it can find, also one inside a trailing tag, so a trailing tag
must hold nothing that begins like a frame.
"""

from __future__ import annotations

import re
from typing import BinaryIO, Final

from hitp2p.dataclass import dataclass
from hitp2p.errors import DecodeError
from hitp2p.limits import SOUND_LONG_TAG_BYTES, SOUND_TAG_BYTES
from hitp2p.media.display import Display
from hitp2p.media.essence import FoundEssence, essence_hasher
from hitp2p.media.formats import id3
from hitp2p.media.pointer import pointing_texts
from hitp2p.media.source import PIECE_BYTES, MediaSource

__all__ = ["ALGORITHM", "scan", "write_pointer"]

ALGORITHM: Final = "mp3/1"

_RULE: Final = "MED-18"
_KBITS: Final = {
    3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_KBITS[0] = _KBITS[2]
_HERTZ: Final = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
"""By the version bits of a header: 3 is MPEG 1, 2 is MPEG 2, 0 is MPEG 2.5."""
_SIDE_BYTES: Final = {(True, False): 32, (True, True): 17, (False, False): 17, (False, True): 9}
"""Length of the side information by (MPEG 1, mono)."""
_SYNC: Final = re.compile(rb"\xff[\xe0-\xff]")
_ID3V1_BYTES: Final = 128
_APE_BYTES: Final = 32
_LYRICS_BYTES: Final = 15
_TRIMMED: Final = (b"LAME", b"Lavf", b"Lavc")
"""Encoders for which ffmpeg leaves out the delay of a decoder even where they say 0."""


def _frame_lengths(version: int, rate: int) -> dict[int, int]:
    """Length of a frame by the second and third byte of its header, at one version and sample rate."""
    factor, hertz = (144_000 if version == 3 else 72_000), _HERTZ[version][rate]
    return {
        (0xE2 | version << 3 | crc) << 8 | index << 4 | rate << 2 | rest: factor * kbits // hertz
        + (rest >> 1)
        for index, kbits in enumerate(_KBITS[version], start=1)
        for crc in (0, 1)
        for rest in range(4)
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """What all frames of a file share."""

    lengths: dict[int, int]
    """Length of a frame by the second and third byte of its header."""
    is_mono: bool
    is_mpeg1: bool

    @classmethod
    def of(cls, header: bytes) -> _Kind:
        """The kind of the frame with this header.

        Raises:
            DecodeError: no frame of layer III begins so.
        """
        version, rate = header[1] >> 3 & 3, header[2] >> 2 & 3
        if header[0] != 0xFF or header[1] & 0xE6 != 0xE2 or version == 1 or rate == 3:
            raise DecodeError("no MPEG layer III frame", rule=_RULE)
        lengths = _frame_lengths(version, rate)
        return cls(lengths=lengths, is_mono=header[3] >> 6 == 3, is_mpeg1=version == 3)

    def length(self, header: bytes, at: int = 0, *, offset: int) -> int:
        """Length of the frame whose header stands at `at`; `offset` is where that is in the file."""
        length = self.lengths.get(header[at + 1] << 8 | header[at + 2])
        if header[at] != 0xFF or length is None or (header[at + 3] >> 6 == 3) != self.is_mono:
            raise DecodeError(
                "no whole frame of the same version, layer, rate and channels as the first",
                rule=_RULE,
                offset=offset,
            )
        return length

    @property
    def side_bytes(self) -> int:
        return _SIDE_BYTES[self.is_mpeg1, self.is_mono]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Summary:
    """The frame without sound that encoders put first."""

    n_frames: int | None
    """How many frames it says to follow."""
    trim: tuple[int, int] | None = None
    """Samples that a player leaves out at the start and at the end, besides the decoder's own delay; None where unsaid."""


def scan(source: MediaSource) -> FoundEssence:
    """The frames as they are, without tags and the summary frame.

    Raises:
        DecodeError: the file is odd [MED-18].
    """
    tag_bytes = id3.front_tag_bytes(source, rule=_RULE)
    end = _end_of_frames(source, tag_bytes)
    header = source.read(tag_bytes, 4, rule=_RULE)
    kind = _Kind.of(header)
    first = source.read(tag_bytes, kind.length(header, offset=tag_bytes), rule=_RULE)
    summary = _read_summary(first, kind)
    hasher = essence_hasher(ALGORITHM)
    n_frames, at = 0, tag_bytes + (len(first) if summary else 0)
    while at < end:
        piece = source.read(at, min(PIECE_BYTES, end - at), rule=_RULE)
        n_whole, length = _whole_frames(piece, kind, at)
        hasher.update(memoryview(piece)[:length])
        n_frames, at = n_frames + n_whole, at + length
    if not n_frames or (summary and summary.n_frames not in (None, n_frames, n_frames + 1)):
        said = summary.n_frames if summary else 0
        raise DecodeError(f"{n_frames} frames where {said} are announced", rule=_RULE, offset=end)
    display, notes = _display(summary).finish(ALGORITHM)
    return FoundEssence(
        algorithm=ALGORITHM,
        digest=hasher.digest(),
        display=display,
        display_notes=notes,
        tag_texts=pointing_texts(id3.iter_texts(source, tag_bytes, rule=_RULE)),
    )


def write_pointer(source: MediaSource, sink: BinaryIO, pointer: str) -> None:
    """Copy the file with the pointer in COMM and TCOP of its ID3v2 tag [MED-30].

    Raises:
        DecodeError: the file is odd [MED-18] or its tag can't be edited safely.
    """
    scan(source)
    length = id3.front_tag_bytes(source, rule=_RULE)
    tag = source.read(0, min(length, SOUND_TAG_BYTES + 1), rule=_RULE)
    sink.write(id3.tag_with_pointer(tag, pointer, rule=_RULE))
    for piece in source.pieces(length, source.size - length, rule=_RULE):
        sink.write(piece)


def _whole_frames(piece: bytes, kind: _Kind, offset: int) -> tuple[int, int]:
    """How many whole frames a piece begins with, at least one, and how many bytes they are."""
    n_frames = at = 0
    length = 0
    while at + 4 <= len(piece):
        length = kind.length(piece, at, offset=offset + at)
        if at + length > len(piece):
            break
        n_frames, at = n_frames + 1, at + length
    if not n_frames:
        raise DecodeError("the last frame is cut short", rule=_RULE, offset=offset)
    return n_frames, at


def _read_summary(frame: bytes, kind: _Kind) -> _Summary | None:
    """What the first frame says, where it is a Xing, Info or VBRI frame.

    A frame with a CRC is sound here: ffmpeg plays it too.
    """
    at = 4 + kind.side_bytes
    if not frame[1] & 1:
        return None
    if frame[36:40] == b"VBRI" and len(frame) >= 54:
        summary = _Summary(n_frames=int.from_bytes(frame[50:54], "big"))
    elif frame[at : at + 4] in (b"Xing", b"Info"):
        summary = _read_xing(frame[at + 4 :])
    else:
        return None
    if any(frame[4:at]):
        raise DecodeError("a summary frame holds sound", rule=_RULE)
    return summary


def _read_xing(content: bytes) -> _Summary:
    flags = int.from_bytes(content[:4], "big")
    n_frames = int.from_bytes(content[4:8], "big") if flags & 1 else None
    at = 4 + 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1)
    encoder, raw = content[at : at + 4], content[at + 21 : at + 24]
    trim = int.from_bytes(raw, "big") if len(raw) == 3 else 0
    is_said = len(raw) == 3 and (trim or encoder in _TRIMMED)
    return _Summary(n_frames=n_frames, trim=(trim >> 12, trim & 0xFFF) if is_said else None)


def _display(summary: _Summary | None) -> Display:
    display = Display()
    if summary and summary.trim:
        start, end = summary.trim
        words = f"{start} samples left out at the start, {end} at the end"
        display.add(f"trim {start} {end}", words)
    return display


def _end_of_frames(source: MediaSource, start: int) -> int:
    """Where the trailing tags begin: ID3v1 at the very end, before it APEv2 and Lyrics3v2, each at most once."""
    end = source.size
    if end - start >= _ID3V1_BYTES and source.read(end - _ID3V1_BYTES, 3, rule=_RULE) == b"TAG":
        end -= _ID3V1_BYTES
    # Behind a longer tag ffmpeg may take the file for what the tag's content looks like, and play such from a trailing tag.
    left = [] if start > SOUND_LONG_TAG_BYTES else [_ape_bytes, _lyrics_bytes]
    while left:
        looked = [(look(source, start, end), look) for look in left]
        length, look = max(looked, key=lambda found: found[0])
        if not length:
            break
        end -= length
        left.remove(look)
    _refuse_hidden_frames(source, end)
    return end


def _ape_bytes(source: MediaSource, start: int, end: int) -> int:
    """Length of the APEv1 or APEv2 tag that ends at `end`."""
    if end - start < _APE_BYTES:
        return 0
    footer = source.read(end - _APE_BYTES, _APE_BYTES, rule=_RULE)
    if footer[:8] != b"APETAGEX":
        return 0
    flags = int.from_bytes(footer[20:24], "little")
    length = int.from_bytes(footer[12:16], "little") + (_APE_BYTES if flags >> 31 else 0)
    if flags >> 29 & 3 or not _APE_BYTES <= length <= end - start:
        raise DecodeError("an APE tag is malformed", rule=_RULE, offset=end - _APE_BYTES)
    if flags >> 31 and source.read(end - length, 8, rule=_RULE) != b"APETAGEX":
        raise DecodeError("an APE tag lacks its header", rule=_RULE, offset=end - length)
    return length


def _lyrics_bytes(source: MediaSource, start: int, end: int) -> int:
    """Length of the Lyrics3v2 tag that ends at `end`."""
    if end - start < _LYRICS_BYTES:
        return 0
    footer = source.read(end - _LYRICS_BYTES, _LYRICS_BYTES, rule=_RULE)
    if footer[6:] != b"LYRICS200":
        return 0
    length = _LYRICS_BYTES + (int(footer[:6]) if footer[:6].isdigit() else 0)
    is_whole = 11 + _LYRICS_BYTES <= length <= end - start
    if not is_whole or source.read(end - length, 11, rule=_RULE) != b"LYRICSBEGIN":
        raise DecodeError("a Lyrics3 tag is malformed", rule=_RULE, offset=end - _LYRICS_BYTES)
    return length


def _refuse_hidden_frames(source: MediaSource, start: int) -> None:
    """No byte pair in trailing tags may look like the start of a frame: some players would play it."""
    offset, last = start, b""
    for piece in source.pieces(start, source.size - start, rule=_RULE):
        found = _SYNC.search(last + piece)
        if found:
            at = offset - len(last) + found.start()
            raise DecodeError("a trailing tag may hide a frame", rule=_RULE, offset=at)
        offset, last = offset + len(piece), piece[-1:]
