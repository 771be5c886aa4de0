"""`hitp2p seal`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.fetching import fetch_first, network_options
from hitp2p.cli.names import title_of
from hitp2p.cli.places import tidy
from hitp2p.cli.run import Run
from hitp2p.cli.sending import media_option, refuse_existing, say_if_unlisted

if TYPE_CHECKING:
    from hitp2p.ipfs_network import NetworkOptions
    from hitp2p.trail.bundle import MediaChoice


@verb(
    examples=[
        ("hitp2p seal song.mp3", "The pointer goes into its tags, song.mp3.car beside it."),
        (
            "hitp2p seal song.mp3 -o out/song.mp3",
            "The file stays as it is; a sealed copy goes out.",
        ),
    ],
    json_fields={
        "work": "the work that the file is",
        "file": "the sealed file",
        "bundle": "the bundle beside it",
        "has_pointer": "whether the pointer stands in the file's tags",
        "why_not": "why it doesn't, or null",
    },
)
@click.argument("file", type=click.Path())
@click.option(
    "--work",
    shell_complete=completing("cid"),
    metavar="CID",
    help="Which work it is; asked for where several have this file.",
)
@click.option(
    "--output", "-o", "target", metavar="FILE", type=click.Path(), help="Seal a copy instead."
)
@media_option
@click.option("--force", is_flag=True, help="Replace what the output's name already has.")
@network_options
def command(
    run: Run,
    file: str,
    work: str | None,
    target: str | None,
    media: MediaChoice,
    force: bool,
    options: NetworkOptions,
) -> None:
    """Make a file of yours carry its record: a pointer in its tags, its bundle beside it.

    What is seen or heard stays bit for bit; only the comment and copyright tags change. Whoever gets
    both files can verify them anywhere. Formats without tags get the bundle alone. Media that are
    wanted and aren't here are fetched first, where the works are stored on a Kubo daemon or --via
    names one.
    """
    from hitp2p.sealing import seal

    ws = run.workspace
    done = seal(
        ws,
        Path(file),
        work=None if work is None else ws.show(work),
        output=None if target is None else refuse_existing(target, force=force),
        media=media,
        before=lambda sealed: fetch_first(run, sealed, options, media=media),
    )
    lines = [
        f"Sealed {tidy(done.file)} as {title_of(ws.show(done.work))}; beside it {tidy(done.bundle)}"
    ]
    if done.why_not is not None:
        lines.append(f"No pointer in its tags: {done.why_not}. The bundle does without.")
    record = {
        "work": str(done.work),
        "file": str(done.file),
        "bundle": str(done.bundle),
        "has_pointer": done.has_pointer,
        "why_not": done.why_not,
    }
    run.out.emit(record, lines)
    say_if_unlisted(run, ws.show(done.work))
