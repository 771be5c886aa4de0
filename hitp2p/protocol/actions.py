"""What passes between the core of a node and the shell around it: actions out, answers in.

The core decides, the shell performs. The shell owns sockets, disk, clock and threads; the core owns every decision, and asks for
what it needs by one of these actions. A `token` pairs an action with its answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.objects.envelope import SignedObject

__all__ = [
    "Action",
    "Admit",
    "Admitted",
    "Close",
    "Dial",
    "Event",
    "Load",
    "Member",
    "Moment",
    "Notify",
    "Pause",
    "Resume",
    "Send",
    "TopicScope",
    "Want",
]


class Moment(NamedTuple):
    """Now, by two clocks."""

    mono: float
    """Seconds of a clock that never goes back; every interval is measured with it."""
    wall: int
    """Milliseconds since 1970, as far as anyone knows; for address records only."""


class TopicScope(NamedTuple):
    """One set: a topic in one scope."""

    topic: Cid
    """A project, or the genesis of an identity."""
    scope: int
    """0 accepted, 1 all."""


class Member(NamedTuple):
    """An object that is, or has just become, a member of a set."""

    of: TopicScope
    generation: int
    """As in TRL-11."""
    cid: Cid
    size: int
    """Bytes of its block."""
    is_head: bool
    """Whether it is a head of the project, or the last event of the identity."""


class Want(NamedTuple):
    """A block that is no member, and that a member links to: a list page, a text, media."""

    topic: Cid
    cid: Cid
    file: Cid | None
    """The file that it hangs below; None for what a member links to itself."""


# --- what the core asks for -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Queue bytes for a connection; in order, all or nothing. The core bounds the queue by what `on_written` tells it."""

    link: int
    """The connection, as the shell numbered it; numbers aren't used again."""
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """End a connection, once what was queued is written or a second has passed. `on_closed` follows."""

    link: int
    code: str
    """Why, in a word: `protocol` `invalid` `duplicate` `self` `full` `slow` `silent` `leaving` ..."""
    text: str
    """Why, in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Read no more from this connection, until `Resume`."""

    link: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Read from this connection again."""

    link: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """Open a connection. `on_connected` or `on_dial_failed` follows."""

    token: int
    key: bytes
    """The node key that must answer."""
    address: str
    """A multiaddr; it names the same key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admit:
    """Judge blocks and store what is good. `on_admitted` follows."""

    token: int
    topic: Cid
    objects: tuple[SignedObject, ...]
    """Their signatures are verified already: they waited for others."""
    blocks: tuple[tuple[Cid, bytes], ...]
    """As received, but hashed: each is what its CID names."""
    wants: tuple[Want, ...] = ()
    """Why those of the blocks that are no signed objects were asked for; a block of neither sort is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Read blocks for a peer: those of `cids` that NET-17 lets it have. `on_loaded` follows."""

    token: int
    topic: Cid
    scope: int
    """The narrower of the two sides'."""
    cids: tuple[Cid, ...]
    file: Cid | None
    most: int
    """Bytes in all; what doesn't fit behind the first block isn't read, and is left out of the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """Tell the operator or the app. Nothing follows."""

    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened."""

    name: str
    """`stored` `complete` `connected` `disconnected` `in-step` `refused` `banned` `gap` ..."""
    peer: bytes | None = None
    """The node key of who it is about."""
    topic: Cid | None = None
    cids: tuple[Cid, ...] = ()
    text: str = ""


Action: TypeAlias = Send | Close | Pause | Resume | Dial | Admit | Load | Notify


# --- what the shell answers -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """What came of `Admit`."""

    joined: tuple[Member, ...] = ()
    """New members, of every set that is followed, each after what it requires; so also events that were here before."""
    left: tuple[tuple[TopicScope, bytes], ...] = ()
    """Keys (NET-1) that are members no more; in scope accepted only."""
    no_heads: tuple[tuple[TopicScope, Cid], ...] = ()
    """Members that were heads and are none any more."""
    stored: tuple[Cid, ...] = ()
    """Objects and blocks of the batch that are in the store now, also those that were before."""
    waiting: tuple[tuple[SignedObject, tuple[Cid, ...]], ...] = ()
    """Objects with a good signature, and what they require that isn't here."""
    invalid: Mapping[Cid, str] = {}
    """Blocks that break a rule, and how."""
    refused: Mapping[Cid, str] = {}
    """What the operator's policy, a quota or a newer `spec` keeps out, and why. No fault of the peer's."""
    wants: tuple[Want, ...] = ()
    """Pages and texts that new objects link to and that aren't here, and media as the operator wants them; and what hangs below blocks that have come."""
    full: bool = False
    """The disk is full: nothing was stored."""
