"""Media types from bytes: what each format begins with, and what only looks like it."""

from __future__ import annotations

import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitp2p.limits import MEDIA_TYPE_BYTES
from hitp2p.media.sniff import SNIFF_BYTES, UNKNOWN_TYPE, sniff_media_type


def iso(major: bytes, *compatible: bytes) -> bytes:
    """An `ftyp` box and what follows it."""
    body = major + b"\0\0\2\0" + b"".join(compatible)
    return struct.pack(">I", 8 + len(body)) + b"ftyp" + body + b"\0\0\0\x08free"


def ogg(packet: bytes, *, flags: int = 2) -> bytes:
    """The first page of a stream, with one packet."""
    return b"OggS\0" + bytes([flags]) + bytes(20) + bytes([1, len(packet)]) + packet


def ebml(*elements: bytes) -> bytes:
    body = b"".join(elements)
    return b"\x1aE\xdf\xa3" + bytes([0x80 | len(body)]) + body + b"\x18S\x80g"


def doc_type(name: bytes) -> bytes:
    return b"\x42\x82" + bytes([0x80 | len(name)]) + name


def zipped(name: bytes, content: bytes, *, method: int = 0) -> bytes:
    """The local header of a zip's first entry, and its content."""
    sizes = struct.pack("<HHHIIIHH", method, 0, 0, 0, len(content), len(content), len(name), 0)
    return b"PK\x03\x04" + b"\x14\0\0\0" + sizes + name + content


MP3_FRAME = (b"\xff\xfb\x90\x64" + bytes(417))[:417]
"""MPEG 1 layer III, 128 kbit/s, 44.1 kHz, without padding."""
MP3_FRAME_22 = (b"\xff\xf3\x80\xc0" + bytes(208))[:208]
"""MPEG 2 layer III, 64 kbit/s, 22.05 kHz."""
AAC_FRAME = b"\xff\xf1\x50\x80\x01\x1f\xfc" + bytes(1)
"""ADTS, a frame of 8 bytes."""
ID3 = b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10)
SVG = '<svg xmlns="http://www.w3.org/2000/svg"/>'

KNOWN: list[tuple[str, bytes]] = [
    ("image/png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(13)),
    ("image/jpeg", b"\xff\xd8\xff\xe0\0\x10JFIF\0"),
    ("image/jpeg", b"\xff\xd8\xff\xe1\0\x10Exif\0"),
    ("image/jpeg", b"\xff\xd8\xff\xdb\0\x43\0"),
    ("image/gif", b"GIF89a\x01\0\x01\0\x80\0\0"),
    ("image/gif", b"GIF87a\x01\0\x01\0\x80\0\0"),
    ("image/webp", b"RIFF\x24\0\0\0WEBPVP8 "),
    ("image/webp", b"RIFF\x24\0\0\0WEBPVP8X"),
    ("image/avif", iso(b"avif", b"mif1", b"miaf")),
    ("image/avif", iso(b"mif1", b"miaf", b"avif")),
    ("image/avif", iso(b"avis", b"msf1")),
    ("image/heic", iso(b"heic", b"mif1")),
    ("image/bmp", b"BM" + struct.pack("<IIII", 70, 0, 54, 40) + bytes(36)),
    ("image/tiff", b"II*\0\x08\0\0\0"),
    ("image/tiff", b"MM\0*\0\0\0\x08"),
    ("image/jxl", b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftyp"),
    ("image/vnd.adobe.photoshop", b"8BPS\0\x01\0\0\0\0\0\0\0\x03"),
    ("image/x-xcf", b"gimp xcf v011\0"),
    ("image/svg+xml", SVG.encode()),
    ("image/svg+xml", f'\ufeff<?xml version="1.0"?>\n<!-- by Ana -->\n{SVG}'.encode()),
    ("image/svg+xml", f'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "u">\n{SVG}'.encode()),
    ("image/svg+xml", f'<!DOCTYPE svg [\n<!ENTITY a "b">\n]>\n{SVG}'.encode()),
    ("image/svg+xml", b"\n<svg\n>" + b"x" * 9000),
    ("audio/mpeg", MP3_FRAME * 2),
    ("audio/mpeg", MP3_FRAME_22 * 2),
    ("audio/mpeg", MP3_FRAME + MP3_FRAME[:4]),
    ("audio/mpeg", ID3 + MP3_FRAME),
    ("audio/mpeg", ID3 + bytes(64) + MP3_FRAME),
    ("audio/mpeg", b"ID3\x03\0\0\0\x7f\x7f\x7fAPIC" + b"\x89PNG cover" * 500),
    ("audio/aac", AAC_FRAME * 2),
    ("audio/flac", b"fLaC\0\0\0\x22" + bytes(34)),
    ("audio/flac", b"fLaC\x80\0\0\x22" + bytes(34)),
    ("audio/flac", ID3 + b"fLaC\0\0\0\x22"),
    ("audio/wav", b"RIFF\x24\0\0\0WAVEfmt "),
    ("audio/wav", b"RF64\xff\xff\xff\xffWAVEds64"),
    ("audio/aiff", b"FORM\0\0\0\x20AIFFCOMM"),
    ("audio/ogg", ogg(b"\x01vorbis\0\0")),
    ("audio/ogg", ogg(b"OpusHead\x01\x02")),
    ("audio/ogg", ogg(b"\x7fFLAC\x01\0")),
    ("video/ogg", ogg(b"\x80theora\x03")),
    ("application/ogg", ogg(b"fishead\0")),
    ("audio/midi", b"MThd\0\0\0\x06\0\x01"),
    ("audio/mp4", iso(b"M4A ", b"mp42", b"isom")),
    ("audio/mp4", iso(b"M4B ")),
    ("video/mp4", iso(b"isom", b"iso2", b"avc1", b"mp41")),
    ("video/mp4", iso(b"mp42", b"isom")),
    ("video/quicktime", iso(b"qt  ")),
    ("video/quicktime", b"\0\0\x02\x6cmoov\0\0\0\x6cmvhd"),
    ("video/quicktime", b"\0\0\0\x08wide\x01\x02\x03\x04mdat"),
    ("video/webm", ebml(b"\x42\x86\x81\x01", doc_type(b"webm"))),
    ("video/webm", ebml(doc_type(b"webm\0\0"))),
    ("video/matroska", ebml(b"\x42\x86\x81\x01\x42\xf7\x81\x01", doc_type(b"matroska"))),
    ("video/x-msvideo", b"RIFF\x24\0\0\0AVI LIST"),
    ("application/pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3"),
    ("application/zip", zipped(b"a.txt", b"hello")),
    ("application/zip", b"PK\x05\x06" + bytes(18)),
    ("application/epub+zip", zipped(b"mimetype", b"application/epub+zip")),
    ("image/openraster", zipped(b"mimetype", b"image/openraster")),
    ("application/gzip", b"\x1f\x8b\x08\0"),
    ("model/gltf-binary", b"glTF\x02\0\0\0"),
    ("font/woff", b"wOFF\0\x01\0\0"),
    ("font/woff2", b"wOF2OTTO\0"),
    ("font/otf", b"OTTO\0\x0b"),
    ("text/plain", b"The bus came late.\r\n\tNobody minded.\f"),
    ("text/plain", "\ufeffÇa va? 水 𐅑".encode()),
    ("text/plain", b"{}"),
]

TRAPS: list[tuple[str, str, bytes]] = [
    ("nothing at all", UNKNOWN_TYPE, b""),
    ("a zero byte", UNKNOWN_TYPE, b"\0"),
    ("text with a zero byte", UNKNOWN_TYPE, b"text\0text"),
    ("text that commands a terminal", UNKNOWN_TYPE, b"\x1b]0;title\x07"),
    ("text with a control character of 8 bits", UNKNOWN_TYPE, "a\u009bb".encode()),
    ("Latin-1", UNKNOWN_TYPE, b"caf\xe9"),
    ("UTF-8 cut short at the end of the file", UNKNOWN_TYPE, "é".encode()[:1]),
    ("a surrogate in UTF-8", UNKNOWN_TYPE, b"\xed\xa0\x80"),
    ("UTF-16, whose mark looks like the start of MP3", UNKNOWN_TYPE, "hello".encode("utf-16")),
    ("a web page", "text/plain", b"<!DOCTYPE html><script>alert(1)</script>"),
    ("a web page with a picture in it", "text/plain", f"<html>{SVG}</html>".encode()),
    ("a web page that claims to be SVG", "text/plain", b"<!DOCTYPE svg><html><svg>"),
    ("a word that begins as svg does", "text/plain", b"<svgs>"),
    ("SVG behind a comment that never ends", "text/plain", f"<!-- {SVG}".encode()),
    ("SVG in another case", "text/plain", b"<SVG>"),
    ("prose about GIF", "text/plain", b"GIF89a is a format for pictures."),
    ("a script that is no GIF", "text/plain", b"GIF89a=1;alert(1)/*  */"),
    ("prose about PNG", "text/plain", b"PNG is a format"),
    ("half a PNG signature", UNKNOWN_TYPE, b"\x89PNG\r\n\x1a\n"),
    ("prose about BMW", "text/plain", b"BMW and other companies"),
    ("prose about MThd", "text/plain", b"MThd opens a MIDI file"),
    ("prose about ID3", "text/plain", b"ID3 tags are read here."),
    ("prose about RIFF", "text/plain", b"RIFF is a container"),
    ("prose about fonts", "text/plain", b"wOFF, wOF2 and OTTO"),
    ("prose with a box name at its place", "text/plain", b"the moov box and the mvhd box"),
    ("prose with ftyp at its place", "text/plain", b"The ftyp box says avif"),
    ("prose about PK", "text/plain", b"PK is short for Phil Katz"),
    ("prose about zip and epub", "application/zip", zipped(b"mimetype", b"text/html")),
    ("a compressed type in a zip", "application/zip", zipped(b"mimetype", b"x", method=8)),
    ("start of a picture cut short", UNKNOWN_TYPE, b"\xff\xd8\xff"),
    ("RIFF of another form", UNKNOWN_TYPE, b"RIFF\x24\0\0\0ACON"),
    ("WebP without a picture", UNKNOWN_TYPE, b"RIFF\x24\0\0\0WEBPEXIF"),
    ("an ISO file of a brand nobody knows", UNKNOWN_TYPE, iso(b"xxxx", b"isom")),
    ("an ISO picture of a kind nobody knows", UNKNOWN_TYPE, iso(b"mif1", b"miaf")),
    ("an Ogg page from the middle", UNKNOWN_TYPE, ogg(b"\x01vorbis", flags=0)),
    ("EBML of another type", UNKNOWN_TYPE, ebml(doc_type(b"html"))),
    ("EBML without a type", UNKNOWN_TYPE, ebml(b"\x42\x86\x81\x01")),
    ("EBML with a size of nothing", UNKNOWN_TYPE, b"\x1aE\xdf\xa3\0"),
    ("EBML cut short", UNKNOWN_TYPE, b"\x1aE\xdf\xa3\x8f\x42"),
    ("one frame of MP3 and then something else", UNKNOWN_TYPE, MP3_FRAME + b"else"),
    ("one frame of MP3 alone", UNKNOWN_TYPE, MP3_FRAME),
    ("set bits as padding", UNKNOWN_TYPE, b"\xff" * 5000),
    ("a tag with neither MP3 nor FLAC behind it", UNKNOWN_TYPE, ID3 + b"else\0"),
    ("a tag and nothing", UNKNOWN_TYPE, ID3),
    ("one frame of AAC alone", UNKNOWN_TYPE, AAC_FRAME),
    ("an executable", UNKNOWN_TYPE, b"\x7fELF\x02\x01\x01\0"),
    ("a program for Windows", UNKNOWN_TYPE, b"MZ\x90\0\x03\0"),
]


@pytest.mark.parametrize(("media_type", "head"), KNOWN)
def test_formats_are_told_by_their_bytes(media_type: str, head: bytes) -> None:
    assert sniff_media_type(head) == media_type
    assert sniff_media_type(head + bytes(SNIFF_BYTES)) in (media_type, UNKNOWN_TYPE)


@pytest.mark.parametrize(("name", "media_type", "head"), TRAPS)
def test_what_only_looks_like_a_format_is_not_taken_for_it(
    name: str, media_type: str, head: bytes
) -> None:
    assert sniff_media_type(head) == media_type, name


@pytest.mark.parametrize("head", [head for _, head in KNOWN])
def test_a_head_cut_anywhere_gives_an_answer(head: bytes) -> None:
    for length in range(min(len(head), 600)):
        assert "/" in sniff_media_type(head[:length])


def test_only_the_first_4096_bytes_count() -> None:
    text = b"a" * SNIFF_BYTES
    assert sniff_media_type(text + b"\0\xff") == "text/plain"
    assert sniff_media_type(text[:-1] + b"\0") == UNKNOWN_TYPE


def test_a_character_cut_by_the_limit_is_still_text() -> None:
    for n_bytes in range(4):
        text = b"a" * n_bytes + "𐅑".encode() * (SNIFF_BYTES // 4)
        assert sniff_media_type(text) == "text/plain"
    wrong = b"a" * (SNIFF_BYTES - 1) + b"\xff"
    assert sniff_media_type(wrong) == UNKNOWN_TYPE


@given(st.binary(max_size=64), st.sampled_from([head for _, head in KNOWN]), st.integers(0, 40))
def test_any_bytes_get_a_valid_type(noise: bytes, head: bytes, kept: int) -> None:
    media_type = sniff_media_type(head[:kept] + noise)
    assert media_type == media_type.lower()
    assert media_type.count("/") == 1
    assert len(media_type) <= MEDIA_TYPE_BYTES


@pytest.mark.parametrize(
    "head",
    [
        b" " * 5000,
        b"<!---->" * 600,
        b"<!--" * 1200,
        b"<!DOCTYPE svg " + b" " * 5000,
        b"<!DOCTYPE svg [" + b"]" * 5000,
        b"<?xml " + b"?" * 5000,
        b"-" * 5000,
    ],
)
def test_no_text_makes_the_search_for_svg_slow(head: bytes) -> None:
    start = time.thread_time()
    sniff_media_type(head)
    assert time.thread_time() - start < 0.1
