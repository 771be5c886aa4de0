"""`hitp2p kit`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.fetching import fetch_first, network_options
from hitp2p.cli.names import title_of
from hitp2p.cli.output import n_of
from hitp2p.cli.places import tidy
from hitp2p.cli.run import Run
from hitp2p.cli.sending import media_option, refuse_existing, say_if_unlisted

if TYPE_CHECKING:
    from hitp2p.ipfs_network import NetworkOptions
    from hitp2p.trail.bundle import MediaChoice


@verb(
    examples=[("hitp2p kit k3f9z2ab -o song.zip", "Everything that somebody needs to check it.")],
    json_fields={
        "work": "the work",
        "file": "where the kit is",
        "names[]": "what is in it",
        "missing[]": "media and texts that were wanted but aren't here",
    },
)
@click.argument("cid", shell_complete=completing("cid"))
@click.option(
    "--output",
    "-o",
    "target",
    required=True,
    metavar="FILE.zip",
    type=click.Path(dir_okay=False),
    help="Where to write it.",
)
@media_option
@click.option("--force", is_flag=True, help="Replace FILE.zip if it exists.")
@network_options
def command(
    run: Run,
    cid: str,
    target: str,
    media: MediaChoice,
    force: bool,
    options: NetworkOptions,
) -> None:
    """Write a proof kit: a zip with the work's file, its bundle, its credits and a page of plain words.

    Whoever gets it can read it without hitp2p, and check it with hitp2p or with tools of their own.
    The same work gives the same bytes. Files that aren't here are fetched first, where the works are
    stored on a Kubo daemon or --via names one.
    """
    from hitp2p.sealing import write_kit

    path = refuse_existing(target, force=force)
    work = run.workspace.show(cid)
    fetch_first(run, work, options, media="all" if media == "all" else "work")
    kit = write_kit(run.workspace, work, path, media=media)
    missing = [str(one) for one in kit.missing]
    lines = [f"Wrote {tidy(path)}: {title_of(work)}, with {', '.join(kit.names)}"]
    if missing:
        lines.append(f"Not here and so not in it: {n_of(len(missing), 'file')}")
    run.out.emit(
        {"work": str(kit.work), "file": target, "names": list(kit.names), "missing": missing}, lines
    )
    say_if_unlisted(run, work)
