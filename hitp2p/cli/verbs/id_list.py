"""`hitp2p id list`."""

from __future__ import annotations

from hitp2p.cli.app import verb
from hitp2p.cli.keyfiles import IDENTITY_FIELDS, identity_record
from hitp2p.cli.output import table
from hitp2p.cli.people import NO_KEYS
from hitp2p.cli.places import tidy
from hitp2p.cli.records import prefixed
from hitp2p.cli.run import Run
from hitp2p.errors import UsageError


@verb(
    examples=[("hitp2p id list", "Who you can be.")],
    json_fields=prefixed("identities[].", IDENTITY_FIELDS)
    | {
        "identities[].is_default": "whether it speaks when --as isn't given",
        "folder": "the key folder",
    },
)
def command(run: Run) -> None:
    """List the identities whose keys are on this machine.

    The one marked with * speaks when --as isn't given.
    """
    keys = run.keys
    entries = list(keys)
    try:
        speaker = keys.speaker(None).cid
    except UsageError:
        speaker = None
    rows = [
        (
            "*" if entry.cid == speaker else "",
            f"{entry.name} {entry.code}",
            "yes" if entry.has_passphrase else "no",
            tidy(entry.path),
        )
        for entry in entries
    ]
    run.out.emit(
        {
            "identities": [
                identity_record(entry) | {"is_default": entry.cid == speaker} for entry in entries
            ],
            "folder": str(keys.folder),
        },
        table((" ", "IDENTITY", "PASSPHRASE", "FILE"), rows, flexible=3)
        if rows
        else [f"No identity yet. {NO_KEYS}"],
    )
