"""essence-images.json: JPEG [MED-12]."""

from __future__ import annotations

import struct

from maker.pictures import (
    TWO_ORIENTATIONS,
    XMP_PLAIN,
    XMP_TURNED,
    Pictures,
    exif,
    hexhash,
    turned_with,
)


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


SOI, EOI = b"\xff\xd8", b"\xff\xd9"
JFIF = segment(0xE0, b"JFIF\0\x01\x02\x00\x00\x01\x00\x01\0\0")
DQT = segment(0xDB, b"\0" + bytes([16] * 64))
DHT = segment(0xC4, b"\0" + b"\x01" + bytes(15) + b"\0") + segment(
    0xC4, b"\x10" + b"\x01" + bytes(15) + b"\0"
)


def sof(
    ids: bytes = b"\1", marker: int = 0xC0, *, bits: int = 8, size: tuple[int, int] = (8, 8)
) -> bytes:
    content = struct.pack(">BHHB", bits, *size, len(ids))
    return segment(marker, content + b"".join(bytes((i, 0x11, 0)) for i in ids))


def sos(ids: bytes = b"\1") -> bytes:
    content = bytes((len(ids),)) + b"".join(bytes((i, 0)) for i in ids) + b"\0\x3f\0"
    return segment(0xDA, content)


SCAN = b"\x2a\xff\x00\x55\xff\xd0\x11"
ADOBE = b"Adobe\0\x64\0\0\0\0"
XAP = b"http://ns.adobe.com/xap/1.0/\0"


def jpeg(
    *metadata: bytes, ids: bytes = b"\1", frame: bytes | None = None, scan: bytes = SCAN
) -> bytes:
    """SOI, these segments, and a picture."""
    return SOI + b"".join(metadata) + DQT + (frame or sof(ids)) + DHT + sos(ids) + scan + EOI


def jpegs(book: Pictures) -> None:
    def same(name: str, why: str, data: bytes, payload: bytes, *display: str) -> None:
        book.same("MED-12", name, why, data, "jpeg/1", payload, *display)

    def odd(name: str, why: str, data: bytes) -> None:
        book.odd("MED-12", name, why, data)

    plain = jpeg()
    icc = bytes(range(200))
    parts = (
        segment(0xE2, b"ICC_PROFILE\0\x01\x02" + icc[:150]),
        segment(0xE2, b"ICC_PROFILE\0\x02\x02" + icc[150:]),
    )
    same("jpeg", "baseline, grey, without any metadata", plain, plain)
    same("jpeg-jfif", "JFIF is left out", jpeg(JFIF), plain)
    same("jpeg-comment", "comments are left out", jpeg(segment(0xFE, b"hello"), JFIF), plain)
    same(
        "jpeg-comment-behind-frame",
        "a comment before the scan is left out",
        SOI + DQT + sof() + segment(0xFE, b"hello") + DHT + sos() + SCAN + EOI,
        plain,
    )
    same(
        "jpeg-applications",
        "APP1, APP11, APP13 and APP15 of others are left out",
        jpeg(*(segment(m, b"other") for m in (0xE1, 0xEB, 0xED, 0xEF))),
        plain,
    )
    same(
        "jpeg-exif",
        "an orientation",
        jpeg(segment(0xE1, b"Exif\0\0" + exif())),
        plain,
        "orientation 6",
    )
    same(
        "jpeg-exif-big-endian",
        "the same in the other byte order",
        jpeg(segment(0xE1, b"Exif\0\0" + exif(3, ">"))),
        plain,
        "orientation 3",
    )
    same("jpeg-upright", "orientation 1 is none", jpeg(segment(0xE1, b"Exif\0\0" + exif(1))), plain)
    same(
        "jpeg-xmp", "an XMP packet without orientation", jpeg(segment(0xE1, XAP + XMP_PLAIN)), plain
    )
    same(
        "jpeg-xmp-orientation",
        "an orientation in XMP",
        jpeg(segment(0xE1, XAP + XMP_TURNED)),
        plain,
        "orientation 8",
    )
    same(
        "jpeg-two-orientations",
        "EXIF says 6 and XMP 8: EXIF counts",
        jpeg(segment(0xE1, b"Exif\0\0" + exif()), segment(0xE1, XAP + XMP_TURNED)),
        plain,
        "orientation 6",
    )
    same(
        "jpeg-profile",
        "a colour profile in two parts",
        jpeg(*parts),
        plain,
        f"profile {hexhash(icc)}",
    )
    same(
        "jpeg-density",
        "pixels that aren't square",
        jpeg(segment(0xE0, b"JFIF\0\x01\x02\x01\x00\x48\x00\x24\0\0")),
        plain,
        "density 72:36",
    )
    fills = SOI + JFIF + b"\xff\xff" + JFIF.replace(b"JFIF", b"JFXX") + b"\xff" + plain[2:]
    same(
        "jpeg-fill", "fill bytes go with the segment behind them", fills, SOI + b"\xff" + plain[2:]
    )
    adobe = jpeg(segment(0xEE, ADOBE + b"\0"), ids=b"\1\2\3")
    same("jpeg-adobe", "APP14 stays", jpeg(segment(0xEE, ADOBE + b"\0"), ids=b"\1\2\3"), adobe)
    rgb = jpeg(ids=b"RGB")
    same("jpeg-rgb", "components R, G, B without JFIF", rgb, rgb)
    two = SOI + DQT + sof(marker=0xC2) + DHT + sos() + SCAN + DHT + sos() + SCAN + EOI
    same("jpeg-progressive", "progressive, two scans", two, two)
    commented = two.replace(
        DHT + sos() + SCAN + EOI, segment(0xFE, b"x") + DHT + sos() + SCAN + EOI
    )
    same("jpeg-comment-between-scans", "a comment between two scans is left out", commented, two)
    restart = jpeg(segment(0xDD, b"\0\x01"))
    same("jpeg-restarts", "a restart interval stays", restart, restart)

    odd("jpeg-cut", "without EOI", plain[:-2])
    odd("jpeg-behind", "a byte behind EOI", plain + b"\0")
    odd("jpeg-second", "a second picture behind the first", plain * 2)
    odd("jpeg-before", "a byte before SOI", b"\0" + plain)
    odd("jpeg-between", "a byte between two segments", SOI + JFIF + b"\0" + plain[2:])
    odd("jpeg-soi-inside", "a second SOI", SOI + plain)
    odd("jpeg-no-scan", "no SOS", SOI + DQT + sof() + DHT + EOI)
    odd("jpeg-no-frame", "no SOF", SOI + DQT + DHT + sos() + SCAN + EOI)
    odd("jpeg-two-frames", "two SOF", jpeg(sof()))
    for marker, what in (
        (0xC3, "lossless"),
        (0xC5, "hierarchical"),
        (0xC9, "arithmetic coding"),
        (0xCC, "arithmetic conditioning"),
        (0xDC, "number of lines"),
        (0x01, "TEM"),
    ):
        odd(f"jpeg-{marker:02x}", what, jpeg(frame=sof(marker=marker) + sof()))
    odd("jpeg-12-bits", "12 bits", jpeg(frame=sof(bits=12)))
    odd("jpeg-no-height", "a height of 0", jpeg(frame=sof(size=(0, 8))))
    odd("jpeg-two-components", "two components", jpeg(ids=b"\1\2"))
    odd(
        "jpeg-frame-long",
        "a frame header with a byte too many",
        jpeg(frame=segment(0xC0, sof()[4:] + b"\0")),
    )
    odd(
        "jpeg-scan-long",
        "a scan header with a byte too many",
        plain.replace(sos(), segment(0xDA, sos()[4:] + b"\0")),
    )
    odd("jpeg-restart-3", "a restart interval of 3 bytes", jpeg(segment(0xDD, b"\0\0\1")))
    odd(
        "jpeg-app-behind-scan",
        "application data behind a scan",
        plain[:-2] + segment(0xE1, b"other") + EOI,
    )
    odd("jpeg-app0", "an APP0 that isn't JFIF", jpeg(segment(0xE0, b"AVI1\0\0\0\0")))
    odd("jpeg-jfif-short", "a JFIF segment of 13 bytes", jpeg(segment(0xE0, JFIF[4:-1])))
    odd("jpeg-jfif-twice", "JFIF twice", jpeg(JFIF, JFIF))
    odd("jpeg-jfif-and-rgb", "JFIF and components R, G, B", jpeg(JFIF, ids=b"RGB"))
    odd(
        "jpeg-jfif-and-adobe-rgb",
        "JFIF and Adobe's RGB",
        jpeg(JFIF, segment(0xEE, ADOBE + b"\0"), ids=b"\1\2\3"),
    )
    odd("jpeg-adobe-short", "an Adobe segment of 11 bytes", jpeg(segment(0xEE, ADOBE)))
    odd("jpeg-app14", "an APP14 that isn't Adobe's", jpeg(segment(0xEE, b"Other" + bytes(7))))
    odd(
        "jpeg-adobe-twice",
        "Adobe's segment twice",
        jpeg(*[segment(0xEE, ADOBE + b"\1")] * 2, ids=b"\1\2\3"),
    )
    odd("jpeg-adobe-3", "a colour transform 3", jpeg(segment(0xEE, ADOBE + b"\3"), ids=b"\1\2\3"))
    odd(
        "jpeg-adobe-2",
        "YCCK with three components",
        jpeg(segment(0xEE, ADOBE + b"\2"), ids=b"\1\2\3"),
    )
    odd(
        "jpeg-adobe-1",
        "YCbCr with four components",
        jpeg(segment(0xEE, ADOBE + b"\1"), ids=b"\1\2\3\4"),
    )
    odd("jpeg-exif-twice", "two EXIF blocks", jpeg(*[segment(0xE1, b"Exif\0\0" + exif())] * 2))
    odd(
        "jpeg-exif-head",
        "an EXIF block without its second zero",
        jpeg(segment(0xE1, b"Exif\0" + exif())),
    )
    odd(
        "jpeg-exif-tiff",
        "an EXIF block without a TIFF header",
        jpeg(segment(0xE1, b"Exif\0\0XX*\0" + bytes(8))),
    )
    odd(
        "jpeg-exif-cut",
        "an EXIF directory that leaves the block",
        jpeg(segment(0xE1, b"Exif\0\0" + exif()[:-8])),
    )
    turned = segment(0xE1, b"Exif\0\0" + turned_with(44))
    same("jpeg-exif-value", "a value at the end of the block", jpeg(turned), plain, "orientation 6")
    odd(
        "jpeg-exif-value-cut",
        "a value that leaves the block by a byte, and an orientation",
        jpeg(segment(0xE1, b"Exif\0\0" + turned_with(45))),
    )
    upright = segment(0xE1, b"Exif\0\0" + turned_with(45, 1))
    same("jpeg-exif-value-cut-upright", "the same in an upright picture", jpeg(upright), plain)
    odd(
        "jpeg-orientation-twice",
        "two orientations in a directory",
        jpeg(segment(0xE1, b"Exif\0\0" + TWO_ORIENTATIONS)),
    )
    odd(
        "jpeg-orientation-long",
        "an orientation of 32 bits",
        jpeg(segment(0xE1, b"Exif\0\0" + exif(kind=4))),
    )
    odd(
        "jpeg-orientation-pair",
        "an orientation of two numbers",
        jpeg(segment(0xE1, b"Exif\0\0" + exif(count=2))),
    )
    odd("jpeg-xmp-twice", "two XMP packets", jpeg(*[segment(0xE1, XAP + XMP_PLAIN)] * 2))
    odd("jpeg-profile-cut", "one of two parts of a profile", jpeg(parts[0]))
    odd("jpeg-profile-order", "the parts in the wrong order", jpeg(parts[1], parts[0]))
    odd("jpeg-profile-twice", "a part twice", jpeg(parts[0], parts[0], parts[1]))
    odd(
        "jpeg-profile-counts",
        "parts with different counts",
        jpeg(parts[0], segment(0xE2, b"ICC_PROFILE\0\x02\x03x")),
    )
    odd("jpeg-mpf", "an index of several pictures", jpeg(segment(0xE2, b"MPF\0II*\0")))
    odd("jpeg-pegasus", "a segment that steers FFmpeg", jpeg(segment(0xE5, b"LJIF" + bytes(20))))
    for text in (b"AVID", b"CS=ITU601", b"Metasoft MJPEG Codec", b"MULTISCOPE II"):
        name = text.decode().split("=")[0].split()[0].lower()
        odd(
            f"jpeg-comment-{name}",
            "a comment that steers FFmpeg",
            jpeg(segment(0xFE, text + b"\0")),
        )
    odd("jpeg-length-1", "a segment of length 1", SOI + b"\xff\xfe\0\1" + plain[2:])
