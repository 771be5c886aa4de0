"""What a node is told at its start, and what it tells about itself."""

from __future__ import annotations

from hitp2p import limits
from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass

__all__ = ["NodeConfig", "PeerView", "TopicView"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """How a node behaves."""

    listen: tuple[str, ...] = ()
    """Addresses to announce, up to 16."""
    static: tuple[tuple[bytes, str], ...] = ()
    """Node keys and addresses of the peers that the operator names."""
    agent: str = "hitp2p"
    """What HELLO says of the program, up to 64 bytes."""
    max_inbound: int = limits.NODE_INBOUND
    """Connections that others dialled."""
    max_outbound: int = limits.NODE_OUTBOUND
    """Connections that are dialled without being named."""
    max_dialled: int = limits.NODE_DIALLED
    """All that are dialled."""
    compare_every_s: float = 60.0
    """A topic is compared with a peer of chance about so often, in seconds."""
    exempt_hosts: tuple[str, ...] = ()
    """Hosts from which any number of connections may come; those of the operator's own network may without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerView:
    """A connection, for status."""

    link: int
    key: bytes
    host: str
    address: str | None
    """What was dialled; None if they dialled."""
    is_open: bool
    """Whether both have said HELLO."""
    agent: str
    """Its program, as it says; foreign text."""
    since: float
    """When it began, by the clock that never goes back."""
    in_bytes: int
    out_bytes: int
    queued_bytes: int
    n_brought: int
    """Objects that were new and came from it."""
    topics: tuple[Cid, ...]
    """Those of ours that it follows."""
    lagging: tuple[Cid, ...]
    """Those in which something for it was dropped, or is to be compared."""
    in_step: tuple[Cid, ...]
    """Those in which it has said the same as we."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicView:
    """A topic, for status."""

    topic: Cid
    scope: int
    media: int
    n_members: int
    """Of the widest set that is kept."""
    n_peers: int
    """Connections that follow it."""
    n_wanted: int
    """Blocks that are known to exist and aren't here."""
    compared: float | None
    """When a comparison last found it in step with a peer, by the clock that never goes back."""
