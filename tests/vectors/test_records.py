"""Vectors of chapter 10: peer ids, addresses, address records."""

from __future__ import annotations

from typing import Any

import pytest
from multiformats.multiaddr import Multiaddr
from spec_vectors import Vector, by_id, load, refused_as, unpack

from hitp2p.protocol.records import encode_peer_id, parse_address, parse_peer_id, verify_record


@pytest.mark.parametrize("vector", load("records.json", "peer-id"), ids=by_id)
def test_a_peer_id_gets_the_verdict_of_the_vector(vector: Vector) -> None:
    text = vector.fields["input"]
    if vector.expect == "invalid":
        refused_as(vector, lambda: parse_peer_id(text))
    else:
        assert parse_peer_id(text).hex() == vector.fields["public"]
        assert encode_peer_id(parse_peer_id(text)) == text


@pytest.mark.parametrize("vector", load("records.json", "address"), ids=by_id)
def test_an_address_gets_the_verdict_of_the_vector(vector: Vector) -> None:
    text = vector.fields["input"]
    if vector.expect == "invalid":
        refused_as(vector, lambda: parse_address(text))
        return
    found = parse_address(text)
    said = (found.key.hex(), found.host, found.port)
    assert said == tuple(vector.fields[name] for name in ("public", "host", "port"))
    assert str(Multiaddr.from_bytes(Multiaddr(text).to_bytes())) == text == found.text


@pytest.mark.parametrize("vector", load("records.json", "address-record"), ids=by_id)
def test_an_address_record_gets_the_verdict_of_the_vector(vector: Vector) -> None:
    case: dict[str, Any] = vector.fields["input"]
    block = unpack(case["record"])
    if vector.expect == "invalid":
        refused_as(vector, lambda: verify_record(block, now_ms=case["now"]))
        return
    record = verify_record(block, now_ms=case["now"])
    assert record.block == block
    for name, found in (
        ("public", record.key.hex()),
        ("sequence", record.sequence),
        ("addresses", list(record.addresses)),
    ):
        assert vector.fields.get(name) in (None, found)
