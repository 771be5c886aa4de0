"""SVG: the tree of elements without metadata and comments, written in one canonical way [MED-16].

Refused is whatever could make a picture show something that the tree doesn't hold: scripts, other files, HTML inside,
style sheets that see where the metadata stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import BinaryIO, Final

from hitp2p.errors import DecodeError
from hitp2p.limits import SVG_BYTES
from hitp2p.media.essence import FoundEssence, essence_hasher
from hitp2p.media.markup import Attribute, Token, escape, iter_tokens
from hitp2p.media.source import MediaSource
from hitp2p.media.splice import TagFinder, splice
from hitp2p.media.xmp import RDF_NAMESPACE, pointer_rdf

__all__ = ["ALGORITHM", "scan", "write_pointer"]

ALGORITHM: Final = "svg/1"
_RULE: Final = "MED-16"

_SVG: Final = "http://www.w3.org/2000/svg"
_XLINK: Final = "http://www.w3.org/1999/xlink"
_XML: Final = "http://www.w3.org/XML/1998/namespace"
_REFUSED_NAMESPACES: Final = frozenset(
    {
        "http://www.w3.org/1999/xhtml",
        "http://www.w3.org/2001/XInclude",
        "http://www.w3.org/2001/xml-events",
        "http://www.w3.org/1999/XSL/Transform",
    }
)
_REFUSED_ELEMENTS: Final = frozenset({"script", "handler", "listener", "foreignObject"})
_PARENTS: Final = frozenset(
    {"svg", "g", "defs", "a", "symbol", "path", "rect", "circle", "ellipse", "line", "polyline"}
    | {"polygon", "image", "use"}
)
"""Elements that metadata may stand in."""
_DOCTYPE: Final = re.compile(
    r'<!DOCTYPE[ \t\r\n]+svg[ \t\r\n]+PUBLIC[ \t\r\n]+"-//W3C//DTD SVG 1\.[01]//EN"'
    r'[ \t\r\n]+"http://www\.w3\.org/[A-Za-z0-9./-]*"[ \t\r\n]*>'
)
_SPACE: Final = " \t\r\n"
_URL: Final = re.compile(r"url\(\s*+[\"']?+\s*+(?!#|data:)", re.IGNORECASE)
_OTHER_FILES: Final = re.compile(r"@import|image-set\(|image\(|src\(", re.IGNORECASE)
_SEES_PLACES: Final = re.compile(
    r"[+~\\]|metadata|has\(|nth-|first-|last-|only-|empty|@namespace", re.IGNORECASE
)
"""Selectors that may depend on which elements stand beside one; a backslash could hide such a word."""
_OWN: Final = re.compile(
    '<metadata xmlns="http://www\\.w3\\.org/2000/svg"><rdf:RDF [^>]*>'
    '<rdf:Description rdf:about="" [^>]*><dc:description><rdf:Alt><rdf:li xml:lang="x-default">hitp2p:b[a-z2-7]+</rdf:li></rdf:Alt></dc:description>'
    '<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">hitp2p:b[a-z2-7]+</rdf:li></rdf:Alt></dc:rights></rdf:Description></rdf:RDF></metadata>'
)
"""The element that `write_pointer` writes."""


def scan(source: MediaSource) -> FoundEssence:
    """The essence of an SVG file.

    Raises:
        DecodeError: it is odd (MED-16).
    """
    text, raw = _read(source)
    hasher = essence_hasher(ALGORITHM)
    for part in _canonical(text):
        hasher.update(part.encode())
    tags = TagFinder()
    tags.look(raw)
    return FoundEssence(algorithm=ALGORITHM, digest=hasher.digest(), tag_texts=tags.texts)


def write_pointer(source: MediaSource, sink: BinaryIO, pointer: str) -> None:
    """Copy the file with the pointer in a `metadata` element of its own, first in the root.

    Raises:
        DecodeError: the file is odd (MED-16).
    """
    scan(source)
    text, _ = _read(source)
    new = f'<metadata xmlns="{_SVG}">{pointer_rdf(pointer)}</metadata>'
    root = next(t for t in iter_tokens(text, rule=_RULE, doctype=_DOCTYPE) if t.kind == "start")
    old = _OWN.match(text, root.end)
    start, end = (root.end, root.end) if old is None else old.span()
    if root.is_empty:
        name = text[root.start + 1 :].split(None, 1)[0].rstrip("/>")
        slash = text.rindex("/", root.start, root.end)
        start, end, new = slash, root.end, f">{new}</{name}>"
    at, behind = len(text[:start].encode()), len(text[:end].encode())
    if source.size + len(new) - (behind - at) > SVG_BYTES:
        raise DecodeError(f"no room for a pointer in {SVG_BYTES} bytes", rule=_RULE)
    for _ in _canonical(text[:start] + new + text[end:]):  # two prefixes more may be too many
        pass
    splice(source, sink, [(at, behind, new.encode())], rule=_RULE)


def _read(source: MediaSource) -> tuple[str, bytes]:
    if source.size > SVG_BYTES:
        raise DecodeError(f"{source.size} bytes; at most {SVG_BYTES} are read", rule=_RULE)
    raw = source.read(0, source.size, rule=_RULE)
    try:
        return raw.decode(), raw
    except UnicodeDecodeError as error:
        raise DecodeError("not UTF-8", rule=_RULE, offset=error.start) from None


def _canonical(text: str) -> Iterator[str]:
    """The tree as text: what is hashed."""
    run: list[str] = []
    """Character data since the last tag that is kept."""
    texts = 0
    """How many open elements keep white space."""
    for token in _kept(text):
        if token.kind == "text":
            run.append(token.text)
            continue
        if run:
            characters = "".join(run)
            run.clear()
            if texts or characters.strip(_SPACE):
                yield escape(characters)
        is_text = (token.namespace, token.name) == (_SVG, "text")
        name = _name(token.namespace, token.name)
        if token.kind == "start":
            yield f"<{name}{_attributes(token.attributes) if token.attributes else ''}>"
            texts += is_text
        else:
            yield f"</{name}>"
            texts -= is_text


@lru_cache(maxsize=1024)
def _name(namespace: str, name: str) -> str:
    return f"{{{escape(namespace)}}}{name}" if namespace else name


def _attributes(attributes: tuple[Attribute, ...]) -> str:
    written = [(_name(a.namespace, a.name), escape(a.value)) for a in attributes]
    return "".join(f' {name}="{value}"' for name, value in sorted(written, key=_by_bytes))


def _by_bytes(written: tuple[str, str]) -> bytes:
    return written[0].encode()


def _kept(text: str) -> Iterator[Token]:
    """The tokens of the picture; what is left out is checked all the same."""
    left_out_at: int | None = None
    parents: list[tuple[str, str]] = []
    sheet: list[str] | None = None
    ids = _Ids()
    for token in iter_tokens(text, rule=_RULE, doctype=_DOCTYPE):
        if token.kind == "comment" or (token.kind == "text" and not token.depth):
            continue
        if token.kind == "start":
            if sheet is not None:
                raise DecodeError("an element in a style sheet", rule=_RULE)
            if left_out_at is None and _is_metadata(token):
                left_out_at = token.depth
                _check_parent(parents)
            ids.take(token, is_kept=left_out_at is None)
            (_check_element if left_out_at is None else _check_metadata)(token)
            parents.append((token.namespace, token.name))
        elif token.kind == "end":
            parents.pop()
        if left_out_at is None:
            sheet = _check_sheet(token, sheet)
            yield token
        elif token.kind == "end" and token.depth == left_out_at:
            left_out_at = None


class _Ids:
    """The ids of what is kept and of what is left out, none of which may be the same."""

    __slots__ = ("_kept", "_left_out")

    def __init__(self) -> None:
        self._kept: set[str] = set()
        self._left_out: set[str] = set()

    def take(self, token: Token, *, is_kept: bool) -> None:
        """Take in an element's ids.

        Raises:
            DecodeError: a reference could find this element instead of another, or another instead of this.
        """
        if not token.attributes:
            return
        ids = {a.value for a in token.attributes if a.name == "id" and a.namespace in ("", _XML)}
        mine, others = (self._kept, self._left_out) if is_kept else (self._left_out, self._kept)
        if not ids.isdisjoint(others):
            raise DecodeError("an id in the metadata that the picture has too", rule=_RULE)
        mine |= ids


def _is_metadata(token: Token) -> bool:
    return (token.namespace, token.name) == (_SVG, "metadata") or token.namespace == RDF_NAMESPACE


def _check_parent(parents: list[tuple[str, str]]) -> None:
    """Elsewhere an element could be chosen or counted, as in a `switch`."""
    if not parents or parents[-1][0] != _SVG or parents[-1][1] not in _PARENTS:
        raise DecodeError("metadata in an element where they may be in the way", rule=_RULE)


def _check_metadata(token: Token) -> None:
    """An element of SVG's inside the metadata could be drawn from outside, or style what is."""
    is_metadata = (token.namespace, token.name) == (_SVG, "metadata")
    if (token.namespace == _SVG and not is_metadata) or token.namespace in _REFUSED_NAMESPACES:
        raise DecodeError(f"an element {token.name[:40]!a} of SVG or HTML in metadata", rule=_RULE)


def _check_element(token: Token) -> None:
    if not token.depth and (token.namespace, token.name) != (_SVG, "svg"):
        raise DecodeError("the root isn't an svg element in SVG's namespace", rule=_RULE)
    if token.namespace in _REFUSED_NAMESPACES:
        raise DecodeError(f"an element {token.name[:40]!a} that isn't SVG", rule=_RULE)
    if token.namespace == _SVG and token.name in _REFUSED_ELEMENTS:
        raise DecodeError(
            f"an element {token.name[:40]!a}; only drawn elements are allowed", rule=_RULE
        )
    for attribute in token.attributes:
        _check_attribute(token, attribute)


def _check_attribute(token: Token, attribute: Attribute) -> None:
    value = attribute.value.strip(_SPACE)
    if attribute.namespace in _REFUSED_NAMESPACES or (
        not attribute.namespace and attribute.name.lower().startswith("on")
    ):
        raise DecodeError(f"an attribute {attribute.name[:40]!a}, which runs a script", rule=_RULE)
    if attribute.namespace == _XML and attribute.name == "base":
        raise DecodeError("xml:base changes what references mean", rule=_RULE)
    if attribute.name in ("href", "src"):
        _check_reference(token, value)
    if attribute.name == "attributeName" and value.rpartition(":")[2].lower() in ("href", "style"):
        raise DecodeError("an animation of a reference or a style", rule=_RULE)
    if not attribute.namespace:
        _check_css(value)
        if "\\" in value:
            raise DecodeError("a backslash in an attribute, which could hide a word", rule=_RULE)


def _check_reference(token: Token, value: str) -> None:
    is_link = (token.namespace, token.name) == (_SVG, "a")
    scheme = "".join(c for c in value.lower() if c > " ")
    if is_link and not scheme.startswith(("javascript:", "data:")):
        return
    if is_link or not value.startswith(("#", "data:")):
        raise DecodeError("a reference to another file, or a script in a link", rule=_RULE)


def _check_css(value: str) -> None:
    if _URL.search(value) or _OTHER_FILES.search(value):
        raise DecodeError("a style that takes something from another file", rule=_RULE)


def _check_sheet(token: Token, sheet: list[str] | None) -> list[str] | None:
    """Gather what a style element holds and check it at its end."""
    if token.kind == "text":
        if sheet is not None:
            sheet.append(token.text)
        return sheet
    if (token.namespace, token.name) != (_SVG, "style"):
        return None
    if token.kind == "start":
        return []
    rules = "".join(sheet or ())
    _check_css(rules)
    if _SEES_PLACES.search(rules):
        raise DecodeError("a style sheet that may see where metadata stand", rule=_RULE)
    return None
