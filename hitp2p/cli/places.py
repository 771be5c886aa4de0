"""Where things are on this machine: the folder of keys, and the workspace of the current folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hitp2p.errors import NotFoundError

__all__ = ["MARK", "find_workspace", "key_folder", "tidy"]

MARK: Final = ".hitp2p"
"""The folder that makes its parent a workspace."""


def key_folder(environ: Mapping[str, str], *, platform: str = sys.platform) -> Path:
    """The folder of key files: HITP2P_KEYS, else `hitp2p/keys` in the platform's place for user data."""
    if environ.get("HITP2P_KEYS"):
        return Path(environ["HITP2P_KEYS"])
    home = Path.home()
    if platform == "win32":
        base = Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return base / "hitp2p" / "keys"


def find_workspace(environ: Mapping[str, str], chosen: str | None, start: Path) -> Path:
    """The workspace's folder: the chosen one, else HITP2P_WORKSPACE, else the nearest upwards from `start`.

    Raises:
        NotFoundError: there is none.
    """
    named = chosen or environ.get("HITP2P_WORKSPACE")
    if named:
        if (Path(named) / MARK).is_dir():
            return Path(named)
        raise _no_workspace(f"{named} is not a workspace", f"hitp2p init {named}")
    for folder in (start, *start.parents):
        if (folder / MARK).is_dir():
            return folder
    raise _no_workspace(
        "neither this folder nor one above it is a workspace",
        'Make one with "hitp2p init", or name one with --workspace DIR.',
    )


def _no_workspace(message: str, step: str) -> NotFoundError:
    error = NotFoundError(message)
    error.add_note(step)
    return error


def tidy(path: Path) -> str:
    """The path as people write it: relative to the current folder if inside it, else `~` for home."""
    absolute = path.absolute()
    for base, mark in ((Path.cwd(), ""), (Path.home(), "~/")):
        if absolute.is_relative_to(base) and absolute != base:
            return mark + os.fspath(absolute.relative_to(base))
    return os.fspath(absolute)
