"""`hitp2p ipfs announce`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.daemons import chosen_projects, daemon_options, open_daemon
from hitp2p.cli.names import Names
from hitp2p.cli.output import n_of
from hitp2p.cli.progress import Move, progress
from hitp2p.cli.run import Run
from hitp2p.codec.cid import Cid
from hitp2p.errors import DecodeError
from hitp2p.trail.display import short_name

if TYPE_CHECKING:
    from hitp2p.announcing import Announced
    from hitp2p.store.kubo_admin import KuboAdmin


@verb(
    examples=[
        ("hitp2p ipfs announce 'Night Bus'", "Its snapshot, the project, and its newest works."),
        ("hitp2p ipfs announce 'Night Bus' --deep", "Every block of it; this may take long."),
        (
            "hitp2p ipfs announce bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi",
            "A single block, such as the root of a film.",
        ),
    ],
    json_fields={
        "daemon": "the daemon's address",
        "announced[].cid": "the project or block that was named",
        "announced[].snapshot": "the pinned snapshot of the project, or null",
        "announced[].n_announced": "blocks of which the network is told",
        "announced[].seconds": "how long it took until the daemon had taken them on",
    },
)
@click.argument("names", nargs=-1, shell_complete=completing("project"), metavar="[PROJECT|CID...]")
@daemon_options()
@click.option("--deep", is_flag=True, help="Every block that is reached, media with all pieces.")
def command(
    run: Run, names: tuple[str, ...], daemon: str | None, credentials: str | None, deep: bool
) -> None:
    """Tell the network now that the daemon has a project, so that strangers find it.

    Only this verb announces. (A daemon with the usual config tells of every block by itself in the
    course of a day; "hitp2p ipfs status" shows whether yours does.) Unlisted projects are refused.
    Without a name: all projects that are listed and pinned.
    """
    with open_daemon(run, daemon, credentials) as kubo:
        address = str(kubo.address)
        done = [_announce(run, kubo, one, deep) for one in _wanted(run, kubo, names)]
    known = Names(run.workspace)
    run.out.emit(
        {
            "daemon": address,
            "announced": [
                {
                    "cid": str(one.cid),
                    "snapshot": None if one.snapshot is None else str(one.snapshot),
                    "n_announced": one.n_announced,
                    "seconds": round(seconds, 3),
                }
                for one, seconds in done
            ],
        },
        [
            f"{known.text(one.cid) or ''} {short_name(one.cid)}: announced"
            f" {n_of(one.n_announced, 'block')} in {seconds:.1f} s; the daemon goes on telling in the background"
            for one, seconds in done
        ],
    )


def _wanted(run: Run, kubo: KuboAdmin, names: Sequence[str]) -> list[Cid]:
    """The projects and blocks that were named, or all projects that are listed and pinned, or else listed."""
    from hitp2p.ipfs_care import snapshot_pins

    if not names:
        unlisted = run.workspace.store.unlisted()
        listed = [one.cid for one in chosen_projects(run, ()) if one.cid not in unlisted]
        pinned = snapshot_pins(kubo)
        return [cid for cid in listed if cid in pinned] or listed
    found: list[Cid] = []
    for name in names:
        try:
            found.append(Cid.parse(name))
        except DecodeError:
            found += [project.cid for project in chosen_projects(run, [name])]
    return found


def _announce(run: Run, kubo: KuboAdmin, cid: Cid, deep: bool) -> tuple[Announced, float]:
    from hitp2p.announcing import announce_block, announce_project

    row = run.workspace.store.row(cid)
    announce = announce_project if row is not None and row.kind == "project" else announce_block
    begun = monotonic()
    with progress("announcing", unit="blocks", quiet=run.out.as_json) as move:
        told = None if move is None else partial(_tell, move)
        return announce(run.workspace, kubo, cid, deep=deep, told=told), monotonic() - begun


def _tell(move: Move, n_announced: int) -> None:
    """How many there will be, nobody knows before."""
    move(n_announced, n_announced)
