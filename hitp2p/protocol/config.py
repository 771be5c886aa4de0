"""What a node is told at its start."""

from __future__ import annotations

from typing import Final

from hitp2p import limits
from hitp2p.dataclass import dataclass
from hitp2p.protocol.chance import Chance
from hitp2p.protocol.messages import Hello

__all__ = ["VERSION", "NodeConfig", "make_hello"]

VERSION: Final = 1
"""Of the protocol; the only one so far."""


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


def make_hello(config: NodeConfig, chance: Chance) -> Hello:
    """How a node introduces itself, another time each time."""
    return Hello(
        versions=(VERSION,),
        features=(),
        agent=config.agent,
        listen=_as_fit(config.listen),
        nonce=bytes(chance.below(256) for _ in range(16)),
    )


def _as_fit(listen: tuple[str, ...]) -> tuple[str, ...]:
    """As many addresses as HELLO has room for."""
    found: list[str] = []
    for address in listen[: limits.NODE_LISTEN]:
        if sum(map(len, found)) + len(address) <= limits.NODE_FIRST_FRAME_BYTES * 3 // 4:
            found.append(address)
    return tuple(found)
