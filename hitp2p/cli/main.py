"""The entry point of `hitp2p` and of `python -m hitp2p`."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from hitp2p.cli.shortcut import shortcut

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line on `sys.argv` and exit with its status.

    The process ends without taking the interpreter apart, which would cost 10 ms, a sixth of a
    short verb: whatever holds data was closed and flushed before.
    """
    try:
        status = shortcut(sys.argv[1:], os.environ)
    except Exception as error:
        from hitp2p.cli.frame import tell

        status = tell(error, sys.argv[1:])
    except KeyboardInterrupt:
        status = 130
    code = _run_command() if status is None else status
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)


def _run_command() -> object:
    from hitp2p.cli.app import root

    try:
        root.main(prog_name="hitp2p")
    except SystemExit as end:
        return end.code
    return 0
