"""`hitp2p project list`."""

from __future__ import annotations

from hitp2p.cli.app import verb
from hitp2p.cli.names import Names, title_of
from hitp2p.cli.output import table
from hitp2p.cli.records import OBJECT_FIELDS, object_record, prefixed
from hitp2p.cli.run import Run
from hitp2p.trail.display import short_name


@verb(
    examples=[("hitp2p project list", "The projects in this workspace.")],
    json_fields=prefixed("projects[].", OBJECT_FIELDS)
    | {
        "projects[].n_works": "works in it",
        "projects[].is_unlisted": "whether it is marked as unlisted in this workspace",
    },
)
def command(run: Run) -> None:
    """List the projects that are here, in the order in which they came."""
    ws, names = run.workspace, Names(run.workspace)
    projects = ws.projects()
    unlisted = ws.store.unlisted()
    counts = [
        sum(row.kind in ("contribution", "call", "release") for row in ws.rows(project=project.cid))
        for project in projects
    ]
    rows = [
        (
            short_name(p.cid),
            str(n),
            title_of(p) + (" (unlisted)" if p.cid in unlisted else ""),
            str(p.body.get("license", "")),
            names.person(p.author),
        )
        for p, n in zip(projects, counts, strict=True)
    ]
    run.out.emit(
        {
            "projects": [
                object_record(p, names) | {"n_works": n, "is_unlisted": p.cid in unlisted}
                for p, n in zip(projects, counts, strict=True)
            ]
        },
        table(("SHORT", "WORKS", "TITLE", "LICENCE", "BY"), rows, flexible=2)
        if rows
        else ['No project yet. Open one with "hitp2p project new TITLE".'],
    )
