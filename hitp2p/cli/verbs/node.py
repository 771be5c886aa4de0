"""`hitp2p node`: the group."""

from __future__ import annotations

import click

from hitp2p.cli.app import NODE_VERBS, LazyGroup

__all__ = ["command"]


@click.command(
    cls=LazyGroup, prefix="node_", sections={"Verbs": NODE_VERBS}, subcommand_metavar="VERB ..."
)
def command() -> None:
    """A node keeps projects in step with other nodes, with nothing central between them.

    It brings what others made into the workspace, each object checked, and hands on what is made
    here. "hitp2p node init", "hitp2p node follow PROJECT", "hitp2p node run".
    """
