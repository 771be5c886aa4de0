"""`hitp2p claim-ancestor`."""

from __future__ import annotations

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.making import MADE_FIELDS, show_made, signing_options
from hitp2p.cli.run import Run


@verb(
    examples=[
        (
            "hitp2p claim-ancestor k3f9z2ab --own m4c7q2xe --relation sample",
            "My beat is in there, and the song doesn't say so.",
        ),
    ],
    json_fields=MADE_FIELDS,
)
@click.argument("cid", shell_complete=completing("cid"))
@click.option(
    "--own",
    shell_complete=completing("cid"),
    metavar="CID",
    required=True,
    help="Your own work, from which it was made.",
)
@click.option("--relation", metavar="R", help="How it was used: remix, sample, translation, ...")
@click.option("--reason", metavar="TEXT", help="A sentence for readers.")
@signing_options
def command(
    run: Run, cid: str, own: str, relation: str | None, reason: str | None, dry_run: bool
) -> None:
    """Say that a work was made from yours and doesn't name it.

    Readers see it as a gap until the author makes a version that names your work.
    """
    made = run.workspace.claim_ancestor(
        cid,
        own,
        by=run.signer(dry_run=dry_run),
        relation=relation,
        reason=reason,
        dry_run=dry_run,
    )
    show_made(run, made, dry_run=dry_run)
