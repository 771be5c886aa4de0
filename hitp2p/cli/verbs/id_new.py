"""`hitp2p id new`."""

from __future__ import annotations

import click

from hitp2p.cli.app import verb
from hitp2p.cli.keyfiles import (
    NEW_KEY_FIELDS,
    choose_recovery_path,
    new_passphrase,
    save_new_identity,
)
from hitp2p.cli.making import passphrase_options
from hitp2p.cli.run import Run


@verb(
    examples=[
        (
            "hitp2p id new Ana --recovery-file /media/usb/ana-recovery.key",
            "The key goes to the key folder, the recovery key to a memory stick.",
        ),
        (
            "hitp2p id new bot --no-passphrase --recovery-file /mnt/safe/bot.key",
            "Without a passphrase: whoever can read the key file can sign as bot.",
        ),
    ],
    json_fields=NEW_KEY_FIELDS,
)
@click.argument("name")
@click.option(
    "--recovery-file",
    metavar="FILE",
    help="Where the recovery key goes: a new file, best on another device. Asked for if not given.",
)
@click.option(
    "--no-passphrase",
    is_flag=True,
    help="Leave both keys unsealed; the files alone then suffice to sign.",
)
@passphrase_options
def command(run: Run, name: str, recovery_file: str | None, no_passphrase: bool) -> None:
    """Make an identity: who you are in every trail, on every machine.

    NAME is what you call yourself; others see it beside a short code, since names can be copied.
    The signing key goes to the key folder. The recovery key goes to a second file, and no copy is
    kept: it alone can change or revoke the key later, so a thief of this machine can't. Both are
    sealed with your passphrase; nobody can give it back to you.
    """
    from hitp2p.identity import Identity

    recovery_path = choose_recovery_path(run, recovery_file, name)
    passphrase = new_passphrase(run, name, without=no_passphrase)
    identity = Identity.create(name, clock=run.clock, randomness=run.randomness)
    save_new_identity(run, identity, recovery_path, passphrase)
