"""`hitp2p project mark`."""

from __future__ import annotations

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.names import find_project, title_of
from hitp2p.cli.run import Run
from hitp2p.cli.sending import UNLISTED


@verb(
    examples=[
        ("hitp2p project mark 'Night Bus' --unlisted", "Keep it off daemons that announce."),
        ("hitp2p project mark 'Night Bus' --listed", "Take the mark away again."),
    ],
    json_fields={
        "cid": "the project",
        "title": "its title",
        "is_unlisted": "whether it is marked as unlisted now",
    },
)
@click.argument("project", required=False, shell_complete=completing("project"))
@click.option("--unlisted/--listed", required=True, help="Which of the two it shall be here.")
def command(run: Run, project: str | None, unlisted: bool) -> None:
    """Mark a project as unlisted in this workspace, or take the mark away.

    An unlisted project is kept off IPFS daemons that tell the network what they have; hitp2p
    refuses to write anything of it there. The mark changes no signed object and doesn't travel:
    whoever gets the project in a file sets it with "hitp2p import --unlisted". Unlisted isn't
    encrypted.
    """
    obj = find_project(run.workspace, project)
    run.workspace.mark_unlisted(obj, unlisted)
    state = "unlisted" if unlisted else "listed"
    run.out.emit(
        {"cid": str(obj.cid), "title": title_of(obj), "is_unlisted": unlisted},
        [f"{title_of(obj)} is {state} in this workspace now."],
    )
    if unlisted:
        run.out.say(UNLISTED)
