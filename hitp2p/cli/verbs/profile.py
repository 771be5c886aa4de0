"""`hitp2p profile`."""

from __future__ import annotations

import click

from hitp2p.cli.app import verb
from hitp2p.cli.making import MADE_FIELDS, show_made, signing_options
from hitp2p.cli.run import Run
from hitp2p.errors import UsageError


@verb(
    examples=[
        ("hitp2p profile --name 'Ana Sol' --link https://ana.example", "Say who you are now."),
        ("hitp2p profile --link Band=https://band.example", "A link with a label."),
    ],
    json_fields=MADE_FIELDS,
)
@click.option("--name", metavar="NAME", help="As you want to be called now.")
@click.option(
    "--link", "links", multiple=True, metavar="[LABEL=]URL", help="Where else you are to be found."
)
@signing_options
def command(run: Run, name: str | None, links: tuple[str, ...], dry_run: bool) -> None:
    """Say something of yourself, in public. A later profile takes the place of an earlier one."""
    if name is None and not links:
        raise UsageError("a profile says something: give --name, --link or both")
    made = run.workspace.profile(
        by=run.signer(dry_run=dry_run),
        name=name,
        links=[_parse_link(text) for text in links],
        dry_run=dry_run,
    )
    show_made(run, made, dry_run=dry_run)


def _parse_link(text: str) -> tuple[str | None, str]:
    """`URL` or `LABEL=URL`; an equals sign inside the URL stays there."""
    label, equals, url = text.partition("=")
    return (label, url) if equals and "://" not in label else (None, text)
