"""Meeting one other node, once: connect, compare what both follow, fetch and hand on what is missing, and leave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import trio

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import PeerError
from hitp2p.node.opening import open_node
from hitp2p.node.policy import Follow
from hitp2p.node.running import Node
from hitp2p.protocol.core import PeerView
from hitp2p.protocol.records import parse_address
from hitp2p.workspace import Workspace

__all__ = ["Met", "meet_once"]

_LOOK_S: Final = 0.05
"""How often it is looked whether there is still something to do, in seconds."""
_CALM_S: Final = 0.5
"""There must be nothing to do for so long: the other side may just be about to ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """What came of meeting a node."""

    peer_id: str
    in_step: tuple[Cid, ...]
    """Topics in which both have the same now."""
    not_followed: tuple[Cid, ...]
    """Topics that the other node doesn't follow, or doesn't tell of."""
    n_new: int
    """Objects that came and were new here."""
    n_wanted: int
    """Blocks that are known to exist and did not come: pages, texts, media."""
    n_bytes_in: int
    n_bytes_out: int


def meet_once(
    workspace: Workspace,
    address: str,
    follows: Sequence[Follow],
    *,
    folder: Path,
    within_s: float,
    progress: Callable[[int, int], None] | None = None,
) -> Met:
    """Bring topics in step with one other node.

    Args:
        workspace: open.
        address: of the other node.
        follows: what to compare.
        folder: of the node's own files.
        within_s: how long nothing may happen before it is given up.
        progress: told how many bytes have moved; in all it is unknown, so 0.

    Raises:
        InvalidError: no such address.
        PeerError: the node can't be reached, or says nothing more; what came by then is kept.
        UsageError: a node runs on this workspace already.
    """
    parse_address(address)
    return trio.run(_meet, workspace, address, follows, folder, within_s, progress)


async def _meet(
    workspace: Workspace,
    address: str,
    follows: Sequence[Follow],
    folder: Path,
    within_s: float,
    progress: Callable[[int, int], None] | None,
) -> Met:
    before = workspace.store.last_seq()
    async with open_node(workspace, folder=folder, follow=follows, max_outbound=0) as node:
        peer_id = await node.connect(address, within_s=within_s)
        peer = await _bring_in_step(node, parse_address(address).key, within_s, progress)
        wanted = sum(one.n_wanted for one in node.topics())
    new = sum(1 for _ in workspace.store.rows(after=before))
    topics = [follow.topic for follow in follows]
    return Met(
        peer_id=peer_id,
        in_step=tuple(topic for topic in topics if topic in peer.in_step),
        not_followed=tuple(topic for topic in topics if topic not in peer.topics),
        n_new=new,
        n_wanted=wanted,
        n_bytes_in=peer.in_bytes,
        n_bytes_out=peer.out_bytes,
    )


async def _bring_in_step(
    node: Node, key: bytes, within_s: float, progress: Callable[[int, int], None] | None
) -> PeerView:
    """The connection once there is nothing more to do on it."""
    moved, moved_at = -1, trio.current_time()
    busy_at = trio.current_time()
    while True:
        now = trio.current_time()
        peer = next((one for one in node.peers() if one.key == key and one.is_open), None)
        if peer is not None:
            total = peer.in_bytes + peer.out_bytes
            if total != moved:
                moved, moved_at = total, now
                if progress is not None:
                    progress(total, 0)
            if not (node.is_idle and set(peer.topics) <= set(peer.in_step)):
                busy_at = now
            if now - busy_at > _CALM_S:
                return peer
        if now - moved_at > within_s:
            what = "isn't there any more" if peer is None else "has said nothing"
            raise PeerError(f"the other node {what} for {within_s:g} seconds; what came is kept")
        await trio.sleep(_LOOK_S)
