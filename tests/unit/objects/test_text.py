"""Text rules, cleaners, and the small grammars of fields."""

from __future__ import annotations

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitp2p import limits
from hitp2p.errors import RuleError, UsageError
from hitp2p.objects.parts import LANGUAGE, LICENSE, MEDIA_TYPE, PART
from hitp2p.objects.shape import Shape, Text
from hitp2p.objects.text import _LATER, clean_line, clean_text, parse_text

LINE = Text(limits.LINE_BYTES)
PROSE = Text(limits.NOTE_BYTES, multiline=True)


def rule_of(shape: Shape, text: str) -> str | None:
    try:
        shape.check(text)
    except RuleError as error:
        return error.rule
    return None


@pytest.mark.parametrize("text", ["a", "ä", "日本語", "👩\u200d🚀", "\u200cء", "a b", "~" * 256])
def test_obj_14_takes_text_of_all_scripts(text: str) -> None:
    LINE.check(text)
    PROSE.check(text)


@pytest.mark.parametrize(
    "number",
    [
        0x61C, 0x200B, 0x200E, 0x200F, 0x202A, 0x202E, 0x2060, 0x2066, 0x2069, 0xD800, 0xDFFF,
        0xFEFF, 0xE0000, 0xE0041, 0xE007F,
    ],
)  # fmt: skip
def test_obj_14_refuses_what_can_not_be_seen(number: int) -> None:
    assert rule_of(LINE, f"a{chr(number)}b") == "OBJ-14"
    assert rule_of(PROSE, f"a{chr(number)}b") == "OBJ-14"


@pytest.mark.parametrize("text", ["", "a\u0308", "\u212b", "\u0958"])
def test_obj_14_refuses_empty_text_and_other_spellings(text: str) -> None:
    assert rule_of(LINE, text) == "OBJ-14"


def test_obj_14_has_one_verdict_under_every_unicode() -> None:
    # On Unicode 15 the two marks would change places.
    for shape in (LINE, PROSE):
        shape.check("a\U0001e4ec\u0323")
    assert clean_line("a\U0001e4ec\u0323 \u0041\u0308") == "a\U0001e4ec\u0323 Ä"


def test_obj_14_no_newer_character_combines_in_this_python() -> None:
    combining = [
        (number, unicodedata.combining(chr(number)), unicodedata.decomposition(chr(number)))
        for number in range(0x110000)
        if not _LATER.match(chr(number))
    ]
    known = [row for row in combining if row[1] or (row[2] and not row[2].startswith("<"))]
    digest = hashlib.sha256(repr(known).encode()).hexdigest()
    assert (len(known), digest[:16]) == (2969, "194bade6c6e0345e"), (
        f"Unicode {unicodedata.unidata_version} has characters that combine and that _LATER lacks"
    )


@pytest.mark.parametrize("number", [0, 9, 13, 27, 0x7F, 0x80, 0x85, 0x9F, 0x2028, 0x2029])
def test_obj_15_refuses_control_characters(number: int) -> None:
    assert rule_of(LINE, f"a{chr(number)}") == "OBJ-15"
    assert rule_of(PROSE, f"a{chr(number)}") == "OBJ-15"


def test_obj_15_takes_line_feeds_in_multi_line_text_only() -> None:
    PROSE.check("a\nb\n")
    assert rule_of(LINE, "a\nb") == "OBJ-15"


@pytest.mark.parametrize(("shape", "limit"), [(LINE, 256), (PROSE, 1024)])
def test_obj_16_counts_bytes(shape: Text, limit: int) -> None:
    shape.check("a" * limit)
    shape.check("ä" * (limit // 2))
    assert rule_of(shape, "a" * (limit + 1)) == "OBJ-16"
    assert rule_of(shape, "ä" * (limit // 2) + "a") == "OBJ-16"


@pytest.mark.parametrize(
    ("shape", "good", "bad", "rule"),
    [
        (
            PART,
            "t=1 t=0.5,2 t=,3 t=01:02 t=1:02:03.5,1:02:04 t=npt:5 xywh=0,0,1,1 xywh=pixel:0,0,1,1 "
            "xywh=percent:0.5,0,1,1 char=0 char=0, char=,5 char=0,5",
            "t= t=a t=1,2,3 t=1:2 t=smpte:1 t=1&xywh=0,0,1,1 xywh=1,2,3 xywh=inch:1,1,1,1 char= "
            "char=, line=1 T=1 t=١",
            "OBJ-19",
        ),
        (LANGUAGE, "en pt-BR zh-Hant-TW de-1996 ABCDEFGH", "e en- -en en_GB fré 1en en--x", "OBJ-21"),
        (
            LICENSE,
            "MIT Apache-2.0+ DocumentRef-a:LicenseRef-b ANDY ORacle",
            "MIT/X AND OR WITH (MIT MIT) () (()) ((MIT) MIT,",
            "OBJ-22",
        ),
        (MEDIA_TYPE, "text/plain image/svg+xml a/b", "text /a a/ A/b a/b;c a/b/c", "MED-1"),
    ],
    ids=["part", "language", "license", "media-type"],
)  # fmt: skip
def test_a_small_grammar_takes_and_refuses(shape: Shape, good: str, bad: str, rule: str) -> None:
    for text in good.split():
        shape.check(text)
    for text in [*bad.split(), f"{good.split()[0]}\n", f" {good.split()[0]}"]:
        assert rule_of(shape, text) in {rule, "OBJ-15"}, text


@pytest.mark.parametrize(
    "text",
    ["MIT OR CC0-1.0", "(MIT)", "((A AND (B)) OR C WITH D)", "(" * 126 + "MIT" + ")" * 126],
)
def test_obj_22_takes_expressions(text: str) -> None:
    LICENSE.check(text)


@pytest.mark.parametrize(
    "text",
    [
        "MIT  OR X", "MIT OR", "OR MIT", "A B", "A WITH (B)", "(A) WITH B", "A WITH B WITH C", "( A)",
        "(A )", "A AND OR B", "(A)(B)", "A(B)", "A or B", "(" * 127 + "A" + ")" * 126, "() OR A", "A OR ()",
    ],
)  # fmt: skip
def test_obj_22_refuses_what_only_resembles_one(text: str) -> None:
    assert rule_of(LICENSE, text) == "OBJ-22"


def test_med_8_a_text_block_is_text() -> None:
    assert parse_text("Ana\nund Bö".encode()) == "Ana\nund Bö"
    assert len(parse_text(b"a" * limits.TEXT_BLOCK_BYTES)) == limits.TEXT_BLOCK_BYTES
    for block in (b"", b"\xff", b"a\r", "\u202e".encode(), b"a" * (limits.TEXT_BLOCK_BYTES + 1)):
        with pytest.raises(RuleError) as caught:
            parse_text(block)
        assert caught.value.rule == "MED-8"


@given(st.text(max_size=60))
def test_clean_line_gives_what_may_stand_in_a_line(text: str) -> None:
    try:
        cleaned = clean_line(text)
    except UsageError:
        return
    LINE.check(cleaned)
    assert clean_line(cleaned) == cleaned


@given(st.text(max_size=200))
def test_clean_text_gives_what_may_stand_in_a_note(text: str) -> None:
    try:
        cleaned = clean_text(text)
    except UsageError:
        return
    PROSE.check(cleaned)
    assert clean_text(cleaned) == cleaned


def test_cleaners_keep_words_and_lines() -> None:
    assert clean_line(" Night\tBus \u202e\r\n ") == "Night Bus"
    assert clean_line("a\u200b\u0308") == "ä"
    assert clean_text("one \r\ntwo\rthree\u2028four\n\n") == "one\ntwo\nthree\nfour"


def test_cleaners_refuse_to_cut() -> None:
    with pytest.raises(UsageError, match="257 bytes; at most 256"):
        clean_line("a" * 257)
    for empty in ("", " \n", "\u200b"):
        with pytest.raises(UsageError):
            clean_line(empty)
