"""`SyncSet`: the keys of one set in order [NET-1], with the fingerprint of any stretch of them [NET-2].

Keys stand side by side in chunks of at most 512, 40 bytes each and nothing around them; a Python object a key would take twice
that. Each chunk remembers the sum of its digests, so a stretch costs its two ends and one look at running totals. What is asked
by digest is found in a second such list, of the last 8 bytes of each digest with the generation: 16 bytes more, where a dict
would take 100. Two digests that end alike are both looked at, so that nobody gains by making such.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import accumulate, islice, takewhile
from struct import unpack
from typing import Any, Final

from hitp2p.codec.cid import OBJECT_CID_HEAD, Cid, raw_bytes
from hitp2p.errors import UsageError

__all__ = [
    "DIGEST_BYTES",
    "GENERATION_BYTES",
    "KEY_BYTES",
    "SyncSet",
    "bound_between",
    "cid_of",
    "fingerprint_of",
    "key_of",
]

KEY_BYTES: Final = 40
"""Generation and digest [NET-1]."""
DIGEST_BYTES: Final = 32
"""Of sha2-256."""
GENERATION_BYTES: Final = KEY_BYTES - DIGEST_BYTES
_TAIL_BYTES: Final = 8
"""What the list by digest keeps of one."""
_CHUNK: Final = 512
"""Most records of a chunk: about the square root of the largest sets."""
_MODULUS: Final = 2**256


def key_of(generation: int, cid: Cid) -> bytes:
    """The key of a member [NET-1]."""
    return generation.to_bytes(GENERATION_BYTES, "big") + raw_bytes(cid)[-DIGEST_BYTES:]


def cid_of(key_or_digest: bytes) -> Cid:
    """The object that a key, or a digest, names."""
    return Cid.from_bytes(OBJECT_CID_HEAD + key_or_digest[-DIGEST_BYTES:])


def fingerprint_of(count: int, total: int) -> bytes:
    """The fingerprint of `count` keys whose digests add up to `total` [NET-2]."""
    said = (total % _MODULUS).to_bytes(DIGEST_BYTES, "big") + count.to_bytes(8, "big")
    return sha256(said).digest()[:16]


def bound_between(low: bytes, high: bytes) -> bytes:
    """The shortest bytes that are above one key and not above another, higher one."""
    same = next(at for at in range(KEY_BYTES) if low[at] != high[at])
    return high[: same + 1]


class SyncSet:
    """The keys of one set. Changes may come between any two calls; every answer is of the moment."""

    __slots__ = ("_keys", "_marks", "_tails", "_total")

    def __init__(self, keys: Iterable[bytes] = ()) -> None:
        """Take the keys in any order; one that comes twice counts once."""
        self._keys = _Records(KEY_BYTES, map(_checked, keys))
        self._tails = _Records(_TAIL_BYTES + GENERATION_BYTES, map(_tail_of, self._keys))
        self._total = sum(self._keys.sum_of(i) for i in range(len(self._keys.chunks)))
        self._marks: tuple[list[int], list[int]] | None = None

    def __len__(self) -> int:
        return self._keys.n

    def __contains__(self, key: bytes) -> bool:
        return key in self._keys

    def has_digest(self, digest: bytes) -> bool:
        """Whether a key with this digest is here."""
        return self.key_of_digest(digest) is not None

    def key_of_digest(self, digest: bytes) -> bytes | None:
        """The key with this digest, if it is here."""
        tail = digest[-_TAIL_BYTES:]
        for record in self._tails.iter_from(tail):
            if not record.startswith(tail):
                break
            key = record[_TAIL_BYTES:] + digest
            if key in self._keys:
                return key
        return None

    def add(self, key: bytes) -> bool:
        """Put a key in; whether it is new."""
        if not self._keys.add(_checked(key)):
            return False
        self._tails.add(_tail_of(key))
        self._changed(_number_of(key))
        return True

    def discard(self, key: bytes) -> bool:
        """Take a key out; whether it was here."""
        if not self._keys.discard(key):
            return False
        self._tails.discard(_tail_of(key))
        self._changed(-_number_of(key))
        return True

    def fingerprint(self, lower: bytes = b"", upper: bytes = b"") -> tuple[int, bytes]:
        """How many keys stand in [lower, upper), and their fingerprint [NET-2]; empty bytes are no bound."""
        if not lower and not upper:
            return len(self), fingerprint_of(len(self), self._total)
        first, end = self._keys.place(lower), self._end(upper)
        if first >= end:
            return 0, fingerprint_of(0, 0)
        if first[0] == end[0]:
            chunk = self._keys.chunks[first[0]]
            total = _sum_of(chunk[first[1] * KEY_BYTES : end[1] * KEY_BYTES])
        else:
            total = self._sum_before(end) - self._sum_before(first)
        count = self._count_before(end) - self._count_before(first)
        return count, fingerprint_of(count, total)

    def rank(self, bound: bytes) -> int:
        """How many keys stand below a bound."""
        return self._count_before(self._keys.place(bound))

    def count(self, lower: bytes = b"", upper: bytes = b"") -> int:
        """How many keys stand in [lower, upper)."""
        return max(0, self._count_before(self._end(upper)) - self.rank(lower))

    def key_at(self, rank: int) -> bytes:
        """The key that has `rank` keys below it."""
        if not 0 <= rank < len(self):
            raise UsageError(f"no key has rank {rank} among {len(self)}; count first")
        counts, _ = self._running()
        chunk = bisect_right(counts, rank) - 1
        return self._keys.at(chunk, rank - counts[chunk])

    def bound_at(self, rank: int) -> bytes:
        """The shortest bytes that are above the key before this rank, and not above the key of it."""
        return bound_between(self.key_at(rank - 1), self.key_at(rank))

    def iter_keys(self, lower: bytes = b"", upper: bytes = b"") -> Iterator[bytes]:
        """The keys in [lower, upper); the set must not change meanwhile."""
        found = self._keys.iter_from(lower)
        return takewhile(lambda key: key < upper, found) if upper else found

    def keys(self, lower: bytes = b"", upper: bytes = b"", limit: int | None = None) -> list[bytes]:
        """The keys in [lower, upper), the first `limit` of them."""
        return list(islice(self.iter_keys(lower, upper), limit))

    def after(self, key: bytes, limit: int) -> list[bytes]:
        """The first `limit` keys that are strictly greater."""
        return self.keys(key + b"\0" if key else b"", limit=limit)

    def _changed(self, by: int) -> None:
        self._total += by
        self._marks = None

    def _end(self, upper: bytes) -> tuple[int, int]:
        return self._keys.place(upper) if upper else self._keys.end()

    def _running(self) -> tuple[list[int], list[int]]:
        """Number and sum of the keys before each chunk; made anew after a change."""
        if self._marks is None:
            keys = self._keys
            sizes = (len(chunk) // KEY_BYTES for chunk in keys.chunks)
            sums = (keys.sum_of(i) for i in range(len(keys.chunks)))
            self._marks = list(accumulate(sizes, initial=0)), list(accumulate(sums, initial=0))
        return self._marks

    def _count_before(self, place: tuple[int, int]) -> int:
        return self._running()[0][place[0]] + place[1]

    def _sum_before(self, place: tuple[int, int]) -> int:
        """Sum of the digests before a place; the shorter side of its chunk is added up."""
        i, n = place
        sums, chunk = self._running()[1], self._keys.chunks[i]
        if 2 * n * KEY_BYTES <= len(chunk):
            return sums[i] + _sum_of(chunk[: n * KEY_BYTES])
        return sums[i + 1] - _sum_of(chunk[n * KEY_BYTES :])


class _Records:
    """Records of one width, in order and each once, side by side in chunks."""

    __slots__ = ("chunks", "lowest", "n", "sums", "width")

    def __init__(self, width: int, records: Iterable[bytes]) -> None:
        self.width = width
        ordered = sorted(records)
        ordered = [r for i, r in enumerate(ordered) if i == 0 or r != ordered[i - 1]]
        self.n = len(ordered)
        size = _CHUNK * 3 // 4  # Room for the first that come later.
        starts = range(0, self.n, size) if ordered else range(1)
        self.chunks = [bytearray().join(ordered[at : at + size]) for at in starts]
        self.lowest = [b"", *(ordered[at] for at in starts[1:])]
        """A bound below all of each chunk and above all of the one before; not always a record that is still here."""
        self.sums: list[int | None] = [None] * len(self.chunks)
        """Of the keys of each chunk, where it has been added up since the last change."""

    def place(self, bound: bytes) -> tuple[int, int]:
        """Chunk, and number in it, of the first record that isn't below `bound`; the number may be one past the end."""
        i = bisect_right(self.lowest, bound) - 1 if bound else 0
        chunk, width = self.chunks[i], self.width

        def record(at: int) -> Any:  # bytes or a bytearray, which compare
            return chunk[at * width : at * width + width]

        return i, bisect_left(range(len(chunk) // width), bound, key=record)

    def end(self) -> tuple[int, int]:
        """The place past all."""
        return len(self.chunks) - 1, len(self.chunks[-1]) // self.width

    def at(self, i: int, number: int) -> bytes:
        """The record at a place."""
        return bytes(self.chunks[i][number * self.width : (number + 1) * self.width])

    def __contains__(self, record: bytes) -> bool:
        return self.at(*self.place(record)) == record

    def __iter__(self) -> Iterator[bytes]:
        return self.iter_from(b"")

    def iter_from(self, bound: bytes) -> Iterator[bytes]:
        """The records from `bound` on; the set must not change meanwhile."""
        i, number = self.place(bound)
        width, start = self.width, number * self.width
        for j in range(i, len(self.chunks)):
            chunk = self.chunks[j]
            for at in range(start, len(chunk), width):
                yield bytes(chunk[at : at + width])
            start = 0

    def add(self, record: bytes) -> bool:
        """Put a record in its place; whether it is new."""
        i, number = self.place(record)
        if self.at(i, number) == record:
            return False
        at = number * self.width
        self.chunks[i][at:at] = record
        self.sums[i] = None
        self.n += 1
        if len(self.chunks[i]) > _CHUNK * self.width:
            self._split(i)
        return True

    def discard(self, record: bytes) -> bool:
        """Take a record out; whether it was here."""
        i, number = self.place(record)
        if self.at(i, number) != record:
            return False
        del self.chunks[i][number * self.width : (number + 1) * self.width]
        self.sums[i] = None
        self.n -= 1
        if len(self.chunks[i]) < _CHUNK * self.width // 4 and len(self.chunks) > 1:
            self._join(min(i, len(self.chunks) - 2))
        return True

    def sum_of(self, i: int) -> int:
        """Sum of the digests of a chunk of keys."""
        known = self.sums[i]
        if known is None:
            known = self.sums[i] = _sum_of(self.chunks[i])
        return known

    def _split(self, i: int) -> None:
        chunk = self.chunks[i]
        half = len(chunk) // self.width // 2 * self.width
        self.chunks[i : i + 1] = [chunk[:half], chunk[half:]]
        self.sums[i : i + 1] = [None, None]
        self.lowest.insert(i + 1, self.at(i + 1, 0))

    def _join(self, i: int) -> None:
        """Make one of a chunk and the next, and two again of what is too large."""
        self.chunks[i : i + 2] = [self.chunks[i] + self.chunks[i + 1]]
        self.sums[i : i + 2] = [None]
        del self.lowest[i + 1]
        if len(self.chunks[i]) > _CHUNK * self.width:
            self._split(i)


def _sum_of(keys: bytes | bytearray) -> int:
    """Sum of the digests of keys that stand side by side; each is four words behind the word of its generation."""
    words = unpack(f">{len(keys) // 8}Q", keys)
    a, b, c, d = (int(sum(words[at::5])) for at in range(1, 5))
    return (a << 192) + (b << 128) + (c << 64) + d


def _number_of(key: bytes) -> int:
    return int.from_bytes(key[GENERATION_BYTES:], "big")


def _tail_of(key: bytes) -> bytes:
    return key[-_TAIL_BYTES:] + key[:GENERATION_BYTES]


def _checked(key: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        raise UsageError(f"a key of {len(key)} bytes; give {KEY_BYTES}, as key_of makes them")
    return key
