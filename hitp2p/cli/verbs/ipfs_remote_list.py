"""`hitp2p ipfs remote list`."""

from __future__ import annotations

from hitp2p.cli.app import verb
from hitp2p.cli.daemons import daemon_options, open_remote
from hitp2p.cli.output import table
from hitp2p.cli.run import Run


@verb(
    examples=[("hitp2p ipfs remote list", "The services that the daemon knows, and how they are.")],
    json_fields={
        "services[].name": "what the daemon calls it",
        "services[].endpoint": "its URL",
        "services[].is_reached": "whether it answers, and takes the key",
        "services[].counts.*": "how many pins it has by status: queued, pinning, pinned, failed",
    },
)
@daemon_options()
def command(run: Run, daemon: str | None, credentials: str | None) -> None:
    """List the pinning services that the daemon knows. Each is asked how it is."""
    with open_remote(run, daemon, credentials) as remote:
        services = remote.services()
    rows = [
        (
            one.name,
            "reached" if one.is_reached else "NOT REACHED",
            str(one.counts.get("pinned", "?")),
            one.endpoint,
        )
        for one in services
    ]
    run.out.emit(
        {
            "services": [
                {
                    "name": one.name,
                    "endpoint": one.endpoint,
                    "is_reached": one.is_reached,
                    "counts": dict(one.counts),
                }
                for one in services
            ]
        },
        table(("NAME", "STATE", "PINNED", "ENDPOINT"), rows, flexible=3)
        if rows
        else ['The daemon knows no pinning service. Make one known: "hitp2p ipfs remote add".'],
    )
