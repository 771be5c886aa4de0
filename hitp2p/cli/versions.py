"""`hitp2p --version`: of the program, the format and the store."""

from __future__ import annotations

from hitp2p import __version__
from hitp2p.cli.output import Output

__all__ = ["SPEC_VERSION", "versions"]

SPEC_VERSION = 1
"""The number in `spec` of the objects that this program writes and reads [OBJ-3]."""


def versions() -> dict[str, object]:
    """The documented fields of `--version --json`."""
    from hitp2p.store.schema import SCHEMA_VERSION

    return {"hitp2p": __version__, "spec": SPEC_VERSION, "store": SCHEMA_VERSION}


def print_versions(*, as_json: bool) -> None:
    """All three on one line, or as JSON."""
    found = versions()
    line = f"hitp2p {found['hitp2p']} (spec {found['spec']}, store {found['store']})"
    Output(as_json=as_json).emit(found, [line])
