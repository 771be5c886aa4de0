"""hitp2p: creative works made together, with a signed, content-addressed trail of who made what, from what.

The names below load their modules when they are first used, so that importing the package costs little.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import hitp2p.codec.cid as _cid  # noqa: F401  # pyright: ignore[reportUnusedImport]  # explains a clash of packages

if TYPE_CHECKING:
    from hitp2p.codec.cid import Cid
    from hitp2p.errors import Hitp2pError, InvalidError, MissingBlocksError, StoreError, UsageError
    from hitp2p.identity import Identity
    from hitp2p.moving import copy_store
    from hitp2p.objects.contribution import Contribution, Credit, ForeignSource, Use
    from hitp2p.objects.envelope import SignedObject, parse_object, verify_object
    from hitp2p.trail.report import Headline, Report
    from hitp2p.verifier import verify
    from hitp2p.workspace import Workspace
    from hitp2p.workspace import open_workspace as open

__version__ = "0.1.0"

__all__ = [
    "Cid",
    "Contribution",
    "Credit",
    "ForeignSource",
    "Headline",
    "Hitp2pError",
    "Identity",
    "InvalidError",
    "MissingBlocksError",
    "Report",
    "SignedObject",
    "StoreError",
    "UsageError",
    "Use",
    "Workspace",
    "copy_store",
    "open",
    "parse_object",
    "verify",
    "verify_object",
]

_HOMES = {
    "Cid": "hitp2p.codec.cid",
    "Contribution": "hitp2p.objects.contribution",
    "Credit": "hitp2p.objects.contribution",
    "ForeignSource": "hitp2p.objects.contribution",
    "Headline": "hitp2p.trail.report",
    "Hitp2pError": "hitp2p.errors",
    "Identity": "hitp2p.identity",
    "InvalidError": "hitp2p.errors",
    "MissingBlocksError": "hitp2p.errors",
    "Report": "hitp2p.trail.report",
    "SignedObject": "hitp2p.objects.envelope",
    "StoreError": "hitp2p.errors",
    "UsageError": "hitp2p.errors",
    "Use": "hitp2p.objects.contribution",
    "Workspace": "hitp2p.workspace",
    "copy_store": "hitp2p.moving",
    "parse_object": "hitp2p.objects.envelope",
    "verify": "hitp2p.verifier",
    "verify_object": "hitp2p.objects.envelope",
}


def __getattr__(name: str) -> Any:
    if name == "open":
        return import_module("hitp2p.workspace").open_workspace
    if name == "node":
        return import_module("hitp2p.node")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
