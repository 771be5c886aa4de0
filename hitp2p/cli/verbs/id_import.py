"""`hitp2p id import`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hitp2p.cli.app import verb
from hitp2p.cli.errors import with_step
from hitp2p.cli.keyfiles import (
    NEW_KEY_FIELDS,
    choose_recovery_path,
    identity_record,
    new_passphrase,
    save_new_identity,
)
from hitp2p.cli.making import passphrase_options
from hitp2p.cli.passphrase import ask_passphrase, read_passphrase
from hitp2p.cli.people import KeyEntry
from hitp2p.cli.places import tidy
from hitp2p.cli.run import Run
from hitp2p.errors import InvalidError, KeyFileError, PassphraseError

if TYPE_CHECKING:
    from hitp2p.keys.ed25519 import SigningKey


@verb(
    examples=[
        (
            "hitp2p id import /media/usb/ana-k3f9z2ab.key",
            "An identity file of yours from another machine.",
        ),
        (
            "hitp2p id import ~/.ssh/id_ed25519 Ana --recovery-file /media/usb/ana.key",
            "A new identity whose signing key is one that you have.",
        ),
    ],
    json_fields=NEW_KEY_FIELDS
    | {"recovery_file": "where the recovery key was written; null for an identity file"},
)
@click.argument("file", type=click.Path(dir_okay=False))
@click.argument("name", required=False)
@click.option(
    "--recovery-file",
    metavar="FILE",
    help="Where the recovery key of a new identity goes. Asked for if not given.",
)
@click.option(
    "--key-passphrase-file",
    metavar="FILE",
    help="Passphrase of the imported key, if it has one; else it is asked for.",
)
@click.option("--no-passphrase", is_flag=True, help="Leave the new files unsealed.")
@passphrase_options
def command(
    run: Run,
    file: str,
    name: str | None,
    recovery_file: str | None,
    key_passphrase_file: str | None,
    no_passphrase: bool,
) -> None:
    """Bring in an identity file from another machine, or make an identity from a key.

    FILE is an identity file, which is copied to the key folder as it is; or an Ed25519 private key
    in PKCS #8 (PEM or DER) or OpenSSH format, which becomes the signing key of a new identity that
    calls itself NAME.
    """
    from hitp2p.limits import IDENTITY_FILE_BYTES
    from hitp2p.store.keyfile import read_key_file

    path = Path(file).expanduser()
    data = read_key_file(path, max_bytes=IDENTITY_FILE_BYTES)
    if name is None:
        _copy(run, path, data)
        return
    from hitp2p.identity import Identity

    signer = _signer(run, data, key_passphrase_file)
    recovery_path = choose_recovery_path(run, recovery_file, name)
    passphrase = new_passphrase(run, name, without=no_passphrase)
    identity = Identity.create(name, signer=signer, clock=run.clock, randomness=run.randomness)
    save_new_identity(run, identity, recovery_path, passphrase)


def _copy(run: Run, path: Path, data: bytes) -> None:
    """An identity file goes to the key folder unchanged."""
    from hitp2p.identity_file import parse_identity_file
    from hitp2p.store.keyfile import write_key_file

    try:
        file = parse_identity_file(data)
    except InvalidError as error:
        raise with_step(
            KeyFileError(f"{path} is no identity file: {error}"),
            "A key of another program needs a name: hitp2p id import FILE NAME",
        ) from error
    target = run.keys.path_for(file.name, file.cid)
    write_key_file(target, data)
    entry = KeyEntry.read(target)
    run.out.emit(
        identity_record(entry) | {"recovery_file": None},
        [f"{entry.name} {entry.code} is at home here now: {tidy(target)}"],
    )


def _signer(run: Run, data: bytes, passphrase_file: str | None) -> SigningKey:
    from hitp2p.keys.formats import import_private_key

    given = read_passphrase(Path(passphrase_file)) if passphrase_file else None
    try:
        return import_private_key(data, given)
    except PassphraseError:
        if given is not None:
            raise
    return import_private_key(data, ask_passphrase(run, "Passphrase of the key to import"))
