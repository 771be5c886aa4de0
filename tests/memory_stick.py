"""A folder that behaves as a FAT memory stick does on Linux: files are open to all, and no change of mode is taken.

No such file system can be mounted where the tests run, so its answers come in where the program asks the system.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

__all__ = ["act_as_memory_stick"]


def act_as_memory_stick(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """From now on `folder`, and what is made in it, has no modes."""
    real_open, real_fchmod = os.open, os.fchmod
    on_stick: set[int] = set()

    def open_(path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
        descriptor = real_open(path, flags, mode, **more)
        if flags & os.O_CREAT and Path(path).absolute().is_relative_to(folder):
            real_fchmod(descriptor, 0o755)
            on_stick.add(os.fstat(descriptor).st_ino)
        return descriptor

    def fchmod(descriptor: int, mode: int) -> None:
        if os.fstat(descriptor).st_ino in on_stick:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        real_fchmod(descriptor, mode)

    monkeypatch.setattr(os, "open", open_)
    monkeypatch.setattr(os, "fchmod", fchmod)
