"""Vectors of chapter 02: signatures, did:key, key files."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import pytest
from spec_vectors import Vector, by_id, load, refused_as

from hitp2p.errors import PassphraseError
from hitp2p.identity_file import encode_identity_file, parse_identity_file
from hitp2p.keys import ed25519
from hitp2p.keys.didkey import encode_did_key, parse_did_key
from hitp2p.keys.ed25519 import Backend, SigningKey, require_prime_order, verify
from hitp2p.keys.envelope import open_key

BACKENDS: dict[str, Callable[[], Backend]] = {"openssl": ed25519.openssl_backend}
if importlib.util.find_spec("nacl") is not None:
    BACKENDS["sodium"] = ed25519.sodium_backend


@pytest.mark.parametrize("vector", load("keys.json", "signature"), ids=by_id)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_signature_gets_the_verdict_of_the_vector(vector: Vector, backend: str) -> None:
    case = {name: bytes.fromhex(value) for name, value in vector.fields["input"].items()}

    def ask() -> None:
        verify(
            case["public"],
            case["signature"],
            case["domain"],
            case["message"],
            backend=BACKENDS[backend](),
        )

    refused_as(vector, ask) if vector.expect == "invalid" else ask()


@pytest.mark.parametrize("vector", load("keys.json", "identity-key"), ids=by_id)
@pytest.mark.parametrize("fast", [False, True], ids=["own", "library"])
def test_a_key_of_an_identity_gets_the_verdict_of_the_vector(vector: Vector, fast: bool) -> None:
    if vector.expect == "invalid":
        refused_as(vector, lambda: require_prime_order(vector.data, fast=fast))
    else:
        assert require_prime_order(vector.data, fast=fast) == vector.data


@pytest.mark.parametrize("vector", load("keys.json", "did-key"), ids=by_id)
def test_a_did_key_gets_the_verdict_of_the_vector(vector: Vector) -> None:
    text = vector.fields["input"]
    if vector.expect == "invalid":
        refused_as(vector, lambda: parse_did_key(text))
    else:
        assert parse_did_key(text).hex() == vector.fields["public"]
        assert encode_did_key(parse_did_key(text)) == text


@pytest.mark.parametrize("vector", load("keys.json", "key-envelope"), ids=by_id)
def test_a_key_envelope_gets_the_verdict_of_the_vector(vector: Vector) -> None:
    def ask() -> SigningKey:
        return open_key(vector.data, vector.fields["passphrase"])

    if vector.expect == "invalid":
        refused_as(vector, ask)
    elif vector.expect == "passphrase":
        with pytest.raises(PassphraseError):
            ask()
    else:
        expected = SigningKey.from_seed(bytes.fromhex(vector.fields["seed"]))
        assert ask().public == expected.public


@pytest.mark.parametrize("vector", load("keys.json", "identity-file"), ids=by_id)
def test_an_identity_file_gets_the_verdict_of_the_vector(vector: Vector) -> None:
    if vector.expect == "invalid":
        refused_as(vector, lambda: parse_identity_file(vector.data))
    else:
        assert encode_identity_file(parse_identity_file(vector.data)) == vector.data
