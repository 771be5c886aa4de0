"""`hitp2p ipfs pins`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hitp2p.cli.app import verb
from hitp2p.cli.daemons import daemon_options, open_daemon
from hitp2p.cli.names import Names
from hitp2p.cli.output import n_of
from hitp2p.cli.run import Run
from hitp2p.trail.display import code_of

if TYPE_CHECKING:
    from hitp2p.ipfs_care import PinGroup


@verb(
    examples=[
        ("hitp2p ipfs pins", "What is pinned on the daemon that the works are stored on."),
        ("hitp2p ipfs pins --json", "The same with the CID of every pin, for a program."),
    ],
    json_fields={
        "daemon": "the daemon's address",
        "pins[].name": "the name under which the daemon lists them",
        "pins[].kind": "workspace (keeps one), snapshot (a project whole), push (parts of one), other",
        "pins[].is_own": "whether they keep this workspace, or a project that is in it",
        "pins[].project": "CID of the project of a snapshot or push, or null",
        "pins[].title": "its title, or null where it isn't here",
        "pins[].n_pins": "how many there are of this name",
        "pins[].cids[]": "what is pinned",
    },
)
@daemon_options()
def command(run: Run, daemon: str | None, credentials: str | None) -> None:
    """List what hitp2p pins on a daemon, by name: this workspace, projects, and other workspaces.

    A workspace that was deleted leaves its pins behind, as nothing tells the daemon; they are
    listed as another workspace's, with what removes them.
    """
    from hitp2p.ipfs_care import list_pins

    with open_daemon(run, daemon, credentials) as kubo:
        address = str(kubo.address)
        groups = list_pins(run.workspace.store, kubo)
    names = Names(run.workspace)
    run.out.emit(
        {"daemon": address, "pins": [_record(group, names) for group in groups]},
        _lines(groups, names),
    )


def _record(group: PinGroup, names: Names) -> dict[str, object]:
    return {
        "name": group.name,
        "kind": group.kind,
        "is_own": group.is_own,
        "project": None if group.project is None else str(group.project),
        "title": names.text(group.project),
        "n_pins": len(group.cids),
        "cids": [str(cid) for cid in group.cids],
    }


def _lines(groups: tuple[PinGroup, ...], names: Names) -> Iterator[str]:
    if not groups:
        yield "hitp2p pins nothing there."
    for group in groups:
        yield f"{group.name}"
        yield f"  {n_of(len(group.cids), 'pin')}: {_what(group, names)}"
    strange = [group.name for group in groups if group.kind == "workspace" and not group.is_own]
    if strange:
        yield "Should a workspace be gone for good, this lets its works go at the next garbage collection:"
        yield "  ipfs pin ls --type=recursive --names -n NAME | cut -d' ' -f1 | xargs ipfs pin rm"


def _what(group: PinGroup, names: Names) -> str:
    if group.project is not None:
        whose = (
            f"{names.text(group.project) or 'a project that is not here'} {code_of(group.project)}"
        )
        return f"{whose}, whole" if group.kind == "snapshot" else f"{whose}, what was pushed of it"
    if group.kind == "workspace":
        return "this workspace" if group.is_own else "another workspace, here or elsewhere"
    return "not made by hitp2p"
