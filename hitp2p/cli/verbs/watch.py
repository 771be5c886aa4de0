"""`hitp2p watch`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from hitp2p.cli.app import verb
from hitp2p.cli.names import Names, title_of
from hitp2p.cli.records import OBJECT_FIELDS, object_record
from hitp2p.cli.run import Run
from hitp2p.trail.display import short_name

if TYPE_CHECKING:
    from hitp2p.reader import Change

PAUSE_S = 0.5
"""Seconds between two looks at the store."""


@verb(
    examples=[
        ("hitp2p watch", "What comes from now on, until Ctrl-C."),
        ("hitp2p watch --since 0 --once", "Everything so far, in the order in which it came."),
        ("hitp2p watch --since 41 --json", "Go on where a program stopped: after number 41."),
    ],
    json_fields={"seq": "number of arrival; --since takes it to go on after this one"}
    | OBJECT_FIELDS,
)
@click.option(
    "--since",
    type=click.IntRange(min=0),
    metavar="N",
    help="Begin after arrival number N; else with what comes from now on.",
)
@click.option("--once", is_flag=True, help="Stop at what is here now.")
def command(run: Run, since: int | None, once: bool) -> None:
    """Print each object as it arrives in the workspace, from this or another process.

    With --json there is one document a line. Numbers of arrival belong to this workspace alone.
    """
    ws, names = run.workspace, Names(run.workspace)
    seen = ws.store.last_seq() if since is None else since
    while True:
        for change in ws.watch(since=seen):
            _tell(run, change, names)
            seen = change.seq
        sys.stdout.flush()
        if once:
            return
        time.sleep(PAUSE_S)


def _tell(run: Run, change: Change, names: Names) -> None:
    obj = run.workspace.show(change.row.cid)
    if run.out.as_json:
        run.out.document({"seq": change.seq} | object_record(obj, names), indent=None)
        return
    by = f", by {names.person(obj.author)}" if obj.author else ""
    run.out.line(f"{change.seq:>6}  {short_name(obj.cid)}  {obj.kind}  {title_of(obj)}{by}")
