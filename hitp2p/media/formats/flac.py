"""FLAC: STREAMINFO and the frames behind the metadata blocks [MED-19].

The frames are not told apart: all bytes behind the metadata are payload, so whatever is added, taken or changed there
changes the digest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from hitp2p.dataclass import dataclass
from hitp2p.errors import DecodeError
from hitp2p.limits import SOUND_PARTS
from hitp2p.media.display import Display
from hitp2p.media.essence import FoundEssence, essence_hasher
from hitp2p.media.formats import id3
from hitp2p.media.formats.vorbis_comment import VorbisComment
from hitp2p.media.pointer import pointing_texts
from hitp2p.media.source import MediaSource

__all__ = ["ALGORITHM", "scan", "write_pointer"]

ALGORITHM: Final = "flac/1"

_RULE: Final = "MED-19"
_MAGIC: Final = b"fLaC"
_STREAMINFO, _PADDING, _COMMENT, _PICTURE, _FORBIDDEN = 0, 1, 4, 6, 127
_STREAMINFO_BYTES: Final = 34
_ID3V1_BYTES: Final = 128
_MASK_NAME: Final = "WAVEFORMATEXTENSIBLE_CHANNEL_MASK"
_MASK: Final = re.compile(r"0[xX]([0-9a-fA-F]{1,8})")
_HEADER_BYTES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """One metadata block."""

    kind: int
    start: int
    """Where its content begins in the file."""
    length: int
    """Length of the content in bytes."""
    is_last: bool


def scan(source: MediaSource) -> FoundEssence:
    """STREAMINFO, then every byte behind the last metadata block.

    Raises:
        DecodeError: the file is odd [MED-19].
    """
    blocks = list(_iter_blocks(source))
    comment = _read_comment(source, blocks)
    start = _start_of_frames(source, blocks)
    hasher = essence_hasher(ALGORITHM)
    hasher.update(source.read(blocks[0].start, _STREAMINFO_BYTES, rule=_RULE))
    for piece in source.pieces(start, source.size - start, rule=_RULE):
        hasher.update(piece)
    display, notes = _display(comment).finish(ALGORITHM)
    return FoundEssence(
        algorithm=ALGORITHM,
        digest=hasher.digest(),
        display=display,
        display_notes=notes,
        tag_texts=pointing_texts(comment.iter_texts()),
    )


def write_pointer(source: MediaSource, sink: BinaryIO, pointer: str) -> None:
    """Copy the file with the pointer in COMMENT and COPYRIGHT of its comment block [MED-30].

    Padding gives the room where there is enough.

    Raises:
        DecodeError: the file is odd [MED-19], or the comments no longer fit into a block.
    """
    scan(source)
    blocks = list(_iter_blocks(source))
    new = _read_comment(source, blocks).with_pointer(pointer).encode()
    if len(new) >= 1 << 24:
        raise DecodeError("the comments are too long; shorten them first", rule=_RULE)
    sizes = _new_sizes(blocks, len(new))
    first = blocks[0].start - _HEADER_BYTES
    sink.write(source.read(0, first, rule=_RULE))
    for place, (block, length) in enumerate(sizes):
        is_last = place == len(sizes) - 1
        sink.write(bytes((block.kind | is_last << 7,)) + length.to_bytes(3, "big"))
        if block.kind == _COMMENT:
            sink.write(new)
        elif block.kind == _PADDING:
            sink.write(bytes(length))
        else:
            _copy(source, sink, block.start, length)
    start = blocks[-1].start + blocks[-1].length
    _copy(source, sink, start, source.size - start)


def _copy(source: MediaSource, sink: BinaryIO, start: int, length: int) -> None:
    for piece in source.pieces(start, length, rule=_RULE):
        sink.write(piece)


def _new_sizes(blocks: list[_Block], comment_bytes: int) -> list[tuple[_Block, int]]:
    """The blocks of the copy with their lengths; the first padding that has room gives what comments gain."""
    sizes = [(b, comment_bytes if b.kind == _COMMENT else b.length) for b in blocks]
    gained = comment_bytes - sum(b.length for b in blocks if b.kind == _COMMENT)
    if all(b.kind != _COMMENT for b in blocks):
        fresh = _Block(kind=_COMMENT, start=0, length=0, is_last=False)
        sizes.insert(1, (fresh, comment_bytes))
        gained += _HEADER_BYTES
    for place, (block, length) in enumerate(sizes):
        if block.kind == _PADDING and 0 <= length - gained < 1 << 24:
            sizes[place] = block, length - gained
            break
    return sizes


def _iter_blocks(source: MediaSource) -> Iterator[_Block]:
    """The metadata blocks; STREAMINFO is the first and stands alone of its kind."""
    at = id3.front_tag_bytes(source, rule=_RULE)
    if source.read(at, 4, rule=_RULE) != _MAGIC:
        raise DecodeError("no FLAC stream", rule=_RULE, offset=at)
    at += 4
    is_first, seen = True, set[int]()
    for _ in range(SOUND_PARTS):
        raw = source.read(at, _HEADER_BYTES, rule=_RULE)
        is_last, kind = raw[0] > 0x7F, raw[0] & 0x7F
        block = _Block(
            kind=kind,
            start=at + _HEADER_BYTES,
            length=int.from_bytes(raw[1:], "big"),
            is_last=is_last,
        )
        if is_first is not (kind == _STREAMINFO) or (
            is_first and block.length != _STREAMINFO_BYTES
        ):
            raise DecodeError("STREAMINFO is not the one first block", rule=_RULE, offset=at)
        if kind == _FORBIDDEN or (kind == _COMMENT and kind in seen):
            raise DecodeError(f"a metadata block {kind} too many", rule=_RULE, offset=at)
        if kind == _PICTURE:
            _check_picture(source, block)
        yield block
        seen.add(kind)
        if is_last:
            return
        is_first, at = False, block.start + block.length
    raise DecodeError(f"more than {SOUND_PARTS} metadata blocks", rule=_RULE, offset=at)


def _check_picture(source: MediaSource, block: _Block) -> None:
    """A picture fills its block: ffmpeg reads a longer one on into what stands behind it."""
    at, end = block.start + 4, block.start + block.length
    for fixed in (0, 0, 16):
        at += fixed
        length = int.from_bytes(source.read(at, 4, rule=_RULE), "big")
        at += 4 + length
        if at > end:
            break
    if at != end:
        raise DecodeError("a picture doesn't fill its block", rule=_RULE, offset=block.start)


def _read_comment(source: MediaSource, blocks: list[_Block]) -> VorbisComment:
    for block in blocks:
        if block.kind == _COMMENT:
            data = source.read(block.start, block.length, rule=_RULE)
            comment = VorbisComment.parse(data, rule=_RULE)
            if comment.rest:
                raise DecodeError("comments don't fill their block", rule=_RULE, offset=block.start)
            return comment
    return VorbisComment()


def _start_of_frames(source: MediaSource, blocks: list[_Block]) -> int:
    start = blocks[-1].start + blocks[-1].length
    if source.read(start, 2, rule=_RULE) not in (b"\xff\xf8", b"\xff\xf9"):
        raise DecodeError("no frame behind the metadata", rule=_RULE, offset=start)
    tail = max(start, source.size - _ID3V1_BYTES)
    if source.read(tail, 3, rule=_RULE) == b"TAG":
        raise DecodeError("an ID3v1 tag behind the frames", rule=_RULE, offset=tail)
    return start


def _display(comment: VorbisComment) -> Display:
    """Which speakers the channels are for, where a comment says so."""
    display, masks = Display(), comment.values(_MASK_NAME)
    if masks:
        found = _MASK.fullmatch(masks[0])
        if len(masks) > 1 or not found:
            raise DecodeError(f"{_MASK_NAME} is no single hexadecimal number", rule=_RULE)
        speakers = f"speakers {int(found[1], 16):x}"
        display.add(speakers, speakers)
    return display
