"""The entry point of `hitp2p` and of `python -m hitp2p`."""

from __future__ import annotations

from typing import NoReturn

from hitp2p.cli.app import root

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line on `sys.argv` and exit with its status."""
    root.main(prog_name="hitp2p")
    raise SystemExit(0)
