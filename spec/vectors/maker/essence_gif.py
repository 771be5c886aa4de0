"""essence-images.json: GIF [MED-15]."""

from __future__ import annotations

import struct

from maker.pictures import XMP_TURNED, Pictures, hexhash


def sub_blocks(content: bytes) -> bytes:
    cut = [content[at : at + 255] for at in range(0, len(content), 255)]
    return b"".join(bytes((len(part),)) + part for part in cut) + b"\0"


SCREEN = struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
IMAGE = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\2" + sub_blocks(b"\x44\x01")
LOCAL = (
    b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0x80) + b"abcdef" + b"\2" + sub_blocks(b"\x44\x01")
)
CONTROL = b"\x21\xf9\x04\0\x0a\0\0\0"


def application(name: bytes, content: bytes) -> bytes:
    return b"\x21\xff\x0b" + name + content


LOOP = application(b"NETSCAPE2.0", sub_blocks(b"\1\0\0"))


def gif(*blocks: bytes, version: bytes = b"89a", screen: bytes = SCREEN) -> bytes:
    return b"GIF" + version + screen + b"".join(blocks) + b"\x3b"


def gifs(book: Pictures) -> None:
    def same(name: str, why: str, data: bytes, payload: bytes, *display: str) -> None:
        book.same("MED-15", name, why, data, "gif/1", payload, *display)

    def odd(name: str, why: str, data: bytes) -> None:
        book.odd("MED-15", name, why, data)

    plain = gif(IMAGE)[6:]
    comment = b"\x21\xfe" + sub_blocks(b"hello")
    same("gif", "one pixel", gif(IMAGE), plain)
    same("gif-87a", "the version doesn't count", gif(IMAGE, version=b"87a"), plain)
    same("gif-comments", "comments before and behind", gif(comment, IMAGE, b"\x21\xfe\0"), plain)
    same(
        "gif-others",
        "an application's block",
        gif(application(b"C2PA_GIF\1\0\0", sub_blocks(bytes(700))), IMAGE),
        plain,
    )
    moving = gif(LOOP, CONTROL, IMAGE, CONTROL, LOCAL)
    same(
        "gif-animation",
        "two frames, a loop and a comment",
        gif(LOOP, CONTROL, comment, IMAGE, CONTROL, LOCAL),
        moving[6:],
    )
    xmp = XMP_TURNED + b"\1" + bytes(range(255, -1, -1)) + b"\0"
    same(
        "gif-xmp",
        "an orientation in XMP",
        gif(application(b"XMP DataXMP", xmp), IMAGE),
        plain,
        "orientation 8",
    )
    icc = sub_blocks(bytes(range(1, 100)))
    same(
        "gif-profile",
        "a colour profile",
        gif(application(b"ICCRGBG1012", icc), IMAGE),
        plain,
        f"profile {hexhash(icc)}",
    )

    odd("gif-cut", "without a trailer", gif(IMAGE)[:-1])
    odd("gif-behind", "a byte behind the trailer", gif(IMAGE) + b"\0")
    odd("gif-second", "a second file behind the first", gif(IMAGE) * 2)
    odd("gif-version", "another version", gif(IMAGE, version=b"88a"))
    odd("gif-empty", "no image", gif(comment))
    odd("gif-zero", "a zero byte between blocks", gif(b"\0", IMAGE))
    odd(
        "gif-plain-text",
        "a text that few programs show",
        gif(IMAGE, b"\x21\x01\x0c" + bytes(12) + sub_blocks(b"hi")),
    )
    odd("gif-unknown", "an unknown extension", gif(IMAGE, b"\x21\x02" + sub_blocks(b"x")))
    odd("gif-control-5", "a graphic control of 5 bytes", gif(b"\x21\xf9\5\0\0\0\0\0\0", IMAGE))
    odd(
        "gif-application-10",
        "an application's name of 10 bytes",
        gif(b"\x21\xff\x0aNETSCAPE2." + sub_blocks(b"x"), IMAGE),
    )
    odd("gif-data-cut", "data without an end", gif(IMAGE[:-1]))
    odd("gif-width-0", "a screen without a width", gif(IMAGE, screen=b"\0\0" + SCREEN[2:]))
    odd("gif-xmp-twice", "two XMP packets", gif(*[application(b"XMP DataXMP", xmp)] * 2, IMAGE))
    odd(
        "gif-profile-twice",
        "two colour profiles",
        gif(*[application(b"ICCRGBG1012", icc)] * 2, IMAGE),
    )
