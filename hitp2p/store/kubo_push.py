"""A project out of any store onto a daemon, whole under one pin where everything is here, so that others can fetch it.

Theory of operation. What the daemon doesn't keep yet of the project goes there in CARs, each with a hold (see `holds`), so
nothing is collected on the way, and a push that breaks off goes on where it was. When all that the project's snapshot
reaches is there, the pin of the project moves to the new snapshot in one step, and the holds are let go. So at any moment
the daemon pins a snapshot of the project whole, this one or the one before. Where media are left out or aren't here, the
holds stay, with the snapshot's pages, and the pin stays where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from typing import Final, Literal, TypeAlias

from hitp2p.codec.cid import DAG_PB, Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import BackendError, InvalidError, MissingBlocksError, UsageError
from hitp2p.objects.envelope import SignedObject, parse_object
from hitp2p.store.holds import Held, pack, parse_hold
from hitp2p.store.kubo import KuboStore
from hitp2p.store.kubo_admin import KuboAdmin
from hitp2p.store.kubo_batch import NONCE_BYTES, new_nonces
from hitp2p.store.kubo_snapshot import pin_snapshot, pinned_snapshots
from hitp2p.store.project_set import ProjectSet, project_set
from hitp2p.store.reach import iter_links
from hitp2p.store.sqlite import SqliteStore
from hitp2p.trail.bundle import is_list_page, is_media
from hitp2p.trail.snapshot import iter_snapshot

__all__ = ["PUSH_PIN", "PushMedia", "Pushed", "push_project", "snapshot_on"]

PUSH_PIN: Final = "hitp2p:push:"
"""What the name of a pin begins with that keeps a project on a daemon where no snapshot does; its CID follows."""
PushMedia: TypeAlias = Literal["none", "work", "all"]
"""Which media go along: none, those of works that nobody has built on yet, or all that are here."""
Move: TypeAlias = Callable[[int, int], None]
"""Called with (done, in all)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What came of a push."""

    project: Cid
    snapshot: Cid
    """Names the project as it is here."""
    is_pinned: bool
    """Whether the daemon pins that snapshot with all that it reaches."""
    n_objects: int
    """Objects and list pages in the snapshot."""
    n_sent: int
    """Blocks that went to the daemon; it had the others."""
    sent_bytes: int
    left_out: tuple[Cid, ...]
    """Media that are here and were not wanted, by their roots."""
    missing: tuple[Cid, ...]
    """Blocks that the objects link to and that are not here."""


def push_project(
    store: SqliteStore,
    daemon: KuboAdmin,
    project: Cid,
    *,
    media: PushMedia = "all",
    replace: bool = False,
    progress: Move | None = None,
) -> Pushed:
    """Bring a project onto a daemon, and pin its snapshot there where everything is here.

    Args:
        store: where the project is.
        daemon: may be the one on which the store is.
        project: its CID.
        media: which media go along. Texts always do.
        replace: pin this snapshot even if the one that is pinned names objects that aren't here.
        progress: is told of blocks.

    Raises:
        NotFoundError: the project isn't here.
        UsageError: the daemon's snapshot names objects that aren't here.
        UnlistedError: the project is unlisted, and the daemon announces.
        BackendError: the daemon fails; what was pinned before still is.
    """
    daemon.verify_version()
    if project in store.unlisted():
        daemon.require_silent()
    return _Push(store, daemon, project_set(store, project), media, progress).run(replace=replace)


def snapshot_on(daemon: KuboAdmin, project: Cid) -> tuple[Cid | None, frozenset[Cid]]:
    """The snapshot that a daemon pins for a project, and what that names; nothing where it can't be read."""
    root = next(iter(pinned_snapshots(daemon, project)), None)
    if root is not None:
        with suppress(InvalidError, MissingBlocksError):
            return root, frozenset(iter_snapshot(root, daemon))
    return root, frozenset()


class _Push:
    """One push."""

    def __init__(
        self,
        store: SqliteStore,
        daemon: KuboAdmin,
        found: ProjectSet,
        media: PushMedia,
        progress: Move | None,
    ) -> None:
        self._store = store
        self._daemon = daemon
        self._found = found
        self._media = media
        self._heads = frozenset(store.heads(found.project)) if media == "work" else frozenset[Cid]()
        self._progress = progress
        self._pin = f"{PUSH_PIN}{found.project}"
        self._left_out: set[Cid] = set()
        self._n_sent = self._sent_bytes = 0

    def run(self, *, replace: bool) -> Pushed:
        old, named = snapshot_on(self._daemon, self._found.project)
        unknown = named.difference(self._found.objects)
        if unknown and not replace:
            raise _unknown(old, len(unknown))
        if self._is_there:  # all but the snapshot's pages, which go there as it is pinned
            if self._found.missing:
                self._send(self._found.objects)
        elif old != self._found.snapshot.root:
            self._send(named)
        is_whole = not self._found.missing and not self._left_out
        if is_whole:
            pin_snapshot(self._daemon, self._found.project, self._found.snapshot)
            self._daemon.remove_pins(self._own_pins())
        return self._pushed(is_pinned=is_whole)

    @property
    def _is_there(self) -> bool:
        """Whether the daemon is the one on which the store is, so that all that is here is there."""
        return isinstance(self._store, KuboStore) and self._store.address == self._daemon.address

    def _pushed(self, *, is_pinned: bool) -> Pushed:
        return Pushed(
            project=self._found.project,
            snapshot=self._found.snapshot.root,
            is_pinned=is_pinned,
            n_objects=len(self._found.objects),
            n_sent=self._n_sent,
            sent_bytes=self._sent_bytes,
            left_out=tuple(sorted(self._left_out)),
            missing=self._found.missing,
        )

    def _own_pins(self) -> list[Cid]:
        """The holds of this project's pushes."""
        return self._daemon.pins_named(self._pin)

    def _kept(self) -> set[Cid]:
        """What these holds keep."""
        blocks = map(self._daemon.get, self._own_pins())
        return {held.cid for block in blocks if block for held in parse_hold(block).held}

    def _send(self, named: Iterable[Cid]) -> None:
        """Send what neither a push before nor what is `named` keeps there, pinned as it comes."""
        blocks = self._blocks(frozenset(named), self._kept())
        workspace = self._found.project.digest[:NONCE_BYTES]
        for hold in pack(blocks, workspace, new_nonces()):
            self._daemon.import_car(hold.car, root=hold.root, n_blocks=hold.n_blocks)
            self._daemon.name_pin(hold.root, self._pin)
            if self._daemon.pin_name(hold.root) != self._pin:
                raise BackendError(
                    f"{self._daemon.address} confirmed a pin and doesn't list it; see what else changes pins there, "
                    "then push again: it goes on where it was"
                )
            self._n_sent += len(hold.held)
            self._sent_bytes += len(hold.car)

    def _blocks(
        self, named: Collection[Cid], kept: Collection[Cid]
    ) -> Iterator[tuple[Held, bytes]]:
        """What is to be sent: objects, each followed by its texts and media, then the snapshot's pages."""
        n_done, n_all = 0, len(self._found.objects)
        passed: set[Cid] = set()
        for cid in self._found.objects:
            n_done += 1
            if cid in named:
                continue
            data = self._read(cid)
            obj = None if is_list_page(data) else parse_object(data, cid=cid)
            if cid not in kept:
                yield Held(cid, obj is not None), data
            for inner, block in self._below(obj, kept, passed) if obj else ():
                yield Held(inner, False), block
            if self._progress is not None:
                self._progress(n_done, n_all)
        for cid, page in self._found.snapshot.pages.items():
            if cid not in kept:
                yield Held(cid, False), page

    def _below(
        self, obj: SignedObject, kept: Collection[Cid], passed: set[Cid]
    ) -> Iterator[tuple[Cid, bytes]]:
        """The texts and media of an object that are wanted and here, with all their pieces."""
        wants_media = self._media == "all" or obj.cid in self._heads
        texts = {
            value
            for name, value in obj.body.items()
            if name.endswith("_block") and type(value) is Cid
        }
        waiting = [cid for cid in obj.links if is_media(cid) and self._store.has(cid)]
        if not wants_media:
            self._left_out.update(cid for cid in waiting if cid not in texts)
            waiting = [cid for cid in waiting if cid in texts]
        while waiting:
            cid = waiting.pop()
            if cid in passed or not self._store.has(cid):
                continue
            passed.add(cid)
            if cid not in kept or cid.codec == DAG_PB:
                data = self._read(cid)
                waiting.extend(iter_links(cid, data) if cid.codec == DAG_PB else ())
                if cid not in kept:
                    yield cid, data

    def _read(self, cid: Cid) -> bytes:
        data = self._store.get(cid)
        if data is None:
            raise MissingBlocksError(f"{cid} is not here any more", [cid])
        return data


def _unknown(snapshot: Cid | None, n_unknown: int) -> UsageError:
    error = UsageError(
        f"the snapshot that the daemon pins for this project, {snapshot}, names {n_unknown} objects that aren't here, "
        "so nothing was sent"
    )
    error.add_note(f"Take them in first: hitp2p pull {snapshot}. Or let them go: --replace.")
    return error
