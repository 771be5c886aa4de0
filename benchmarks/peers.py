"""Programs and packages of others that stand beside ours. One that is missing is skipped, loudly, and with CI=true an error."""

from __future__ import annotations

import os
import shutil
import sys
from importlib import import_module
from typing import Any

__all__ = ["module", "program", "say_missing"]


def say_missing(peer: str, advice: str) -> None:
    """Tell that rows are left out, and how to get them.

    Raises:
        RuntimeError: with CI=true, where nothing may be left out.
    """
    message = f"{peer} is missing, so what stands beside it is left out; {advice}"
    if os.environ.get("CI") == "true":
        raise RuntimeError(message)
    print(f"SKIPPED: {message}", file=sys.stderr)


def program(name: str, advice: str) -> str | None:
    """Where a program lies; None, having said so, where it doesn't."""
    path = shutil.which(name)
    if path is None:
        say_missing(name, advice)
    return path


def module(name: str, advice: str) -> Any | None:
    """A module; None, having said so, where it can't be imported."""
    try:
        return import_module(name)
    except ImportError:
        say_missing(name, advice)
        return None
