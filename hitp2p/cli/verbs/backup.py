"""`hitp2p backup`."""

from __future__ import annotations

from pathlib import Path

import click

from hitp2p.cli.app import verb
from hitp2p.cli.errors import with_step
from hitp2p.cli.places import MARK, tidy
from hitp2p.cli.run import Run
from hitp2p.errors import UsageError


@verb(
    examples=[
        ("hitp2p backup /media/usb/night-bus", "A copy; to restore it, copy it back."),
        ("hitp2p --workspace /media/usb/night-bus list", "A backup is a workspace; look into it."),
    ],
    json_fields={"folder": "the backup, a workspace of its own"},
)
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
def command(run: Run, folder: str) -> None:
    """Copy the workspace's store into a new folder, while others may be writing.

    The copy is complete and consistent, with media. Files that were added with --reference stay
    where they are, and keys aren't in it: they lie in your user-data folder.
    """
    target = Path(folder)
    if (target / MARK).exists():
        raise with_step(UsageError(f"{folder} is a workspace already"), "Name a new folder.")
    run.workspace.backup(target)
    run.out.emit({"folder": str(target.absolute())}, [f"Wrote a backup to {tidy(target)}"])
