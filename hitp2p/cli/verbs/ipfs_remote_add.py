"""`hitp2p ipfs remote add`."""

from __future__ import annotations

from pathlib import Path

import click

from hitp2p.cli.app import verb
from hitp2p.cli.daemons import daemon_options, open_remote
from hitp2p.cli.errors import with_step
from hitp2p.cli.passphrase import has_terminal, prompt_passphrase
from hitp2p.cli.run import Run
from hitp2p.errors import KeyFileError, UsageError


@verb(
    examples=[
        (
            "hitp2p ipfs remote add club https://pins.example/api/v1 --key-file club.key",
            "Make a service known, with its key from a file of mode 0600.",
        ),
        (
            "hitp2p ipfs remote add club https://pins.example/api/v1",
            "The same; the key is asked for.",
        ),
    ],
    json_fields={
        "name": "what the daemon calls the service",
        "endpoint": "its URL",
        "is_reached": "whether it answered, and took the key",
    },
)
@click.argument("name")
@click.argument("endpoint", metavar="URL")
@click.option(
    "--key-file",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="File with the service's access token on its one line; for its owner alone (mode 0600).",
)
@daemon_options()
def command(
    run: Run,
    name: str,
    endpoint: str,
    key_file: str | None,
    daemon: str | None,
    credentials: str | None,
) -> None:
    """Make a pinning service known to the daemon, under a name of yours.

    The key comes from a file or is asked for, never from the command line, which others can see. The
    daemon keeps it in its own config.
    """
    with open_remote(run, daemon, credentials) as remote:
        remote.add_service(name, endpoint, _key(key_file, name))
        (service,) = [one for one in remote.services() if one.name == name]
    record = {"name": name, "endpoint": service.endpoint, "is_reached": service.is_reached}
    run.out.emit(record, [f"{name} is known to the daemon now: {service.endpoint}"])
    if not service.is_reached:
        run.out.warn("it can't be reached, or refuses the key; hitp2p ipfs remote rm takes it away")


def _key(file: str | None, name: str) -> str:
    if file is None:
        if not has_terminal():
            raise with_step(
                UsageError(f"the key of {name} is missing, and there is no terminal to ask on"),
                "Give it with --key-file FILE.",
            )
        return prompt_passphrase(f"Access token of {name}")
    from hitp2p.store.keyfile import read_key_file

    try:
        key = read_key_file(Path(file)).decode("ascii").strip()
    except UnicodeDecodeError:
        key = ""
    if not key or not key.isprintable():
        raise KeyFileError(f"{file} holds no access token: one line of ASCII is allowed")
    return key
