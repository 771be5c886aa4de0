"""XMP packets: write a pointer into one without disturbing what else it holds [MED-30].

The comment is `dc:description`, the copyright is `dc:rights`. An existing text gets the pointer behind it; a property
that isn't there comes in a description of its own at the end. Nothing else in the packet moves by a byte.
"""

from __future__ import annotations

from typing import Final

from hitp2p.errors import DecodeError
from hitp2p.limits import METADATA_BYTES
from hitp2p.media.markup import XML_NAMESPACE, Token, escape, iter_tokens
from hitp2p.media.pointer import place_pointer

__all__ = ["RDF_NAMESPACE", "edit_packet", "new_packet", "pointer_rdf", "read_packet"]

RDF_NAMESPACE: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DC: Final = "http://purl.org/dc/elements/1.1/"
_PROPERTIES: Final = ("description", "rights")
_PACKET_END: Final = "<?xpacket end="


def new_packet(pointer: str) -> bytes:
    """A packet that holds a pointer and nothing else."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/">{pointer_rdf(pointer)}</x:xmpmeta>\n'
        '<?xpacket end="w"?>'
    ).encode()


def pointer_rdf(pointer: str) -> str:
    """An `rdf:RDF` element with a pointer as comment and copyright."""
    inside = _description(_PROPERTIES, pointer, about="")
    return f'<rdf:RDF xmlns:rdf="{RDF_NAMESPACE}">{inside}</rdf:RDF>'


def edit_packet(
    packet: bytes, pointer: str, *, rule: str, most_bytes: int = METADATA_BYTES
) -> bytes:
    """The packet with a pointer as comment and copyright; the same bytes again when it already holds it.

    Args:
        packet: as received.
        pointer: `hitp2p:` and a CID.
        rule: the format's rule, which a refusal cites.
        most_bytes: room for the packet in its container; padding gives way when it is short.

    Raises:
        DecodeError: it can't be edited without the risk of breaking it.
    """
    text, tokens = read_packet(packet, rule=rule)
    edits: list[tuple[int, int, str]] = []
    missing: list[str] = []
    for name in _PROPERTIES:
        found = _value(tokens, name, rule=rule)
        if found is None:
            missing.append(name)
        elif (put := place_pointer(found.text, pointer)) != found.text:
            edits.append((found.start, found.end, escape(put)))
    end = _end_of_rdf(tokens, rule=rule)
    if missing:
        about = _about(tokens, rule=rule)
        edits.append((end, end, _description(tuple(missing), pointer, about=about)))
    for start, stop, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[stop:]
    return _fit(text, most_bytes, rule=rule)


def read_packet(packet: bytes, *, rule: str) -> tuple[str, list[Token]]:
    """The packet as text and tokens.

    Raises:
        DecodeError: it is not UTF-8, too long, or not plain enough to be edited.
    """
    if len(packet) > METADATA_BYTES:
        raise _refusal(f"it has {len(packet)} bytes; at most {METADATA_BYTES} are read", rule)
    try:
        text = packet.decode()
        return text, list(iter_tokens(text, rule=rule, instructions=True))
    except UnicodeDecodeError:
        raise _refusal("it is not UTF-8", rule) from None
    except DecodeError as error:
        raise _refusal(error.message, rule) from None


def _refusal(why: str, rule: str) -> DecodeError:
    return DecodeError(
        f"the file's XMP packet can't be edited safely: {why}; remove it or write it anew with a tag editor first",
        rule=rule,
    )


def _end_of_rdf(tokens: list[Token], *, rule: str) -> int:
    """Where the one `rdf:RDF` element closes."""
    ends = [
        t for t in tokens if t.kind == "end" and (t.namespace, t.name) == (RDF_NAMESPACE, "RDF")
    ]
    starts = [
        t for t in tokens if t.kind == "start" and (t.namespace, t.name) == (RDF_NAMESPACE, "RDF")
    ]
    if len(ends) != 1 or starts[0].is_empty:
        raise _refusal(f"{len(ends)} elements rdf:RDF that can be added to, not 1", rule)
    return ends[0].start


def _descriptions(tokens: list[Token]) -> list[Token]:
    """The starts of the top-level descriptions."""
    rdf = next(
        (
            t
            for t in tokens
            if t.kind == "start" and (t.namespace, t.name) == (RDF_NAMESPACE, "RDF")
        ),
        None,
    )
    return [
        t
        for t in tokens
        if rdf is not None
        and t.kind == "start"
        and t.depth == rdf.depth + 1
        and (t.namespace, t.name) == (RDF_NAMESPACE, "Description")
    ]


def _about(tokens: list[Token], *, rule: str) -> str:
    """What the packet is about: one value for all descriptions, mostly empty."""
    said = {
        next((a.value for a in t.attributes if a.name == "about"), "")
        for t in _descriptions(tokens)
    }
    if len(said) > 1:
        raise _refusal("its descriptions are about different things", rule)
    return said.pop() if said else ""


def _value(tokens: list[Token], name: str, *, rule: str) -> Token | None:
    """The text of a property, which is one token; None where the packet hasn't the property."""
    descriptions = _descriptions(tokens)
    if any((a.namespace, a.name) == (_DC, name) for t in descriptions for a in t.attributes):
        raise _refusal(f"dc:{name} is an attribute", rule)
    starts = [
        at
        for at, t in enumerate(tokens)
        if t.kind == "start"
        and (t.namespace, t.name) == (_DC, name)
        and descriptions
        and t.depth == descriptions[0].depth + 1
    ]
    if not starts:
        return None
    if len(starts) > 1:
        raise _refusal(f"dc:{name} stands in it {len(starts)} times", rule)
    return _text_of(tokens, starts[0], f"dc:{name}", rule=rule)


def _text_of(tokens: list[Token], at: int, what: str, *, rule: str) -> Token:
    """The one text of a property, or of the default entry of its `rdf:Alt`."""
    depth = tokens[at].depth
    items = [
        i
        for i in range(at + 1, _closing(tokens, at))
        if tokens[i].kind == "start"
        and (tokens[i].namespace, tokens[i].name) == (RDF_NAMESPACE, "li")
        and tokens[i].depth == depth + 2
    ]
    chosen = next(
        (i for i in items if _language(tokens[i]) == "x-default"), items[0] if items else at
    )
    inside = tokens[chosen + 1 : _closing(tokens, chosen)]
    if len(inside) != 1 or inside[0].kind != "text" or not inside[0].is_plain:
        raise _refusal(f"{what} is no single text", rule)
    return inside[0]


def _closing(tokens: list[Token], at: int) -> int:
    return next(
        i
        for i in range(at, len(tokens))
        if tokens[i].kind == "end" and tokens[i].depth == tokens[at].depth
    )


def _language(token: Token) -> str:
    names = {(a.namespace, a.name): a.value for a in token.attributes}
    return names.get((XML_NAMESPACE, "lang"), "")


def _description(names: tuple[str, ...], pointer: str, *, about: str) -> str:
    inside = "".join(
        f'<dc:{name}><rdf:Alt><rdf:li xml:lang="x-default">{pointer}</rdf:li></rdf:Alt></dc:{name}>'
        for name in names
    )
    return (
        f'<rdf:Description rdf:about="{escape(about)}" xmlns:rdf="{RDF_NAMESPACE}" xmlns:dc="{_DC}">'
        f"{inside}</rdf:Description>"
    )


def _fit(text: str, most_bytes: int, *, rule: str) -> bytes:
    packet = text.encode()
    if len(packet) > most_bytes:
        before, end, behind = text.rpartition(_PACKET_END)
        packet = (before.rstrip() + "\n" + end + behind).encode() if end else packet
    if len(packet) > most_bytes:
        raise _refusal(f"{len(packet)} bytes would be needed; at most {most_bytes} fit", rule)
    return packet
