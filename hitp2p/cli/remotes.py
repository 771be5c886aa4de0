"""What the verbs of `hitp2p ipfs remote` say of a project at a service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from hitp2p.cli.output import n_of
from hitp2p.trail.display import code_of

if TYPE_CHECKING:
    from hitp2p.cli.names import Names
    from hitp2p.pinning import KeptProject

__all__ = ["KEPT_FIELDS", "kept_lines", "kept_record"]

KEPT_FIELDS: Final = {
    "service": "the pinning service",
    "projects[].cid": "a project",
    "projects[].title": "its title",
    "projects[].snapshot": "the snapshot that the daemon pins, which the service is to keep; or null",
    "projects[].status": "of that snapshot: queued, pinning, pinned, failed; null where it wasn't asked",
    "projects[].older[].cid": "another snapshot of the project at the service",
    "projects[].older[].status": "what the service says of it",
}
"""JSON of the verbs that ask a service about projects."""
_SAID: Final = {
    "queued": "it waits in line",
    "pinning": "it is being fetched from the daemon, which must stay on the network",
    "pinned": "it is kept there",
    "failed": "it FAILED; push again, with the daemon where the service can reach it",
}


def kept_record(service: str, kept: Sequence[KeptProject], names: Names) -> dict[str, object]:
    return {
        "service": service,
        "projects": [
            {
                "cid": str(one.project),
                "title": names.text(one.project),
                "snapshot": None if one.snapshot is None else str(one.snapshot),
                "status": one.status,
                "older": [{"cid": str(pin.cid), "status": pin.status} for pin in one.older],
            }
            for one in kept
        ],
    }


def kept_lines(service: str, kept: Sequence[KeptProject], names: Names) -> Iterator[str]:
    """What the service says, in plain words. It is a claim: nothing here can check it."""
    for one in kept:
        yield f"{names.text(one.project)} {code_of(one.project)} at {service}: {_said(one)}"
        if one.snapshot is not None:
            yield f"  snapshot  {one.snapshot}"
        n_pinned = sum(pin.status == "pinned" for pin in one.older)
        if n_pinned:
            yield f"  and {n_of(n_pinned, 'older snapshot')} kept there till this one is"


def _said(one: KeptProject) -> str:
    if one.snapshot is None:
        return 'the daemon pins no snapshot of it; "hitp2p ipfs push" comes first'
    if one.status is None:
        return "it wasn't asked to keep this snapshot"
    return _SAID[one.status]
