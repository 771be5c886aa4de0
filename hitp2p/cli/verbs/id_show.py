"""`hitp2p id show`."""

from __future__ import annotations

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.keyfiles import IDENTITY_FIELDS, identity_record
from hitp2p.cli.output import day, fields
from hitp2p.cli.places import tidy
from hitp2p.cli.run import Run


@verb(
    examples=[
        ("hitp2p id show", "The identity that speaks by default."),
        ("hitp2p id show Ana --json", "Another one, for a program."),
    ],
    json_fields=IDENTITY_FIELDS
    | {
        "events[].cid": "an identity event, the genesis first",
        "events[].time": "its claimed time, milliseconds since 1970",
        "events[].n_keys": "signing keys from then on",
        "events[].n_dropped": "keys that it ended",
        "workspaces[]": "folders in which it has signed, as far as remembered",
    },
)
@click.argument("name", required=False, shell_complete=completing("identity"))
def command(run: Run, name: str | None) -> None:
    """Show an identity whose key is here: its CID, its key, and how its keys changed.

    NAME is a name or short name; the identity that speaks by default if left out.
    """
    from hitp2p.identity_file import event_body, read_identity_file

    keys = run.keys
    entry = keys.find(name) if name else keys.speaker(None)
    events = [(event, event_body(event)) for event in read_identity_file(entry.path).events]
    places = keys.places(entry.cid)
    record = identity_record(entry) | {
        "events": [
            {
                "cid": str(event.cid),
                "time": event.time,
                "n_keys": len(body.keys),
                "n_dropped": len(body.dropped),
            }
            for event, body in events
        ],
        "workspaces": [str(place) for place in places],
    }
    begun, *changes = (day(event.time) for event, _ in events)
    lines = [
        f"{entry.name} {entry.code}",
        *fields(
            [
                ("cid", str(entry.cid)),
                ("key", entry.did),
                ("file", tidy(entry.path)),
                (
                    "passphrase",
                    "yes" if entry.has_passphrase else "no: the file alone suffices to sign",
                ),
                ("made", f"{begun} UTC"),
                *(("key changed", f"{moment} UTC") for moment in changes),
                *(("signs in", tidy(place)) for place in places),
            ],
            indent=2,
        ),
    ]
    run.out.emit(record, lines)
