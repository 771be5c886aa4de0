"""`hitp2p index rebuild`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hitp2p.cli.app import verb
from hitp2p.cli.output import n_of
from hitp2p.cli.progress import progress
from hitp2p.cli.run import Run
from hitp2p.errors import NotFoundError

if TYPE_CHECKING:
    from hitp2p.reindexing import RebuildReport

SHOWN_LEFT_OUT = 10


@verb(
    examples=[
        ("hitp2p index rebuild", "Make it anew from the blocks of this workspace."),
        ("hitp2p index rebuild --from kubo", "From the pins on its daemon alone."),
        (
            "hitp2p index rebuild --from kubo --store kubo:/ip4/127.0.0.1/tcp/5001",
            "In an empty folder, after everything but the daemon is lost.",
        ),
    ],
    json_fields={
        "store": "where the blocks are: sqlite, or the address of a Kubo daemon",
        "from_pins": "true: it was made from pins alone",
        "n_objects": "signed objects in the new index",
        "left_out[]": "objects that it had to leave out, because they or what they need are damaged or invalid",
        "n_references": "blocks of media in files outside, taken over from the old index",
    },
)
@click.option(
    "--from",
    "source",
    type=click.Choice(["blocks", "kubo"]),
    default="blocks",
    show_default=True,
    help="The blocks that lie here, or the pins on the daemon.",
)
@click.option(
    "--pinned-as",
    metavar="NAME",
    help="Which workspace, where a daemon holds several and nothing here says which.",
)
def command(run: Run, source: str, pinned_as: str | None) -> None:
    """Throw the index away and make it anew.

    From pins, nothing that lies here is believed: blocks are fetched from the daemon, and every
    signature and rule is checked again. An index file that is lost is always made so; .hitp2p/store.json
    or --store says where from. Works come in another order then, so "watch --since" begins anew.
    Close other programs first.
    """
    from hitp2p.reindexing import rebuild_index

    with progress("indexing", unit="objects", quiet=run.out.as_json) as move:
        report = rebuild_index(
            _folder(run, source),
            from_pins=source == "kubo",
            store=run.store,
            pinned_as=pinned_as,
            progress=move,
        )
    run.out.emit(
        {
            "store": report.store,
            "from_pins": report.from_pins,
            "n_objects": report.n_objects,
            "left_out": [str(cid) for cid in report.left_out],
            "n_references": report.n_references,
        },
        _lines(report),
    )


def _folder(run: Run, source: str) -> Path:
    """This workspace; where all of it is lost and a daemon is named, the folder it shall be in."""
    try:
        return run.folder
    except NotFoundError:
        if source != "kubo" or run.store is None:
            raise
        return run.wanted_folder


def _lines(report: RebuildReport) -> Iterator[str]:
    where = f"the pins on {report.store}" if report.from_pins else "the blocks"
    yield f"Made the index of {n_of(report.n_objects, 'object')} anew from {where}."
    if report.n_references:
        yield f"  in files outside: {n_of(report.n_references, 'block')} of media"
    if report.left_out:
        yield f"Left out until they are healed: {n_of(len(report.left_out), 'object')}"
        yield from (f"  {cid}" for cid in report.left_out[:SHOWN_LEFT_OUT])
