"""The small interfaces through which the outside comes in: clock, chance, signing, fetching blocks; and contexts that close."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from hitp2p.codec.cid import Cid

__all__ = ["BlockSource", "Clock", "Closing", "Randomness", "Signer"]


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


class Closing(ABC):
    """A context that closes at its end, whatever happened inside."""

    __slots__ = ()

    @abstractmethod
    def close(self) -> None:
        """Let go of what is held. Harmless twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
