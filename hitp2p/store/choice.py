"""Which store a workspace has: SQLite in its folder, or a Kubo daemon. Noted in the folder when it is chosen.

See `noted` for the note. Credentials for the daemon are in `kubo.auth` in the folder of the store, if it asks for any.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from hitp2p.dataclass import replace
from hitp2p.errors import StoreError, UsageError
from hitp2p.store.faults import store_errors
from hitp2p.store.names import INDEX, NOTE
from hitp2p.store.noted import (
    SQLITE,
    NotedStore,
    NotedStores,
    new_name,
    note_version,
    read_noted,
    write_noted,
)

if TYPE_CHECKING:
    from hitp2p.store.contract import Store
    from hitp2p.store.kubo_address import KuboAddress

__all__ = [
    "CREDENTIALS",
    "SQLITE",
    "authorization_in",
    "holds_database",
    "note_copy",
    "noted_stores",
    "open_current",
    "open_noted",
    "open_store",
    "store_name",
    "switch_store",
    "verify_target",
]

CREDENTIALS: Final = "kubo.auth"
"""Name of the file of credentials: one line, `bearer:TOKEN` or `basic:USER:PASSWORD`, for its owner alone."""
_DATABASE: Final = "store.db"


def noted_stores(folder: Path) -> NotedStores:
    """The stores of the workspace in a folder.

    Raises:
        StoreError: the note can't be read.
    """
    return read_noted(folder) or NotedStores(current=NotedStore())


def store_name(folder: Path) -> str:
    """What `open_store` was told when the store in `folder` was made: `sqlite`, or the address of a daemon.

    Raises:
        StoreError: the note can't be read.
    """
    return noted_stores(folder).current.store


def holds_database(folder: Path, noted: NotedStore) -> bool:
    """Whether a store that is noted has its database where it should be."""
    return (folder / noted.folder / (_DATABASE if noted.store == SQLITE else INDEX)).exists()


def open_store(folder: Path, chosen: str | None = None) -> Store:
    """Open the store in a workspace's folder, made first where there is none.

    Args:
        folder: `.hitp2p` of the workspace.
        chosen: `sqlite`, or the address of a Kubo daemon; None takes what was chosen before, or SQLite. Another
            address than before means that the daemon moved.

    Raises:
        UsageError: it is neither, or the works here are in the other kind of store.
        BackendError: a new store is to be made on a daemon that can't be reached or won't do.
        StoreError: the folder can't be used. Every later write raises it too, once the workspace uses another store.
    """
    current = noted_stores(folder).current
    if chosen is None or chosen == current.store:
        return open_current(folder, current)
    if chosen == SQLITE:
        raise _other_kind(folder, current.store, chosen)
    from hitp2p.store.kubo_address import parse_kubo_address

    address = parse_kubo_address(chosen)
    if current.store != SQLITE:
        return open_current(folder, replace(current, store=str(address)))
    if read_noted(folder) is not None or holds_database(folder, current):
        raise _other_kind(folder, "SQLite", chosen)
    return _make_kubo(folder, address)


def open_current(folder: Path, noted: NotedStore) -> Store:
    """As `open_noted`, for the store that holds the works: it refuses to write once another one holds them."""
    from hitp2p.store.sqlite import SqliteStore

    store = open_noted(folder, noted)
    if isinstance(store, SqliteStore):
        store.require_before_writes(_Place(folder, noted.folder).require)
    return store


class _Place:
    """Where the works of a workspace were when it was opened."""

    def __init__(self, folder: Path, place: str) -> None:
        self._folder = folder
        self._note = str(folder / NOTE)  # once, as it takes longer than looking at the note
        self._place = place
        self._seen: tuple[int, int] | None = (0, 0)
        """The note that was read last: inode and time, so that it is read again only when it changed."""

    def require(self) -> None:
        """See that they are there still.

        Raises:
            StoreError: they moved.
        """
        seen = note_version(self._note)
        if seen == self._seen:
            return
        current = noted_stores(self._folder).current
        if current.folder != self._place:
            error = StoreError(
                f"the works of {self._folder.parent} were moved to {current.store} while this program had the old "
                "store open, so nothing was written"
            )
            error.add_note(
                "Run the command again; a program of your own must open the workspace again."
            )
            raise error
        self._seen = seen


def _other_kind(folder: Path, kind: str, chosen: str) -> UsageError:
    error = UsageError(
        f"the works of {folder.parent} are stored on {kind}, not on {chosen}; leave out --store and HITP2P_STORE, "
        "or move the workspace"
    )
    error.add_note(f'"hitp2p copy --to {chosen} --switch" moves it there.')
    return error


def _make_kubo(folder: Path, address: KuboAddress) -> Store:
    from hitp2p.store.kubo import KuboStore
    from hitp2p.store.kubo_calls import verify_daemon

    authorization = authorization_in(folder, address)
    verify_daemon(address, authorization)  # before anything is noted
    noted = NotedStore(store=str(address), workspace=new_name())
    write_noted(folder, NotedStores(current=noted))
    return KuboStore.connect(
        folder, address, authorization=authorization, workspace=noted.workspace
    )


def open_noted(folder: Path, noted: NotedStore) -> Store:
    """Open one of the stores of a workspace. A lost index is made anew from the pins.

    Args:
        folder: `.hitp2p` of the workspace.
        noted: as the note has it, but its address may be new.

    Raises:
        BackendError: the index is lost, and the daemon fails.
        StoreError: the folder can't be used.
    """
    place = folder / noted.folder
    if noted.store == SQLITE:
        from hitp2p.store.sqlite import SqliteStore

        return SqliteStore.open(place)
    from hitp2p.store.kubo import KuboStore
    from hitp2p.store.kubo_address import parse_kubo_address

    address = parse_kubo_address(noted.store)
    lost = not holds_database(folder, noted)
    store = KuboStore.connect(
        place,
        address,
        authorization=authorization_in(place, address),
        workspace=noted.workspace,
    )
    try:
        if lost:
            store.rebuild_index()
        stores = noted_stores(folder)
        if noted not in (stores.current, *stores.copies):
            write_noted(folder, stores.with_copy(noted))
    except BaseException:
        store.close()
        if lost:  # what is there would pass for an index that is whole
            for path in place.glob(f"{INDEX}*"):
                path.unlink()
        raise
    return store


def note_copy(folder: Path, chosen: str, *, credentials: Path | None = None) -> NotedStore:
    """Note another store of a workspace, beside the one that holds its works; one that is noted already stays as it is.

    Args:
        folder: `.hitp2p` of the workspace.
        chosen: `sqlite`, or the address of a Kubo daemon, as `KuboAddress` writes it.
        credentials: a file with credentials for the daemon, of which a copy is kept; by default the one in `folder`,
            unless it is for another daemon.

    Raises:
        BackendError: the daemon can't be reached or won't do; nothing is noted.
        KeyFileError: the credentials can't be used.
    """
    stores = noted_stores(folder)
    found = stores.find(chosen)
    if found is not None:
        return found
    if chosen == SQLITE:
        noted = NotedStore(folder=stores.free_folder(SQLITE, new_name()))
    else:
        name = new_name()
        noted = NotedStore(store=chosen, workspace=name, folder=f"kubo-{name.hex()[:8]}")
        _prepare_kubo(folder, stores, noted, credentials)
    # Another program may have noted something while the daemon was asked.
    stores = noted_stores(folder)
    found = stores.find(chosen)
    if found is None:
        write_noted(folder, stores.with_copy(noted))
    return found or noted


def _prepare_kubo(
    folder: Path, stores: NotedStores, noted: NotedStore, credentials: Path | None
) -> None:
    """See that a daemon will do, and put its credentials where the store looks for them."""
    from hitp2p.store.kubo_address import parse_kubo_address, read_credentials
    from hitp2p.store.kubo_calls import verify_daemon

    address = parse_kubo_address(noted.store)
    credentials = credentials or _own_credentials(folder, stores)
    verify_daemon(address, None if credentials is None else read_credentials(credentials, address))
    if credentials is not None:
        from hitp2p.store.keyfile import read_key_file, write_key_file

        with store_errors(folder):
            (folder / noted.folder).mkdir(parents=True, exist_ok=True)
        write_key_file(folder / noted.folder / CREDENTIALS, read_key_file(credentials))


def _own_credentials(folder: Path, stores: NotedStores) -> Path | None:
    """The file of credentials in a workspace's folder, if it isn't for a daemon that is noted already."""
    path = folder / CREDENTIALS
    only_daemon = all(one.store == SQLITE for one in (stores.current, *stores.copies))
    return path if only_daemon and path.exists() else None


def verify_target(
    folder: Path, chosen: str, *, is_unlisted: bool, credentials: Path | None = None
) -> None:
    """See that works could be copied to a daemon; nothing is noted or sent.

    Args:
        folder: `.hitp2p` of the workspace.
        chosen: the address of the daemon, as `KuboAddress` writes it.
        is_unlisted: whether something of an unlisted project is among them.
        credentials: as for `note_copy`.

    Raises:
        BackendError: the daemon can't be reached or won't do.
        UnlistedError: it would announce what is unlisted.
        KeyFileError: the credentials can't be used.
    """
    from hitp2p.store.kubo_address import parse_kubo_address, read_credentials
    from hitp2p.store.kubo_admin import connect_admin

    address, stores = parse_kubo_address(chosen), noted_stores(folder)
    found = stores.find(chosen)
    if found is not None:
        authorization = authorization_in(folder / found.folder, address)
    else:
        path = credentials or _own_credentials(folder, stores)
        authorization = None if path is None else read_credentials(path, address)
    with connect_admin(address, authorization) as kubo:
        kubo.verify_version()
        if is_unlisted:
            kubo.require_silent()


def switch_store(folder: Path, noted: NotedStore) -> None:
    """Let a store that is noted hold the works of the workspace from now on.

    Raises:
        StoreError: it can't be noted; all is as before.
    """
    write_noted(folder, noted_stores(folder).switched(noted))


def authorization_in(place: Path, address: KuboAddress) -> str | None:
    """The value of the header `Authorization` for a daemon, from the file beside its store's index; None without one.

    Raises:
        KeyFileError: the file can't be used.
    """
    from hitp2p.store.kubo_address import read_credentials

    path = place / CREDENTIALS
    return read_credentials(path, address) if path.exists() else None
