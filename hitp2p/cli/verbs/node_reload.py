"""`hitp2p node reload`."""

from __future__ import annotations

from hitp2p.cli.app import verb
from hitp2p.cli.nodes import require_node
from hitp2p.cli.output import n_of
from hitp2p.cli.run import Run


@verb(
    examples=[("hitp2p node reload", "After config.toml was edited.")],
    json_fields={
        "n_topics": "topics that are followed now",
        "after_restart": "settings that changed and hold only once the node is started again",
    },
)
def command(run: Run) -> None:
    """Let the running node read its policy and its settings again.

    The policy and the list of peers hold at once; other settings when the node is started again.
    """
    from hitp2p.node.control import ask

    answer = ask(require_node(run), "reload")
    run.out.emit(
        answer, [f"reloaded; {n_of(answer['n_topics'], 'topic is', 'topics are')} followed"]
    )
    if answer["after_restart"]:
        run.out.warn(f"only after a restart: {', '.join(answer['after_restart'])}")
