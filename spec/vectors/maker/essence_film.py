"""essence-video.json: chapter 05, the essence of films in boxes."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from maker.book import Book
from maker.film_boxes import (
    AVCC,
    BOTH,
    FTYP,
    PCM,
    PICTURES,
    POINTER,
    SOUND,
    Answers,
    Film,
    Track,
    box,
    esds,
    framed,
    full,
    mvhd,
    number,
    picture_entry,
    sound_entry,
    table,
)


def essence_film() -> Book:
    book = Book("media")
    answers = Answers(book, "MED-22", "mp4/1")
    same(answers)
    others(answers)
    displays(answers)
    bounds(answers)
    odd_boxes(answers)
    odd_tables(answers)
    odd_samples(answers)
    return book


def same(answers: Answers) -> None:
    """Files that are written otherwise and play the same."""
    want = BOTH.payload()

    def also(name: str, why: str, film: Film, *lines: str) -> None:
        answers.good(name, why, film.bytes(), want, *lines)

    def each(**changes: Any) -> tuple[Track, ...]:
        return tuple(replace(track, **changes) for track in BOTH.tracks)

    also("film", "pictures and sound", BOTH)
    also("index-first", "moov before mdat", replace(BOTH, index_first=True))
    also("sound-first", "tracks in another order", Film(tracks=(SOUND, PICTURES)))
    also("dead-bytes", "bytes in mdat that no table names", replace(BOTH, dead=b"dead"))
    also(
        "open-end",
        "mdat of size 0 goes on to the end",
        replace(BOTH, index_first=True, open_end=True),
    )
    also("quicktime", "no ftyp", replace(BOTH, ftyp=b"", before=box("wide")))
    also("one-chunk", "three samples a chunk", replace(BOTH, tracks=each(per_chunk=3)))
    also("wide-offsets", "chunk offsets of 64 bits", replace(BOTH, tracks=each(wide=True)))
    for bits in (4, 8, 16):
        also(f"sizes-of-{bits}-bits", "stz2", replace(BOTH, tracks=each(small_sizes=bits)))
    also("free", "free room, and tags", replace(BOTH, before=box("free", bytes(9)), in_moov=tags()))
    also(
        "uuid",
        "a signature of another program behind the film",
        replace(BOTH, behind=box("uuid", bytes(30))),
    )
    empty = replace(SOUND, samples=(), durations=())
    also(
        "empty-track", "a third track without samples", replace(BOTH, tracks=(*BOTH.tracks, empty))
    )
    clock = replace(PICTURES, clock=25, durations=(1, 1, 1))
    also("slow-clock", "a clock of 25 ticks", Film(tracks=(clock, SOUND)))
    late = replace(PICTURES, offsets=(1024, 1024, 1024), edits=((120, 1024),))
    also(
        "shown-late",
        "all offsets equal, and an edit list that takes them back",
        Film(tracks=(late, SOUND)),
    )
    last = replace(PICTURES, durations=(512, 512, 1))
    also("last-duration", "the last sample lasts another time", Film(tracks=(last, SOUND)))
    merged = {
        "stts": table(
            "stts", [number(0) + number(7), number(2) + number(512), number(1) + number(512)]
        )
    }
    also(
        "runs-cut",
        "runs cut otherwise, one empty",
        Film(tracks=(replace(PICTURES, tables=merged), SOUND)),
    )
    rates = replace(SOUND, entry=sound_entry(esds(rate=1), box("btrt", bytes(12)), channels=1))
    also(
        "bit-rates",
        "other bit rates and channels beside the set-up",
        Film(tracks=(PICTURES, rates)),
    )
    wave = box("wave", box("frma", b"mp4a"), box("mp4a", bytes(4)), esds(), box("\0\0\0\0"))
    also(
        "wave",
        "the set-up in QuickTime's place",
        Film(tracks=(PICTURES, replace(SOUND, entry=sound_entry(wave, version=1)))),
    )
    square = replace(
        PICTURES,
        entry=picture_entry(box("avcC", AVCC), box("pasp", number(3), number(3)), bytes(4)),
    )
    also(
        "square-pixels",
        "square pixels, and a zero at the end of the list",
        Film(tracks=(square, SOUND)),
    )


def tags() -> bytes:
    item = box("\xa9cmt", box("data", number(1), bytes(4), POINTER))
    meta = full("meta", full("hdlr", bytes(4), b"mdirappl", bytes(9)), box("ilst", item))
    return box("udta", box("\xa9cmt", number(len(POINTER), 2) + bytes(2) + POINTER), meta, bytes(4))


FONTS = box("ftab", b"\0\1\0\1\5Arial")
BIT_RATES = box("btrt", bytes(12))


def others(answers: Answers) -> None:
    """Films that play otherwise."""
    for name, why, track in (
        (
            "swapped-samples",
            "two samples in another order",
            replace(PICTURES, samples=PICTURES.samples[1::-1] + PICTURES.samples[2:]),
        ),
        (
            "cut-otherwise",
            "the same bytes, cut into other samples",
            replace(PICTURES, samples=(b"first picture" + b"sec", b"ond", b"third one")),
        ),
        (
            "other-durations",
            "the first picture stays longer",
            replace(PICTURES, durations=(1024, 512, 512)),
        ),
        (
            "shown-in-another-order",
            "the second picture is shown last",
            replace(PICTURES, offsets=(512, 1536, 512)),
        ),
        ("negative-offset", "an offset below zero", replace(PICTURES, offsets=(0, 512, -512))),
        (
            "other-setup",
            "another set-up for the decoder",
            replace(
                PICTURES,
                entry=picture_entry(box("avcC", AVCC[:-1] + b"\0")),
                described=PICTURES.described[:-1] + b"\0",
            ),
        ),
        (
            "text",
            "a track of text",
            Track(
                kind="text",
                samples=(b"\0\4verse",),
                durations=(9,),
                clock=600,
                entry=box("text", bytes(6), number(1, 2), b"fields"),
                described=b"textfields",
            ),
        ),
        (
            "subtitles",
            "subtitles with bit rates behind their fonts",
            Track(
                kind="sbtl",
                samples=(b"\0\5verse",),
                durations=(9,),
                clock=600,
                entry=box("tx3g", bytes(6), number(1, 2), bytes(30), FONTS, BIT_RATES, BIT_RATES),
                described=b"tx3g" + bytes(30) + framed("ftab", FONTS[8:]),
            ),
        ),
    ):
        film = Film(tracks=(track,))
        answers.good(name, why, film.bytes(), film.payload())
    alone = Film(tracks=(PICTURES,))
    answers.good("no-sound", "without the sound", alone.bytes(), alone.payload())
    pcm = Film(tracks=(PCM,))
    answers.good("pcm", "sound without compression", pcm.bytes(), pcm.payload())
    sizes = replace(PCM, tables={})
    answers.odd("pcm-sizes", "the same with a size for each", Film(tracks=(sizes,)).bytes())


def displays(answers: Answers) -> None:
    """What changes how a film is shown."""

    def shown(name: str, why: str, *lines: str, **changes: Any) -> None:
        film = Film(tracks=(replace(PICTURES, **changes), SOUND))
        answers.good(name, why, film.bytes(), film.payload(), *lines)

    one = 1 << 16
    shown(
        "rotated",
        "a quarter turn and the shift that goes with it",
        "vide 1 rotated 90",
        matrix=(0, one, 0, -one, 0, 0, 8 * one, 0, 1 << 30),
    )
    shown(
        "mirrored",
        "mirrored",
        "vide 1 matrix -65536 0 0 0 65536 0 0 0 1073741824",
        matrix=(-one, 0, 0, 0, one, 0, 0, 0, 1 << 30),
    )
    shown("off", "a track that is switched off", "vide 1 off", flags=2)
    shown("layer", "in another layer", "vide 1 layer -1", layer=-1)
    shown("size", "drawn in another size", "vide 1 size 32x8", size=(32, 8))
    shown(
        "delay-start",
        "a delay, then not from the start",
        "vide 1 delay 0.5",
        "vide 1 start 0.1",
        edits=((450, -1), (50, 1000)),
    )
    shown("end", "ends early", "vide 1 end 0.1", edits=((60, 0),))
    shown("small-edits", "less than half a tenth of a second", edits=((40, -1), (75, 500)))
    colours = box("colr", b"nclx", number(9, 2), number(16, 2), number(9, 2), b"\x80")
    shown("colours", "other colours", "vide 1 colour 9 16 9 1", "vide 1 pixels 4:3",
          entry=picture_entry(colours, box("avcC", AVCC), box("pasp", number(4), number(3))))  # fmt: skip
    wide = picture_entry(box("avcC", AVCC), box("pasp", number(4), number(3)))
    shown(
        "size-of-pixels",
        "drawn in the size that its pixels ask for",
        "vide 1 pixels 4:3",
        entry=wide,
        size=(21, 8),
    )
    profile = b"prof" + b"a colour profile"
    shown("profile", "a colour profile", f"vide 1 colr {hashlib.sha256(profile).hexdigest()}",
          entry=picture_entry(box("avcC", AVCC), box("colr", profile)))  # fmt: skip
    second = replace(PICTURES, samples=(b"hidden", b"film", b"!"))
    film = Film(tracks=(PICTURES, second), header=mvhd(rate=1 << 15))
    lines = [f"vide {n} is {track.digest().hex()[:16]}" for n, track in enumerate(film.tracks, 1)]
    answers.good(
        "two-films",
        "two tracks of pictures, at half speed",
        film.bytes(),
        film.payload(),
        *lines,
        "film rate 32768",
    )


def bounds(answers: Answers) -> None:
    """Files at a bound, and one past it."""
    want = BOTH.payload()
    for n_edits in (64, 65):
        late = replace(PICTURES, edits=(*((1, -1),) * (n_edits - 1), (0, 0)))
        data = Film(tracks=(late, SOUND)).bytes()
        if n_edits > 64:
            answers.odd("65-edits", "one entry more", data)
        else:
            lines = ("vide 1 delay 0.1",)
            answers.good("64-edits", "63 delays of a millisecond", data, want, *lines)
    tags = box("udta")
    for _ in range(3):
        tags = box("udta", tags)
    answers.good("tags-4-deep", "tags in tags", replace(BOTH, in_moov=tags).bytes(), want)


def odd_boxes(answers: Answers) -> None:
    whole = BOTH.bytes()
    for name, why, data in (
        ("end-cut", "a byte is missing", whole[:-1]),
        ("byte-behind", "a byte behind the last box", whole + b"\0"),
        ("fragment", "a fragment behind the film", whole + box("moof", full("mfhd", number(1)))),
        ("unknown-top", "an unknown box", whole + box("junk")),
        ("two-indexes", "a second index", whole + BOTH.moov(40)),
        ("two-ftyp", "a second ftyp", whole + FTYP),
        ("no-index", "no index", FTYP + box("mdat", b"data")),
        ("no-tracks", "no track has samples", replace(BOTH, tracks=()).bytes()),
        ("picture-file", "a picture file's tables beside the film", whole + full("meta", full("iloc"))),
        ("mvex", "an index for fragments", replace(BOTH, in_moov=box("mvex")).bytes()),
        ("cmov", "a compressed index", replace(BOTH, in_moov=box("cmov")).bytes()),
        ("hidden-track", "a track among tags", replace(BOTH, in_moov=box("udta", PICTURES.box(48))).bytes()),
        ("hidden-tables", "a table among a track's tags", Film(tracks=(replace(PICTURES, extra=box("udta", table("stco", [number(50)]))),)).bytes()),
        ("hidden-handler", "tags that say they are pictures", replace(BOTH, in_moov=full("meta", full("hdlr", bytes(4), b"vide", bytes(13)))).bytes()),
        ("deep-tags", "tags nested five levels deep", replace(BOTH, in_moov=box("udta", box("udta", box("udta", box("udta", box("udta")))))).bytes()),
        ("two-headers", "two headers of the film", replace(BOTH, in_moov=mvhd()).bytes()),
        ("no-clock", "a film without ticks", replace(BOTH, header=mvhd(clock=0)).bytes()),
        ("open-index", "an index of size 0", replace(BOTH).bytes().replace(number(len(BOTH.moov(0))) + b"moov", number(0) + b"moov")),
    ):  # fmt: skip
        answers.odd(name, why, data)


def odd_tables(answers: Answers) -> None:
    def odd(name: str, why: str, **changes: Any) -> None:
        answers.odd(name, why, Film(tracks=(replace(PICTURES, **changes), SOUND)).bytes())

    def tables(**changed: bytes) -> dict[str, bytes]:
        return changed

    good = PICTURES.good_tables(40)
    odd("two-stsz", "two tables of sizes", in_stbl=good["stsz"])
    odd(
        "both-sizes",
        "both kinds of tables of sizes",
        in_stbl=replace(PICTURES, small_sizes=8).good_tables(0)["stsz"],
    )
    odd(
        "both-offsets",
        "both kinds of chunk offsets",
        in_stbl=replace(PICTURES, wide=True).good_tables(0)["stco"],
    )
    odd("no-stts", "no durations", tables=tables(stts=b""))
    odd(
        "stts-few",
        "durations of two samples",
        tables=tables(stts=table("stts", [number(2) + number(512)])),
    )
    odd(
        "stts-many",
        "durations of four samples",
        tables=tables(stts=table("stts", [number(4) + number(512)])),
    )
    odd(
        "stts-negative",
        "a duration of 2^31",
        tables=tables(stts=table("stts", [number(3) + number(1 << 31)])),
    )
    odd(
        "stts-long",
        "a count larger than the table",
        tables=tables(stts=full("stts", number(99), number(3) + number(512))),
    )
    odd(
        "ctts-few",
        "offsets of two samples",
        tables=tables(ctts=table("ctts", [number(2) + number(0)])),
    )
    odd(
        "ctts-negative",
        "a negative offset in version 0",
        tables=tables(ctts=table("ctts", [number(3) + number(-5)])),
    )
    odd(
        "stsc-late",
        "the first run begins at chunk 2",
        tables=tables(stsc=table("stsc", [number(2) + number(1) + number(1)])),
    )
    odd(
        "stsc-back",
        "runs that go back",
        tables=tables(stsc=table("stsc", [number(1) + number(1) + number(1)] * 2)),
    )
    odd(
        "stsc-few",
        "two samples in chunks",
        tables=tables(stco=table("stco", [number(40), number(53)])),
    )
    odd(
        "stsc-many",
        "six samples in chunks",
        tables=tables(stsc=table("stsc", [number(1) + number(2) + number(1)])),
    )
    odd(
        "stsc-description",
        "a description that isn't there",
        tables=tables(stsc=table("stsc", [number(1) + number(1) + number(2)])),
    )
    odd(
        "stsc-empty",
        "no samples in a chunk",
        tables=tables(stsc=table("stsc", [number(1) + number(0) + number(1)])),
    )
    odd(
        "sizes-long",
        "a table of sizes with a byte more",
        tables=tables(stsz=box("stsz", good["stsz"][8:], b"\0")),
    )
    odd("sizes-width", "sizes of 12 bits", small_sizes=12)
    odd("edits-two", "two stretches", edits=((50, 0), (50, 0)))
    odd("edits-speed", "a stretch at half speed", edits=((100, 0),), rate=1 << 15)
    odd("edits-nothing", "a delay and no stretch", edits=((50, -1),))


def odd_samples(answers: Answers) -> None:
    def odd(name: str, why: str, film: Film) -> None:
        answers.odd(name, why, film.bytes())

    def with_entry(entry: bytes) -> Film:
        return Film(tracks=(replace(PICTURES, entry=entry),))

    def with_sound(entry: bytes) -> Film:
        return Film(tracks=(replace(SOUND, entry=entry),))

    odd("outside", "samples in the ftyp box", replace(BOTH, shift=-39))
    odd("in-header", "samples begin in the header of mdat", replace(BOTH, shift=-1))
    odd("over-end", "samples end behind mdat", replace(BOTH, shift=1))
    decoy = Film(
        tracks=(PICTURES,), before=box("free", PICTURES.data), dead=b"decoy" * 9, shift=-81
    )
    odd("decoy", "tables point into a free box, mdat holds another film", decoy)
    again = PICTURES.box(len(FTYP) + 8)
    odd("too-much", "two tracks over the same bytes", Film(tracks=(PICTURES,), in_moov=again))
    elsewhere = box("dinf", table("dref", [full("url ", b"file:b.mp4\0")]))
    odd("elsewhere", "samples in another file", Film(tracks=(replace(PICTURES, dinf=elsewhere),)))
    two = box("dinf", table("dref", [full("url ", flags=1)] * 2))
    odd("two-references", "two data references", Film(tracks=(replace(PICTURES, dinf=two),)))
    entry = picture_entry(box("avcC", AVCC))
    odd(
        "second-reference",
        "a description of the second file",
        with_entry(entry[:15] + b"\2" + entry[16:]),
    )
    odd("encrypted", "encrypted samples", with_entry(entry[:4] + b"encv" + entry[8:]))
    odd(
        "sinf",
        "encryption in a description",
        with_entry(picture_entry(box("avcC", AVCC), box("sinf"))),
    )
    odd(
        "track-in-description",
        "a track in a description",
        with_entry(picture_entry(box("avcC", AVCC), box("trak"))),
    )
    odd("palette", "a palette", with_entry(picture_entry(palette=0)))
    odd(
        "description-cut",
        "a description without its fields",
        with_entry(box("avc1", bytes(6), number(1, 2))),
    )
    odd(
        "box-over-description",
        "a box that runs over its description",
        with_entry(picture_entry(number(99) + b"avcC")),
    )
    odd(
        "depends",
        "an elementary stream that depends on another",
        with_sound(sound_entry(esds(flags=0x80))),
    )
    odd(
        "no-decoder",
        "an elementary stream without a decoder",
        with_sound(sound_entry(full("esds", b"\3\3\0\1\0"))),
    )
    odd(
        "two-setups",
        "two set-ups for one sound",
        with_sound(sound_entry(esds(), esds(b"\x13\x90"))),
    )
    odd("sound-version", "a sound description of version 3", with_sound(sound_entry(version=3)))
    one_byte = {"stsz": full("stsz", number(1), number(2))}
    short = replace(PCM, samples=(b"\1", b"\2"), tables=one_byte)
    odd(
        "short-frames",
        "PCM of one byte a sample, where players read four",
        Film(tracks=(short,), dead=bytes(9)),
    )
    ticks = replace(SOUND, durations=(1, 1, 1))
    odd("ticks", "compressed sound of one tick a sample", Film(tracks=(ticks,)))
