"""The snapshot of a project, pinned on the daemon: one CID from which any IPFS tool walks the project.

Holds keep what is here; the snapshot is for others. It is pinned only where everything that it reaches is here, as the
daemon would else look for the rest on the network. Its pages are derived, so they are no blocks of the store.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from typing import Final

from hitp2p.codec.car import CarWriter
from hitp2p.codec.cid import DAG_PB, OBJECT_CID_HEAD, Cid
from hitp2p.errors import NotFoundError, UsageError
from hitp2p.ports import BlockSource
from hitp2p.store.kubo_calls import Kubo
from hitp2p.store.kubo_rpc import RefusedError
from hitp2p.store.names import parse_stored_cid
from hitp2p.store.reach import iter_links
from hitp2p.trail.bundle import is_list_page
from hitp2p.trail.display import short_name
from hitp2p.trail.snapshot import Snapshot, build_snapshot

__all__ = [
    "SNAPSHOT_PIN",
    "iter_targets",
    "missing_in",
    "not_pinned",
    "pin_snapshot",
    "pinned_snapshots",
    "project_snapshot",
]

SNAPSHOT_PIN: Final = "hitp2p:"
"""What the name of a snapshot's pin begins with; the project's CID follows."""
_TRIES: Final = 3
_PROJECT: Final = "(SELECT id FROM block WHERE cid = ?1)"
_MEMBERS: Final = f"""
WITH member AS (
  SELECT id, cid, generation FROM object WHERE project = {_PROJECT}
  UNION
  SELECT id, cid, generation FROM object WHERE kind = 'identity' AND identity IN
    (SELECT identity FROM object WHERE project = {_PROJECT})
)
"""
"""The objects of a project, and all events of those who speak in it: so it has all that its objects require."""


def project_snapshot(db: sqlite3.Connection, project: Cid) -> Snapshot:
    """The snapshot of all objects of a project that are here, with identity events and list pages [SNP-2].

    Raises:
        NotFoundError: no object of it is here.
    """
    rows = db.execute(f"{_MEMBERS} SELECT generation, cid FROM member", (bytes(project),))
    pairs = [(generation, parse_stored_cid(raw)) for generation, raw in rows]
    if not pairs:
        raise NotFoundError(f"no object of the project {project} is here")
    pages = db.execute(
        f"{_MEMBERS} SELECT DISTINCT block.cid, block.data FROM member JOIN link ON link.id = member.id "
        "JOIN block ON block.cid = link.target "
        "WHERE substr(block.cid, 1, 4) = ?2 AND block.id NOT IN (SELECT id FROM object)",
        (bytes(project), OBJECT_CID_HEAD),
    )
    pairs += [(0, parse_stored_cid(raw)) for raw, data in pages if is_list_page(data)]
    return build_snapshot(pairs)


def iter_targets(db: sqlite3.Connection, project: Cid) -> Iterator[Cid]:
    """What the bodies of a project's objects link to: list pages, texts, media."""
    targets = db.execute(
        f"{_MEMBERS} SELECT DISTINCT link.target FROM member JOIN link ON link.id = member.id",
        (bytes(project),),
    )
    for (raw,) in targets.fetchall():
        yield parse_stored_cid(raw)


def missing_in(db: sqlite3.Connection, project: Cid, source: BlockSource) -> Iterator[Cid]:
    """Blocks that the objects of a project link to, or files of theirs, and that are not here."""
    waiting = list(iter_targets(db, project))
    seen: set[Cid] = set()
    while waiting:
        cid = waiting.pop()
        if cid in seen:
            continue
        seen.add(cid)
        if not db.execute("SELECT 1 FROM block WHERE cid = ?", (bytes(cid),)).fetchone():
            yield cid
        elif cid.codec == DAG_PB:
            waiting.extend(iter_links(cid, source.get(cid) or b""))


def pin_snapshot(kubo: Kubo, project: Cid, snapshot: Snapshot) -> None:
    """Pin a snapshot under the name of its project, in place of the one before.

    Whatever fails, one of them is pinned whole.

    Raises:
        BackendError: the daemon fails, or lacks something that the snapshot reaches.
    """
    name = f"{SNAPSHOT_PIN}{project}"
    old = kubo.pins_named(name)
    if not old:
        kubo.import_car(_car(snapshot), root=snapshot.root, n_blocks=len(snapshot.pages))
        kubo.name_pin(snapshot.root, name)
    elif snapshot.root not in old:
        _replace(kubo, old[0], snapshot)
        old = old[1:]
    kubo.remove_pins(cid for cid in old if cid != snapshot.root)


def pinned_snapshots(kubo: Kubo, project: Cid) -> list[Cid]:
    """The snapshots of a project that a daemon pins under its name; mostly one, or none."""
    return kubo.pins_named(f"{SNAPSHOT_PIN}{project}")


def not_pinned(kubo: Kubo, project: Cid) -> UsageError:
    """The error that a daemon pins no snapshot of a project, with what to do about it."""
    error = UsageError(f"{kubo.address} pins no whole snapshot of the project {project}")
    error.add_note(
        f"Bring it there first, with all its media: hitp2p ipfs push {short_name(project)}"
    )
    return error


def _replace(kubo: Kubo, old: Cid, snapshot: Snapshot) -> None:
    """Move the pin: of a long history, only what is new is walked."""
    for _ in range(_TRIES - 1):
        kubo.import_car(_car(snapshot), root=None, n_blocks=len(snapshot.pages))
        with suppress(RefusedError):  # garbage collection was faster and took a page
            kubo.update_pin(old, snapshot.root)
            return
    kubo.import_car(_car(snapshot), root=None, n_blocks=len(snapshot.pages))
    kubo.update_pin(old, snapshot.root)


def _car(snapshot: Snapshot) -> bytes:
    file = BytesIO()
    writer = CarWriter(file, [snapshot.root])
    for cid, page in snapshot.pages.items():
        writer.write(cid, page)
    return file.getvalue()
