"""Checking a whole store: every byte hashed, every signature and rule checked again, the index made anew and compared.

Nothing is changed or deleted. What is damaged is named with what to do about it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from typing import Final

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import CorruptBlockError, InvalidError, MissingBlocksError
from hitp2p.objects.envelope import SignedObject, parse_object, verify_object
from hitp2p.store.contract import Store
from hitp2p.store.leaves import read_leaf
from hitp2p.store.reach import iter_links
from hitp2p.trail.check import verify_in_trail

__all__ = ["Finding", "FindingCode", "FsckReport", "audit_store"]

_REMEMBERED: Final = 4096
"""Objects kept in memory, because many others require them."""


class FindingCode(StrEnum):
    """What is wrong."""

    CORRUPT = "corrupt"
    """A block is lost: no copy of its bytes here hashes to its CID any more."""
    MEDIA = "media"
    """A media file is missing or changed, but another copy of the block is fine."""
    INVALID = "invalid"
    """A stored object breaks a rule: it should never have been let in."""
    INCOMPLETE = "incomplete"
    """A stored object requires one that is lost or absent."""
    INDEX = "index"
    """The index differs from the blocks, or the database file is damaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong."""

    code: FindingCode
    cid: Cid | None
    """The block, where it is one."""
    message: str
    """What was found, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FsckReport:
    """What a check found."""

    n_objects: int
    """Signed objects whose signature was checked."""
    n_blocks: int
    """Blocks whose bytes were hashed, objects and media included."""
    n_bytes: int
    """Their bytes."""
    findings: tuple[Finding, ...]
    """What is wrong; empty where all is well."""
    gaps: tuple[Cid, ...]
    """Blocks that others link to and that are not here. That is allowed: they may have been withdrawn, or never fetched."""

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    @property
    def lost(self) -> tuple[Cid, ...]:
        """Blocks to be fetched or restored."""
        return tuple(f.cid for f in self.findings if f.code == FindingCode.CORRUPT and f.cid)

    def __bool__(self) -> bool:
        raise TypeError("a report is no verdict; ask for `is_sound`")


def audit_store(store: Store, *, progress: Callable[[int], None] | None = None) -> FsckReport:
    """Check all of a store. Others may go on using it.

    Args:
        store: read only.
        progress: told, now and then, how many blocks have been checked.
    """
    audit = _Audit(store, progress)
    audit.check_index()
    audit.check_media()
    for cid in store.iter_cids():
        audit.check_block(cid)
    audit.end_media()
    return audit.report()


class _Audit:
    """One run over a store."""

    def __init__(self, store: Store, progress: Callable[[int], None] | None) -> None:
        self._store = store
        self._progress = progress
        self._findings: list[Finding] = []
        self._hashed: set[Cid] = set()
        self._broken: dict[Cid, CorruptBlockError] = {}
        """Media blocks with a bad place."""
        self._gaps: set[Cid] = set()
        self._n_objects = self._n_blocks = self._n_bytes = 0
        self._lookup = lru_cache(_REMEMBERED)(self._find)

    def check_index(self) -> None:
        for difference in self._store.audit_index():
            self._report(
                FindingCode.INDEX,
                None,
                f"{difference}; `hitp2p fsck --rebuild-index` makes the index anew",
            )

    def check_media(self) -> None:
        """Every place of every media block, as one good copy may hide a bad one."""
        for place in self._store.places():
            try:
                data = read_leaf(self._store.media_folder, [place])
            except CorruptBlockError as error:
                self._broken[place.cid] = error
            else:
                self._count(place.cid, data)

    def check_block(self, cid: Cid) -> None:
        if cid in self._hashed:
            return
        try:
            data = self._store.get(cid)
        except CorruptBlockError as error:
            self._report(FindingCode.CORRUPT, cid, str(error))
            return
        if data is None:
            return  # removed since it was listed
        self._count(cid, data)
        self._gaps.update(link for link in iter_links(cid, data) if not self._store.has(link))
        if cid.codec == DAG_CBOR and self._store.row(cid) is not None:
            self._check_object(cid, data)

    def _check_object(self, cid: Cid, data: bytes) -> None:
        self._n_objects += 1
        try:
            verify_in_trail(verify_object(data, cid=cid), self._lookup)
        except InvalidError as error:
            self._report(
                FindingCode.INVALID, cid, f"{error}; please report how it came into the store"
            )
        except MissingBlocksError as error:
            self._report(FindingCode.INCOMPLETE, cid, f"{error}; import them again")

    def _find(self, cid: Cid) -> SignedObject | None:
        try:
            data = self._store.get(cid)
            return None if data is None else parse_object(data, cid=cid)
        except (CorruptBlockError, InvalidError):
            return None  # reported where that block itself is checked

    def _count(self, cid: Cid, data: bytes) -> None:
        if cid not in self._hashed:
            self._hashed.add(cid)
            self._n_blocks += 1
            self._n_bytes += len(data)
            if self._progress is not None:
                self._progress(self._n_blocks)

    def _report(self, code: FindingCode, cid: Cid | None, message: str) -> None:
        self._findings.append(Finding(code=code, cid=cid, message=message))

    def end_media(self) -> None:
        """Once every block is checked: which bad places have a good one beside them."""
        for cid, reason in self._broken.items():
            if cid in self._hashed:
                self._report(FindingCode.MEDIA, cid, f"{reason} (another copy is fine)")

    def report(self) -> FsckReport:
        return FsckReport(
            n_objects=self._n_objects,
            n_blocks=self._n_blocks,
            n_bytes=self._n_bytes,
            findings=tuple(self._findings),
            gaps=tuple(sorted(self._gaps)),
        )
