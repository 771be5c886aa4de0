"""What the `id` verbs share: writing an identity and its recovery key, each to its own place."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hitp2p.cli.errors import with_step
from hitp2p.cli.output import fields
from hitp2p.cli.passphrase import ask_passphrase, ask_path, has_terminal
from hitp2p.cli.people import KeyEntry
from hitp2p.cli.places import tidy
from hitp2p.errors import UsageError

if TYPE_CHECKING:
    from hitp2p.cli.run import Run
    from hitp2p.identity import Identity

__all__ = [
    "IDENTITY_FIELDS",
    "NEW_KEY_FIELDS",
    "choose_recovery_path",
    "identity_record",
    "new_passphrase",
    "save_new_identity",
    "tell_new_keys",
    "write_keys",
]

IDENTITY_FIELDS: Final = {
    "cid": "the identity, for ever",
    "name": "what they call themselves",
    "key": "the public key that signs now, as did:key",
    "file": "the key file",
    "has_passphrase": "whether a passphrase seals it",
}
"""JSON of an identity whose key is here."""
NEW_KEY_FIELDS: Final = IDENTITY_FIELDS | {"recovery_file": "where the recovery key was written"}
"""JSON of a verb that makes keys."""


def choose_recovery_path(run: Run, given: str | None, name: str) -> Path:
    """Where the recovery key goes: not beside the keys, and never over a file.

    Raises:
        UsageError: it is such a place, or none was given and there is no terminal.
    """
    missing = with_step(
        UsageError("the recovery key needs a file of its own"),
        "Add --recovery-file FILE, best on another device: it alone can change or revoke your key.",
    )
    if given is None and has_terminal():
        run.out.say(
            f"The recovery key of {name} alone can change or revoke the key later. Keep it apart"
            " from this machine, such as on a memory stick; no copy is kept here."
        )
    path = Path(given).expanduser() if given else ask_path("File for the recovery key", missing)
    if path.is_dir():
        raise with_step(UsageError(f"{path} is a folder"), "Name a new file in it.")
    if path.exists():
        raise with_step(UsageError(f"{path} exists already"), "Name a new file.")
    if path.parent.resolve() == run.keys.folder.resolve():
        raise with_step(
            UsageError("the recovery key must not lie beside the key that it protects"),
            "Name a file elsewhere, best on another device.",
        )
    return path


def new_passphrase(run: Run, name: str, *, without: bool) -> str | None:
    """The passphrase for new key files, asked twice; None for none."""
    if os.environ.get("HITP2P_SEED"):
        run.out.warn("HITP2P_SEED is set: anyone can compute these keys; they are for tests only")
    if without:
        return None
    return ask_passphrase(run, f"New passphrase for {name}", confirm=True)


def identity_record(entry: KeyEntry) -> dict[str, object]:
    """The documented fields of an identity whose key is here."""
    return {
        "cid": str(entry.cid),
        "name": entry.name,
        "key": entry.did,
        "file": os.fspath(entry.path.absolute()),
        "has_passphrase": entry.has_passphrase,
    }


def save_new_identity(
    run: Run, identity: Identity, recovery_path: Path, passphrase: str | None
) -> None:
    """Write the recovery key first, so that no identity is ever without one; then the key; then tell."""
    path = run.keys.path_for(identity.name, identity.cid)
    write_keys(run, identity, path, recovery_path, passphrase)
    tell_new_keys(run, path, recovery_path)


def write_keys(
    run: Run,
    identity: Identity,
    path: Path,
    recovery_path: Path,
    passphrase: str | None,
    *,
    overwrite: bool = False,
) -> None:
    """The two files of an identity whose recovery key is still in memory.

    Args:
        overwrite: the identity's file is replaced; a recovery file never is.
    """
    from hitp2p.identity_file import save_key

    bare = passphrase is None
    recovery = identity.take_recovery_key()
    save_key(
        recovery_path,
        recovery,
        passphrase,
        unprotected=bare,
        randomness=run.randomness,
        warn=run.out.warn,
    )
    identity.save(
        path, passphrase, unprotected=bare, overwrite=overwrite, randomness=run.randomness
    )


def tell_new_keys(
    run: Run,
    path: Path,
    recovery_path: Path,
    *,
    more: Mapping[str, object] | None = None,
    more_lines: Iterable[str] = (),
) -> None:
    """What was written, and where."""
    entry = KeyEntry.read(path)
    sealed = "sealed with your passphrase" if entry.has_passphrase else "no passphrase"
    record = identity_record(entry) | {"recovery_file": os.fspath(recovery_path.absolute())}
    lines = [
        f"{entry.name} {entry.code}",
        *fields(
            [
                ("cid", str(entry.cid)),
                ("key", f"{tidy(path)} ({sealed})"),
                ("recovery", f"{tidy(recovery_path)} ({sealed}); no copy is kept"),
            ],
            indent=2,
        ),
        *more_lines,
    ]
    run.out.emit(record | dict(more or {}), lines)
