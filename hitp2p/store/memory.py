"""A store in memory: for tests, for `:memory:`, and as the plainest reading of the contract."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import MissingBlocksError, UsageError
from hitp2p.objects.envelope import SignedObject
from hitp2p.ports import Closing
from hitp2p.store.contract import LeafPlace, ObjectRow, Progress, WriteBatch
from hitp2p.store.copies import new_folder
from hitp2p.store.derive import Entry, entry_of, query_words
from hitp2p.store.index import in_order
from hitp2p.store.intact import require_intact
from hitp2p.store.leaves import read_leaf
from hitp2p.store.names import prefix_range
from hitp2p.store.sqlite import SqliteStore

__all__ = ["MemoryStore"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Indexed:
    """An object and what is derived from it."""

    obj: SignedObject
    row: ObjectRow
    entry: Entry


_Key: TypeAlias = tuple[str, Cid | bytes]
"""How something is named, and what."""


def _keys(each: _Indexed) -> set[_Key]:
    keys: set[_Key] = {("parent", cid) for cid in each.obj.parents}
    keys |= {("ref", cid) for cid in each.entry.refs}
    keys |= {("link", cid) for cid in each.entry.links}
    keys |= {("media", digest) for digest in each.entry.media}
    if each.row.kind == "identity":
        keys.add(("event", each.obj.identity))
    return keys


class MemoryStore(Closing):
    """See `hitp2p.store.contract.Store`. Most questions are answered by looking at everything."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._seq = 0
        self._objects: dict[Cid, _Indexed] = {}
        """In order of arrival."""
        self._named: dict[_Key, dict[Cid, None]] = {}
        """Which objects name something: a bundle asks that of each of its objects."""
        self._blocks: dict[Cid, bytes] = {}
        self._leaves: dict[Cid, dict[str, LeafPlace]] = {}
        """By path, because a block may lie in several files."""
        self._unlisted: set[Cid] = set()
        self._is_closed = False

    @property
    def media_folder(self) -> Path | None:
        return None

    def get(self, cid: Cid, /) -> bytes | None:
        with self._open():
            if cid in self._objects:
                return self._objects[cid].obj.block
            if cid in self._blocks:
                return self._blocks[cid]
            places = list(self._leaves.get(cid, {}).values())
        return read_leaf(None, places) if places else None

    def has(self, cid: Cid, /) -> bool:
        with self._open():
            return cid in self._objects or cid in self._blocks or cid in self._leaves

    def put(self, batch: WriteBatch, *, durable: bool = True) -> tuple[ObjectRow, ...]:
        for cid, data in batch.blocks:
            require_intact(cid, data)
        with self._open():
            new = {obj.cid: obj for obj in batch.objects if obj.cid not in self._objects}
            needed = {cid for obj in new.values() for cid in obj.required}
            missing = sorted(needed - new.keys() - self._objects.keys())
            if missing:
                raise MissingBlocksError(
                    f"{len(missing)} objects that these require are not here, the first {missing[0]}",
                    missing,
                )
            rows = tuple(self._add(obj) for obj in in_order(new))
            self._blocks.update(
                (cid, data) for cid, data in batch.blocks if cid not in self._objects
            )
            for leaf in batch.leaves:
                self._leaves.setdefault(leaf.cid, {})[leaf.path] = leaf
            return rows

    def _add(self, obj: SignedObject) -> ObjectRow:
        self._seq += 1
        self._blocks.pop(obj.cid, None)
        row = self._derive(obj, self._seq)
        self._objects[obj.cid] = each = _Indexed(obj=obj, row=row, entry=entry_of(obj))
        self._note(each)
        return row

    def _note(self, each: _Indexed) -> None:
        for key in _keys(each):
            self._named.setdefault(key, {})[each.row.cid] = None

    def _note_all(self) -> None:
        self._named = {}
        for each in self._objects.values():
            self._note(each)

    def _derive(self, obj: SignedObject, seq: int) -> ObjectRow:
        generations = [self._objects[cid].row.generation for cid in obj.required]
        return ObjectRow(
            cid=obj.cid,
            kind=obj.kind,
            project=obj.project_cid,
            identity=obj.identity,
            signer=obj.signer,
            generation=max(generations, default=-1) + 1,
            seq=seq,
            time=obj.time,
        )

    def row(self, cid: Cid, /) -> ObjectRow | None:
        with self._open():
            return self._objects[cid].row if cid in self._objects else None

    def rows(
        self,
        *,
        project: Cid | None = None,
        kind: str | None = None,
        identity: Cid | None = None,
        after: int = 0,
        limit: int | None = None,
    ) -> Iterator[ObjectRow]:
        with self._open():
            found = [
                each.row
                for each in self._objects.values()
                if each.row.seq > after
                and project in (None, each.row.project)
                and kind in (None, each.row.kind)
                and identity in (None, each.row.identity)
            ]
        yield from found[:limit]

    def last_seq(self) -> int:
        with self._open():
            return max((each.row.seq for each in self._objects.values()), default=0)

    def children(self, cid: Cid, /) -> tuple[Cid, ...]:
        return self._naming(("parent", cid))

    def heads(self, project: Cid, /) -> tuple[Cid, ...]:
        with self._open():
            works = [each.obj for each in self._objects.values() if each.entry.is_work]
            named = {parent for work in works for parent in work.parents}
            return self._where(
                lambda each: (
                    each.entry.is_work and each.row.project == project and each.row.cid not in named
                )
            )

    def ancestors(self, cids: Iterable[Cid], /) -> Iterator[ObjectRow]:
        with self._open():
            found = self._ancestors(cids)
            rows = [self._objects[cid].row for cid in found]
        yield from sorted(rows, key=_by_generation)

    def count_ancestors(self, cids: Iterable[Cid], /) -> int:
        with self._open():
            return len(self._ancestors(cids))

    def _ancestors(self, cids: Iterable[Cid]) -> set[Cid]:
        found: set[Cid] = set()
        stack = [cid for cid in cids if cid in self._objects]
        while stack:
            cid = stack.pop()
            if cid not in found:
                found.add(cid)
                stack.extend(self._objects[cid].obj.parents)
        return found

    def referrers(self, cid: Cid, /) -> tuple[Cid, ...]:
        return self._naming(("ref", cid))

    def linkers(self, cid: Cid, /) -> tuple[Cid, ...]:
        return self._naming(("link", cid))

    def events(self, identity: Cid, /) -> tuple[Cid, ...]:
        return self._naming(("event", identity))

    def match_prefix(self, text: str, /, limit: int) -> tuple[Cid, ...]:
        between = prefix_range(text)
        if between is None:
            return ()
        low, high = between
        found = self._where(lambda each: low <= bytes(each.row.cid) <= high)
        return tuple(sorted(found))[:limit]

    def with_media(self, digest: bytes, /) -> tuple[Cid, ...]:
        return self._naming(("media", digest))

    def search(self, words: str, /, *, project: Cid | None = None, limit: int) -> tuple[Cid, ...]:
        wanted = [f" {word}" for word in query_words(words)]
        with self._open():
            found = [
                each.row
                for each in reversed(self._objects.values())
                if wanted
                and project in (None, each.row.project)
                and all(word in f" {each.entry.words}" for word in wanted)
            ]
        return tuple(row.cid for row in found)[:limit]

    def iter_cids(self) -> Iterator[Cid]:
        with self._open():
            cids = {*self._objects, *self._blocks, *self._leaves}
        yield from cids

    def places(self) -> Iterator[LeafPlace]:
        with self._open():
            found = [place for places in self._leaves.values() for place in places.values()]
        yield from sorted(found, key=lambda place: (place.path, place.offset))

    def remove(self, cids: Iterable[Cid], /) -> None:
        with self._open():
            removed = set(cids)
            for each in self._objects.values():
                needed = removed & set(each.obj.required) & self._objects.keys()
                if each.row.cid not in removed and needed:
                    raise UsageError(
                        f"{min(needed)} can't be removed: objects that stay require it"
                    )
            for cid in removed:
                if cid in self._objects:
                    for key in _keys(self._objects.pop(cid)):
                        del self._named[key][cid]
                self._blocks.pop(cid, None)
                self._leaves.pop(cid, None)

    @contextmanager
    def exclusive(self) -> Generator[None]:
        """A transaction, too: what fails inside is undone."""
        with self._open():
            saved = dict(self._objects), dict(self._blocks), dict(self._leaves)
            try:
                yield
            except BaseException:
                self._objects, self._blocks, self._leaves = saved
                self._note_all()
                raise

    def make_room(self) -> bool:
        with self._open():
            return False

    def rebuild_index(self, *, progress: Progress | None = None) -> tuple[Cid, ...]:
        with self._open():
            old, self._objects = self._objects, {}
            for cid, each in old.items():
                if progress is not None:
                    progress(len(self._objects) + 1, len(old))
                row = self._derive(each.obj, each.row.seq)
                self._objects[cid] = _Indexed(obj=each.obj, row=row, entry=entry_of(each.obj))
            self._note_all()
            return ()

    def left_out(self) -> tuple[Cid, ...]:
        with self._open():
            return ()

    def audit_index(self) -> tuple[str, ...]:
        with self._open():
            return ()  # there is no second place where it could differ

    def unlisted(self) -> frozenset[Cid]:
        with self._open():
            return frozenset(self._unlisted)

    def mark_unlisted(self, projects: Iterable[Cid], is_unlisted: bool = True, /) -> None:
        with self._open():
            (self._unlisted.update if is_unlisted else self._unlisted.difference_update)(projects)

    def backup(self, target: Path, /) -> None:
        with self._open():
            batch = WriteBatch(
                objects=[each.obj for each in self._objects.values()],
                blocks=list(self._blocks.items()),
                leaves=list(self.places()),
            )
        with new_folder(target) as unfinished, SqliteStore.open(unfinished) as copy:
            copy.mark_unlisted(self.unlisted())
            copy.put(batch)

    def close(self) -> None:
        self._is_closed = True

    @contextmanager
    def _open(self) -> Generator[None]:
        """One caller at a time."""
        with self._lock:
            if self._is_closed:
                raise UsageError("this store is closed; open it again")
            yield

    def _naming(self, key: _Key) -> tuple[Cid, ...]:
        with self._open():
            found = [self._objects[cid].row for cid in self._named.get(key, ())]
        return tuple(row.cid for row in sorted(found, key=_by_generation))

    def _where(self, holds: Callable[[_Indexed], bool]) -> tuple[Cid, ...]:
        with self._open():
            found = [each.row for each in self._objects.values() if holds(each)]
        return tuple(row.cid for row in sorted(found, key=_by_generation))


def _by_generation(row: ObjectRow) -> tuple[int, Cid]:
    return row.generation, row.cid
