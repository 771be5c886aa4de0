"""A store on a Kubo daemon: the blocks there, pinned; an index of them here, in SQLite.

Theory of operation. What a batch brings goes to the daemon as CARs, each with a hold (see `holds`) that is pinned in the
same step as the blocks are stored, so no garbage collection comes between. Only when the daemon has confirmed the pins
does one transaction write the index, and only then is the batch acknowledged. A batch that fails leaves the index as it
was, and at worst a pin that nothing refers to. What is removed leaves the index first, its pin after the commit. A file
that is added goes to the daemon while it is read (see `kubo_media`), before the object that links to it.

The index keeps the bytes of signed objects and list pages as well, as everything that judges and shows reads them; texts
and media are on the daemon alone. The daemon isn't trusted: what it gives is hashed again. The index can be made anew
from the pins; then every signature is checked again, as a pin says nothing about who signed.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Collection, Generator, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Final

from hitp2p.codec.cid import Cid
from hitp2p.errors import (
    BackendError,
    CorruptBlockError,
    LostBlockError,
    MissingBlocksError,
    UsageError,
)
from hitp2p.store.carrying import carry
from hitp2p.store.connections import Connections
from hitp2p.store.contract import LeafPlace, ObjectRow, Progress, WriteBatch
from hitp2p.store.copies import new_folder
from hitp2p.store.faults import store_errors
from hitp2p.store.holds import Held, pack_again
from hitp2p.store.index import rebuild
from hitp2p.store.intact import is_intact, require_intact
from hitp2p.store.kubo_address import KuboAddress
from hitp2p.store.kubo_admin import KuboAdmin, connect_admin
from hitp2p.store.kubo_batch import NONCE_BYTES, index_batch, new_nonces, part_batch
from hitp2p.store.kubo_care import compare_daemon, recover
from hitp2p.store.kubo_holding import Holding, Unit
from hitp2p.store.kubo_index import (
    add_hold,
    create_tables,
    find_held,
    find_holds,
    held_by,
    holds,
    release_holds,
    released,
    take_released,
    workspace_id,
)
from hitp2p.store.kubo_locks import alone_with, at_work
from hitp2p.store.kubo_media import LeafSender, sending
from hitp2p.store.kubo_rpc import KuboRpc
from hitp2p.store.kubo_snapshot import missing_in, pin_snapshot, project_snapshot
from hitp2p.store.leaves import read_leaf
from hitp2p.store.names import INDEX
from hitp2p.store.read_ahead import ReadAhead
from hitp2p.store.sqlite import MEDIA, SqliteStore
from hitp2p.store.unlisted import has_unlisted
from hitp2p.store.writing import put_batch, remove_blocks

__all__ = ["PIN_NAME", "KuboStore"]

PIN_NAME: Final = "hitp2p:store:"
"""What the name of a hold's pin begins with; the workspace's name in hexadecimal digits follows."""
_MANY: Final = 256
"""So many blocks go to the daemon while the index takes them: that hides the shorter of both, and other writers wait longer."""


class _Again(Exception):
    """Somebody else removed meanwhile what this batch counted on."""


class KuboStore(SqliteStore):
    """A store on a daemon, with an index in a folder; see `hitp2p.store.contract.Store`."""

    def __init__(self, connections: Connections, folder: Path, kubo: KuboAdmin) -> None:
        """For `connect`."""
        super().__init__(connections, folder)
        self._kubo = kubo
        self._ahead = ReadAhead(kubo.get)
        self._workspace = b""
        self._local = threading.local()

    @classmethod
    def connect(
        cls,
        folder: Path,
        address: KuboAddress,
        *,
        authorization: str | None = None,
        workspace: bytes | None = None,
        within_s: float = 60.0,
    ) -> KuboStore:
        """Open a store, made first where there is none. The daemon is asked when it is needed.

        Args:
            folder: where the index is.
            address: of the daemon's RPC port.
            authorization: value of the header of that name.
            workspace: name of the workspace, 16 bytes, for a new index: its holds may be on the daemon already, and
                `rebuild_index` finds them. By default one that is new.
            within_s: how long the daemon may take over a call, in seconds.

        Raises:
            StoreError: the folder can't be used.
            UsageError: the extra `ipfs` isn't installed.
        """
        folder = folder.absolute()
        kubo = connect_admin(address, authorization, within_s=within_s)
        try:
            with store_errors(folder):
                (folder / MEDIA).mkdir(parents=True, exist_ok=True)
            store = cls(Connections(folder / INDEX), folder, kubo)
            store._start_on(workspace or os.urandom(NONCE_BYTES))
        except BaseException:
            kubo.close()
            raise
        return store

    def _start_on(self, workspace: bytes) -> None:
        try:
            self._start()
            with self._connections.read() as db:
                found = workspace_id(db)
            if found is None:
                with self._writing() as db:
                    found = create_tables(db, workspace)
            self._workspace = found
            self._holding = Holding(self._kubo, found, self.pin_name)
        except BaseException:
            self.close()
            raise

    @property
    def workspace(self) -> bytes:
        """The name of the workspace, under which its holds are pinned."""
        return self._workspace

    @property
    def address(self) -> KuboAddress:
        """Where the daemon answers."""
        return self._kubo.address

    @property
    def rpc(self) -> KuboRpc:
        """What sends requests to the daemon, until the store is closed."""
        return self._kubo.rpc

    @property
    def pin_name(self) -> str:
        """The name of all pins of holds of this workspace."""
        return PIN_NAME + self._workspace.hex()

    # --- reading ----------------------------------------------------------------------------------

    def get(self, cid: Cid, /) -> bytes | None:
        with self._connections.use() as db:
            row = db.execute("SELECT data FROM block WHERE cid = ?", (bytes(cid),)).fetchone()
        if row is None or is_intact(row[0], cid):
            return super().get(cid)  # it is here, in a plain file, or nowhere
        data = self._ahead.get(cid)
        if data is None:
            raise LostBlockError(
                f"{self.address} has lost {cid}, which was pinned there; import the block again, or take it "
                "from a backup",
                cid,
            )
        return data

    # --- writing ----------------------------------------------------------------------------------

    def put(self, batch: WriteBatch, *, durable: bool = True) -> tuple[ObjectRow, ...]:
        for cid, data in batch.blocks:
            require_intact(cid, data)
        if has_unlisted(batch, self.unlisted(), lambda cid: self.row(cid) is not None):
            self._kubo.require_silent()
        while True:
            with suppress(_Again), self._unit() as unit:
                return self._put(batch, unit, durable)

    def _put(self, batch: WriteBatch, unit: Unit, durable: bool) -> tuple[ObjectRow, ...]:
        staged = [leaf for leaf in batch.leaves if not os.path.isabs(leaf.path)]
        known = self._find_held(batch, staged)
        self._require_all(batch)
        new, again = part_batch(batch, known)
        leaves = [leaf for leaf in staged if leaf.cid not in known]
        self._holding.send_again(again)
        n_bytes = sum(leaf.length for leaf in leaves)
        with (
            self._holding.pinned(
                self._with_leaves(new, leaves), unit, n_bytes=n_bytes, beside=len(new) >= _MANY
            ) as wait,
            self._writing(durable=durable) as db,
        ):
            rows = put_batch(db, index_batch(batch, staged))
            for root, held in wait():
                add_hold(db, root, held)
            if len(find_held(db, known)) < len(known):
                raise _Again
        unit.used_up += {self.media_folder / leaf.path for leaf in staged}
        return rows

    def _find_held(self, batch: WriteBatch, staged: list[LeafPlace]) -> dict[Cid, bool]:
        cids = [
            *(obj.cid for obj in batch.objects),
            *(cid for cid, _ in batch.blocks),
            *(leaf.cid for leaf in staged),
        ]
        with self._connections.use() as db:
            return find_held(db, cids)

    def _require_all(self, batch: WriteBatch) -> None:
        """Refuse early, before anything is sent; the transaction asks again."""
        cids = {obj.cid for obj in batch.objects}
        needed = {cid for obj in batch.objects for cid in obj.required} - cids
        missing = sorted(cid for cid in needed if self.row(cid) is None)
        if missing:
            raise MissingBlocksError(
                f"{len(missing)} objects that these require are not here, the first {missing[0]}",
                missing,
            )

    def _with_leaves(
        self, blocks: Iterable[tuple[Held, bytes]], leaves: Iterable[LeafPlace]
    ) -> Iterator[tuple[Held, bytes]]:
        """The blocks, then the bytes of the leaves, read from their files one by one."""
        yield from blocks
        for cid, place in {leaf.cid: leaf for leaf in leaves}.items():
            try:
                yield Held(cid, False), read_leaf(self.media_folder, [place])
            except CorruptBlockError:
                with self._connections.use() as db:
                    if find_held(
                        db, [cid]
                    ):  # another program was faster, and cleared the file away
                        raise _Again from None
                raise

    @contextmanager
    def take_media(self, size: int) -> Generator[LeafSender | None]:
        """Take a file while it is read; see `hitp2p.store.media.TakesMedia`. Nothing is sent that may have to stay here."""
        if self.unlisted() and not self._kubo.providing().is_silent:
            yield None
            return
        with self._unit() as unit:
            with sending(lambda blocks: self._holding.hold_stream(blocks, unit, size)) as sender:
                yield sender
                pinned = sender.result()
            blocks = [(each.cid, b"") for _, held in pinned for each in held]
            with self._writing() as db:
                put_batch(db, WriteBatch(blocks=blocks))
                for root, held in pinned:
                    add_hold(db, root, held)

    def remove(self, cids: Iterable[Cid], /) -> None:
        gone = dict.fromkeys(cids)
        with self._unit() as unit, self._writing() as db:
            remove_blocks(db, gone, fts5=self._fts5)
            touched = find_holds(db, gone)
            kept = {each for id_ in touched.values() for each in held_by(db, id_)}
            left = [each for each in kept if each.cid not in gone]
            release_holds(db, touched.items())
            for hold in pack_again(left, self._workspace, new_nonces()):
                self._holding.pin(unit, hold)
                add_hold(db, hold.root, hold.held)

    @contextmanager
    def exclusive(self) -> Generator[None]:
        with self._unit(), super().exclusive():
            yield

    @contextmanager
    def _unit(self, *, alone: bool = False) -> Generator[Unit]:
        """What is done on the daemon, tied to what is done in the index: let go if it fails, tidied up if not."""
        above: Unit | None = getattr(self._local, "unit", None)
        if above is not None and alone:
            raise UsageError("not inside `exclusive`: care for the index stands alone")
        unit = self._local.unit = Unit()
        try:
            with (
                nullcontext()
                if above
                else alone_with(self._folder)
                if alone
                else at_work(self._folder)
            ):
                try:
                    yield unit
                except BaseException:
                    with suppress(BackendError, UsageError):
                        self._kubo.remove_pins(unit.pinned)
                    raise
                if above is None:
                    self._tidy(unit)
        finally:
            self._local.unit = above
        if above is not None:
            above.take(unit)

    def _tidy(self, unit: Unit) -> None:
        """After the commit: clear away what isn't needed any more. What fails here is done the next time."""
        for path in unit.used_up:
            with suppress(OSError):
                path.unlink()
        with self._connections.use() as db:
            cids = released(db)
        if cids:
            with suppress(BackendError):
                self._kubo.remove_pins(cids)
                with self._writing(durable=False) as db:
                    take_released(db, cids)

    # --- for others -------------------------------------------------------------------------------

    def pin_snapshot(self, project: Cid, /) -> Cid | None:
        """Pin the snapshot of a project as it is now, in place of the one before; None where not all of it is here.

        The pin's name is `hitp2p:` and the project's CID. From the snapshot any IPFS tool walks the project with its
        media, oldest first. What is written afterwards isn't in it.

        Raises:
            NotFoundError: the project isn't here.
            BackendError: the daemon fails; the one before is still pinned.
        """
        if project in self.unlisted():
            self._kubo.require_silent()
        with self._unit(), self._connections.read() as db:
            snapshot = project_snapshot(db, project)
            if next(missing_in(db, project, self), None) is not None:
                return None
        self._holding.require_kubo()
        pin_snapshot(self._kubo, project, snapshot)
        return snapshot.root

    # --- care -------------------------------------------------------------------------------------

    def rebuild_index(self, *, progress: Progress | None = None) -> tuple[Cid, ...]:
        with self._unit(alone=True), self._writing() as db:
            left_out = recover(db, self._kubo, self.pin_name, self._workspace, progress)
            return tuple(sorted({*left_out, *rebuild(db, fts5=self._fts5, progress=progress)}))

    def audit_index(self) -> tuple[str, ...]:
        found = super().audit_index()
        with self._connections.use() as db:
            return (*found, *compare_daemon(db, self._kubo, self.pin_name))

    def repair(self, lost: Collection[Cid] = ()) -> int:
        """Pin again what lost its pin on the daemon, and let go of pins that the index doesn't know.

        Args:
            lost: blocks that the daemon lost and nobody has, holds of ours among them. What else these holds keep is
                pinned anew without them, as a pin with a gap stops the daemon's garbage collection.

        Returns how many pins were changed.

        Raises:
            BackendError: other blocks are lost that the index doesn't hold itself; they must be put again.
        """
        if self.unlisted():
            self._kubo.require_silent()
        with self._unit(alone=True) as unit, self._writing() as db:
            noted = holds(db)
            pinned = {pin.cid for pin in self._kubo.iter_pins(self.pin_name)}
            self._kubo.remove_pins(pinned - noted.keys())
            torn = {*find_holds(db, lost), *(noted.keys() & set(lost))}
            gone = {cid: id_ for cid, id_ in noted.items() if cid not in pinned or cid in torn}
            held = {each for id_ in gone.values() for each in held_by(db, id_)}
            kept = [each for each in held if each.cid not in lost]
            self._holding.send_again(
                [(each, data) for each in kept if (data := self._indexed(db, each))]
            )
            release_holds(db, gone.items())
            for hold in pack_again(kept, self._workspace, new_nonces()):
                self._holding.pin(unit, hold)
                add_hold(db, hold.root, hold.held)
            return len(gone) + len(pinned - noted.keys())

    @staticmethod
    def _indexed(db: sqlite3.Connection, held: Held) -> bytes | None:
        """The bytes of a block, if the index has them."""
        row = db.execute("SELECT data FROM block WHERE cid = ?", (bytes(held.cid),)).fetchone()
        return row[0] if row is not None and is_intact(row[0], held.cid) else None

    def backup(self, target: Path, /) -> None:
        with new_folder(target.absolute()) as unfinished, SqliteStore.open(unfinished) as copy:
            for fault in carry(self, copy).faults:
                raise CorruptBlockError(fault.message, fault.cid)

    def close(self) -> None:
        super().close()
        self._ahead.close()
        self._kubo.close()
