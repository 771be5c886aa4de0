"""`hitp2p id export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.errors import with_step
from hitp2p.cli.making import passphrase_options
from hitp2p.cli.passphrase import ask_passphrase, prompt_passphrase, read_passphrase
from hitp2p.cli.places import tidy
from hitp2p.cli.run import Run
from hitp2p.errors import PassphraseError, UsageError

if TYPE_CHECKING:
    from hitp2p.cli.people import KeyEntry


@verb(
    examples=[
        (
            "hitp2p id export Ana -o /media/usb/ana.key",
            "The identity file, sealed as it is, for another machine.",
        ),
        (
            "hitp2p id export Ana --format openssh --unsealed -o ana_ed25519",
            "The signing key alone for another program, in clear: guard that file.",
        ),
    ],
    json_fields={
        "cid": "the identity",
        "name": "what they call themselves",
        "file": "what was written",
        "format": "identity, pkcs8 or openssh",
        "sealed": "whether a passphrase seals it",
    },
)
@click.argument("name", required=False, shell_complete=completing("identity"))
@click.option(
    "--output",
    "-o",
    "target",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="A new file.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["identity", "pkcs8", "openssh"]),
    default="identity",
    show_default=True,
    help="The whole identity, or its signing key alone.",
)
@click.option(
    "--unsealed", is_flag=True, help="pkcs8 and openssh: write the key without a passphrase."
)
@click.option(
    "--new-passphrase-file",
    metavar="FILE",
    help="pkcs8 and openssh: passphrase for the new file; else it is asked for.",
)
@passphrase_options
def command(
    run: Run,
    name: str | None,
    target: str,
    form: str,
    unsealed: bool,
    new_passphrase_file: str | None,
) -> None:
    """Write an identity to a file: as it is, or its signing key for another program.

    The recovery key isn't in it. Whoever has the file (and its passphrase) can sign as you.
    """
    from hitp2p.limits import IDENTITY_FILE_BYTES
    from hitp2p.store.keyfile import read_key_file, write_key_file

    keys = run.keys
    entry = keys.find(name) if name else keys.speaker(None)
    path = Path(target).expanduser()
    if form == "identity":
        if unsealed or new_passphrase_file:
            raise UsageError(
                "an identity file is copied as it is; --unsealed is for pkcs8 and openssh"
            )
        sealed = entry.has_passphrase
        data = read_key_file(entry.path, max_bytes=IDENTITY_FILE_BYTES)
    else:
        passphrase = _passphrase_for(run, unsealed, new_passphrase_file)
        sealed, data = passphrase is not None, _signing_key(run, entry, form, passphrase)
    write_key_file(path, data)
    state = "sealed with a passphrase" if sealed else "not sealed: guard it"
    run.out.emit(
        {
            "cid": str(entry.cid),
            "name": entry.name,
            "file": target,
            "format": form,
            "sealed": sealed,
        },
        [f"Wrote {tidy(path)}: {entry.name} {entry.code}, {form}, {state}"],
    )


def _passphrase_for(run: Run, unsealed: bool, file: str | None) -> str | None:
    if unsealed:
        return None
    if file:
        return read_passphrase(Path(file))
    try:
        return prompt_passphrase("New passphrase for the exported key", confirm=True)
    except PassphraseError as error:  # no terminal
        raise with_step(error, "Add --new-passphrase-file FILE, or --unsealed.") from error


def _signing_key(run: Run, entry: KeyEntry, form: str, passphrase: str | None) -> bytes:
    from hitp2p.keys.ed25519 import SigningKey
    from hitp2p.keys.formats import export_openssh, export_pkcs8

    identity = run.keys.load(entry, lambda: ask_passphrase(run, f"Passphrase of {entry.name}"))
    if not isinstance(identity.signer, SigningKey):
        raise with_step(
            UsageError("this key lives elsewhere and can't be exported"), "hitp2p id show"
        )
    export = export_pkcs8 if form == "pkcs8" else export_openssh
    return export(identity.signer, passphrase)
