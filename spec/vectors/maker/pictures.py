"""What the vectors of all picture formats share: the book, and blocks of tags."""

from __future__ import annotations

import struct
from hashlib import sha256

from maker.book import Book

Item = tuple[bytes, bytes]


def digest(kind: str, algorithm: str, data: bytes) -> str:
    return sha256(f"hitp2p/{kind}/{algorithm}".encode() + b"\0" + data).hexdigest()


def lines(*display: str) -> bytes:
    return "".join(f"{line}\n" for line in sorted(display)).encode()


def hexhash(data: bytes) -> str:
    return sha256(data).hexdigest()


class Pictures(Book):
    """The vectors of one rule."""

    def __init__(self) -> None:
        super().__init__("media")

    def same(
        self,
        rule: str,
        name: str,
        comment: str,
        data: bytes,
        algorithm: str,
        payload: bytes,
        *display: str,
    ) -> None:
        shown = {"display": digest("display", algorithm, lines(*display))} if display else {}
        self.valid(
            name,
            rule,
            comment,
            "essence",
            data,
            algorithm=algorithm,
            digest=digest("essence", algorithm, payload),
            **shown,
        )

    def odd(self, rule: str, name: str, comment: str, data: bytes) -> None:
        algorithm = f"{name.partition('-')[0]}/1"
        self.invalid(name, rule, comment, "essence", data, algorithm=algorithm)


def exif(orientation: int = 6, order: str = "<", *, kind: int = 3, count: int = 1) -> bytes:
    head = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(order + "HHI", 0x0112, kind, count)
    entry += struct.pack(order + "HH", orientation, 0)
    return head + struct.pack(order + "IH", 8, 1) + entry + bytes(4)


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" %b/></rdf:RDF></x:xmpmeta>'
)
XMP_PLAIN = XMP % b'tiff:Make="x"'
XMP_TURNED = XMP % b'tiff:Orientation="8"'


def turned_with(at: int, orientation: int = 6) -> bytes:
    """A description of 6 bytes at a place, then an orientation; 44 is behind the directory."""
    description = struct.pack("<HHII", 0x010E, 2, 6, at)
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    return b"II*\0" + struct.pack("<IH", 8, 2) + description + entry + bytes(4 + 6 + 6)


TWO_ORIENTATIONS = (
    b"II*\0" + struct.pack("<IH", 8, 2) + struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0) * 2 + bytes(4)
)


def items(*parts: Item) -> bytes:
    return b"".join(type + sha256(content).digest() for type, content in parts)
