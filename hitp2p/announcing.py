"""Telling the network that a daemon has a project, or a single block: only when asked to, and never of what is unlisted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import UnlistedError, UsageError
from hitp2p.store.kubo_push import snapshot_on
from hitp2p.trail.display import short_name

if TYPE_CHECKING:
    from hitp2p.reader import Reader
    from hitp2p.store.kubo_admin import KuboAdmin

__all__ = ["Announced", "announce_block", "announce_project"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What the network was told."""

    cid: Cid
    """The project or block that was named."""
    snapshot: Cid | None
    """The pinned snapshot of the project; None where there is none, or a block was named."""
    n_announced: int
    """Blocks of which the network is told."""


def announce_project(
    reader: Reader,
    daemon: KuboAdmin,
    project: Cid,
    *,
    deep: bool = False,
    told: Callable[[int], None] | None = None,
) -> Announced:
    """Announce a project's snapshot, the project, and its works that nobody has built on yet.

    Args:
        reader: a workspace that has the project.
        daemon: which pins its snapshot.
        project: its CID.
        deep: announce every block that the snapshot reaches.
        told: called with how many are announced by now.

    Raises:
        UnlistedError: the project is unlisted here.
        UsageError: the daemon pins no snapshot of it.
        BackendError: the daemon is offline, or fails.
    """
    if project in reader.store.unlisted():
        raise _unlisted(f"the project {project}")
    snapshot, named = snapshot_on(daemon, project)
    if snapshot is None:
        error = UsageError(f"{daemon.address} pins no whole snapshot of the project {project}")
        error.add_note(
            f"Bring it there first, with all its media: hitp2p ipfs push {short_name(project)}"
        )
        raise error
    known = [cid for cid in (project, *reader.store.heads(project)) if cid in named]
    cids = [snapshot] if deep else [snapshot, *dict.fromkeys(known)]
    n_announced = _announce(daemon, cids, deep, told)
    return Announced(cid=project, snapshot=snapshot, n_announced=n_announced)


def announce_block(
    reader: Reader,
    daemon: KuboAdmin,
    cid: Cid,
    *,
    deep: bool = False,
    told: Callable[[int], None] | None = None,
) -> Announced:
    """Announce one block that the daemon has, or with `deep` all that it reaches.

    Raises:
        UnlistedError: it belongs to a project that is unlisted here, or nothing says to which one it belongs.
        UsageError: the daemon doesn't have it.
        BackendError: the daemon is offline, or fails.
    """
    unlisted = reader.store.unlisted()
    if unlisted:
        projects = _projects_of(reader, cid)
        if not projects or projects & unlisted:
            raise _unlisted(str(cid))
    if daemon.get(cid) is None:
        error = UsageError(f"{daemon.address} doesn't have {cid}, so it can't announce it")
        error.add_note("Bring its project there first: hitp2p ipfs push PROJECT")
        raise error
    return Announced(cid=cid, snapshot=None, n_announced=_announce(daemon, [cid], deep, told))


def _announce(
    daemon: KuboAdmin, cids: list[Cid], deep: bool, told: Callable[[int], None] | None
) -> int:
    n_announced = 0
    for _ in daemon.announce(cids, recursive=deep):
        n_announced += 1
        if told is not None:
            told(n_announced)
    return n_announced


def _projects_of(reader: Reader, cid: Cid) -> set[Cid]:
    """The projects whose objects are under a CID or link to it; none where that can't be told."""
    found: set[Cid] = set()
    for one in (cid, *reader.store.linkers(cid)):
        row = reader.store.row(one)
        if row is not None:
            found.add(row.project or row.cid)
    return found


def _unlisted(what: str) -> UnlistedError:
    error = UnlistedError(
        f"{what} is unlisted here, or may be of a project that is; nothing was announced"
    )
    error.add_note("hitp2p project mark PROJECT --listed takes the mark away.")
    return error
