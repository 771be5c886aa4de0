"""`hitp2p show`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from hitp2p.cli.app import verb
from hitp2p.cli.completion import complete_cid
from hitp2p.cli.names import Names, title_of
from hitp2p.cli.output import n_of, size
from hitp2p.cli.records import OBJECT_FIELDS, dag_json, described, object_lines, object_record
from hitp2p.cli.run import Run
from hitp2p.trail.display import short_name

if TYPE_CHECKING:
    from hitp2p.codec.cid import Cid
    from hitp2p.objects.envelope import SignedObject


@verb(
    examples=[
        ("hitp2p show k3f9z2ab", "An object by its short name."),
        ("hitp2p show bafyreik3f9 --json", "The same for a program; the start bafyrei may stand."),
    ],
    json_fields=OBJECT_FIELDS
    | {
        "event": "the identity event it was signed under, or null",
        "signer": "the public key that signed it, in hex",
        "parents[]": "what it builds on",
        "children[]": "what builds on it here",
        "referrers[]": "what else here speaks of it",
        "generation": "steps from the beginning, along the longest way",
        "size_bytes": "length of the signed block",
        "body": "the body as signed, as DAG-JSON",
    },
)
@click.argument("cid", shell_complete=complete_cid)
def command(run: Run, cid: str) -> None:
    """Show everything that an object says, and what is tied to it.

    CID is an object's CID or short name: at least four of the characters after bafyrei, which may
    be left out. What is shown was signed by its author; that makes it theirs, not true.
    """
    ws, names = run.workspace, Names(run.workspace)
    obj = ws.show(cid)
    row = ws.store.row(obj.cid)
    children, referrers = ws.store.children(obj.cid), ws.store.referrers(obj.cid)
    record = object_record(obj, names) | {
        "event": str(obj.event) if obj.event else None,
        "signer": obj.signer.hex(),
        "parents": [str(parent) for parent in obj.parents],
        "children": [str(child) for child in children],
        "referrers": [str(other) for other in referrers],
        "generation": row.generation if row else 0,
        "size_bytes": len(obj.block),
        "body": dag_json(obj.body),
    }
    run.out.emit(record, _lines(obj, names, children, referrers))


def _lines(
    obj: SignedObject, names: Names, children: tuple[Cid, ...], referrers: tuple[Cid, ...]
) -> Iterable[str]:
    yield title_of(obj)
    yield from object_lines(obj, names)
    for label, cids in (
        ("Builds on", tuple(p for p in obj.parents if p != obj.project)),
        ("Built on by", children if obj.kind != "project" else ()),
        ("Spoken of by", tuple(other for other in referrers if other not in children)),
    ):
        if cids:
            yield f"{label} {n_of(len(cids), 'object')}"
            yield from (f"  {short_name(cid)}  {names.text(cid) or '(not here)'}" for cid in cids)
    yield f"Signed as (a block of {size(len(obj.block))})"
    yield from described(obj.body)
