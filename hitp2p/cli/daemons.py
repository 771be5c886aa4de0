"""What the verbs of `hitp2p ipfs` share: which daemon is meant, and how it is spoken of."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hitp2p.cli.places import MARK

if TYPE_CHECKING:
    from hitp2p.cli.run import Run
    from hitp2p.objects.envelope import SignedObject
    from hitp2p.store.kubo_admin import KuboAdmin
    from hitp2p.store.kubo_names import KuboNames
    from hitp2p.store.kubo_remote import KuboRemote

__all__ = ["chosen_projects", "daemon_options", "open_daemon", "open_names", "open_remote"]

F = TypeVar("F", bound=Callable[..., Any])


def daemon_options(name: str = "--daemon") -> Callable[[F], F]:
    """Options: which daemon, and what lets us in there.

    Args:
        name: what the first one is called, where another word says better what happens.
    """

    def add(function: F) -> F:
        for option in (
            click.option(
                "--credentials",
                metavar="FILE",
                type=click.Path(dir_okay=False),
                help="File with bearer:TOKEN or basic:USER:PASSWORD for that daemon; for its owner alone (mode 0600).",
            ),
            click.option(
                name,
                "daemon",
                metavar="kubo:ADDRESS",
                help="The daemon; else the one that the works are stored on.",
            ),
        ):
            function = option(function)
        return function

    return add


@contextmanager
def open_daemon(run: Run, chosen: str | None, credentials: str | None) -> Generator[KuboAdmin]:
    """The daemon that is meant."""
    from hitp2p.ipfs_care import find_daemon

    file = None if credentials is None else Path(credentials)
    with find_daemon(run.folder / MARK, chosen, moved=run.store, credentials=file) as daemon:
        yield daemon


@contextmanager
def open_remote(run: Run, chosen: str | None, credentials: str | None) -> Generator[KuboRemote]:
    """The same, to speak through it to pinning services."""
    from hitp2p.store.kubo_remote import KuboRemote

    with open_daemon(run, chosen, credentials) as kubo:
        yield KuboRemote(kubo.rpc, kubo.address)


@contextmanager
def open_names(run: Run, chosen: str | None, credentials: str | None) -> Generator[KuboNames]:
    """The same, to publish and look up IPNS names through it."""
    from hitp2p.store.kubo_names import KuboNames

    with open_daemon(run, chosen, credentials) as kubo:
        yield KuboNames(kubo.rpc, kubo.address)


def chosen_projects(run: Run, texts: Sequence[str]) -> list[SignedObject]:
    """The projects that were named, or all that are here.

    Raises:
        NotFoundError: there is no such project, or none at all.
    """
    from hitp2p.cli.names import find_project

    if texts:
        return [find_project(run.workspace, text) for text in texts]
    return list(run.workspace.projects()) or [find_project(run.workspace, None)]
