"""`hitp2p ipfs name`: the group."""

from __future__ import annotations

import click

from hitp2p.cli.app import NAME_VERBS, LazyGroup

__all__ = ["command"]


@click.command(
    cls=LazyGroup,
    prefix="ipfs_name_",
    sections={"Verbs": NAME_VERBS},
    subcommand_metavar="VERB ...",
)
def command() -> None:
    """Names that stay while a project grows (IPNS): each is a key of yours, and says which snapshot is the newest.

    Whoever has Kubo follows one, without hitp2p. What it says is a claim of whoever holds the key, so
    "hitp2p pull /ipns/NAME" checks all that it leads to.
    """
