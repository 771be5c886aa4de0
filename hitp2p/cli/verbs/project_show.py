"""`hitp2p project show`."""

from __future__ import annotations

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.names import Names, find_project, title_of
from hitp2p.cli.output import n_of
from hitp2p.cli.records import OBJECT_FIELDS, dag_json, object_lines, object_record
from hitp2p.cli.run import Run
from hitp2p.cli.sending import UNLISTED
from hitp2p.trail.display import short_name

SHOWN = 20
"""Heads that are listed for people."""


@verb(
    examples=[
        ("hitp2p project show", "The only project here."),
        ("hitp2p project show 'Night Bus' --json", "One of several, for a program."),
    ],
    json_fields=OBJECT_FIELDS
    | {
        "purpose": "what it is for, or null",
        "accepts[]": "licences that works may have; any where there are none",
        "is_unlisted": "whether it is marked as unlisted in this workspace",
        "n_works": "works in it",
        "heads[]": "works that no work builds on yet",
        "body": "the body as signed, as DAG-JSON",
    },
)
@click.argument("project", required=False, shell_complete=completing("project"))
def command(run: Run, project: str | None) -> None:
    """Show a project: its terms, and the works that nobody has built on yet.

    PROJECT is a title, CID or short name; the only project here if left out.
    """
    ws, names = run.workspace, Names(run.workspace)
    obj = find_project(ws, project)
    heads = ws.store.heads(obj.cid)
    n_works = sum(
        row.kind in ("contribution", "call", "release") for row in ws.rows(project=obj.cid)
    )
    accepts = [str(one) for one in obj.body.get("accepts", [])]
    purpose = obj.body.get("purpose")
    lines = [title_of(obj), *object_lines(obj, names)]
    if isinstance(purpose, str):
        lines += [f"  | {line}" for line in purpose.split("\n")]
    is_unlisted = ws.is_unlisted(obj)
    if is_unlisted:
        lines.append("Unlisted in this workspace")
    if accepts:
        lines.append(f"Takes works under {', '.join(accepts)}")
    lines.append(f"{n_of(n_works, 'work')}; not built on yet:" if heads else "No work yet.")
    lines += [f"  {short_name(cid)}  {names.text(cid)}" for cid in heads[:SHOWN]]
    if len(heads) > SHOWN:
        lines.append(f"  and {len(heads) - SHOWN:,} more")
    run.out.emit(
        object_record(obj, names)
        | {
            "purpose": purpose if isinstance(purpose, str) else None,
            "accepts": accepts,
            "is_unlisted": is_unlisted,
            "n_works": n_works,
            "heads": [str(cid) for cid in heads],
            "body": dag_json(obj.body),
        },
        lines,
    )
    if is_unlisted:
        run.out.say(UNLISTED)
