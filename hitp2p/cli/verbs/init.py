"""`hitp2p init`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from hitp2p.cli.app import verb
from hitp2p.cli.places import MARK, tidy
from hitp2p.cli.run import Run


@verb(
    examples=[
        ("hitp2p init", "Make the current folder into a workspace."),
        ("hitp2p init night-bus", "Make the folder night-bus, and a workspace in it."),
        (
            "hitp2p init --store kubo:/ip4/127.0.0.1/tcp/5001",
            "Keep works and media on the Kubo daemon of this machine.",
        ),
    ],
    json_fields={
        "workspace": "the folder",
        "created": "false if it was a workspace already",
        "store": "where its works are: sqlite, or the address of a Kubo daemon",
    },
)
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False))
def command(run: Run, folder: str) -> None:
    """Make a folder into a workspace.

    A workspace is a folder with a .hitp2p inside, which holds the store: signed objects, and
    copies of the media you add. Verbs find it from the folder you are in or any folder below.
    A folder that is a workspace already stays as it is.
    """
    from hitp2p.store.choice import store_name
    from hitp2p.workspace import open_workspace

    path = Path(folder)
    created = not (path / MARK).is_dir()
    path.mkdir(parents=True, exist_ok=True)
    open_workspace(path, store=run.store, create=True).close()
    state = "Made a workspace in" if created else "There is a workspace already in"
    record = {
        "workspace": str(path.absolute()),
        "created": created,
        "store": store_name(path / MARK),
    }
    run.out.emit(record, [f"{state} {tidy(path / MARK)}"])
    if created:
        enter = "" if path.samefile(".") else f"cd {shlex.quote(tidy(path))}, then "
        known = any(run.keys.paths())
        run.out.say(
            f"Next: {enter}{'' if known else 'hitp2p id new NAME (once), then '}hitp2p project new TITLE"
        )
