"""Pictures that Pillow made, under the tools that people use: the essence stays where the pixels do, and only there.

Truth is Pillow's own reading of every frame; for SVG, which it can't draw, Python's canonical XML without metadata.
"""

from __future__ import annotations

import io
import json
import struct
import sysconfig
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import outside
import pytest
from interop.matrix import record
from interop.tools import c2pa_sign, exiftool, ffmpeg, run

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.errors import DecodeError
from hitp2p.media.essence import FoundEssence, scan_essence
from hitp2p.media.pointer import find_pointers, pointer_text, write_pointer
from hitp2p.media.source import MediaSource

Image = pytest.importorskip("PIL.Image")
ImageOps = pytest.importorskip("PIL.ImageOps")

WORK, OTHER = Cid.of(DAG_CBOR, b"work"), Cid.of(DAG_CBOR, b"other")
SVG = "{http://www.w3.org/2000/svg}"
TYPES = {
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".svg": "image/svg+xml",
}
DRAWING = """<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30">
  <!-- a night bus -->
  <metadata><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></metadata>
  <rect width="40" height="30" fill="navy"/>
  <text x="4" y="20">N1 <tspan> to </tspan> here</text>
</svg>
"""


def noise(mode: str, seed: int = 1) -> Any:
    """A picture whose pixels are drawn by lot, with smooth parts too."""
    random, bands = Random(seed), len(Image.new(mode, (1, 1)).getbands())
    pixels = bytes(
        random.randrange(256) if y < 16 else (3 * x + 5 * y + 40 * band) % 256
        for y in range(30)
        for x in range(40)
        for band in range(bands)
    )
    return Image.frombytes(mode, (40, 30), pixels)


def exif() -> Any:
    tags = Image.Exif()
    tags[0x0112], tags[0x010E], tags[0x8298] = 6, "A night bus", "Ana"
    return tags


def icc() -> bytes:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def frames(mode: str) -> dict[str, Any]:
    return {
        "save_all": True,
        "append_images": [noise(mode, n) for n in (2, 3)],
        "duration": 80,
        "loop": 2,
    }


MADE: dict[str, Callable[[Path], None]] = {
    "photo.jpg": lambda to: noise("RGB").save(to),
    "progressive.jpg": lambda to: noise("RGB").save(to, progressive=True, subsampling=0),
    "grey.jpg": lambda to: noise("L").save(to, comment=b"a comment"),
    "print.jpg": lambda to: noise("CMYK").save(to),
    "tagged.jpg": lambda to: noise("RGB").save(to, exif=exif(), icc_profile=icc(), dpi=(72, 72)),
    "restarts.jpg": lambda to: noise("RGB").save(to, restart_marker_blocks=2),
    "photo.png": lambda to: noise("RGB").save(to),
    "alpha.png": lambda to: noise("RGBA").save(to, dpi=(72, 72)),
    "palette.png": lambda to: noise("RGB").quantize(16).save(to, transparency=3),
    "deep.png": lambda to: noise("L").convert("I;16").save(to),
    "tagged.png": lambda to: noise("L").save(to, exif=exif(), icc_profile=icc()),
    "moving.png": lambda to: noise("RGBA").save(to, **frames("RGBA")),
    "photo.webp": lambda to: noise("RGB").save(to, quality=60),
    "exact.webp": lambda to: noise("RGB").save(to, lossless=True),
    "alpha.webp": lambda to: noise("RGBA").save(to),
    "clear.webp": lambda to: noise("RGBA").save(to, lossless=True),
    "tagged.webp": lambda to: noise("RGB").save(to, exif=exif(), icc_profile=icc()),
    "moving.webp": lambda to: noise("RGB").save(to, **frames("RGB")),
    "photo.gif": lambda to: noise("P").save(to),
    "moving.gif": lambda to: noise("RGB").save(to, comment=b"a comment", **frames("RGB")),
    "drawing.svg": lambda to: _write(to, DRAWING),
}


def _write(to: Path, text: str) -> None:
    to.write_text(text, encoding="utf-8")


@pytest.fixture(params=MADE)
def picture(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Each of the pictures, in a folder of its own."""
    to = tmp_path / str(request.param)
    MADE[request.param](to)
    return to


@pytest.fixture(params=[name for name in MADE if name.startswith(("photo", "drawing"))])
def plain(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """One picture of each format, as exiftool takes a fifth of a second."""
    to = tmp_path / str(request.param)
    MADE[request.param](to)
    return to


def essence(data: bytes) -> FoundEssence:
    return scan_essence(MediaSource.of_bytes(data))


def pointed(data: bytes, cid: Cid = WORK) -> bytes:
    sink = io.BytesIO()
    write_pointer(MediaSource.of_bytes(data), sink, pointer_text(cid))
    return sink.getvalue()


def shown(data: bytes, *, upright: bool = False) -> str:
    """What a decoder makes of a file: a hash over all frames, their times and sizes."""
    if data.lstrip(b"\xef\xbb\xbf").startswith((b"<", b"\n")):
        bare = ElementTree.canonicalize(
            data, exclude_tags=[SVG + "metadata"], rewrite_prefixes=True
        )
        return "".join(bare.split())
    hasher = sha256()
    with Image.open(io.BytesIO(data)) as image:
        for n in range(getattr(image, "n_frames", 1)):
            image.seek(n)
            frame = ImageOps.exif_transpose(image) if upright else image
            times = image.info.get("duration"), image.info.get("loop")
            hasher.update(repr((frame.size, times)).encode() + frame.convert("RGBA").tobytes())
    return hasher.hexdigest()


def by_exiftool(path: Path) -> Path:
    exiftool(path, "-XMP-dc:Rights=Ana", "-XMP-dc:Title=New", "-Copyright=Ana", "-Comment=Hello")
    return path


def stripped_by_exiftool(path: Path) -> Path:
    exiftool(path, "-all=")
    return path


def turned_by_exiftool(path: Path) -> Path:
    exiftool(path, "-Orientation#=3")
    return path


def copied(path: Path) -> Path:
    to = path.with_name(f"copied-{path.name}")
    ffmpeg("-i", path, "-c", "copy", "-metadata", "title=New", to)
    return to


def signed(path: Path) -> Path:
    to = path.with_name(f"signed-{path.name}")
    c2pa_sign(path, to, TYPES[path.suffix])
    return to


def saved_again(path: Path) -> Path:
    to = path.with_name(f"saved-{path.name}")
    with Image.open(path) as image:
        image.save(to, **({"lossless": True} if path.suffix == ".webp" else {}))
    return to


RETAG = {"exiftool": by_exiftool, "exiftool -all=": stripped_by_exiftool, "c2pa sign": signed}
COPY = {"ffmpeg -c copy -metadata": copied, "Pillow, saved again": saved_again}
TOOLS = {**RETAG, **COPY}
CANNOT = {
    "exiftool": {"drawing.svg"},
    "exiftool -all=": {"drawing.svg"},
    "ffmpeg -c copy -metadata": {"drawing.svg", "moving.png", "moving.webp"},
    "Pillow, saved again": {"drawing.svg"},
}
"""What a tool doesn't write, of the pictures here."""
OTHER_DISPLAY = {
    ("exiftool -all=", "tagged.jpg"),
    ("exiftool -all=", "tagged.png"),
    ("exiftool -all=", "tagged.webp"),
    ("exiftool", "clear.webp"),  # adds an extended header and doesn't announce the transparency
}
"""Where an orientation or a colour profile goes, or a flag is missing."""


def judged(tool: str, before: bytes, path: Path) -> str:
    """What a tool did, held against what is shown before and after."""
    try:
        found = essence(path.read_bytes())
    except DecodeError:
        return "refused"
    was = essence(before)
    if found.digest != was.digest:
        return "differs"
    assert shown(path.read_bytes()) == shown(before), tool
    return "same" if found.display == was.display else "display"


def column(picture: Path) -> str:
    """Of the matrix: the format, and what is peculiar to the picture."""
    kind = picture.suffix[1:]
    return f"{kind} {picture.stem}" if picture.stem in ("tagged", "moving", "clear") else kind


@pytest.mark.parametrize("tool", TOOLS)
def test_med_10_the_essence_stays_exactly_where_the_pixels_do(tool: str, picture: Path) -> None:
    before = picture.read_bytes()
    if picture.name in CANNOT.get(tool, ()):
        record(tool, column(picture), "can't")
        return
    outcome = judged(tool, before, TOOLS[tool](picture))
    record(tool, column(picture), outcome)
    if tool in RETAG:
        assert outcome == ("display" if (tool, picture.name) in OTHER_DISPLAY else "same")


def test_med_11_a_turned_picture_has_another_display(plain: Path) -> None:
    if plain.suffix == ".svg":
        return
    was = essence(plain.read_bytes())
    exiftool(plain, "-Orientation#=3")
    found = essence(plain.read_bytes())
    assert (found.digest, found.display_notes) == (was.digest, ("orientation 3",))
    record("exiftool -Orientation", column(plain), "display")


def test_med_30_a_pointer_moves_no_pixel_and_every_other_tag_stays(picture: Path) -> None:
    if picture.suffix != ".svg":
        by_exiftool(picture)
    before = picture.read_bytes()
    tags = read_tags(picture)
    picture.write_bytes(pointed(before))
    after = read_tags(picture)
    assert shown(picture.read_bytes()) == shown(before)
    assert essence(picture.read_bytes()).display == essence(before).display
    changed = {k for k in {*tags, *after} if tags.get(k) != after.get(k)}
    said = {k for k in changed if pointer_text(WORK) in str(after.get(k))}
    assert len(said) == (1 if picture.suffix == ".gif" else 2)
    assert changed - said <= {"RIFF:WebP_Flags", "SVG:Copy1:Xmlns"}
    record("hitp2p's pointer", column(picture), "same")


def read_tags(path: Path) -> dict[str, Any]:
    """All tags as exiftool reads them, with its verdict on them, but not the file's size and dates."""
    (said,) = json.loads(run("exiftool", "-j", "-a", "-G1:4", "-validate", "-all", path))
    return {k: v for k, v in said.items() if not k.startswith(("SourceFile", "System"))}


def test_med_30_a_pointer_is_replaced_after_tools_have_worked_on_the_file(plain: Path) -> None:
    data = pointed(plain.read_bytes(), OTHER)
    plain.write_bytes(data)
    if plain.suffix != ".svg":
        exiftool(plain, "-XMP-dc:Title=New", "-XMP-dc:Creator=Ana")
    found = essence(pointed(plain.read_bytes()))
    assert find_pointers(found.tag_texts) == (WORK,)
    assert found.digest == essence(data).digest


def test_med_30_a_pointer_survives_a_signature(plain: Path) -> None:
    plain.write_bytes(pointed(plain.read_bytes()))
    assert find_pointers(essence(signed(plain).read_bytes()).tag_texts) == (WORK,)


def mutants(data: bytes, random: Random, n: int) -> Iterator[bytes]:
    """Files like this one: bytes flipped, ranges left out, doubled, moved, overwritten."""
    for _ in range(n):
        a, b, c = sorted(random.randrange(len(data)) for _ in range(3))
        b = min(b, a + random.choice((1, 4, 30, 3000)))
        yield random.choice(
            (
                data[:a] + bytes((data[a] ^ 1 << random.randrange(8),)) + data[a + 1 :],
                data[:a] + bytes((random.randrange(256),)) + data[a + 1 :],
                data[:a] + data[b:],
                data[:b] + data[a:],
                data[:a] + data[b:c] + data[a:b] + data[c:],
                data[:a] + random.randbytes(random.choice((1, 2, 8))) + data[a:],
            )
        )


def parts(data: bytes) -> list[bytes]:
    """A file cut at its segments, chunks or blocks, as far as a simple cut goes; else whole."""
    if data[:4] == b"RIFF":
        return [data[:12], *chunks(data, 12, "<I", 4)]
    if data[:4] == b"\x89PNG":
        return [data[:8], *chunks(data, 8, ">I", 0)]
    if data[:2] == b"\xff\xd8":
        cut = [at for at in range(2, len(data) - 1) if data[at] == 255 and data[at + 1] >= 0xC0]
        return [data[a:b] for a, b in zip([0, *cut], [*cut, len(data)], strict=True)]
    return [data]


def chunks(data: bytes, at: int, form: str, length_at: int) -> Iterator[bytes]:
    while at < len(data):
        (length,) = struct.unpack_from(form, data, at + length_at)
        end = at + length + (8 + length % 2 if form == "<I" else 12)
        yield data[at:end]
        at = end


def rearranged(data: bytes, other: bytes, random: Random, n: int) -> Iterator[bytes]:
    """The same parts in another order, doubled, left out, or mixed with those of another file."""
    mine, others = parts(data), parts(other)
    for _ in range(n):
        new = list(mine)
        for _ in range(random.randrange(1, 3)):
            at = random.randrange(1, len(new) + 1)
            match random.randrange(4):
                case 0:
                    new.insert(at, random.choice(mine))
                case 1:
                    new.insert(at, random.choice(others))
                case 2 if at < len(new):
                    del new[at]
                case _ if at < len(new):
                    new[at] = random.choice(others)
                case _:
                    pass
        out = b"".join(new)
        if out[:4] == b"RIFF":
            out = out[:4] + struct.pack("<I", len(out) - 8) + out[8:]
        yield out


@pytest.mark.filterwarnings("ignore")  # Pillow's, about files that are broken
def test_med_10_whatever_has_the_essence_of_a_picture_looks_like_it(picture: Path) -> None:
    """Broken and rearranged files: equal essence and display must mean equal pixels, upright as a viewer turns them."""
    if picture.suffix == ".svg":
        return
    if picture.suffix != ".gif":
        by_exiftool(picture)
    data, random = picture.read_bytes(), Random(7)
    other = next(n for n in MADE if n.endswith(picture.suffix) and n != picture.name)
    MADE[other](picture.with_name("other" + picture.suffix))
    beside = picture.with_name("other" + picture.suffix).read_bytes()
    truth, was = shown(data, upright=True), essence(data)
    n_equal = 0
    for mutant in (*mutants(data, random, 300), *rearranged(data, beside, random, 150)):
        try:
            found = essence(mutant)
        except DecodeError:
            continue
        if (found.digest, found.display) == (was.digest, was.display):
            n_equal += 1
            assert shown(mutant, upright=True) == truth
    assert n_equal > 0


def pictures_here() -> list[Path]:
    """Pictures of others on this machine: Python's own and those of installed packages."""
    places = [Path(sysconfig.get_path("stdlib")), Path("/usr/share"), Path("/usr/lib/python3")]
    found = [
        path
        for place in places
        for kind in ("jpg", "jpeg", "png", "gif", "webp", "svg")
        for path in sorted(place.rglob(f"*.{kind}"))[:40]
        if path.is_file() and 0 < path.stat().st_size < 2_000_000
    ]
    return list({sha256(path.read_bytes()).digest(): path for path in found}.values())


def test_med_10_pictures_of_others_have_an_essence_and_take_a_pointer() -> None:
    found = pictures_here()
    refused = []
    for path in found:
        data = path.read_bytes()
        try:
            was = essence(data)
        except DecodeError as error:
            refused.append(f"{path.name}: {error}")
            continue
        new = pointed(data)
        assert essence(new).digest == was.digest, path
        assert shown(new) == shown(data), path
    assert len(refused) <= len(found) // 10, refused
    outside.count_cases("pictures on this machine", len(found) - len(refused))
