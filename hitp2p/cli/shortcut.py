"""`hitp2p verify FILE` without click, which takes 20 ms to import: a third of the whole run for a small file.

The shortcut is taken for one file outside a workspace, with no option or `--json`. Whatever else there is to do, the command
itself does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from hitp2p.cli.output import Output
from hitp2p.cli.places import find_workspace
from hitp2p.errors import NotFoundError

__all__ = ["shortcut"]


def shortcut(argv: Sequence[str], environ: Mapping[str, str]) -> int | None:
    """The exit status, with the report printed; None where the command has to run, and nothing was printed.

    What goes wrong is raised, to be told as the command would.

    Args:
        argv: the command line after the program's name.
        environ: may name a workspace, or ask for completion.
    """
    rest = [word for word in argv[1:] if word != "--json"]
    if list(argv[:1]) != ["verify"] or len(rest) != 1 or len(argv) - len(rest) > 2:
        return None
    name = rest[0]
    if name.startswith("-") or not os.path.isfile(name) or "_HITP2P_COMPLETE" in environ:
        return None
    try:
        find_workspace(environ, None, Path.cwd())
    except NotFoundError:
        return None if "HITP2P_WORKSPACE" in environ else _verify(name, "--json" in argv)
    return None


def _verify(name: str, as_json: bool) -> int | None:
    from hitp2p.trail.report_json import report_json
    from hitp2p.trail.report_text import render_report
    from hitp2p.verifier import verify

    report = verify(name)
    record = report_json(report) if as_json else {}
    try:
        Output(as_json=as_json).emit(record, render_report(report).split("\n"))
        sys.stdout.flush()
    except BrokenPipeError:
        from hitp2p.cli.frame import READER_GONE, drop_output

        drop_output()
        return READER_GONE
    return report.exit_status
