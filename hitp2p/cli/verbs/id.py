"""`hitp2p id`: the group."""

from __future__ import annotations

import click

from hitp2p.cli.app import ID_VERBS, LazyGroup

__all__ = ["command"]


@click.command(
    cls=LazyGroup, prefix="id_", sections={"Verbs": ID_VERBS}, subcommand_metavar="VERB ..."
)
def command() -> None:
    """Your identities: who you are in every trail.

    An identity is one file in the key folder, usable from every workspace. Its recovery key goes
    to a second file at a place you choose; it alone can change the key later, so keep it apart.
    """
