"""`hitp2p copy`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hitp2p.cli.app import verb
from hitp2p.cli.errors import with_step
from hitp2p.cli.output import n_of, size
from hitp2p.cli.places import MARK, tidy
from hitp2p.cli.progress import progress
from hitp2p.cli.run import Run
from hitp2p.errors import NotFoundError, StoreError, UsageError

if TYPE_CHECKING:
    from hitp2p.store.carrying import CopyReport
    from hitp2p.store.noted import NotedStore

SHOWN_FAULTS = 10
FAILED = StoreError.exit_status


@verb(
    examples=[
        (
            "hitp2p copy --to kubo:/ip4/127.0.0.1/tcp/5001 --switch",
            "Move this workspace onto the Kubo daemon of this machine.",
        ),
        ("hitp2p copy --to sqlite --switch", "Move it back into its folder."),
        ("hitp2p copy --to sqlite:/media/usb/night-bus --dry-run", "See what would be copied."),
        ("hitp2p copy --from ../old-bus", "Take in all that another workspace has."),
    ],
    json_fields={
        "from": "the store that was copied",
        "to": "where to",
        "dry_run": "true: nothing was written",
        "n_objects": "signed objects that were copied, or would be",
        "n_blocks": "other blocks: list pages, texts, media",
        "n_bytes": "bytes in all of these",
        "n_references": "blocks of media that stay in files outside of the store",
        "n_kept": "blocks that the target had already",
        "n_beside": "blocks of the target that the source hasn't; they stay",
        "faults[].cid": "a block that could not be copied",
        "faults[].message": "why",
        "findings[]": "what is wrong with the target afterwards, a sentence each",
        "sound": "true: the target has all that the source has, and is in order",
        "switched": "true: this workspace uses the target from now on",
    },
)
@click.option("--from", "source", metavar="STORE", help="What to copy; by default, this workspace.")
@click.option(
    "--to",
    "target",
    metavar="STORE",
    help="Where to; by default, into this workspace. What is there stays.",
)
@click.option(
    "--switch",
    is_flag=True,
    help="If all went well, let this workspace use the target from now on.",
)
@click.option("--dry-run", is_flag=True, help="Read and check everything; write nothing.")
@click.option(
    "--credentials",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="For a daemon that wants some: bearer:TOKEN or basic:USER:PASSWORD in a file of mode 0600.",
)
def command(
    run: Run,
    source: str | None,
    target: str | None,
    switch: bool,
    dry_run: bool,
    credentials: str | None,
) -> None:
    """Copy all that a store keeps into another one: objects, texts, media, list pages.

    STORE is a workspace's folder, sqlite:FOLDER (which is made if it isn't there), or a store of
    this workspace: sqlite, in its folder, or kubo:ADDRESS, on an IPFS daemon. Every block, signature
    and rule is checked on the way, and the target is looked over at the end. Nothing in the source
    is changed or removed.

    If it is interrupted, run it again: only what is missing moves. A target with other works has
    both afterwards. Files that were added with --reference stay where they are. Close other
    programs before --switch: they would go on reading the old store, and what they write is refused.
    """
    from hitp2p.moving import copy_store
    from hitp2p.store.choice import noted_stores

    if source is None and target is None:
        raise with_step(
            UsageError("copy from where, or to where?"),
            "For this workspace: hitp2p copy --to kubo:/ip4/127.0.0.1/tcp/5001 --switch",
        )
    home = _home(run, source, target)
    first, last = source or str(home), target or str(home)
    before = None if home is None else noted_stores(home / MARK).current
    with progress("copying", unit="blocks", quiet=run.out.as_json) as move:
        try:
            report = copy_store(
                first,
                last,
                workspace=home,
                switch=switch,
                dry_run=dry_run,
                credentials=credentials,
                progress=move,
            )
        except StoreError as error:
            raise with_step(
                error,
                "Nothing in the source was changed. Mend that and run the same command again: only what is "
                "missing moves.",
            ) from None
    run.out.emit(
        {"from": first, "to": last, "dry_run": dry_run, **_record(report)},
        [*_lines(report, last, dry_run), *_left(home, before, report)],
    )
    if not report.is_sound:
        click.get_current_context().exit(FAILED)
    if source is None and target is not None and not (dry_run or switch):
        _say_next(run, home, target)


def _home(run: Run, source: str | None, target: str | None) -> Path | None:
    """This workspace; None where there is none and none is needed."""
    try:
        home = run.folder
    except NotFoundError:
        if source is None or target is None:
            raise
        return None
    if source is None and run.store is not None:
        from hitp2p.store.choice import SQLITE, store_name

        if SQLITE not in (store_name(home / MARK), run.store):
            run.workspace.close()  # its daemon may have moved, which is noted now
    return home


def _say_next(run: Run, home: Path | None, target: str) -> None:
    """How the workspace comes to use what is its own."""
    from hitp2p.store.choice import SQLITE
    from hitp2p.store.kubo_address import KUBO_SCHEME

    if home is not None and (target == SQLITE or target.startswith(KUBO_SCHEME)):
        run.out.say(f"Next: hitp2p copy --to {target} --switch lets this workspace use it.")


def _record(report: CopyReport) -> dict[str, object]:
    return {
        "n_objects": report.n_objects,
        "n_blocks": report.n_blocks,
        "n_bytes": report.n_bytes,
        "n_references": report.n_references,
        "n_kept": report.n_kept,
        "n_beside": report.n_beside,
        "faults": [{"cid": str(one.cid), "message": one.message} for one in report.faults],
        "findings": list(report.findings),
        "sound": report.is_sound,
        "switched": report.switched,
    }


def _lines(report: CopyReport, target: str, dry_run: bool) -> Iterator[str]:
    what = f"{n_of(report.n_objects, 'object')} and {n_of(report.n_blocks, 'other block')}"
    done = "Would copy" if dry_run else "Copied"
    if report.n_objects or report.n_blocks:
        yield f"{done} {what} ({size(report.n_bytes)}) to {target}"
    else:
        yield f"Nothing to copy to {target}"
    if report.n_references:
        yield f"  in files outside, where they stay: {n_of(report.n_references, 'block')} of media"
    if report.n_kept:
        yield f"  already there: {n_of(report.n_kept, 'block')}"
    if report.n_beside:
        yield f"  beside them, from before: {n_of(report.n_beside, 'block')} of other works"
    for fault in report.faults[:SHOWN_FAULTS]:
        yield f"  not copied: {fault.cid}"
        yield f"    {fault.message}"
    if len(report.faults) > SHOWN_FAULTS:
        yield f"  not copied: {len(report.faults) - SHOWN_FAULTS:,} more"
    for finding in report.findings:
        yield f"  {finding}"
    if report.faults:
        yield (
            "Not everything could be copied. hitp2p fsck on the source names the damage; once it is healed, "
            "run this again."
        )


def _left(home: Path | None, before: NotedStore | None, report: CopyReport) -> Iterator[str]:
    """Of the store that isn't used any more, where it is."""
    if not report.switched or home is None or before is None:
        return
    from hitp2p.store.choice import SQLITE
    from hitp2p.store.sqlite import DATABASE, MEDIA

    yield "This workspace uses it from now on."
    folder = home / MARK / before.folder
    where = f"{tidy(folder / DATABASE)} and {tidy(folder / MEDIA)}"
    if before.store == SQLITE:
        yield f"The old store is still in {where}; delete them when you no longer need it."
    else:
        yield f"The old store is still on {before.store}."
