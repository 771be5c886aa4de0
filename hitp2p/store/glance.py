"""One stored object and what is around it, read without the machinery that checks and signs.

For programs that start, show one thing and end: they are done in half the time that importing a whole store takes (48
instead of 106 ms). What is read was checked when it was stored; its hash is checked again here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from hitp2p.codec.cid import Cid
from hitp2p.codec.dagcbor_decoder import decode_item
from hitp2p.codec.profile import Profile
from hitp2p.errors import CorruptBlockError, DecodeError, StoreError
from hitp2p.store.faults import store_errors
from hitp2p.store.names import database_path, parse_stored_cid, prefix_range
from hitp2p.store.schema import needs_migration, open_database

__all__ = ["Glance", "StoredObject"]


class StoredObject:
    """The fields of a signed object as stored; a plain class, because a dataclass costs half a millisecond of start-up."""

    __slots__ = (
        "author",
        "block",
        "body",
        "cid",
        "event",
        "kind",
        "parents",
        "project",
        "signer",
        "time",
    )

    def __init__(self, cid: Cid, block: bytes, fields: Mapping[str, Any]) -> None:
        self.cid = cid
        self.block = block
        self.kind: str = fields["kind"]
        self.time: int = fields["time"]
        self.signer: bytes = fields["signer"]
        self.author: Cid | None = fields.get("author")
        self.event: Cid | None = fields.get("event")
        self.project: Cid | None = fields.get("project")
        self.parents: tuple[Cid, ...] = tuple(fields.get("parents", ()))
        self.body: Mapping[str, Any] = fields["body"]


def _refers(block: bytes, cid: Cid) -> bool:
    from hitp2p.objects.envelope import parse_object  # which takes as long as all else: seldom

    return cid in parse_object(block).refs


class Glance:
    """A store's database, open for reading. Answers as `Store` does; for one thread."""

    def __init__(self, folder: Path) -> None:
        """Open the store in `folder`; one that an older program wrote is brought up to date first.

        Raises:
            StoreError: it isn't there, can't be read, or a newer program wrote it.
        """
        self._path = database_path(folder)
        if not self._path.exists():  # who only looks makes no new one
            raise StoreError(f"{self._path}: there is no store; open the workspace to make one")
        self._db = open_database(self._path)
        with store_errors(self._path):
            old = needs_migration(self._db)
        if old:
            self._db.close()
            self._migrate(folder)

    def _migrate(self, folder: Path) -> None:
        from hitp2p.store.choice import open_store

        open_store(folder).close()
        self._db = open_database(self._path)

    def close(self) -> None:
        """Let go of the file. Harmless twice."""
        self._db.close()

    def lookup(self, cid: Cid) -> StoredObject | None:
        """The object under a CID; None where it isn't here.

        Raises:
            CorruptBlockError: its bytes have changed on disk.
        """
        with store_errors(self._path):
            found = self._db.execute(
                "SELECT data FROM block WHERE cid = ? AND verified = 1", (bytes(cid),)
            ).fetchone()
        if found is None:
            return None
        block = found[0]
        if type(block) is not bytes or sha256(block).digest() != cid.digest:
            raise CorruptBlockError(f"the stored bytes of {cid} have changed on disk", cid)
        try:
            return StoredObject(
                cid, block, cast("dict[str, Any]", decode_item(block, Profile.OBJECT.value))
            )
        except (DecodeError, KeyError, TypeError) as error:
            raise StoreError(
                f"{self._path}: the database is damaged: {cid} stands there as an object and is none; "
                "try `hitp2p fsck`"
            ) from error

    def match_prefix(self, text: str, /, limit: int) -> tuple[Cid, ...]:
        """Up to `limit` signed objects whose CID as text starts with `text`, by CID.

        Args:
            text: with or without `bafyrei`; what can't be the beginning of a CID has no answers.
            limit: most answers.
        """
        between = prefix_range(text)
        if between is None:
            return ()
        return self._cids(
            "SELECT cid FROM block WHERE cid BETWEEN ? AND ? AND verified = 1 ORDER BY cid LIMIT ?",
            *between,
            limit,
        )

    def projects(self, limit: int) -> tuple[Cid, ...]:
        """Up to `limit` projects, the newest arrival first."""
        return self._cids(
            "SELECT cid FROM object WHERE kind = 'project' ORDER BY id DESC LIMIT ?", limit
        )

    def children(self, cid: Cid) -> tuple[Cid, ...]:
        """Objects that name `cid` as parent, by (generation, CID)."""
        waiting = self._waiting(lambda obj: cid in obj.parents, bytes(cid))
        return self._with(
            waiting,
            "SELECT object.cid, object.generation FROM block JOIN edge ON edge.parent = block.id"
            " JOIN object ON object.id = edge.child WHERE block.cid = ?",
            bytes(cid),
        )

    def referrers(self, cid: Cid) -> tuple[Cid, ...]:
        """Objects that name `cid` by a ref, by (generation, CID)."""
        waiting = self._waiting(lambda obj: _refers(obj.block, cid), str(cid).encode())
        return self._with(
            waiting,
            "SELECT object.cid, object.generation FROM ref JOIN object ON object.id = ref.id WHERE ref.target = ?",
            bytes(cid),
        )

    def _waiting(
        self, names: Callable[[StoredObject], bool], name: bytes
    ) -> list[tuple[object, object]]:
        """CID and generation of those objects that aren't in all tables yet, have `name` in their bytes, and `names` it."""
        with store_errors(self._path):
            late = self._db.execute(
                "SELECT block.cid, generation FROM object JOIN block ON block.id = object.id "
                "WHERE object.id > (SELECT id FROM folded) AND instr(data, ?)",
                (name,),
            ).fetchall()
        found = ((self.lookup(parse_stored_cid(raw)), raw, generation) for raw, generation in late)
        return [(raw, generation) for obj, raw, generation in found if obj and names(obj)]

    def _with(
        self, waiting: list[tuple[object, object]], query: str, value: bytes
    ) -> tuple[Cid, ...]:
        """The answer of a query, asked after what waits, as that may have been folded in between."""
        with store_errors(self._path):
            found: Any = {*self._db.execute(query, (value,)), *waiting}
        if any(type(raw) is not bytes or type(number) is not int for raw, number in found):
            raise StoreError(f"{self._path}: the database is damaged; try `hitp2p fsck`")
        ordered = sorted(found, key=lambda pair: (pair[1], pair[0]))
        return tuple(parse_stored_cid(raw) for raw, _ in ordered)

    def generation(self, cid: Cid) -> int:
        """Steps from the beginning along the longest way [TRL-11]; 0 for what isn't here."""
        return self._number(
            "SELECT generation FROM object JOIN block ON block.id = object.id WHERE block.cid = ?",
            cid,
        )

    def count_events(self, identity: Cid) -> int:
        """How many events of an identity are here, the genesis among them."""
        return self._number(
            "SELECT count(*) FROM object WHERE kind = 'identity' AND identity ="
            " (SELECT id FROM block WHERE cid = ?)",
            identity,
        )

    def _number(self, query: str, cid: Cid) -> int:
        with store_errors(self._path):
            found = self._db.execute(query, (bytes(cid),)).fetchone()
        if found is None:
            return 0
        if type(found[0]) is not int:
            raise StoreError(
                f"{self._path}: a number in the database is damaged; try `hitp2p fsck`"
            )
        return found[0]

    def _cids(self, query: str, *values: object) -> tuple[Cid, ...]:
        with store_errors(self._path):
            found = self._db.execute(query, values).fetchall()
        return tuple(parse_stored_cid(cid) for (cid,) in found)
