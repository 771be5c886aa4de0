"""`hitp2p grant`."""

from __future__ import annotations

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.making import MADE_FIELDS, show_made, signing_options
from hitp2p.cli.run import Run


@verb(
    examples=[
        (
            "hitp2p grant k3f9z2ab --to bafyreib7m3x --license CC-BY-4.0",
            "One person may use it so.",
        ),
        ('hitp2p grant k3f9z2ab --terms "In school plays, yes."', "Everybody may, in these words."),
    ],
    json_fields=MADE_FIELDS,
)
@click.argument("cid", shell_complete=completing("cid"))
@click.option(
    "--to",
    "grantee",
    shell_complete=completing("identity"),
    metavar="WHO",
    help="CID or short name of an identity; else everybody.",
)
@click.option("--license", metavar="SPDX", help="The licence under which they may use it.")
@click.option("--terms", metavar="TEXT", help="The permission in words; programs can't judge it.")
@signing_options
def command(
    run: Run,
    cid: str,
    grantee: str | None,
    license: str | None,
    terms: str | None,
    dry_run: bool,
) -> None:
    """Allow what the licence of your own work doesn't.

    A remix that your licence forbids is allowed to the one whom you grant it. Give a --license,
    --terms, or both.
    """
    ws = run.workspace
    made = ws.grant(
        cid,
        by=run.signer(dry_run=dry_run),
        grantee=None if grantee is None else ws.resolve(grantee),
        license=license,
        terms=terms,
        dry_run=dry_run,
    )
    show_made(run, made, dry_run=dry_run)
