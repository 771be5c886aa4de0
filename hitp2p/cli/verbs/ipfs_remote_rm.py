"""`hitp2p ipfs remote rm`."""

from __future__ import annotations

import click

from hitp2p.cli.app import verb
from hitp2p.cli.daemons import daemon_options, open_remote
from hitp2p.cli.run import Run


@verb(
    examples=[("hitp2p ipfs remote rm club", "Let the daemon forget a service and its key.")],
    json_fields={"name": "the service that is forgotten"},
)
@click.argument("name")
@daemon_options()
def command(run: Run, name: str, daemon: str | None, credentials: str | None) -> None:
    """Let the daemon forget a pinning service and its key. What the service keeps, it goes on keeping."""
    with open_remote(run, daemon, credentials) as remote:
        remote.remove_service(name)
    run.out.emit({"name": name}, [f"The daemon has forgotten {name}."])
