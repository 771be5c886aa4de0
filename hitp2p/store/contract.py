"""What a store is: rows it answers with, the batch it takes, and the interface that every store keeps.

A store holds blocks and answers questions about the signed objects among them. The blocks are the truth; every answer
but `seq` is a function of them, so `rebuild_index` changes no answer. A store judges nothing: signatures and trail
rules are checked before `put`, and being stored as an object is how that check is remembered.

Every method may be called by several threads at once, and on stores with a folder by several processes at once.
`hitp2p.testing.store_suite` checks a store against this contract.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, TypeAlias

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.objects.envelope import SignedObject

__all__ = ["LeafPlace", "ObjectRow", "Progress", "Store", "WriteBatch"]

Progress: TypeAlias = Callable[[int, int], None]
"""Called with what is done and what there is in all, now and then, in the caller's thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRow:
    """What the index says about one signed object."""

    cid: Cid
    """Its name."""
    kind: str
    """What it says it is."""
    project: Cid | None
    """The project it belongs to (a project: itself); None for profiles and identity events."""
    identity: Cid | None
    """The genesis of the identity that speaks; of a genesis, itself."""
    signer: bytes
    """The 32-byte public key that signed it."""
    generation: int
    """1 + the highest generation among what it requires, or 0 [TRL-11]."""
    seq: int
    """Number of arrival in this store: grows, has gaps, is never used again. A cursor for change feeds, local to the store."""
    time: int
    """Milliseconds since 1970, as its signer claims."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafPlace:
    """Where in a plain file the bytes of a raw block lie."""

    cid: Cid
    """The block."""
    path: str
    """Relative: a file of the store's media folder. Absolute: a file elsewhere, referenced in place."""
    offset: int
    """First byte in the file."""
    length: int
    """Length of the block in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteBatch:
    """What goes into a store in one transaction."""

    objects: Sequence[SignedObject] = ()
    """Signed objects, signature and trail rules verified. In any order."""
    blocks: Sequence[tuple[Cid, bytes]] = ()
    """Other blocks: pages, texts, UnixFS nodes, small media."""
    leaves: Sequence[LeafPlace] = ()
    """Media blocks that stay in plain files; the files are complete and on disk."""


class Store(Protocol):
    """Blocks, and an index over the signed objects among them."""

    @property
    def media_folder(self) -> Path | None:
        """Where media files may be put beside the store; None where leaves are kept as blocks."""
        ...

    def get(self, cid: Cid, /) -> bytes | None:
        """The bytes of a block, hashed again on the way out; None where it is absent.

        Raises:
            CorruptBlockError: the block is recorded here, but its bytes are lost or no longer hash to `cid`.
        """
        ...

    def has(self, cid: Cid, /) -> bool:
        """Whether the block is recorded here, its bytes unread."""
        ...

    def put(self, batch: WriteBatch, *, durable: bool = True) -> tuple[ObjectRow, ...]:
        """Store a batch: all of it or nothing. Returns rows of the objects that are new, each after what it requires.

        What is here already is left as it is, except that a damaged copy is replaced. When this returns, every process
        sees the batch, and it outlives a crash of the program; with `durable` also a power cut.

        Raises:
            MissingBlocksError: an object requires one that is neither here as an object nor in the batch.
            DecodeError: a block doesn't hash to its CID (CAR-3).
            StoreFullError: no room; nothing was written.
        """
        ...

    def row(self, cid: Cid, /) -> ObjectRow | None:
        """The row of a signed object; None where there is none, also for other blocks."""
        ...

    def rows(
        self,
        *,
        project: Cid | None = None,
        kind: str | None = None,
        identity: Cid | None = None,
        after: int = 0,
        limit: int | None = None,
    ) -> Iterator[ObjectRow]:
        """Rows with `seq` above `after`, by `seq`, so each after what it requires. What arrives meanwhile may be among them."""
        ...

    def last_seq(self) -> int:
        """The highest `seq` here, 0 in an empty store."""
        ...

    def children(self, cid: Cid, /) -> tuple[Cid, ...]:
        """Objects that name `cid` as parent, by (generation, CID). Empty for what is not here."""
        ...

    def heads(self, project: Cid, /) -> tuple[Cid, ...]:
        """Works of the project that no work here names as parent, by (generation, CID) [TRL-10]."""
        ...

    def ancestors(self, cids: Iterable[Cid], /) -> Iterator[ObjectRow]:
        """The given objects and all they reach by `parents`, each once, by (generation, CID). What is not here is left out."""
        ...

    def count_ancestors(self, cids: Iterable[Cid], /) -> int:
        """How many rows `ancestors` would give, at a fraction of the cost."""
        ...

    def referrers(self, cid: Cid, /) -> tuple[Cid, ...]:
        """Objects that name `cid` by a ref, by (generation, CID). `cid` need not be here."""
        ...

    def linkers(self, cid: Cid, /) -> tuple[Cid, ...]:
        """Objects that link to the block `cid` from their body, by (generation, CID). `cid` need not be here."""
        ...

    def events(self, identity: Cid, /) -> tuple[Cid, ...]:
        """All events of an identity, the genesis first, by (generation, CID)."""
        ...

    def match_prefix(self, text: str, /, limit: int) -> tuple[Cid, ...]:
        """Up to `limit` signed objects whose CID as text starts with `text`, by CID. The start `bafyrei` may be left out."""
        ...

    def with_media(self, digest: bytes, /) -> tuple[Cid, ...]:
        """Objects with a media entry of this sha2-256 or essence digest, by (generation, CID)."""
        ...

    def search(self, words: str, /, *, project: Cid | None = None, limit: int) -> tuple[Cid, ...]:
        """Objects whose titles, names, tags or texts hold a word for each word given, as its start; newest arrival first.

        Case and accents are ignored. No word given finds nothing.
        """
        ...

    def iter_cids(self) -> Iterator[Cid]:
        """All blocks here, objects or not, each once, in no order. What arrives meanwhile may be among them."""
        ...

    def places(self) -> Iterator[LeafPlace]:
        """All places of media blocks in plain files, by path. A block may have several."""
        ...

    def remove(self, cids: Iterable[Cid], /) -> None:
        """Forget blocks: all of them or none. What is not here is ignored. Files in the media folder stay until `gc`.

        Raises:
            UsageError: an object that stays requires one of them.
        """
        ...

    def exclusive(self) -> AbstractContextManager[None]:
        """Keep every other writer out, in this process and others; what is written inside is one transaction."""
        ...

    def make_room(self) -> bool:
        """On a full disk, let go of space that was kept back for tidying; whether there was any."""
        ...

    def rebuild_index(self, *, progress: Progress | None = None) -> tuple[Cid, ...]:
        """Throw the index away and make it anew from the blocks.

        Args:
            progress: told how far it is; from a daemon, of what is fetched and checked first, then of what is indexed.

        Returns the objects that had to be left out, because they or something that they require are damaged. They are
        back once they have been `put` again, or after another `rebuild_index` once the damaged ones have been.
        """
        ...

    def left_out(self) -> tuple[Cid, ...]:
        """Signed objects that are here and that the index lacks since `rebuild_index` had to leave them out, by CID."""
        ...

    def audit_index(self) -> tuple[str, ...]:
        """Compare the index with one made anew from the blocks; one sentence a difference. Changes nothing."""
        ...

    def unlisted(self) -> frozenset[Cid]:
        """The projects that are marked as unlisted. A mark belongs to the store, not to any object, and outlives the index."""
        ...

    def mark_unlisted(self, projects: Iterable[Cid], is_unlisted: bool = True, /) -> None:
        """Set or take away the mark; the projects need not be here. It is on disk when this returns.

        From then on a store that would announce what it holds refuses to take what may belong to such a project: `put`
        raises UnlistedError, and nothing was written.
        """
        ...

    def backup(self, target: Path, /) -> None:
        """Write a consistent copy into the new folder `target`, while others go on writing. Opening it restores it.

        The folder appears under its name when it is complete. Referenced files are not copied.
        """
        ...

    def close(self) -> None:
        """Let go of files. Harmless twice; every other call afterwards raises UsageError."""
        ...
