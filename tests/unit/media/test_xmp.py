"""Pointers in XMP packets [MED-30]: what is edited, what stays, and what is refused."""

from __future__ import annotations

import pytest
from picture_files import OTHER_POINTER, POINTER

from hitp2p.errors import DecodeError
from hitp2p.limits import METADATA_BYTES
from hitp2p.media.xmp import edit_packet, new_packet

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DC = "http://purl.org/dc/elements/1.1/"
PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">%s</rdf:RDF></x:xmpmeta>\n'
    "    \n    \n"
    '<?xpacket end="w"?>'
)


def description(inside: str, more: str = 'rdf:about=""') -> str:
    return f'<rdf:Description {more} xmlns:dc="{DC}">{inside}</rdf:Description>'


def alt(*texts: tuple[str, str]) -> str:
    items = "".join(f'<rdf:li xml:lang="{lang}">{text}</rdf:li>' for lang, text in texts)
    return f"<rdf:Alt>\n {items}\n</rdf:Alt>"


def edited(*descriptions: str, pointer: str = POINTER) -> str:
    packet = (PACKET % "".join(descriptions)).encode()
    return edit_packet(packet, pointer, rule="MED-12").decode()


def refused(packet: bytes | str) -> str:
    raw = packet.encode() if isinstance(packet, str) else packet
    with pytest.raises(DecodeError, match=r"can't be edited safely: .*; remove it") as caught:
        edit_packet(raw, POINTER, rule="MED-13")
    assert caught.value.rule == "MED-13"
    return caught.value.message


def test_med_30_what_is_missing_comes_in_a_description_at_the_end() -> None:
    old = description("<dc:creator>Ana</dc:creator>")
    text = edited(old)
    before, new, behind = text.partition(old)
    assert before + new == (PACKET % old).split("</rdf:RDF>")[0]
    assert behind.count(POINTER) == 2
    assert behind.endswith((PACKET % "").split("%")[0].split("</rdf:RDF>")[1])


def test_med_30_a_text_gets_the_pointer_behind_it_and_the_rest_stays() -> None:
    old = "".join(
        (
            "<dc:rights>" + alt(("de", "Ä"), ("x-default", "A &amp; B")) + "</dc:rights>",
            "<dc:description>" + alt(("en", "sea")) + "</dc:description>",
        )
    )
    new = old.replace("A &amp; B", f"A &amp; B {POINTER}").replace("sea", f"sea {POINTER}")
    assert edited(description(old)) == PACKET % description(new)


def test_med_30_an_older_pointer_gives_way_and_the_same_changes_nothing() -> None:
    old = f"<dc:rights>Ana, {OTHER_POINTER} (2026)</dc:rights>"
    once = edited(description(old))
    assert f"<dc:rights>Ana, {POINTER} (2026)</dc:rights>" in once
    assert edit_packet(once.encode(), POINTER, rule="MED-12").decode() == once
    assert edit_packet(new_packet(POINTER), OTHER_POINTER, rule="MED-12") == new_packet(
        OTHER_POINTER
    )


def test_med_30_properties_inside_others_are_not_the_files_own() -> None:
    inner = f"<dc:source>{description('<dc:rights>of a source</dc:rights>')}</dc:source>"
    text = edited(description(inner))
    assert "<dc:rights>of a source</dc:rights>" in text
    assert text.count(POINTER) == 2


def test_med_30_a_new_description_is_about_what_the_others_are() -> None:
    text = edited(description("", 'rdf:about="uuid:1&amp;2"'))
    assert text.count('rdf:about="uuid:1&amp;2"') == 2


@pytest.mark.parametrize(
    ("why", "inside"),
    [
        ("an attribute", description("", f'rdf:about="" dc:rights="Ana" xmlns:d="{DC}"')),
        ("2 times", description("<dc:rights>a</dc:rights><dc:rights>b</dc:rights>")),
        ("2 times", description("<dc:rights>a</dc:rights>") * 2),
        ("no single text", description("<dc:rights/>")),
        ("no single text", description("<dc:rights><rdf:Alt/></dc:rights>")),
        ("no single text", description("<dc:rights>" + alt(("x-default", "")) + "</dc:rights>")),
        ("no single text", description("<dc:rights>a<!-- b --></dc:rights>")),
        ("no single text", description("<dc:rights><![CDATA[a]]></dc:rights>")),
        ("different things", description("", 'rdf:about="a"') + description("", 'rdf:about="b"')),
        ("elements rdf:RDF", f"</rdf:RDF><rdf:RDF xmlns:rdf='{RDF}'>"),
        ("a reference", "&nbsp;"),
    ],
)
def test_med_30_what_could_break_is_refused(why: str, inside: str) -> None:
    assert why in refused(PACKET % inside)


@pytest.mark.parametrize(
    ("why", "packet"),
    [
        ("not UTF-8", (PACKET % "").encode("utf-16")),
        ("a character", (PACKET % "" + "\0").encode()),
        ("elements rdf:RDF", b"<a/>"),
        ("elements rdf:RDF", f'<rdf:RDF xmlns:rdf="{RDF}"/>'.encode()),
        ("document type", b"<!DOCTYPE a><a/>"),
        ("an end tag", b"</a>"),
        ("one", b""),
    ],
)
def test_med_30_a_packet_that_is_none_is_refused(why: str, packet: bytes) -> None:
    assert why in refused(packet)


def test_med_30_a_packet_of_4_mib_is_edited_and_a_longer_one_refused() -> None:
    padding = METADATA_BYTES - len((PACKET % "").encode())
    fits = (PACKET % "").replace("    \n    \n", "    \n    \n" + " " * padding).encode()
    assert len(fits) == METADATA_BYTES
    assert POINTER in edit_packet(fits, POINTER, rule="MED-12").decode()
    assert str(METADATA_BYTES) in refused(fits + b" ")
