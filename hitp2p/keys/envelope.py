"""The key envelope: a private key at rest, as bytes [KEY-8, KEY-9].

Pure: salt and nonce come in as arguments, and writing the bytes to a file is `hitp2p.store.keyfile`.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from hitp2p import limits
from hitp2p.codec.dagcbor import Profile, Value, decode_object, encode
from hitp2p.dataclass import dataclass, field
from hitp2p.errors import PassphraseError, SignatureError, UsageError
from hitp2p.keys.ed25519 import SigningKey

__all__ = ["KdfParams", "KeyEnvelope", "encode_bare_key", "open_key", "parse_envelope", "seal_key"]

FORMAT: Final = "key/1"
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
_SEALED_BYTES: Final = 48
"""The seed and the tag of Poly1305."""
_BARE_KEYS: Final = frozenset({"hitp2p", "kdf", "public", "seed"})
_SEALED_KEYS: Final = frozenset(
    {"hitp2p", "kdf", "memory_kib", "passes", "lanes", "salt", "aead", "nonce", "public", "sealed"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KdfParams:
    """What a guess at the passphrase costs. Checked on creation, so before memory is spent [KEY-8]."""

    memory_kib: int = 65536
    """Memory of Argon2id, in KiB; the default takes half a second together with the others."""
    passes: int = 3
    """Passes over the memory."""
    lanes: int = 4
    """Parts of the memory that can be filled at the same time."""

    def __post_init__(self) -> None:
        _require(
            1 <= self.lanes <= limits.KDF_LANES,
            f"{self.lanes} lanes; 1 to {limits.KDF_LANES} allowed",
        )
        _require(
            1 <= self.passes <= limits.KDF_PASSES,
            f"{self.passes} passes; 1 to {limits.KDF_PASSES} allowed",
        )
        _require(
            8 * self.lanes <= self.memory_kib <= limits.KDF_MEMORY_KIB,
            f"{self.memory_kib} KiB of memory; 8 x lanes to {limits.KDF_MEMORY_KIB} allowed",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEnvelope:
    """A parsed envelope, in one of its two forms: sealed, or bare."""

    public: bytes
    """The public key, as the file says; checked against the seed once that is known."""
    kdf: KdfParams | None
    """None: the key is bare, and no passphrase protects it."""
    salt: bytes
    """16 bytes; empty for a bare key."""
    nonce: bytes
    """12 bytes; empty for a bare key."""
    secret: bytes = field(repr=False)
    """The sealed seed, 48 bytes; for a bare key the seed itself."""


def seal_key(
    key: SigningKey,
    passphrase: str,
    *,
    salt: bytes,
    nonce: bytes,
    params: KdfParams | None = None,
) -> bytes:
    """The envelope of `key` under a passphrase: Argon2id and ChaCha20-Poly1305.

    Args:
        key: to be sealed; takes the key and not its seed, so that no frame on the way holds the seed.
        passphrase: not empty; used in NFC, so that the same word typed on another machine opens it.
        salt: 16 fresh random bytes.
        nonce: 12 fresh random bytes.
        params: cost of a guess; a file says its own.
    """
    if len(salt) != SALT_BYTES or len(nonce) != NONCE_BYTES:
        raise UsageError(f"salt must be {SALT_BYTES} bytes and nonce {NONCE_BYTES}")
    if not passphrase:
        raise PassphraseError("the passphrase is empty")
    kdf = params or KdfParams()
    header = _header(key.public, kdf, salt, nonce)
    cipher_key = _derive(_passphrase_bytes(passphrase), salt, kdf)
    return _encode({**header, "sealed": _encrypt(cipher_key, nonce, key, _encode(header))})


def encode_bare_key(key: SigningKey) -> bytes:
    """The envelope of `key` without a passphrase, for nodes and tests: whoever reads the file has the key."""
    return _encode(
        {"hitp2p": FORMAT, "kdf": "none", "public": key.public, "seed": key.reveal_seed()}
    )


def open_key(data: bytes, passphrase: str | None) -> SigningKey:
    """The key in an envelope.

    Args:
        data: as received.
        passphrase: ignored for a bare key.

    Raises:
        InvalidError: not an envelope, or its bounds are exceeded (KEY-8, ENC); not the stated key (KEY-9).
        PassphraseError: sealed, and the passphrase is absent or wrong, or the file was changed.
    """
    envelope = parse_envelope(data)
    if envelope.kdf is not None and passphrase is None:
        raise PassphraseError("the key is sealed; a passphrase is needed")
    key = _open(envelope, passphrase or "")
    if key.public != envelope.public:
        raise SignatureError("the public key of the seed is another one than stated", rule="KEY-9")
    return key


def parse_envelope(data: bytes) -> KeyEnvelope:
    """The parts of an envelope, all bounds checked, nothing opened; cheap [KEY-8]."""
    _require(
        len(data) <= limits.KEY_FILE_BYTES,
        f"{len(data)} bytes; at most {limits.KEY_FILE_BYTES} allowed",
    )
    value = decode_object(data)
    if not isinstance(value, dict) or value.get("hitp2p") != FORMAT:
        raise SignatureError("not a key envelope", rule="KEY-8")
    match value.get("kdf"):
        case "none":
            return _parse_bare(value)
        case "argon2id":
            return _parse_sealed(value)
        case other:
            raise SignatureError(f"kdf {other!r}; must be argon2id or none", rule="KEY-8")


def _parse_bare(value: dict[str, Value]) -> KeyEnvelope:
    _require_keys(value, _BARE_KEYS)
    return KeyEnvelope(
        public=_bytes(value, "public", 32),
        kdf=None,
        salt=b"",
        nonce=b"",
        secret=_bytes(value, "seed", 32),
    )


def _parse_sealed(value: dict[str, Value]) -> KeyEnvelope:
    _require_keys(value, _SEALED_KEYS)
    if value["aead"] != "chacha20-poly1305":
        raise SignatureError(f"aead {value['aead']!r}; must be chacha20-poly1305", rule="KEY-8")
    params = KdfParams(
        memory_kib=_int(value, "memory_kib"),
        passes=_int(value, "passes"),
        lanes=_int(value, "lanes"),
    )
    return KeyEnvelope(
        public=_bytes(value, "public", 32),
        kdf=params,
        salt=_bytes(value, "salt", SALT_BYTES),
        nonce=_bytes(value, "nonce", NONCE_BYTES),
        secret=_bytes(value, "sealed", _SEALED_BYTES),
    )


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise SignatureError(message, rule="KEY-8")


def _require_keys(value: dict[str, Value], keys: frozenset[str]) -> None:
    if value.keys() != keys:
        wrong = ", ".join(sorted(value.keys() ^ keys))
        raise SignatureError(f"keys missing or unknown: {wrong}", rule="KEY-8")


def _bytes(value: dict[str, Value], name: str, n_bytes: int) -> bytes:
    found = value[name]
    if not isinstance(found, bytes) or len(found) != n_bytes:
        raise SignatureError(f"{name} must be {n_bytes} bytes", rule="KEY-8")
    return found


def _int(value: dict[str, Value], name: str) -> int:
    found = value[name]
    if type(found) is not int:  # a bool is an int to isinstance
        raise SignatureError(f"{name} must be an integer", rule="KEY-8")
    return found


def _encode(value: dict[str, Value]) -> bytes:
    return encode(value, profile=Profile.OBJECT)


def _header(public: bytes, kdf: KdfParams, salt: bytes, nonce: bytes) -> dict[str, Value]:
    """The map without `sealed`; its encoding is what the cipher authenticates beside the seed."""
    return {
        "hitp2p": FORMAT,
        "kdf": "argon2id",
        "memory_kib": kdf.memory_kib,
        "passes": kdf.passes,
        "lanes": kdf.lanes,
        "salt": salt,
        "aead": "chacha20-poly1305",
        "nonce": nonce,
        "public": public,
    }


# --- ciphers: the libraries are imported late, because most runs open no key ---------------------
def _passphrase_bytes(passphrase: str) -> bytes:
    try:
        return unicodedata.normalize("NFC", passphrase).encode()
    except UnicodeEncodeError:
        raise PassphraseError("the passphrase is not valid text") from None


def _derive(passphrase: bytes, salt: bytes, kdf: KdfParams) -> bytes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    try:
        return Argon2id(
            salt=salt,
            length=32,
            iterations=kdf.passes,
            lanes=kdf.lanes,
            memory_cost=kdf.memory_kib,
        ).derive(passphrase)
    except MemoryError:
        raise UsageError(
            f"the key envelope asks for {kdf.memory_kib} KiB of memory, which is not to be had here"
        ) from None
    except UnsupportedAlgorithm as error:
        raise UsageError(
            "this build of `cryptography` lacks Argon2id; install its wheel"
        ) from error


def _encrypt(cipher_key: bytes, nonce: bytes, key: SigningKey, header: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    return ChaCha20Poly1305(cipher_key).encrypt(nonce, key.reveal_seed(), header)


def _open(envelope: KeyEnvelope, passphrase: str) -> SigningKey:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    kdf = envelope.kdf
    if kdf is None:
        return SigningKey.from_seed(envelope.secret)
    cipher_key = _derive(_passphrase_bytes(passphrase), envelope.salt, kdf)
    header = _encode(_header(envelope.public, kdf, envelope.salt, envelope.nonce))
    cipher = ChaCha20Poly1305(cipher_key)
    try:
        return SigningKey.from_seed(cipher.decrypt(envelope.nonce, envelope.secret, header))
    except InvalidTag:
        raise PassphraseError("wrong passphrase, or the key file was changed") from None
