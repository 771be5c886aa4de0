"""`hitp2p gc`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hitp2p.cli.app import verb
from hitp2p.cli.output import n_of, size
from hitp2p.cli.run import Run
from hitp2p.errors import StoreFullError

if TYPE_CHECKING:
    from hitp2p.workspace import Workspace


@verb(
    examples=[
        ("hitp2p gc --dry-run", "See what would go."),
        ("hitp2p gc", "Let it go."),
    ],
    json_fields={
        "dry_run": "true: nothing was removed",
        "is_busy": "true: media are being added, so nothing was looked at",
        "n_blocks": "blocks that nothing refers to",
        "n_files": "media files that nothing refers to",
        "file_bytes": "room that these files take",
    },
)
@click.option("--dry-run", is_flag=True, help="Show what would go; remove nothing.")
def command(run: Run, dry_run: bool) -> None:
    """Remove blocks and media files that no object here refers to.

    Such rests stay after an import that broke off, or a file that was added and not signed. Signed
    objects are never removed.
    """
    report = _opened(run).gc(dry_run=dry_run)
    what = f"{n_of(len(report.blocks), 'block')} and {n_of(len(report.files), 'media file')}"
    if report.is_busy:
        line = "Media are being added just now, so nothing was removed; try again later."
    elif not report.blocks and not report.files:
        line = "Nothing to remove."
    else:
        done = "Would remove" if dry_run else "Removed"
        line = f"{done} {what} ({size(report.file_bytes)} of files)."
    run.out.emit(
        {
            "dry_run": dry_run,
            "is_busy": report.is_busy,
            "n_blocks": len(report.blocks),
            "n_files": len(report.files),
            "file_bytes": report.file_bytes,
        },
        [line],
    )


def _opened(run: Run) -> Workspace:
    """The workspace, also where the disk is so full that it opens only once the room kept back is let go of."""
    try:
        return run.workspace
    except StoreFullError:
        from hitp2p.cli.places import MARK
        from hitp2p.store.mediafolder import free_reserve
        from hitp2p.store.names import database_path
        from hitp2p.store.sqlite import MEDIA

        if not free_reserve(database_path(run.folder / MARK).parent / MEDIA):
            raise
        return run.workspace
