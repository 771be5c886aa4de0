"""What one run of the command line gave."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Cli", "Ran"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What came of one command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout as JSON, which must be all there is."""
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        """The error on the last line of stderr, as JSON."""
        return json.loads(self.err.splitlines()[-1])["error"]

    def ok(self) -> Ran:
        """Itself, if the command succeeded."""
        assert self.status == 0, self.err
        return self


Cli = Callable[..., Ran]
"""Runs a command: `cli("list", "--json")`."""
