"""`hitp2p node run`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hitp2p.cli.app import verb
from hitp2p.cli.nodes import load_settings, require_node
from hitp2p.cli.run import Run

if TYPE_CHECKING:
    from hitp2p.node import Node


@verb(
    examples=[
        ("hitp2p node run", "Until Ctrl-C."),
        (
            "hitp2p node run --json",
            "The same, with one document once it is ready.",
        ),
    ],
    json_fields={
        "peer_id": "the node's name",
        "addresses": "where others reach it",
        "n_topics": "how many topics it follows",
    },
)
def command(run: Run) -> None:
    """Run the node of this workspace until Ctrl-C or SIGTERM.

    What it stores is at once there for every other program on the workspace, and what these make is
    sent to its peers. SIGHUP or "hitp2p node reload" reads the policy and the list of peers again.
    The log goes to stderr; "hitp2p node unit" prints a systemd unit.
    """
    from hitp2p.cli.node_logs import start_logging
    from hitp2p.node.notify import Notifier
    from hitp2p.node.service import run_service

    place = require_node(run)
    settings = load_settings(place, os.environ)
    start_logging(settings.log_format, settings.log_level)

    def tell(node: Node) -> None:
        record = {
            "peer_id": node.peer_id,
            "addresses": list(node.addresses),
            "n_topics": len(node.topics()),
        }
        lines = [f"node {node.peer_id}", *(f"reached at {one}" for one in node.addresses)]
        run.out.emit(record, lines)
        run.out.flush()

    run_service(
        run.workspace,
        place,
        lambda: load_settings(place, os.environ),
        notifier=Notifier(os.environ),
        on_ready=tell,
    )
