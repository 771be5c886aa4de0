"""`hitp2p search`."""

from __future__ import annotations

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.names import Names, find_project
from hitp2p.cli.run import Run
from hitp2p.cli.verbs.list import LISTED_FIELDS, emit_objects


@verb(
    examples=[
        ("hitp2p search night bus", "What has both words."),
        (
            "hitp2p search rai --project 'Night Bus'",
            "What has a word that begins with rai, in one project.",
        ),
    ],
    json_fields=LISTED_FIELDS,
)
@click.argument("words", nargs=-1, required=True)
@click.option(
    "--project",
    shell_complete=completing("project"),
    metavar="P",
    help="Only this project: title, CID or short name.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    metavar="N",
    help="At most N.",
)
def command(run: Run, words: tuple[str, ...], project: str | None, limit: int) -> None:
    """Find objects by words in title, note, tags and names.

    All words must be there, each at least as the beginning of a word; case and accents don't
    matter. What came last is listed first.
    """
    ws, names = run.workspace, Names(run.workspace)
    where = find_project(ws, project) if project else None
    objects = ws.search(" ".join(words), project=where, limit=limit)
    emit_objects(run, objects, names)
