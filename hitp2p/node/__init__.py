"""A node: it keeps trails in step with other nodes. See spec/10.

    async with hitp2p.node.open("night-bus", follow=[project], peers=[address]) as node:
        with node.events() as events:
            async for event in events:
                ...

Programs without trio write `with hitp2p.node.run_in_thread("night-bus", follow=[project]) as node:`.

The names below load their modules when they are first used, so that those parts of the node that need no trio don't bring it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hitp2p.node.events import Events
    from hitp2p.node.opening import NodeOptions
    from hitp2p.node.opening import open_node as open
    from hitp2p.node.policy import Follow, MediaLevel, Policy
    from hitp2p.node.running import Node
    from hitp2p.node.threads import ThreadedNode, run_in_thread
    from hitp2p.protocol.actions import Event

__all__ = [
    "Event",
    "Events",
    "Follow",
    "MediaLevel",
    "Node",
    "NodeOptions",
    "Policy",
    "ThreadedNode",
    "open",
    "run_in_thread",
]

_HOMES = {
    "Event": "hitp2p.protocol.actions",
    "Events": "hitp2p.node.events",
    "Follow": "hitp2p.node.policy",
    "MediaLevel": "hitp2p.node.policy",
    "Node": "hitp2p.node.running",
    "NodeOptions": "hitp2p.node.opening",
    "Policy": "hitp2p.node.policy",
    "ThreadedNode": "hitp2p.node.threads",
    "run_in_thread": "hitp2p.node.threads",
}


def __getattr__(name: str) -> Any:
    if name == "open":
        return import_module("hitp2p.node.opening").open_node
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
