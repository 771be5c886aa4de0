"""For each format: a real file is contributed, remixed twice, sealed, sent out, retagged with a common tool, and verified offline.

The golden file has what a reader is told in the end; CIDs, which differ between versions of the tools, are masked.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import wave
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from random import Random

import mutagen
import mutagen.id3
import mutagen.wave
import pytest
from PIL import Image
from stories_world import Story, person

import hitp2p
from hitp2p.sealing import seal
from hitp2p.trail.report import Headline, Tier
from hitp2p.trail.report_text import render_report

GOLDEN = Path(__file__).parent / "golden" / "formats"
ANA, BO, CY = (person(name) for name in ("Ana", "Bo", "Cy"))
needs_tools = pytest.mark.skipif(
    not os.environ.get("CI") and not (shutil.which("ffmpeg") and shutil.which("exiftool")),
    reason="ffmpeg and exiftool make and retag the files",
)


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def picture(path: Path) -> None:
    image = Image.linear_gradient("L").resize((64, 48)).convert("RGB")
    image.save(path)


def sound(path: Path) -> None:
    codec = ["-c:a", "libopus"] if path.suffix == ".opus" else []
    tone = "sine=frequency=440:duration=1"
    run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", tone, "-bitexact", *codec, str(path))


def film(path: Path) -> None:
    run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=64x48:duration=1", "-f", "lavfi",
        "-i", "sine=duration=1", "-pix_fmt", "yuv420p", "-shortest", "-bitexact", str(path))  # fmt: skip


def drawing(path: Path) -> None:
    path.write_text('<svg xmlns="http://www.w3.org/2000/svg"><circle r="3"/></svg>\n', "utf-8")


def words(path: Path) -> None:
    path.write_text("The night bus\nrolls on\n", encoding="utf-8")


def exiftool(path: Path) -> None:
    run("exiftool", "-overwrite_original", "-Comment=downloaded", "-Title=Other", str(path))


def exiftool_xmp(path: Path) -> None:
    run("exiftool", "-overwrite_original", "-XMP-dc:Title=Other", str(path))


def by_mutagen(path: Path) -> None:
    tags = mutagen.File(path, easy=True)
    tags["title"] = "Other"
    tags["artist"] = "Somebody"
    tags.save()


def by_mutagen_id3(path: Path) -> None:
    tags = mutagen.wave.WAVE(path)
    if tags.tags is None:
        tags.add_tags()
    tags.tags.add(mutagen.id3.TIT2(encoding=3, text="Other"))
    tags.save()


def by_ffmpeg(path: Path) -> None:
    copy = path.with_name(f"copy{path.suffix}")
    run("ffmpeg", "-v", "error", "-i", str(path), "-map", "0", "-c", "copy", "-metadata",
        "title=Other", "-movflags", "+faststart", str(copy))  # fmt: skip
    copy.replace(path)


def by_editor(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("<circle", "<!-- saved by an editor -->\n  <circle"), "utf-8")


def by_windows(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


FORMATS: dict[str, tuple[Callable[[Path], None], Callable[[Path], None]]] = {
    "jpg": (picture, exiftool),
    "png": (picture, exiftool),
    "webp": (picture, exiftool_xmp),
    "gif": (picture, exiftool),
    "svg": (drawing, by_editor),
    "mp3": (sound, by_mutagen),
    "flac": (sound, by_mutagen),
    "wav": (sound, by_mutagen_id3),
    "ogg": (sound, by_mutagen),
    "opus": (sound, by_mutagen),
    "m4a": (sound, by_mutagen),
    "mp4": (film, by_ffmpeg),
    "mov": (film, exiftool),
    "txt": (words, by_windows),
}
"""Suffix -> what makes a file, what changes its tags."""


@needs_tools
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_retagged_copy_tells_who_made_it_from_what_and_how_it_may_be_used(
    tmp_path: Path, suffix: str
) -> None:
    make, retag = FORMATS[suffix]
    (tmp_path / "studio").mkdir()
    with Story(tmp_path / "studio") as story:
        final = story.folder / f"final.{suffix}"
        make(final)
        project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)
        verse = story.work(ANA, project, "verse.txt", "Verse", roles=["lyr"])
        demo = story.remix(BO, [verse], "demo.txt", "Demo", roles=["cmp"], note="It made me sing")
        work = story.ws.remix([demo], final, title="Final", roles=["edt"], by=CY)
        sealed = seal(story.ws, final)
        assert sealed.work == work.cid
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    for path in (sealed.file, sealed.bundle):
        shutil.copy(path, downloads)
    copy = downloads / final.name
    before = copy.read_bytes()
    retag(copy)
    assert copy.read_bytes() != before
    report = hitp2p.verify(copy)
    assert report.headline is Headline.VERIFIED, render_report(report)
    assert report.match is not None
    assert report.match.tier is Tier.ESSENCE
    text = re.sub(r"hitp2p:b[a-z2-7]+", "hitp2p:(CID)", render_report(report)) + "\n"
    golden = GOLDEN / f"{suffix}.txt"
    if os.environ.get("HITP2P_UPDATE"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def pixels(data: bytes) -> object:
    with Image.open(BytesIO(data)) as image:
        return image.mode, image.size, image.tobytes()


def samples(data: bytes) -> object:
    with wave.open(BytesIO(data)) as opened:
        return opened.getparams(), opened.readframes(opened.getnframes())


@pytest.mark.parametrize(("suffix", "decode"), [("png", pixels), ("gif", pixels), ("wav", samples)])
def test_no_flipped_byte_is_an_exact_match_nor_an_essence_that_decodes_to_something_else(
    tmp_path: Path, suffix: str, decode: Callable[[bytes], object]
) -> None:
    """Every byte of a small sealed file, one bit of each; decoders of others tell what is seen or heard."""
    path = tmp_path / f"tiny.{suffix}"
    if suffix == "wav":
        with wave.open(str(path), "wb") as made:
            made.setparams((1, 1, 8000, 0, "NONE", ""))
            made.writeframes(bytes(range(64)))
    else:
        Image.linear_gradient("L").resize((5, 4)).save(path)
    with Story(tmp_path) as story:
        project = story.ws.create_project("P", license="CC-BY-4.0", by=ANA)
        story.ws.contribute(project, path, title="Tiny", by=ANA)
        sealed = seal(story.ws, path)
    data, bundle = path.read_bytes(), sealed.bundle.read_bytes()
    expected = decode(data)
    dice, n_kept = Random(8), 0
    for position in range(len(data)):
        bad = bytearray(data)
        bad[position] ^= 1 << dice.randrange(8)
        report = hitp2p.verify(bytes(bad), bundle=bundle)
        if report.match is None:
            assert report.headline is Headline.UNKNOWN
            continue
        n_kept += 1
        assert report.match.tier is Tier.ESSENCE
        assert decode(bytes(bad)) == expected, position
    # a checksum guards every chunk of a PNG, so there a flip in a tag leaves no essence either
    assert n_kept == 0 if suffix == "png" else n_kept > 50
