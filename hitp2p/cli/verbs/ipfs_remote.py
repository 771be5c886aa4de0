"""`hitp2p ipfs remote`: the group."""

from __future__ import annotations

import click

from hitp2p.cli.app import REMOTE_VERBS, LazyGroup

__all__ = ["command"]


@click.command(
    cls=LazyGroup,
    prefix="ipfs_remote_",
    sections={"Verbs": REMOTE_VERBS},
    subcommand_metavar="VERB ...",
)
def command() -> None:
    """Pinning services, which keep projects when your machine is off: IPFS Cluster, or one that you pay.

    The daemon speaks to them (the IPFS Pinning Service API) and holds their keys. They fetch from it,
    so it must be on the network.
    """
