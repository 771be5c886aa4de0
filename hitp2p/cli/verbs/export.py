"""`hitp2p export`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.fetching import fetch_first, network_options
from hitp2p.cli.names import title_of
from hitp2p.cli.output import n_of, size
from hitp2p.cli.places import tidy
from hitp2p.cli.run import Run
from hitp2p.cli.sending import media_option, refuse_existing, say_if_unlisted

if TYPE_CHECKING:
    from hitp2p.ipfs_network import NetworkOptions
    from hitp2p.trail.bundle import MediaChoice


@verb(
    examples=[
        ("hitp2p export k3f9z2ab -o song.wav.car", "The trail of a work, to lie beside its file."),
        (
            "hitp2p export k3f9z2ab -o song.car --media all",
            "With the media of the work and of all its sources.",
        ),
    ],
    json_fields={
        "cid": "the work",
        "file": "where the bundle is",
        "size_bytes": "its length",
        "n_objects": "signed objects in it",
        "n_blocks": "blocks in it",
        "missing[]": "media and texts that were wanted but aren't here",
    },
)
@click.argument("cid", shell_complete=completing("cid"))
@click.option(
    "--output",
    "-o",
    "target",
    required=True,
    metavar="FILE.car",
    type=click.Path(dir_okay=False),
    help="Where to write it.",
)
@media_option
@click.option("--force", is_flag=True, help="Replace FILE.car if it exists.")
@network_options
def command(
    run: Run,
    cid: str,
    target: str,
    media: MediaChoice,
    force: bool,
    options: NetworkOptions,
) -> None:
    """Write a work and all that checking it needs to one file, a bundle.

    The bundle has the work, its ancestors, the works it uses from elsewhere, and the identities of
    everyone involved. Anyone can check it without asking you. It is a CAR file, which IPFS tools
    read; the same work gives the same bytes. Media that are wanted and aren't here are fetched first,
    where the works are stored on a Kubo daemon or --via names one.
    """
    path = refuse_existing(target, force=force)
    work = run.workspace.show(cid)
    fetch_first(run, work, options, media=media)
    made = run.workspace.export(work, path, media=media)
    n_bytes = path.stat().st_size
    missing = [str(one) for one in made.missing]
    lines = [
        f"Wrote {tidy(path)}: {title_of(work)}, {n_of(made.n_objects, 'object')},"
        f" {n_of(made.n_blocks, 'block')}, {size(n_bytes)}"
    ]
    if missing:
        lines.append(f"Not here and so not in it: {n_of(len(missing), 'file')}")
    run.out.emit(
        {
            "cid": str(work.cid),
            "file": target,
            "size_bytes": n_bytes,
            "n_objects": made.n_objects,
            "n_blocks": made.n_blocks,
            "missing": missing,
        },
        lines,
    )
    say_if_unlisted(run, work)
