"""Copying a workspace's store to another place, and letting the workspace use it there.

    hitp2p.copy_store("night-bus", "kubo:/ip4/127.0.0.1/tcp/5001", workspace="night-bus", switch=True)

A store is named by the folder of its workspace, by `sqlite:FOLDER`, or, within a workspace, by `sqlite` and by the address
of a Kubo daemon, whose index lies in that workspace.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeAlias

from hitp2p.dataclass import dataclass, replace
from hitp2p.errors import NotFoundError, StoreError, UsageError
from hitp2p.store.carrying import CopyReport, Move, carry
from hitp2p.store.choice import (
    holds_database,
    note_copy,
    noted_stores,
    open_current,
    open_noted,
    open_store,
    switch_store,
    verify_target,
)
from hitp2p.store.contract import Store
from hitp2p.store.kubo_address import KUBO_SCHEME, parse_kubo_address
from hitp2p.store.noted import SQLITE, NotedStore

__all__ = ["StoreLike", "copy_store"]

StoreLike: TypeAlias = "Store | str | os.PathLike[str]"
"""An open store, or the name of one."""
_HIDDEN: Final = ".hitp2p"
_DATABASE: Final = "store.db"
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:/")
_FORMS: Final = (
    "a store is a workspace's folder, sqlite:FOLDER, or in a workspace sqlite or kubo:ADDRESS"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spot:
    """Where a store is, or shall be."""

    name: str
    """As it was given."""
    folder: Path
    """`.hitp2p` of the workspace, or a folder with a database and nothing else of a workspace."""
    store: str | None
    """Which of its stores; None is the one that holds its works."""

    def noted(self) -> NotedStore | None:
        """As the workspace has it noted; None where it isn't."""
        stores = noted_stores(self.folder)
        return stores.current if self.store is None else stores.find(self.store)

    def is_same(self, other: _Spot) -> bool:
        """Whether both are one store. (Two workspaces on one daemon are two.)"""
        mine, theirs = self.noted(), other.noted()
        return (
            mine is not None
            and theirs is not None
            and self.folder.resolve() == other.folder.resolve()
            and mine.folder == theirs.folder
        )


def copy_store(
    source: StoreLike,
    target: StoreLike,
    *,
    workspace: str | os.PathLike[str] | None = None,
    switch: bool = False,
    dry_run: bool = False,
    credentials: str | os.PathLike[str] | None = None,
    progress: Move | None = None,
) -> CopyReport:
    """Copy all that a store keeps into another one, checked on the way; then look the target over.

    Nothing in the source is changed or removed. What the target has already isn't sent again: after an interruption, the
    same call goes on where it was, and a target with other works has both afterwards.

    Args:
        source: a workspace's folder, `sqlite:FOLDER`, within `workspace` also `sqlite` or `kubo:ADDRESS`; or an open
            store, which stays open.
        target: likewise. A folder that is no workspace yet becomes one by `sqlite:FOLDER`.
        workspace: folder of the workspace in which `sqlite` and addresses are looked up.
        switch: let `workspace` use the target from then on, if all went well. The source must be what it uses now, and
            other programs that have it open go on reading the old store; what they write is refused.
        dry_run: read and check everything, see that a daemon answers and may have it, write nothing.
        credentials: a file for a daemon that is new here, as `.hitp2p/kubo.auth`.
        progress: told blocks done and blocks in all.

    Returns:
        What was copied and what could not be; `is_sound` says whether the target has everything, and is in order.

    Raises:
        UsageError: they are no stores, or one and the same; or what `switch` asks can't be done.
        NotFoundError: there is no such store.
        UnlistedError: some of it belongs to an unlisted project, and the target would announce it.
        StoreError: a store failed. The source is as it was, and another call goes on where this one ended.
    """
    home = None if workspace is None else Path(workspace)
    secret = None if credentials is None else Path(credentials)
    start = _parse_store(source, home) if isinstance(source, str | os.PathLike) else source
    end = _parse_store(target, home) if isinstance(target, str | os.PathLike) else target
    if isinstance(start, _Spot) and isinstance(end, _Spot):
        _refuse_pair(start, end, switch)
    elif switch:
        raise UsageError("to switch, name both stores instead of opening them")
    elif start is end:
        raise UsageError("source and target are the same store; name another target")
    with (
        _source(start) as opened,
        _target(end, dry_run, secret) as other,
    ):
        if dry_run and isinstance(end, _Spot):
            _verify_target(opened, end, secret)
        report = carry(
            opened, other, dry_run=dry_run, as_files=_keeps_files(other), progress=progress
        )
        if other is None or dry_run:
            return report
        report = replace(report, findings=_look_over(other))
        if switch and report.is_sound and isinstance(end, _Spot):
            report = _switch(opened, other, end, report)
        return report


# --- names ------------------------------------------------------------------------------------------


def _parse_store(given: str | os.PathLike[str], home: Path | None) -> _Spot:
    name = os.fspath(given)
    if name == SQLITE or (isinstance(given, str) and name.startswith(KUBO_SCHEME)):
        store = name if name == SQLITE else str(parse_kubo_address(name))
        if home is None:
            raise UsageError(f"{name}: say in which workspace; {_FORMS}")
        return _Spot(name=name, folder=home / _HIDDEN, store=store)
    if isinstance(given, str) and name.startswith(f"{SQLITE}:"):
        folder = Path(name.removeprefix(f"{SQLITE}:"))
        is_bare = (folder / _DATABASE).exists()
        return _Spot(name=name, folder=folder if is_bare else folder / _HIDDEN, store=SQLITE)
    if _SCHEME.match(name) and not Path(name).exists():
        raise UsageError(f"{name} is no store; {_FORMS}")
    if not (Path(name) / _HIDDEN).is_dir():
        error = NotFoundError(f"{name} is no workspace")
        error.add_note(f'"hitp2p init {name}" makes one, and so does sqlite:{name} as the target.')
        raise error
    return _Spot(name=name, folder=Path(name) / _HIDDEN, store=None)


def _refuse_pair(source: _Spot, target: _Spot, switch: bool) -> None:
    if source.is_same(target):
        raise UsageError(
            f"the workspace uses {target.name} already"
            if switch
            else "source and target are the same store; name another target"
        )
    if not switch:
        return
    if target.store is None or source.folder.resolve() != target.folder.resolve():
        raise UsageError(
            f"{target.name} is not in the workspace that is copied, so it can't switch to it; leave out --switch"
        )
    if source.noted() != noted_stores(source.folder).current:
        raise UsageError(
            f"{source.name} is not what the workspace uses now, so switching would leave newer works behind; "
            "copy from the workspace itself"
        )


# --- opening ----------------------------------------------------------------------------------------


@contextmanager
def _source(where: Store | _Spot) -> Generator[Store]:
    if not isinstance(where, _Spot):
        yield where
        return
    noted = where.noted() if where.folder.is_dir() else None
    if noted is None and where.store != SQLITE and where.folder.is_dir():
        current = noted_stores(where.folder).current
        if current.store != SQLITE:  # its daemon moved
            noted = replace(current, store=where.store or current.store)
    if noted is None or (noted.store == SQLITE and not holds_database(where.folder, noted)):
        raise NotFoundError(
            f"{where.name}: no such store is noted in {where.folder.parent}, so there is nothing to copy"
        )
    is_current = noted.folder == noted_stores(where.folder).current.folder
    store = (open_current if is_current else open_noted)(where.folder, noted)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _target(
    where: Store | _Spot, dry_run: bool, credentials: Path | None
) -> Generator[Store | None]:
    if not isinstance(where, _Spot):
        yield where
        return
    if dry_run and not _is_made(where):
        yield None
        return
    if where.store is None:
        store = open_store(where.folder)
    else:
        noted = note_copy(where.folder, where.store, credentials=credentials)
        store = open_noted(where.folder, noted)
    try:
        yield store
    finally:
        store.close()


def _verify_target(source: Store, where: _Spot, credentials: Path | None) -> None:
    """What else could hinder a copy to a daemon; for one that writes, the writes say it."""
    store = where.store or noted_stores(where.folder).current.store
    if store != SQLITE:
        is_unlisted = any(source.row(project) is not None for project in source.unlisted())
        verify_target(where.folder, store, is_unlisted=is_unlisted, credentials=credentials)


def _is_made(where: _Spot) -> bool:
    noted = where.noted()
    return noted is not None and holds_database(where.folder, noted)


# --- afterwards -------------------------------------------------------------------------------------


def _keeps_files(store: Store | None) -> bool:
    """Whether large media lie in the store's folder; else they would only pass through it."""
    from hitp2p.store.kubo import KuboStore

    return not isinstance(store, KuboStore)


def _look_over(store: Store) -> tuple[str, ...]:
    """What is wrong with a store, by its index; pins that an interrupted copy left go first."""
    from hitp2p.store.kubo import KuboStore

    if isinstance(store, KuboStore):
        with suppress(StoreError):  # what is wrong is found below
            store.repair()
    return store.audit_index()


def _switch(source: Store, target: Store, where: _Spot, first: CopyReport) -> CopyReport:
    """Bring what came meanwhile, with writers kept out, and note the new store."""
    with source.exclusive():
        rest = carry(source, target, as_files=_keeps_files(target))
        noted = where.noted()
        if rest.is_sound and noted is not None:
            switch_store(where.folder, noted)
    return replace(
        first,
        n_objects=first.n_objects + rest.n_objects,
        n_blocks=first.n_blocks + rest.n_blocks,
        n_bytes=first.n_bytes + rest.n_bytes,
        n_references=first.n_references + rest.n_references,
        faults=rest.faults,
        switched=rest.is_sound,
    )
