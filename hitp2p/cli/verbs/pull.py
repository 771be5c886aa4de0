"""`hitp2p pull`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from hitp2p.cli.app import verb
from hitp2p.cli.fetching import lines_on_missing, network_options
from hitp2p.cli.names import title_of
from hitp2p.cli.output import n_of, size
from hitp2p.cli.progress import progress
from hitp2p.cli.run import Run
from hitp2p.trail.display import short_name

if TYPE_CHECKING:
    from hitp2p.codec.cid import Cid
    from hitp2p.ipfs_network import NetworkOptions
    from hitp2p.pulling import Pulled
    from hitp2p.trail.bundle import MediaChoice
    from hitp2p.workspace import Workspace


@verb(
    examples=[
        (
            "hitp2p pull SNAPSHOT",
            'A project, by the CID that "hitp2p ipfs push" printed where it was pushed.',
        ),
        (
            "hitp2p pull SNAPSHOT --via kubo:/ip4/127.0.0.1/tcp/5001 "
            "--provider /ip4/192.0.2.7/tcp/4001/p2p/12D3Koo...",
            "Through the daemon of this machine, from a daemon that has it.",
        ),
        ("hitp2p pull CID --media work", "A work with its files, and all that it rests on."),
        (
            "hitp2p pull /ipns/NAME",
            'A project as it is now, by the name that "hitp2p ipfs name publish" printed there.',
        ),
        ("hitp2p pull CID-OF-A-BUNDLE", 'A bundle that was added with "ipfs add song.wav.car".'),
    ],
    json_fields={
        "works[].cid": "an object that was named, or the work of a bundle",
        "works[].kind": "what it is",
        "works[].title": "its title",
        "snapshots[]": "snapshots that were followed",
        "names[].name": "an IPNS name that was followed",
        "names[].snapshot": "what it points to, as the holder of its key claims",
        "names[].sequence": "number of the record",
        "names[].valid_until": "when the record ends, in UTC",
        "projects[].cid": "a project that they belong to",
        "projects[].title": "its title",
        "n_objects": "signed objects that they reach, all checked",
        "n_new": "how many of them were not here before",
        "n_blocks": "blocks that were fetched",
        "n_bytes": "their length",
        "missing[]": "list pages, texts and files that were wanted and did not come",
    },
)
@click.argument("cids", nargs=-1, required=True, metavar="CID...")
@click.option(
    "--media",
    type=click.Choice(["none", "work", "all"]),
    default="none",
    show_default=True,
    help="No files, those of the works named (of a project: of its newest works), or those of all works.",
)
@network_options
def command(run: Run, cids: tuple[str, ...], media: MediaChoice, options: NetworkOptions) -> None:
    """Fetch trails and bundles from IPFS, through a Kubo daemon that is on the network.

    CID is a snapshot, which names all of a project; a work or another object, which comes with all
    that it rests on; or a bundle that was added as a file. It may stand behind /ipfs/. Behind /ipns/
    stands a name: its record is checked, and what its publisher claims is followed. Nothing in a
    project leads to its later works, so ask for the snapshot; it is also found where the daemon
    pins it. A snapshot is quick; along the links, each step costs a round trip.

    Every block, signature and rule is checked before anything is shown. If a block doesn't come,
    nothing is kept here, and the next try goes on where this one was. Files can follow later, when
    "hitp2p cat", "export", "seal" or "kit" need them.
    """
    ws = run.workspace
    quiet = run.out.as_json
    with progress("fetching", unit="blocks", quiet=quiet) as move:
        pulled = ws.pull(cids, progress=move, **options)
    if media != "none":
        with progress("fetching files", quiet=quiet) as move:
            pulled = ws.pull_media(pulled, media, progress=move, **options)
    run.out.emit(_record(ws, pulled), _lines(ws, pulled))


def _projects(ws: Workspace, pulled: Pulled) -> dict[Cid, str]:
    """The projects of all that was pulled, with their titles."""
    rows = (ws.store.row(cid) for cid in pulled.objects)
    found = dict.fromkeys(row.project for row in rows if row is not None and row.project)
    return {cid: title_of(ws.show(cid)) for cid in sorted(found)}


def _record(ws: Workspace, pulled: Pulled) -> dict[str, object]:
    works = [ws.show(cid) for cid in pulled.works]
    return {
        "works": [{"cid": str(w.cid), "kind": w.kind, "title": title_of(w)} for w in works],
        "snapshots": [str(cid) for cid in pulled.snapshots],
        "names": [
            {
                "name": one.name,
                "snapshot": str(one.target),
                "sequence": one.sequence,
                "valid_until": one.valid_until,
            }
            for one in pulled.names
        ],
        "projects": [
            {"cid": str(cid), "title": title} for cid, title in _projects(ws, pulled).items()
        ],
        "n_objects": len(pulled.objects),
        "n_new": pulled.n_new,
        "n_blocks": pulled.n_blocks,
        "n_bytes": pulled.n_bytes,
        "missing": [str(cid) for cid in pulled.missing],
    }


def _lines(ws: Workspace, pulled: Pulled) -> Iterator[str]:
    for name in pulled.names:
        yield f"/ipns/{name.name}: whoever holds its key claims until {name.valid_until} that it is"
        yield f"  {name.target}"
    for work in map(ws.show, pulled.works):
        yield f"{title_of(work)}  {work.kind} {short_name(work.cid)}"
    for cid, title in _projects(ws, pulled).items():
        if cid not in pulled.works:
            yield f"{title}  project {short_name(cid)}"
    is_one = pulled.n_new == 1
    yield (
        f"Checked {n_of(len(pulled.objects), 'object')}, of which {pulled.n_new:,} {'is' if is_one else 'are'} new"
        f" here; fetched {n_of(pulled.n_blocks, 'block')}, {size(pulled.n_bytes)}."
    )
    yield from lines_on_missing(pulled.missing)
    if not pulled.snapshots and any(ws.show(cid).kind == "project" for cid in pulled.works):
        yield (
            "No snapshot of the project is known to the daemon, so its works did not come: ask for the CID that"
            ' "hitp2p ipfs push" prints.'
        )
