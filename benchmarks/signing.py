"""Signing and strictly verifying one object, beside the bare call into each library."""

from __future__ import annotations

from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from benchmarks.measure import Figure, thread_us
from benchmarks.samples import people, trail
from hitp2p.keys.ed25519 import OBJECT_DOMAIN, openssl_backend, verify


def figures(*, smoke: bool) -> Iterator[Figure]:
    """One signature, one strict check."""
    obj, signer = trail(3)[-1], people()[0].signer
    message = bytes((obj.block[0] - 1,)) + obj.block[71:]
    whole = OBJECT_DOMAIN + message
    times, batches = (5, 2) if smoke else (100, 30)
    bare_key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    yield Figure(
        name="sign, over the bare call",
        value=thread_us(lambda: signer.sign(OBJECT_DOMAIN, message), times=times, batches=batches),
        unit="us",
        floor=thread_us(lambda: bare_key.sign(whole), times=times, batches=batches),
    )
    backend, signature = openssl_backend(), obj.block[7:71]

    def strict() -> None:
        verify(obj.signer, signature, OBJECT_DOMAIN, message, backend=backend)

    def bare() -> None:
        Ed25519PublicKey.from_public_bytes(obj.signer).verify(signature, whole)

    yield Figure(
        name="verify strictly (OpenSSL), over the bare call",
        value=thread_us(strict, times=times, batches=batches),
        unit="us",
        floor=thread_us(bare, times=times, batches=batches),
    )
