"""IPNS names and records made of anything: an answer or an `InvalidError`, and nothing that was changed gets through."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitp2p.codec.cid import Cid
from hitp2p.codec.dagcbor import encode
from hitp2p.codec.protobuf import encode_bytes
from hitp2p.errors import InvalidError
from hitp2p.keys.ed25519 import SigningKey
from hitp2p.keys.ipns import (
    NameKey,
    NameRecord,
    encode_name,
    encode_record,
    parse_name,
    verify_record,
)

KEY: Final = NameKey.derive(SigningKey.from_seed(bytes(32)), Cid.of(0x71, b"a project"))
RECORD: Final = NameRecord(
    value=Cid.of(0x71, b"a snapshot"), sequence=3, valid_until="2030-01-01T00:00:00Z", ttl_ns=1
)
GOOD: Final = encode_record(RECORD, KEY)
UNCHECKED: Final = range(GOOD.index(b"\x12\x40") + 2, GOOD.index(b"\x12\x40") + 66)
"""Where signatureV1 stands, which nobody looks at."""
VALUES: Final = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.text(), st.binary(),
    st.just(f"/ipfs/{RECORD.value}".encode()), st.just(b"2030-01-01T00:00:00Z"), st.just(0),
)  # fmt: skip
DATA: Final = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("TTL", "Value", "Sequence", "Validity", "ValidityType"), VALUES)
)


def signed(data: bytes) -> bytes:
    return encode_bytes(0x42, KEY.sign(data)) + encode_bytes(0x4A, data)


@given(st.binary(max_size=300))
def test_bytes_that_are_no_record_are_refused(raw: bytes) -> None:
    with pytest.raises(InvalidError):
        verify_record(raw, KEY.public, now=None)


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_record_with_another_byte_is_refused(at: int, change: int) -> None:
    raw = GOOD[:at] + bytes([GOOD[at] ^ change]) + GOOD[at + 1 :]
    if at in UNCHECKED:
        assert verify_record(raw, KEY.public, now=None) == RECORD
    else:
        with pytest.raises(InvalidError):
            verify_record(raw, KEY.public, now=None)


@given(DATA)
def test_data_that_was_signed_is_read_or_refused_by_a_rule(said: dict[str, Any]) -> None:
    with suppress(InvalidError):
        found = verify_record(signed(encode(said)), KEY.public, now=None)
        assert (found.sequence, found.ttl_ns) == (said["Sequence"], said["TTL"])


@given(st.binary(max_size=100))
def test_anything_signed_as_data_is_read_or_refused_by_a_rule(data: bytes) -> None:
    with pytest.raises(InvalidError):
        verify_record(signed(data), KEY.public, now=None)


@given(st.binary(min_size=32, max_size=32))
def test_a_name_of_any_key_comes_back_or_the_key_is_refused(public: bytes) -> None:
    name = encode_name(public)
    assert len(name) == 62
    with suppress(InvalidError):
        assert parse_name(name) == public


@given(st.text(max_size=70) | st.text(alphabet="k0123z_ K", min_size=62, max_size=62))
def test_text_that_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidError):
        parse_name(text)
