"""A workspace and the IPFS daemon behind it: which one it is, how it is, and what it keeps of the workspace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import DecodeError, UsageError
from hitp2p.store.choice import SQLITE, authorization_in, noted_stores
from hitp2p.store.contract import Store
from hitp2p.store.kubo_index import holds
from hitp2p.store.kubo_push import PUSH_PIN
from hitp2p.store.kubo_snapshot import SNAPSHOT_PIN, project_snapshot
from hitp2p.store.project_set import count_held
from hitp2p.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from hitp2p.store.kubo_admin import DaemonState, KuboAdmin

__all__ = [
    "DaemonWarning",
    "IpfsStatus",
    "PinGroup",
    "PinKind",
    "PinnedProject",
    "audit_daemon",
    "find_daemon",
    "list_pins",
    "require_folder",
    "snapshot_pins",
]

PinKind: TypeAlias = Literal["workspace", "snapshot", "push", "other"]
"""What a pin keeps: a workspace on a daemon, a project whole, what was pushed of one, or what somebody named so."""
_NEARLY_FULL: Final = 90
"""Per cent of a repository's limit from which on it counts as nearly full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonWarning:
    """Something about a daemon that its owner should know."""

    code: str
    """A stable word."""
    message: str
    """A sentence or two: what it is, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedProject:
    """A project of the workspace, and its snapshot on the daemon."""

    project: Cid
    current: Cid
    """The snapshot of the project as it is here."""
    pinned: Cid | None
    """The snapshot that is pinned on the daemon under the project's name; None where none is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinGroup:
    """Pins of one name on a daemon."""

    name: str
    kind: PinKind
    is_own: bool
    """Whether they keep this workspace, or a project that is in it."""
    project: Cid | None
    """The project of a snapshot or a push; None for others."""
    cids: tuple[Cid, ...]
    """What is pinned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IpfsStatus:
    """What `hitp2p ipfs status` knows."""

    daemon: DaemonState
    n_objects: int
    """Signed objects here."""
    n_linked: int
    """Texts and media files that these link to."""
    n_files: int
    """How many of these are here."""
    n_holds: int
    """Pins that keep this workspace on the daemon; 0 where its store is elsewhere."""
    n_unpinned: int
    """How many of these the daemon doesn't have any more."""
    projects: tuple[PinnedProject, ...]
    warnings: tuple[DaemonWarning, ...]


def find_daemon(
    folder: Path,
    chosen: str | None = None,
    *,
    moved: str | None = None,
    credentials: Path | None = None,
) -> KuboAdmin:
    """The daemon to speak to: the chosen one, else the one that the workspace is stored on.

    Args:
        folder: `.hitp2p` of the workspace.
        chosen: `kubo:` and an address.
        moved: where the workspace's own daemon answers now, if not where the note says.
        credentials: file with credentials for it; by default those of the workspace's stores, each for its own daemon only.

    Raises:
        UsageError: nothing is chosen and the works are in the folder itself.
        KeyFileError: credentials that can't be read.
    """
    from hitp2p.store.kubo_address import KUBO_SCHEME, parse_kubo_address, read_credentials
    from hitp2p.store.kubo_admin import connect_admin

    stores = noted_stores(folder)
    own = stores.current.store
    if chosen is None and own == SQLITE:
        error = UsageError("the works of this workspace are in its folder, not on a daemon")
        error.add_note(
            "Say which daemon is meant: --daemon kubo:/ip4/127.0.0.1/tcp/5001; to push there, --to instead."
        )
        raise error
    if chosen is None:
        chosen = moved if moved is not None and moved.startswith(KUBO_SCHEME) else own
        places = [stores.current.folder]
    else:
        noted = (stores.current, *stores.copies)
        places = [one.folder for one in noted if one.store == str(parse_kubo_address(chosen))]
    address = parse_kubo_address(chosen)
    if credentials is not None:
        return connect_admin(address, read_credentials(credentials, address))
    found = (authorization_in(folder / place, address) for place in places)
    return connect_admin(address, next(filter(None, found), None))


def require_folder(store: Store) -> SqliteStore:
    """The store, if it is one in a folder or on a daemon.

    Raises:
        UsageError: it is in memory.
    """
    if not isinstance(store, SqliteStore):
        raise UsageError("a workspace in memory can't be put on IPFS; open one in a folder")
    return store


def audit_daemon(store: Store, daemon: KuboAdmin) -> IpfsStatus:
    """How a daemon is, and what it keeps of a workspace. Changes nothing."""
    from hitp2p.store.kubo import KuboStore

    kept = require_folder(store)
    state = daemon.state()
    n_holds, n_unpinned = 0, 0
    if isinstance(kept, KuboStore) and kept.address == daemon.address:
        with kept.reading() as db:
            noted = holds(db).keys()
        pinned = {pin.cid for pin in daemon.iter_pins(kept.pin_name)}
        n_holds, n_unpinned = len(noted), len(noted - pinned)
    linked, here = count_held(kept)
    projects = tuple(_pinned_projects(kept, daemon))
    return IpfsStatus(
        daemon=state,
        n_objects=sum(1 for _ in kept.rows()),
        n_linked=linked,
        n_files=here,
        n_holds=n_holds,
        n_unpinned=n_unpinned,
        projects=projects,
        warnings=tuple(_warnings(state, n_unpinned, _exposed(kept, daemon, projects))),
    )


def list_pins(store: Store, daemon: KuboAdmin) -> tuple[PinGroup, ...]:
    """All pins of hitp2p on a daemon, also of other workspaces, by name."""
    names: dict[str, list[Cid]] = {}
    for pin in daemon.iter_pins(SNAPSHOT_PIN):
        names.setdefault(pin.name, []).append(pin.cid)
    return tuple(_group(store, daemon, name, cids) for name, cids in sorted(names.items()))


def _group(store: Store, daemon: KuboAdmin, name: str, cids: list[Cid]) -> PinGroup:
    from hitp2p.store.kubo import PIN_NAME, KuboStore

    kind: PinKind = "other"
    project: Cid | None = None
    is_own = False
    if name.startswith(PIN_NAME):
        kind = "workspace"
        is_own = (
            isinstance(store, KuboStore)
            and store.pin_name == name
            and store.address == daemon.address
        )
    else:
        start = PUSH_PIN if name.startswith(PUSH_PIN) else SNAPSHOT_PIN
        with suppress(DecodeError):
            project = Cid.parse(name.removeprefix(start))
            kind = "push" if start == PUSH_PIN else "snapshot"
            is_own = store.row(project) is not None
    return PinGroup(name=name, kind=kind, is_own=is_own, project=project, cids=tuple(sorted(cids)))


def snapshot_pins(daemon: KuboAdmin) -> dict[Cid, Cid]:
    """The snapshots that are pinned on a daemon, by project."""
    found: dict[Cid, Cid] = {}
    for pin in daemon.iter_pins(SNAPSHOT_PIN):
        try:
            found[Cid.parse(pin.name.removeprefix(SNAPSHOT_PIN))] = pin.cid
        except DecodeError:  # a hold, or what somebody named so
            continue
    return found


def _pinned_projects(store: SqliteStore, daemon: KuboAdmin) -> Iterator[PinnedProject]:
    pinned = snapshot_pins(daemon)
    for row in store.rows(kind="project"):
        with store.reading() as db:
            current = project_snapshot(db, row.cid).root
        yield PinnedProject(project=row.cid, current=current, pinned=pinned.get(row.cid))


def _exposed(
    store: SqliteStore, daemon: KuboAdmin, projects: Iterable[PinnedProject]
) -> frozenset[Cid]:
    """The unlisted projects of which the daemon has something, as far as we put it there."""
    from hitp2p.store.kubo import KuboStore

    unlisted = store.unlisted()
    if isinstance(store, KuboStore) and store.address == daemon.address:
        return frozenset(cid for cid in unlisted if store.row(cid) is not None)
    return unlisted.intersection(one.project for one in projects if one.pinned is not None)


def _warnings(
    state: DaemonState, n_unpinned: int, exposed: frozenset[Cid]
) -> Iterator[DaemonWarning]:
    providing = state.providing
    if exposed and not providing.is_silent:
        yield DaemonWarning(
            code="unlisted",
            message=f"it has {len(exposed)} of the projects that are unlisted here, and announces what it has: turn "
            "that off, or take the mark away",
        )
    if n_unpinned:
        yield DaemonWarning(
            code="unpinned",
            message=f"{n_unpinned} pins of this workspace are gone from the daemon, and its next garbage collection "
            'takes what they kept: run "hitp2p ipfs repair" now',
        )
    if not providing.is_silent:
        yield DaemonWarning(code="announces", message=_announces(state))
    if providing.is_running and not providing.is_on:
        yield DaemonWarning(
            code="restart",
            message="its config has announcing off, but the daemon has run since before: restart it",
        )
    if not state.is_online:
        yield DaemonWarning(
            code="offline",
            message="it runs without a network, so nobody can fetch anything from it: start it without --offline",
        )
    if state.limit_bytes and state.repo_bytes * 100 >= state.limit_bytes * _NEARLY_FULL:
        share = state.repo_bytes * 100 // state.limit_bytes
        yield DaemonWarning(
            code="nearly-full",
            message=f"its repository is at {share} % of Datastore.StorageMax. A daemon with --enable-gc removes what "
            f"isn't pinned from {state.watermark} % on; what this workspace holds is pinned and stays",
        )


def _announces(state: DaemonState) -> str:
    what = {
        "all": "every block that it has",
        "roots": "every pinned list and snapshot",
        "pinned": "every pinned block",
    }.get(state.providing.strategy, f"blocks by the strategy {state.providing.strategy}")
    when = "tells" if state.is_online else "will tell, once it is online,"
    return (
        f"it {when} the network of {what} (Provide.Strategy {state.providing.strategy}), so whoever asks may fetch it. "
        'For unlisted projects turn that off: "ipfs config --json Provide.Enabled false", then restart the daemon'
    )
