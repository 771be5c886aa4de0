"""Orphans: objects whose signature is good and whose requirements aren't here. They wait in a bounded pool.

What a peer brought counts against that peer, by its key, so that coming back with a new connection gains it nothing. Where the
pool as a whole is full, the oldest of whoever holds most of it gives way.
"""

from __future__ import annotations

from collections.abc import Iterable

from hitp2p import limits
from hitp2p.codec.cid import Cid
from hitp2p.objects.envelope import SignedObject

__all__ = ["Orphan", "Waiting"]


class Orphan:
    """One object that waits."""

    __slots__ = ("host", "key", "link", "missing", "obj", "topic", "until")

    def __init__(
        self,
        obj: SignedObject,
        topic: Cid,
        missing: Iterable[Cid],
        *,
        link: int,
        key: bytes,
        host: str,
    ) -> None:
        self.obj = obj
        self.topic = topic
        self.link = link
        """The connection that brought it."""
        self.key = key
        """Node key of the peer that brought it."""
        self.host = host
        self.missing = dict.fromkeys(missing)
        self.until = 0.0
        """When it is forgotten, in seconds of the clock that never goes back."""


class Waiting:
    """The pool."""

    def __init__(self) -> None:
        self._orphans: dict[Cid, Orphan] = {}
        """In the order of their coming, so of their ends."""
        self._by_missing: dict[Cid, dict[Cid, None]] = {}
        self._by_key: dict[bytes, dict[Cid, None]] = {}
        self._bytes_of: dict[bytes, int] = {}
        self.n_bytes = 0

    def __len__(self) -> int:
        return len(self._orphans)

    def __contains__(self, cid: Cid) -> bool:
        return cid in self._orphans

    def bytes_of(self, key: bytes) -> int:
        """Bytes that a peer has waiting here."""
        return self._bytes_of.get(key, 0)

    def count_of(self, key: bytes) -> int:
        """Objects that a peer has waiting here."""
        return len(self._by_key.get(key, ()))

    def put(self, orphan: Orphan, now: float) -> None:
        """Let an object wait, unless it does; the oldest of the same peer give way."""
        cid, key, size = orphan.obj.cid, orphan.key, len(orphan.obj.block)
        if cid in self._orphans or not orphan.missing:
            return
        while (
            self.count_of(key) >= limits.NODE_WAITING_OBJECTS
            or self.bytes_of(key) + size > limits.NODE_WAITING_PEER_BYTES
        ):
            self.drop(next(iter(self._by_key[key])))
        while self.n_bytes + size > limits.NODE_WAITING_BYTES:
            most = max(self._bytes_of, key=lambda holder: self._bytes_of[holder])
            self.drop(next(iter(self._by_key[most])))
        orphan.until = now + limits.NODE_WAITING_S
        self._orphans[cid] = orphan
        self._by_key.setdefault(key, {})[cid] = None
        self._bytes_of[key] = self.bytes_of(key) + size
        self.n_bytes += size
        for missing in orphan.missing:
            self._by_missing.setdefault(missing, {})[cid] = None

    def drop(self, cid: Cid) -> Orphan | None:
        """Forget an object; it, if it was here."""
        orphan = self._orphans.pop(cid, None)
        if orphan is None:
            return None
        key, size = orphan.key, len(orphan.obj.block)
        self._bytes_of[key] -= size
        self.n_bytes -= size
        del self._by_key[key][cid]
        if not self._by_key[key]:
            del self._by_key[key], self._bytes_of[key]
        for missing in orphan.missing:
            waiting = self._by_missing[missing]
            del waiting[cid]
            if not waiting:
                del self._by_missing[missing]
        return orphan

    def on_here(self, cids: Iterable[Cid]) -> list[Orphan]:
        """Blocks have come; the objects that lacked the last of what they require, taken out of the pool."""
        ready: list[Orphan] = []
        for here in cids:
            for cid in list(self._by_missing.get(here, ())):
                orphan = self._orphans[cid]
                if list(orphan.missing) == [here]:
                    self.drop(cid)
                    ready.append(orphan)
                else:
                    del orphan.missing[here]
                    del self._by_missing[here][cid]
            if here in self._by_missing and not self._by_missing[here]:
                del self._by_missing[here]
        return ready

    def on_lost(self, cid: Cid) -> None:
        """A block is invalid, or is kept out: forget what requires it, and what requires that."""
        lost = [cid]
        while lost:
            waiting = list(self._by_missing.get(lost.pop(), ()))
            for one in waiting:
                self.drop(one)
            lost += waiting

    def drop_topic(self, topic: Cid) -> None:
        """Forget what waits for a topic that isn't followed any more."""
        for cid in [cid for cid, orphan in self._orphans.items() if orphan.topic == topic]:
            self.drop(cid)

    def expire(self, now: float) -> None:
        """Forget what has waited for too long."""
        while self._orphans:
            cid, orphan = next(iter(self._orphans.items()))
            if orphan.until > now:
                return
            self.drop(cid)

    @property
    def next_end(self) -> float | None:
        """When the oldest is forgotten."""
        return next((orphan.until for orphan in self._orphans.values()), None)
