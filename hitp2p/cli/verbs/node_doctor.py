"""`hitp2p node doctor`."""

from __future__ import annotations

import os

import click

from hitp2p.cli.app import verb
from hitp2p.cli.nodes import load_settings, require_node
from hitp2p.cli.run import Run

FOUND_SOMETHING = 1
"""Exit status where something isn't good."""


@verb(
    examples=[("hitp2p node doctor", "Before a node is started, or when it does nothing.")],
    json_fields={
        "is_good": "whether nothing was found",
        "findings[].name": "what was looked at",
        "findings[].is_good": "whether it is as it should be",
        "findings[].text": "what was found, and what to do",
    },
)
def command(run: Run) -> None:
    """Look for what keeps the node of this workspace from working. Exit status 1 if there is something.

    Settings, policy, key, store, room on the disk, open files, ports and peers. Nothing is changed,
    and nobody outside this machine is asked.
    """
    from hitp2p.node.doctor import examine

    place = require_node(run)
    found = list(examine(place, run.workspace.store, lambda: load_settings(place, os.environ)))
    is_good = all(one.is_good for one in found)
    record = {
        "is_good": is_good,
        "findings": [{"name": one.name, "is_good": one.is_good, "text": one.text} for one in found],
    }
    run.out.emit(
        record, (f"{'ok ' if one.is_good else 'BAD'}  {one.name:11}  {one.text}" for one in found)
    )
    if not is_good:
        click.get_current_context().exit(FOUND_SOMETHING)
