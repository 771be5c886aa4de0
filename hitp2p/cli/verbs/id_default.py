"""`hitp2p id default`."""

from __future__ import annotations

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.keyfiles import IDENTITY_FIELDS, identity_record
from hitp2p.cli.run import Run


@verb(
    examples=[
        ("hitp2p id default Ana", "From now on Ana speaks unless --as says otherwise."),
        ("hitp2p id default", "Who speaks now?"),
    ],
    json_fields=IDENTITY_FIELDS,
)
@click.argument("name", required=False, shell_complete=completing("identity"))
def command(run: Run, name: str | None) -> None:
    """Choose who speaks when neither --as nor HITP2P_AS says; or show who does."""
    keys = run.keys
    if name:
        entry = keys.find(name)
        keys.remember(default=str(entry.cid))
    else:
        entry = keys.speaker(None)
    run.out.emit(identity_record(entry), [f"{entry.name} {entry.code} speaks by default"])
