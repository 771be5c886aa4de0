"""The last resort: what a run exits with, whatever happens in it.

0, or the exit status of the error; 130 after Ctrl-C; 141 when the reader of our output is gone, quietly.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Final

import click

__all__ = ["READER_GONE", "drop_output", "guarded", "tell"]

INTERRUPTED: Final = 130
"""After Ctrl-C."""
READER_GONE: Final = 141
"""When nobody reads our output any more, as in `hitp2p list | head`."""


def guarded(work: Callable[[], object], argv: Sequence[str]) -> int:
    """Do the work of the command line `argv`; the exit status. Errors are told on stderr."""
    try:
        status = work()
        sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as error:  # the one place where nothing may pass
        return tell(error, argv)
    return status if isinstance(status, int) else 0


def tell(cause: Exception, argv: Sequence[str]) -> int:
    """Say on stderr what went wrong in the command line `argv`; the exit status."""
    as_json = "--json" in argv  # read here, since even a faulty command line is answered in JSON
    from hitp2p.cli.errors import as_own, print_traceback, report

    error = as_own(cause)
    if isinstance(cause, click.exceptions.NoArgsIsHelpError) and not as_json:
        return _help_instead(cause)
    try:
        sys.stdout.flush()
        if "--debug" in argv:
            print_traceback(cause)
        return report(error, as_json=as_json)
    except BrokenPipeError:
        drop_output()
        return error.exit_status


def _help_instead(cause: click.UsageError) -> int:
    from hitp2p.cli.output import write_line

    for line in cause.format_message().split("\n"):
        write_line(sys.stderr, line)
    return cause.exit_code


def drop_output() -> None:
    """Point stdout at nothing, so that the interpreter's last flush fails at nothing."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # stdout isn't a file, as in tests
        return
