"""`hitp2p credits`."""

from __future__ import annotations

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.run import Run
from hitp2p.cli.sending import UNLISTED
from hitp2p.cli.sheets import CREDIT_FIELDS
from hitp2p.trail.credits_forms import FORMS, render


@verb(
    examples=[
        ("hitp2p credits k3f9z2ab", "The credit sheet, ready to paste."),
        ("hitp2p credits k3f9z2ab --format html > credits.html", "For a page."),
        ("hitp2p credits k3f9z2ab --format srt > credits.srt", "For the end of a film."),
    ],
    json_fields=CREDIT_FIELDS,
)
@click.argument("cid", shell_complete=completing("cid"))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "html", "json", *FORMS]),
    default="text",
    show_default=True,
    metavar="FORM",
    help="text, markdown, html, json (the same as --json), or one of those below.",
)
@click.option(
    "--by-role", is_flag=True, help="People under what they did, instead of under the works."
)
def command(run: Run, cid: str, form: str, by_role: bool) -> None:
    """Write the credits of a work: its own people, then every source at any depth.

    Each line has title, people with what they did, source, licence, what was used and how, and the
    author's own sentence. Credits are claims of a work's author until the person named has signed
    something too; the sheet says which are which, and what is missing here.

    Forms: markdown for CREDITS.md; tasl, a line a work; roll and srt, film credits as text and
    captions; html and jsonld for pages; reuse, a .license file; xmp, a sidecar; id3 and vorbis, the
    fields of tags; spdx, the licences with their works.
    """
    sheet = run.workspace.credits(cid)
    if run.workspace.is_unlisted(cid):
        run.out.say(f"{UNLISTED} What you paste elsewhere names it.")
    if form == "json":
        run.out.document(sheet.to_json())
        return
    if form in FORMS:
        run.out.emit(sheet.to_json(), render(sheet, form).rstrip("\n").split("\n"))
        return
    write = {"text": sheet.text, "markdown": sheet.markdown, "html": sheet.html}[form]
    run.out.emit(sheet.to_json(), write(by_role=by_role).rstrip("\n").split("\n"))
