"""Works that nobody else has: pictures, tunes and texts from a seed, and what people do to copies of them."""

from __future__ import annotations

import io
import math
import wave
from array import array
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any, Final

from interop.tools import required

__all__ = ["PICTURE_EDITS", "RATE", "picture", "poem", "tune", "wav_bytes"]

RATE: Final = 8000
"""Samples a second of a tune."""


def picture(seed: int) -> Any:
    """A scene of 640 x 480: ground and sky, some shapes, noise."""
    image_module, draw_module = required("PIL.Image"), required("PIL.ImageDraw")
    filter_module = required("PIL.ImageFilter")
    chance = Random(seed)

    def color() -> tuple[int, ...]:
        return tuple(chance.randrange(256) for _ in range(3))

    image = image_module.new("RGB", (640, 480), color())
    draw = draw_module.Draw(image)
    for _ in range(chance.randint(6, 14)):
        x, y = chance.randrange(-100, 640), chance.randrange(-100, 480)
        box = (x, y, x + chance.randint(40, 400), y + chance.randint(40, 300))
        kind = chance.choice(("ellipse", "rectangle", "polygon"))
        if kind == "polygon":
            points = [
                (chance.randrange(640), chance.randrange(480)) for _ in range(chance.randint(3, 6))
            ]
            draw.polygon(points, fill=color())
        else:
            getattr(draw, kind)(box, fill=color())
    rough = image_module.frombytes("L", (40, 30), chance.randbytes(1200)).resize((640, 480))
    image = image_module.blend(image, image_module.merge("RGB", (rough,) * 3), 0.3)
    return image.filter(filter_module.GaussianBlur(2))


def _recompressed(image: Any) -> Any:
    small = image.resize((image.width // 2, image.height // 2))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=40)
    return required("PIL.Image").open(out)


def _filtered(image: Any) -> Any:
    enhance = required("PIL.ImageEnhance")
    brighter = enhance.Contrast(enhance.Brightness(image).enhance(1.2)).enhance(1.3)
    return enhance.Color(brighter).enhance(0.5)


def _bordered(image: Any) -> Any:
    return required("PIL.ImageOps").expand(image, 60, "black")


def _mirrored(image: Any) -> Any:
    return required("PIL.ImageOps").mirror(image)


def _bannered(image: Any) -> Any:
    out = required("PIL.Image").new("RGB", (image.width, image.height * 7 // 6), "white")
    out.paste(image, (0, 0))
    return out


PICTURE_EDITS: Final[dict[str, Callable[[Any], Any]]] = {
    "half size, JPEG 40": _recompressed,
    "filter": _filtered,
    "border": _bordered,
    "mirror": _mirrored,
    "banner": _bannered,
}
"""What is found again, by name."""


@cache
def tune(seed: int, seconds: int = 18) -> bytes:
    """Samples (16 bits, mono, `RATE`) of a melody over a bass and a beat, its own key, pace and timbre."""
    chance = Random(seed)
    out = [0.0] * (RATE * seconds)
    scale = chance.choice(((0, 2, 3, 5, 7, 8, 10, 12), (0, 2, 4, 5, 7, 9, 11, 12)))
    root, step = chance.uniform(180, 330), int(RATE * chance.uniform(0.18, 0.45))
    timbre = [(n, chance.uniform(0.1, 0.6)) for n in (1, 2, 3)]
    motif = [
        (chance.choice((-2, -1, 1, 2)), chance.choice((1, 1, 2)))
        for _ in range(chance.randint(9, 23))
    ]
    at, degree, note = 0, 3, 0
    while at < len(out):
        move, length = motif[note % len(motif)]
        degree = max(0, min(7, degree + (move if chance.random() < 0.75 else -move)))
        pitch = root * 2 ** (scale[degree] / 12)
        _play(out, at, length * step, pitch, timbre)
        if note % 4 == 0:
            _play(out, at, 4 * step, root / 2 * 2 ** (scale[(degree + note) % 7] / 12), timbre[:1])
            _beat(out, at, chance)
        at, note = at + length * step, note + 1
    loudest = max(map(abs, out))
    return array("h", (int(30_000 * value / loudest) for value in out)).tobytes()


def _play(
    out: list[float], at: int, length: int, hertz: float, timbre: list[tuple[int, float]]
) -> None:
    turn = 2 * math.pi * hertz / RATE
    end = min(at + length, len(out))
    for n, part in enumerate(range(at, end)):
        fade = min(1.0, n / 200) * math.exp(-2.5 * n / length)
        out[part] += fade * sum(loud * math.sin(turn * over * n) for over, loud in timbre)


def _beat(out: list[float], at: int, chance: Random) -> None:
    for n in range(min(500, len(out) - at)):
        out[at + n] += 0.5 * math.exp(-n / 100) * chance.uniform(-1, 1)


def wav_bytes(samples: bytes) -> bytes:
    """A WAV file of samples."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples)
    return out.getvalue()


def poem(seed: int, n_words: int = 400) -> str:
    """A text of short words in lines."""
    chance = Random(seed)
    words = [
        "".join(
            chance.choice(("ka", "lo", "mi", "ren", "sha", "tu", "vel", "no"))
            for _ in range(chance.randint(1, 3))
        )
        for _ in range(n_words)
    ]
    return "\n".join(" ".join(words[n : n + 7]) for n in range(0, n_words, 7)) + "\n"
