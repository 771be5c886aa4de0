"""`hitp2p ipfs`: the group."""

from __future__ import annotations

import click

from hitp2p.cli.app import IPFS_VERBS, LazyGroup

__all__ = ["command"]


@click.command(
    cls=LazyGroup, prefix="ipfs_", sections={"Verbs": IPFS_VERBS}, subcommand_metavar="VERB ..."
)
def command() -> None:
    """The IPFS daemon behind a workspace: Kubo, with what it pins and whom it tells.

    Which daemon is meant: the one that the works are stored on, else --daemon.
    """
