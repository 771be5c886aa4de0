"""Private keys in the files of other programs: PKCS8 (PEM, DER) and OpenSSH.

For moving keys, not for keeping them: the passphrase of a PKCS8 file costs a guesser a third of a millisecond, and of
an OpenSSH file more; the key envelope costs half a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from hitp2p import limits
from hitp2p.errors import KeyFileError, PassphraseError, UsageError
from hitp2p.keys.ed25519 import SigningKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        KeySerializationEncryption,
        PrivateFormat,
    )

__all__ = ["export_openssh", "export_pkcs8", "import_private_key"]

_OPENSSH_HEAD: Final = b"-----BEGIN OPENSSH PRIVATE KEY-----"
_NO_BCRYPT: Final = (
    "OpenSSH key files with a passphrase need the package `bcrypt`: pip install bcrypt, or "
    "take the passphrase off a copy with ssh-keygen -p"
)


def import_private_key(data: bytes, passphrase: str | None = None) -> SigningKey:
    """The Ed25519 key in a PKCS8 (PEM or DER) or OpenSSH private key file, at most 4 KiB.

    Raises:
        KeyFileError: none of these formats, damaged, or not Ed25519.
        PassphraseError: the file is encrypted, and the passphrase is absent or wrong.
        UsageError: an encrypted OpenSSH file, and `bcrypt` isn't installed.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if len(data) > limits.KEY_FILE_BYTES:
        raise KeyFileError(
            f"key file of {len(data)} bytes; at most {limits.KEY_FILE_BYTES} allowed"
        )
    key = _load(data, _passphrase_bytes(passphrase) if passphrase else None)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError("the key file holds another kind of key than Ed25519")
    return SigningKey.from_seed(key.private_bytes_raw())


def _load(data: bytes, password: bytes | None) -> object:
    from cryptography.exceptions import InternalError, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    loaders = {
        _OPENSSH_HEAD: serialization.load_ssh_private_key,
        b"-----BEGIN ": serialization.load_pem_private_key,
        b"": serialization.load_der_private_key,
    }
    load = next(loader for head, loader in loaders.items() if data.lstrip().startswith(head))
    try:
        return load(data, password)
    except UnsupportedAlgorithm as error:
        if "bcrypt" in str(error):
            raise UsageError(_NO_BCRYPT) from None
        raise KeyFileError("the key file uses an algorithm that is not supported") from None
    except TypeError as error:  # how the library says that a passphrase is missing or too much
        if password is None:
            raise PassphraseError("the key file is encrypted; a passphrase is needed") from None
        raise KeyFileError("the key file is not encrypted; leave the passphrase out") from error
    except (ValueError, InternalError) as error:  # the second for an Ed448 key of 32 bytes
        if password is not None:
            raise PassphraseError("wrong passphrase, or the key file is damaged") from None
        raise KeyFileError("the key file is none of PKCS8 and OpenSSH, or damaged") from error


def export_pkcs8(
    key: SigningKey, passphrase: str | None, *, encoding: Literal["pem", "der"] = "pem"
) -> bytes:
    """The key as PKCS8; `passphrase=None` leaves it in clear."""
    from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat

    form = Encoding.PEM if encoding == "pem" else Encoding.DER
    return _export(key, form, PrivateFormat.PKCS8, passphrase)


def export_openssh(key: SigningKey, passphrase: str | None) -> bytes:
    """The key as OpenSSH keeps it; `passphrase=None` leaves it in clear, another one needs `bcrypt`."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat

    try:
        return _export(key, Encoding.PEM, PrivateFormat.OpenSSH, passphrase)
    except UnsupportedAlgorithm:
        raise UsageError(_NO_BCRYPT) from None


def _export(
    key: SigningKey, encoding: Encoding, form: PrivateFormat, passphrase: str | None
) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.from_private_bytes(key.reveal_seed())
    return private.private_bytes(encoding, form, _encryption(passphrase))


def _encryption(passphrase: str | None) -> KeySerializationEncryption:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        NoEncryption,
    )

    if passphrase is None:
        return NoEncryption()
    if not passphrase:
        raise PassphraseError("the passphrase is empty")
    return BestAvailableEncryption(_passphrase_bytes(passphrase))


def _passphrase_bytes(passphrase: str) -> bytes:
    """As typed, without NFC: so do the programs whose files these are."""
    try:
        return passphrase.encode()
    except UnicodeEncodeError:
        raise PassphraseError("the passphrase is not valid text") from None
