"""Nothing foreign reaches a terminal as it came."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitp2p.cli.clean import clean, clean_lines, fit, pad, width
from hitp2p.cli.output import command_lines, day, n_of, size, table

HOSTILE = "\x1b[2J\x07\x9b31m\u202egnp.exe\u2066\u200b\ufeff\U000e0041\ud800\x7f\r\n\x00"


def test_controls_are_shown_not_sent() -> None:
    assert clean("a\x1b[31mb") == "a\\x1b[31mb"
    assert clean("a\u202eb") == "a\\u202eb"


def test_joiners_stay_and_odd_spaces_become_plain() -> None:
    family = "\U0001f469\u200d\U0001f467"
    assert clean(family) == family
    assert clean("a\u00a0b\u3000c\td") == "a b c d"


@given(st.text() | st.just(HOSTILE))
def test_a_cleaned_text_is_one_harmless_line(text: str) -> None:
    line = clean(text)
    for char in line:
        assert char in "\u200c\u200d" or unicodedata.category(char)[0] != "C"
        assert unicodedata.category(char) not in ("Zl", "Zp")
    assert len(line.splitlines()) <= 1
    assert clean(line) == line


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.integers(2, 40))
def test_what_is_fitted_takes_no_more_than_its_room(text: str, columns: int) -> None:
    shown = fit(text, columns)
    assert width(shown) <= columns
    assert width(pad(shown, columns)) == columns


def test_lines_are_split_at_line_feeds_only() -> None:
    assert clean_lines("a\nb\x85c\u2028d") == ["a", "b c d"]


def test_a_table_keeps_to_its_page_and_cuts_one_column() -> None:
    rows = [("abcd", "x" * 200, "Ana [k3f9z2ab]"), ("efgh", "\u8a69" * 60, "Bo [7ytq4mzd]")]
    lines = list(table(("NAME", "TITLE", "BY"), rows, flexible=1))
    assert all(width(line) <= 80 for line in lines)
    assert lines[1].endswith("Ana [k3f9z2ab]")
    assert lines[1].index("Ana") == lines[0].index("BY")


@pytest.mark.parametrize(
    ("n_bytes", "words"),
    [(0, "0 bytes"), (1, "1 byte"), (1023, "1,023 bytes"), (1024, "1.0 KiB"), (5 * 2**40, "5.0 TiB"),
     (2**60, "1048576.0 TiB")],
)  # fmt: skip
def test_sizes_are_in_words(n_bytes: int, words: str) -> None:
    assert size(n_bytes) == words


def test_counts_and_days_are_in_words() -> None:
    assert n_of(1, "work") == "1 work"
    assert n_of(1200, "identity", "identities") == "1,200 identities"
    assert day(0) == "1970-01-01 00:00"
    assert day(2**53 - 1) == "9007199254740991 ms after 1970"


def test_a_long_command_breaks_before_an_option_and_never_inside_quotes() -> None:
    line = "hitp2p remix song.wav --of k3f9z2ab --title 'A long title with many words' --note 'Your verse made me sing'"
    assert list(command_lines(line)) == [
        "$ hitp2p remix song.wav --of k3f9z2ab --title 'A long title with many words' \\",
        "    --note 'Your verse made me sing'",
    ]
