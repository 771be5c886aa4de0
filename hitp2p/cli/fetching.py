"""What the verbs share that fetch from IPFS: through which daemon, from whom, and what is said of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from hitp2p.cli.output import n_of
from hitp2p.cli.progress import progress

if TYPE_CHECKING:
    from hitp2p.cli.run import Run
    from hitp2p.codec.cid import Cid
    from hitp2p.ipfs_network import NetworkOptions
    from hitp2p.objects.envelope import SignedObject
    from hitp2p.trail.bundle import MediaChoice

__all__ = ["fetch_first", "lines_on_missing", "network_options"]

F = TypeVar("F", bound=Callable[..., Any])
WITHIN_S: Final = 30
SHOWN = 10


def network_options(function: F) -> F:
    """Options: through which daemon, from whom, how long. The verb gets them as `options`."""

    @wraps(function)
    def command(
        *args: Any,
        via: str | None,
        credentials: str | None,
        provider: tuple[str, ...],
        within: float,
        **more: Any,
    ) -> None:
        options: NetworkOptions = {
            "via": via or os.environ.get("HITP2P_VIA") or None,
            "credentials": credentials,
            "providers": provider,
            "within_s": within,
        }
        function(*args, options=options, **more)

    added: Any = command
    for option in (
        click.option(
            "--within",
            type=float,
            metavar="SECONDS",
            default=WITHIN_S,
            show_default=True,
            help="How long to wait for a block while none comes.",
        ),
        click.option(
            "--provider",
            multiple=True,
            metavar="MULTIADDR",
            help='Connect to this daemon first; "ipfs id" there shows its addresses. May be repeated.',
        ),
        click.option(
            "--credentials",
            metavar="FILE",
            type=click.Path(dir_okay=False),
            help="File with bearer:TOKEN or basic:USER:PASSWORD for that daemon; for its owner alone (mode 0600).",
        ),
        click.option(
            "--via",
            metavar="kubo:ADDRESS",
            help="Fetch through this Kubo daemon; else HITP2P_VIA, else the one that the works are stored on.",
        ),
    ):
        added = option(added)
    result: F = added
    return result


def fetch_first(
    run: Run,
    work: SignedObject,
    options: NetworkOptions,
    *,
    media: MediaChoice = "work",
    entry: int | None = None,
) -> None:
    """Before a work's files go out: fetch those that aren't here, if there is a daemon to ask."""
    from hitp2p.ipfs_network import knows_daemon

    ws = run.workspace
    asked = options.get("via") is not None or media != "none"
    if asked and knows_daemon(ws.store, options):
        with progress("fetching", quiet=run.out.as_json) as move:
            ws.fetch(work, media=media, entry=entry, progress=move, **options)


def lines_on_missing(missing: Iterable[Cid]) -> list[str]:
    """What to tell of pages, texts and files that did not come."""
    cids = list(missing)
    if not cids:
        return []
    more = [f"  and {len(cids) - SHOWN} more"] if len(cids) > SHOWN else []
    return [
        f"Did not come: {n_of(len(cids), 'page, text or file', 'pages, texts or files')}",
        *(f"  {cid}" for cid in cids[:SHOWN]),
        *more,
    ]
