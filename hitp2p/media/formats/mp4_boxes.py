"""Boxes of MP4 and QuickTime files: a size, a name, and what is inside [MED-22]."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from hitp2p.dataclass import dataclass, replace
from hitp2p.errors import DecodeError
from hitp2p.limits import FILM_BOX_BYTES, FILM_BOXES, FILM_TAG_LEVELS
from hitp2p.media.source import MediaSource

__all__ = [
    "RULE",
    "STRUCTURE",
    "Box",
    "Layout",
    "children",
    "clock_of",
    "inside_meta",
    "iter_boxes",
    "odd",
    "one",
    "payload",
    "pick",
    "read_layout",
    "require_harmless",
    "require_tags",
]

RULE: Final = "MED-22"

_FREE: Final = frozenset({b"free", b"skip", b"wide", b"uuid"})
_TOP_LEVEL: Final = frozenset({b"ftyp", b"moov", b"mdat", b"meta", b"pdin"}) | _FREE
_TAGS: Final = frozenset({b"meta", b"udta", b"tref", b"ilst", b"gmhd"})
"""Boxes whose content is boxes to many players, and no matter to us."""
_BESIDE: Final[Mapping[bytes, frozenset[bytes]]] = {
    b"moov": frozenset({b"mvhd", b"trak", b"iods", b"ctab", b"meta", b"udta"}) | _FREE,
    b"trak": frozenset({b"tapt", b"load", b"txas", b"trgr", b"meta", b"udta", b"tref"}) | _FREE,
    b"mdia": frozenset({b"elng", b"udta"}) | _FREE,
    b"minf": frozenset({b"vmhd", b"smhd", b"hmhd", b"nmhd", b"sthd", b"gmhd", b"hdlr"}) | _FREE,
    b"stbl": frozenset({b"stss", b"stsh", b"stps", b"sdtp", b"sbgp", b"sgpd", b"cslg", b"padb"})
    | frozenset({b"stdp", b"subs", b"saiz", b"saio"})
    | _FREE,
    b"dinf": _FREE,
    b"edts": _FREE,
}
"""What may stand in a box beside what we read there. Players find tables at other places too, so nothing else may."""
STRUCTURE: Final = (
    frozenset({b"ftyp", b"moov", b"mdat", b"mvhd", b"trak", b"tkhd", b"edts", b"elst", b"mdia"})
    | frozenset({b"mdhd", b"minf", b"dinf", b"dref", b"stbl", b"stsd", b"stts", b"ctts", b"stsc"})
    | frozenset({b"stsz", b"stz2", b"stco", b"co64", b"stss", b"stps", b"moof", b"mvex", b"traf"})
    | frozenset({b"trex", b"tfhd", b"tfdt", b"trun", b"sidx", b"cmov", b"hoov", b"rmra", b"pssh"})
)
"""What decides which samples are played; elsewhere than at its place it is a trap for one player or another."""
_SET_UP: Final = (
    frozenset({b"wave", b"esds", b"glbl", b"avcC", b"hvcC", b"av1C", b"vpcC", b"alac", b"dOps"})
    | frozenset({b"dfLa", b"dac3", b"dec3", b"pasp", b"colr", b"fiel", b"enda", b"jp2h", b"strf"})
    | frozenset({b"sinf", b"schi", b"iloc", b"pitm", b"iinf"})
)
"""What sets decoders up; the same among tags."""
_TAG_HANDLERS: Final = frozenset({b"mdir", b"mdta", b"ID32", b"url ", b"alis", b"rsrc"})
"""Handlers of tags and of data, not of tracks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Where a box stands; its size fits into what holds it, its content is as received."""

    name: bytes
    """Four bytes."""
    start: int
    """Of its header, in the file."""
    body: int
    """Of its content, in the file."""
    end: int
    """After its last byte, in the file."""

    @property
    def size(self) -> int:
        """Bytes of content."""
        return self.end - self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The top level of a file that holds one film, whole."""

    movie: Box
    """`moov`, the index."""
    data: tuple[Box, ...]
    """All `mdat`, in file order."""


def odd(message: str, at: int | None = None) -> DecodeError:
    """The error of a file that isn't plain enough to have an essence."""
    return DecodeError(message, rule=RULE, offset=at)


def iter_boxes(
    source: MediaSource, start: int, end: int, *, top: bool = False, zero_ends: bool = False
) -> Iterator[Box]:
    """The boxes that fill a range to its last byte.

    Args:
        top: the range is the whole file, where the last `mdat` may have size 0 for "to the end".
        zero_ends: the list may end with a zero of 32 bits, as QuickTime's tags do.

    Raises:
        DecodeError: a size is too small or runs over the end, or there are too many boxes.
    """
    for _ in range(FILM_BOXES):
        if start == end or (zero_ends and end - start == 4 and _is_zero(source, start)):
            return
        box = _box(source, start, end, top=top)
        yield box
        start = box.end
    if start < end:
        raise odd(f"more than {FILM_BOXES} boxes side by side", start)


def _is_zero(source: MediaSource, start: int) -> bool:
    return source.read(start, 4, rule=RULE) == bytes(4)


def _box(source: MediaSource, start: int, end: int, *, top: bool) -> Box:
    if end - start < 8:
        raise odd(f"{end - start} bytes where a box should begin", start)
    head = source.read(start, 8, rule=RULE)
    size, name, body = int.from_bytes(head[:4], "big"), head[4:], start + 8
    if size == 1:
        size = int.from_bytes(source.read(body, 8, rule=RULE), "big") if end - body >= 8 else 0
        body += 8
    elif size == 0 and top and name == b"mdat":
        size = end - start
    if size < body - start or size > end - start:
        raise odd(f"box {name!a} of {size} bytes where {end - start} are left", start)
    return Box(name=name, start=start, body=body, end=start + size)


def payload(source: MediaSource, box: Box) -> bytes:
    """The content of a box that is small in every honest file.

    Raises:
        DecodeError: it is larger than 16 MiB.
    """
    if box.size > FILM_BOX_BYTES:
        raise odd(f"box {box.name!a} of {box.size} bytes; at most {FILM_BOX_BYTES}", box.start)
    return source.read(box.body, box.size, rule=RULE)


def pick(source: MediaSource, box: Box, wanted: frozenset[bytes]) -> Mapping[bytes, Box]:
    """Those boxes inside one that have a wanted name, whatever else is there.

    Raises:
        DecodeError: a wanted name stands there twice.
    """
    found: dict[bytes, Box] = {}
    for child in iter_boxes(source, box.body, box.end):
        if child.name in found:
            raise odd(f"a second box {child.name!a} in {box.name!a}", child.start)
        if child.name in wanted:
            found[child.name] = child
    return found


def children(source: MediaSource, box: Box, wanted: frozenset[bytes]) -> Mapping[bytes, Box]:
    """As `pick`, where of the other boxes only harmless ones may be there.

    Raises:
        DecodeError: a wanted name stands there twice, or a box that doesn't belong there.
    """
    for child in iter_boxes(source, box.body, box.end):
        if child.name not in wanted:
            require_harmless(source, child, box.name)
    return pick(source, box, wanted)


def require_harmless(source: MediaSource, child: Box, parent: bytes) -> None:
    """Refuse a box that may change what a player plays, beside those that are read.

    Raises:
        DecodeError: it doesn't belong into `parent`, or there is structure of a film among its tags.
    """
    if child.name not in _BESIDE[parent]:
        raise odd(f"box {child.name!a} in {parent!a}", child.start)
    if child.name == b"hdlr":
        _require_tag_handler(source, child)
    elif child.name in _TAGS:
        require_tags(source, child)


def require_tags(source: MediaSource, box: Box, depth: int = 1) -> None:
    """Refuse tags that aren't boxes, or among which structure of a film is hidden.

    Raises:
        DecodeError: that, or tags nested too deeply.
    """
    if depth > FILM_TAG_LEVELS:
        raise odd("tags nested too deeply", box.start)
    inside = inside_meta(source, box) if box.name == b"meta" else box
    for child in iter_boxes(source, inside.body, inside.end, zero_ends=True):
        if child.name in STRUCTURE or child.name in _SET_UP:
            raise odd(f"box {child.name!a} among tags", child.start)
        if child.name == b"hdlr":
            _require_tag_handler(source, child)
        elif child.name in _TAGS:
            require_tags(source, child, depth + 1)


def inside_meta(source: MediaSource, meta: Box) -> Box:
    """The part of `meta` that holds boxes: QuickTime's begins with them, MP4's after four bytes."""
    head = source.read(meta.body, min(8, meta.size), rule=RULE)
    return meta if head[4:] == b"hdlr" else replace(meta, body=min(meta.body + 4, meta.end))


def _require_tag_handler(source: MediaSource, box: Box) -> None:
    kind = source.read(box.body, min(12, box.size), rule=RULE)[8:]
    if kind not in _TAG_HANDLERS:
        raise odd(f"handler {kind!a} outside a track's media", box.start)


def one(found: Mapping[bytes, Box], name: bytes, parent: Box) -> Box:
    """The box of a name that must be there."""
    if name not in found:
        raise odd(f"no box {name!a} in {parent.name!a}", parent.start)
    return found[name]


def read_layout(source: MediaSource) -> Layout:
    """The top level, checked: one index, media data, and nothing that plays in another way.

    Raises:
        DecodeError: an unknown box (fragments among them), a second `ftyp` or `moov`, none, or structure among tags.
    """
    movie: Box | None = None
    data: list[Box] = []
    for box in iter_boxes(source, 0, source.size, top=True):
        if box.name not in _TOP_LEVEL:
            raise odd(
                f"box {box.name!a} at the top level; fragmented films have no essence", box.start
            )
        if (box.name == b"ftyp" and box.start) or (box.name == b"moov" and movie):
            raise odd(f"box {box.name!a} where there should be none", box.start)
        if box.name == b"meta":
            require_tags(source, box)
        if box.name == b"moov":
            movie = box
        if box.name == b"mdat":
            data.append(box)
    if movie is None:
        raise odd("no box 'moov'")
    return Layout(movie=movie, data=tuple(data))


def clock_of(header: bytes) -> int:
    """Ticks in a second, of a film's header (`mvhd`) or a track's (`mdhd`).

    Raises:
        DecodeError: none, or the header is cut short.
    """
    start = {0: 12, 1: 20}.get(header[0] if header else 2)
    clock = int.from_bytes(header[start : start + 4], "big") if start else 0
    if not clock or len(header) < 24:
        raise odd("a clock without ticks, or of an unknown kind")
    return clock
