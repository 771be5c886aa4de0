"""`hitp2p credits`."""

from __future__ import annotations

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.run import Run
from hitp2p.cli.sheets import CREDIT_FIELDS


@verb(
    examples=[
        ("hitp2p credits k3f9z2ab", "The credit sheet, ready to paste."),
        ("hitp2p credits k3f9z2ab --format html > credits.html", "For a page."),
    ],
    json_fields=CREDIT_FIELDS,
)
@click.argument("cid", shell_complete=completing("cid"))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "html", "json"]),
    default="text",
    show_default=True,
    help="How to write it; json is the same as --json.",
)
@click.option(
    "--by-role", is_flag=True, help="People under what they did, instead of under the works."
)
def command(run: Run, cid: str, form: str, by_role: bool) -> None:
    """Write the credits of a work: its own people, then every source at any depth.

    Each line has title, people with what they did, source, licence, what was used and how, and the
    author's own sentence. Credits are claims of a work's author until the person named has signed
    something too; the sheet says which are which, and what is missing here.
    """
    sheet = run.workspace.credits(cid)
    if form == "json":
        run.out.document(sheet.to_json())
        return
    write = {"text": sheet.text, "markdown": sheet.markdown, "html": sheet.html}[form]
    run.out.emit(sheet.to_json(), write(by_role=by_role).rstrip("\n").split("\n"))
