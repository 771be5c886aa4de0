"""`hitp2p ipfs remote status`."""

from __future__ import annotations

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.daemons import chosen_projects, daemon_options, open_remote
from hitp2p.cli.names import Names
from hitp2p.cli.remotes import KEPT_FIELDS, kept_lines, kept_record
from hitp2p.cli.run import Run


@verb(
    examples=[
        ("hitp2p ipfs remote status --service club", "What the service says of all projects."),
        ("hitp2p ipfs remote status 'Night Bus' --service club", "Of one."),
    ],
    json_fields=KEPT_FIELDS,
)
@click.argument("projects", nargs=-1, shell_complete=completing("project"), metavar="[PROJECT...]")
@click.option("--service", required=True, metavar="NAME", help="The pinning service.")
@daemon_options()
def command(
    run: Run,
    projects: tuple[str, ...],
    service: str,
    daemon: str | None,
    credentials: str | None,
) -> None:
    """Show what a pinning service says of projects: kept, being fetched, waiting, or failed.

    It is the service's word; fetching the snapshot from another machine is the proof.
    """
    from hitp2p.pinning import kept_remotely

    with open_remote(run, daemon, credentials) as remote:
        kept = [kept_remotely(remote, service, one.cid) for one in chosen_projects(run, projects)]
    names = Names(run.workspace)
    run.out.emit(kept_record(service, kept, names), kept_lines(service, kept, names))
