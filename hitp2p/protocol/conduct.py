"""What a peer may take, and who is kept out: token buckets and bans, by node key and by address [NET-22, NET-23].

Addresses of the operator's own network are bound by key alone: behind a tunnel or a proxy all the world comes from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, cast

from hitp2p.errors import DecodeError
from hitp2p.limits import NODE_BAN_HOST_S, NODE_BAN_KEY_S, NODE_BANS, NODE_METERS
from hitp2p.protocol.actions import Moment
from hitp2p.protocol.packing import pack, unpack
from hitp2p.protocol.places import host_key, is_own

__all__ = ["Bans", "Meter", "TokenBucket"]

_VERSION: Final = 1
_KEY_BYTES: Final = 32
_HOST_BYTES: Final = 261
"""Longest form of a host that is kept."""

_ROUNDING: Final = 1e-6
"""Tokens that may lack, so that who waits as long as was said doesn't wait again for the rounding of a clock."""


class TokenBucket:
    """So many at once, and so many a second after that. What asks for more than the burst waits for all of it."""

    __slots__ = ("_at", "_burst", "_level", "_rate")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level = burst
        self._at = float("-inf")

    def take(self, n: float, now_mono: float) -> bool:
        """Take `n` tokens if they are there; all or nothing."""
        if self.wait_s(n, now_mono) > 0:
            return False
        self._level -= n
        return True

    def wait_s(self, n: float, now_mono: float) -> float:
        """Seconds until `n` tokens are there; 0 if they are."""
        self._refill(now_mono)
        lacking = min(n, self._burst) - self._level
        return lacking / self._rate if lacking > _ROUNDING else 0.0

    def _refill(self, now_mono: float) -> None:
        if now_mono > self._at:
            self._level = min(self._burst, self._level + (now_mono - self._at) * self._rate)
            self._at = now_mono


class Meter:
    """One rate, for each key and each address alike; what is taken counts against both [NET-22].

    Remembers a bounded number of each. Forgotten is who was silent the longest, whose bucket has filled up the most.
    """

    __slots__ = ("_burst", "_by_host", "_by_key", "_rate")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._by_key: dict[bytes, TokenBucket] = {}
        self._by_host: dict[bytes, TokenBucket] = {}

    def take(self, key: bytes, host: str, n: float, now_mono: float) -> bool:
        """Take `n` for a peer, if both its key and its address have as many left."""
        buckets = self._buckets(key, host)
        if any(bucket.wait_s(n, now_mono) > 0 for bucket in buckets):
            return False
        for bucket in buckets:
            bucket.take(n, now_mono)
        return True

    def wait_s(self, key: bytes, host: str, n: float, now_mono: float) -> float:
        """Seconds until `take` would give `n`, if nobody else takes."""
        return max(bucket.wait_s(n, now_mono) for bucket in self._buckets(key, host))

    def _buckets(self, key: bytes, host: str) -> list[TokenBucket]:
        found = [self._bucket(self._by_key, key)]
        if not is_own(host):
            found.append(self._bucket(self._by_host, host_key(host)))
        return found

    def _bucket(self, buckets: dict[bytes, TokenBucket], name: bytes) -> TokenBucket:
        bucket = buckets.pop(name, None) or TokenBucket(self._rate, self._burst)
        buckets[name] = bucket
        if len(buckets) > NODE_METERS:
            del buckets[next(iter(buckets))]
        return bucket

    def __len__(self) -> int:
        return len(self._by_key) + len(self._by_host)


class Bans:
    """Who isn't let in: keys for an hour, addresses for a minute [NET-23]. Bounded; the one that ends first is forgotten."""

    __slots__ = ("_hosts", "_keys")

    def __init__(self) -> None:
        self._keys: dict[bytes, float] = {}
        self._hosts: dict[bytes, float] = {}

    def ban(self, key: bytes, host: str, now: Moment) -> None:
        """Keep out a key, and the address that it was seen at unless it is of the operator's own network."""
        _put(self._keys, key, now.mono + NODE_BAN_KEY_S, now.mono)
        if not is_own(host):
            _put(self._hosts, host_key(host), now.mono + NODE_BAN_HOST_S, now.mono)

    def is_banned(self, key: bytes | None, host: str, now: Moment) -> bool:
        """Whether a peer is kept out; with None for a key, before it is known, whether its address is."""
        by_key = key is not None and self._keys.get(key, now.mono) > now.mono
        return by_key or self._hosts.get(host_key(host), now.mono) > now.mono

    def lift(self, key: bytes, host: str) -> None:
        """Forget both, at the word of the operator."""
        self._keys.pop(key, None)
        self._hosts.pop(host_key(host), None)

    def __len__(self) -> int:
        return len(self._keys) + len(self._hosts)

    def encode(self, now: Moment) -> bytes:
        """The bans that hold, as bytes for a file; by the clock on the wall, as the other one starts anew."""

        def lasting(bans: dict[bytes, float]) -> list[list[object]]:
            return [
                [name, now.wall + round((until - now.mono) * 1000)]
                for name, until in bans.items()
                if until > now.mono
            ]

        return pack([_VERSION, lasting(self._keys), lasting(self._hosts)])

    @classmethod
    def parse(cls, data: bytes, *, now: Moment) -> Bans:
        """Bans from such bytes. None holds longer than if it were made now, whatever the clock said then.

        Raises:
            DecodeError: NET-23, for what `encode` didn't make.
        """
        bans = cls()
        for name, left_s in _entries(data, 1, range(_KEY_BYTES, _KEY_BYTES + 1), now):
            _put(bans._keys, name, now.mono + min(left_s, NODE_BAN_KEY_S), now.mono)
        for name, left_s in _entries(data, 2, range(_HOST_BYTES + 1), now):
            _put(bans._hosts, name, now.mono + min(left_s, NODE_BAN_HOST_S), now.mono)
        return bans


def _put(bans: dict[bytes, float], name: bytes, until: float, now_mono: float) -> None:
    """Remember one more; the order in a dict is that of their ends, as all last equally long."""
    bans.pop(name, None)
    bans[name] = until
    while len(bans) > NODE_BANS or (bans and bans[next(iter(bans))] <= now_mono):
        del bans[next(iter(bans))]


def _entries(data: bytes, at: int, sizes: range, now: Moment) -> Iterable[tuple[bytes, float]]:
    try:
        found: Any = unpack(data)
        version, *lists = found
        entries = sorted(lists[at - 1], key=lambda entry: cast(int, entry[1]))
        if version != _VERSION or len(lists) != 2 or len(entries) > NODE_BANS:
            raise ValueError(version)
        for name, until in entries:
            if type(name) is not bytes or len(name) not in sizes or type(until) is not int:
                raise ValueError(name)
            if until > now.wall:
                yield name, (until - now.wall) / 1000
    except (ValueError, TypeError, LookupError) as error:
        raise DecodeError(
            "these are no bans of a node; delete the file to begin without any", rule="NET-23"
        ) from error
