"""Sounds that ffmpeg made and sounds of many people, under the tools that people use: the essence stays where the sound does.

Truth is what ffmpeg decodes. Some files are traps: ffmpeg plays something else than another player would.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import outside
import pytest
from interop.matrix import record
from interop.tools import c2pa_sign, ffmpeg, required, run

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.errors import DecodeError
from hitp2p.media.essence import FoundEssence, scan_essence
from hitp2p.media.pointer import find_pointers, pointer_text, write_pointer
from hitp2p.media.source import MediaSource

WORK, NEWER = Cid.of(DAG_CBOR, b"work"), Cid.of(DAG_CBOR, b"newer")
THEME = Path("/usr/share/sounds/freedesktop/stereo")
ODD_AFTER_COPY = {"phone-outgoing-calling", "suspend-error"}
"""Of these ffmpeg writes positions that its own packets don't add up to."""

SWEEP = "aevalsrc=0.3*sin(2*PI*440*t*(1+0.1*t))|0.3*sin(2*PI*550*t):d=1:s=44100"
MADE: dict[str, list[str]] = {
    "cbr.mp3": ["-b:a", "128k"],
    "vbr.mp3": ["-q:a", "4", "-id3v2_version", "3"],
    "mono.mp3": ["-ar", "22050", "-ac", "1", "-b:a", "32k"],
    "bare.mp3": ["-write_xing", "0", "-id3v2_version", "0"],
    "16.flac": ["-sample_fmt", "s16"],
    "51.flac": ["-ac", "6"],
    "16.wav": ["-c:a", "pcm_s16le"],
    "24.wav": ["-c:a", "pcm_s24le"],
    "float.wav": ["-c:a", "pcm_f32le"],
    "law.wav": ["-c:a", "pcm_alaw"],
    "51.wav": ["-ac", "6"],
    "rf64.wav": ["-rf64", "always"],
    "vorbis.ogg": ["-c:a", "libvorbis"],
    "opus.opus": ["-c:a", "libopus"],
    "speech.opus": ["-c:a", "libopus", "-application", "voip", "-frame_duration", "60"],
}
"""Files by name, as ffmpeg is asked for them."""
TYPES = {".mp3": "audio/mpeg", ".flac": "audio/flac", ".wav": "audio/wav"}
"""What c2pa signs."""


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`sounds("cbr.mp3")` is that file with a title, made when first asked for."""
    folder = tmp_path_factory.mktemp("sounds")

    @cache
    def make(name: str) -> Path:
        title = ["-metadata", "title=Sweep", "-metadata", "comment=Rising"]
        ffmpeg("-f", "lavfi", "-i", SWEEP, *MADE[name], *title, folder / name)
        return folder / name

    return make


def essence(path: Path) -> FoundEssence:
    with path.open("rb") as file:
        return scan_essence(MediaSource(file))


@cache
def heard(path: Path, *arguments: str) -> str:
    """The MD5 of the decoded sound."""
    return ffmpeg("-i", path, "-map", "0:a", *arguments, "-f", "md5", "-")


def tags(path: Path) -> dict[str, str]:
    """What ffprobe reads, by lower-case name; Ogg keeps tags with the stream."""
    shown = json.loads(
        run("ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams", path)
    )
    parts = [*shown["streams"], shown["format"]]
    return {k.lower(): v for part in parts for k, v in part.get("tags", {}).items()}


def point(source: Path, target: Path, work: Cid = WORK) -> Path:
    with source.open("rb") as file, target.open("wb") as sink:
        write_pointer(MediaSource(file), sink, pointer_text(work))
    return target


def copied(path: Path, *arguments: str, suffix: str | None = None) -> Path:
    to = path.with_name(f"copied{suffix or path.suffix}")
    ffmpeg("-i", path, "-map", "0:a", "-c", "copy", *arguments, to)
    return to


def retagged(path: Path) -> Path:
    """By mutagen, with a longer title and a picture where there is a place for one."""
    file = required("mutagen").File(path)
    id3 = required("mutagen.id3")
    if path.suffix in (".mp3", ".wav"):
        if file.tags is None:
            file.add_tags()
        file.tags.add(id3.TIT2(encoding=3, text="Another title" * 40))
        file.tags.add(id3.APIC(mime="image/jpeg", type=3, data=b"\xff\xfb\x90\x64" * 9000))
        if path.suffix == ".mp3":
            file.save(v1=2)
            return path
    else:
        file["title"] = ["Another title" * 40]
    if path.suffix == ".flac":
        picture = required("mutagen.flac").Picture()
        picture.mime, picture.data = "image/jpeg", b"\xff\xf8" * 9000
        file.add_picture(picture)
    file.save()
    return path


def untagged(path: Path) -> Path:
    file = required("mutagen").File(path)
    file.delete()
    return path


def with_ape(path: Path) -> Path:
    ape = required("mutagen.apev2").APEv2()
    ape["Title"] = "Sweep"
    ape.save(path)
    return path


def signed(path: Path) -> Path:
    to = path.with_name(f"signed{path.suffix}")
    c2pa_sign(path, to, TYPES[path.suffix])
    return to


THROUGH_MKA = "ffmpeg to MKA and back"
TOOLS: dict[str, Callable[[Path], Path]] = {
    "mutagen": retagged,
    "mutagen delete": untagged,
    "mutagen APEv2": with_ape,
    "c2pa sign": signed,
    "ffmpeg -c copy -metadata": lambda p: copied(p, "-metadata", "title=New"),
    THROUGH_MKA: lambda p: copied(copied(p, suffix=".mka"), suffix=p.suffix),
}
PLACES = {
    "c2pa sign": (".mp3", ".flac", ".wav"),
    "mutagen APEv2": (".mp3",),
    "mutagen delete": (".mp3", ".flac", ".ogg", ".opus"),
}
"""What a tool writes, where it doesn't write all."""
OTHERWISE = {
    ("51.flac", "mutagen delete"): "display",  # the mask of the speakers is a tag
    (
        "bare.mp3",
        "ffmpeg -c copy -metadata",
    ): "display",  # it adds a summary: 529 samples less are played
    ("rf64.wav", "mutagen"): "can't",
    ("rf64.wav", "c2pa sign"): "can't",
}
"""What else comes out than the same essence."""


def pairs() -> Iterator[tuple[str, str]]:
    for name in MADE:
        for tool in TOOLS:
            if Path(name).suffix in PLACES.get(tool, (Path(name).suffix,)):
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
def test_the_essence_stays_under_tools_that_leave_the_sound(
    name: str, tool: str, sounds: Callable[[str], Path], tmp_path: Path
) -> None:
    original, copy = sounds(name), tmp_path / name
    shutil.copy(original, copy)
    expected = OTHERWISE.get((name, tool), "same")
    if expected == "can't":
        with pytest.raises((required("mutagen").MutagenError, required("c2pa").C2paError)):
            TOOLS[tool](copy)
        record(tool, name, expected)
        return
    changed = TOOLS[tool](copy)
    found = outcome(essence(original), changed)
    record(tool, name, found)
    if tool == THROUGH_MKA:  # it rounds times to milliseconds, and forgets what MP3 trims
        return
    assert found == expected
    assert (heard(changed) == heard(original)) is (name != "bare.mp3" or found == "same")


@pytest.mark.parametrize("name", MADE)
def test_med_30_a_pointer_changes_no_sound_and_others_read_it(
    name: str, sounds: Callable[[str], Path], tmp_path: Path
) -> None:
    original = sounds(name)
    older = point(original, tmp_path / f"older-{name}", NEWER)
    sealed = point(older, tmp_path / name)
    assert outcome(essence(original), sealed) == "same"
    assert heard(sealed) == heard(original)
    assert find_pointers(essence(sealed).tag_texts) == (WORK,)
    probed = tags(sealed)
    assert probed.get("title") == (None if name == "bare.mp3" else "Sweep")
    assert pointer_text(WORK) in probed["comment"]
    assert probed["copyright"] == pointer_text(WORK)
    shown = run("exiftool", "-a", "-Comment", "-Copyright", sealed)
    assert shown.count(pointer_text(WORK)) == 2


def mutagen_texts(path: Path) -> Iterator[str]:
    for key, value in required("mutagen").File(path).tags.items():
        if key.upper().startswith(("COMM", "TCOP", "COPYRIGHT")):
            yield " ".join(map(str, value)) if isinstance(value, list) else str(value)


@pytest.mark.parametrize("name", ["cbr.mp3", "bare.mp3", "16.flac", "vorbis.ogg", "opus.opus"])
def test_med_30_mutagen_reads_and_keeps_a_pointer(
    name: str, sounds: Callable[[str], Path], tmp_path: Path
) -> None:
    sealed = point(sounds(name), tmp_path / name)
    assert sum(pointer_text(WORK) in text for text in mutagen_texts(sealed)) == 2
    assert find_pointers(essence(retagged(sealed)).tag_texts) == (WORK,)


SURVIVES = [
    ("cbr.mp3", (".mp3", ".flac", ".ogg", ".opus", ".m4a", ".wav", ".mka")),
    ("16.flac", (".mp3", ".flac", ".ogg", ".opus", ".m4a", ".wav", ".mka")),
    ("16.wav", (".mp3", ".flac", ".opus", ".m4a", ".wav")),
    ("vorbis.ogg", (".ogg", ".opus")),
    ("opus.opus", (".ogg", ".opus")),
]
"""Into which formats ffmpeg carries comment and copyright when it codes anew; out of Ogg, tags of the stream stay behind."""


@pytest.mark.parametrize(("name", "suffix"), [(n, s) for n, many in SURVIVES for s in many])
def test_med_30_a_pointer_survives_copies_and_transcodes(
    name: str, suffix: str, sounds: Callable[[str], Path], tmp_path: Path
) -> None:
    sealed = point(sounds(name), tmp_path / name)
    coded = tmp_path / f"coded{suffix}"
    ffmpeg("-i", sealed, "-map", "0:a", coded)
    ours = [v for k, v in tags(coded).items() if k in ("comment", "copyright", "description")]
    assert any(pointer_text(WORK) in text for text in ours)
    assert find_pointers(essence(copied(sealed)).tag_texts) == (WORK,)


def test_every_sound_of_the_theme_has_an_essence_that_ffmpeg_leaves(tmp_path: Path) -> None:
    outside.debian_package("sound-theme-freedesktop", THEME)
    found = {}
    files = sorted(THEME.glob("*.oga"))
    for place, path in enumerate(files):
        before = essence(path)
        copy = tmp_path / f"{path.stem}.ogg"
        ffmpeg("-i", path, "-c", "copy", copy)
        found[path.stem] = outcome(before, copy)
        sealed = point(path, tmp_path / path.name)
        assert essence(sealed).digest == before.digest
        if place % 5 == 0:
            assert heard(sealed) == heard(path)
    assert {stem for stem, word in found.items() if word != "same"} == ODD_AFTER_COPY
    outside.count_cases("sound-theme-freedesktop", len(files))


def test_files_of_the_same_sound_and_only_they_share_an_essence() -> None:
    outside.debian_package("sound-theme-freedesktop", THEME)
    by_essence: dict[bytes, set[str]] = {}
    for path in sorted(THEME.glob("*.oga")):
        by_essence.setdefault(essence(path).digest, set()).add(heard(path))
    assert all(len(heards) == 1 for heards in by_essence.values())
    assert len(by_essence) == len({one for heards in by_essence.values() for one in heards})


# --- traps: what ffmpeg plays isn't what the frames or samples say --------------------------------


def refused(path: Path) -> bool:
    try:
        essence(path)
    except DecodeError:
        return True
    return False


def tone(path: Path, *arguments: str) -> Path:
    ffmpeg("-f", "lavfi", "-i", "sine=2000:d=1:r=44100", "-ac", "2", *arguments, path)
    return path


def test_med_19_frames_that_ffmpeg_finds_behind_an_overlong_picture_are_no_essence(
    sounds: Callable[[str], Path], tmp_path: Path
) -> None:
    decoy = tone(tmp_path / "decoy.flac", "-sample_fmt", "s16")
    (info, frames), (_, other) = flac_parts(sounds("16.flac")), flac_parts(decoy)
    said = (8 + (1 << 24)).to_bytes(4, "big")
    picture = b"\0\0\0\3\0\0\0\x09image/png" + bytes(20) + said + b"PNGDATA!"
    hidden = b"\x81\0\0\4" + bytes(4) + other
    first = block(2, b"ABCD" + bytes(len(hidden) + 100))
    second = block(2, bytes((1 << 24) - len(first) - 4) + hidden, last=True)
    trap = tmp_path / "trap.flac"
    trap.write_bytes(b"fLaC" + block(0, info) + block(6, picture) + first + second + frames)
    assert (
        heard(trap, "-t", "0.5")
        == heard(decoy, "-t", "0.5")
        != heard(sounds("16.flac"), "-t", "0.5")
    )
    assert refused(trap)


def block(kind: int, content: bytes, last: bool = False) -> bytes:
    return bytes((kind | last << 7,)) + len(content).to_bytes(3, "big") + content


def flac_parts(path: Path) -> tuple[bytes, bytes]:
    """STREAMINFO and frames."""
    data, at, is_last = path.read_bytes(), 4, False
    while not is_last:
        is_last, length = data[at] > 127, int.from_bytes(data[at + 1 : at + 4], "big")
        at += 4 + length
    return data[8:42], data[at:]


def test_med_18_frames_that_ffmpeg_finds_in_an_ape_tag_are_no_essence(
    sounds: Callable[[str], Path], tmp_path: Path
) -> None:
    original = sounds("bare.mp3")
    decoy = tone(tmp_path / "decoy.mp3", "-write_xing", "0", "-id3v2_version", "0").read_bytes()
    size = (len(decoy) + 32).to_bytes(4, "little")
    trap = tmp_path / "trap.mp3"
    footer = b"APETAGEX\xd0\7\0\0" + size + bytes(16)
    trap.write_bytes(original.read_bytes() + decoy + footer)
    assert heard(trap) != heard(original)
    assert refused(trap)


def test_med_18_a_second_song_is_no_essence(sounds: Callable[[str], Path], tmp_path: Path) -> None:
    both = tmp_path / "both.mp3"
    both.write_bytes(sounds("cbr.mp3").read_bytes() + sounds("vbr.mp3").read_bytes())
    assert refused(both)


def wav_with(path: Path, to: Path, *chunks: bytes) -> Path:
    """A WAV with more chunks before its samples."""
    data = path.read_bytes()
    at = data.index(b"data")
    body = data[8:at] + b"".join(chunks) + data[at:]
    to.write_bytes(b"RIFF" + len(body).to_bytes(4, "little") + body)
    return to


def test_med_20_samples_that_ffmpeg_plays_at_another_width_are_no_essence(
    sounds: Callable[[str], Path], tmp_path: Path
) -> None:
    data = bytearray(sounds("24.wav").read_bytes())
    assert data[20:22] == b"\xfe\xff"
    data[38] = 16
    trap = tmp_path / "trap.wav"
    trap.write_bytes(data)
    assert heard(trap) != heard(sounds("24.wav"))
    assert refused(trap)


def test_med_20_a_voice_recording_that_ffmpeg_finds_in_a_chunk_is_no_essence(
    tmp_path: Path,
) -> None:
    plain = tone(tmp_path / "plain.wav", "-ar", "8000", "-ac", "1")
    data = plain.read_bytes()
    content = bytes(212) + b"\x84" + bytes(255) + bytes(n * 37 & 255 for n in range(1024))
    junk = b"JUNK" + len(content).to_bytes(4, "little") + content
    body = b"WAVE" + data[12:36] + junk + data[data.index(b"data") :]
    trap = tmp_path / "trap.wav"
    trap.write_bytes(b"RIFF" + len(body).to_bytes(4, "little") + body)
    shown = run("ffprobe", "-v", "quiet", "-show_entries", "stream=codec_name", trap)
    assert "codec_name=g729" in shown
    assert refused(trap)


def test_med_21_a_chained_stream_that_players_go_on_with_is_no_essence(
    sounds: Callable[[str], Path], tmp_path: Path
) -> None:
    chain = tmp_path / "chain.ogg"
    second = tone(tmp_path / "second.ogg", "-c:a", "libvorbis")
    chain.write_bytes(sounds("vorbis.ogg").read_bytes() + second.read_bytes())
    assert heard(chain) != heard(sounds("vorbis.ogg"))
    assert refused(chain)
