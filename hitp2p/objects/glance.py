"""A contribution seen at one glance: the tables of spec 03 as a regular expression over the bytes of a block.

Works are nearly all of a trail. In canonical dag-cbor the keys of a map have one order and each head has one form, so that
contributions of plain parts are a regular language. Reading one that matches takes 12 us, its hash included, where decoding it
and looking into the values takes 17 us with libipld and 32 us without. As `hitp2p.objects.quick`, it says only "surely right"
or "look closer", and the second to much that is right: text that isn't ASCII or is longer than 63 bytes, sources
elsewhere, lists of more than 23 entries.

Every item begins with a head that says where it ends, and each length of a text is an alternative of its own. So a block
matches in one way at most, and nothing is tried twice. Two things are left open in the expression, since it can't count: how
many entries a list has, and how many fields a map with optional fields. `_make_judge` asks that of what was caught, with the
rules on names and whatever else the table asks of a value, and remembers the answers. Each number is compared with its head,
from the outside to the inside; then the match is what a decoder reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain, combinations, count
from typing import Any, Final, TypeAlias

from hitp2p import limits
from hitp2p.codec.cid import LINK_BYTES, Cid, recent_link
from hitp2p.codec.dagcbor import Profile, decode_reference
from hitp2p.errors import DecodeError, RuleError
from hitp2p.objects.kinds import KINDS
from hitp2p.objects.parts import PERSON_RULES, PROSE_RULES, USE, USE_RULES, FileName, License
from hitp2p.objects.shape import (
    REF_PATTERN,
    Bytes,
    Choice,
    Integer,
    Link,
    ListOf,
    Pattern,
    Record,
    Ref,
    Shape,
    Text,
)

__all__ = ["see_contribution"]

_WORTH_IT: Final = 512
"""Contributions that are looked at closely before the expressions are compiled, which takes 35 ms."""
_TEXT_BYTES: Final = 63
"""Longest text that is seen."""
_ENTRIES: Final = 23
"""Most entries whose number stands in the head itself."""

_BODY: Final = KINDS["contribution"].body
_NOT_SEEN: Final = {USE: ("project", "source"), _BODY: ("note_block",)}
"""Optional fields that are rare or have many forms."""
_TAKEN: Final = {USE: "work"}
"""The ref of an entry that is taken out of the match; it is the last that is caught."""
_RULES_ON_NAMES: Final = frozenset((USE_RULES, PERSON_RULES, PROSE_RULES))
"""Rules that ask only which fields a map has."""
_REMEMBERED: Final = 512
_NO_LISTS: Final[Mapping[str, str]] = {}


_Seen: TypeAlias = tuple[dict[str, Any], tuple[str, ...]]
_See: TypeAlias = Callable[[bytes], _Seen | None]

_met: Final[Iterator[int]] = count()
_see: _See | None = None


def see_contribution(block: bytes) -> _Seen | None:
    """The envelope of a contribution that surely is right and the works that it uses; None where others have to look.

    The envelope is without `sig` and `spec`, and its body is None. Bounds on the whole block are for the caller. The first 512
    calls see nothing.
    """
    global _see
    if _see is None:
        if next(_met) < _WORTH_IT:
            return None
        _see = _make_see()
    return _see(block)


# --- expressions ----------------------------------------------------------------------------------
_ANY_INTEGER: Final = (
    r"(?>[\x00-\x17]|\x18[\x18-\xff]|\x19(?!\x00).{2}|\x1a(?!\x00\x00).{4}"
    r"|\x1b\x00(?!\x00{3})[\x00-\x1f].{6})"
)
"""0 to 2^53 - 1, each in its shortest form."""
_LINK_HEAD: Final = r"\xd8\x2a\x58\x25\x00"
_OBJECT_CID: Final = r"\x01\x71\x12\x20.{{32}}"
_LINK_ITEM_BYTES: Final = 41
_REF_CHARS: Final = 59
_ENVELOPE: Final = (
    r"\xaa\x63sig\x58\x40.{{64}}\x64body{body}\x64kind\x6ccontribution\x64spec\x01"
    r"\x64time\x1b(?P<time>\x00(?!\x00{{3}})[\x00-\x1f].{{6}})"
    rf"\x65event{_LINK_HEAD}(?P<event>{_OBJECT_CID})\x66author{_LINK_HEAD}(?P<author>{_OBJECT_CID})"
    r"\x66signer\x58\x20(?P<signer>.{{32}})"
    rf"\x67parents(?P<parents>[\x81-\x97](?>{_LINK_HEAD}{_OBJECT_CID})++)"
    rf"\x67project{_LINK_HEAD}(?P<project>{_OBJECT_CID})"
)
_KEPT: Final = ("time", "event", "author", "signer", "parents", "project")


def _head(major: int, length: int) -> str:
    return rf"\x{major + length:02x}" if length < 24 else rf"\x{major + 24:02x}\x{length:02x}"


def _alternatives(expressions: Iterable[str]) -> str:
    return f"(?>{'|'.join(expressions)})"


def _text(one: str, limit_bytes: int) -> str:
    """Text of characters each of which is `one`, behind a head that says how many."""
    lengths = range(1, min(limit_bytes, _TEXT_BYTES) + 1)
    return _alternatives(f"{_head(0x60, n)}{one}{{{n}}}" for n in lengths)


def _word(text: str) -> str:
    return _head(0x60, len(text)) + re.escape(text)


_NO_KEY: Final = f"(?!{'|'.join(map(_word, (*_BODY.fields, 'kind')))})"
"""Stands before each entry that may be text: the list ends where the next field begins."""


def _expression(shape: Shape) -> str:
    """Matches the canonical items of this shape that are seen, and more where `_is_open` says so. Catches nothing."""
    match shape:
        case FileName():
            return r"(?!\x61\.|\x62\.\.)" + _text(r"[ -.0-\[\]-~]", shape.limit_bytes)
        case Text() | Pattern():
            return _text("[ -~]", shape.limit_bytes)
        case Ref():
            return _head(0x60, _REF_CHARS) + REF_PATTERN
        case Choice():
            return _alternatives(map(_word, sorted(shape.words)))
        case Integer(low=0, high=limits.FILE_BYTES):
            return _ANY_INTEGER
        case Bytes():
            lengths = range(shape.least, shape.most + 1, 16)
            return _alternatives(f"{_head(0x40, n)}.{{{n}}}" for n in lengths)
        case Link():
            codecs = "".join(rf"\x{codec:02x}" for codec in sorted(shape.codecs))
            return rf"{_LINK_HEAD}\x01[{codecs}]\x12\x20.{{32}}"
        case ListOf() if not isinstance(shape.entry, Record):
            return _list(shape, _NO_KEY + _expression(shape.entry))
        case Record():
            return _inner_record(shape)
        case _:
            raise NotImplementedError(f"no expression for a {type(shape).__name__} here")


def _is_open(shape: Shape) -> bool:
    """Whether the table asks more than the expression, so that each value that matches has to be checked."""
    return isinstance(shape, License | Pattern | ListOf)


def _list(shape: ListOf, entry: str) -> str:
    return rf"[\x81-\x{0x80 + min(shape.limit, _ENTRIES):02x}](?>{entry})++"


def _seen(record: Record) -> list[str]:
    """The fields of a record that are seen, in the order of ENC-3."""
    names = record.fields.keys() - _NOT_SEEN.get(record, ())
    return sorted(names, key=lambda name: (len(name), name))


def _inner_record(record: Record) -> str:
    """A map whose choices of optional fields are alternatives, so that nothing is open."""
    if record.rules or any(map(_is_open, record.fields.values())):
        raise NotImplementedError("rules are asked of entries and of bodies only")
    names = _seen(record)
    optional = [name for name in names if name not in record.required]
    left_out = chain.from_iterable(combinations(optional, n) for n in range(len(optional) + 1))
    choices = ([name for name in names if name not in absent] for absent in left_out)
    return _alternatives(_exactly(record, choice) for choice in choices)


def _exactly(record: Record, names: list[str]) -> str:
    items = [_word(name) + _expression(record.fields[name]) for name in names]
    return _head(0xA0, len(names)) + "".join(items)


def _open_record(
    record: Record, lists: Mapping[str, str] = _NO_LISTS, *, caught: str = "{}"
) -> str:
    """An entry of a list, or a body: a map of any number of its optional fields, so that its head is open.

    Args:
        record: its table.
        lists: expressions of its fields that are lists of records.
        caught: how the head is written, the first byte of each optional field, and values that are open.
    """
    parts = [caught.format(r"[\xa1-\xb7]")]
    for name in _seen(record):
        shape, word = record.fields[name], _word(name)
        value = lists.get(name) or _expression(shape)
        if _TAKEN.get(record) == name:
            value = _head(0x60, _REF_CHARS) + caught.format(REF_PATTERN)
        elif name not in lists and _is_open(shape):
            value = caught.format(value)
        if name in record.required:
            parts.append(word + value)
        else:
            parts.append(f"(?>{caught.format(word[:4])}{word[4:]}{value})?+")
    return "".join(parts)


# --- what expressions leave open ------------------------------------------------------------------
_Caught: TypeAlias = tuple[bytes | None, ...]


def _make_judge(record: Record, lists: Collection[str] = ()) -> Callable[[_Caught], bool]:
    """Whether what `_open_record` left open is right, by what it caught (without what is taken out)."""
    if not _RULES_ON_NAMES.issuperset(record.rules):
        raise NotImplementedError("a rule on more than names")
    layout: list[tuple[str, Shape | None]] = []
    for name in _seen(record):
        shape = record.fields[name]
        if name not in record.required:
            layout.append((name, None))
        if name not in lists and _is_open(shape):
            layout.append((name, shape))

    @lru_cache(maxsize=_REMEMBERED)
    def is_right(caught: _Caught) -> bool:
        names = dict.fromkeys(record.required)
        try:
            for (name, shape), raw in zip(layout, caught[1:], strict=True):
                if raw and shape is None:
                    names[name] = None
                elif raw and shape is not None:
                    shape.check(decode_reference(raw, profile=Profile.OBJECT))
            for rules in record.rules:
                rules(names)
        except (DecodeError, RuleError):
            return False
        return caught[0] == bytes((0xA0 + len(names),))

    return is_right


def _make_see() -> _See:
    """Compiles the expressions."""
    entries = {
        name: (shape, shape.entry)
        for name, shape in _BODY.fields.items()
        if isinstance(shape, ListOf) and isinstance(shape.entry, Record)
    }
    lists = {
        name: f"(?P<{name}>{_list(shape, _open_record(entry))})"
        for name, (shape, entry) in entries.items()
    }
    whole = _compile(_ENVELOPE.format(body=_open_record(_BODY, lists, caught="({})")))
    named = set(whole.groupindex.values())
    of_body = [number for number in range(1, whole.groups + 1) if number not in named]
    body_is_right = _make_judge(_BODY, lists)
    finders = [
        (name, _compile(_open_record(entry, caught="({})")).findall, _make_judge(entry))
        for name, (_, entry) in entries.items()
    ]

    def see(block: bytes) -> _Seen | None:
        found = whole.fullmatch(block)
        if found is None or not body_is_right(found.group(*of_body)):
            return None
        uses_here: tuple[str, ...] = ()
        for name, find_all, is_right in finders:
            start, end = found.span(name)
            if start < 0:
                continue
            caught = find_all(block, start + 1, end)
            if len(caught) != block[start] - 0x80:
                return None
            if name == "uses":
                uses_here = tuple([use[-1].decode() for use in caught])
                caught = [use[:-1] for use in caught]
            for entry in caught:
                if not is_right(entry):
                    return None
        time, event, author, signer, links, project = found.group(*_KEPT)
        parents: list[Cid] = []
        last = b""
        for start in range(6, len(links), _LINK_ITEM_BYTES):
            parent = links[start : start + LINK_BYTES]
            if parent <= last:
                return None
            parents.append(recent_link(parent))
            last = parent
        if len(parents) != links[0] - 0x80:
            return None
        fields = {
            "body": None,
            "kind": "contribution",
            "time": int.from_bytes(time, "big"),
            "event": recent_link(event),
            "author": recent_link(author),
            "signer": signer,
            "parents": parents,
            "project": recent_link(project),
        }
        return fields, uses_here

    return see


def _compile(expression: str) -> re.Pattern[bytes]:
    return re.compile(expression.encode("ascii"), re.DOTALL)
