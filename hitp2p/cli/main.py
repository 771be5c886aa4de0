"""The entry point of `hitp2p` and of `python -m hitp2p`."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from hitp2p.cli.app import root

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line on `sys.argv` and exit with its status.

    The process ends without taking the interpreter apart, which would cost 10 ms, a sixth of a
    short verb: whatever holds data was closed and flushed before.
    """
    status: object = 0
    try:
        root.main(prog_name="hitp2p")
    except SystemExit as end:
        status = end.code
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else 1)
