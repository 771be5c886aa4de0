"""Making the index of a workspace anew: from the blocks that lie here, or from nothing but its pins on a Kubo daemon."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass, replace
from hitp2p.errors import NotFoundError, StoreError, UsageError
from hitp2p.store.choice import (
    authorization_in,
    holds_database,
    noted_stores,
    open_noted,
    open_store,
)
from hitp2p.store.contract import LeafPlace, Progress, WriteBatch
from hitp2p.store.faults import store_errors
from hitp2p.store.names import INDEX
from hitp2p.store.noted import SQLITE, NotedStore, NotedStores, write_noted

if TYPE_CHECKING:
    from hitp2p.store.kubo_address import KuboAddress

__all__ = ["RebuildReport", "rebuild_index"]

_HIDDEN: Final = ".hitp2p"
_UNFINISHED: Final = ".index-"
"""What the name of a folder begins with in which an index is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildReport:
    """What an index was made from."""

    store: str
    """Where the blocks are: `sqlite`, or the address of a daemon."""
    from_pins: bool
    """Whether it was made from pins alone."""
    n_objects: int
    """Signed objects in it."""
    left_out: tuple[Cid, ...]
    """Objects that had to be left out, because they or something that they require are damaged or invalid."""
    n_references: int = 0
    """Places of media in files elsewhere that were taken over from the old index; pins don't know them."""


def rebuild_index(
    workspace: str | os.PathLike[str],
    *,
    from_pins: bool = False,
    store: str | None = None,
    pinned_as: str | None = None,
    progress: Progress | None = None,
) -> RebuildReport:
    """Throw the index of a workspace away and make it anew.

    Args:
        workspace: its folder.
        from_pins: believe nothing that lies here, and take all from the pins on the daemon. Every signature and rule is
            checked again. An index that is lost is always made so. Close other programs first.
        store: the address of a daemon that moved; or, where nothing here says which daemon it was, of that one.
        pinned_as: where a daemon holds several workspaces and nothing here says which is meant, the name of one: 32
            hexadecimal digits.
        progress: told how far it is.

    Raises:
        UsageError: there is no daemon to take it from, or it holds several workspaces.
        NotFoundError: nothing is pinned there.
        BackendError: the daemon fails; the old index is as it was.
        StoreError: another program is writing.
    """
    folder = Path(workspace) / _HIDDEN
    noted = noted_stores(folder).current
    if noted.store == SQLITE and not from_pins:
        return _from_blocks(folder, store, progress)
    if noted.store == SQLITE:
        noted = _found(folder, store, pinned_as)
    elif store is not None:
        noted = replace(noted, store=str(_address(store)))
    if not from_pins and holds_database(folder, noted):
        return _from_blocks(folder, store, progress)
    return _from_pins(folder, noted, progress)


def _from_blocks(folder: Path, store: str | None, progress: Progress | None) -> RebuildReport:
    opened = open_store(folder, store)
    try:
        left_out = opened.rebuild_index(progress=progress)
        return RebuildReport(
            store=noted_stores(folder).current.store,
            from_pins=False,
            n_objects=sum(1 for _ in opened.rows()),
            left_out=left_out,
        )
    finally:
        opened.close()


def _address(store: str) -> KuboAddress:
    from hitp2p.store.kubo_address import parse_kubo_address

    return parse_kubo_address(store)


def _found(folder: Path, store: str | None, pinned_as: str | None) -> NotedStore:
    """The workspace on a daemon, where nothing here says which one it is."""
    if store is None or store == SQLITE:
        error = UsageError(
            f"the works of {folder.parent} are not on a daemon, so no pins keep them"
        )
        error.add_note("Without --from, the index is made from the blocks that lie here.")
        raise error
    if holds_database(folder, NotedStore()):
        raise UsageError(
            f"the works of {folder.parent} are stored on SQLite; make the index of {store} in another folder"
        )
    address = _address(store)
    names = _pinned(folder, address)
    if pinned_as is not None:
        names &= {pinned_as}
    if not names:
        raise NotFoundError(f"{address} pins no workspace of that name, or none at all")
    if len(names) > 1:
        error = UsageError(f"{address} holds {len(names)} workspaces: {', '.join(sorted(names))}")
        error.add_note("Say which with --pinned-as NAME.")
        raise error
    return NotedStore(store=str(address), workspace=bytes.fromhex(names.pop()))


def _pinned(folder: Path, address: KuboAddress) -> set[str]:
    """The names of the workspaces that a daemon holds."""
    from hitp2p.store.kubo import PIN_NAME
    from hitp2p.store.kubo_calls import Kubo
    from hitp2p.store.kubo_rpc import KuboRpc

    rpc = KuboRpc(address, authorization=authorization_in(folder, address))
    with Kubo(rpc, address) as kubo:
        names = {pin.name.removeprefix(PIN_NAME) for pin in kubo.iter_pins(PIN_NAME)}
    return {name for name in names if len(name) == 32 and not set(name) - set("0123456789abcdef")}


def _from_pins(folder: Path, noted: NotedStore, progress: Progress | None) -> RebuildReport:
    from hitp2p.store.kubo_locks import alone_with

    place = folder / noted.folder
    with store_errors(place):
        place.mkdir(parents=True, exist_ok=True)
        for left in place.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(left)
        new = place / f"{_UNFINISHED}{os.urandom(4).hex()}"
    with alone_with(place):
        try:
            report = _make(folder, noted, new, progress)
            _put_in_place(new, place)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    stores = noted_stores(folder)
    if noted.store != stores.current.store:
        found = stores.current.store == SQLITE
        write_noted(folder, NotedStores(current=noted) if found else stores.with_copy(noted))
    return report


def _make(folder: Path, noted: NotedStore, new: Path, progress: Progress | None) -> RebuildReport:
    from hitp2p.store.kubo import KuboStore

    address = _address(noted.store)
    secret = authorization_in(folder / noted.folder, address)
    with KuboStore.connect(new, address, authorization=secret, workspace=noted.workspace) as store:
        left_out = store.rebuild_index(progress=progress)
        references = _references(folder, noted)
        store.put(WriteBatch(leaves=references))
        return RebuildReport(
            store=noted.store,
            from_pins=True,
            n_objects=sum(1 for _ in store.rows()),
            left_out=left_out,
            n_references=len(references),
        )


def _references(folder: Path, noted: NotedStore) -> tuple[LeafPlace, ...]:
    """Where files lie that were referenced in place, as the old index knows it, if it can be read."""
    if not holds_database(folder, noted):
        return ()
    with suppress(StoreError, UsageError):
        old = open_noted(folder, noted)
        try:
            return tuple(place for place in old.places() if os.path.isabs(place.path))
        finally:
            old.close()
    return ()


def _put_in_place(new: Path, place: Path) -> None:
    """The log of the old index goes first: SQLite would take it for that of the new one."""
    with store_errors(place):
        for name in (f"{INDEX}-wal", f"{INDEX}-shm"):
            (place / name).unlink(missing_ok=True)
        os.replace(new / INDEX, place / INDEX)
