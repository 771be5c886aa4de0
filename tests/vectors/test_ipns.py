"""Vectors of chapter 09: names, records, the key of a name."""

from __future__ import annotations

from typing import Any

import pytest
from spec_vectors import Vector, by_id, load, refused_as, unpack

from hitp2p.codec.cid import Cid
from hitp2p.keys.ed25519 import SigningKey
from hitp2p.keys.ipns import NameKey, encode_name, parse_name, verify_record


@pytest.mark.parametrize("vector", load("ipns.json", "ipns-name"), ids=by_id)
def test_a_name_gets_the_verdict_of_the_vector(vector: Vector) -> None:
    text = vector.fields["input"]
    if vector.expect == "invalid":
        refused_as(vector, lambda: parse_name(text))
    else:
        assert parse_name(text).hex() == vector.fields["public"]
        assert encode_name(parse_name(text)) == text


@pytest.mark.parametrize("vector", load("ipns.json", "ipns-record"), ids=by_id)
def test_a_record_gets_the_verdict_of_the_vector(vector: Vector) -> None:
    case: dict[str, Any] = vector.fields["input"]
    raw, public = unpack(case["record"]), parse_name(case["name"])
    if vector.expect == "invalid":
        refused_as(vector, lambda: verify_record(raw, public, now=case["now"]))
        return
    record = verify_record(raw, public, now=case["now"])
    for field in ("value", "sequence", "valid_until", "ttl_ns"):
        expected = vector.fields.get(field)
        assert expected in (None, str(getattr(record, field)), getattr(record, field))


@pytest.mark.parametrize("vector", load("ipns.json", "ipns-key"), ids=by_id)
def test_the_key_of_a_name_is_the_one_of_the_vector(vector: Vector) -> None:
    case = vector.fields["input"]
    signer = SigningKey.from_seed(bytes.fromhex(case["seed"]))
    key = NameKey.derive(signer, Cid.parse(case["project"]))
    assert (key.public.hex(), key.name) == (vector.fields["public"], vector.fields["text"])
