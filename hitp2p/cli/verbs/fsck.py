"""`hitp2p fsck`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from hitp2p.cli.app import verb
from hitp2p.cli.output import n_of, size
from hitp2p.cli.progress import Move, progress
from hitp2p.cli.run import Run
from hitp2p.errors import StoreError

if TYPE_CHECKING:
    from hitp2p.codec.cid import Cid
    from hitp2p.store.fsck import FsckReport

DAMAGED = StoreError.exit_status
SHOWN_GAPS = 10


@verb(
    examples=[
        ("hitp2p fsck", "Check everything; exit status 74 if something is damaged."),
        ("hitp2p fsck --rebuild-index", "Make the index anew from the blocks, then check."),
    ],
    json_fields={
        "sound": "true: every block is what its name says, and every index agrees",
        "n_objects": "signed objects that were checked",
        "n_blocks": "blocks that were checked",
        "n_bytes": "bytes that were hashed",
        "findings[].code": "stable word for the damage",
        "findings[].cid": "the block, or null",
        "findings[].message": "one sentence",
        "left_out[]": "objects that a new index had to leave out, because they or what they need are damaged",
        "gaps[]": "media, texts and pages that objects link to and that aren't here; no damage",
    },
)
@click.option(
    "--rebuild-index",
    "rebuild",
    is_flag=True,
    help="First throw the index away and make it anew from the blocks.",
)
def command(run: Run, rebuild: bool) -> None:
    """Check every block, signature, rule, media file and index of the store; change nothing.

    Damage is what was here and is wrong now. A backup, or an import of the same work, heals it.
    Media that were never fetched are gaps, not damage.
    """
    ws = run.workspace
    left_out: tuple[Cid, ...] = ()
    if rebuild:
        with progress("indexing", unit="objects", quiet=run.out.as_json) as indexed:
            left_out = ws.store.rebuild_index(progress=indexed)
    with progress("checking", unit="blocks", quiet=run.out.as_json) as move:
        n_blocks = sum(1 for _ in ws.store.iter_cids()) if move else 0
        report = ws.fsck(progress=_counted(move, n_blocks))
    run.out.emit(
        {
            "sound": report.is_sound,
            "n_objects": report.n_objects,
            "n_blocks": report.n_blocks,
            "n_bytes": report.n_bytes,
            "findings": [
                {
                    "code": str(finding.code),
                    "cid": str(finding.cid) if finding.cid else None,
                    "message": finding.message,
                }
                for finding in report.findings
            ],
            "left_out": [str(cid) for cid in left_out],
            "gaps": [str(cid) for cid in report.gaps],
        },
        [*_rebuilt(rebuild, left_out), *_lines(report)],
    )
    if not report.is_sound:
        click.get_current_context().exit(DAMAGED)


def _rebuilt(rebuild: bool, left_out: tuple[Cid, ...]) -> list[str]:
    if not rebuild:
        return []
    lines = ["Made the index anew."]
    if left_out:
        lines.append(f"Left out until they are healed: {n_of(len(left_out), 'object')}")
        lines += [f"  {cid}" for cid in left_out[:SHOWN_GAPS]]
    return lines


def _counted(move: Move | None, n_blocks: int) -> Callable[[int], None] | None:
    """The store tells how many blocks it has checked; the bar wants to know of how many."""
    return None if move is None else lambda done: move(done, n_blocks)


def _lines(report: FsckReport) -> list[str]:
    lines = [
        f"Checked {n_of(report.n_objects, 'object')}, {n_of(report.n_blocks, 'block')}, {size(report.n_bytes)}."
    ]
    for finding in report.findings:
        lines.append(f"  {finding.code}: {finding.message}")
        lines += [f"    {finding.cid}"] if finding.cid else []
    if report.gaps:
        lines.append(
            f"Not here (no damage): {n_of(len(report.gaps), 'block')} of media, texts or pages"
        )
        lines += [f"  {cid}" for cid in report.gaps[:SHOWN_GAPS]]
    lines.append(
        "Sound."
        if report.is_sound
        else f"{n_of(len(report.findings), 'finding')}: the store is damaged."
    )
    return lines
