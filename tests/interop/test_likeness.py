"""What is found again and what isn't, over generated works and real ones; and that the figures in the code were measured.

Printed with `-s`. `benchmarks/calibrate.py` says over which larger corpora the figures were taken.
"""

from __future__ import annotations

import io
from functools import cache
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import outside
import pytest
from interop.likeness_corpus import PICTURE_EDITS, RATE, picture, poem, tune, wav_bytes
from interop.tools import ffmpeg, required, run

from hitp2p.media import chunks, pictures, shingles, sound
from hitp2p.media.prints import Coverage, Print
from hitp2p.media.worker import picture_codes

N_PICTURES, N_TUNES = 24, 6
LICENSES = Path("/usr/share/common-licenses")
"""Of Debian's `base-files`, which is always there."""


THEME = Path("/usr/share/sounds/freedesktop/stereo")


def covered(coverage: Coverage, one: Print, other: Print) -> float:
    """How much of the smaller is in the larger."""
    common = one.marks.keys() & other.marks.keys()
    return max(sum(p.marks[mark] for mark in common) / p.total for p in (one, other))


# --- texts ------------------------------------------------------------------------------------------


def text_print(text: str) -> Print:
    made = shingles.measure([text.encode()], "text/plain")
    assert made is not None
    return made


def test_half_a_text_is_wholly_in_it_whatever_its_case_and_lines() -> None:
    text = poem(1)
    half = text[: len(text) // 2].upper().replace("\n", ",  ")
    assert covered(shingles, text_print(text), text_print(half)) > 0.95


def test_a_text_with_a_tenth_of_its_words_changed_is_found() -> None:
    chance = Random(2)
    words = poem(2).split()
    changed = " ".join("other" if chance.random() < 0.1 else word for word in words)
    assert covered(shingles, text_print(" ".join(words)), text_print(changed)) > 0.3


def test_scripts_without_spaces_are_compared_too() -> None:
    text = "春眠不覺曉處處聞啼鳥夜來風雨聲花落知多少"
    assert covered(shingles, text_print(text), text_print(text[4:])) == 1.0


@pytest.mark.skipif(not LICENSES.is_dir(), reason="not a Debian system")
def test_texts_of_different_authors_share_no_more_than_the_figure_says() -> None:
    stewards = ("Apache", "Artistic", "BSD", "CC0", "GFDL GPL LGPL", "MPL")
    made: list[tuple[str, Print]] = []
    for path in sorted(LICENSES.iterdir()):
        steward = next(names for names in stewards if path.name.split("-")[0] in names.split())
        made.append((steward, text_print(path.read_text("utf-8"))))
    most = max(covered(shingles, a, b) for (x, a), (y, b) in combinations(made, 2) if x != y)
    poems = [text_print(poem(seed)) for seed in range(20)]
    print(f"texts: licences share at most {most:.4f}")
    assert most <= shingles.UNRELATED < shingles.THRESHOLD
    assert max(covered(shingles, a, b) for a, b in combinations(poems, 2)) == 0


# --- bytes ------------------------------------------------------------------------------------------


def chunk_print(data: bytes, piece: int = 100_000) -> Print:
    made = chunks.measure(
        (data[at : at + piece] for at in range(0, len(data), piece)), "application/zip"
    )
    assert made is not None
    return made


def test_chunks_are_the_same_however_the_bytes_come() -> None:
    data = Random(3).randbytes(9_000_000)
    whole = list(chunks.iter_chunks([data]))
    assert b"".join(whole) == data
    for piece in (70_001, 5_000_000):
        parts = (data[at : at + piece] for at in range(0, len(data), piece))
        assert list(chunks.iter_chunks(parts)) == whole


def test_a_stem_is_found_in_the_file_that_holds_it() -> None:
    chance = Random(4)
    stem = chance.randbytes(600_000)
    project = chance.randbytes(777) + stem + chance.randbytes(1_500_000)
    made, holder = chunk_print(stem), chunk_print(project)
    common = sum(made.marks[mark] for mark in made.marks.keys() & holder.marks.keys())
    assert common / made.total > 0.9
    assert 0.2 < common / holder.total < 0.35


def test_silence_in_common_is_nothing_in_common() -> None:
    silence = bytes(1_000_000)
    hum = (b"\x10\x00\x20\x00\x30\x00\x20\x00" * 125_000)[:1_000_000]
    for same in (silence, hum):
        one, other = (wav_bytes(Random(n).randbytes(400_000) + same) for n in (5, 6))
        assert covered(chunks, chunk_print(one), chunk_print(other)) == 0
    assert chunks.measure([silence], "application/octet-stream") is None


def test_unrelated_files_have_no_chunks_in_common() -> None:
    files = [wav_bytes(tune(seed)) for seed in range(N_TUNES)]
    files += [_bytes_of(picture(seed), "PNG") for seed in range(6)]
    made = [chunk_print(data) for data in files]
    assert max(covered(chunks, a, b) for a, b in combinations(made, 2)) <= chunks.UNRELATED == 0


# --- pictures ---------------------------------------------------------------------------------------


def _bytes_of(image: Any, format: str) -> bytes:
    out = io.BytesIO()
    image.convert("RGB").save(out, format)
    return out.getvalue()


@cache
def original_codes(seed: int) -> tuple[bytes, bytes]:
    return picture_codes(io.BytesIO(_bytes_of(picture(seed), "PNG")), "PNG")


def test_pictures_in_this_process_and_in_one_with_bounds_give_the_same_codes() -> None:
    made = pictures.measure([_bytes_of(picture(0), "PNG")], "image/png")
    assert made is not None
    assert (made.kept, made.asked) == original_codes(0)


@pytest.mark.parametrize("edit", PICTURE_EDITS)
def test_an_edited_picture_is_near_to_its_original(edit: str) -> None:
    for seed in range(N_PICTURES // 2):
        changed = _bytes_of(PICTURE_EDITS[edit](picture(seed)), "JPEG")
        _, asked = picture_codes(io.BytesIO(changed), "JPEG")
        assert pictures.distance(asked, original_codes(seed)[0]) <= pictures.THRESHOLD, seed


def test_unrelated_pictures_are_no_nearer_than_the_figure_says() -> None:
    least = min(
        pictures.distance(original_codes(a)[1], original_codes(b)[0])
        for a in range(N_PICTURES)
        for b in range(N_PICTURES)
        if a != b
    )
    print(f"pictures: unrelated {least:.4f}")
    assert least >= pictures.UNRELATED > pictures.THRESHOLD


def test_flat_pictures_are_near_to_nothing() -> None:
    flat = required("PIL.Image").new("RGB", (300, 200), "white")
    assert pictures.measure([_bytes_of(flat, "PNG")], "image/png") is None


# --- sounds -----------------------------------------------------------------------------------------


def sound_print(data: bytes, media_type: str) -> Print:
    run("fpcalc", "-version")
    made = sound.measure([data], media_type)
    assert made is not None
    return made


@cache
def tune_print(seed: int) -> Print:
    return sound_print(wav_bytes(tune(seed)), "audio/wav")


def converted(data: bytes, folder: Path, name: str, *options: str) -> bytes:
    (folder / "in").write_bytes(data)
    ffmpeg("-i", folder / "in", *options, folder / name)
    return (folder / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "media_type", "options", "most"),
    [
        ("a.mp3", "audio/mpeg", ("-b:a", "64k", "-ar", "44100"), 0.1),
        ("a.opus", "audio/ogg", ("-b:a", "32k", "-ar", "48000"), 0.1),
        ("a.m4a", "audio/mp4", ("-b:a", "96k", "-ar", "44100"), 0.1),
        ("excerpt.mp3", "audio/mpeg", ("-ss", "4.3", "-t", "10", "-ar", "44100"), 0.1),
        ("faster.wav", "audio/wav", ("-af", "atempo=1.02"), sound.THRESHOLD),
    ],
)
def test_a_tune_encoded_again_cut_or_a_little_faster_is_near(
    tmp_path: Path, name: str, media_type: str, options: tuple[str, ...], most: float
) -> None:
    for seed in range(2):
        data = converted(wav_bytes(tune(seed)), tmp_path, name, *options)
        made, original = sound_print(data, media_type), tune_print(seed)
        assert sound.distance(made.asked, original.kept) <= most
        assert len(made.marks.keys() & original.marks.keys()) > 8


def test_unrelated_tunes_are_no_nearer_than_the_figure_says() -> None:
    made = [tune_print(seed) for seed in range(N_TUNES)]
    least = min(sound.distance(a.asked, b.kept) for a, b in combinations(made, 2))
    print(f"sounds: unrelated tunes {least:.4f}")
    assert least >= sound.UNRELATED > sound.THRESHOLD


def test_real_sounds_are_found_in_other_codecs_and_are_not_near_to_each_other(
    tmp_path: Path,
) -> None:
    """Debian's sound theme, whose sounds are too short alone, in two halves one after the other."""
    outside.debian_package("sound-theme-freedesktop", THEME)
    files = sorted(THEME.glob("*.oga"))
    halves: list[Print] = []
    for half, paths in enumerate((files[::2], files[1::2])):
        joined = tmp_path / f"{half}.ogg"
        inputs = [word for path in paths for word in ("-i", str(path))]
        ffmpeg(*inputs, "-filter_complex", f"concat=n={len(paths)}:v=0:a=1", "-ac", "2", joined)
        original = sound_print(joined.read_bytes(), "audio/ogg")
        for name, media_type in (
            ("a.mp3", "audio/mpeg"),
            ("a.opus", "audio/ogg"),
            ("a.flac", "audio/flac"),
        ):
            data = converted(
                joined.read_bytes(), tmp_path, name, *(("-b:a", "64k") if name != "a.flac" else ())
            )
            assert sound.distance(sound_print(data, media_type).asked, original.kept) <= 0.1
        halves.append(original)
    least = sound.distance(halves[0].asked, halves[1].kept)
    outside.count_cases("sound-theme-freedesktop", len(files))
    print(f"sounds: two halves of the sound theme {least:.4f}")
    assert least > sound.THRESHOLD


def test_silence_is_not_near_to_silence() -> None:
    silence = bytes(2 * RATE * 15)
    one, other = (wav_bytes(tune(seed)[: 2 * RATE * 3] + silence) for seed in (1, 2))
    near = [sound.measure([data], "audio/wav") for data in (one, other)]
    assert all(near)
    assert sound.distance(near[0].asked, near[1].kept) > sound.THRESHOLD  # type: ignore[union-attr]
