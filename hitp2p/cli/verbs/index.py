"""`hitp2p index`: the group."""

from __future__ import annotations

import click

from hitp2p.cli.app import INDEX_VERBS, LazyGroup

__all__ = ["command"]


@click.command(
    cls=LazyGroup, prefix="index_", sections={"Verbs": INDEX_VERBS}, subcommand_metavar="VERB ..."
)
def command() -> None:
    """The index of the store: what finds works by title, maker, parents and words.

    It is made from the blocks, and can be made again from them.
    """
