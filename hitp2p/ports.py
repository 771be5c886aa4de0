"""The small interfaces through which the outside comes in: clock, chance, signing, fetching blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hitp2p.codec.cid import Cid

__all__ = ["BlockSource", "Clock", "Randomness", "Signer"]


class Clock(Protocol):
    """The time, as a claim to write into objects; never used to judge."""

    def __call__(self) -> int:
        """Milliseconds since 1970."""
        ...


class Randomness(Protocol):
    """Bytes nobody can guess; in tests, bytes from a seed."""

    def __call__(self, n_bytes: int, /) -> bytes:
        """Exactly `n_bytes` fresh bytes."""
        ...


class Signer(Protocol):
    """Something that can sign: a key in memory, a hardware key, an agent, a KMS."""

    @property
    def public(self) -> bytes:
        """The 32-byte Ed25519 public key. Constant."""
        ...

    def sign(self, domain: bytes, message: bytes) -> bytes:
        """A 64-byte signature over `domain + message` [KEY-6]. `domain` ends in a zero byte."""
        ...


class BlockSource(Protocol):
    """Somewhere to get blocks from, by CID."""

    def get(self, cid: Cid, /) -> bytes | None:
        """The bytes, which hash to `cid` (verified), or None where the block is absent."""
        ...
