"""`hitp2p thanks`."""

from __future__ import annotations

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.making import MADE_FIELDS, show_made, signing_options
from hitp2p.cli.run import Run


@verb(
    examples=[('hitp2p thanks k3f9z2ab "Your verse made my day."', "Said in public, for good.")],
    json_fields=MADE_FIELDS,
)
@click.argument("cid", shell_complete=completing("cid"))
@click.argument("text")
@signing_options
def command(run: Run, cid: str, text: str, dry_run: bool) -> None:
    """Thank somebody for a work, or for anything else that they signed."""
    made = run.workspace.thank(cid, text, by=run.signer(dry_run=dry_run), dry_run=dry_run)
    show_made(run, made, dry_run=dry_run)
