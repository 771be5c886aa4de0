"""Completion of names from the workspace and the key folder. It never fails: no answer is an answer."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from hitp2p.cli.clean import clean
from hitp2p.errors import Hitp2pError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["complete_cid", "complete_identity", "complete_project"]

MOST = 50
"""More than this can't be chosen from."""

T = TypeVar("T")


def _quietly(find: Callable[[], list[T]]) -> list[T]:
    """A shell that completes has no place for errors."""
    try:
        return find()
    except (Hitp2pError, OSError):
        return []


def complete_cid(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Short names that begin so, with titles."""
    return _quietly(lambda: _objects(ctx, incomplete, projects=False))


def complete_project(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Short names of projects that begin so, with titles."""
    return _quietly(lambda: _objects(ctx, incomplete, projects=True))


def _objects(ctx: click.Context, incomplete: str, *, projects: bool) -> list[CompletionItem]:
    from pathlib import Path

    from click.shell_completion import CompletionItem

    from hitp2p.cli.names import title_of
    from hitp2p.cli.places import MARK, find_workspace
    from hitp2p.codec.cid import OBJECT_CID_START
    from hitp2p.store.glance import Glance
    from hitp2p.trail.display import short_name

    chosen = ctx.params.get("workspace") or ctx.find_root().params.get("workspace")
    glance = Glance(find_workspace(os.environ, chosen, Path.cwd()) / MARK)
    start = incomplete.removeprefix(OBJECT_CID_START)
    lead = incomplete[: len(incomplete) - len(start)]
    try:
        cids = glance.projects(MOST) if projects else glance.match_prefix(start, MOST)
        found = (glance.lookup(cid) for cid in cids if short_name(cid, 52).startswith(start))
        return [
            CompletionItem(lead + short_name(obj.cid), help=clean(title_of(obj)))
            for obj in found
            if obj is not None
        ]
    finally:
        glance.close()


def complete_identity(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Names of the identities whose keys are here."""
    return _quietly(lambda: _identities(incomplete))


def _identities(incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from hitp2p.cli.people import KeyRing
    from hitp2p.cli.places import key_folder

    return [
        CompletionItem(clean(entry.name), help=entry.code)
        for entry in KeyRing(key_folder(os.environ))
        if entry.name.startswith(incomplete)
    ]
