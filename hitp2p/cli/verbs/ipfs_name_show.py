"""`hitp2p ipfs name show`."""

from __future__ import annotations

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.daemons import daemon_options, open_names
from hitp2p.cli.making import passphrase_options
from hitp2p.cli.names import find_project
from hitp2p.cli.run import Run


@verb(
    examples=[
        (
            "hitp2p ipfs name show 'Night Bus' --as Ana",
            "Ana's name of the project, and what it says.",
        ),
        (
            "hitp2p ipfs name show /ipns/k51qzi5uqu5djmw2yvf8kk5cdjc1ddc00o4d5sjwi6f79xzcay9j3gkddw5uu4",
            "Anybody's name.",
        ),
    ],
    json_fields={
        "daemon": "the daemon's address",
        "name": "the IPNS name",
        "snapshot": "what it points to, or null where no record was found",
        "sequence": "number of the record, or null",
        "valid_until": "when the record ends, in UTC, or null",
    },
)
@click.argument("name", shell_complete=completing("project"), metavar="PROJECT|/ipns/NAME")
@click.option(
    "--as",
    "as_name",
    shell_complete=completing("identity"),
    metavar="WHO",
    help="Whose name of the project. Else HITP2P_AS, else the default.",
)
@daemon_options()
@passphrase_options
def command(run: Run, name: str, daemon: str | None, credentials: str | None) -> None:
    """Show what a name points to, by a record whose signature and end were checked here.

    It is a claim of whoever holds the key of the name. "hitp2p pull /ipns/NAME" fetches what it leads
    to, and checks that.
    """
    from hitp2p.errors import NotFoundError
    from hitp2p.ipns import find_claim, ipns_name
    from hitp2p.keys.ipns import NameKey

    spelled = ipns_name(name)
    if spelled is None:
        project = find_project(run.workspace, name).cid
        spelled = NameKey.derive(run.signer(dry_run=True).signer, project).name
    with open_names(run, daemon, credentials) as names:
        address = str(names.address)
        try:
            claim = find_claim(names, spelled, now_ms=run.clock())
        except NotFoundError:
            claim = None
    record: dict[str, object] = {"daemon": address, "name": spelled, "snapshot": None}
    record |= {"sequence": None, "valid_until": None}
    if claim is None:
        run.out.emit(record, [f"/ipns/{spelled}: no record was found"])
        return
    record |= {
        "snapshot": str(claim.target),
        "sequence": claim.sequence,
        "valid_until": claim.valid_until,
    }
    run.out.emit(
        record,
        [
            f"/ipns/{spelled}",
            f"  points to  {claim.target}",
            f"  until      {claim.valid_until} (record {claim.sequence})",
            "  as whoever holds its key claims; hitp2p pull checks what it leads to",
        ],
    )
