"""The last resort: what a run exits with, whatever happens in it.

0, or the exit status of the error; 130 after Ctrl-C; 141 when the reader of our output is gone, quietly.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Final

import click

from hitp2p.cli.errors import report, with_step
from hitp2p.errors import Hitp2pError, InternalError, StoreError, StoreFullError, UsageError

__all__ = ["guarded"]

INTERRUPTED: Final = 130
READER_GONE: Final = 141


def guarded(work: Callable[[], object], argv: Sequence[str]) -> int:
    """Do the work of the command line `argv`; the exit status. Errors are told on stderr."""
    as_json = "--json" in argv  # read here, since even a faulty command line is answered in JSON
    try:
        status = work()
        sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return READER_GONE
    except Hitp2pError as error:
        return _tell(error, error, as_json, argv)
    except click.ClickException as error:
        return _tell(_usage_error(error), error, as_json, argv)
    except OSError as error:
        return _tell(_world_error(error), error, as_json, argv)
    except Exception as error:  # the one place where nothing may pass
        return _tell(_own_fault(error), error, as_json, argv)
    return status if isinstance(status, int) else 0


def _tell(error: Hitp2pError, cause: BaseException, as_json: bool, argv: Sequence[str]) -> int:
    try:
        sys.stdout.flush()
        if "--debug" in argv:
            import traceback

            from hitp2p.cli.clean import clean_lines

            for line in clean_lines("".join(traceback.format_exception(cause)).rstrip()):
                sys.stderr.write(line + "\n")
        return report(error, as_json=as_json)
    except BrokenPipeError:
        _drop_output()
        return error.exit_status


def _usage_error(error: click.ClickException) -> UsageError:
    context = error.ctx if isinstance(error, click.UsageError) else None
    usage = UsageError(error.format_message())
    command = context.command_path if context else "hitp2p"
    return with_step(usage, f"{command} --help explains the usage.")


def _world_error(error: OSError) -> StoreError:
    from errno import EDQUOT, ENOSPC

    what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    if error.errno in (ENOSPC, EDQUOT):
        return StoreFullError(what)
    return StoreError(what)


def _own_fault(error: Exception) -> InternalError:
    fault = InternalError(f"hitp2p is at fault: {type(error).__name__}: {error}")
    return with_step(fault, "Run it again with --debug and report what it prints, please.")


def _drop_output() -> None:
    """Point stdout at nothing, so that the interpreter's last flush fails at nothing."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # stdout isn't a file, as in tests
        return
