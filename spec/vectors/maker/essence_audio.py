"""essence-audio.json: chapter 05, the essence of MP3, FLAC, WAV and Ogg files, made from nothing and never played."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from maker.book import Book

POINTER = b"hitp2p:bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"


def essence_audio() -> Book:
    book = Book("media")
    for part in (mp3, flac, wav, ogg_vorbis, ogg_opus):
        part(book)
    return book


class Files:
    """Vectors of one format: files and what they hash to."""

    def __init__(self, book: Book, rule: str, algorithm: str) -> None:
        self.book = book
        self.rule = rule
        self.algorithm = algorithm

    def good(self, name: str, why: str, data: bytes, payload: bytes, display: str = "") -> None:
        more: dict[str, Any] = {
            "algorithm": self.algorithm,
            "digest": self._hash("essence", payload),
        }
        if display:
            more["display"] = self._hash("display", display.encode())
        self.book.valid(name, self.rule, why, "essence", data, **more)

    def odd(self, name: str, why: str, data: bytes) -> None:
        self.book.invalid(name, self.rule, why, "essence", data, algorithm=self.algorithm)

    def _hash(self, what: str, data: bytes) -> bytes:
        head = f"hitp2p/{what}/{self.algorithm}".encode() + b"\0"
        return hashlib.sha256(head + data).digest()


# --- MP3 ----------------------------------------------------------------------------------------


def frame(n: int, header: str = "ffe318c4", length: int = 72) -> bytes:
    """MPEG 2.5 layer III, mono, 8 kHz, 8 kbit/s: 72 bytes."""
    return bytes.fromhex(header) + bytes((n,)) * (length - 4)


def summary(
    n_frames: int,
    trim: str = "",
    mark: bytes = b"Info",
    side: bytes = bytes(9),
    encoder: bytes = b"LAME3.100",
) -> bytes:
    content = side + mark + b"\0\0\0\1" + n_frames.to_bytes(4, "big")
    if trim:
        content += encoder + bytes(12) + bytes.fromhex(trim)
    return bytes.fromhex("ffe318c4") + content.ljust(68, b"\0")


def vbri(n_frames: int) -> bytes:
    content = bytes(32) + b"VBRI" + bytes(10) + n_frames.to_bytes(4, "big")
    return bytes.fromhex("ffe318c4") + content.ljust(68, b"\0")


def id3(
    content: bytes = b"TIT2\0\0\0\3\0\0\0Hi", version: int = 4, flags: int = 0, footer: bytes = b""
) -> bytes:
    size = len(content)
    raw = bytes(size >> shift & 127 for shift in (21, 14, 7, 0))
    return b"ID3" + bytes((version, 0, flags)) + raw + content + footer


def ape(content: bytes = b"", flags: int = 0, size: int | None = None) -> bytes:
    length = 32 + len(content) if size is None else size
    numbers = (2000, length, 1 if content else 0, flags)
    footer = b"APETAGEX" + b"".join(n.to_bytes(4, "little") for n in numbers) + bytes(8)
    header = footer if flags else b""
    return header + content + footer


APE_ITEM = b"\4\0\0\0\0\0\0\0Year\x002024"
LYRICS = b"LYRICSBEGININD0000200000021LYRICS200"
ID3V1 = b"TAG" + bytes(125)


def mp3(book: Book) -> None:
    files = Files(book, "MED-18", "mp3/1")
    one, two = frame(1), frame(2)
    good, odd = files.good, files.odd
    good("frames", "nothing but frames", one + two, one + two)
    good("id3v2", "a tag in front", id3() + one + two, one + two)
    good(
        "id3v2-footer",
        "a tag with a footer",
        id3(flags=0x10, footer=bytes(10)) + one + two,
        one + two,
    )
    good("id3v2-2", "the oldest tag", id3(b"TT2\0\0\3\0Hi", version=2) + one + two, one + two)
    good("id3v1", "a tag at the end", one + two + ID3V1, one + two)
    good("ape", "an APE tag without a header", one + two + ape(APE_ITEM), one + two)
    good(
        "ape-header",
        "an APE tag with a header",
        one + two + ape(APE_ITEM, 1 << 31) + ID3V1,
        one + two,
    )
    good("lyrics", "Lyrics3 before ID3v1", one + two + LYRICS + ID3V1, one + two)
    good("all-tags", "every tag", id3() + one + two + ape(APE_ITEM) + LYRICS + ID3V1, one + two)
    good(
        "tags-other-way",
        "Lyrics3 before APE",
        one + two + LYRICS + ape(APE_ITEM) + ID3V1,
        one + two,
    )
    good("info", "a summary frame", summary(2) + one + two, one + two)
    good("xing", "a summary that counts itself", summary(3, mark=b"Xing") + one + two, one + two)
    good("vbri", "Fraunhofer's summary", vbri(2) + one + two, one + two)
    trimmed = summary(2, "2402f4") + one + two
    good("trim", "samples left out at both ends", trimmed, one + two, "trim 576 756\n")
    for encoder in (b"LAME3.100", b"Lavc59.37", b"Lavf\0\0\0\0\0"):
        nothing = summary(2, "000000", encoder=encoder) + one + two
        name = f"trim-nothing-{encoder[:4].decode().lower()}"
        good(
            name,
            "an encoder for which players leave out the decoder's delay",
            nothing,
            one + two,
            "trim 0 0\n",
        )
    other = summary(2, "000001", encoder=bytes(9)) + one + two
    good("trim-other", "another encoder's trim", other, one + two, "trim 0 1\n")
    other = summary(2, "000000", encoder=b"Other_enc") + one + two
    good("trim-unsaid", "another encoder that says nothing", other, one + two)
    crc = bytes.fromhex("ffe218c4") + summary(1)[4:]
    good("info-with-crc", "a frame with a CRC is never a summary", crc + one, crc + one)
    padded = frame(2, "ffe31ac4", 73)
    good("sizes", "a padded frame and another bit rate", one + padded + frame(3, "ffe328c4", 144),
         one + padded + frame(3, "ffe328c4", 144))  # fmt: skip
    big = frame(1, "fffb1000", 104)
    good("mpeg-1", "MPEG 1, stereo, 44.1 kHz, 32 kbit/s", big + big, big + big)

    odd("two-id3v2", "a second tag in front", id3() + id3() + one + two)
    odd("id3-version", "ID3v2.5", id3(version=5) + one + two)
    odd("id3-flags", "a flag that 2.3 doesn't define", id3(version=3, flags=0x10) + one + two)
    odd("id3-size", "a size that isn't syncsafe", id3()[:9] + b"\x8d" + id3()[10:] + one + two)
    odd("id3-at-end", "an ID3v2 tag behind the frames", one + two + id3())
    odd("zeros-first", "zeros between tag and frames", id3() + bytes(8) + one + two)
    odd("gap", "a byte between frames", one + b"\0" + two)
    odd("cut", "the last frame is cut short", one + two[:-1])
    odd("no-frame", "a tag alone", id3() + ID3V1)
    odd("summary-only", "a summary without frames", summary(0))
    odd("rate-changes", "another sample rate", one + frame(2, "ffe314c4", 52))
    odd("channels-change", "stereo after mono", one + frame(2, "ffe31804"))
    odd("layer-changes", "layer II after layer III", one + frame(2, "ffe518c4"))
    odd("free-format", "free format", frame(1, "ffe308c4") * 2)
    odd("bit-rate-15", "the forbidden bit rate", one + frame(2, "ffe3f8c4"))
    odd("count", "a summary that counts fewer frames", summary(1) + one + two + frame(3))
    odd("summary-with-sound", "a summary whose side information isn't zero",
        summary(1, side=b"\1" * 9) + one)  # fmt: skip
    odd("hidden-frame", "a frame inside an APE tag", one + two + ape(APE_ITEM + frame(3)))
    at, past = (id3(b"PRIV" + n.to_bytes(4, "big") + bytes(2 + n), 3) for n in (999_980, 999_981))
    good("long-id3v2", "a long tag in front", past + one + two + ID3V1, one + two)
    good(
        "long-id3v2-ape-limit",
        "the longest tag in front of one",
        at + one + two + ape(APE_ITEM),
        one + two,
    )
    odd("long-id3v2-ape", "a longer tag in front of one", past + one + two + ape(APE_ITEM))
    odd("ape-size", "an APE tag longer than the file", one + ape(APE_ITEM, size=4000))
    odd("ape-header-missing", "an APE tag that only says it has a header",
        one + two + ape(APE_ITEM, 1 << 31)[32:])  # fmt: skip
    odd("two-ape", "two APE tags", one + two + ape(APE_ITEM) + ape(APE_ITEM))
    odd("two-id3v1", "two tags at the end", one + two + ID3V1 + ID3V1)
    odd("lyrics-begin", "Lyrics3 without its beginning", one + b"_" + LYRICS[1:] + ID3V1)


# --- FLAC ---------------------------------------------------------------------------------------

STREAMINFO = bytes.fromhex("100010000000000000000ac440f000000001" + "5a" * 16)
FLAC_FRAMES = bytes.fromhex("fff8c90800" + "00" * 12)


def block(kind: int, content: bytes, last: bool = False) -> bytes:
    return bytes((kind | last << 7,)) + len(content).to_bytes(3, "big") + content


def comments(*lines: bytes, vendor: bytes = b"v", rest: bytes = b"") -> bytes:
    fields = b"".join(len(line).to_bytes(4, "little") + line for line in lines)
    head = len(vendor).to_bytes(4, "little") + vendor + len(lines).to_bytes(4, "little")
    return head + fields + rest


def picture(data: bytes = b"pic", said: int | None = None) -> bytes:
    sizes = bytes(16) + (len(data) if said is None else said).to_bytes(4, "big")
    return bytes(3) + b"\3" + b"\0\0\0\7image/x" + bytes(4) + sizes + data


def flac_file(*blocks: tuple[int, bytes], frames: bytes = FLAC_FRAMES) -> bytes:
    parts = [block(kind, content, n == len(blocks) - 1) for n, (kind, content) in enumerate(blocks)]
    return b"fLaC" + b"".join(parts) + frames


def flac(book: Book) -> None:
    files = Files(book, "MED-19", "flac/1")
    good, odd = files.good, files.odd
    info, payload = (0, STREAMINFO), STREAMINFO + FLAC_FRAMES
    good("plain", "STREAMINFO and frames", flac_file(info), payload)
    every = flac_file(info, (4, comments(b"TITLE=Hi")), (1, bytes(20)), (2, b"appl"),
                      (3, bytes(18)), (5, bytes(396)), (6, picture()), (6, picture()), (9, b"?"))  # fmt: skip
    good("every-block", "every kind of metadata block, and one of no known kind", every, payload)
    good("id3v2", "an ID3v2 tag in front", id3() + flac_file(info), payload)
    good("variable", "frames of varying length", flac_file(info, frames=b"\xff\xf9" + bytes(9)),
         STREAMINFO + b"\xff\xf9" + bytes(9))  # fmt: skip
    mask = b"WaveFormatExtensible_Channel_Mask=0x003F"
    good("speakers", "a comment that gives the channels to speakers",
         flac_file(info, (4, comments(mask))), payload, "speakers 3f\n")  # fmt: skip
    good("behind", "whatever stands behind the frames is payload",
         flac_file(info) + b"more", payload + b"more")  # fmt: skip

    many = [(9, b"")] * 1023
    good("1024-blocks", "as many blocks as there may be", flac_file(info, *many), payload)
    lines = comments(*[b""] * 65_536)
    good(
        "65536-lines", "as many comment lines as there may be", flac_file(info, (4, lines)), payload
    )
    odd("1025-blocks", "a block too many", flac_file(info, *many, (9, b"")))
    odd("65537-lines", "a comment line too many", flac_file(info, (4, comments(*[b""] * 65_537))))
    odd("no-streaminfo", "comments come first", flac_file((4, comments()), info))
    odd("two-streaminfo", "a second STREAMINFO", flac_file(info, info))
    odd("streaminfo-size", "a STREAMINFO of 35 bytes", flac_file((0, STREAMINFO + b"\0")))
    odd("block-127", "the forbidden kind of block", flac_file(info, (127, b"")))
    odd("two-comments", "two comment blocks", flac_file(info, (4, comments()), (4, comments())))
    odd(
        "comment-cut",
        "a comment longer than its block",
        flac_file(info, (4, comments(b"A=B")[:-1])),
    )
    odd("comment-rest", "bytes behind the comments", flac_file(info, (4, comments(rest=b"\1"))))
    odd("mask-text", "a channel mask that is no number",
        flac_file(info, (4, comments(mask[:34] + b"left"))))  # fmt: skip
    odd("two-masks", "two channel masks", flac_file(info, (4, comments(mask, mask))))
    odd("picture-longer", "a picture that says to be longer than its block",
        flac_file(info, (6, picture(said=40)), (2, bytes(60))))  # fmt: skip
    odd(
        "picture-shorter", "a picture shorter than its block", flac_file(info, (6, picture(said=2)))
    )
    odd("no-frame", "something else behind the metadata", flac_file(info, frames=b"\0" * 20))
    odd("empty", "metadata alone", flac_file(info, frames=b""))
    odd("cut", "the metadata is cut short", flac_file(info, frames=b"")[:20])
    odd("id3v1", "an ID3v1 tag behind the frames", flac_file(info) + ID3V1)
    odd("two-id3v2", "two ID3v2 tags in front", id3() + id3() + flac_file(info))


# --- WAV ----------------------------------------------------------------------------------------


def chunk(name: bytes, content: bytes, size: int | None = None, pad: bool = True) -> bytes:
    length = len(content) if size is None else size
    return name + length.to_bytes(4, "little") + content + bytes(len(content) & 1 if pad else 0)


def riff(*chunks: bytes, size: int | None = None, form: bytes = b"RIFF") -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return form + (len(body) if size is None else size).to_bytes(4, "little") + body


def fmt(
    tag: int = 1,
    channels: int = 1,
    hertz: int = 8000,
    bits: int = 16,
    extra: bytes = b"",
    align: int | None = None,
) -> bytes:
    width = channels * bits // 8 if align is None else align
    head = tag.to_bytes(2, "little") + channels.to_bytes(2, "little") + hertz.to_bytes(4, "little")
    head += (hertz * width).to_bytes(4, "little") + width.to_bytes(2, "little")
    return chunk(b"fmt ", head + bits.to_bytes(2, "little") + extra)


def extensible(
    tag: int = 1, channels: int = 1, bits: int = 16, valid: int = 16, mask: int = 0, tail: str = ""
) -> bytes:
    rest = bytes.fromhex(tail or "000000001000800000aa00389b71")
    extra = b"\x16\0" + valid.to_bytes(2, "little") + mask.to_bytes(4, "little")
    return fmt(0xFFFE, channels, 8000, bits, extra + tag.to_bytes(2, "little") + rest)


def rf64(data: bytes, *, form: bytes = b"RF64", says: int = 0xFFFFFFFF, rest: bytes = b"") -> bytes:
    """RF64 with a ds64 that tells the truth."""
    body = fmt() + chunk(b"data", data, size=says)
    size = 4 + 36 + len(rest) + len(body)
    numbers = size.to_bytes(8, "little") + len(data).to_bytes(8, "little") + bytes(12)
    return riff(chunk(b"ds64", numbers + rest), body, size=0xFFFFFFFF, form=form)


def wav(book: Book) -> None:
    files = Files(book, "MED-20", "wav/1")
    good, odd = files.good, files.odd
    samples = bytes(range(1, 13))
    data = chunk(b"data", samples)
    plain = bytes.fromhex("0001000100001f400010") + samples
    info = chunk(b"LIST", b"INFO" + chunk(b"INAM", b"Hi\0"))
    good("plain", "16 bits, mono", riff(fmt(), data), plain)
    good(
        "empty-extension", "the same with an empty extension", riff(fmt(extra=b"\0\0"), data), plain
    )
    good("extensible", "the same in the extensible form", riff(extensible(), data), plain)
    good("centre", "the usual speaker of one channel", riff(extensible(mask=4), data), plain)
    good("left", "another speaker", riff(extensible(mask=1), data), plain, "speakers 1\n")
    good("other-chunks", "chunks before, between and behind",
         riff(chunk(b"JUNK", bytes(5)), fmt(), chunk(b"bext", b"x" * 602), info, data,
              chunk(b"id3 ", b"ID3"), chunk(b"C2PA", b"\0")), plain)  # fmt: skip
    good("odd-length", "an odd number of bytes and its padding",
         riff(fmt(bits=8), chunk(b"data", samples[:5])),
         bytes.fromhex("0001" "0001" "00001f40" "0008") + samples[:5])  # fmt: skip
    good("padding-missing", "the last padding left out",
         riff(fmt(bits=8), chunk(b"data", samples[:5], pad=False)),
         bytes.fromhex("0001" "0001" "00001f40" "0008") + samples[:5])  # fmt: skip
    unpadded = riff(fmt(bits=8), chunk(b"data", samples[:5]))
    good("padding-uncounted", "the last padding not counted in the length of the file",
         unpadded[:4] + (len(unpadded) - 9).to_bytes(4, "little") + unpadded[8:],
         bytes.fromhex("0001" "0001" "00001f40" "0008") + samples[:5])  # fmt: skip
    good("valid-bits", "20 bits in 24", riff(extensible(bits=24, valid=20), data),
         bytes.fromhex("0001" "0001" "00001f40" "0018") + samples)  # fmt: skip
    good("float", "floating point, stereo, usual speakers",
         riff(extensible(3, 2, 32, 32, 3), chunk(b"data", samples[:8])),
         bytes.fromhex("0003" "0002" "00001f40" "0020") + samples[:8])  # fmt: skip
    good("mu-law", "mu-law", riff(fmt(7, bits=8, extra=b"\0\0"), data),
         bytes.fromhex("0007" "0001" "00001f40" "0008") + samples)  # fmt: skip
    good("rf64", "RF64", rf64(samples), plain)
    good("bw64", "BW64", rf64(samples, form=b"BW64"), plain)

    many = [chunk(b"JUNK", b"")] * 1022
    good("1024-chunks", "as many chunks as there may be", riff(fmt(), *many, data), plain)
    odd("1025-chunks", "a chunk too many", riff(fmt(), *many, data, chunk(b"JUNK", b"")))
    odd("two-data", "a second data chunk", riff(fmt(), data, data))
    odd("two-fmt", "a second fmt chunk", riff(fmt(), fmt(), data))
    odd("data-first", "data before fmt", riff(data, fmt()))
    odd("no-data", "no data", riff(fmt(), info))
    odd("no-fmt", "no fmt", riff(info))
    odd("behind", "bytes behind the end", riff(fmt(), data) + b"more")
    odd("size-streamed", "an unknown length", riff(fmt(), data, size=0xFFFFFFFF))
    odd("data-streamed", "data of unknown length",
        riff(fmt(), chunk(b"data", samples, size=0xFFFFFFFF)))  # fmt: skip
    odd("data-empty", "no samples", riff(fmt(), chunk(b"data", b"")))
    odd("data-cut", "data longer than the file", riff(fmt(), chunk(b"data", samples, size=14)))
    odd("half-sample", "half a sample", riff(fmt(), chunk(b"data", samples[:11])))
    odd("adpcm", "another coding", riff(fmt(2, bits=4, align=256), data))
    odd("align", "a sample wider than its channels", riff(fmt(align=4), data))
    odd("no-channels", "no channels", riff(fmt(channels=0), data))
    odd("no-rate", "no sample rate", riff(fmt(hertz=0), data))
    odd("bits-20", "20 bits in the plain form", riff(fmt(bits=20, align=3), data))
    odd("fmt-length", "a fmt of 20 bytes", riff(fmt(extra=b"\2\0\0\0"), data))
    odd("extension-length", "an extension that says another length",
        riff(fmt(extra=b"\2\0"), data))  # fmt: skip
    odd("plain-extended", "the plain form with an extensible extension",
        riff(fmt(extra=b"\x16\0" + bytes(22)), data))  # fmt: skip
    odd("guid", "another coding in the extensible form",
        riff(extensible(tail="000000001000800000aa00389b72"), data))  # fmt: skip
    odd("valid-bits-few", "8 bits in 16: ffmpeg plays them as 8", riff(extensible(valid=8), data))
    odd("valid-bits-many", "24 bits in 16", riff(extensible(valid=24), data))
    odd("wave-list", "a list of pieces of sound", riff(fmt(), chunk(b"LIST", b"wavl" + data), data))
    odd("video", "a chunk that ffmpeg shows as moving pictures",
        riff(fmt(), chunk(b"SMV0", bytes(40)), data))  # fmt: skip
    odd("xma", "a second coding under another name", riff(fmt(), chunk(b"XMA2", bytes(44)), data))
    odd("objects", "channels placed by sound objects", riff(fmt(), chunk(b"chna", bytes(4)), data))
    odd("act", "bytes by which ffmpeg takes it for the file of a voice recorder",
        riff(fmt(), chunk(b"JUNK", bytes(212) + b"\x84" + bytes(255)), data))  # fmt: skip
    odd("ds64-in-riff", "a ds64 in RIFF", riff(chunk(b"ds64", bytes(28)), fmt(), data))
    odd("rf64-no-ds64", "RF64 without ds64", riff(fmt(), data, size=0xFFFFFFFF, form=b"RF64"))
    odd("rf64-length", "RF64 whose data has a length of its own", rf64(samples, says=12))
    odd("rf64-table", "a ds64 with a table", rf64(samples, rest=bytes(12)))
    odd("rf64-size", "RF64 with a length in the old place",
        rf64(samples)[:4] + b"\x50\0\0\0" + rf64(samples)[8:])  # fmt: skip


# --- Ogg ----------------------------------------------------------------------------------------


def ogg_crc(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7) & 0xFFFFFFFF if crc >> 31 else crc << 1
    return crc


def page(
    n: int,
    body: bytes,
    granule: int,
    flags: int = 0,
    *,
    serial: int = 7,
    lacing: Sequence[int] | None = None,
    crc: int = 0,
) -> bytes:
    """A page of one packet, or with the lengths of `lacing`."""
    values = [255] * (len(body) // 255) + [len(body) % 255] if lacing is None else lacing
    head = b"OggS\0" + bytes((flags,)) + granule.to_bytes(8, "little", signed=True)
    head += serial.to_bytes(4, "little") + n.to_bytes(4, "little")
    tail = bytes((len(values),)) + bytes(values) + body
    checksum = ogg_crc(head + bytes(4) + tail) ^ crc
    return head + checksum.to_bytes(4, "little") + tail


def packed(packets: Sequence[bytes], end: int) -> bytes:
    return (
        b"".join(len(p).to_bytes(4, "big") + p for p in packets) + bytes(4) + end.to_bytes(8, "big")
    )


VORBIS_ID = b"\1vorbis" + bytes(4) + b"\1" + (8000).to_bytes(4, "little") + bytes(12) + b"\x86\1"


def setup(*flags: int, count: int | None = None, mapping: int = 0) -> bytes:
    """A setup packet whose modes have these block flags."""
    bits, at = (len(flags) if count is None else count) - 1, 6
    for flag in flags:
        bits |= (flag | mapping << 33) << at
        at += 41
    bits |= 1 << at
    return b"\5vorbis" + b"books" + bits.to_bytes((at + 8) // 8, "little")


SETUP = setup(0, 1)
"""Two modes: windows of 64 and of 256."""
SMALL, LARGE = b"\0s", b"\2l"
TAGS = comments(b"TITLE=Hi", rest=b"\1")


def vorbis_file(
    sound: bytes,
    *,
    tags: bytes = TAGS,
    identification: bytes = VORBIS_ID,
    second: bytes = SETUP,
) -> bytes:
    """Header pages, then pages of sound that begin with number 2."""
    parts = [b"\3vorbis" + tags, second]
    lacing = [n for part in parts for n in [255] * (len(part) // 255) + [len(part) % 255]]
    return page(0, identification, 0, 2) + page(1, b"".join(parts), 0, lacing=lacing) + sound


def ogg_vorbis(book: Book) -> None:
    files = Files(book, "MED-21", "ogg/1")
    good, odd = files.good, files.odd
    packets = [SMALL, LARGE, LARGE, SMALL]  # 0, 80, 128, 80 samples
    payload = packed([VORBIS_ID, SETUP, *packets], 288)
    body, lacing = b"".join(packets), [2, 2, 2, 2]
    last = page(2, body, 288, 4, lacing=lacing)
    good("vorbis", "one page of sound", vorbis_file(last), payload)
    split = page(2, body[:4], 80, lacing=lacing[:2]) + page(3, body[4:], 288, 4, lacing=lacing[2:])
    good("vorbis-pages", "the same packets on two pages", vorbis_file(split), payload)
    more = comments(b"TITLE=Other", b"COMMENT=" + POINTER, rest=b"\1\0\0")
    good("vorbis-tags", "the same with other tags", vorbis_file(last, tags=more), payload)
    long = [SMALL, b"\2" + b"l" * 299]
    torn = page(2, SMALL + long[1][:255], 0, lacing=[2, 255]) + page(3, long[1][255:], 80, 5)
    good("vorbis-torn", "a packet over two pages", vorbis_file(torn),
         packed([VORBIS_ID, SETUP, *long], 80))  # fmt: skip
    bare = page(2, SMALL, 0) + page(3, b"\2" + b"l" * 254, -1, lacing=[255]) + page(4, b"l", 80, 5)
    good("vorbis-no-end", "a page on which no packet ends", vorbis_file(bare),
         packed([VORBIS_ID, SETUP, SMALL, b"\2" + b"l" * 255], 80))  # fmt: skip
    good("vorbis-end-cut", "the last page says less: the end is cut off",
         vorbis_file(page(2, body, 250, 4, lacing=lacing)),
         packed([VORBIS_ID, SETUP, *packets], 250))  # fmt: skip
    good("vorbis-end-beyond", "the last page says more: nothing changes",
         vorbis_file(page(2, body, 300, 4, lacing=lacing)), payload)  # fmt: skip
    one_mode = setup(1)
    good("vorbis-one-mode", "a single mode", vorbis_file(page(2, b"\0a\0b", 128, 4, lacing=[2, 2]),
         second=one_mode), packed([VORBIS_ID, one_mode, b"\0a", b"\0b"], 128))  # fmt: skip

    def end(*pages: bytes, **more: Any) -> bytes:
        return vorbis_file(b"".join(pages), **more)

    odd("crc", "a wrong checksum", end(page(2, body, 288, 4, lacing=lacing, crc=1)))
    odd("no-end", "no last page", end(page(2, body, 288, 0, lacing=lacing)))
    odd("behind", "bytes behind the last page", end(last, b"more"))
    odd("page-behind", "a page behind the last", end(last, page(3, SMALL, 288)))
    odd("chained", "a second stream behind the first", end(last, vorbis_file(last)))
    odd("multiplexed", "a page of another stream", end(page(2, SMALL, 0, serial=8), last))
    odd("hole", "a page is missing", end(page(3, body, 288, 4, lacing=lacing)))
    odd("first-again", "a second first page", end(page(2, body, 288, 6, lacing=lacing)))
    odd("flags", "an unknown flag", end(page(2, body, 288, 12, lacing=lacing)))
    odd("empty-page", "a page without segments", end(page(2, b"", -1, lacing=[]),
                                                     page(3, body, 288, 4, lacing=lacing)))  # fmt: skip
    odd("empty-packet", "an empty packet", end(page(2, SMALL + LARGE, 80, 4, lacing=[2, 0, 2])))
    odd("torn", "a page that goes on with nothing", end(page(2, body, 288, 5, lacing=lacing)))
    odd(
        "cut",
        "the last packet doesn't end",
        end(page(2, SMALL + b"\2" + b"l" * 254, 0, 4, lacing=[2, 255])),
    )
    odd("granule", "a page that says another sample",
        end(page(2, body[:4], 81, lacing=[2, 2]), page(3, body[4:], 288, 4, lacing=[2, 2])))  # fmt: skip
    odd("granule-start", "a stream cut out of another",
        end(page(2, body[:4], 40, lacing=[2, 2]), page(3, body[4:], 248, 4, lacing=[2, 2])))  # fmt: skip
    odd("granule-back", "the last page goes back",
        end(page(2, body[:4], 80, lacing=[2, 2]), page(3, body[4:], 79, 4, lacing=[2, 2])))  # fmt: skip
    odd("granule-none", "no sample where a packet ends", end(page(2, body, -1, 4, lacing=lacing)))
    odd("granule-some", "a sample where no packet ends",
        end(page(2, SMALL, 0), page(3, b"\2" + b"l" * 254, 0, lacing=[255]), page(4, b"l", 80, 5)))  # fmt: skip
    odd("no-sound", "headers alone", page(0, VORBIS_ID, 0, 2)
        + page(1, b"\3vorbis" + TAGS + SETUP, 0, 4, lacing=[7 + len(TAGS), len(SETUP)]))  # fmt: skip
    odd("first-page", "more than one packet on the first page",
        page(0, VORBIS_ID + b"\3vorbis" + TAGS, 0, 2, lacing=[30, 7 + len(TAGS)])
        + page(1, SETUP, 0) + last)  # fmt: skip
    shared = b"\3vorbis" + TAGS + SETUP + SMALL
    odd("shared-page", "sound on the page of the setup", page(0, VORBIS_ID, 0, 2)
        + page(1, shared, 0, lacing=[7 + len(TAGS), len(SETUP), 2])
        + page(2, body[2:], 288, 4, lacing=lacing[1:]))  # fmt: skip
    odd("header-granule", "a header page that says a sample", page(0, VORBIS_ID, 0, 2)
        + page(1, shared[:-2], 1, lacing=[7 + len(TAGS), len(SETUP)]) + last)  # fmt: skip
    odd("codec", "Speex", end(last, identification=b"Speex   " + bytes(72)))
    odd(
        "identification",
        "windows in the wrong order",
        end(last, identification=VORBIS_ID[:28] + b"\x68\1"),
    )
    odd(
        "identification-cut",
        "an identification that is cut short",
        end(last, identification=VORBIS_ID[:28]),
    )
    odd("framing", "comments without their final bit", end(last, tags=TAGS[:-1] + b"\0"))
    odd("comment", "comments that are cut short", end(last, tags=TAGS[:-4]))
    odd(
        "setup-modes",
        "modes that nothing counts",
        end(last, second=setup(0, 1, count=9, mapping=4)),
    )
    odd("mode", "a mode that isn't there",
        end(page(2, b"\0a\6b", 32, 4, lacing=[2, 2]), second=setup(0, 1, 0)))  # fmt: skip
    odd(
        "header-in-sound",
        "a header packet among the sound",
        end(page(2, SMALL + b"\3v", 32, 4, lacing=[2, 2])),
    )


OPUS_ID = b"OpusHead\1\1\x38\1\x80\xbb\0\0\0\0\0"
OPUS_20, OPUS_SIX = b"\xf8o", b"\xfb\6o"
"""CELT: one frame of 20 ms; six of them."""


def opus_file(sound: bytes, identification: bytes = OPUS_ID, tags: bytes = comments()) -> bytes:
    return page(0, identification, 0, 2) + page(1, b"OpusTags" + tags, 0) + sound


def ogg_opus(book: Book) -> None:
    files = Files(book, "MED-21", "ogg/1")
    good, odd = files.good, files.odd
    packets = [OPUS_20, OPUS_SIX, b"\x08m", b"\x79h", b"\xe2c"]  # 960, 5760, 960, 1920, 240 samples
    body, lacing = b"".join(packets), [len(p) for p in packets]
    payload = packed([OPUS_ID, *packets], 9840)
    last = page(2, body, 9840, 4, lacing=lacing)
    good("opus", "packets of every kind", opus_file(last), payload)
    gain = comments(b"R128_TRACK_GAIN=256", rest=b"\1kept")
    good("opus-tags", "a gain tag, which players may follow", opus_file(last, tags=gain), payload)
    good("opus-end-cut", "the end is cut off", opus_file(page(2, OPUS_20, 700, 4)),
         packed([OPUS_ID, OPUS_20], 700))  # fmt: skip
    louder = OPUS_ID[:16] + b"\0\1" + OPUS_ID[18:]
    good("opus-gain", "a gain in the header is payload", opus_file(last, louder),
         packed([louder, *packets], 9840))  # fmt: skip
    odd("opus-version", "OpusHead of a later version",
        opus_file(last, OPUS_ID[:8] + b"\x10" + OPUS_ID[9:]))  # fmt: skip
    odd("opus-head", "OpusHead that is cut short", opus_file(last, OPUS_ID[:18]))
    odd("opus-channels", "OpusHead without channels",
        opus_file(last, OPUS_ID[:9] + b"\0" + OPUS_ID[10:]))  # fmt: skip
    odd("opus-count", "a packet of no frames", opus_file(page(2, b"\xfb\0", 0, 4)))
    odd(
        "opus-count-missing",
        "a packet that should say how many frames",
        opus_file(page(2, b"\xfb", 0, 4)),
    )
    odd("opus-long", "a packet longer than 120 ms", opus_file(page(2, b"\xfb\7o", 6720, 4)))
    odd("opus-no-tags", "no comment packet", page(0, OPUS_ID, 0, 2) + page(1, OPUS_20, 0, 4))
