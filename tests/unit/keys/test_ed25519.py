"""One strict verdict on signatures and keys, whatever library does the arithmetic."""

from __future__ import annotations

import copy
import importlib.util
import pickle
import sys
import traceback
from collections.abc import Callable
from hashlib import sha512

import edwards_points as slow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitp2p.errors import SignatureError, UsageError
from hitp2p.keys import ed25519
from hitp2p.keys.ed25519 import (
    OBJECT_DOMAIN,
    SMALL_ORDER_ENCODINGS,
    Backend,
    SigningKey,
    check_public_key,
    check_signature,
    require_prime_order,
    verify,
    verify_many,
)
from hitp2p.keys.edwards import FIELD_PRIME, GROUP_ORDER, decompress, is_in_prime_subgroup

SEED = bytes(range(32))
KEY = SigningKey.from_seed(SEED)
HAS_SODIUM = importlib.util.find_spec("nacl") is not None
"""The wheel is also tested with the core packages only."""
BACKENDS = [ed25519.openssl_backend, *([ed25519.sodium_backend] if HAS_SODIUM else [])]
BackendMaker = Callable[[], Backend]
both_backends = pytest.mark.parametrize("make_backend", BACKENDS, ids=lambda make: make.__name__)


def little(number: int) -> bytes:
    return number.to_bytes(32, "little")


def rule_of(check: Callable[..., object], *args: object, **options: object) -> str | None:
    """The rule that a check says is broken."""
    try:
        check(*args, **options)
    except SignatureError as error:
        return error.rule
    return None


@both_backends
def test_a_signature_verifies_and_any_changed_bit_is_noticed(make_backend: BackendMaker) -> None:
    backend = make_backend()
    signature = KEY.sign(OBJECT_DOMAIN, b"verse")
    verify(KEY.public, signature, OBJECT_DOMAIN, b"verse", backend=backend)
    for bit in range(512):
        changed = bytearray(signature)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SignatureError):
            verify(KEY.public, bytes(changed), OBJECT_DOMAIN, b"verse", backend=backend)


@both_backends
def test_key_4_refuses_another_message_key_or_domain(make_backend: BackendMaker) -> None:
    backend = make_backend()
    signature = KEY.sign(OBJECT_DOMAIN, b"verse")
    other = SigningKey.from_seed(bytes(32)).public
    for public, domain, message in (
        (KEY.public, OBJECT_DOMAIN, b"song"),
        (other, OBJECT_DOMAIN, b"verse"),
        (KEY.public, b"hitp2p/frame/1\0", b"verse"),
    ):
        rule = rule_of(verify, public, signature, domain, message, backend=backend)
        assert rule == "KEY-4"


@pytest.mark.skipif(not HAS_SODIUM, reason="PyNaCl is not installed")
def test_the_default_backend_is_the_faster_one_where_it_is_installed() -> None:
    signature = KEY.sign(OBJECT_DOMAIN, b"verse")
    verify(KEY.public, signature, OBJECT_DOMAIN, b"verse")
    assert "sodium" in ed25519.default_backend().__qualname__


def test_without_pynacl_the_default_is_openssl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nacl.bindings", None)
    assert "openssl" in ed25519.default_backend.__wrapped__().__qualname__
    assert ed25519._sodium_point_check.__wrapped__()(KEY.public) is False


def test_verify_many_judges_every_claim_in_order() -> None:
    good = KEY.sign(OBJECT_DOMAIN, b"verse")
    claims = [
        (KEY.public, good, b"verse"),
        (KEY.public, good, b"song"),
        (KEY.public, good[:-1], b"verse"),
        (bytes(32), good, b"verse"),
        (KEY.public, good, b"verse"),
    ]
    verdicts = verify_many(claims)
    assert [v and v.rule for v in verdicts] == [None, "KEY-4", "KEY-1", "KEY-3", None]


# --- the byte checks ----------------------------------------------------------------------------
@pytest.mark.parametrize("n_bytes", [0, 63, 65, 128])
def test_key_1_refuses_a_signature_of_another_length(n_bytes: int) -> None:
    assert rule_of(check_signature, KEY.public, b"\1" * n_bytes) == "KEY-1"


def test_key_1_refuses_s_from_the_group_order_on() -> None:
    r = KEY.sign(OBJECT_DOMAIN, b"")[:32]
    check_signature(KEY.public, r + little(GROUP_ORDER - 1))
    check_signature(KEY.public, r + little(2**252))
    for s in (GROUP_ORDER, GROUP_ORDER + 1, 2**253, 2**255, 2**256 - 1):
        assert rule_of(check_signature, KEY.public, r + little(s)) == "KEY-1"


@both_backends
def test_key_1_refuses_the_second_spelling_of_a_good_signature(make_backend: BackendMaker) -> None:
    signature = KEY.sign(OBJECT_DOMAIN, b"verse")
    s = int.from_bytes(signature[32:], "little")
    again = signature[:32] + little(s + GROUP_ORDER)
    rule = rule_of(verify, KEY.public, again, OBJECT_DOMAIN, b"verse", backend=make_backend())
    assert rule == "KEY-1"


@pytest.mark.parametrize("n_bytes", [0, 31, 33])
def test_key_2_refuses_a_public_key_of_another_length(n_bytes: int) -> None:
    assert rule_of(check_public_key, b"\1" * n_bytes) == "KEY-2"


@pytest.mark.parametrize("sign", [0, 1 << 255])
def test_key_2_refuses_y_from_p_on_in_key_and_r(sign: int) -> None:
    s = KEY.sign(OBJECT_DOMAIN, b"")[32:]
    highest = little(FIELD_PRIME - 2 | sign)
    assert check_public_key(highest) == highest
    check_signature(KEY.public, highest + s)
    for y in range(FIELD_PRIME, 2**255):
        encoding = little(y | sign)
        assert rule_of(check_public_key, encoding) == "KEY-2"
        assert rule_of(check_signature, KEY.public, encoding + s) == "KEY-2"


def test_the_table_of_small_order_is_complete() -> None:
    canonical = {slow.compress(point) for point in slow.TORSION}
    assert len(canonical) == 8
    spellings = set()
    for encoding in canonical:
        y = int.from_bytes(encoding, "little") & (2**255 - 1)
        for alias in (y, y + FIELD_PRIME):
            if alias < 2**255:
                spellings |= {little(alias), little(alias | 1 << 255)}
    assert spellings == SMALL_ORDER_ENCODINGS
    assert len(SMALL_ORDER_ENCODINGS) == 14


@pytest.mark.parametrize("encoding", sorted(SMALL_ORDER_ENCODINGS), ids=bytes.hex)
def test_key_3_refuses_small_order_keys_and_r(encoding: bytes) -> None:
    signature = KEY.sign(OBJECT_DOMAIN, b"")
    expected = {"KEY-2", "KEY-3"}  # six of the 14 aren't canonical either
    assert rule_of(check_public_key, encoding) in expected
    assert rule_of(check_signature, encoding, signature) in expected
    assert rule_of(check_signature, KEY.public, encoding + signature[32:]) in expected


@both_backends
def test_key_3_refuses_every_forgery_under_a_small_order_key(make_backend: BackendMaker) -> None:
    """With S = 0 some such key and R fit any message: OpenSSL alone accepts 14 keys."""
    openssl_accepts, backend = 0, ed25519.openssl_backend()
    for public in SMALL_ORDER_ENCODINGS:
        for r in SMALL_ORDER_ENCODINGS:
            for message in (b"", b"verse", b"song", b"dance"):
                forged = r + bytes(32)
                openssl_accepts += backend(public, forged, OBJECT_DOMAIN + message)
                rule = rule_of(
                    verify, public, forged, OBJECT_DOMAIN, message, backend=make_backend()
                )
                assert rule in {"KEY-2", "KEY-3"}
    assert openssl_accepts > 0  # so the check is what refuses them


# --- the two libraries, and a third arithmetic, agree ---------------------------------------------
scalars = st.integers(1, slow.L - 1)
eighths = st.integers(0, 7)


@given(scalars, eighths, scalars, eighths, st.binary(max_size=40))
def test_key_4_backends_agree_on_keys_and_signatures_with_a_small_order_part(
    secret: int, key_part: int, nonce: int, r_part: int, message: bytes
) -> None:
    public, signature, holds = slow.sign_with_torsion(
        secret, key_part, nonce, r_part, OBJECT_DOMAIN + message
    )
    for backend in [make() for make in BACKENDS]:
        rule = rule_of(verify, public, signature, OBJECT_DOMAIN, message, backend=backend)
        assert rule == (None if holds else "KEY-4")


def _encodings() -> st.SearchStrategy[bytes]:
    edges = [0, 1, 2, FIELD_PRIME - 1, FIELD_PRIME, FIELD_PRIME + 1, 2**255 - 1]
    return st.one_of(
        st.binary(min_size=32, max_size=32),
        st.sampled_from(sorted(SMALL_ORDER_ENCODINGS)),
        st.sampled_from([little(e | s) for e in edges for s in (0, 1 << 255)]),
        st.just(KEY.public),
    )


@given(_encodings(), _encodings(), st.integers(0, 2**256 - 1), st.binary(max_size=20))
def test_backends_agree_on_anything(public: bytes, r: bytes, s: int, message: bytes) -> None:
    signature = r + little(s % GROUP_ORDER)
    rules = {
        rule_of(verify, public, signature, OBJECT_DOMAIN, message, backend=backend)
        for backend in [make() for make in BACKENDS]
    }
    assert len(rules) == 1


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_signatures_equal_those_of_rfc_8032(seed: bytes, message: bytes) -> None:
    key = SigningKey.from_seed(seed)
    digest = sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little") & (2**254 - 8) | 2**254
    nonce = int.from_bytes(sha512(digest[32:] + OBJECT_DOMAIN + message).digest(), "little")
    public, signature, holds = slow.sign_with_torsion(
        scalar, 0, nonce % slow.L, 0, OBJECT_DOMAIN + message
    )
    assert holds
    assert (key.public, key.sign(OBJECT_DOMAIN, message)) == (public, signature)


# --- KEY-5 ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("part", range(8))
def test_key_5_refuses_keys_with_a_small_order_part(part: int, fast: bool) -> None:
    for secret in (1, 7, slow.L - 1, 2**200 + 3):
        public = slow.key_with_torsion(secret, part)
        rule = rule_of(require_prime_order, public, fast=fast)
        assert rule == (None if part == 0 else "KEY-5")


def test_key_5_refuses_what_is_no_point() -> None:
    no_point = next(little(y) for y in range(2, 99) if decompress(little(y)) is None)
    for fast in (False, True):
        assert rule_of(require_prime_order, no_point, fast=fast) == "KEY-5"


@given(_encodings())
def test_key_5_is_judged_alike_with_and_without_libsodium(raw: bytes) -> None:
    with_it = rule_of(require_prime_order, raw, fast=True)
    assert with_it == rule_of(require_prime_order, raw, fast=False)


@given(scalars, eighths)
def test_key_5_arithmetic_agrees_with_the_slow_one(secret: int, part: int) -> None:
    point = slow.add(slow.times(secret, slow.BASE), slow.TORSION[part])
    found = decompress(slow.compress(point))
    assert found is not None
    assert found[:2] == point
    assert is_in_prime_subgroup(found) == (slow.times(slow.L, point) == slow.NEUTRAL)


# --- KEY-6 ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("domain", [b"", b"\0", b"hitp2p/object/1", b"a\0b\0", b"a\0\0"])
def test_key_6_refuses_a_domain_that_does_not_end_in_its_only_zero_byte(domain: bytes) -> None:
    with pytest.raises(UsageError, match="KEY-6"):
        KEY.sign(domain, b"verse")
    with pytest.raises(UsageError, match="KEY-6"):
        verify(KEY.public, KEY.sign(OBJECT_DOMAIN, b"verse"), domain, b"verse")


def test_key_6_signs_the_domain_in_front_of_the_message() -> None:
    backend = ed25519.openssl_backend()
    signature = KEY.sign(OBJECT_DOMAIN, b"verse")
    assert backend(KEY.public, signature, b"hitp2p/object/1\0verse")


# --- the key keeps its secret -----------------------------------------------------------------------
def test_neither_repr_nor_attributes_show_the_seed() -> None:
    shown = repr(KEY) + str(KEY) + str([getattr(KEY, name) for name in KEY.__slots__])
    assert KEY.public.hex() in shown
    assert SEED.hex() not in shown
    assert repr(SEED)[2:-1] not in shown
    assert not hasattr(KEY, "__dict__")


@pytest.mark.parametrize("copier", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_key_is_neither_pickled_nor_copied(copier: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="private key"):
        copier(KEY)


def test_a_traceback_with_local_variables_does_not_show_the_seed() -> None:
    try:
        SigningKey.from_seed(b"secret words" * 2)
    except UsageError as error:
        shown = "".join(
            traceback.TracebackException.from_exception(error, capture_locals=True).format()
        )
        frame_of_from_seed = shown.split("in from_seed")[1]
        assert "seed of 24 bytes" in shown
        assert "secret words" not in frame_of_from_seed


def test_a_key_comes_from_a_seed_only() -> None:
    with pytest.raises(TypeError):
        SigningKey()
    assert SigningKey.from_seed(KEY.reveal_seed()).public == KEY.public
