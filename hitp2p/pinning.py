"""A project kept by a pinning service: its snapshot, asked for under the project's name, in place of the one before."""

from __future__ import annotations

from time import monotonic, sleep
from typing import TYPE_CHECKING, Final

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import BackendError, UnlistedError
from hitp2p.store.contract import Store
from hitp2p.store.kubo_snapshot import SNAPSHOT_PIN, not_pinned, pinned_snapshots

if TYPE_CHECKING:
    from hitp2p.store.kubo_remote import KuboRemote, RemotePin, RemoteStatus

__all__ = ["KeptProject", "keep_remotely", "kept_remotely"]

_BEST_FIRST: Final[tuple[RemoteStatus, ...]] = ("pinned", "pinning", "queued", "failed")
"""Which of several answers about one snapshot counts."""
_POLL_S: Final = 0.5
"""How long to wait between two questions whether a service is done, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptProject:
    """What a pinning service says of a project."""

    project: Cid
    snapshot: Cid | None
    """The snapshot that the daemon pins, which the service is to keep; None where it pins none."""
    status: RemoteStatus | None
    """Of that snapshot at the service; None where it wasn't asked."""
    older: tuple[RemotePin, ...]
    """Other snapshots of the project at the service."""


def kept_remotely(remote: KuboRemote, service: str, project: Cid) -> KeptProject:
    """Ask a service what it keeps of a project.

    Raises:
        NotFoundError: the daemon knows no such service.
        BackendError: the service can't be reached.
    """
    name = f"{SNAPSHOT_PIN}{project}"
    snapshot = next(iter(pinned_snapshots(remote, project)), None)
    pins = list(remote.iter_remote(service, name=name))
    own = [pin.status for pin in pins if pin.cid == snapshot]
    return KeptProject(
        project=project,
        snapshot=snapshot,
        status=next((status for status in _BEST_FIRST if status in own), None),
        older=tuple(pin for pin in pins if pin.cid != snapshot),
    )


def keep_remotely(
    store: Store,
    remote: KuboRemote,
    service: str,
    project: Cid,
    *,
    wait_s: float = 0.0,
) -> KeptProject:
    """Ask a service to pin the snapshot of a project that the daemon pins; older ones go once it has it.

    Args:
        store: says whether the project is unlisted.
        remote: the daemon, which must be on the network for the service to fetch from it.
        service: its name.
        project: its CID.
        wait_s: how long to wait until the service has it, in seconds.

    Raises:
        UnlistedError: the project is unlisted; a service announces what it has.
        UsageError: the daemon pins no snapshot of the project.
        NotFoundError: the daemon knows no such service.
        BackendError: the daemon is offline, or the service fails.
    """
    if project in store.unlisted():
        raise UnlistedError(
            f"the project {project} is unlisted here, and a pinning service tells the network what it has; "
            "nothing was asked of it"
        )
    kept = kept_remotely(remote, service, project)
    if kept.snapshot is None:
        raise not_pinned(remote, project)
    if not remote.is_online():
        raise BackendError(
            f'{remote.address} runs without a network, so the service could fetch nothing from it: start it ("ipfs '
            'daemon") without --offline'
        )
    if kept.status in (None, "failed"):
        kept = _ask(remote, service, kept)
    end = monotonic() + wait_s
    while kept.status in ("queued", "pinning") and monotonic() < end:
        sleep(min(_POLL_S, max(end - monotonic(), 0)))
        kept = kept_remotely(remote, service, project)
    return _tidied(remote, service, kept) if kept.status == "pinned" else kept


def _ask(remote: KuboRemote, service: str, kept: KeptProject) -> KeptProject:
    """Ask anew, where nothing or a failure is on record. Kubo takes back all requests that look alike, so failures go first."""
    assert kept.snapshot is not None
    name = f"{SNAPSHOT_PIN}{kept.project}"
    failed = [pin for pin in remote.iter_remote(service, name=name) if pin.status == "failed"]
    for pin in set(failed):
        remote.unpin_remotely(service, pin)
    remote.pin_remotely(service, kept.snapshot, name)
    return kept_remotely(remote, service, kept.project)


def _tidied(remote: KuboRemote, service: str, kept: KeptProject) -> KeptProject:
    """Let go of older snapshots, now that the service has this one."""
    for pin in kept.older:
        remote.unpin_remotely(service, pin)
    return kept_remotely(remote, service, kept.project)
