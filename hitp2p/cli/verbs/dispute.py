"""`hitp2p dispute`."""

from __future__ import annotations

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.making import MADE_FIELDS, show_made, signing_options
from hitp2p.cli.run import Run


@verb(
    examples=[
        (
            'hitp2p dispute k3f9z2ab --own m4c7q2xe --reason "That is my photograph."',
            "Readers of the work will see it first.",
        ),
    ],
    json_fields=MADE_FIELDS,
)
@click.argument("cid", shell_complete=completing("cid"))
@click.option("--reason", metavar="TEXT", required=True, help="What is wrong, in your words.")
@click.option(
    "--own",
    shell_complete=completing("cid"),
    metavar="CID",
    help="Your own work, which shows it.",
)
@signing_options
def command(run: Run, cid: str, reason: str, own: str | None, dry_run: bool) -> None:
    """Say that a work isn't what it claims to be.

    Everyone who verifies the work and has your dispute reads it as DISPUTED, with your name and
    words. To take it back, withdraw the dispute.
    """
    made = run.workspace.dispute(
        cid, by=run.signer(dry_run=dry_run), reason=reason, own=own, dry_run=dry_run
    )
    show_made(run, made, dry_run=dry_run)
