"""essence-images.json: WebP [MED-14]."""

from __future__ import annotations

import struct

from maker.pictures import XMP_PLAIN, XMP_TURNED, Pictures, exif, hexhash, items


def riff(type: bytes, content: bytes) -> bytes:
    return type + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def webp(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def vp8x(flags: int, size: tuple[int, int] = (16, 8)) -> bytes:
    return riff(b"VP8X", bytes((flags, 0, 0, 0)) + less_one(*size))


def less_one(width: int, height: int) -> bytes:
    return (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


LOSSY = b"\x10\x00\x00\x9d\x01\x2a" + struct.pack("<HH", 16, 8) + b"pixels"
LOSSLESS = b"\x2f" + struct.pack("<I", 15 | 7 << 14) + b"pixels"
CLEAR = b"\x2f" + struct.pack("<I", 15 | 7 << 14 | 1 << 28) + b"pixels"
ANIM = b"\xff\xff\xff\xff\0\0"


def anmf(*inside: bytes, at: tuple[int, int] = (0, 0), size: tuple[int, int] = (16, 8)) -> bytes:
    place = b"".join((n // 2).to_bytes(3, "little") for n in at)
    return place + less_one(*size) + b"\x64\0\0" + b"\0" + b"".join(inside)


def webps(book: Pictures) -> None:
    def same(name: str, why: str, data: bytes, payload: bytes, *display: str) -> None:
        book.same("MED-14", name, why, data, "webp/1", payload, *display)

    def odd(name: str, why: str, data: bytes) -> None:
        book.odd("MED-14", name, why, data)

    lossy, lossless = items((b"VP8 ", LOSSY)), items((b"VP8L", LOSSLESS))
    picture, loss_free, clear = riff(b"VP8 ", LOSSY), riff(b"VP8L", LOSSLESS), riff(b"VP8L", CLEAR)
    same("webp-lossy", "a simple lossy file", webp(picture), lossy)
    same("webp-lossless", "a simple lossless file, of odd length", webp(loss_free), lossless)
    same("webp-extended", "the same with an extended header", webp(vp8x(0), picture), lossy)
    same(
        "webp-tags",
        "with EXIF, XMP and a chunk of others",
        webp(
            vp8x(0x0C),
            picture,
            riff(b"EXIF", exif(1)),
            riff(b"XMP ", XMP_PLAIN),
            riff(b"C2PA", b"x"),
        ),
        lossy,
    )
    same(
        "webp-others",
        "a chunk of others in a simple file",
        webp(picture, riff(b"C2PA", b"x")),
        lossy,
    )
    same(
        "webp-exif",
        "an orientation",
        webp(vp8x(8), picture, riff(b"EXIF", exif())),
        lossy,
        "orientation 6",
    )
    same(
        "webp-exif-head",
        "an EXIF block with the head that JPEG has",
        webp(vp8x(8), picture, riff(b"EXIF", b"Exif\0\0" + exif())),
        lossy,
        "orientation 6",
    )
    same(
        "webp-xmp",
        "an orientation in XMP",
        webp(vp8x(4), picture, riff(b"XMP ", XMP_TURNED)),
        lossy,
        "orientation 8",
    )
    same(
        "webp-profile",
        "a colour profile",
        webp(vp8x(0x20), riff(b"ICCP", b"icc"), picture),
        lossy,
        f"profile {hexhash(b'icc')}",
    )
    same("webp-flags", "flags without their chunks", webp(vp8x(0x3C), picture), lossy)
    alpha = riff(b"ALPH", b"alpha")
    same(
        "webp-alpha",
        "a lossy picture with transparency",
        webp(vp8x(0x10), alpha, picture),
        items((b"ALPH", b"alpha"), (b"VP8 ", LOSSY)),
    )
    same("webp-clear", "a lossless picture with transparency", webp(clear), items((b"VP8L", CLEAR)))
    same(
        "webp-clear-extended",
        "the same, announced",
        webp(vp8x(0x10), clear),
        items((b"VP8L", CLEAR)),
    )
    same(
        "webp-clear-unannounced",
        "the same, not announced",
        webp(vp8x(0), clear),
        items((b"VP8L", CLEAR)),
        "alpha unannounced",
    )
    head = bytes((0x12,)) + less_one(32, 16)
    frames = (anmf(picture), anmf(riff(b"ALPH", b"a"), picture, at=(16, 8)), anmf(loss_free))
    same(
        "webp-animation",
        "three frames; of the flags only animation and transparency count",
        webp(vp8x(0x1A, (32, 16)), riff(b"ANIM", ANIM), *(riff(b"ANMF", f) for f in frames)),
        items((b"VP8X", head), (b"ANIM", ANIM), *((b"ANMF", f) for f in frames)),
    )

    animation = (vp8x(2), riff(b"ANIM", ANIM), riff(b"ANMF", anmf(picture)))
    odd("webp-behind", "bytes behind the file's size", webp(picture) + b"\0\0")
    odd("webp-size", "a size that leaves the file", b"RIFF\xff\0\0\0" + webp(picture)[8:])
    odd(
        "webp-odd",
        "an odd size",
        b"RIFF" + struct.pack("<I", len(webp(loss_free)) - 9) + webp(loss_free)[8:-1],
    )
    odd("webp-padding", "padding that isn't zero", webp(loss_free)[:-1] + b"\1")
    odd("webp-chunk-cut", "a chunk that leaves the file", webp(picture, b"C2PA\4\0\0\0"))
    odd("webp-first", "a chunk of others first", webp(riff(b"C2PA", b"x"), picture))
    odd("webp-empty", "no chunk", webp())
    odd("webp-no-picture", "no picture", webp(vp8x(0)))
    odd("webp-two-pictures", "two pictures", webp(picture, picture))
    odd("webp-two-kinds", "a lossy and a lossless picture", webp(picture, loss_free))
    odd("webp-two-headers", "two extended headers", webp(vp8x(0), vp8x(0), picture))
    odd("webp-tags-simple", "XMP in a simple file", webp(picture, riff(b"XMP ", XMP_PLAIN)))
    odd(
        "webp-xmp-unannounced",
        "XMP without its flag",
        webp(vp8x(0), picture, riff(b"XMP ", XMP_PLAIN)),
    )
    odd(
        "webp-exif-unannounced",
        "EXIF without its flag",
        webp(vp8x(0), picture, riff(b"EXIF", exif())),
    )
    odd(
        "webp-profile-unannounced",
        "ICCP without its flag",
        webp(vp8x(0), riff(b"ICCP", b"icc"), picture),
    )
    odd(
        "webp-profile-behind",
        "ICCP behind the picture",
        webp(vp8x(0x20), picture, riff(b"ICCP", b"icc")),
    )
    odd(
        "webp-xmp-twice", "two XMP packets", webp(vp8x(4), picture, *[riff(b"XMP ", XMP_PLAIN)] * 2)
    )
    odd(
        "webp-exif-cut",
        "an EXIF directory that leaves the block",
        webp(vp8x(8), picture, riff(b"EXIF", exif()[:-8])),
    )
    odd("webp-reserved", "a reserved bit of the header", webp(vp8x(1), picture))
    odd(
        "webp-header-long",
        "an extended header of 12 bytes",
        webp(riff(b"VP8X", vp8x(0)[8:] + b"\0\0"), picture),
    )
    odd("webp-canvas", "a canvas larger than the picture", webp(vp8x(0, (17, 8)), picture))
    odd("webp-alpha-unannounced", "ALPH without its flag", webp(vp8x(0), alpha, picture))
    odd("webp-alpha-lossless", "ALPH before a lossless picture", webp(vp8x(0x10), alpha, loss_free))
    odd(
        "webp-alpha-apart",
        "a chunk between ALPH and VP8",
        webp(vp8x(0x10), alpha, riff(b"C2PA", b"x"), picture),
    )
    odd("webp-no-key-frame", "VP8 without a key frame", webp(riff(b"VP8 ", b"\x11" + LOSSY[1:])))
    odd(
        "webp-start-code",
        "VP8 without its start code",
        webp(riff(b"VP8 ", LOSSY[:3] + b"\0" + LOSSY[4:])),
    )
    odd(
        "webp-lossless-version",
        "VP8L of another version",
        webp(riff(b"VP8L", LOSSLESS[:4] + b"\x20" + LOSSLESS[5:])),
    )
    odd("webp-still-and-moving", "a still picture in an animation", webp(*animation, picture))
    odd("webp-anim-unannounced", "an animation without its flag", webp(vp8x(0), *animation[1:]))
    odd("webp-no-anim", "frames without ANIM", webp(animation[0], animation[2]))
    odd("webp-no-frames", "an animation without frames", webp(*animation[:2]))
    odd(
        "webp-frame-outside",
        "a frame that leaves the canvas",
        webp(*animation[:2], riff(b"ANMF", anmf(picture, at=(2, 0)))),
    )
    odd(
        "webp-frame-size",
        "a picture of another size than its frame",
        webp(*animation[:2], riff(b"ANMF", anmf(picture, size=(8, 8)))),
    )
    odd(
        "webp-frame-others",
        "a chunk of others in a frame",
        webp(*animation[:2], riff(b"ANMF", anmf(picture, riff(b"abcd", b"")))),
    )
    odd(
        "webp-frame-empty", "a frame without a picture", webp(*animation[:2], riff(b"ANMF", anmf()))
    )
