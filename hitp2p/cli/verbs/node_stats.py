"""`hitp2p node stats`."""

from __future__ import annotations

from hitp2p.cli.app import verb
from hitp2p.cli.nodes import require_node
from hitp2p.cli.run import Run


@verb(
    examples=[("hitp2p node stats", "The figures, as Prometheus reads them.")],
    json_fields={"page": "the figures in Prometheus' text format"},
)
def command(run: Run) -> None:
    """Print the figures of the node that runs on this workspace, in Prometheus' text format.

    With the setting "metrics" they are also served over HTTP at /metrics.
    """
    from hitp2p.node.control import ask

    answer = ask(require_node(run), "figures")
    run.out.emit(answer, answer["page"].rstrip("\n").split("\n"))
