"""`hitp2p ipfs remote push`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.daemons import chosen_projects, daemon_options, open_remote
from hitp2p.cli.names import Names
from hitp2p.cli.remotes import KEPT_FIELDS, kept_lines, kept_record
from hitp2p.cli.run import Run
from hitp2p.errors import BackendError

if TYPE_CHECKING:
    from hitp2p.pinning import KeptProject

FAILED = BackendError.exit_status


@verb(
    examples=[
        ("hitp2p ipfs remote push 'Night Bus' --service club", "Ask a service to keep a project."),
        (
            "hitp2p ipfs remote push --service club --wait 600",
            "All projects; wait up to ten minutes for each until the service has it.",
        ),
    ],
    json_fields=KEPT_FIELDS,
)
@click.argument("projects", nargs=-1, shell_complete=completing("project"), metavar="[PROJECT...]")
@click.option("--service", required=True, metavar="NAME", help="The pinning service.")
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="How long to wait until the service has it; else it is only asked.",
)
@daemon_options()
def command(
    run: Run,
    projects: tuple[str, ...],
    service: str,
    wait_s: float,
    daemon: str | None,
    credentials: str | None,
) -> None:
    """Ask a pinning service to keep projects: all objects and media that their pinned snapshots reach.

    The daemon must pin the snapshot ("hitp2p ipfs push") and be on the network until the service has
    fetched it. Only then older snapshots are let go there. Exit status 74 if the service failed. Unlisted
    projects are refused, as services announce what they have.
    """
    from hitp2p.pinning import keep_remotely

    ws = run.workspace
    kept: list[KeptProject] = []
    with open_remote(run, daemon, credentials) as remote:
        for project in chosen_projects(run, projects):
            one = keep_remotely(ws.store, remote, service, project.cid, wait_s=wait_s)
            kept.append(one)
    names = Names(ws)
    run.out.emit(kept_record(service, kept, names), kept_lines(service, kept, names))
    if any(one.status == "failed" for one in kept):
        click.get_current_context().exit(FAILED)
