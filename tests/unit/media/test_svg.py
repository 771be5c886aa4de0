"""SVG [MED-16]: the tree that is hashed, and what could make it show something else."""

from __future__ import annotations

import tracemalloc
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from picture_files import (
    POINTER,
    Piece,
    holds_when_cut,
    holds_when_flipped,
    holds_when_pointed,
    point,
    raises_nothing_else,
    refusal,
    scan,
    valid_pictures,
)

from hitp2p.errors import DecodeError
from hitp2p.limits import SVG_BYTES

NS = "http://www.w3.org/2000/svg"


def svg(inside: str, more: str = "") -> bytes:
    return f'<svg xmlns="{NS}"{more}>{inside}</svg>'.encode()


PLAIN = svg('<rect width="2"/><text>a  b</text>')
RDF = '<metadata><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">%s</r:RDF></metadata>'


def digest_of(tree: str) -> bytes:
    return sha256(b"hitp2p/essence/svg/1\0" + tree.encode()).digest()


def test_med_16_the_payload_is_the_tree() -> None:
    n = f"{{{NS}}}"
    tree = f'<{n}svg><{n}rect width="2"></{n}rect><{n}text>a  b</{n}text></{n}svg>'
    assert scan("svg", PLAIN).digest == digest_of(tree)


def test_med_16_a_flipped_byte_counts_only_in_the_tree() -> None:
    start, metadata = f'<svg xmlns="{NS}">'.encode(), (RDF % "hello").encode()
    holds_when_flipped(
        "svg",
        [
            Piece(b"<!-- ", "frame"),
            Piece(b"a comment", "metadata"),
            Piece(b" -->" + start + metadata[: -len("hello</r:RDF></metadata>")], "frame"),
            Piece(b"hello", "metadata"),
            Piece(b"</r:RDF></metadata>", "frame"),
            Piece(b'<rect id="r" width="2"/><text>ab</text>', "payload"),
            Piece(b"</svg>", "payload"),
        ],
    )


def test_med_16_a_cut_file_is_refused() -> None:
    holds_when_cut("svg", svg(RDF % "x" + "<g><!-- a --><path d='M0'/>&lt;</g>"))


@given(st.binary(max_size=200))
def test_med_16_random_bytes_raise_nothing_else(data: bytes) -> None:
    raises_nothing_else("svg", "MED-16", data)
    raises_nothing_else("svg", "MED-16", PLAIN[:-6] + data + b"</svg>")


@given(
    st.lists(
        st.sampled_from(
            [
                *("<g>", "</g>", "<rect/>", "<text>", "</text>", "<style>", "</style>", " ", "a"),
                *("<metadata>", "</metadata>", "<metadata/>", "<!-- c -->", "&lt;", "&#10;", "&x;"),
                *("<![CDATA[", "]]>", "<a href='#b'>", "</a>", "<x:y xmlns:x='urn:x'", ">", "/>"),
                *("url(a)", "'", '"', "<!DOCTYPE svg>", "<?xml?>", "--", "id='i'", "\0", "é"),
            ]
        ),
        max_size=12,
    )
)
def test_med_16_scraps_of_markup_raise_nothing_else(scraps: list[str]) -> None:
    raises_nothing_else("svg", "MED-16", svg("".join(scraps)))


@pytest.mark.parametrize(
    "scrap",
    [
        *("<", "&", "<!--", "<![CDATA[", "<a ", "<a b", "<a b=", "<a b='", "</", "<?", "<!D", " "),
        *("a:", "<a:", "url(", "url( ", "<g", "<g>", "]]", "<style>+", "<text> ", "&#1"),
    ],
)
def test_med_16_a_long_run_of_anything_is_refused_at_once(scrap: str) -> None:
    """Each would take minutes if some search went back over it again and again."""
    run = scrap * (2**20 // len(scrap))
    refusal("svg", svg(run, ' a="')[:-6])
    refusal("svg", run.encode())
    refusal("svg", svg("<style>" + run + "<style>"))
    refusal("svg", svg(f'<g a="{run}"/><script/>'))


def test_med_16_8_mib_are_read_and_not_a_byte_more() -> None:
    room = SVG_BYTES - len(PLAIN) - len("<!---->")
    fits = PLAIN + b"<!--" + b" " * room + b"-->"
    assert scan("svg", fits).digest == scan("svg", PLAIN).digest
    assert str(SVG_BYTES) in refusal("svg", fits + b" ").message


def test_med_16_memory_grows_with_the_file_and_no_faster() -> None:
    data = svg("<g a='b'><path/>text</g>" * 4_000)
    tracemalloc.start()
    try:
        scan("svg", data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * len(data) + 2**20


def test_med_16_metadata_of_editors_are_left_out() -> None:
    work = '<c:Work xmlns:c="http://creativecommons.org/ns#" r:about=""><c:license/></c:Work>'
    with_work = svg("\n  " + RDF % work + "\n  <rect width='2'/><text>a  b</text>\n")
    assert scan("svg", with_work).digest == scan("svg", PLAIN).digest


ROOMY = [p for p in valid_pictures("MED-16") if p.id != "med-16-svg-64-prefixes"]


@pytest.mark.parametrize("data", ROOMY)
def test_med_30_a_pointer_changes_nothing_that_is_shown(data: bytes) -> None:
    holds_when_pointed("svg", data)


def test_med_30_a_pointer_stands_first_in_the_root_and_old_metadata_stay() -> None:
    old = RDF % "é"
    pointed = point("svg", svg(old + "<rect/>")).decode()
    assert pointed.startswith(f'<svg xmlns="{NS}"><metadata xmlns="{NS}"><rdf:RDF ')
    assert pointed.endswith(f"</metadata>{old}<rect/></svg>")
    assert pointed.count(POINTER) == 2


def test_med_30_a_file_without_room_for_a_pointer_is_refused() -> None:
    prefixes = "".join(f' xmlns:a{n}="urn:{n}"' for n in range(62))
    with pytest.raises(DecodeError, match="prefixes at once"):
        point("svg", svg("", prefixes))
    full = PLAIN + b"<!--" + b" " * (SVG_BYTES - len(PLAIN) - len("<!---->")) + b"-->"
    with pytest.raises(DecodeError, match="no room for a pointer"):
        point("svg", full)


def test_med_30_an_empty_root_is_opened() -> None:
    data = f"<!-- é --><svg xmlns='{NS}' a='/' />".encode()
    pointed = point("svg", data).decode()
    assert pointed.startswith(f"<!-- é --><svg xmlns='{NS}' a='/' ><metadata")
    assert pointed.endswith("</metadata></svg>")
