"""Vorbis comments, which FLAC and Ogg share: vendor, then `NAME=text` lines [MED-30]."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hitp2p.dataclass import dataclass, replace
from hitp2p.errors import DecodeError
from hitp2p.limits import COMMENT_LINES
from hitp2p.media.pointer import POINTER_SCHEME, place_pointer

__all__ = ["VorbisComment"]

_NEW_VENDOR: Final = b"hitp2p"
_COMMENT: Final = ("COMMENT", "DESCRIPTION")
"""Where a comment may stand; ffmpeg writes `DESCRIPTION`."""
_COPYRIGHT: Final = ("COPYRIGHT",)


@dataclass(frozen=True, slots=True, kw_only=True)
class VorbisComment:
    """One comment header; as received."""

    vendor: bytes = _NEW_VENDOR
    lines: tuple[bytes, ...] = ()
    """`NAME=text` each, in UTF-8 where the writer kept to the rules."""
    rest: bytes = b""
    """What stands behind the last line: the framing bit of Vorbis, padding of Opus."""

    @classmethod
    def parse(cls, data: bytes, *, rule: str) -> VorbisComment:
        """From the bytes behind the codec's own mark.

        Raises:
            DecodeError: a length reaches past the end, or there are too many lines.
        """
        vendor, at = _field(data, 0, rule)
        n_lines = int.from_bytes(_slice(data, at, 4, rule), "little")
        at += 4
        if n_lines > COMMENT_LINES:
            raise DecodeError(
                f"{n_lines} comment lines; at most {COMMENT_LINES} allowed", rule=rule
            )
        lines: list[bytes] = []
        for _ in range(n_lines):
            line, at = _field(data, at, rule)
            lines.append(line)
        return cls(vendor=vendor, lines=tuple(lines), rest=data[at:])

    def encode(self) -> bytes:
        """The bytes that `parse` reads."""
        fields = b"".join(len(line).to_bytes(4, "little") + line for line in self.lines)
        count = len(self.lines).to_bytes(4, "little")
        vendor = len(self.vendor).to_bytes(4, "little") + self.vendor
        return vendor + count + fields + self.rest

    def values(self, name: str) -> list[str]:
        """The texts under a name, which is compared without regard to case."""
        pairs = (line.decode("utf-8", "replace").partition("=") for line in self.lines)
        return [text for found, _, text in pairs if found.upper() == name]

    def iter_texts(self) -> Iterator[str]:
        """The text of every line."""
        for line in self.lines:
            yield line.partition(b"=")[2].decode("utf-8", "replace")

    def with_pointer(self, pointer: str) -> VorbisComment:
        """The same with the pointer in COMMENT and COPYRIGHT, in place of an older one or in a line of its own."""
        return self._with(_COMMENT, pointer)._with(_COPYRIGHT, pointer)

    def _with(self, names: tuple[str, ...], pointer: str) -> VorbisComment:
        lines, is_placed = list(self.lines), False
        for place, line in enumerate(lines):
            name, _, raw = line.partition(b"=")
            if name.decode("utf-8", "replace").upper() not in names:
                continue
            text = raw.decode("utf-8", "surrogateescape")
            if POINTER_SCHEME in text:
                new = place_pointer(text, pointer).encode("utf-8", "surrogateescape")
                lines[place], is_placed = name + b"=" + new, True
        if not is_placed:
            lines.append(f"{names[0]}={pointer}".encode())
        return replace(self, lines=tuple(lines))


def _slice(data: bytes, at: int, length: int, rule: str) -> bytes:
    if at + length > len(data):
        raise DecodeError("a comment is cut short", rule=rule, offset=at)
    return data[at : at + length]


def _field(data: bytes, at: int, rule: str) -> tuple[bytes, int]:
    length = int.from_bytes(_slice(data, at, 4, rule), "little")
    return _slice(data, at + 4, length, rule), at + 4 + length
