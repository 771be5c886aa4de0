"""Tags of MP4, M4A and QuickTime files, and the pointer in them: `©cmt` and `cprt` of the item list [MED-22].

The list stands in `moov/udta/meta/ilst`, where most programs keep it for all three. A longer index before the media data
moves them, so all chunk offsets behind it are raised.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from heapq import merge
from typing import BinaryIO, Final

from hitp2p.dataclass import dataclass
from hitp2p.errors import DecodeError
from hitp2p.media.formats.mp4_boxes import (
    RULE,
    Box,
    inside_meta,
    iter_boxes,
    odd,
    one,
    payload,
    pick,
    read_layout,
)
from hitp2p.media.formats.mp4_tables import chunk_offsets
from hitp2p.media.pointer import find_pointers, place_pointer, pointing_texts
from hitp2p.media.source import MediaSource
from hitp2p.media.splice import splice

__all__ = ["tag_texts", "write_pointer"]

_ITEMS: Final = (b"\xa9cmt", b"cprt")
"""Comment and copyright."""
_TAG_BYTES: Final = 64 * 1024
"""Longest tag that is looked at."""
_HANDLER: Final = bytes(8) + b"mdirappl" + bytes(9)
"""What makes a `meta` box hold an item list."""
_OFFSETS: Final = 16_384
"""Chunk offsets that are rewritten at once."""


def tag_texts(source: MediaSource, movie: Box) -> tuple[str, ...]:
    """Texts in the tags of a film that speak of `hitp2p:`, as received; what isn't built like tags is passed over."""
    return pointing_texts(_texts(source, movie))


def _texts(source: MediaSource, movie: Box) -> Iterator[str]:
    for box in iter_boxes(source, movie.body, movie.end):
        try:
            if box.name == b"meta":
                yield from _item_texts(source, box)
            elif box.name == b"udta":
                yield from _user_texts(source, box)
        except DecodeError:  # tags are foreign matter: odd ones don't cost a film its essence
            continue


def _user_texts(source: MediaSource, box: Box) -> Iterator[str]:
    """Texts of QuickTime's own tags (a length and a language before each), and of the item list inside."""
    for tag in iter_boxes(source, box.body, box.end, zero_ends=True):
        if tag.name == b"meta":
            yield from _item_texts(source, tag)
        elif tag.name[:1] == b"\xa9" and 4 < tag.size <= _TAG_BYTES:
            content = source.read(tag.body, tag.size, rule=RULE)
            yield content[4 : 4 + int.from_bytes(content[:2], "big")].decode("utf-8", "replace")


def _item_texts(source: MediaSource, meta: Box) -> Iterator[str]:
    """Texts of an item list: Apple's tags by name, or by key."""
    for listed in pick(source, inside_meta(source, meta), frozenset({b"ilst"})).values():
        for item in iter_boxes(source, listed.body, listed.end):
            try:
                yield from _data_texts(source, item)
            except DecodeError:
                continue


def _data_texts(source: MediaSource, item: Box) -> Iterator[str]:
    for data in iter_boxes(source, item.body, item.end):
        if data.name == b"data" and 8 < data.size <= _TAG_BYTES:
            content = source.read(data.body + 8, data.size - 8, rule=RULE)
            yield content.decode("utf-8", "replace")


Edit = tuple[int, int, bytes]
"""Start, end, and what stands there instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """An edit of tags, and all boxes around it, which grow with it."""

    edit: Edit
    holders: tuple[Box, ...]

    @property
    def growth(self) -> int:
        start, end, new = self.edit
        return len(new) - (end - start)


def write_pointer(source: MediaSource, sink: BinaryIO, pointer: str) -> None:
    """Copy the film with `pointer` in its comment and copyright items; samples stay byte for byte.

    Raises:
        DecodeError: MED-22, or tags that can't be edited safely; the message says what to do.
    """
    movie = read_layout(source).movie
    changes = tuple(_tag_changes(source, movie, pointer))
    growth = sum(change.growth for change in changes)
    near = sorted([*(change.edit for change in changes), *_resized(changes)])
    far = _moved_chunks(source, movie, growth) if growth else ()
    splice(source, sink, merge(near, far), rule=RULE)


def _tag_changes(source: MediaSource, movie: Box, pointer: str) -> Iterator[_Change]:
    """What to write where: the items, and an older pointer in QuickTime's own tags."""
    items = b"".join(_item(name, pointer) for name in _ITEMS)
    user = pick(source, movie, frozenset({b"udta"})).get(b"udta")
    if user is None:
        yield _insert(_framed(b"udta", _new_meta(items)), movie)
        return
    tags = tuple(iter_boxes(source, user.body, user.end, zero_ends=True))
    metas = [tag for tag in tags if tag.name == b"meta"]
    if not metas:
        end = tags[-1].end if tags else user.body
        yield _Change(edit=(end, end, _new_meta(items)), holders=(movie, user))
    elif len(metas) > 1:
        raise _unsafe("two lists of tags")
    else:
        yield from _meta_changes(source, (movie, user, metas[0]), pointer, items)
    yield from _own_changes(source, tags, (movie, user), pointer)


def _meta_changes(
    source: MediaSource, holders: tuple[Box, ...], pointer: str, items: bytes
) -> Iterator[_Change]:
    meta = holders[-1]
    found = pick(source, inside_meta(source, meta), frozenset({b"hdlr", b"ilst"}))
    if payload(source, one(found, b"hdlr", meta))[8:12] != b"mdir":
        raise _unsafe("tags of a kind that isn't known")
    listed = found.get(b"ilst")
    if listed is None:
        yield _insert(_framed(b"ilst", items), *holders)
    else:
        yield from _item_changes(source, (*holders, listed), pointer)


def _item_changes(source: MediaSource, holders: tuple[Box, ...], pointer: str) -> Iterator[_Change]:
    """The two items: their texts with the pointer, or new ones."""
    found = pick(source, holders[-1], frozenset(_ITEMS))
    for item in found.values():
        locale, text = _text_of(source, item)
        new = _item(item.name, place_pointer(text, pointer), locale)
        yield _Change(edit=(item.start, item.end, new), holders=holders)
    missing = b"".join(_item(name, pointer) for name in _ITEMS if name not in found)
    if missing:
        yield _insert(missing, *holders)


def _text_of(source: MediaSource, item: Box) -> tuple[bytes, str]:
    """Locale and text of an item that is one text."""
    parts = tuple(iter_boxes(source, item.body, item.end))
    content = payload(source, parts[0]) if [part.name for part in parts] == [b"data"] else b""
    try:
        if content[:4] == bytes(3) + b"\1" and len(content) >= 8:
            return content[4:8], content[8:].decode()
    except UnicodeDecodeError:
        pass
    raise _unsafe(f"a tag {item.name!a} that isn't one text in UTF-8")


def _own_changes(
    source: MediaSource, tags: Sequence[Box], holders: tuple[Box, ...], pointer: str
) -> Iterator[_Change]:
    """QuickTime's own tags of one text that holds an older pointer; ffmpeg writes such."""
    for tag in tags:
        if tag.name[:1] != b"\xa9" or not 4 < tag.size <= _TAG_BYTES:
            continue
        content = source.read(tag.body, tag.size, rule=RULE)
        text = content[4:].decode("utf-8", "replace")
        if int.from_bytes(content[:2], "big") == tag.size - 4 and find_pointers([text]):
            new = place_pointer(text, pointer).encode()
            body = len(new).to_bytes(2, "big") + content[2:4] + new
            yield _Change(edit=(tag.start, tag.end, _framed(tag.name, body)), holders=holders)


def _insert(new: bytes, *holders: Box) -> _Change:
    """New boxes at the end of the innermost holder."""
    return _Change(edit=(holders[-1].end, holders[-1].end, new), holders=holders)


def _unsafe(found: str) -> DecodeError:
    return odd(f"{found}: remove it with a tag editor, or put the bundle beside the file instead")


def _framed(name: bytes, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + name + body


def _item(name: bytes, text: str, locale: bytes = bytes(4)) -> bytes:
    return _framed(name, _framed(b"data", bytes(3) + b"\1" + locale + text.encode()))


def _new_meta(items: bytes) -> bytes:
    return _framed(b"meta", bytes(4) + _framed(b"hdlr", _HANDLER) + _framed(b"ilst", items))


def _resized(changes: Sequence[_Change]) -> Iterator[Edit]:
    """The sizes in the headers of all boxes that grow, written in 32 or in 64 bits."""
    growth: Counter[Box] = Counter()
    for change in changes:
        for box in change.holders:
            growth[box] += change.growth
    for box, more in growth.items():
        width = 4 if box.body - box.start == 8 else 8
        size = box.end - box.start + more
        if size >> 8 * width:
            raise _unsafe(f"box {box.name!a} would have {size} bytes, too many for its header")
        start = box.start if width == 4 else box.start + 8
        yield start, start + width, size.to_bytes(width, "big")


def _moved_chunks(source: MediaSource, movie: Box, growth: int) -> Iterator[Edit]:
    """All tables of chunk offsets, for the data behind the index."""
    path = (b"mdia", b"minf", b"stbl")
    for track in iter_boxes(source, movie.body, movie.end):
        if track.name != b"trak":
            continue
        box = track
        for name in path:
            box = one(pick(source, box, frozenset({name})), name, box)
        tables = pick(source, box, frozenset({b"stco", b"co64", b"saio"}))
        if b"saio" in tables:
            raise _unsafe("tables of auxiliary data")
        for table in tables.values():
            chunk_offsets(source, table)  # checks its length
            yield from _shifted(source, table, movie.end, growth)


def _shifted(source: MediaSource, table: Box, behind: int, growth: int) -> Iterator[Edit]:
    code = "I" if table.name == b"stco" else "Q"
    width = struct.calcsize(f">{code}")
    for at in range(table.body + 8, table.end, width * _OFFSETS):
        data = source.read(at, min(width * _OFFSETS, table.end - at), rule=RULE)
        layout = f">{len(data) // width}{code}"
        moved = [
            offset + growth if offset >= behind else offset
            for offset in struct.unpack(layout, data)
        ]
        if moved and max(moved) >> 8 * width:
            raise _unsafe(
                "media data too far back for chunk offsets of 32 bits; move the index behind it"
            )
        yield at, at + len(data), struct.pack(layout, *moved)
