"""`hitp2p import`."""

from __future__ import annotations

from pathlib import Path

import click

from hitp2p.cli.app import verb
from hitp2p.cli.names import title_of
from hitp2p.cli.places import tidy
from hitp2p.cli.run import Run
from hitp2p.cli.sending import UNLISTED
from hitp2p.trail.display import short_name


@verb(
    examples=[
        ("hitp2p import song.wav.car", "Take in a work with its trail."),
        ("hitp2p import *.car", "Several; each is taken in wholly or not at all."),
    ],
    json_fields={
        "files[].file": "the bundle",
        "files[].cid": "the work that it carries",
        "files[].n_new": "objects that were not here before",
        "files[].n_objects": "signed objects in it",
        "files[].n_blocks": "blocks in it",
    },
)
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE.car...", type=click.Path(dir_okay=False)
)
@click.option(
    "--unlisted",
    is_flag=True,
    help="Mark the works' projects as unlisted here, before anything is stored.",
)
def command(run: Run, files: tuple[str, ...], unlisted: bool) -> None:
    """Check bundles and take them in: every hash, signature and rule, then all of it or nothing.

    A file that breaks a rule is refused with the id of the rule, and leaves no trace.
    """
    ws = run.workspace
    records: list[dict[str, object]] = []
    lines: list[str] = []
    for file in files:
        carried = ws.import_(file, unlisted=unlisted)
        records.append(
            {
                "file": file,
                "cid": str(carried.cid),
                "n_new": carried.n_new,
                "n_objects": carried.n_objects,
                "n_blocks": carried.n_blocks,
            }
        )
        lines += [
            title_of(ws.show(carried.cid)),
            f"  short    {short_name(carried.cid)}",
            f"  from     {tidy(Path(file))}",
            f"  objects  {carried.n_objects:,}, of which {carried.n_new:,} {'is' if carried.n_new == 1 else 'are'} new here",
        ]
    run.out.emit({"files": records}, lines)
    if unlisted:
        run.out.say(UNLISTED)
