"""`hitp2p trail`."""

from __future__ import annotations

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.names import find_project
from hitp2p.cli.run import Run
from hitp2p.cli.sending import UNLISTED
from hitp2p.cli.sheets import TRAIL_FIELDS


@verb(
    examples=[
        ("hitp2p trail", "The trail of the only project here."),
        ("hitp2p trail 'Night Bus'", "The trail of a project, by title or short name."),
    ],
    json_fields=TRAIL_FIELDS,
)
@click.argument("project", required=False, shell_complete=completing("project"))
def command(run: Run, project: str | None) -> None:
    """Show who made what from what in a project, sources before what was made of them.

    Times are what the signers claim; the order comes from the links, not from the times.
    """
    home = find_project(run.workspace, project)
    trail = run.workspace.trail(home)
    run.out.emit(trail.to_json(), trail.text().split("\n"))
    if run.workspace.is_unlisted(home):
        run.out.say(UNLISTED)
