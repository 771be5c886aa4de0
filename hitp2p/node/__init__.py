"""A node: it keeps trails in step with other nodes. See spec/10.

    async with hitp2p.node.open("night-bus", follow=[project]) as node:
        await node.connect("/dns/example.org/tcp/4311/tls/p2p/12D3KooW...")

The names below load their modules when they are first used: `hitp2p.node.keeper` must not cost the import of trio.
"""

from __future__ import annotations
