"""`hitp2p id rotate`."""

from __future__ import annotations

from typing import Any

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.rotating import ROTATE_FIELDS, Rotation, recovery_options
from hitp2p.cli.run import Run


@verb(
    examples=[
        (
            "hitp2p id rotate Ana --recovery-file /media/usb/ana.key --new-recovery-file /media/usb/ana-2.key",
            "A new key for Ana, and a new recovery key.",
        ),
        ("hitp2p id rotate Ana --dry-run", "See what stays good."),
    ],
    json_fields=ROTATE_FIELDS,
)
@click.argument("name", required=False, shell_complete=completing("identity"))
@recovery_options
def command(
    run: Run, name: str | None, more_places: tuple[str, ...], dry_run: bool, **how: Any
) -> None:
    """Change to a new key, because the old one is worn or its passphrase forgotten, not stolen.

    All that the old key signed stays good: in this workspace, in those in which the identity has
    signed from this machine, and in those named with --in. What was signed only elsewhere would be
    disavowed, so name every place. If the old key may be in other hands, use "hitp2p id revoke".

    The old key isn't needed, only the recovery key; NAME may be the CID of an identity whose file
    is lost, inside a workspace that knows it. A new recovery key takes the place of the old one.
    """
    rotation = Rotation(run, name, more_places)
    good = rotation.good_heads()
    if dry_run:
        rotation.preview(good)
    else:
        rotation.perform(good=good, exceptions={}, suspicion=False, **how)
