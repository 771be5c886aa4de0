"""ID3v2 tags at the front of a file: where they end, which texts they hold, and a pointer in their frames [MED-30].

Versions 2.2 to 2.4 are skipped; texts are looked for in 2.3 and 2.4, and only plain tags of these are edited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from hitp2p.dataclass import dataclass, replace
from hitp2p.errors import DecodeError
from hitp2p.limits import SOUND_TAG_BYTES
from hitp2p.media.pointer import place_pointer
from hitp2p.media.source import MediaSource

__all__ = ["front_tag_bytes", "iter_texts", "tag_with_pointer"]

_HEADER_BYTES: Final = 10
_DEFINED_FLAGS: Final = {2: 0xC0, 3: 0xE0, 4: 0xF0}
_FOOTER: Final = 0x10
_LOOKED_AT_FRAMES: Final = 1024
"""Frames of a tag in which texts are looked for."""
_TEXT_BYTES: Final = 64 * 1024
"""Longest frame in which a text is looked for."""
_NAME: Final = re.compile(rb"[A-Z][A-Z0-9]{3}")
_CODECS: Final = {0: "latin-1", 1: "utf-16", 2: "utf-16-be", 3: "utf-8"}
_NAMED_COMMENT: Final = re.compile(rb"(?i)c\0?o\0?m\0?m\0?e\0?n\0?t")
_NEXT_STEP: Final = "save its tags anew with a tag editor, as plain ID3v2.3 or 2.4"


def front_tag_bytes(source: MediaSource, *, rule: str) -> int:
    """Length of the tag that the file begins with, header and footer included; 0 where there is none.

    Raises:
        DecodeError: the tag says something undefined, or reaches past the end of the file.
    """
    if source.size < _HEADER_BYTES or source.read(0, 3, rule=rule) != b"ID3":
        return 0
    header = source.read(0, _HEADER_BYTES, rule=rule)
    version, revision, flags = header[3], header[4], header[5]
    if version not in _DEFINED_FLAGS or revision == 0xFF or flags & ~_DEFINED_FLAGS[version]:
        raise DecodeError(f"an ID3 tag of version 2.{version} with flags {flags:#04x}", rule=rule)
    size = _syncsafe(header[6:10])
    if size is None:
        raise DecodeError("an ID3 tag whose size is no syncsafe number", rule=rule, offset=6)
    length = _HEADER_BYTES + size + (_HEADER_BYTES if flags & _FOOTER else 0)
    if length > source.size:
        raise DecodeError("an ID3 tag is cut short", rule=rule, offset=source.size)
    return length


def iter_texts(source: MediaSource, length: int, *, rule: str) -> Iterator[str]:
    """The texts of a plain front tag of this length; as received. What can't be read is passed over."""
    header = source.read(0, min(length, _HEADER_BYTES), rule=rule)
    if not length or header[3] < 3 or header[5]:
        return
    at = _HEADER_BYTES
    for _ in range(_LOOKED_AT_FRAMES):
        if at + _HEADER_BYTES > length:
            return
        raw = source.read(at, _HEADER_BYTES, rule=rule)
        size = _frame_size(raw, header[3])
        at += _HEADER_BYTES
        if not _NAME.fullmatch(raw[:4]) or size is None or at + size > length:
            return
        if 0 < size <= _TEXT_BYTES and (raw[:1] == b"T" or raw[:4] == b"COMM") and raw[9] == 0:
            yield _read_text(raw[:4], source.read(at, size, rule=rule))
        at += size


def tag_with_pointer(tag: bytes, pointer: str, *, rule: str) -> bytes:
    """The tag with the pointer in a comment and the copyright; other frames stay as they are.

    Args:
        tag: a whole tag as `front_tag_bytes` measures it, or nothing.
        pointer: the text `hitp2p:<CID>`, ASCII.
        rule: whom to blame.

    Raises:
        DecodeError: the tag can't be edited without a chance of harm.
    """
    version, room, frames = 3, 0, list[_Frame]()
    if tag:
        version, room = tag[3], len(tag) - _HEADER_BYTES
        if version < 3 or tag[5] or len(tag) > SOUND_TAG_BYTES:
            raise DecodeError(
                f"an ID3v2.{version} tag of {len(tag)} bytes with flags {tag[5]:#04x} is not edited; {_NEXT_STEP}",
                rule=rule,
            )
        frames = list(_iter_frames(tag, version, rule))
    _put(frames, b"COMM", b"\0eng\0", pointer, rule)
    _put(frames, b"TCOP", b"\0", pointer, rule)
    _put_beside(frames, pointer, rule)
    body = b"".join(frame.encode(version) for frame in frames)
    body += bytes(max(0, room - len(body)))
    if _HEADER_BYTES + len(body) > SOUND_TAG_BYTES:
        raise DecodeError(f"an ID3 tag of over {SOUND_TAG_BYTES} bytes is not edited", rule=rule)
    return b"ID3" + bytes((version, 0, 0)) + _to_syncsafe(len(body)) + body


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """One frame of a tag of version 2.3 or 2.4; as received."""

    name: bytes
    flags: bytes
    """2 bytes; zero where the content is neither compressed, encrypted nor grouped."""
    content: bytes

    def encode(self, version: int) -> bytes:
        size = len(self.content)
        raw = size.to_bytes(4, "big") if version == 3 else _to_syncsafe(size)
        return self.name + raw + self.flags + self.content


def _iter_frames(tag: bytes, version: int, rule: str) -> Iterator[_Frame]:
    """All frames; they and the zeros behind them fill the tag exactly."""
    at = _HEADER_BYTES
    while at < len(tag) and tag[at]:
        raw = tag[at : at + _HEADER_BYTES]
        size = _frame_size(raw, version) if len(raw) == _HEADER_BYTES else None
        end = at + _HEADER_BYTES + (size or 0)
        if not _NAME.fullmatch(raw[:4]) or not size or end > len(tag):
            raise DecodeError(f"an ID3 frame is malformed; {_NEXT_STEP}", rule=rule, offset=at)
        yield _Frame(name=raw[:4], flags=raw[8:10], content=tag[at + _HEADER_BYTES : end])
        at = end
    if tag.count(0, at) != len(tag) - at:
        raise DecodeError(f"an ID3 tag's padding is not zero; {_NEXT_STEP}", rule=rule, offset=at)


def _put(frames: list[_Frame], name: bytes, fresh: bytes, pointer: str, rule: str) -> None:
    """Place the pointer in the first frame of this name, for a comment the first without a description."""
    for place, frame in enumerate(frames):
        if frame.name == name:
            text = _Text.of(frame, rule)
            if not text.description:
                frames[place] = replace(frame, content=text.with_pointer(pointer, name, rule))
                return
    frames.append(_Frame(name=name, flags=b"\0\0", content=fresh + pointer.encode("ascii")))


def _put_beside(frames: list[_Frame], pointer: str, rule: str) -> None:
    """Place the pointer in each `TXXX:comment` too: ffmpeg writes comments there, and reads them before COMM."""
    for place, frame in enumerate(frames):
        if frame.name == b"TXXX" and _NAMED_COMMENT.search(frame.content):
            text = _Text.of(frame, rule)
            if text.description.lower() == "comment":
                frames[place] = replace(frame, content=text.with_pointer(pointer, b"TXXX", rule))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """A frame with a text, taken apart."""

    head: bytes
    """What stands before the text: encoding, language, description."""
    description: str
    """Empty where the frame has none."""
    codec: str
    raw: bytes
    """The text in that codec; as received."""

    @classmethod
    def of(cls, frame: _Frame, rule: str) -> _Text:
        """The text of COMM, TXXX or another text frame.

        Raises:
            DecodeError: it is compressed or encrypted, or its encoding is unknown.
        """
        content, at = frame.content, 4 if frame.name == b"COMM" else 1
        codec = _CODECS.get(content[0])
        if frame.flags[1] or codec is None:
            raise DecodeError(f"{frame.name.decode()} can't be read; {_NEXT_STEP}", rule=rule)
        description = ""
        if frame.name in (b"COMM", b"TXXX"):
            width = 1 if content[0] in (0, 3) else 2
            end = next(
                (i for i in range(at, len(content), width) if not any(content[i : i + width])), at
            )
            description = content[at:end].decode(codec, "replace").removeprefix("\ufeff")
            at = end + width
        return cls(head=content[:at], description=description, codec=codec, raw=content[at:])

    def with_pointer(self, pointer: str, name: bytes, rule: str) -> bytes:
        """The content of the frame with the pointer in its text."""
        raw, mark, codec = self.raw, b"", self.codec
        if codec == "utf-16":
            mark, raw = raw[:2], raw[2:]
            codec = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}.get(mark, "")
        if not codec:
            raise DecodeError(f"a UTF-16 text without byte order; {_NEXT_STEP}", rule=rule)
        try:
            text = raw.decode(codec).rstrip("\0")
        except UnicodeDecodeError as error:
            what = f"{name.decode()} is no {codec} text"
            raise DecodeError(f"{what}; {_NEXT_STEP}", rule=rule) from error
        return self.head + mark + place_pointer(text, pointer).encode(codec)


def _read_text(name: bytes, content: bytes) -> str:
    """A text frame's content as well as it can be read; a description stands before its text."""
    codec = _CODECS.get(content[0], "latin-1")
    text = content[4 if name == b"COMM" else 1 :].decode(codec, "replace")
    return text.replace("\0", " ").strip()


def _frame_size(raw: bytes, version: int) -> int | None:
    return int.from_bytes(raw[4:8], "big") if version == 3 else _syncsafe(raw[4:8])


def _syncsafe(raw: bytes) -> int | None:
    """Four bytes of seven bits each."""
    if max(raw) > 0x7F:
        return None
    return raw[0] << 21 | raw[1] << 14 | raw[2] << 7 | raw[3]


def _to_syncsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))
