"""`hitp2p withdraw`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.making import MADE_FIELDS, show_made, signing_options
from hitp2p.cli.run import Run

if TYPE_CHECKING:
    from hitp2p.statements import Scope


@verb(
    examples=[
        ('hitp2p withdraw k3f9z2ab --reason "The mix is broken."', "Readers will be told."),
        ("hitp2p withdraw k3f9z2ab --replacement m4c7q2xe", "And what to use instead."),
    ],
    json_fields=MADE_FIELDS,
)
@click.argument("cid", shell_complete=completing("cid"))
@click.option(
    "--scope",
    type=click.Choice(["work", "media", "name"]),
    default="work",
    show_default=True,
    help="The whole of it, its files only, or your name on it.",
)
@click.option("--reason", metavar="TEXT", help="A sentence for readers.")
@click.option(
    "--replacement",
    shell_complete=completing("cid"),
    metavar="CID",
    help="What to use instead.",
)
@signing_options
def command(
    run: Run,
    cid: str,
    scope: Scope,
    reason: str | None,
    replacement: str | None,
    dry_run: bool,
) -> None:
    """Take back something that you signed: a work, its files, your name, or a statement.

    What others did under its licence stays allowed, and what was signed stays in the trail: a
    withdrawal asks readers, it can't erase. With --scope name reports and credits leave your name
    out; it stays in the signed blocks, which bundles carry and anyone can read.
    """
    made = run.workspace.withdraw(
        cid,
        by=run.signer(dry_run=dry_run),
        scope=scope,
        reason=reason,
        replacement=replacement,
        dry_run=dry_run,
    )
    show_made(run, made, dry_run=dry_run)
