"""essence-images.json: chapter 05, the essence of JPEG, PNG, WebP, GIF and SVG, and pointers."""

from __future__ import annotations

from maker.book import Book
from maker.essence_gif import gifs
from maker.essence_jpeg import jpegs
from maker.essence_png import pngs
from maker.essence_svg import svgs
from maker.essence_webp import webps
from maker.pictures import Pictures
from maker.wire import RAW, cid, cid_text


def pointers(book: Pictures) -> None:
    one, two = (cid_text(cid(data, RAW)) for data in (b"one", b"two"))

    def found(name: str, why: str, text: str, *cids: str) -> None:
        book.valid(name, "MED-30", why, "pointers", text.encode(), cids=list(cids))

    found("alone", "a pointer", f"hitp2p:{one}", one)
    found("inside", "inside a text", f"\xa9 Ana (hitp2p:{one}), all rights", one)
    found("two", "two of them, one twice", f"hitp2p:{two} hitp2p:{one} hitp2p:{two}", two, one)
    found("upper-case", "upper case is none", f"hitp2p:{one.upper()}")
    found("version-0", "version 0 is none", "hitp2p:QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn")
    found("cut", "a CID that is cut short is none", f"hitp2p:{one[:-1]}")
    found("long", "a letter behind it", f"hitp2p:{one}x")
    found("before", "a letter before it", f"xhitp2p:{one}")
    found("apart", "a space behind the colon", f"hitp2p: {one}")


def pictures() -> Book:
    """All vectors of essence-images.json."""
    book = Pictures()
    for make in (jpegs, pngs, webps, gifs, svgs, pointers):
        make(book)
    return book
