"""Which type a file is, told from its first bytes alone.

Names and declared types come from strangers; whoever serves or shows media goes by what the bytes are. The answer is
conservative: a container is named only where its structure holds for more than the magic number, and what is not surely
known is `application/octet-stream`, which browsers download and never run. Markup other than SVG is plain text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

__all__ = ["SNIFF_BYTES", "UNKNOWN_TYPE", "sniff_media_type"]

SNIFF_BYTES: Final = 4096
"""How many bytes from the start of a file are looked at; more are ignored."""
UNKNOWN_TYPE: Final = "application/octet-stream"
"""The answer where the bytes don't say."""

_MAGIC: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "image/png"),
    (b"8BPS\x00\x01\x00\x00\x00\x00\x00\x00", "image/vnd.adobe.photoshop"),
    (b"gimp xcf file\x00", "image/x-xcf"),
    (b"gimp xcf v0", "image/x-xcf"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"fLaC\x00\x00\x00\x22", "audio/flac"),
    (b"fLaC\x80\x00\x00\x22", "audio/flac"),
    (b"MThd\x00\x00\x00\x06", "audio/midi"),
    (b"%PDF-1.", "application/pdf"),
    (b"%PDF-2.", "application/pdf"),
    (b"PK\x05\x06\x00\x00\x00\x00", "application/zip"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"glTF\x02\x00\x00\x00", "model/gltf-binary"),
    (b"wOFF\x00\x01\x00\x00", "font/woff"),
    (b"wOFFOTTO\x00", "font/woff"),
    (b"wOF2\x00\x01\x00\x00", "font/woff2"),
    (b"wOF2OTTO\x00", "font/woff2"),
    (b"OTTO\x00", "font/otf"),
)
"""Formats whose first bytes are long or odd enough to say it all."""

_RIFF_FORMS: Final = {
    b"WAVE": "audio/wav",
    b"AVI ": "video/x-msvideo",
}
_WEBP_CHUNKS: Final = frozenset({b"VP8 ", b"VP8L", b"VP8X"})
_ISO_PICTURES: Final = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
}
_ISO_BRANDS: Final = {
    **_ISO_PICTURES,
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"qt  ": "video/quicktime",
    b"M4V ": "video/mp4",
    b"mp41": "video/mp4",
    b"mp42": "video/mp4",
    b"isom": "video/mp4",
    b"iso2": "video/mp4",
    b"iso4": "video/mp4",
    b"iso5": "video/mp4",
    b"iso6": "video/mp4",
    b"avc1": "video/mp4",
    b"dash": "video/mp4",
    b"MSNV": "video/mp4",
}
_OGG_PACKETS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\x01vorbis", "audio/ogg"),
    (b"OpusHead", "audio/ogg"),
    (b"\x7fFLAC", "audio/ogg"),
    (b"Speex   ", "audio/ogg"),
    (b"\x80theora", "video/ogg"),
)
_EBML_TYPES: Final = {b"webm": "video/webm", b"matroska": "video/matroska"}
_ZIP_TYPES: Final = frozenset(
    {
        "application/epub+zip",
        "application/vnd.oasis.opendocument.graphics",
        "application/vnd.oasis.opendocument.presentation",
        "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.oasis.opendocument.text",
        "application/x-krita",
        "image/openraster",
    }
)
"""What a zip's first entry `mimetype` may make of it."""
_BMP_HEADERS: Final = frozenset({12, 40, 52, 56, 64, 108, 124})

_NOT_TEXT: Final = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")
"""Control characters that no plain text needs; escape is among them, since terminals obey it."""
_SVG_ROOT: Final = re.compile(
    r"""(?:<\?xml\s[^>]*\?>)?
        (?:\s|<!--(?:(?!--).)*+-->)*+
        (?:<!DOCTYPE\s+svg(?=[\s>\[])[^>\[]*(?:\[[^\]]*\]\s*)?>)?
        (?:\s|<!--(?:(?!--).)*+-->)*+
        <svg(?=[\s>/])""",
    re.VERBOSE | re.DOTALL,
)
"""Possessive (`*+`): no backtracking, so that no text makes the search slow."""

_MPEG1_KBITS: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG2_KBITS: Final = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MPEG_HERTZ: Final = {
    3: (44100, 48000, 32000),
    2: (22050, 24000, 16000),
    0: (11025, 12000, 8000),
}
"""Sample rates by the version bits of the header: 3 is MPEG 1, 2 is MPEG 2, 0 is MPEG 2.5."""


def sniff_media_type(head: bytes) -> str:
    """The media type of a file that begins with `head`, in lower case and without parameters.

    Args:
        head: the first `SNIFF_BYTES` of the file, or all of it where it is shorter; as received.
    """
    head = bytes(head[:SNIFF_BYTES])
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return media_type
    for look in _LOOKS:
        found = look(head)
        if found is not None:
            return found
    return UNKNOWN_TYPE


def _jpeg(head: bytes) -> str | None:
    if head.startswith(b"\xff\xd8\xff") and len(head) > 3 and 0xC0 <= head[3] <= 0xFE:
        return "image/jpeg"
    return None


def _gif(head: bytes) -> str | None:
    """A sentence or a script may begin with `GIF89a`, but neither holds a zero byte."""
    return "image/gif" if head[:6] in (b"GIF87a", b"GIF89a") and b"\0" in head else None


def _bmp(head: bytes) -> str | None:
    """`BM` opens many an English text; the reserved zeros and a known header size don't."""
    is_bmp = head.startswith(b"BM") and head[6:10] == b"\0\0\0\0"
    return "image/bmp" if is_bmp and _little(head[14:18]) in _BMP_HEADERS else None


def _riff(head: bytes) -> str | None:
    """RIFF and its 64-bit forms RF64 and BW64; also AIFF, which has the same build."""
    form = head[8:12]
    if head[:4] == b"RIFF":
        if form == b"WEBP":
            return "image/webp" if head[12:16] in _WEBP_CHUNKS else None
        return _RIFF_FORMS.get(form)
    if head[:4] in (b"RF64", b"BW64") and form == b"WAVE":
        return "audio/wav"
    if head[:4] == b"FORM" and form in (b"AIFF", b"AIFC"):
        return "audio/aiff"
    return None


def _iso_media(head: bytes) -> str | None:
    """MP4 and its relatives: the major brand first, since compatible ones promise less."""
    size = int.from_bytes(head[:4], "big")
    if head[4:8] != b"ftyp" or size < 16 or size % 4 or size > SNIFF_BYTES:
        return _old_quicktime(head)
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(size, len(head)), 4))]
    if brands[0] in (b"mif1", b"msf1"):  # says "some picture"; the others say which
        return next((_ISO_PICTURES[b] for b in brands[1:] if b in _ISO_PICTURES), None)
    return _ISO_BRANDS.get(brands[0])


def _old_quicktime(head: bytes) -> str | None:
    """QuickTime from before `ftyp`. The zero byte of a 32-bit size keeps text from passing."""
    is_index = head[:1] == b"\0" and head[4:8] == b"moov" and head[12:16] in (b"mvhd", b"cmov")
    is_data = head[:8] == b"\0\0\0\x08wide" and head[12:16] == b"mdat"
    return "video/quicktime" if is_index or is_data else None


def _matroska(head: bytes) -> str | None:
    """The DocType element inside the EBML header decides; its place in the header is free."""
    if not head.startswith(b"\x1aE\xdf\xa3"):
        return None
    size, at = _ebml_size(head, 4)
    end = min(at + size, len(head))
    while at < end:
        id_length = 9 - head[at].bit_length()
        name = head[at : at + id_length]
        size, at = _ebml_size(head, at + id_length)
        if name == b"\x42\x82":
            return _EBML_TYPES.get(head[at : at + size].rstrip(b"\0"))
        at += size
    return None


def _ebml_size(head: bytes, at: int) -> tuple[int, int]:
    """The size written at `at` and where its element's content begins; past the end where there is none."""
    if at >= len(head) or head[at] == 0:
        return 0, len(head)
    length = 9 - head[at].bit_length()
    raw = int.from_bytes(head[at : at + length], "big")
    return raw & ((1 << (7 * length)) - 1), at + length


def _ogg(head: bytes) -> str | None:
    """The first packet of the first page names the codec."""
    if not head.startswith(b"OggS\0") or len(head) < 28 or not head[5] & 2:
        return None
    packet = head[27 + head[26] :]
    return next((t for magic, t in _OGG_PACKETS if packet.startswith(magic)), "application/ogg")


def _zip(head: bytes) -> str | None:
    """EPUB, OpenDocument and OpenRaster store a first entry `mimetype`, uncompressed."""
    if not head.startswith(b"PK\x03\x04") or len(head) < 30:
        return None
    name_end = 30 + _little(head[26:28])
    content = name_end + _little(head[28:30])
    if head[30:name_end] != b"mimetype" or head[8:10] != b"\0\0":
        return "application/zip"
    said = head[content : content + _little(head[18:22])].decode("ascii", "replace")
    return said if said in _ZIP_TYPES else "application/zip"


def _id3(head: bytes) -> str | None:
    """An ID3v2 tag stands before MP3, but some programs put it before FLAC too: look behind it."""
    tag = head[:10]
    if len(tag) < 10 or tag[:3] != b"ID3" or tag[3] not in (2, 3, 4) or max(tag[6:10]) > 127:
        return None
    size = tag[6] << 21 | tag[7] << 14 | tag[8] << 7 | tag[9]
    behind = head[10 + size + (10 if tag[5] & 0x10 else 0) :].lstrip(b"\0")
    if behind.startswith(b"fLaC"):
        return "audio/flac"
    if len(behind) < 4:  # a tag with a cover is longer than what we look at
        return "audio/mpeg" if len(head) == SNIFF_BYTES else None
    return None if _mp3_frame_bytes(behind) is None else "audio/mpeg"


def _mp3(head: bytes) -> str | None:
    """Two frames in a row: eleven set bits alone would pass for UTF-16 text and padding."""
    first = _mp3_frame_bytes(head)
    if first is None:
        return None
    behind = head[first:]
    return None if len(behind) < 4 or _mp3_frame_bytes(behind) is None else "audio/mpeg"


def _mp3_frame_bytes(head: bytes) -> int | None:
    """Length in bytes of the layer III frame that begins here, or None."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return None
    version, rate, kbits = head[1] >> 3 & 3, head[2] >> 2 & 3, head[2] >> 4
    if version == 1 or rate == 3 or kbits in (0, 15):
        return None
    table, factor = (_MPEG1_KBITS, 144) if version == 3 else (_MPEG2_KBITS, 72)
    return factor * 1000 * table[kbits] // _MPEG_HERTZ[version][rate] + (head[2] >> 1 & 1)


def _aac(head: bytes) -> str | None:
    """ADTS frames, two in a row."""
    first = _adts_frame_bytes(head)
    if first is None or _adts_frame_bytes(head[first:]) is None:
        return None
    return "audio/aac"


def _adts_frame_bytes(head: bytes) -> int | None:
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 > 12:
        return None
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if length >= 7 else None


def _text(head: bytes) -> str | None:
    """UTF-8 without control characters; SVG where that is its root element.

    What was cut at `SNIFF_BYTES` may end inside a character.
    """
    was_cut = len(head) == SNIFF_BYTES
    text = _decode_utf8(head, may_end_early=was_cut)
    if not text or _NOT_TEXT.search(text):
        return None
    return "image/svg+xml" if _SVG_ROOT.match(text.removeprefix("\ufeff")) else "text/plain"


def _decode_utf8(head: bytes, *, may_end_early: bool) -> str | None:
    try:
        return head.decode()
    except UnicodeDecodeError as error:
        cut_short = error.reason == "unexpected end of data" and error.end == len(head)
        return head[: error.start].decode() if may_end_early and cut_short else None


def _little(raw: bytes) -> int:
    return int.from_bytes(raw, "little")


_LOOKS: Final[tuple[Callable[[bytes], str | None], ...]] = (
    _jpeg,
    _gif,
    _bmp,
    _riff,
    _iso_media,
    _matroska,
    _ogg,
    _zip,
    _id3,
    _mp3,
    _aac,
    _text,
)
"""Formats that take more than one look; each answers None where the bytes aren't its own."""
