"""`hitp2p list`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.names import Names, find_project, title_of
from hitp2p.cli.output import table
from hitp2p.cli.records import OBJECT_FIELDS, object_record, prefixed
from hitp2p.cli.run import Run
from hitp2p.codec.cid import OBJECT_CID_START
from hitp2p.naming import SHORTEST
from hitp2p.trail.display import short_name

if TYPE_CHECKING:
    from hitp2p.objects.envelope import SignedObject

__all__ = ["LISTED_FIELDS", "emit_objects"]

WORKS = ("contribution", "call", "release")


LISTED_FIELDS: Final = prefixed(
    "objects[].",
    OBJECT_FIELDS
    | {"standing": "good, disavowed, undetermined or forked: whether its author stands behind it"},
)
"""JSON of a verb that lists objects."""


def emit_objects(run: Run, objects: Sequence[SignedObject], names: Names) -> None:
    """Objects for programs, or one line an object; what its author doesn't stand behind is marked as in a trail."""
    standings = [str(each) for each in run.workspace.standings(objects)]
    run.out.emit(
        {
            "objects": [
                object_record(obj, names) | {"standing": standing}
                for obj, standing in zip(objects, standings, strict=True)
            ]
        },
        _object_table(objects, standings, names),
    )


def _object_table(
    objects: Sequence[SignedObject], standings: Sequence[str], names: Names
) -> Iterable[str]:
    rows = [
        (
            short_name(obj.cid),
            obj.kind,
            title_of(obj),
            names.person(obj.author) + ("" if standing == "good" else f" ({standing})"),
        )
        for obj, standing in zip(objects, standings, strict=True)
    ]
    if not rows:
        return iter(["Nothing here fits."])
    return table(("SHORT", "KIND", "TITLE", "BY"), rows, flexible=2)


@verb(
    examples=[
        ("hitp2p list", "All works in this workspace."),
        (
            "hitp2p list --project 'Night Bus' --tag rain",
            "The works of one project that carry a tag.",
        ),
        ("hitp2p list --kind all --json", "Every signed object, for a program."),
    ],
    json_fields=LISTED_FIELDS,
)
@click.option(
    "--project",
    shell_complete=completing("project"),
    metavar="P",
    help="Only this project: title, CID or short name.",
)
@click.option("--kind", metavar="KIND", help="Only this kind, or all; works if not given.")
@click.option("--by", metavar="WHO", help="Only by this identity: name, CID or short name.")
@click.option("--tag", metavar="TAG", help="Only what carries this tag.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N.")
def command(
    run: Run,
    project: str | None,
    kind: str | None,
    by: str | None,
    tag: str | None,
    limit: int | None,
) -> None:
    """List the objects here, in the order in which they came.

    Without --kind it lists works: contributions, calls and releases. The name in the first column
    stands for the object in every other verb. What its author doesn't stand behind is marked.
    """
    ws, names = run.workspace, Names(run.workspace)
    where = find_project(ws, project).cid if project else None
    found = (ws.show(row.cid) for row in ws.rows(project=where, kind=_one_kind(kind)))
    kept = (
        obj
        for obj in found
        if (kind or obj.kind in WORKS)
        and (by is None or _is_by(obj, by, names))
        and (tag is None or tag in obj.body.get("tags", ()))
    )
    emit_objects(run, list(islice(kept, limit)), names)


def _one_kind(kind: str | None) -> str | None:
    return None if kind == "all" else kind


def _is_by(obj: SignedObject, who: str, names: Names) -> bool:
    if names.text(obj.identity) == who:
        return True
    tail = str(obj.identity).removeprefix(OBJECT_CID_START)
    start = who.removeprefix(OBJECT_CID_START)
    return len(start) >= SHORTEST and tail.startswith(start)
