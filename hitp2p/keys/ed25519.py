"""Ed25519 with one strict verdict, whatever library does the arithmetic [KEY-1 to KEY-6].

Libraries disagree on malformed keys and signatures: OpenSSL, for one, accepts keys under which one signature fits every
message. So byte comparisons stand in front of each call, and behind them all cofactorless verifiers agree.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias

from hitp2p.errors import SignatureError, UsageError
from hitp2p.keys.edwards import GROUP_ORDER, decompress, is_in_prime_subgroup

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = [
    "OBJECT_DOMAIN",
    "SMALL_ORDER_ENCODINGS",
    "Backend",
    "SigningKey",
    "check_public_key",
    "check_signature",
    "default_backend",
    "openssl_backend",
    "require_prime_order",
    "sodium_backend",
    "verify",
    "verify_many",
]

OBJECT_DOMAIN: Final = b"hitp2p/object/1\0"
"""What stands in front of the bytes of an object when they are signed [KEY-6]."""
PUBLIC_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
SEED_BYTES: Final = 32

SMALL_ORDER_ENCODINGS: Final = frozenset(
    bytes.fromhex(y + last)
    for y, signs in {
        "00" * 31: ("00", "80"),  # order 4
        "01" + "00" * 30: ("00", "80"),  # neutral; order 1
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc": ("05", "85"),  # order 8
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03": ("7a", "fa"),  # order 8
        "ec" + "ff" * 30: ("7f", "ff"),  # order 2
        "ed" + "ff" * 30: ("7f", "ff"),  # p, read by some as 0: order 4
        "ee" + "ff" * 30: ("7f", "ff"),  # p + 1, read by some as 1: neutral
    }.items()
    for last in signs
)
"""Every encoding that some library decodes to a point of order 1, 2, 4 or 8 [KEY-3]."""

Backend: TypeAlias = Callable[[bytes, bytes, bytes], bool]
"""(public key, signature, signed bytes) -> the cofactorless equation holds [KEY-4]. Called behind the byte checks only."""

_LAST_BYTES: Final = frozenset(encoding[31] for encoding in SMALL_ORDER_ENCODINGS)
"""Every encoding that KEY-2 or KEY-3 refuses ends in one of these; 31 of 32 honest ones need no closer look."""


def check_public_key(raw: bytes) -> bytes:
    """The key, if its encoding is canonical and not of small order [KEY-2, KEY-3].

    Says nothing on whether it is a point of the curve; verifying finds that out.
    """
    if len(raw) != PUBLIC_BYTES:
        raise SignatureError(f"public key of {len(raw)} bytes; must be 32", rule="KEY-2")
    if raw[31] in _LAST_BYTES:
        _check_encoding(raw, "the public key")
    return raw


def check_signature(public: bytes, signature: bytes) -> None:
    """The byte comparisons in front of a library call [KEY-1, KEY-2, KEY-3]; 0.3 us."""
    if len(signature) != SIGNATURE_BYTES:
        raise SignatureError(f"signature of {len(signature)} bytes; must be 64", rule="KEY-1")
    # S < 2^252 < L for all but one in 2^127 honest signatures; only the rest need the whole number.
    if signature[63] > 0x0F and int.from_bytes(signature[32:], "little") >= GROUP_ORDER:
        raise SignatureError("S of the signature is not lower than the group order", rule="KEY-1")
    check_public_key(public)
    if signature[31] in _LAST_BYTES:
        _check_encoding(signature[:32], "R")


def _check_encoding(encoding: bytes, name: str) -> None:
    # The top bit is the sign of x. y >= p = 2^255 - 19 only if all other bits but the lowest five are ones.
    if encoding[31] & 0x7F == 0x7F and encoding[0] >= 0xED and encoding[1:31] == b"\xff" * 30:
        raise SignatureError(f"y of {name} is not lower than p", rule="KEY-2")
    if encoding in SMALL_ORDER_ENCODINGS:
        raise SignatureError(f"{name} is of small order", rule="KEY-3")


def require_prime_order(raw: bytes, *, fast: bool = True) -> bytes:
    """The key, if it may enter an identity: byte checks, on the curve, and [L]A neutral [KEY-5].

    A key outside the subgroup verifies under some rules and not under others, as its owner pleases. Costs a
    millisecond (40 us with PyNaCl, which is asked first where `fast`), so callers remember which keys have passed.
    """
    check_public_key(raw)
    if fast and _sodium_point_check()(raw):
        return raw
    point = decompress(raw)
    if point is None:
        raise SignatureError("public key is not a point of the curve", rule="KEY-5")
    if not is_in_prime_subgroup(point):
        raise SignatureError("public key lies outside the prime-order subgroup", rule="KEY-5")
    return raw


def verify(
    public: bytes,
    signature: bytes,
    domain: bytes,
    message: bytes,
    *,
    backend: Backend | None = None,
) -> None:
    """Raise SignatureError unless `signature` by `public` fits `domain + message` [KEY-1 to KEY-4].

    Nearly all of the time goes into a library that holds no GIL, so threads scale.

    Args:
        public: as received.
        signature: as received.
        domain: ends in a zero byte.
        message: as received.
        backend: which library does the arithmetic; the fastest here unless said. Changes no verdict.
    """
    check_signature(public, signature)
    holds = default_backend() if backend is None else backend
    if not holds(public, signature, _signed_bytes(domain, message)):
        raise SignatureError("signature does not fit key and message", rule="KEY-4")


def verify_many(
    claims: Iterable[tuple[bytes, bytes, bytes]],
    domain: bytes = OBJECT_DOMAIN,
    *,
    backend: Backend | None = None,
) -> list[SignatureError | None]:
    """The verdicts on (public, signature, message) claims, in their order; None stands for a good one.

    For worker threads: one call a batch, and no exception for a bad signature, so that the rest is still judged.
    """
    holds = default_backend() if backend is None else backend
    start = _signed_bytes(domain, b"")
    verdicts: list[SignatureError | None] = []
    for claim in claims:
        public, signature, message = claim
        # Nearly all pass at once, without the calls that tell what is wrong; that saves 0.7 us a claim.
        is_good = (
            len(signature) == SIGNATURE_BYTES
            and signature[63] <= 0x0F
            and len(public) == PUBLIC_BYTES
            and public[31] not in _LAST_BYTES
            and signature[31] not in _LAST_BYTES
            and holds(public, signature, start + message)
        )
        verdicts.append(None if is_good else _verdict(claim, domain, backend))
    return verdicts


def _verdict(
    claim: tuple[bytes, bytes, bytes], domain: bytes, backend: Backend | None
) -> SignatureError | None:
    public, signature, message = claim
    try:
        verify(public, signature, domain, message, backend=backend)
    except SignatureError as error:
        return error
    return None


def _signed_bytes(domain: bytes, message: bytes) -> bytes:
    """`domain + message`; the one zero byte at the end keeps a domain from being the start of another [KEY-6]."""
    if domain is not OBJECT_DOMAIN and (len(domain) < 2 or domain.find(0) != len(domain) - 1):
        raise UsageError(f"signing domain {domain!r} must end in its only zero byte [KEY-6]")
    return domain + message


# --- libraries ----------------------------------------------------------------------------------
@functools.cache
def default_backend() -> Backend:
    """libsodium where PyNaCl is installed (half the time of OpenSSL), else OpenSSL."""
    try:
        return sodium_backend()
    except ImportError:
        return openssl_backend()


def openssl_backend() -> Backend:
    """The `cryptography` package, always here. Imported late: starting the program without it saves 20 ms."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    # A trail has few signers, and reading a key takes 6 us.
    read_key = functools.lru_cache(maxsize=256)(Ed25519PublicKey.from_public_bytes)

    def holds(public: bytes, signature: bytes, signed: bytes) -> bool:
        try:
            read_key(public).verify(signature, signed)
        except InvalidSignature:
            return False
        return True

    return holds


def sodium_backend() -> Backend:
    """PyNaCl, from the extra `fast`; ImportError where it is absent."""
    # The C function behind nacl.bindings.crypto_sign_open, which also copies the message out, for 1 us.
    import_module("nacl.bindings")  # which readies the library
    sodium: Any = import_module("nacl._sodium")
    open_signed, nowhere = sodium.lib.crypto_sign_open, sodium.ffi.NULL

    def holds(public: bytes, signature: bytes, signed: bytes) -> bool:
        if len(public) != PUBLIC_BYTES or len(signature) != SIGNATURE_BYTES:
            return False  # C would read beyond them.
        both = signature + signed
        status: int = open_signed(nowhere, nowhere, both, len(both), public)
        return status == 0

    return holds


@functools.cache
def _sodium_point_check() -> Callable[[bytes], bool]:
    """libsodium's own test for KEY-5; where it is absent, one that is never satisfied."""
    try:
        from nacl.bindings import crypto_core_ed25519_is_valid_point, has_crypto_core_ed25519
    except ImportError:
        return lambda _: False
    return crypto_core_ed25519_is_valid_point if has_crypto_core_ed25519 else lambda _: False


# --- signing ------------------------------------------------------------------------------------
class SigningKey:
    """An Ed25519 private key in memory; a `hitp2p.ports.Signer`. Immutable, safe to share between threads.

    The seed lives inside OpenSSL, so neither repr, pickle, copy nor a traceback with local variables shows it.
    """

    __slots__ = ("_private", "_public")

    _private: Ed25519PrivateKey
    _public: bytes

    def __init__(self) -> None:
        raise TypeError("use SigningKey.from_seed")

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        """The key of a 32-byte seed (RFC 8032); every 32 bytes are one."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        n_bytes = len(seed)
        if n_bytes != SEED_BYTES:
            del seed  # a traceback may print local variables
            raise UsageError(f"seed of {n_bytes} bytes; must be 32")
        key = object.__new__(cls)
        key._private = Ed25519PrivateKey.from_private_bytes(seed)
        key._public = key._private.public_key().public_bytes_raw()
        return key

    @property
    def public(self) -> bytes:
        """The 32-byte public key."""
        return self._public

    def sign(self, domain: bytes, message: bytes) -> bytes:
        """A 64-byte signature over `domain + message` [KEY-6]; the same each time."""
        return self._private.sign(_signed_bytes(domain, message))

    def reveal_seed(self) -> bytes:
        """The 32 secret bytes, to be sealed or exported. Don't bind them to a name where something can raise."""
        return self._private.private_bytes_raw()

    def __repr__(self) -> str:
        return f"<SigningKey of {self._public.hex()}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a private key is neither pickled nor copied; seal it")
