"""`hitp2p remix`."""

from __future__ import annotations

from typing import Any

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.making import (
    MADE_FIELDS,
    hint_at_uncredited,
    parse_credit,
    parse_foreign,
    parse_source,
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
            "hitp2p remix song.wav --of k3f9z2ab --title Song --note 'Your verse made me sing'",
            "Build on a work; the note stands beside it in the credits.",
        ),
        (
            "hitp2p remix clip.mp4 --of k3f9z2ab,sample --of 7ytq4mzd,inspired-by --title Clip",
            "Build on two works, each in its own way.",
        ),
        (
            "hitp2p remix loop.wav --of k3f9z2ab,sample,part=t=12,30 --title Loop",
            "Say which part you used: seconds 12 to 30.",
        ),
    ],
    json_fields=MADE_FIELDS,
)
@click.argument("files", nargs=-1, type=click.Path(), metavar="FILE...")
@click.option(
    "--of",
    "sources",
    shell_complete=completing("cid"),
    metavar="CID[,RELATION]",
    multiple=True,
    required=True,
    help="A work that it builds on. RELATION: remix (if not given), version, merge, response, translation, extract, "
    "sample, collect, reference or inspired-by. More may follow: ,part=t=12,30 (in the source) ,into=t=0,18 (in yours) ,note=TEXT.",
)
@click.option(
    "--project",
    shell_complete=completing("project"),
    metavar="P",
    help="Where it goes: title, CID or short name; else the project of the first --of.",
)
@work_options
@signing_options
def command(
    run: Run,
    files: tuple[str, ...],
    sources: tuple[str, ...],
    project: str | None,
    credits: tuple[str, ...],
    foreign: tuple[str, ...],
    dry_run: bool,
    **said: Any,
) -> None:
    """Add a work that builds on others, signed.

    Works of the same project become its parents in the trail; works of other projects, and what
    --source names, are used and credited as well. With one --of, your --note stands beside it.
    """
    ws = run.workspace
    of = [*(parse_source(text, ws) for text in sources), *map(parse_foreign, foreign)]
    home = find_project(ws, project) if project else None
    named = [parse_credit(text, ws) for text in credits]
    require_files(files)
    by = run.signer(dry_run=dry_run)
    with progress("reading", quiet=run.out.as_json) as moved:
        made = ws.remix(
            of,
            files,
            by=by,
            project=home,
            credits=named,
            dry_run=dry_run,
            progress=moved,
            **said,
        )
    show_made(run, made, dry_run=dry_run)
    hint_at_uncredited(run, made, files)
