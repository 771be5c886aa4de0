"""`hitp2p id revoke`."""

from __future__ import annotations

from typing import Any

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.errors import with_step
from hitp2p.cli.rotating import ROTATE_FIELDS, Rotation, recovery_options
from hitp2p.cli.run import Run
from hitp2p.errors import UsageError


@verb(
    examples=[
        (
            "hitp2p id revoke Ana --good k3f9z2ab --recovery-file /media/usb/ana.key "
            "--new-recovery-file /media/usb/ana-2.key",
            "Stand by that work and all before it; what else the key signed is disavowed.",
        ),
        (
            "hitp2p id revoke Ana --all-but 7ytq4mzd --dry-run",
            "Disavow one work only; see what stays good.",
        ),
    ],
    json_fields=ROTATE_FIELDS,
)
@click.argument("name", required=False, shell_complete=completing("identity"))
@click.option(
    "--good", metavar="CID", multiple=True, help="Stand by this object and all that it builds on."
)
@click.option(
    "--all-but", metavar="CID", multiple=True, help="Stand by all that is here, but not by this."
)
@click.option("--none", is_flag=True, help="Stand by nothing that the key signed.")
@recovery_options
def command(
    run: Run,
    name: str | None,
    good: tuple[str, ...],
    all_but: tuple[str, ...],
    none: bool,
    more_places: tuple[str, ...],
    dry_run: bool,
    **how: Any,
) -> None:
    """Drop a key that was stolen or may have been, and go on with a new one.

    You say what you stand by: --good, --all-but or --none. Everything else that the key signed is
    disavowed from then on: it stays in the trail, marked as not yours. Only the recovery key can
    do this, so the thief can't.
    """
    if sum(map(bool, (good, all_but, none))) != 1:
        raise with_step(
            UsageError("say what you stand by, in one way"),
            "Add --good CID, --all-but CID or --none; --dry-run shows what follows.",
        )
    rotation = Rotation(run, name, more_places)
    heads = rotation.objects(good) if good or none else rotation.good_heads()
    exceptions = rotation.objects(all_but)
    if dry_run:
        rotation.preview(heads)
    else:
        rotation.perform(good=heads, exceptions=exceptions, suspicion=True, **how)
