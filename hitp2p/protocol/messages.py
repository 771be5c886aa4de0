"""What nodes say to each other: one class a message of the table in spec 10, as `frames.py` reads and writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass

__all__ = [
    "ANSWER_TO",
    "NOTICES",
    "Answer",
    "Blocks",
    "Bye",
    "Follow",
    "Followed",
    "Get",
    "Heads",
    "Hello",
    "Message",
    "Notice",
    "Peers",
    "Ping",
    "Pong",
    "Pull",
    "Push",
    "Range",
    "Ranges",
    "Recon",
    "Records",
    "Request",
    "Sorry",
    "State",
]


class Followed(NamedTuple):
    """One line of FOLLOW."""

    topic: Cid
    """A project, or the genesis of an identity."""
    scope: int
    """0 accepted, 1 all."""
    media: int
    """What the sender wants of media: 0 none, 1 previews, 2 all."""


@dataclass(frozen=True, slots=True)
class Range:
    """What is said of the keys from the range before, or the lowest key, up to `upper` [NET-15]."""

    upper: bytes
    """0 to 40 bytes, above all keys of the range; empty, in the last range only, for no bound."""
    mode: int
    """0 nothing to say, 1 count and fingerprint, 2 all digests, 3 the answer to mode 2."""
    count: int = 0
    """Mode 1: how many keys the sender has here."""
    sum: bytes = b""
    """Mode 1: their fingerprint, 16 bytes."""
    digests: tuple[bytes, ...] = ()
    """Mode 2: those of the sender's keys here, in the order of the keys. Mode 3: those that the other lacks."""
    places: tuple[int, ...] = ()
    """Mode 3: which of the digests of mode 2 the sender lacks, rising from 0; no one has checked that there are so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The first frame of each side [NET-9]."""

    TYPE = 0
    versions: tuple[int, ...]
    """1 to 8 versions of the protocol that the sender speaks; no one has checked that 1 is among them."""
    features: tuple[str, ...]
    agent: str
    """The sender's program, as it says."""
    listen: tuple[str, ...]
    """Addresses that the sender says it can be reached at, as received: texts of 1 to 256 bytes."""
    nonce: bytes
    """16 bytes of chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """What the sender follows, in place of what it followed before [NET-12]."""

    TYPE = 2
    topics: tuple[Followed, ...]
    """Up to 1,024, no topic twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """New members of a topic's set [NET-13]; at least one of the two."""

    TYPE = 4
    topic: Cid
    objects: tuple[bytes, ...] = ()
    """Up to 64 blocks of at most 8 KiB, unverified."""
    cids: tuple[bytes, ...] = ()
    """Digests of up to 256 members that the sender offers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """Asks for STATE, and says the sender's own."""

    TYPE = 6
    topic: Cid
    scope: int
    count: int
    """Keys in the set."""
    sum: bytes
    """Their fingerprint, 16 bytes [NET-2]."""
    heads: tuple[bytes, ...]
    """Digests of up to 64 heads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The answer to HEADS."""

    TYPE = 8
    count: int
    sum: bytes
    heads: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recon:
    """Asks for RANGES."""

    TYPE = 10
    topic: Cid
    scope: int
    ranges: tuple[Range, ...]
    """1 to 1,024 of modes 0 to 2, rising, the last without a bound [NET-15]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """The answer to RECON [NET-16]."""

    TYPE = 12
    ranges: tuple[Range, ...]
    """As in RECON, and mode 3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Get:
    """Asks for blocks [NET-17]."""

    TYPE = 14
    topic: Cid
    cids: tuple[Cid, ...]
    """1 to 256."""
    file: Cid | None = None
    """The file that they hang below, where that is so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """An answer to GET, or to PULL; GET may have several."""

    TYPE = 16
    blocks: tuple[bytes | None, ...]
    """Up to 256 blocks, unverified; None for what the sender doesn't have or doesn't give."""
    last: bool
    """No other BLOCKS follows for this request."""
    next: bytes | None = None
    """To PULL: the key to go on after; None at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """Asks for the members of a set in the order of their keys."""

    TYPE = 18
    topic: Cid
    scope: int
    after: bytes
    """A key, or empty to begin."""
    most: int
    """Bytes of blocks that the sender takes, 1 to 1,048,576."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peers:
    """Asks for address records."""

    TYPE = 20
    most: int
    """1 to 32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The answer to PEERS."""

    TYPE = 22
    records: tuple[bytes, ...]
    """Up to 32 address records of at most 1 KiB, unverified [NET-20]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """Asks whether anyone is there."""

    TYPE = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Pong:
    """The answer to PING."""

    TYPE = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Bye:
    """The last frame of who ends the connection."""

    TYPE = 28
    code: str
    """Why, in a word of at most 32 bytes."""
    text: str
    """Why, in a sentence of at most 256 bytes, as received: it may hold anything that a terminal obeys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorry:
    """The answer to a request that isn't fulfilled."""

    TYPE = 30
    code: str
    """`absent`, `busy` or `unable`."""
    wait_ms: int
    """How long to wait before asking again, as the sender says: from 0, without an upper bound."""


Notice: TypeAlias = Hello | Follow | Push | Bye
Request: TypeAlias = Heads | Recon | Get | Pull | Peers | Ping
Answer: TypeAlias = State | Ranges | Blocks | Records | Pong | Sorry
Message: TypeAlias = Notice | Request | Answer

NOTICES: Final[frozenset[type[Notice]]] = frozenset({Hello, Follow, Push, Bye})
"""Their id is 0 [NET-7]."""
ANSWER_TO: Final[Mapping[type[Request], type[Answer]]] = {
    Heads: State,
    Recon: Ranges,
    Get: Blocks,
    Pull: Blocks,
    Peers: Records,
    Ping: Pong,
}
"""What answers each request, beside SORRY [NET-11]."""
