"""`hitp2p ipfs status`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hitp2p.cli.app import verb
from hitp2p.cli.daemons import daemon_options, open_daemon
from hitp2p.cli.names import Names
from hitp2p.cli.output import fields, n_of, size
from hitp2p.cli.run import Run
from hitp2p.trail.display import code_of

if TYPE_CHECKING:
    from hitp2p.ipfs_care import IpfsStatus, PinnedProject

_PRIVATE = {True: "yes", False: "no", None: "not seen from here"}


@verb(
    examples=[
        ("hitp2p ipfs status", "The daemon that the works are stored on."),
        (
            "hitp2p ipfs status --daemon kubo:/ip4/127.0.0.1/tcp/5001",
            "Another one, before pushing a project to it.",
        ),
    ],
    json_fields={
        "daemon": "its address",
        "version": "of Kubo",
        "is_online": "whether it talks to other daemons",
        "n_peers": "daemons it is connected to",
        "announces": "whether strangers can learn from the network what it has",
        "provide_enabled": "what its config says of announcing",
        "provide_strategy": "which blocks it announces: all, pinned, roots and others",
        "provide_running": "whether announcing runs since its start; null where it can't be seen",
        "private_swarm": "whether a swarm key is in force; null where it can't be seen, as on another machine",
        "repo_bytes": "what its repository takes",
        "repo_limit_bytes": "what it may take if it collects garbage",
        "n_objects": "signed objects in this workspace",
        "n_linked": "texts and media files that these link to",
        "n_files": "how many of these are here",
        "n_holds": "pins that keep this workspace on the daemon; 0 where its store is elsewhere",
        "n_unpinned": "how many of these the daemon doesn't have any more",
        "projects[].cid": "a project",
        "projects[].title": "its title",
        "projects[].snapshot": "the snapshot of it as it is here",
        "projects[].pinned": "the snapshot that the daemon pins under its name, or null",
        "warnings[].code": "stable word: unlisted, unpinned, announces, restart, offline, nearly-full",
        "warnings[].message": "what it is, and what to do",
    },
)
@daemon_options()
def command(run: Run, daemon: str | None, credentials: str | None) -> None:
    """Show how the daemon is, whom it tells what it has, and what it keeps of this workspace.

    Nothing is changed. Whether every block is still there, "hitp2p ipfs repair" finds out.
    """
    from hitp2p.ipfs_care import audit_daemon

    with open_daemon(run, daemon, credentials) as kubo:
        address = str(kubo.address)
        status = audit_daemon(run.workspace.store, kubo)
    names = Names(run.workspace)
    run.out.emit(_record(address, status, names), _lines(address, status, names))


def _record(address: str, status: IpfsStatus, names: Names) -> dict[str, object]:
    state, providing = status.daemon, status.daemon.providing
    return {
        "daemon": address,
        "version": state.version,
        "is_online": state.is_online,
        "n_peers": state.n_peers,
        "announces": not providing.is_silent,
        "provide_enabled": providing.is_on,
        "provide_strategy": providing.strategy,
        "provide_running": providing.is_running,
        "private_swarm": providing.is_private,
        "repo_bytes": state.repo_bytes,
        "repo_limit_bytes": state.limit_bytes,
        "n_objects": status.n_objects,
        "n_linked": status.n_linked,
        "n_files": status.n_files,
        "n_holds": status.n_holds,
        "n_unpinned": status.n_unpinned,
        "projects": [
            {
                "cid": str(one.project),
                "title": names.text(one.project),
                "snapshot": str(one.current),
                "pinned": None if one.pinned is None else str(one.pinned),
            }
            for one in status.projects
        ],
        "warnings": [{"code": one.code, "message": one.message} for one in status.warnings],
    }


def _lines(address: str, status: IpfsStatus, names: Names) -> Iterator[str]:
    state = status.daemon
    limit = f" of {size(state.limit_bytes)}" if state.limit_bytes else ""
    yield from fields(
        [
            ("daemon", f"{address}, Kubo {state.version}"),
            (
                "network",
                f"online, {n_of(state.n_peers, 'peer')}" if state.is_online else "offline",
            ),
            ("announces", _announces(status)),
            ("private swarm", _PRIVATE[state.providing.is_private]),
            ("repository", size(state.repo_bytes) + limit),
            ("objects here", f"{status.n_objects:,}"),
            (
                "files here",
                f"{status.n_files:,} of {n_of(status.n_linked, 'text or media file', 'texts and media files')}",
            ),
            ("pins", _pins(status)),
        ]
    )
    for one in status.projects:
        yield f"  {names.text(one.project)} {code_of(one.project)}: {_snapshot(one)}"
    for warning in status.warnings:
        yield f"warning: {warning.message}."


def _announces(status: IpfsStatus) -> str:
    providing = status.daemon.providing
    if providing.is_silent:
        return "no"
    return f"yes, by the strategy {providing.strategy}"


def _pins(status: IpfsStatus) -> str:
    if not status.n_holds:
        return "none; the works of this workspace are stored elsewhere"
    lost = f", {status.n_unpinned:,} of them lost" if status.n_unpinned else ""
    return f"{status.n_holds:,} keep this workspace{lost}"


def _snapshot(one: PinnedProject) -> str:
    if one.pinned is None:
        return "no snapshot pinned"
    if one.pinned == one.current:
        return f"snapshot {one.pinned} pinned"
    return f"an older snapshot pinned, {one.pinned}"
