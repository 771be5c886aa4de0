"""`hitp2p project`: the group."""

from __future__ import annotations

import click

from hitp2p.cli.app import PROJECT_VERBS, LazyGroup

__all__ = ["command"]


@click.command(
    cls=LazyGroup,
    prefix="project_",
    sections={"Verbs": PROJECT_VERBS},
    subcommand_metavar="VERB ...",
)
def command() -> None:
    """Projects: what works are made for, and under which terms."""
