"""The essence of a media file: the hash of what is seen, heard or read, without the metadata around it [MED-10].

A file that a strict parser finds odd in any way has no essence: a guess would let one file pass for another.
"""

from __future__ import annotations

import hashlib
from importlib import import_module
from typing import Final, Protocol, cast

from hitp2p.dataclass import dataclass
from hitp2p.errors import DecodeError
from hitp2p.media.sniff import SNIFF_BYTES, sniff_media_type
from hitp2p.media.source import MediaSource
from hitp2p.objects.contribution import Essence

__all__ = [
    "FORMATS",
    "SURE_ALGORITHMS",
    "FoundEssence",
    "Hasher",
    "display_hasher",
    "essence_hasher",
    "scan_essence",
]

FORMATS: Final[dict[str, str]] = {
    "audio/flac": "flac",
    "audio/mp4": "mp4",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "image/gif": "gif",
    "image/jpeg": "jpeg",
    "image/png": "png",
    "image/svg+xml": "svg",
    "image/webp": "webp",
    "text/plain": "text",
    "video/mp4": "mp4",
    "video/quicktime": "mp4",
}
"""Which module of `hitp2p.media.formats` reads which sniffed type."""
SURE_ALGORITHMS: Final = frozenset(
    f"{module}/1" for module in FORMATS.values() if module not in ("svg", "text")
)
"""Algorithms of formats that their first bytes tell, so that a file has the essence of one of them at most."""


class Hasher(Protocol):
    """A SHA-256 in the making; hashlib's own type has no public name."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Take in more bytes."""
        ...

    def digest(self) -> bytes:
        """The hash of all bytes so far."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEssence:
    """What a strict parser found in a media file; computed here from the bytes."""

    algorithm: str
    """Name and version, such as `jpeg/1`."""
    digest: bytes
    """32 bytes over the payload [MED-10]."""
    display: bytes | None = None
    """32 bytes over metadata that changes what is shown, such as an orientation [MED-11]; None without any."""
    display_notes: tuple[str, ...] = ()
    """The same in words, a line each, such as `orientation 6`; for people."""
    tag_texts: tuple[str, ...] = ()
    """Texts in the file's tags that speak of `hitp2p:`, as received, in file order; at most 16 of 1,024 characters."""

    @property
    def recorded(self) -> Essence:
        """The part that a work's media entry records."""
        return Essence(algorithm=self.algorithm, digest=self.digest, display=self.display)


class _Format(Protocol):
    def scan(self, source: MediaSource) -> FoundEssence:
        """Read a whole file of this format.

        Raises:
            DecodeError: it breaks the format's strict rule, so it has no essence.
        """
        ...


def scan_essence(source: MediaSource) -> FoundEssence:
    """The essence of a file, whose type is told from its first bytes.

    One pass over the payload; memory doesn't grow with the file.

    Raises:
        DecodeError: its type has no algorithm [MED-10], or a parser finds it odd (the format's rule).
    """
    head = source.read(0, min(SNIFF_BYTES, source.size), rule="MED-10")
    media_type = sniff_media_type(head)
    module = FORMATS.get(media_type)
    if module is None:
        raise DecodeError(f"there is no essence for {media_type}", rule="MED-10")
    return cast("_Format", import_module(f"hitp2p.media.formats.{module}")).scan(source)


def essence_hasher(algorithm: str) -> Hasher:
    """A SHA-256 that has taken in the algorithm's name; a format feeds its payload [MED-10]."""
    return hashlib.sha256(b"hitp2p/essence/" + algorithm.encode("ascii") + b"\0")


def display_hasher(algorithm: str) -> Hasher:
    """A SHA-256 for what changes the display; a format feeds it what its rule names [MED-11]."""
    return hashlib.sha256(b"hitp2p/display/" + algorithm.encode("ascii") + b"\0")
