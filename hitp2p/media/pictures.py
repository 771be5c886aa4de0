"""Pictures that look alike: the 256-bit image code of ISO 24138 of many views of a picture.

A smaller copy, other colours, a border, a banner, a mirror image and the half of a collage stay near. A free crop mostly
doesn't: of a fifth cut away, one in fourteen was found.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Final

from hitp2p.media.decoding import run_worker
from hitp2p.media.prints import Print

__all__ = [
    "ALGORITHM",
    "PICTURE_BYTES",
    "THRESHOLD",
    "UNRELATED",
    "distance",
    "measure",
    "needs",
    "suits",
]

ALGORITHM: Final = "iscc-views/1"
THRESHOLD: Final = 0.20
UNRELATED: Final = 0.30
PICTURE_BYTES: Final = 64 * 1024 * 1024
"""Largest file of a picture that is compared, in bytes."""

_DECODERS: Final = {
    "image/gif": "GIF",
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
}
"""Named to the decoder, so that no other one of its many sees the bytes."""
_CODE: Final = 32
_BITS: Final = 8 * _CODE


def suits(media_type: str, /) -> bool:
    """JPEG, PNG, WebP and GIF, of which the first frame counts."""
    return media_type in _DECODERS


def needs() -> str | None:
    """The extra `match`."""
    found = find_spec("iscc_lib") and find_spec("PIL")
    return None if found else "pip install 'hitp2p[match]'"


def measure(pieces: Iterable[bytes], media_type: str, /) -> Print | None:
    """The codes of its views, made in a process with bounds; None where it can't be decoded, or is flat."""
    printed = run_worker(pieces, "picture", _DECODERS[media_type], most=PICTURE_BYTES)
    kept, _, asked = (printed or b"").partition(b"\n")
    try:
        made = Print(kept=bytes.fromhex(kept.decode()), asked=bytes.fromhex(asked.decode()))
    except ValueError:
        return None
    return made if made.kept and made.asked else None


def distance(asked: bytes, kept: bytes, /) -> float:
    """The part of bits that differ between the two nearest views."""
    known = _codes(kept)
    return min(
        ((one ^ other).bit_count() / _BITS for one in _codes(asked) for other in known),
        default=1.0,
    )


def _codes(packed: bytes) -> list[int]:
    return [int.from_bytes(packed[at : at + _CODE], "big") for at in range(0, len(packed), _CODE)]
