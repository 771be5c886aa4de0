"""Outside vectors for Ed25519, with both libraries."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hitp2p.errors import SignatureError
from hitp2p.keys import ed25519
from hitp2p.keys.ed25519 import Backend, check_signature, require_prime_order

BACKENDS = [ed25519.openssl_backend()]
if importlib.util.find_spec("nacl") is not None:
    BACKENDS.append(ed25519.sodium_backend())
SPECCHECK_RULES = ["KEY-3", "KEY-3", "KEY-3", None, "KEY-4", "KEY-4"]


def rule_of(backend: Backend, public: bytes, signature: bytes, message: bytes) -> str | None:
    """As `verify`, but without a domain, which outside vectors don't have."""
    try:
        check_signature(public, signature)
    except SignatureError as error:
        return error.rule
    return None if backend(public, signature, message) else "KEY-4"


def test_key_4_wycheproof(
    vectors: Callable[[str], Path], count_cases: Callable[[str, int], None]
) -> None:
    n_cases = 0
    path = vectors("wycheproof") / "testvectors_v1" / "ed25519_test.json"
    for group in json.loads(path.read_text())["testGroups"]:
        public = bytes.fromhex(group["publicKey"]["pk"])
        for case in group["tests"]:
            signature, message = bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"])
            for backend in BACKENDS:
                verdict = "invalid" if rule_of(backend, public, signature, message) else "valid"
                assert verdict == case["result"], case
            n_cases += 1
    assert n_cases == 151
    count_cases("wycheproof", n_cases)


def test_key_3_and_key_5_speccheck(
    vectors: Callable[[str], Path], count_cases: Callable[[str, int], None]
) -> None:
    cases = json.loads((vectors("ed25519-speccheck") / "cases-0-5.json").read_text())
    raw = [
        [bytes.fromhex(c[field]) for field in ("pub_key", "signature", "message")] for c in cases
    ]
    for backend in BACKENDS:
        assert [rule_of(backend, *case) for case in raw] == SPECCHECK_RULES
    for fast in (False, True):  # case 3 verifies, but its key enters no identity
        with pytest.raises(SignatureError, match="KEY-5"):
            require_prime_order(raw[3][0], fast=fast)
    count_cases("ed25519-speccheck", len(raw))
