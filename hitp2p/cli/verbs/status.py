"""`hitp2p status`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hitp2p.cli.app import verb
from hitp2p.cli.output import fields, n_of
from hitp2p.cli.places import MARK, tidy
from hitp2p.cli.run import Run
from hitp2p.cli.sending import UNLISTED
from hitp2p.errors import UsageError
from hitp2p.store.choice import SQLITE, store_name

if TYPE_CHECKING:
    from hitp2p.cli.people import KeyEntry


@verb(
    examples=[("hitp2p status", "Where you are, who you are, and what is here.")],
    json_fields={
        "workspace": "its folder",
        "store": "where its works are: sqlite, or the address of a Kubo daemon",
        "identity.cid": "who speaks when --as isn't given (identity is null where nobody is chosen)",
        "identity.name": "what they call themselves",
        "n_unlisted": "projects marked as unlisted here",
        "n_identities": "identities whose keys are on this machine",
        "n_objects": "signed objects here",
        "kinds.*": "how many of each kind",
        "last_seq": "number of the last arrival; hitp2p watch --since takes it",
    },
)
def command(run: Run) -> None:
    """Show the workspace you are in, who you are, and what is here."""
    folder, ws = run.folder, run.workspace
    store = store_name(folder / MARK)
    n_unlisted = len(ws.store.unlisted())
    kinds = Counter(row.kind for row in ws.rows())
    entries = list(run.keys)
    speaker = _speaker(run)
    kinds_shown = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    record = {
        "workspace": str(folder.absolute()),
        "store": store,
        "identity": {"cid": str(speaker.cid), "name": speaker.name} if speaker else None,
        "n_unlisted": n_unlisted,
        "n_identities": len(entries),
        "n_objects": kinds.total(),
        "kinds": dict(sorted(kinds.items())),
        "last_seq": ws.store.last_seq(),
    }
    you = (
        f"{speaker.name} {speaker.code}"
        if speaker
        else f"{n_of(len(entries), 'identity', 'identities')} here, none chosen"
    )
    run.out.emit(
        record,
        fields(
            [
                ("workspace", tidy(folder)),
                *([] if store == SQLITE else [("store", store)]),
                ("you", you),
                ("unlisted", n_of(n_unlisted, "project") if n_unlisted else ""),
                ("objects", f"{kinds.total():,}" + (f": {kinds_shown}" if kinds else "")),
            ]
        ),
    )
    if n_unlisted:
        run.out.say(UNLISTED)


def _speaker(run: Run) -> KeyEntry | None:
    try:
        return run.keys.speaker(None)
    except UsageError:
        return None
