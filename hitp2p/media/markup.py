"""A strict reader for the small part of XML that SVG and XMP need.

UTF-8 only; no entities but the five that XML itself has, so nothing expands; no document type save the caller's own;
ASCII names; nothing recursive. What it accepts, every XML parser reads the same way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from hitp2p.dataclass import dataclass, field
from hitp2p.errors import DecodeError
from hitp2p.limits import MARKUP_ATTRIBUTES, MARKUP_DEPTH, MARKUP_PREFIXES

__all__ = ["XML_NAMESPACE", "Attribute", "Token", "escape", "iter_tokens"]

XML_NAMESPACE: Final = "http://www.w3.org/XML/1998/namespace"
_XMLNS: Final = "http://www.w3.org/2000/xmlns/"
_NAME: Final = r"(?:[A-Za-z_][A-Za-z0-9._-]*:)?[A-Za-z_][A-Za-z0-9._-]*+"
_START_TAG: Final = re.compile(f"<({_NAME})")
_ATTRIBUTE: Final = re.compile(
    rf"[ \t\r\n]+({_NAME})[ \t\r\n]*=[ \t\r\n]*(?:\"([^<\"]*)\"|'([^<']*)')"
)
_TAG_END: Final = re.compile(r"[ \t\r\n]*(/?)>")
_END_TAG: Final = re.compile(rf"</({_NAME})[ \t\r\n]*>")
_DECLARATION: Final = re.compile(
    r"<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:\"1\.0\"|'1\.0')"
    r"(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:\"(?i:utf-8)\"|'(?i:utf-8)'))?"
    r"(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:\"(?:yes|no)\"|'(?:yes|no)'))?[ \t\r\n]*\?>"
)
_NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_REFERENCE: Final = re.compile(
    r"&(?:#([0-9]{1,7}+)|#x([0-9A-Fa-f]{1,6}+)|(amp|lt|gt|quot|apos));|&"
)
_ENTITIES: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_ESCAPES: Final = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "\t": "&#x9;",
        "\n": "&#xA;",
        "\r": "&#xD;",
    }
)
_TO_ESCAPE: Final = re.compile('[&<>"\t\n\r]')
_SPACE: Final = " \t\r\n"
_MARKS: Final = ("!", "?", "/")
"""What follows `<` where it begins something else than a start tag."""


class Attribute(NamedTuple):
    """An attribute other than a namespace declaration."""

    namespace: str
    """Empty where the name has no prefix."""
    name: str
    """Without prefix."""
    value: str
    """References resolved; white space that was written as such is spaces, as XML demands."""


class Token(NamedTuple):
    """A piece of markup; an empty element gives a start and an end at the same place.

    A named tuple, as are attributes: made by the million, and a third of the cost of a frozen dataclass.
    """

    kind: Literal["start", "end", "text", "comment", "instruction"]
    start: int
    """Where it begins, in characters of the text that was read."""
    end: int
    """Just behind it."""
    depth: int
    """How many elements are open around it."""
    namespace: str = ""
    """Of an element."""
    name: str = ""
    """Of an element, without prefix."""
    attributes: tuple[Attribute, ...] = ()
    """Of a start."""
    text: str = ""
    """Of a text: references resolved, ends of line as line feeds."""
    is_empty: bool = False
    """A start written `<name/>`."""
    is_plain: bool = True
    """A text that isn't a CDATA section."""


def escape(text: str) -> str:
    """A text as character data or as a value in double quotes."""
    if _TO_ESCAPE.search(text) is None:
        return text
    return text.translate(_ESCAPES)


def iter_tokens(
    text: str, *, rule: str, doctype: re.Pattern[str] | None = None, instructions: bool = False
) -> Iterator[Token]:
    """The tokens of a document, in order. Text and comments around the root element are given too.

    Args:
        text: decoded from UTF-8, as received, perhaps with a byte order mark.
        rule: what a refusal cites.
        doctype: the document types that are passed over; None refuses all.
        instructions: whether processing instructions are let through.

    Raises:
        DecodeError: it isn't well-formed, or not of this part of XML.
    """
    bad = _NOT_XML.search(text)
    if bad is not None:
        raise DecodeError("a character that XML doesn't allow", rule=rule)
    return _Reader(text=text, rule=rule, doctype=doctype, instructions=instructions).tokens()


_Open = tuple[str, str, str, dict[str, str]]


@dataclass(slots=True, kw_only=True)
class _Reader:
    text: str
    rule: str
    doctype: re.Pattern[str] | None
    instructions: bool
    at: int = 0
    seen_root: bool = False
    open: list[_Open] = field(default_factory=list[_Open])
    """Of each open element: the name as written, namespace, local name, and the prefixes in scope."""

    def refuse(self, why: str) -> DecodeError:
        line = self.text.count("\n", 0, self.at) + 1
        return DecodeError(f"{why}, in line {line}", rule=self.rule)

    def tokens(self) -> Iterator[Token]:
        if self.text.startswith("\ufeff"):
            self.at = 1
        declaration = _DECLARATION.match(self.text, self.at)
        if declaration is not None:
            self.at = declaration.end()
        while self.at < len(self.text):
            if self.text[self.at] == "<" and self.text[self.at + 1 : self.at + 2] not in _MARKS:
                yield from self.start_tag()
            else:
                yield from self.other()
        if self.open or not self.seen_root:
            raise self.refuse("the markup ends inside an element or without one")

    def other(self) -> Iterator[Token]:
        text, at = self.text, self.at
        if text[at] != "<":
            yield self.characters()
        elif text.startswith("<!--", at):
            yield self.comment()
        elif text.startswith("<![CDATA[", at):
            yield self.cdata()
        elif text.startswith("<!", at):
            self.document_type()
        elif text.startswith("<?", at):
            yield self.instruction()
        else:
            yield self.end_tag()

    def characters(self) -> Token:
        end = self.text.find("<", self.at)
        end = len(self.text) if end < 0 else end
        raw = self.text[self.at : end]
        if "]]>" in raw:
            raise self.refuse("`]]>` in a text")
        if not self.open and raw.strip(_SPACE):
            raise self.refuse("a text outside the root element")
        return self.token("text", end, text=self.resolve(_line_feeds(raw)))

    def comment(self) -> Token:
        end = self.text.find("--", self.at + 4)
        if end < 0 or not self.text.startswith("-->", end):
            raise self.refuse("a comment without an end or with `--` inside")
        return self.token("comment", end + 3)

    def cdata(self) -> Token:
        end = self.text.find("]]>", self.at)
        if end < 0 or not self.open:
            raise self.refuse("a CDATA section without an end or outside the root element")
        inside = _line_feeds(self.text[self.at + 9 : end])
        return self.token("text", end + 3, text=inside, is_plain=False)

    def document_type(self) -> None:
        found = None if self.doctype is None else self.doctype.match(self.text, self.at)
        if found is None or self.seen_root:
            raise self.refuse("a document type declaration")
        self.doctype = None
        self.at = found.end()

    def instruction(self) -> Token:
        end = self.text.find("?>", self.at)
        if (
            end < 0
            or not self.instructions
            or self.text[self.at + 2 : self.at + 5].lower() == "xml"
        ):
            raise self.refuse("a processing instruction or an unusual XML declaration")
        return self.token("instruction", end + 2)

    def end_tag(self) -> Token:
        found = _END_TAG.match(self.text, self.at)
        if found is None or not self.open or self.open[-1][0] != found[1]:
            raise self.refuse("an end tag that closes nothing")
        _, namespace, name, _ = self.open.pop()
        start, self.at = self.at, found.end()
        return Token("end", start, self.at, len(self.open), namespace, name)

    def start_tag(self) -> Iterator[Token]:
        found = _START_TAG.match(self.text, self.at)
        if found is None or (self.seen_root and not self.open):
            raise self.refuse("a malformed tag, or a second root element")
        if len(self.open) >= MARKUP_DEPTH:
            raise self.refuse(f"elements nested deeper than {MARKUP_DEPTH}")
        written, at = self.written_attributes(found.end())
        end = _TAG_END.match(self.text, at)
        if end is None:
            raise self.refuse("a malformed tag")
        scope = self.scope(written)
        namespace, name = self.expand(found[1], scope, default=scope.get("", ""))
        start = self.at
        is_empty = bool(end[1])
        start, self.at, depth = self.at, end.end(), len(self.open)
        is_empty = bool(end[1])
        attributes = self.attributes(written, scope) if written else ()
        self.seen_root = True
        yield Token("start", start, self.at, depth, namespace, name, attributes, "", is_empty)
        if is_empty:
            yield Token("end", start, self.at, depth, namespace, name)
        else:
            self.open.append((found[1], namespace, name, scope))

    def written_attributes(self, at: int) -> tuple[dict[str, str], int]:
        """Values by the name as written, and where the attributes end."""
        written: dict[str, str] = {}
        while (found := _ATTRIBUTE.match(self.text, at)) is not None:
            raw = found[2] if found[3] is None else found[3]
            if found[1] in written or len(written) >= MARKUP_ATTRIBUTES:
                raise self.refuse(f"an attribute twice, or more than {MARKUP_ATTRIBUTES}")
            spaced = _line_feeds(raw).replace("\n", " ").replace("\t", " ")
            written[found[1]] = self.resolve(spaced)
            at = found.end()
        return written, at

    def scope(self, written: dict[str, str]) -> dict[str, str]:
        """The prefixes that hold in an element with these attributes."""
        outer = self.open[-1][3] if self.open else {"xml": XML_NAMESPACE}
        if not written:
            return outer
        declared = {
            name.partition(":")[2]: uri
            for name, uri in written.items()
            if name == "xmlns" or name.startswith("xmlns:")
        }
        for prefix, uri in declared.items():
            if prefix in ("xml", "xmlns") or uri in (XML_NAMESPACE, _XMLNS) or (prefix and not uri):
                raise self.refuse("a namespace declaration that XML doesn't allow")
        scope = outer | declared if declared else outer
        if len(scope) > MARKUP_PREFIXES:
            raise self.refuse(f"more than {MARKUP_PREFIXES} prefixes at once")
        return scope

    def expand(self, written: str, scope: dict[str, str], default: str) -> tuple[str, str]:
        prefix, colon, name = written.rpartition(":")
        if not colon:
            return default, name
        if prefix not in scope:
            raise self.refuse(f"a prefix {prefix[:40]!a} that isn't declared")
        return scope[prefix], name

    def attributes(self, written: dict[str, str], scope: dict[str, str]) -> tuple[Attribute, ...]:
        found: dict[tuple[str, str], Attribute] = {}
        for raw, value in written.items():
            if raw == "xmlns" or raw.startswith("xmlns:"):
                continue
            namespace, name = self.expand(raw, scope, default="")
            found[namespace, name] = Attribute(namespace=namespace, name=name, value=value)
        if len(found) != sum(not (n == "xmlns" or n.startswith("xmlns:")) for n in written):
            raise self.refuse("an attribute twice under two prefixes")
        return tuple(found.values())

    def resolve(self, raw: str) -> str:
        """A text with its references replaced; none of them can name or nest anything."""

        def character(found: re.Match[str]) -> str:
            if found[3]:
                return _ENTITIES[found[3]]
            code = int(found[1]) if found[1] else int(found[2], 16) if found[2] else 0
            if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF or _NOT_XML.match(chr(code)):
                raise self.refuse("a reference that isn't one of XML's own")
            return chr(code)

        return _REFERENCE.sub(character, raw) if "&" in raw else raw

    def token(
        self,
        kind: Literal["text", "comment", "instruction"],
        end: int,
        text: str = "",
        *,
        is_plain: bool = True,
    ) -> Token:
        start, self.at = self.at, end
        return Token(kind, start, end, len(self.open), text=text, is_plain=is_plain)


def _line_feeds(raw: str) -> str:
    return raw.replace("\r\n", "\n").replace("\r", "\n")
