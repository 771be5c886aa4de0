"""`hitp2p show`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.names import Names, title_of
from hitp2p.cli.output import n_of, size
from hitp2p.cli.records import OBJECT_FIELDS, dag_json, described, object_lines, object_record
from hitp2p.cli.run import Run
from hitp2p.errors import NotFoundError
from hitp2p.naming import resolve_short
from hitp2p.trail.display import short_name

if TYPE_CHECKING:
    from hitp2p.codec.cid import Cid
    from hitp2p.store.glance import StoredObject

GOOD = "good"


@verb(
    examples=[
        ("hitp2p show k3f9z2ab", "An object by its short name."),
        ("hitp2p show bafyreik3f9 --json", "The same for a program; the start bafyrei may stand."),
    ],
    json_fields=OBJECT_FIELDS
    | {
        "event": "the identity event it was signed under, or null",
        "signer": "the public key that signed it, in hex",
        "standing": "good, disavowed, undetermined or forked: whether its author stands behind the key",
        "standing_reason": "why, in one sentence",
        "parents[]": "what it builds on",
        "children[]": "what builds on it here",
        "referrers[]": "what else here speaks of it",
        "generation": "steps from the beginning, along the longest way",
        "size_bytes": "length of the signed block",
        "body": "the body as signed, as DAG-JSON",
    },
)
@click.argument("cid", shell_complete=completing("cid"))
def command(run: Run, cid: str) -> None:
    """Show everything that an object says, and what is tied to it.

    CID is an object's CID or short name: at least four of the characters after bafyrei, which may
    be left out. What is shown was signed by its author; that makes it theirs, not true.
    """
    glance = run.glance
    names = Names(glance)
    obj = glance.lookup(resolve_short(cid, glance, glance.lookup))
    if obj is None:
        raise NotFoundError(f"{cid} is not in this workspace; import the file that carries it")
    children, referrers = glance.children(obj.cid), glance.referrers(obj.cid)
    standing, reason = _standing(run, obj)
    record = object_record(obj, names) | {
        "event": str(obj.event) if obj.event else None,
        "signer": obj.signer.hex(),
        "standing": standing,
        "standing_reason": reason,
        "parents": [str(parent) for parent in obj.parents],
        "children": [str(child) for child in children],
        "referrers": [str(other) for other in referrers],
        "generation": glance.generation(obj.cid),
        "size_bytes": len(obj.block),
        "body": dag_json(obj.body),
    }
    others = tuple(other for other in referrers if other not in children)
    run.out.emit(
        record,
        [
            title_of(obj),
            *object_lines(
                obj, names, standing="" if standing == GOOD else f"{standing.upper()}: {reason}"
            ),
            *_named("Builds on", [p for p in obj.parents if p != obj.project], names),
            *_named("Built on by", [] if obj.kind == "project" else children, names),
            *_named("Spoken of by", others, names),
            f"What it says, as signed (a block of {size(len(obj.block))}):",
            *described(obj.body),
        ],
    )


def _standing(run: Run, obj: StoredObject) -> tuple[str, str]:
    """Whether the owner of the key stands behind the object. Where the identity has its genesis alone, no key was dropped."""
    if run.glance.count_events(obj.author or obj.cid) <= 1:
        return GOOD, "no key of the identity was ever dropped"
    report = run.workspace.standing(obj.cid)
    return str(report.standing), report.reason


def _named(label: str, cids: Sequence[Cid], names: Names) -> Iterable[str]:
    if cids:
        yield f"{label} {n_of(len(cids), 'object')}"
        yield from (f"  {short_name(cid)}  {names.text(cid) or '(not here)'}" for cid in cids)
