"""Which store a workspace has: SQLite in its folder, or a Kubo daemon. Noted in the folder when it is chosen.

`store.json` holds `{"store": "kubo:/ip4/...", "workspace": "<32 hexadecimal digits>"}`; without it, the store is SQLite.
The name of the workspace is what its pins are found by, should the index be lost. Credentials for the daemon are
in `kubo.auth` beside it, if it asks for any.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hitp2p.errors import StoreError, UsageError
from hitp2p.store.faults import store_errors
from hitp2p.store.names import INDEX, NOTE

if TYPE_CHECKING:
    from hitp2p.store.contract import Store
    from hitp2p.store.kubo_address import KuboAddress

__all__ = ["CREDENTIALS", "SQLITE", "open_store", "store_name"]

SQLITE: Final = "sqlite"
"""The name of the store that needs nothing but the folder."""
CREDENTIALS: Final = "kubo.auth"
"""Name of the file of credentials: one line, `bearer:TOKEN` or `basic:USER:PASSWORD`, for its owner alone."""
_DATABASE: Final = "store.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    """What was chosen."""

    store: str
    """Address of the daemon."""
    workspace: bytes
    """Name of the workspace there."""


def store_name(folder: Path) -> str:
    """What `open_store` was told when the store in `folder` was made: `sqlite`, or the address of a daemon.

    Raises:
        StoreError: the note can't be read.
    """
    note = _read_note(folder)
    return SQLITE if note is None else note.store


def open_store(folder: Path, chosen: str | None = None) -> Store:
    """Open the store in a workspace's folder, made first where there is none.

    Args:
        folder: `.hitp2p` of the workspace.
        chosen: `sqlite`, or the address of a Kubo daemon; None takes what was chosen before, or SQLite. Another
            address than before means that the daemon moved.

    Raises:
        UsageError: it is neither, or the works here are in the other kind of store.
        BackendError: a new store is to be made on a daemon that can't be reached or won't do.
        StoreError: the folder can't be used.
    """
    note = _read_note(folder)
    if chosen is None:
        chosen = SQLITE if note is None else note.store
    if chosen == SQLITE:
        if note is not None:
            raise UsageError(_other_kind(folder, note.store))
        from hitp2p.store.sqlite import SqliteStore

        return SqliteStore.open(folder)
    if note is None and (folder / _DATABASE).exists():
        raise UsageError(_other_kind(folder, "SQLite"))
    return _open_kubo(folder, chosen, note)


def _other_kind(folder: Path, kind: str) -> str:
    return (
        f"the works of {folder.parent} are stored on {kind}; leave out --store and HITP2P_STORE, or make "
        "another workspace and carry works over with export and import"
    )


def _open_kubo(folder: Path, chosen: str, note: _Note | None) -> Store:
    from hitp2p.store.kubo import KuboStore
    from hitp2p.store.kubo_address import parse_kubo_address
    from hitp2p.store.kubo_calls import verify_daemon

    address = parse_kubo_address(chosen)
    authorization = _authorization(folder, address)
    if note is None:
        verify_daemon(address, authorization)  # before anything is noted
        note = _Note(store=str(address), workspace=os.urandom(16))
        _write_note(folder, note)
        return KuboStore.connect(
            folder, address, authorization=authorization, workspace=note.workspace
        )
    lost = not (folder / INDEX).exists()
    store = KuboStore.connect(
        folder, address, authorization=authorization, workspace=note.workspace
    )
    try:
        if lost:
            store.rebuild_index()
        if str(address) != note.store:
            _write_note(folder, _Note(store=str(address), workspace=note.workspace))
    except BaseException:
        store.close()
        if lost:  # what is there would pass for an index that is whole
            for path in folder.glob(f"{INDEX}*"):
                path.unlink()
        raise
    return store


def _authorization(folder: Path, address: KuboAddress) -> str | None:
    from hitp2p.store.kubo_address import read_credentials

    path = folder / CREDENTIALS
    return read_credentials(path, address) if path.exists() else None


def _read_note(folder: Path) -> _Note | None:
    path = folder / NOTE
    with store_errors(path):
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
    try:
        fields = json.loads(text)
        note = _Note(store=fields["store"], workspace=bytes.fromhex(fields["workspace"]))
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path}: damaged; it should say where the store is. Write it anew: the name of the workspace is in "
            'the names of its pins ("ipfs pin ls --names")'
        ) from error
    return note


def _write_note(folder: Path, note: _Note) -> None:
    path = folder / NOTE
    new = path.with_name(f".{NOTE}.{os.urandom(4).hex()}")
    with store_errors(path):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with new.open("x", encoding="utf-8") as file:
                json.dump({"store": note.store, "workspace": note.workspace.hex()}, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, path)
        finally:
            new.unlink(missing_ok=True)
