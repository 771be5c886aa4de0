"""`hitp2p ipfs repair`."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

import click

from hitp2p.cli.app import verb
from hitp2p.cli.daemons import daemon_options, open_daemon
from hitp2p.cli.names import Names
from hitp2p.cli.output import n_of
from hitp2p.cli.progress import progress
from hitp2p.cli.run import Run
from hitp2p.errors import BackendError

if TYPE_CHECKING:
    from hitp2p.ipfs_repair import RepairReport
    from hitp2p.ports import BlockSource

DAMAGED: Final = BackendError.exit_status
SHOWN: Final = 10
"""Lost blocks that are listed for people."""


@verb(
    examples=[
        ("hitp2p ipfs repair --dry-run", "See what is wrong; change nothing."),
        ("hitp2p ipfs repair", "Mend what this machine can mend by itself."),
        (
            "hitp2p ipfs repair --from ../backup --network",
            "Take what is lost from another workspace, else from whoever on the network has it.",
        ),
    ],
    json_fields={
        "daemon": "the daemon's address",
        "dry_run": "true: nothing was changed",
        "was_sound": "true: there was nothing to mend",
        "n_checked": "blocks that the daemon should have",
        "n_unpinned": "pins of this workspace that were gone; pinned again",
        "n_stray": "pins under its name that its index doesn't know; let go",
        "restored[]": "blocks that were lost and are there again (--dry-run: that could be)",
        "lost[]": "blocks that the daemon lost and that nobody has who was asked",
        "snapshots[]": "projects whose pinned snapshot was torn, and pinned anew",
    },
)
@daemon_options()
@click.option(
    "--from",
    "sources",
    multiple=True,
    metavar="STORE",
    help="Who may have what is lost: the folder of another workspace, or kubo:ADDRESS. May be given again.",
)
@click.option("--network", is_flag=True, help="Also ask the network, 20 seconds a block.")
@click.option("--dry-run", is_flag=True, help="Show what is wrong; change nothing.")
def command(
    run: Run,
    daemon: str | None,
    credentials: str | None,
    sources: tuple[str, ...],
    network: bool,
    dry_run: bool,
) -> None:
    """Check that the daemon has and pins all that it should keep of this workspace, and mend it.

    Signed objects come back from the index; texts and media from --from or the network. What nobody has
    stays lost, and importing a bundle with it, or adding it again, heals it later. Exit status 74 if
    something is lost for now. Bytes that changed on the daemon's disk, "hitp2p fsck" finds.
    """
    from hitp2p.ipfs_repair import repair_daemon

    with (
        open_daemon(run, daemon, credentials) as kubo,
        _opened(sources) as others,
        progress("repairing", unit="blocks", quiet=run.out.as_json) as move,
    ):
        address = str(kubo.address)
        report = repair_daemon(
            run.workspace.store,
            kubo,
            sources=others,
            network=network,
            dry_run=dry_run,
            progress=move,
        )
    run.out.emit(
        {
            "daemon": address,
            "dry_run": dry_run,
            "was_sound": report.was_sound,
            "n_checked": report.n_checked,
            "n_unpinned": report.n_unpinned,
            "n_stray": report.n_stray,
            "restored": [str(cid) for cid in report.restored],
            "lost": [str(cid) for cid in report.lost],
            "snapshots": [str(cid) for cid in report.snapshots],
        },
        _lines(report, Names(run.workspace), dry_run=dry_run),
    )
    if report.lost or (dry_run and not report.was_sound):
        click.get_current_context().exit(DAMAGED)


@contextmanager
def _opened(sources: Sequence[str]) -> Generator[list[BlockSource]]:
    """Other stores, open for reading blocks."""
    from hitp2p.store.kubo_address import KUBO_SCHEME, parse_kubo_address
    from hitp2p.store.kubo_admin import connect_admin
    from hitp2p.workspace import open_workspace

    with ExitStack() as stack:
        found: list[BlockSource] = []
        for name in sources:
            if name.startswith(KUBO_SCHEME):
                found.append(stack.enter_context(connect_admin(parse_kubo_address(name))))
            else:
                found.append(stack.enter_context(open_workspace(name, create=False)).store)
        yield found


def _lines(report: RepairReport, names: Names, *, dry_run: bool) -> Iterator[str]:
    yield f"Checked {n_of(report.n_checked, 'block')}."
    if report.was_sound:
        yield "The daemon has and pins all of it."
        return
    again, go, back = (
        ("to be pinned again", "to be let go", "to be had again")
        if dry_run
        else ("pinned again", "let go", "there again")
    )
    if report.n_unpinned:
        yield f"  {n_of(report.n_unpinned, 'pin')} gone, {again}"
    if report.n_stray:
        yield f"  {n_of(report.n_stray, 'stray pin')} {go}"
    if report.restored:
        yield f"  {n_of(len(report.restored), 'block')} lost, {back}"
    for project in report.snapshots:
        yield f"  the snapshot of {names.text(project)} was torn, {again}"
    if report.lost:
        yield f"  {n_of(len(report.lost), 'block')} LOST: nobody has it who was asked"
        yield from (f"    {cid}" for cid in report.lost[:SHOWN])
        if len(report.lost) > SHOWN:
            yield f"    and {len(report.lost) - SHOWN:,} more"
        yield "  Try --from STORE or --network, or import a bundle that has it."
