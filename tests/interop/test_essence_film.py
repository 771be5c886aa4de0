"""Films and sounds that ffmpeg made, under the tools that people use: the essence stays where the samples do.

Truth is ffmpeg's own reading of the samples (`-f streamhash` over what its demuxer hands out) and of the decoded pictures.
"""

from __future__ import annotations

import io
import json
import shutil
import struct
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from interop.matrix import record
from interop.tools import c2pa_sign, exiftool, ffmpeg, required, run

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.errors import DecodeError
from hitp2p.media.essence import FoundEssence, scan_essence
from hitp2p.media.pointer import find_pointers, pointer_text, write_pointer
from hitp2p.media.source import MediaSource

WORK = Cid.of(DAG_CBOR, b"work")
PICTURES = ["-f", "lavfi", "-i", "testsrc2=s=96x64:r=30000/1001:d=2"]
TONE = ["-f", "lavfi", "-i", "sine=440:d=2"]
H264 = ["-c:v", "libx264", "-g", "15", "-bf", "2", "-pix_fmt", "yuv420p"]

MADE: dict[str, list[str]] = {
    "film.mp4": [*PICTURES, *TONE, *H264, "-c:a", "aac"],
    "first.mp4": [*PICTURES, *TONE, *H264, "-c:a", "aac", "-movflags", "+faststart"],
    "film.mov": [*PICTURES, *TONE, *H264, "-c:a", "aac", "-ac", "2"],
    "hevc.mp4": [*PICTURES, "-c:v", "libx265", "-x265-params", "log-level=none", "-tag:v", "hvc1"],
    "uneven.mov": [*PICTURES, "-vf", "select=not(mod(n\\,3))+not(mod(n\\,5))", "-vsync", "vfr", *H264, "-video_track_timescale", "600"],
    "aac.m4a": [*TONE, "-c:a", "aac"],
    "alac.m4a": [*TONE, "-c:a", "alac"],
    "pcm.mov": [*TONE, "-c:a", "pcm_s16le", "-ac", "2"],
    "opus.mp4": [*TONE, "-c:a", "libopus"],
    "prores.mov": [*PICTURES, "-c:v", "prores_ks"],
    "wide.mp4": [*PICTURES, "-vf", "setsar=16/15", "-colorspace", "bt470bg", *H264],
    "two.mp4": [*PICTURES, *TONE, "-f", "lavfi", "-i", "sine=880:d=2", "-map", "0", "-map", "1", "-map", "2", *H264, "-c:a", "aac"],
}  # fmt: skip
"""Files by name, as ffmpeg is asked for them."""
DERIVED: dict[str, tuple[str, list[str]]] = {
    "rotated.mp4": ("film.mp4", ["-c", "copy", "-metadata:s:v", "rotate=90"]),
    "cut.mp4": ("film.mp4", ["-c", "copy"]),
    "titled.mp4": (
        "film.mp4",
        ["-i", "TITLES", "-map", "0", "-map", "1", "-c", "copy", "-c:s", "mov_text"],
    ),
}
TYPES = {".mp4": "video/mp4", ".m4a": "audio/mp4", ".mov": "video/quicktime"}
NAMES = [*MADE, *DERIVED]


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`films("film.mp4")` is that file, made when first asked for."""
    folder = tmp_path_factory.mktemp("films")

    @cache
    def make(name: str) -> Path:
        if name in MADE:
            ffmpeg(*MADE[name], "-strict", "-2", folder / name)
        else:
            source, arguments = DERIVED[name]
            (folder / "titles.srt").write_text("1\n00:00:00,500 --> 00:00:01,500\nNight bus\n")
            arguments = [str(folder / "titles.srt") if a == "TITLES" else a for a in arguments]
            begin = ["-ss", "0.8"] if name.startswith("cut") else []
            ffmpeg(*begin, "-i", make(source), *arguments, folder / name)
        return folder / name

    return make


def essence(path: Path) -> FoundEssence:
    with path.open("rb") as file:
        return scan_essence(MediaSource(file))


@cache
def samples(path: Path) -> list[str]:
    """The MD5 of all samples of each track, sorted."""
    out = ffmpeg("-i", path, "-map", "0", "-c", "copy", "-f", "streamhash", "-hash", "md5", "-")
    return sorted(line.split("=")[1] for line in out.splitlines())


@cache
def pictures(path: Path) -> str:
    """The MD5 of what is shown and heard, decoded."""
    return ffmpeg("-i", path, "-map", "0:v?", "-map", "0:a?", "-f", "md5", "-")


def copied(path: Path, *arguments: str, suffix: str | None = None) -> Path:
    to = path.with_name(f"copied-{len(list(path.parent.iterdir()))}{suffix or path.suffix}")
    ffmpeg("-i", path, "-map", "0", "-c", "copy", *arguments, to)
    return to


def retagged_by_mutagen(path: Path) -> Path:
    mp4 = required("mutagen.mp4")
    tags = mp4.MP4(path)
    tags["\xa9nam"] = ["A new title, longer than the room that was there " * 40]
    tags["\xa9cmt"] = ["A comment"]
    tags.save()
    return path


def retagged_by_exiftool(path: Path) -> Path:
    exiftool(path, "-Title=New", "-XMP-dc:Rights=Ana", "-Comment=Hello", "-Keys:Author=Ana")
    return path


def signed(path: Path) -> Path:
    to = path.with_name(f"signed-{path.name}")
    c2pa_sign(path, to, TYPES[path.suffix])
    return to


THROUGH_MKV = "ffmpeg to MKV and back"
TOOLS: dict[str, Callable[[Path], Path]] = {
    "mutagen": retagged_by_mutagen,
    "exiftool": retagged_by_exiftool,
    "ffmpeg -c copy -metadata": lambda path: copied(path, "-metadata", "title=New"),
    "ffmpeg -movflags +faststart": lambda path: copied(path, "-movflags", "+faststart"),
    "c2pa sign": signed,
    "ffmpeg to MOV and back": lambda path: copied(copied(path, suffix=".mov"), suffix=path.suffix),
    "ffmpeg to MOV": lambda path: copied(path, suffix=".mov"),
    THROUGH_MKV: lambda path: copied(copied(path, suffix=".mkv"), suffix=path.suffix),
}
MUST_STAY = list(TOOLS)[:6]
"""What neither touches a sample nor its time."""


def pairs() -> Iterator[tuple[str, str]]:
    for name in (name for name in NAMES if name != "first.mp4"):  # faststart makes it of others
        for tool in TOOLS:
            if name in ("opus.mp4", "titled.mp4") and "MOV" in tool:
                continue  # ffmpeg writes no Opus into QuickTime, and other subtitles
            if name in ("prores.mov", "titled.mp4") and tool == THROUGH_MKV:
                continue  # ffmpeg changes the frames, and takes no such subtitles
            yield name, tool


def outcome(before: FoundEssence, path: Path) -> str:
    try:
        after = essence(path)
    except DecodeError:
        return "refused"
    if after.digest != before.digest:
        return "differs"
    return "same" if after.display == before.display else "display"


@pytest.mark.parametrize(("name", "tool"), list(pairs()))
def test_med_22_the_essence_stays_under_tools_that_leave_the_samples(
    name: str, tool: str, films: Callable[[str], Path], tmp_path: Path
) -> None:
    original = films(name)
    copy = tmp_path / name
    shutil.copy(original, copy)
    changed = TOOLS[tool](copy)
    found = outcome(essence(original), changed)
    record(tool, name, found)
    if tool == THROUGH_MKV:  # it rounds times to milliseconds, so the payload is another
        return
    assert samples(changed) == samples(original)
    assert found in (("same",) if tool in MUST_STAY else ("same", "display"))


@pytest.mark.parametrize("name", NAMES)
def test_med_30_a_pointer_changes_no_picture_and_others_read_it(
    name: str, films: Callable[[str], Path], tmp_path: Path
) -> None:
    original, sealed = films(name), tmp_path / name
    with original.open("rb") as file, sealed.open("wb") as sink:
        write_pointer(MediaSource(file), sink, pointer_text(WORK))
    assert outcome(essence(original), sealed) == "same"
    assert pictures(sealed) == pictures(original)
    assert find_pointers(essence(sealed).tag_texts) == (WORK,)
    shown = json.loads(run("exiftool", "-json", "-Comment", "-Copyright", sealed))[0]
    probed = json.loads(run("ffprobe", "-v", "error", "-of", "json", "-show_format", sealed))
    for tags in (shown, {k.title(): v for k, v in probed["format"]["tags"].items()}):
        assert tags["Comment"] == tags["Copyright"] == pointer_text(WORK)


@pytest.mark.parametrize("name", ["film.mp4", "first.mp4", "film.mov", "aac.m4a"])
def test_med_30_a_pointer_lives_through_tags_of_others_and_stream_copies(
    name: str, films: Callable[[str], Path], tmp_path: Path
) -> None:
    sealed = tmp_path / name
    with films(name).open("rb") as file, sealed.open("wb") as sink:
        write_pointer(MediaSource(file), sink, pointer_text(WORK))
    mp4 = required("mutagen.mp4")
    tags = mp4.MP4(sealed)
    assert tags["\xa9cmt"] == [pointer_text(WORK)]
    tags["\xa9nam"] = ["Title"]
    tags.save()
    exiftool(sealed, "-Artist=Ana")
    assert find_pointers(essence(sealed).tag_texts) == (WORK,)
    for again in (copied(sealed), copied(sealed, suffix=".mov")):
        assert find_pointers(essence(again).tag_texts) == (WORK,)


def test_med_22_turned_and_cut_films_differ_in_their_display(films: Callable[[str], Path]) -> None:
    film, turned, cut = (essence(films(name)) for name in ("film.mp4", "rotated.mp4", "cut.mp4"))
    assert film.display is None
    assert turned.digest == film.digest
    assert turned.display_notes == ("vide 1 rotated 270",)
    assert "vide 1 start" in " ".join(cut.display_notes)
    assert cut.digest != film.digest
    shown = run("exiftool", "-s3", "-Rotation", films("rotated.mp4"))
    assert shown.strip() == "270"


@pytest.mark.parametrize("flags", ["+frag_keyframe+empty_moov", "+frag_keyframe+default_base_moof"])
def test_med_22_fragmented_films_are_refused(
    flags: str, films: Callable[[str], Path], tmp_path: Path
) -> None:
    shutil.copy(films("film.mp4"), tmp_path / "film.mp4")
    fragmented = copied(tmp_path / "film.mp4", "-movflags", flags)
    record(
        "ffmpeg -movflags +frag_keyframe",
        "film.mp4",
        outcome(essence(films("film.mp4")), fragmented),
    )
    with pytest.raises(DecodeError, match="fragmented films have no essence"):
        essence(fragmented)


# --- files that show one thing and are made to pass for another -----------------------------------


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    end = len(data) if end is None else end
    while start < end:
        size, name = struct.unpack(">I4s", data[start : start + 8])
        yield name, start, start + size
        start += size


def part(data: bytes, wanted: bytes) -> bytes:
    return next(data[start:end] for name, start, end in boxes(data) if name == wanted)


def moved(moov: bytes, by: int) -> bytes:
    """An index whose chunk offsets (of 32 bits) are raised."""
    data, at = bytearray(moov), moov.find(b"stco")
    while at >= 0:
        count = struct.unpack(">I", data[at + 8 : at + 12])[0]
        for place in range(at + 12, at + 12 + 4 * count, 4):
            old = struct.unpack(">I", data[place : place + 4])[0]
            data[place : place + 4] = struct.pack(">I", old + by)
        at = moov.find(b"stco", at + 4)
    return bytes(data)


def framed(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


@pytest.fixture(scope="session")
def other(films: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another film."""
    path = tmp_path_factory.mktemp("other") / "other.mp4"
    ffmpeg("-f", "lavfi", "-i", "mandelbrot=s=96x64:r=25", "-t", "1", *H264, path)
    return path


@pytest.mark.parametrize("holder", [b"free", b"mdat", b"uuid"])
def test_med_22_dead_media_data_of_one_film_dont_make_another_pass_for_it(
    holder: bytes, films: Callable[[str], Path], other: Path, tmp_path: Path
) -> None:
    """The original `mdat` stays, but the index is another film's, whose samples lie elsewhere."""
    real, fake = films("film.mp4").read_bytes(), other.read_bytes()
    start = len(part(real, b"ftyp") + part(real, b"free") + part(real, b"mdat"))
    was = fake.index(b"mdat") - 4
    attack = (
        part(real, b"ftyp")
        + part(real, b"free")
        + part(real, b"mdat")
        + framed(holder, part(fake, b"mdat")[8:])
        + moved(part(fake, b"moov"), start - was)
    )
    path = tmp_path / "attack.mp4"
    path.write_bytes(attack)
    assert pictures(path) == pictures(other)
    if holder == b"mdat":
        assert essence(path).digest == essence(other).digest != essence(films("film.mp4")).digest
    else:
        with pytest.raises(DecodeError, match="outside the media data"):
            essence(path)


def test_med_22_a_track_that_ffmpeg_finds_elsewhere_is_refused(
    films: Callable[[str], Path], other: Path, tmp_path: Path
) -> None:
    """ffmpeg plays a `trak` inside `mdia`, where no player should look for one."""
    real, fake = films("film.mp4").read_bytes(), other.read_bytes()
    moov, fake_moov = part(real, b"moov"), part(fake, b"moov")
    tracks = [moov[a:b] for name, a, b in boxes(moov, 8) if name == b"trak"]
    header = next(moov[a:b] for name, a, b in boxes(moov, 8) if name == b"mvhd")
    hidden = next(fake_moov[a:b] for name, a, b in boxes(fake_moov, 8) if name == b"trak")
    for holder in (b"udta", b"edts", b"tref", b"mdia"):
        at = part(real, b"ftyp") + part(real, b"free") + part(real, b"mdat")
        extra = framed(b"mdat", part(fake, b"mdat")[8:])
        where = moved(hidden, len(at) - (fake.index(b"mdat") - 4))
        index = framed(b"moov", header + framed(holder, where) + b"".join(tracks))
        path = tmp_path / f"{holder.decode()}.mp4"
        path.write_bytes(at + extra + index)
        with pytest.raises(DecodeError):
            essence(path)


def test_med_22_the_index_may_move_anywhere(films: Callable[[str], Path]) -> None:
    data = films("film.mp4").read_bytes()
    gap = framed(b"free", bytes(1000))
    ftyp, mdat, moov = (part(data, name) for name in (b"ftyp", b"mdat", b"moov"))
    at = data.index(b"mdat") - 4
    first = ftyp + gap + moved(moov, len(ftyp + gap + moov) - at) + mdat
    found = scan_essence(MediaSource(io.BytesIO(first)))
    assert found.digest == essence(films("film.mp4")).digest


@pytest.mark.parametrize("name", ["film.mp4", "film.mov"])
def test_med_22_damage_that_leaves_the_essence_leaves_what_ffmpeg_plays(
    name: str, films: Callable[[str], Path], tmp_path: Path
) -> None:
    """Any byte of the index may be wrong; a sample of what our parser lets pass is played.

    Left out are edits of less than half a tenth of a second, and `stss`, for which ffmpeg refuses the whole film.
    """
    original = films(name)
    data, whole = original.read_bytes(), essence(original)
    start = data.index(b"moov")
    skipped = {
        at
        for box in (b"stss", b"elst")
        for at in range(data.find(box), data.find(box) + 60 * (box in data))
    }
    passed = []
    for at in range(start, len(data), 3):
        damaged = data[:at] + bytes((data[at] ^ 0xFF,)) + data[at + 1 :]
        try:
            found = scan_essence(MediaSource(io.BytesIO(damaged)))
        except DecodeError:
            continue
        if (found.digest, found.display) == (whole.digest, whole.display) and at not in skipped:
            passed.append(damaged)
    assert len(passed) > 100
    for n, damaged in enumerate(passed[:: len(passed) // 15]):
        path = tmp_path / f"{n}{original.suffix}"
        path.write_bytes(damaged)
        assert pictures(path) == pictures(original)
