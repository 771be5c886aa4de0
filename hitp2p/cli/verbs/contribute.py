"""`hitp2p contribute`."""

from __future__ import annotations

from typing import Any

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.making import (
    MADE_FIELDS,
    hint_at_uncredited,
    parse_credit,
    parse_foreign,
    require_files,
    show_made,
    signing_options,
    work_options,
)
from hitp2p.cli.names import find_project
from hitp2p.cli.progress import progress
from hitp2p.cli.run import Run


@verb(
    examples=[
        (
            "hitp2p contribute verse.txt --project 'Night Bus' --title Verse --role lyr --language en",
            "Add your words to a project.",
        ),
        (
            "hitp2p contribute cover.png layers.kra --title Cover --role ill --credit 'Cy:pht'",
            "The first file is the work, the others are what it was made with; Cy took the photograph.",
        ),
        (
            "hitp2p contribute rain.wav --title Rain --source "
            "'https://example.org/rain,title=Rain,author=Dee,license=CC0-1.0,relation=sample'",
            "Say what you used from outside.",
        ),
        ("hitp2p contribute verse.txt --title Verse --dry-run", "See what would be signed."),
    ],
    json_fields=MADE_FIELDS,
)
@click.argument("files", nargs=-1, type=click.Path(), metavar="FILE...")
@click.option(
    "--project",
    shell_complete=completing("project"),
    metavar="P",
    help="Title, CID or short name; may be left out where there is only one.",
)
@work_options
@signing_options
def command(
    run: Run,
    files: tuple[str, ...],
    project: str | None,
    credits: tuple[str, ...],
    foreign: tuple[str, ...],
    dry_run: bool,
    **said: Any,
) -> None:
    """Add a work of your own to a project, signed.

    The first FILE is the work itself; further ones are source files that go with it. Without a
    FILE the work consists of its title and note. For a work that builds on one that is here, use
    "hitp2p remix", so that the trail knows.
    """
    ws = run.workspace
    home = find_project(ws, project)
    named = [parse_credit(text, ws) for text in credits]
    uses = [parse_foreign(text) for text in foreign]
    require_files(files)
    by = run.signer(dry_run=dry_run)
    with progress("reading", quiet=run.out.as_json) as moved:
        made = ws.contribute(
            home,
            files,
            by=by,
            credits=named,
            uses=uses,
            dry_run=dry_run,
            progress=moved,
            **said,
        )
    show_made(run, made, dry_run=dry_run)
    hint_at_uncredited(run, made, files)
