"""did:key: one spelling a key."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multiformats import multibase

from hitp2p.errors import SignatureError, UsageError
from hitp2p.keys.didkey import encode_did_key, parse_did_key
from hitp2p.keys.ed25519 import SigningKey

GOOD = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"


def test_key_7_outside_keys_are_parsed_and_printed(
    vectors: Callable[[str], Path], count_cases: Callable[[str, int], None]
) -> None:
    cases = json.loads((vectors("did-key") / "ed25519-x25519.json").read_text())
    for text, case in cases.items():
        public = SigningKey.from_seed(bytes.fromhex(case["seed"])).public
        assert parse_did_key(text) == public
        assert encode_did_key(public) == text
    count_cases("did-key", len(cases))


@given(st.binary(min_size=32, max_size=32))
def test_key_7_every_32_bytes_come_back(public: bytes) -> None:
    text = encode_did_key(public)
    assert text.startswith("did:key:z6Mk")
    assert parse_did_key(text) == public


@pytest.mark.parametrize(
    "text",
    [
        "",
        "did:key:",
        "did:key:z",
        GOOD + "\n",
        " " + GOOD,
        GOOD.upper(),
        GOOD.replace("did:key:z", "did:key:z1"),
        GOOD[:-1],
        GOOD + "1",
        GOOD.replace("p", "0"),
        GOOD.replace("p", "é"),
        GOOD.removeprefix("did:key:"),
        GOOD + "#" + GOOD.removeprefix("did:key:"),
        "did:key:" + multibase.encode("base58btc", b"\xec\x01" + bytes(32)),  # X25519
        "did:key:" + multibase.encode("base58btc", b"\xed\x01" + bytes(31)),
        "did:key:" + multibase.encode("base58btc", b"\xed\x01" + bytes(33)),
        "did:key:" + multibase.encode("base64url", b"\xed\x01" + bytes(32)),
        "did:key:z" + "1" * 1_000_000,
        "did:key:z\ud800",
    ],
)
def test_key_7_refuses_any_other_spelling(text: str) -> None:
    with pytest.raises(SignatureError) as caught:
        parse_did_key(text)
    assert caught.value.rule == "KEY-7"
    assert len(str(caught.value)) < 200


@given(st.text())
def test_key_7_random_text_raises_nothing_else(text: str) -> None:
    for candidate in (text, "did:key:z" + text):
        with pytest.raises(SignatureError, match="KEY-7"):
            parse_did_key(candidate)


def test_only_keys_of_32_bytes_are_printed() -> None:
    with pytest.raises(UsageError):
        encode_did_key(bytes(31))
