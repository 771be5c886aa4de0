"""`hitp2p witness`."""

from __future__ import annotations

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.making import MADE_FIELDS, show_made, signing_options
from hitp2p.cli.run import Run


@verb(
    examples=[("hitp2p witness k3f9z2ab m4c7q2xe", "I have seen these two works, now.")],
    json_fields=MADE_FIELDS,
)
@click.argument("cids", nargs=-1, required=True, metavar="CID...", shell_complete=completing("cid"))
@signing_options
def command(run: Run, cids: tuple[str, ...], dry_run: bool) -> None:
    """Sign that you have seen works of one project now, so that they can't be younger than that.

    It is evidence for others where you have no part in the works yourself.
    """
    made = run.workspace.witness(cids, by=run.signer(dry_run=dry_run), dry_run=dry_run)
    show_made(run, made, dry_run=dry_run)
