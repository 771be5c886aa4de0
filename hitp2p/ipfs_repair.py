"""A daemon held against what it should keep of a workspace, and what it lost brought back from wherever it still is.

Theory of operation. Expected are all blocks of the index, where the workspace is stored on this daemon, with the holds
that keep them; and of each project that was pushed there, its objects, its media as far as they are here, and the pages of its snapshot.
What the daemon lists no more is read from the index, from other stores, or from the network, hashed, and sent again. Then
pins are mended. What nobody has is named, and left out of new pins, so that the daemon's garbage collection goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import CorruptBlockError, InvalidError, MissingBlocksError
from hitp2p.ipfs_care import require_folder, snapshot_pins
from hitp2p.objects.envelope import parse_object
from hitp2p.ports import BlockSource
from hitp2p.store.contract import Store, WriteBatch
from hitp2p.store.holds import Held, alias_of, pack_loose
from hitp2p.store.intact import is_intact
from hitp2p.store.kubo import KuboStore
from hitp2p.store.kubo_index import holds
from hitp2p.store.kubo_push import push_project
from hitp2p.store.names import parse_stored_cid
from hitp2p.store.project_set import ProjectSet, project_set
from hitp2p.store.sqlite import SqliteStore
from hitp2p.trail.snapshot import iter_snapshot

if TYPE_CHECKING:
    from hitp2p.store.kubo_admin import KuboAdmin

__all__ = ["RepairReport", "repair_daemon"]

_PART_BYTES: Final = 8 * 1024 * 1024
"""How much is sent at once, in bytes."""
_NETWORK_S: Final = 20.0
"""How long to wait for a block from the network, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairReport:
    """What was wrong with a daemon, and what was done."""

    n_checked: int
    """Blocks that the daemon should have."""
    n_unpinned: int
    """Pins of this workspace that were gone, or whose lists were."""
    n_stray: int
    """Pins under its name that its index doesn't know, such as of a write that broke off; they are let go."""
    restored: tuple[Cid, ...]
    """Blocks that were lost and are there again; with `dry_run`, that somebody still has."""
    lost: tuple[Cid, ...]
    """Blocks that the daemon lost and nobody has that was asked."""
    snapshots: tuple[Cid, ...]
    """Projects whose pinned snapshot could not be walked, and was pinned anew."""

    @property
    def was_sound(self) -> bool:
        """Whether there was nothing to repair."""
        return not (self.n_unpinned or self.n_stray or self.restored or self.lost or self.snapshots)


def repair_daemon(
    store: Store,
    daemon: KuboAdmin,
    *,
    sources: Sequence[BlockSource] = (),
    network: bool = False,
    dry_run: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> RepairReport:
    """Check a daemon against a workspace, and mend what can be mended.

    Args:
        store: the workspace's.
        daemon: the one that it is stored on, or that projects were pushed to.
        sources: who else may have what is lost; what they give is hashed.
        network: ask the network for what is in no source.
        dry_run: change nothing. (A block that comes from the network stays on the daemon all the same.)
        progress: told of lost blocks, as they are looked for.

    Raises:
        UnlistedError: something of an unlisted project would go where it is announced.
        StoreError: somebody else writes to the store, or the daemon fails.
    """
    daemon.verify_version()
    repair = _Repair(require_folder(store), daemon, sources, network and daemon.is_online())
    return repair.run(dry_run, progress)


class _Repair:
    """One check with what follows from it."""

    def __init__(
        self, store: SqliteStore, daemon: KuboAdmin, sources: Sequence[BlockSource], network: bool
    ) -> None:
        self._store = store
        self._daemon = daemon
        self._sources = sources
        self._network = network
        self._own = (
            store if isinstance(store, KuboStore) and store.address == daemon.address else None
        )
        self._pages: dict[Cid, bytes] = {}
        """Pages of snapshots that are pinned: derived, and in no store."""

    def run(self, dry_run: bool, progress: Callable[[int, int], None] | None) -> RepairReport:
        pushed = self._pushed()
        if not dry_run and not self._store.unlisted().isdisjoint(one.project for one in pushed):
            self._daemon.require_silent()
        torn = [one for one in pushed if not self._can_be_walked(one)]
        expected = self._expected(pushed)
        there = {alias_of(cid) for cid in self._daemon.iter_local()}
        absent = [cid for cid in expected if alias_of(cid) not in there]
        noted, unpinned, n_stray = self._pins()
        found: list[Cid] = []
        wanted = [cid for cid in absent if cid not in noted]
        for part in self._parts(wanted, progress):
            found += [cid for cid, _ in part]
            if not dry_run:
                self._send(part)
        if not dry_run:
            found = [cid for cid in found if self._daemon.get(cid) is not None]
        lost = set(wanted) - set(found)
        if not dry_run:
            self._mend(lost | (noted & set(absent)), torn)
        return RepairReport(
            n_checked=len(expected),
            n_unpinned=len(unpinned | (noted & set(absent))),
            n_stray=n_stray,
            restored=tuple(sorted(found)),
            lost=tuple(sorted(lost)),
            snapshots=tuple(one.project for one in torn),
        )

    def _pushed(self) -> list[ProjectSet]:
        """The projects here that the daemon pins a snapshot of."""
        pinned = snapshot_pins(self._daemon)
        return [
            project_set(self._store, row.cid)
            for row in self._store.rows(kind="project")
            if row.cid in pinned
        ]

    def _can_be_walked(self, one: ProjectSet) -> bool:
        """Whether the pages of the pinned snapshot are there, or can be made again."""
        pinned = snapshot_pins(self._daemon)[one.project]
        if pinned == one.snapshot.root:
            self._pages |= one.snapshot.pages
            return True
        with suppress(InvalidError, MissingBlocksError, CorruptBlockError):
            return sum(1 for _ in iter_snapshot(pinned, self._daemon)) > 0
        return False

    def _expected(self, pushed: Iterable[ProjectSet]) -> dict[Cid, None]:
        """What the daemon should have, each once."""
        expected = dict.fromkeys(self._pages)
        if self._own is not None:
            with self._own.reading() as db:
                expected |= dict.fromkeys(holds(db))
                rows = db.execute("SELECT cid FROM block").fetchall()
            return expected | dict.fromkeys(parse_stored_cid(raw) for (raw,) in rows)
        for one in pushed:
            expected |= dict.fromkeys((*one.objects, *one.held))
        return expected

    def _pins(self) -> tuple[set[Cid], set[Cid], int]:
        """The holds that the index knows, those of them that aren't pinned, and how many pins it doesn't know."""
        if self._own is None:
            return set(), set(), 0
        with self._own.reading() as db:
            noted = set(holds(db))
        pinned = {pin.cid for pin in self._daemon.iter_pins(self._own.pin_name)}
        return noted, noted - pinned, len(pinned - noted)

    def _parts(
        self, cids: Sequence[Cid], progress: Callable[[int, int], None] | None
    ) -> Iterator[list[tuple[Cid, bytes]]]:
        """What is still to be had of lost blocks, in parts that can be held."""
        part: list[tuple[Cid, bytes]] = []
        n_bytes = 0
        for number, cid in enumerate(cids, start=1):
            data = self._find(cid)
            if data is not None:
                part.append((cid, data))
                n_bytes += len(data)
            if progress is not None:
                progress(number, len(cids))
            if n_bytes >= _PART_BYTES:
                yield part
                part, n_bytes = [], 0
        if part:
            yield part

    def _find(self, cid: Cid) -> bytes | None:
        with suppress(CorruptBlockError):  # else the daemon thinks it has it, and won't store it
            self._daemon.get(cid)
        if cid in self._pages:
            return self._pages[cid]
        for source in (self._store, *self._sources):
            with suppress(CorruptBlockError):
                data = source.get(cid)
                if data is not None and is_intact(data, cid):
                    return data
        return self._daemon.fetch(cid, within_s=_NETWORK_S) if self._network else None

    def _send(self, part: list[tuple[Cid, bytes]]) -> None:
        """Let the daemon have blocks again, below the pins that should keep them."""
        if self._own is not None:
            stored = [(cid, data) for cid, data in part if cid not in self._pages]
            signed = [
                parse_object(data, cid=cid)
                for cid, data in stored
                if self._own.row(cid) is not None
            ]
            named = {obj.cid for obj in signed}
            blocks = [(cid, data) for cid, data in stored if cid not in named]
            self._own.put(WriteBatch(objects=signed, blocks=blocks))
            part = [(cid, data) for cid, data in part if cid in self._pages]
        for car, n_blocks in pack_loose((Held(cid, False), data) for cid, data in part):
            self._daemon.import_car(car, root=None, n_blocks=n_blocks)

    def _mend(self, lost: set[Cid], torn: Iterable[ProjectSet]) -> None:
        if self._own is not None:
            self._own.repair(lost)
        pinned = snapshot_pins(self._daemon)
        for one in torn:  # the daemon can't move a pin whose old pages it can't walk
            self._daemon.remove_pins([pinned[one.project]])
            push_project(self._store, self._daemon, one.project)
