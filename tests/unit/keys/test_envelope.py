"""Private keys at rest: sealed or bare, within bounds, and nothing shown on the way."""

from __future__ import annotations

import resource
import sys
import time
import traceback
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitp2p import limits
from hitp2p.codec.dagcbor import Profile, decode_object, encode
from hitp2p.errors import Hitp2pError, InvalidError, PassphraseError, SignatureError, UsageError
from hitp2p.keys.ed25519 import SigningKey
from hitp2p.keys.envelope import (
    KdfParams,
    encode_bare_key,
    open_key,
    parse_envelope,
    seal_key,
)

KEY = SigningKey.from_seed(bytes(range(32)))
CHEAP = KdfParams(memory_kib=8, passes=1, lanes=1)
SALT, NONCE = bytes(16), bytes(12)
SEALED = seal_key(KEY, "horse", salt=SALT, nonce=NONCE, params=CHEAP)
BARE = encode_bare_key(KEY)


def changed(data: bytes, **changes: Any) -> bytes:
    """An envelope with other fields; None takes one out."""
    fields: Any = decode_object(data)
    fields = {k: v for k, v in (fields | changes).items() if v is not None}
    return encode(fields, profile=Profile.OBJECT)


def test_a_sealed_key_opens_with_its_passphrase_only() -> None:
    assert open_key(SEALED, "horse").public == KEY.public
    assert open_key(SEALED, "horse").reveal_seed() == KEY.reveal_seed()
    for wrong in ("Horse", "horse ", "", None):
        with pytest.raises(PassphraseError):
            open_key(SEALED, wrong)


def test_the_default_cost_is_64_mib_three_times() -> None:
    fields: Any = decode_object(seal_key(KEY, "horse", salt=SALT, nonce=NONCE))
    assert (fields["memory_kib"], fields["passes"], fields["lanes"]) == (65536, 3, 4)


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert seal_key(KEY, "horse", salt=SALT, nonce=NONCE, params=CHEAP) == SEALED


def test_a_passphrase_is_the_same_however_its_accents_are_typed() -> None:
    sealed = seal_key(KEY, "café", salt=SALT, nonce=NONCE, params=CHEAP)
    assert open_key(sealed, "cafe\u0301").public == KEY.public


@pytest.mark.parametrize("passphrase", ["", "\ud800"])
def test_an_empty_or_broken_passphrase_seals_nothing(passphrase: str) -> None:
    with pytest.raises(PassphraseError):
        seal_key(KEY, passphrase, salt=SALT, nonce=NONCE, params=CHEAP)


@pytest.mark.parametrize(("salt", "nonce"), [(bytes(15), NONCE), (SALT, bytes(13))])
def test_salt_and_nonce_have_their_length(salt: bytes, nonce: bytes) -> None:
    with pytest.raises(UsageError):
        seal_key(KEY, "horse", salt=salt, nonce=nonce, params=CHEAP)


def test_a_bare_key_opens_without_a_passphrase() -> None:
    assert open_key(BARE, None).public == KEY.public
    assert open_key(BARE, "ignored").public == KEY.public
    assert parse_envelope(BARE).kdf is None
    assert parse_envelope(SEALED).kdf == CHEAP


# --- bounds ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "costs",
    [
        {"lanes": 0},
        {"lanes": limits.KDF_LANES + 1, "memory_kib": 1024},
        {"lanes": 16, "memory_kib": 127},
        {"passes": 0},
        {"passes": limits.KDF_PASSES + 1},
        {"memory_kib": 7},
        {"memory_kib": limits.KDF_MEMORY_KIB + 1},
        {"memory_kib": 2**62},
        {"memory_kib": -1},
    ],
)
def test_key_8_refuses_costs_out_of_bounds_before_memory_is_spent(costs: dict[str, int]) -> None:
    before = _peak_memory_kib()
    started = time.thread_time()
    with pytest.raises(SignatureError) as caught:
        open_key(changed(SEALED, **costs), "horse")
    assert caught.value.rule == "KEY-8"
    assert time.thread_time() - started < 0.1
    assert _peak_memory_kib() - before < 16 * 1024
    with pytest.raises(SignatureError, match="KEY-8"):
        KdfParams(**({"memory_kib": 8, "passes": 1, "lanes": 1} | costs))


@pytest.mark.parametrize(
    "costs",
    [
        {"memory_kib": 8, "passes": limits.KDF_PASSES, "lanes": 1},
        {"memory_kib": 8 * limits.KDF_LANES, "passes": 1, "lanes": limits.KDF_LANES},
    ],
)
def test_key_8_takes_costs_at_the_bounds(costs: dict[str, int]) -> None:
    sealed = seal_key(KEY, "horse", salt=SALT, nonce=NONCE, params=KdfParams(**costs))
    assert open_key(sealed, "horse").public == KEY.public
    KdfParams(memory_kib=limits.KDF_MEMORY_KIB)


linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and RLIMIT_AS")


@linux
def test_key_8_says_so_where_the_memory_is_not_to_be_had() -> None:
    costs = KdfParams(memory_kib=limits.KDF_MEMORY_KIB, passes=1, lanes=1)
    sealed = changed(SEALED, memory_kib=costs.memory_kib)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + 512 * 2**20, hard))
    try:
        with pytest.raises(UsageError, match="memory"):
            open_key(sealed, "horse")
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _peak_memory_kib() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "linux" else peak // 1024


def _address_space() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


@pytest.mark.parametrize("data", [SEALED, BARE])
def test_key_8_refuses_a_field_more_or_less(data: bytes) -> None:
    fields: Any = decode_object(data)
    for name in fields:
        with pytest.raises(SignatureError, match="KEY-8"):
            open_key(changed(data, **{name: None}), "horse")
    with pytest.raises(SignatureError, match="KEY-8"):
        open_key(changed(data, more=1), "horse")


@pytest.mark.parametrize("data", [SEALED, BARE])
def test_key_8_refuses_a_field_of_another_type(data: bytes) -> None:
    fields: Any = decode_object(data)
    wrong: list[Any] = [True, "x", b"x", [], {}, -1]
    for name in fields:
        for value in wrong:
            with pytest.raises(SignatureError, match="KEY-8"):
                open_key(changed(data, **{name: value}), "horse")


def test_key_8_refuses_more_than_four_kib_unread() -> None:
    with pytest.raises(SignatureError, match="KEY-8"):
        parse_envelope(BARE + bytes(limits.KEY_FILE_BYTES + 1 - len(BARE)))
    with pytest.raises(InvalidError, match="ENC-8"):
        parse_envelope(BARE + bytes(limits.KEY_FILE_BYTES - len(BARE)))


def test_key_9_refuses_the_public_key_of_another_seed() -> None:
    other = SigningKey.from_seed(bytes(32))
    with pytest.raises(SignatureError, match="KEY-9"):
        open_key(changed(BARE, public=other.public), None)


@pytest.mark.parametrize(
    "changes",
    [
        {"passes": 2},
        {"memory_kib": 9},
        {"salt": b"\1" * 16},
        {"nonce": b"\1" * 12},
        {"public": SigningKey.from_seed(bytes(32)).public},
    ],
)
def test_what_stands_beside_the_sealed_seed_is_sealed_too(changes: dict[str, Any]) -> None:
    with pytest.raises(PassphraseError):
        open_key(changed(SEALED, **changes), "horse")


# --- laws -----------------------------------------------------------------------------------------
@settings(max_examples=40)
@given(st.binary(min_size=32, max_size=32), st.text(min_size=1, max_size=20))
def test_every_seed_and_passphrase_come_back(seed: bytes, passphrase: str) -> None:
    key = SigningKey.from_seed(seed)
    sealed = seal_key(key, passphrase, salt=SALT, nonce=NONCE, params=CHEAP)
    assert open_key(sealed, passphrase).reveal_seed() == seed
    assert seed not in sealed


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_any_changed_byte_of_a_sealed_key_is_noticed(position: int, mask: int) -> None:
    data = bytearray(SEALED)
    data[position] ^= mask
    try:
        parse_envelope(bytes(data))
    except InvalidError:
        return
    if parse_envelope(bytes(data)).kdf == CHEAP:  # other costs could take a minute
        with pytest.raises(PassphraseError):
            open_key(bytes(data), "horse")


@given(st.binary(max_size=200))
def test_random_bytes_raise_nothing_outside_the_error_tree(data: bytes) -> None:
    with pytest.raises(Hitp2pError):
        open_key(data, "horse")


@pytest.mark.parametrize("n_bytes", range(0, len(SEALED), 7))
def test_a_cut_envelope_is_refused(n_bytes: int) -> None:
    with pytest.raises(InvalidError):
        open_key(SEALED[:n_bytes], "horse")


# --- secrets ----------------------------------------------------------------------------------------
def test_the_repr_of_an_envelope_shows_no_secret() -> None:
    for data in (SEALED, BARE):
        envelope = parse_envelope(data)
        assert repr(envelope.secret)[2:-1] not in repr(envelope)


def test_a_wrong_passphrase_shows_no_seed_in_a_traceback_with_local_variables() -> None:
    for data, passphrase in ((SEALED, "wrong"), (SEALED, None)):
        with pytest.raises(PassphraseError) as caught:
            open_key(data, passphrase)
        shown = "".join(
            traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
        )
        assert repr(KEY.reveal_seed())[2:-1] not in shown
