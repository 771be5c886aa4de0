"""`hitp2p ipfs push`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.daemons import chosen_projects, daemon_options, open_daemon
from hitp2p.cli.names import Names
from hitp2p.cli.output import n_of, size
from hitp2p.cli.progress import progress
from hitp2p.cli.run import Run
from hitp2p.trail.display import code_of

if TYPE_CHECKING:
    from hitp2p.store.kubo_push import Pushed, PushMedia


@verb(
    examples=[
        (
            "hitp2p ipfs push --to kubo:/ip4/127.0.0.1/tcp/5001",
            "All projects of this workspace, with their media, to the daemon of this machine.",
        ),
        (
            "hitp2p ipfs push 'Night Bus'",
            "One project, to the daemon that the works are stored on: its snapshot is pinned there.",
        ),
        (
            "hitp2p ipfs push 'Night Bus' --to kubo:/dns4/box/tcp/5001/https --media none",
            "The objects alone; the media stay where they are.",
        ),
    ],
    json_fields={
        "daemon": "the daemon's address",
        "projects[].cid": "a project",
        "projects[].title": "its title",
        "projects[].snapshot": "CID that names the project as it is here; what others ask for",
        "projects[].is_pinned": "whether the daemon pins that snapshot with all that it reaches",
        "projects[].n_objects": "objects in the snapshot",
        "projects[].n_sent": "blocks that went to the daemon; it had the others",
        "projects[].sent_bytes": "their length",
        "projects[].left_out[]": "media that are here and that --media left out",
        "projects[].missing[]": "blocks that objects link to and that aren't here",
    },
)
@click.argument("projects", nargs=-1, shell_complete=completing("project"), metavar="[PROJECT...]")
@daemon_options("--to")
@click.option(
    "--media",
    type=click.Choice(["none", "work", "all"]),
    default="all",
    show_default=True,
    help="No media go along, those of works that nobody has built on yet, or all that are here.",
)
@click.option(
    "--replace",
    is_flag=True,
    help="Pin this snapshot even if the daemon's names objects that aren't here.",
)
def command(
    run: Run,
    projects: tuple[str, ...],
    daemon: str | None,
    credentials: str | None,
    media: PushMedia,
    replace: bool,
) -> None:
    """Bring projects onto a daemon, and pin each there as a whole, so that others can fetch it.

    What the daemon has already isn't sent again; a push that broke off goes on where it was. At
    every moment the daemon pins a snapshot of the project whole: this one, or the one before. It
    moves only where all media are here and go along; else what was sent is kept all the same.
    """
    from hitp2p.ipfs_care import require_folder
    from hitp2p.store.kubo_push import push_project

    store = require_folder(run.workspace.store)
    wanted = chosen_projects(run, projects)
    with open_daemon(run, daemon, credentials) as kubo:
        address = str(kubo.address)
        done: list[Pushed] = []
        for project in wanted:
            with progress("pushing", unit="blocks", quiet=run.out.as_json) as move:
                done.append(
                    push_project(
                        store, kubo, project.cid, media=media, replace=replace, progress=move
                    )
                )
    names = Names(run.workspace)
    run.out.emit(
        {"daemon": address, "projects": [_record(one, names) for one in done]},
        (line for one in done for line in _lines(one, names)),
    )


def _record(one: Pushed, names: Names) -> dict[str, object]:
    return {
        "cid": str(one.project),
        "title": names.text(one.project),
        "snapshot": str(one.snapshot),
        "is_pinned": one.is_pinned,
        "n_objects": one.n_objects,
        "n_sent": one.n_sent,
        "sent_bytes": one.sent_bytes,
        "left_out": [str(cid) for cid in one.left_out],
        "missing": [str(cid) for cid in one.missing],
    }


def _lines(one: Pushed, names: Names) -> Iterator[str]:
    sent = f"{n_of(one.n_sent, 'block')} ({size(one.sent_bytes)}) sent" if one.n_sent else ""
    yield (
        f"{names.text(one.project)} {code_of(one.project)}: {n_of(one.n_objects, 'object')},"
        f" {sent or 'nothing to send'}"
    )
    yield f"  snapshot  {one.snapshot}"
    if one.is_pinned:
        yield "  pinned whole. Whoever can reach the daemon fetches it with one of:"
        yield f"    hitp2p pull {one.snapshot}"
        yield f"    ipfs pin add {one.snapshot}"
        yield f"    ipfs dag get {one.snapshot}"
        return
    if one.left_out:
        yield f"  not pinned as a whole: {n_of(len(one.left_out), 'file')} left out by --media"
    if one.missing:
        yield f"  not pinned as a whole: {n_of(len(one.missing), 'block')} of texts or media not here"
    yield "  What was sent is kept. Others fetch the objects with:"
    yield f"    hitp2p pull {one.snapshot}"
