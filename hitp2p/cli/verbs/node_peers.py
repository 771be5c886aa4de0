"""`hitp2p node peers`."""

from __future__ import annotations

from hitp2p.cli.app import verb
from hitp2p.cli.nodes import require_node
from hitp2p.cli.output import size, table
from hitp2p.cli.run import Run


@verb(
    examples=[("hitp2p node peers", "Whom the node that runs here is connected with.")],
    json_fields={
        "peers[].peer_id": "the other node",
        "peers[].address": "what was dialled, or where it comes from",
        "peers[].is_dialled": "whether this node dialled",
        "peers[].since_s": "seconds since it began",
        "peers[].agent": "its program, as it says",
        "peers[].n_bytes_in": "what came",
        "peers[].n_bytes_out": "what went",
        "peers[].n_brought": "objects that were new and came from it",
        "peers[].topics[]": "topics of ours that it follows, too",
        "peers[].in_step[]": "those of them in which it had the same when last compared",
    },
)
def command(run: Run) -> None:
    """List the connections of the node that runs on this workspace."""
    from hitp2p.node.control import ask

    answer = ask(require_node(run), "peers")
    rows = [
        (
            one["peer_id"][-8:],
            "out" if one["is_dialled"] else "in",
            size(one["n_bytes_in"]),
            size(one["n_bytes_out"]),
            f"{len(one['in_step'])}/{len(one['topics'])}",
            str(one["n_brought"]),
            one["address"],
        )
        for one in answer["peers"]
    ]
    heads = ("peer", "way", "in", "out", "in step", "new", "address")
    lines = table(heads, rows, flexible=6) if rows else ["No peer is connected."]
    run.out.emit(answer, lines)
