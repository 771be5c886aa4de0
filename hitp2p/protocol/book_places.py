"""Where in an address book a peer stands, and how long it waits: drawn by a secret, so that nobody outside can aim."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from hitp2p.errors import UsageError
from hitp2p.limits import (
    NODE_BACKOFF_FIRST_S,
    NODE_BACKOFF_LAST_S,
    NODE_BOOK_NEW,
    NODE_BOOK_TRIED,
)

__all__ = ["SECRET_BYTES", "BookPlaces"]

SECRET_BYTES: Final = 32
_BUCKET: Final = 8
"""Places of a bucket."""
_NEW_SHARE: Final = 8
"""Buckets that one network reaches by telling."""
_TRIED_SHARE: Final = 2
"""Buckets that the peers of one network reach."""


class BookPlaces:
    """The same place for the same peer and network each time, under one secret."""

    __slots__ = ("secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SECRET_BYTES:
            raise UsageError(
                f"a secret of {len(secret)} bytes; an address book takes {SECRET_BYTES}"
            )
        self.secret = secret

    def new(self, source_group: bytes, key: bytes) -> int:
        """Where a peer stands of whom a network told."""
        share = self._number(b"new share", key) % _NEW_SHARE
        return self._place(b"new", source_group, share, key, NODE_BOOK_NEW)

    def tried(self, group: bytes, key: bytes) -> int:
        """Where a peer stands that was reached in a network."""
        share = self._number(b"tried share", key) % _TRIED_SHARE
        return self._place(b"tried", group, share, key, NODE_BOOK_TRIED)

    def _place(self, table: bytes, group: bytes, share: int, key: bytes, n_places: int) -> int:
        bucket = self._number(table, bytes([share]) + group) % (n_places // _BUCKET)
        within = self._number(table + b" place", bucket.to_bytes(2, "big") + key) % _BUCKET
        return bucket * _BUCKET + within

    def wait(self, key: bytes, n_failed: int) -> float:
        """Seconds to wait after one more failure: anything from 0 to the longest wait, as chance and the secret have it."""
        share = self._number(b"wait", n_failed.to_bytes(2, "big") + key) / 2**64
        return share * self.longest_wait(n_failed)

    @staticmethod
    def longest_wait(n_failed: int) -> float:
        """Seconds, after `n_failed` failures and one more: 3, 6, 12 and so on up to an hour."""
        return float(min(NODE_BACKOFF_LAST_S, NODE_BACKOFF_FIRST_S * 2 ** min(n_failed, 16)))

    def _number(self, what: bytes, data: bytes) -> int:
        digest = blake2b(data, digest_size=8, key=self.secret, person=what)
        return int.from_bytes(digest.digest(), "big")
