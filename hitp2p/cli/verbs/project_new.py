"""`hitp2p project new`."""

from __future__ import annotations

import click

from hitp2p.cli.app import verb
from hitp2p.cli.making import MADE_FIELDS, show_made, signing_options
from hitp2p.cli.run import Run
from hitp2p.cli.sending import UNLISTED


@verb(
    examples=[
        (
            "hitp2p project new 'Night Bus' --license CC-BY-SA-4.0",
            "Open a project with a default licence.",
        ),
        (
            "hitp2p project new Rain --purpose 'Sounds of rain' --accept CC0-1.0 --accept CC-BY-4.0",
            "Say what it is for, and which licences it takes.",
        ),
        (
            "hitp2p project new Demo --unlisted",
            "Keep it off IPFS daemons that announce what they have.",
        ),
    ],
    json_fields=MADE_FIELDS | {"is_unlisted": "whether it is marked as unlisted here"},
)
@click.argument("title")
@click.option(
    "--license", metavar="SPDX", help="Licence of works that don't state one, such as CC-BY-SA-4.0."
)
@click.option("--purpose", metavar="TEXT", help="What the project is for.")
@click.option(
    "--accept",
    "accepts",
    metavar="SPDX",
    multiple=True,
    help="A licence that works may have; any if not given.",
)
@click.option(
    "--language", "languages", metavar="TAG", multiple=True, help="Language, such as en or pt-BR."
)
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="A word to find it by.")
@click.option(
    "--unlisted",
    is_flag=True,
    help="Keep it off daemons that tell the network what they have. It isn't encrypted.",
)
@signing_options
def command(
    run: Run,
    title: str,
    license: str | None,
    purpose: str | None,
    accepts: tuple[str, ...],
    languages: tuple[str, ...],
    tags: tuple[str, ...],
    unlisted: bool,
    dry_run: bool,
) -> None:
    """Open a project: the object that others add their works to.

    Anyone may add works; you are the first curator. The CID that is printed names the project for
    ever, also on other machines.
    """
    made = run.workspace.create_project(
        title,
        by=run.signer(dry_run=dry_run),
        license=license,
        purpose=purpose,
        accepts=accepts,
        languages=languages,
        tags=tags,
        unlisted=unlisted,
        dry_run=dry_run,
    )
    show_made(run, made, dry_run=dry_run, is_unlisted=unlisted)
    if unlisted:
        run.out.say(UNLISTED)
