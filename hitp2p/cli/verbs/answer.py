"""`hitp2p answer`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.making import MADE_LIST_FIELDS, show_all_made, signing_options
from hitp2p.cli.run import Run

if TYPE_CHECKING:
    from hitp2p.statements import About, Answer


@verb(
    examples=[
        ("hitp2p answer k3f9z2ab accept", "Yes, that was me: every credit that names me is right."),
        (
            'hitp2p answer k3f9z2ab deny --reason "I never sang on this."',
            "Readers will see it first.",
        ),
        ("hitp2p answer k3f9z2ab amend --role voc", "It should say something else."),
    ],
    json_fields=MADE_LIST_FIELDS,
)
@click.argument("cid", shell_complete=completing("cid"))
@click.argument("answer", type=click.Choice(["accept", "deny", "amend"]))
@click.option(
    "--about",
    type=click.Choice(["credit", "split", "source"]),
    default="credit",
    show_default=True,
    help="A credit, a share of a release, or what a use says of its source.",
)
@click.option(
    "--line",
    type=click.IntRange(min=0),
    metavar="N",
    help="Which of them, from 0; else every one that names you.",
)
@click.option("--role", metavar="CODE", help="With amend: the role that it should say.")
@click.option("--name", metavar="NAME", help="With amend: the name that it should say.")
@click.option("--reason", metavar="TEXT", help="A sentence for readers.")
@signing_options
def command(
    run: Run,
    cid: str,
    answer: Answer,
    about: About,
    line: int | None,
    role: str | None,
    name: str | None,
    reason: str | None,
    dry_run: bool,
) -> None:
    """Answer for a credit that names you: accept it, deny it, or ask to be named otherwise.

    A credit is the word of the work's author until you have answered. You may answer at any time,
    and again; the most careful of your answers counts.
    """
    made = run.workspace.answer(
        cid,
        answer,
        by=run.signer(dry_run=dry_run),
        about=about,
        line=line,
        role=role,
        name=name,
        reason=reason,
        dry_run=dry_run,
    )
    show_all_made(run, made, dry_run=dry_run)
