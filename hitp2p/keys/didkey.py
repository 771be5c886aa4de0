"""Public keys as text: `did:key:z6Mk...` [KEY-7]."""

from __future__ import annotations

from typing import Final

from multiformats import multibase

from hitp2p.errors import SignatureError, UsageError

__all__ = ["encode_did_key", "parse_did_key"]

_SCHEME: Final = "did:key:"
_ED25519: Final = b"\xed\x01"
"""The varint of multicodec 0xed, ed25519-pub."""
_MAX_CHARS: Final = 64
"""No did:key of Ed25519 is longer (56 characters); asked first, because base58 takes quadratic time."""


def encode_did_key(public: bytes) -> str:
    """The did:key of a 32-byte public key; doesn't judge the key."""
    if len(public) != 32:
        raise UsageError(f"public key of {len(public)} bytes; must be 32")
    return _SCHEME + multibase.encode("base58btc", _ED25519 + public)


def parse_did_key(text: str) -> bytes:
    """The 32 bytes of the public key, as received: its encoding is checked where the key is used [KEY-7]."""
    if not (text.startswith(_SCHEME + "z") and text.isascii() and len(text) <= _MAX_CHARS):
        raise SignatureError(f"{text[:_MAX_CHARS]!r} is no did:key in base58btc", rule="KEY-7")
    try:
        _, decoded = multibase.decode(text.removeprefix(_SCHEME))
    except ValueError as error:
        raise SignatureError(f"{text!r} is not base58btc", rule="KEY-7") from error
    if len(decoded) != 34 or decoded[:2] != _ED25519:
        raise SignatureError(f"{text!r} is no Ed25519 key of 32 bytes", rule="KEY-7")
    if encode_did_key(decoded[2:]) != text:
        raise SignatureError(f"{text!r} is not how the key is spelled", rule="KEY-7")
    return decoded[2:]
