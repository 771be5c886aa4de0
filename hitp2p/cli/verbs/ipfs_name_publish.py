"""`hitp2p ipfs name publish`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.daemons import daemon_options, open_names
from hitp2p.cli.making import passphrase_options
from hitp2p.cli.names import Names, find_project
from hitp2p.cli.run import Run
from hitp2p.trail.display import code_of

if TYPE_CHECKING:
    from hitp2p.ipns import PublishedName


@verb(
    examples=[
        (
            "hitp2p ipfs name publish 'Night Bus' --as Ana",
            "Ana's name of the project says which snapshot the daemon pins now.",
        ),
        (
            "hitp2p ipfs name publish 'Night Bus' --as Ana --to kubo:/ip4/127.0.0.1/tcp/5001 --valid 90",
            "Through a daemon that is named, for 90 days.",
        ),
    ],
    json_fields={
        "daemon": "the daemon's address",
        "project": "CID of the project",
        "title": "its title",
        "name": "the IPNS name; /ipns/ and it is what others ask for",
        "snapshot": "the snapshot that it points to now",
        "previous": "what it pointed to before, or null where no record was found",
        "sequence": "number of the record; the highest of a name counts",
        "valid_until": "when the record ends, in UTC",
        "is_current": "whether the snapshot is of the project as it is here",
    },
)
@click.argument("project", shell_complete=completing("project"))
@click.option(
    "--as",
    "as_name",
    shell_complete=completing("identity"),
    metavar="WHO",
    help="Whose name it is: name or short name. Else HITP2P_AS, else the default.",
)
@daemon_options("--to")
@click.option(
    "--valid",
    "days",
    type=int,
    metavar="DAYS",
    default=30,
    show_default=True,
    help="How long the record holds.",
)
@passphrase_options
@click.option("--yes", is_flag=True, help="Agree beforehand that a signature can't be unsaid.")
def command(run: Run, project: str, daemon: str | None, credentials: str | None, days: int) -> None:
    """Publish the newest snapshot of a project under an IPNS name of yours, so that others follow it.

    "hitp2p ipfs push" first, each time: the name points to what the daemon pins. You have one name for
    each project, made from your key; nothing needs to be kept. hitp2p signs the record, and the
    daemon never has the key. Publish again after each push and before the record ends; the network
    forgets a record after a day or two, so a daily run keeps it known while your daemon is on.

    A name is its key: after "hitp2p id rotate" you have another one, and have to tell your followers.
    Unlisted projects are refused.
    """
    from hitp2p.ipns import publish_name, require_snapshot
    from hitp2p.keys.ipns import NameKey

    ws = run.workspace
    found = find_project(ws, project).cid
    with open_names(run, daemon, credentials) as names:
        require_snapshot(ws.store, names, found)
        key = NameKey.derive(run.signer().signer, found)
        done = publish_name(ws.store, names, found, key, now_ms=run.clock(), days=days)
        address = str(names.address)
    title = Names(ws).text(found)
    run.out.emit(
        {
            "daemon": address,
            "project": str(found),
            "title": title,
            "name": done.claim.name,
            "snapshot": str(done.claim.target),
            "previous": None if done.previous is None else str(done.previous),
            "sequence": done.claim.sequence,
            "valid_until": done.claim.valid_until,
            "is_current": done.is_current,
        },
        _lines(done, title),
    )
    if not done.is_current:
        run.out.warn(
            "that snapshot isn't of the project as it is here; hitp2p ipfs push, then publish again"
        )


def _lines(done: PublishedName, title: str | None) -> Iterator[str]:
    yield f"{title} {code_of(done.project)}: published, until {done.claim.valid_until}"
    yield f"  name      /ipns/{done.claim.name}"
    yield f"  snapshot  {done.claim.target}"
    yield "  Whoever can reach the daemon follows it with one of:"
    yield f"    hitp2p pull /ipns/{done.claim.name}"
    yield f"    ipfs name resolve /ipns/{done.claim.name}"
