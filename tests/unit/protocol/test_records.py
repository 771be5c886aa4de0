"""Records that a node signs of itself; what others send is in tests/vectors/test_records.py."""

from __future__ import annotations

import pytest
from spec_vectors import load

from hitp2p.errors import InvalidError, SignatureError, UsageError
from hitp2p.keys.ed25519 import OBJECT_DOMAIN, SigningKey, verify
from hitp2p.protocol.packing import pack, unpack
from hitp2p.protocol.records import (
    ADDRESS_DOMAIN,
    encode_address,
    encode_peer_id,
    parse_address,
    sign_record,
    verify_record,
)

KEY = SigningKey.from_seed(bytes(32))
NOW = 1_795_000_000_000


def test_net_20_a_signed_record_verifies() -> None:
    said = tuple(encode_address(KEY.public, host, 4001) for host in ("8.8.8.8", "2a00::1", "a.org"))
    record = sign_record(KEY, NOW, said)
    assert (record.key, record.sequence, record.addresses) == (KEY.public, NOW, said)
    assert verify_record(record.block, now_ms=NOW) == record


def test_net_20_the_vectors_are_signed_as_we_sign() -> None:
    [vector] = [v for v in load("records.json", "address-record") if v.id == "net-20-every-form"]
    block = bytes.fromhex(vector.fields["input"]["record"])
    key = SigningKey.from_seed(bytes.fromhex(vector.fields["seed"]))
    record = sign_record(key, vector.fields["sequence"], tuple(vector.fields["addresses"]))
    assert record.block == block


def test_key_6_a_record_is_signed_in_a_domain_of_its_own() -> None:
    said = (encode_address(KEY.public, "8.8.8.8", 1),)
    key, sequence, addresses, signature = unpack(sign_record(KEY, NOW, said).block)
    message = pack([key, sequence, addresses])
    verify(KEY.public, signature, ADDRESS_DOMAIN, message)
    with pytest.raises(SignatureError):
        verify(KEY.public, signature, OBJECT_DOMAIN, message)


@pytest.mark.parametrize(
    ("sequence", "addresses"),
    [
        (NOW, ()),
        (NOW, ("/ip4/8.8.8.8/tcp/1",)),
        (-1, (encode_address(KEY.public, "8.8.8.8", 1),)),
        (2**64, (encode_address(KEY.public, "8.8.8.8", 1),)),
        (NOW, (encode_address(SigningKey.from_seed(b"1" * 32).public, "8.8.8.8", 1),)),
        (NOW, tuple(encode_address(KEY.public, "8.8.8.8", n) for n in range(1, 10))),
        (NOW, ("\ud800",)),
    ],
)
def test_net_20_no_record_is_signed_that_others_would_refuse(
    sequence: int, addresses: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError):
        sign_record(KEY, sequence, addresses)


@pytest.mark.parametrize(
    ("host", "kind"),
    [("8.8.8.8", "ip4"), ("2a00::1", "ip6"), ("a.example", "dns"), ("a1.b2", "dns")],
)
def test_net_24_an_address_is_spelled_by_its_host(host: str, kind: str) -> None:
    text = encode_address(KEY.public, host, 4001)
    assert text == f"/{kind}/{host}/tcp/4001/tls/p2p/{encode_peer_id(KEY.public)}"
    assert parse_address(text) == (KEY.public, text, host, 4001)


@pytest.mark.parametrize(
    ("host", "port"), [("8.8.8.8", 0), ("8.8.8.8", 65_536), ("8.8.8", 1), ("", 1), ("::1%lo", 1)]
)
def test_net_24_what_is_no_address_is_refused(host: str, port: int) -> None:
    with pytest.raises(UsageError):
        encode_address(KEY.public, host, port)


def test_a_key_of_another_length_has_no_peer_id() -> None:
    with pytest.raises(UsageError):
        encode_peer_id(bytes(31))


def test_net_20_every_byte_of_a_record_counts() -> None:
    block = sign_record(KEY, NOW, (encode_address(KEY.public, "8.8.8.8", 1),)).block
    for at in range(len(block)):
        for change in (1, 0x80):
            with pytest.raises(InvalidError):
                changed = block[:at] + bytes([block[at] ^ change]) + block[at + 1 :]
                verify_record(changed, now_ms=NOW)
