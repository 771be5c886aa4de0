"""The child that decodes one medium from its standard input; `decoding.py` starts it.

It bounds itself first: processor time, memory, bytes written, no core file. Then it imports or becomes the decoder.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, BinaryIO, Final, cast

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["CPU_S", "MEMORY_BYTES", "PIXELS", "main", "picture_codes"]

CPU_S: Final = 20
"""Processor time, in seconds."""
MEMORY_BYTES: Final = 1024 * 1024 * 1024
"""Address space, in bytes."""
PIXELS: Final = 64_000_000
"""Most pixels of a picture, as its header states them."""

_SIDE: Final = 256
"""Pictures are made this small before anything else, in pixels of the longer side."""
_FLAT: Final = 8.0
"""A view whose grey values scatter less than this (of 255) looks like every other flat one."""
_EDGE: Final = 16
"""How far from the colour of the corner a border may be, in grey values."""
_SCALES: Final = (0.9, 0.8, 0.7, 0.6, 0.5)
_ANCHORS: Final = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.5, 0.5))

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, as parts of width and height."""
_HALVES: Final[tuple[Box, ...]] = ((0, 0, 0.5, 1), (0.5, 0, 1, 1), (0, 0, 1, 0.5), (0, 0.5, 1, 1))
_WITHOUT_A_STRIP: Final[tuple[Box, ...]] = (
    (0, 0, 1, 0.9),
    (0, 0.1, 1, 1),
    (0, 0, 0.9, 1),
    (0.1, 0, 1, 1),
)
_WITHOUT_A_BANNER: Final[Box] = (0, 0, 1, 0.85)
_CROPS: Final[tuple[Box, ...]] = tuple(
    ((1 - scale) * x, (1 - scale) * y, (1 - scale) * x + scale, (1 - scale) * y + scale)
    for scale in _SCALES
    for x, y in _ANCHORS
)


def main(what: str, *words: str) -> None:
    """Decode standard input. Ends the process with a status other than 0 where it can't.

    Args:
        what: `picture` with the decoder's name, or `sound` with program, demuxer and most seconds.
    """
    _bound()
    if what == "sound":
        program, demuxer, seconds = words
        os.execv(
            program,
            [program, "-raw", "-format", demuxer, "-length", seconds, "/dev/stdin"],
        )
    kept, asked = picture_codes(sys.stdin.buffer, *words)
    sys.stdout.write(f"{kept.hex()}\n{asked.hex()}")


def _bound() -> None:
    if sys.platform == "win32":
        raise SystemExit("this system can't bound a process")
    import resource

    for limit, value in (
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 1024 * 1024),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(limit)
        resource.setrlimit(limit, (value, value if hard == resource.RLIM_INFINITY else hard))


def picture_codes(stream: BinaryIO, decoder: str) -> tuple[bytes, bytes]:
    """Codes of the views of a picture that are kept, and of those that are asked for.

    Decodes here and now: only for what isn't hostile, or in a process that has bounded itself.
    """
    from PIL import Image

    with Image.open(stream, formats=[decoder]) as opened:
        if opened.width * opened.height > PIXELS:
            raise ValueError(f"{opened.width} x {opened.height} pixels; {PIXELS} allowed")
        image = _grey(opened)
    inner = _trimmed(image)
    kept = [image, inner, *(_cut(inner, box) for box in (*_CROPS, *_HALVES, *_WITHOUT_A_STRIP))]
    asked = [image, inner, _mirrored(image), *(_cut(inner, box) for box in _HALVES)]
    asked.append(_cut(inner, _WITHOUT_A_BANNER))
    return b"".join(map(_code, kept)), b"".join(map(_code, asked))


def _grey(image: Image) -> Image:
    """Upright, small, on white, in grey."""
    from PIL import Image as Images
    from PIL import ImageOps

    image.draft("L", (2 * _SIDE, 2 * _SIDE))  # a JPEG decodes at a fraction of its size
    has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    image.thumbnail((4 * _SIDE, 4 * _SIDE), Images.Resampling.BOX)
    image = ImageOps.exif_transpose(image)
    if has_alpha:
        image = image.convert("RGBA")
        ground = Images.new("RGBA", image.size, "white")
        ground.alpha_composite(image)
        image = ground
    image = image.convert("L")
    image.thumbnail((_SIDE, _SIDE), Images.Resampling.BICUBIC)
    return image


def _trimmed(image: Image) -> Image:
    """Without a border of one colour, where a sixteenth of the area or more stays."""
    from PIL import Image as Images
    from PIL import ImageChops

    corner = image.getpixel((0, 0))
    assert isinstance(corner, int)
    differs = ImageChops.difference(image, Images.new("L", image.size, corner))
    box = ImageChops.subtract(differs, Images.new("L", image.size, _EDGE)).getbbox()
    if box is None or (box[2] - box[0]) * (box[3] - box[1]) * 16 < image.width * image.height:
        return image
    return image.crop(box)


def _cut(image: Image, box: Box) -> Image:
    left, top, right, bottom = box
    width, height = image.size
    return image.crop(
        (round(left * width), round(top * height), round(right * width), round(bottom * height))
    )


def _mirrored(image: Image) -> Image:
    from PIL import ImageOps

    return ImageOps.mirror(image)


def _code(image: Image) -> bytes:
    """The image code in 32 bytes; none of a flat view."""
    from iscc_lib import gen_image_code_v0, iscc_decode
    from PIL import Image as Images
    from PIL import ImageStat

    if not (image.width and image.height):
        return b""
    small = image.resize((32, 32), Images.Resampling.BICUBIC)  # pyright: ignore[reportUnknownMemberType]  # NumPy's
    if ImageStat.Stat(small).stddev[0] < _FLAT:
        return b""
    code = cast("str", gen_image_code_v0(small.tobytes(), 256)["iscc"])
    return bytes(iscc_decode(code)[4])
