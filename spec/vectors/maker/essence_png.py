"""essence-images.json: PNG [MED-13]."""

from __future__ import annotations

import struct
import zlib

from maker.pictures import XMP_PLAIN, XMP_TURNED, Item, Pictures, exif, hexhash, items


def chunk(type: bytes, content: bytes = b"") -> bytes:
    crc = zlib.crc32(type + content)
    return struct.pack(">I", len(content)) + type + content + struct.pack(">I", crc)


SIGNATURE = b"\x89PNG\r\n\x1a\n"


def ihdr(
    color: int = 0, bits: int = 8, *, size: tuple[int, int] = (1, 1), rest: bytes = bytes(3)
) -> bytes:
    return struct.pack(">II", *size) + bytes((bits, color)) + rest


DATA = b"\x78\x01\x01\x02\x00\xfd\xff\x00\x7f\x00\x81\x00\x80"
"""A zlib stream, stored: filter 0 and one grey pixel."""
END = chunk(b"IEND")


def png(
    *before: bytes, header: bytes | None = None, data: bytes | None = None, behind: bytes = b""
) -> bytes:
    start = SIGNATURE + chunk(b"IHDR", header or ihdr()) + b"".join(before)
    return start + (chunk(b"IDAT", DATA) if data is None else data) + behind + END


def fctl(number: int) -> bytes:
    return struct.pack(">I", number) + FRAME


FRAME = struct.pack(">IIIIHHBB", 1, 1, 0, 0, 1, 10, 0, 0)
XMP_KEY = b"XML:com.adobe.xmp\0"


def pngs(book: Pictures) -> None:
    def same(name: str, why: str, data: bytes, payload: bytes, *display: str) -> None:
        book.same("MED-13", name, why, data, "png/1", payload, *display)

    def odd(name: str, why: str, data: bytes) -> None:
        book.odd("MED-13", name, why, data)

    grey: list[Item] = [(b"IHDR", ihdr()), (b"IDAT", DATA)]
    plain = items(*grey)
    same("png", "one grey pixel", png(), plain)
    halves = chunk(b"IDAT", DATA[:5]) + chunk(b"IDAT") + chunk(b"IDAT", DATA[5:])
    same("png-cut-data", "the data in three chunks, one of them empty", png(data=halves), plain)
    texts = (chunk(b"tEXt", b"Comment\0hello"), chunk(b"zTXt", b"Title\0\0" + zlib.compress(b"x")))
    same(
        "png-texts",
        "texts, time and chunks of others before and behind the data",
        png(
            *texts,
            chunk(b"tIME", bytes(7)),
            behind=chunk(b"iTXt", b"A\0\0\0\0\0b") + chunk(b"caBX", b"x"),
        ),
        plain,
    )
    for type in (
        b"cICP",
        b"iCCP",
        b"sRGB",
        b"gAMA",
        b"cHRM",
        b"mDCV",
        b"cLLI",
        b"bKGD",
        b"iDOT",
        b"oFFs",
        b"vpAg",
        b"sTER",
    ):
        name = type.decode()
        same(
            f"png-{name.lower()}",
            f"{name} changes the display",
            png(chunk(type, b"abc")),
            plain,
            f"{name} {hexhash(b'abc')}",
        )
    raw = b"Raw profile type exif\0\0" + zlib.compress(b"x")
    same(
        "png-raw-profile",
        "a block of tags as text",
        png(chunk(b"zTXt", raw)),
        plain,
        f"zTXt {hexhash(raw)}",
    )
    same(
        "png-density",
        "pixels that aren't square",
        png(chunk(b"pHYs", struct.pack(">IIB", 2, 1, 0))),
        plain,
        "density 2:1",
    )
    same("png-square", "pixels that are", png(chunk(b"pHYs", struct.pack(">IIB", 2, 2, 1))), plain)
    same(
        "png-exif",
        "an orientation, behind the data",
        png(behind=chunk(b"eXIf", exif())),
        plain,
        "orientation 6",
    )
    same(
        "png-xmp",
        "an orientation in XMP",
        png(chunk(b"iTXt", XMP_KEY + bytes(4) + XMP_TURNED)),
        plain,
        "orientation 8",
    )
    rgb = ihdr(3, 8)
    palette = (chunk(b"PLTE", b"abcdef"), chunk(b"tRNS", b"\x7f"))
    same(
        "png-palette",
        "a palette with transparency",
        png(*palette, header=rgb),
        items((b"IHDR", rgb), (b"PLTE", b"abcdef"), (b"tRNS", b"\x7f"), (b"IDAT", DATA)),
    )
    actl = struct.pack(">II", 2, 0)
    frames = chunk(b"fcTL", fctl(1)) + chunk(b"fdAT", struct.pack(">I", 2) + DATA)
    moving: list[Item] = [
        (b"IHDR", ihdr()),
        (b"acTL", actl),
        (b"fcTL", FRAME),
        (b"IDAT", DATA),
        (b"fcTL", FRAME),
        (b"fdAT", DATA),
    ]
    head = (chunk(b"acTL", actl), chunk(b"fcTL", fctl(0)))
    same("png-animation", "two frames", png(*head, behind=frames), items(*moving))
    cut = (
        chunk(b"fcTL", fctl(1))
        + chunk(b"fdAT", struct.pack(">I", 2) + DATA[:3])
        + chunk(b"fdAT", struct.pack(">I", 3) + DATA[3:])
    )
    same(
        "png-animation-cut", "a frame's data in two chunks", png(*head, behind=cut), items(*moving)
    )
    one = chunk(b"acTL", struct.pack(">II", 1, 0))
    same(
        "png-animation-behind",
        "the still picture isn't a frame",
        png(one, behind=chunk(b"fcTL", fctl(0)) + chunk(b"fdAT", struct.pack(">I", 1) + DATA)),
        items(
            (b"IHDR", ihdr()),
            (b"acTL", struct.pack(">II", 1, 0)),
            (b"IDAT", DATA),
            (b"fcTL", FRAME),
            (b"fdAT", DATA),
        ),
    )

    odd("png-no-end", "without IEND", png()[: -len(END)])
    odd("png-behind", "a byte behind IEND", png() + b"\0")
    odd("png-end-filled", "IEND with a content", png()[: -len(END)] + chunk(b"IEND", b"x"))
    odd("png-crc", "a wrong checksum in a text", png(chunk(b"tEXt", b"Comment\0a")[:-1] + b"\0"))
    odd("png-crc-data", "a wrong checksum in the data", png(data=chunk(b"IDAT", DATA)[:-1] + b"\0"))
    odd("png-length", "a length over 2^31 - 1", png(b"\x80\0\0\0tEXt"))
    odd("png-type", "a type with a digit", png(chunk(b"tEX1")))
    odd(
        "png-type-reserved", "a type with its third letter in lower case", png(chunk(b"text", b"x"))
    )
    odd("png-critical", "an unknown critical chunk", png(chunk(b"ABCD", b"x")))
    odd("png-first", "a chunk before IHDR", SIGNATURE + chunk(b"tEXt", b"a\0b") + png()[8:])
    odd("png-two-headers", "two IHDR", png(chunk(b"IHDR", ihdr())))
    odd("png-no-data", "no IDAT", png(data=b""))
    odd(
        "png-data-apart",
        "IDAT in two places",
        png(behind=chunk(b"tEXt", b"a\0b") + chunk(b"IDAT", DATA)),
    )
    odd("png-width-0", "a width of 0", png(header=ihdr(size=(0, 1))))
    odd("png-height-big", "a height of 2^31", png(header=ihdr(size=(1, 2**31))))
    odd("png-depth", "3 bits", png(header=ihdr(bits=3)))
    odd("png-rgb-4", "4 bits of RGB", png(header=ihdr(2, 4)))
    odd("png-filter", "another filter method", png(header=ihdr(rest=b"\0\x40\0")))
    odd("png-interlace", "another interlace method", png(header=ihdr(rest=b"\0\0\2")))
    odd("png-palette-grey", "a palette in a grey picture", png(chunk(b"PLTE", b"abc")))
    odd("png-palette-missing", "no palette in a palette picture", png(header=rgb))
    odd("png-palette-4", "a palette of 4 bytes", png(chunk(b"PLTE", b"abcd"), header=rgb))
    odd(
        "png-palette-behind",
        "a palette behind the data",
        png(header=ihdr(2), behind=chunk(b"PLTE", b"abc")),
    )
    odd("png-palette-twice", "two palettes", png(palette[0], palette[0], header=rgb))
    odd(
        "png-palette-behind-bkgd",
        "a palette behind bKGD",
        png(chunk(b"bKGD", b"\0"), palette[0], header=rgb),
    )
    odd("png-trns-first", "tRNS before the palette", png(palette[1], palette[0], header=rgb))
    odd("png-trns-3", "tRNS of 3 bytes in a grey picture", png(chunk(b"tRNS", b"abc")))
    odd(
        "png-trns-alpha", "tRNS beside an alpha channel", png(chunk(b"tRNS", b"ab"), header=ihdr(4))
    )
    odd("png-trns-behind", "tRNS behind the data", png(behind=chunk(b"tRNS", b"ab")))
    odd("png-gama-behind", "gAMA behind the data", png(behind=chunk(b"gAMA", b"abcd")))
    odd(
        "png-gama-behind-palette",
        "gAMA behind the palette",
        png(palette[0], chunk(b"gAMA", b"abcd"), header=rgb),
    )
    odd("png-gama-twice", "two gAMA", png(*[chunk(b"gAMA", b"abcd")] * 2))
    odd("png-density-8", "pHYs of 8 bytes", png(chunk(b"pHYs", bytes(8))))
    odd("png-exif-twice", "two eXIf", png(*[chunk(b"eXIf", exif())] * 2))
    odd(
        "png-xmp-twice",
        "two XMP packets",
        png(*[chunk(b"iTXt", XMP_KEY + bytes(4) + XMP_PLAIN)] * 2),
    )
    packed = XMP_KEY + b"\1\0\0\0" + zlib.compress(XMP_TURNED)
    odd("png-xmp-packed", "a compressed XMP packet", png(chunk(b"iTXt", packed)))
    odd("png-xmp-text", "an XMP packet in tEXt", png(chunk(b"tEXt", XMP_KEY + XMP_TURNED)))
    odd("png-raw-profiles", "nine blocks of tags as text", png(*[chunk(b"zTXt", raw)] * 9))
    odd("png-frames", "one frame, two announced", png(*head))
    odd("png-frames-unannounced", "a frame without acTL", png(chunk(b"fcTL", fctl(0))))
    odd("png-no-frames", "no frames announced", png(chunk(b"acTL", bytes(8))))
    odd("png-frame-empty", "a frame without data", png(*head, behind=chunk(b"fcTL", fctl(1))))
    odd("png-frame-25", "fcTL of 25 bytes", png(one, chunk(b"fcTL", fctl(0)[:-1])))
    odd(
        "png-sequence",
        "a number left out",
        png(*head, behind=chunk(b"fcTL", fctl(1)) + chunk(b"fdAT", struct.pack(">I", 3) + DATA)),
    )
    odd(
        "png-data-without-frame",
        "fdAT without fcTL",
        png(one, chunk(b"fcTL", fctl(0)), behind=chunk(b"fdAT", struct.pack(">I", 1) + DATA)),
    )
    odd(
        "png-frame-apart",
        "a text between fcTL and fdAT",
        png(
            *head,
            behind=chunk(b"fcTL", fctl(1))
            + chunk(b"tEXt", b"a\0b")
            + chunk(b"fdAT", struct.pack(">I", 2) + DATA),
        ),
    )
