"""`hitp2p node takedown`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from hitp2p.cli.app import verb
from hitp2p.cli.run import Run
from hitp2p.errors import UsageError

if TYPE_CHECKING:
    from hitp2p.codec.cid import Cid
    from hitp2p.node.takedown import Receipt


@verb(
    examples=[
        ("hitp2p node takedown", "The receipts."),
        (
            "hitp2p node takedown bafkrei... --reason 'notice of 3 May'",
            "Remove a file, and keep it out.",
        ),
        ("hitp2p node takedown bafkrei... --undo --reason settled", "Let it in again."),
    ],
    json_fields={
        "receipts[].cid": "what was named",
        "receipts[].time": "when, in milliseconds since 1970",
        "receipts[].reason": "why, as you said",
        "receipts[].blocks": "blocks that are kept out since",
        "receipts[].removed": "how many of them were here",
        "receipts[].shared": "blocks that other files have as well, which stay",
        "receipts[].elsewhere": "files of yours that hold some of it; they weren't touched",
        "receipts[].taken_back": "whether it was let in again by this",
    },
)
@click.argument("cid", required=False)
@click.option("--reason", default="", metavar="TEXT", help="A sentence for the receipt.")
@click.option("--undo", is_flag=True, help="Let it in again; the bytes don't come back by that.")
def command(run: Run, cid: str | None, reason: str, undo: bool) -> None:
    """Remove a file or text, or all those of a work, and keep them out from now on.

    The bytes go; what was signed stays, so the trail stays whole, with a gap. No peer brings or
    gets them again, until --undo. Each takedown leaves a receipt. Without a CID, shows all receipts.
    Backups aren't reached, and freed parts of the database may hold bytes until they are written
    over. What other files have in common with it stays.
    """
    from hitp2p.cli.nodes import require_node
    from hitp2p.node.takedown import Takedowns, take_down

    takedowns = Takedowns(require_node(run))
    if cid is None:
        if reason or undo:
            raise UsageError("name what is to be taken down: the CID of a file, a text or a work")
        receipts = takedowns.receipts
    else:
        one = take_down(
            run.workspace.store,
            _parse(run, cid),
            takedowns,
            reason=reason,
            time=run.clock(),
            is_taken_back=undo,
        )
        receipts = (one,)
    records: list[Any] = [one.to_json() for one in receipts]
    run.out.emit({"receipts": records}, _lines(receipts))


def _parse(run: Run, text: str) -> Cid:
    from contextlib import suppress

    from hitp2p.codec.cid import Cid
    from hitp2p.errors import InvalidError

    with suppress(InvalidError):
        return Cid.parse(text)
    return run.workspace.show(text).cid


def _lines(receipts: tuple[Receipt, ...]) -> Iterator[str]:
    for one in receipts:
        what = (
            "let in again" if one.is_taken_back else f"taken down, {one.n_removed} blocks removed"
        )
        yield f"{one.cid}  {what}{': ' + one.reason if one.reason else ''}"
        for path in one.elsewhere:
            yield f"    your file {path} holds some of it and wasn't touched"
        if one.shared:
            yield f"    {len(one.shared)} blocks stay, as other files have them too"
    if not receipts:
        yield "nothing was taken down"
