"""Varints: one spelling a number, at most nine bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitp2p.codec.varint import VARINT_MAX, encode_varint, parse_varint
from hitp2p.errors import DecodeError


@given(st.integers(0, VARINT_MAX), st.binary(max_size=3), st.binary(max_size=3))
def test_varints_survive_the_round_trip_between_other_bytes(
    value: int, before: bytes, after: bytes
) -> None:
    data = before + encode_varint(value) + after
    assert parse_varint(data, len(before)) == (value, len(data) - len(after))


@given(st.binary(max_size=12))
def test_whatever_is_read_is_the_only_spelling(data: bytes) -> None:
    try:
        value, end = parse_varint(data)
    except DecodeError:
        return
    assert encode_varint(value) == data[:end]


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "00"),
        (1, "01"),
        (127, "7f"),
        (128, "8001"),
        (300, "ac02"),
        (VARINT_MAX, "ff" * 8 + "7f"),
    ],
)
def test_varints_look_as_multiformats_says(value: int, encoded: str) -> None:
    assert encode_varint(value).hex() == encoded


@pytest.mark.parametrize(
    "encoded", ["", "80", "8000", "ff00", "818000", "ff" * 8, "ff" * 9, "ff" * 9 + "01", "80" * 20]
)
def test_car_2_refuses_varints_that_are_padded_cut_or_too_long(encoded: str) -> None:
    with pytest.raises(DecodeError, match="CAR-2"):
        parse_varint(bytes.fromhex(encoded))


@pytest.mark.parametrize("value", [-1, VARINT_MAX + 1])
def test_numbers_out_of_range_are_not_encoded(value: int) -> None:
    with pytest.raises(ValueError, match="allowed"):
        encode_varint(value)
