"""Care for a Kubo store: the index from the pins alone, the daemon against the index."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache, partial
from typing import Final, TypeVar

from hitp2p.codec.cid import DAG_CBOR, OBJECT_CID_HEAD, Cid
from hitp2p.errors import BackendError, InvalidError, LostBlockError, MissingBlocksError
from hitp2p.objects.envelope import SignedObject, parse_object, verify_object
from hitp2p.store.contract import Progress, WriteBatch
from hitp2p.store.holds import Held, alias_of, parse_hold
from hitp2p.store.index import chunks, parse_intact
from hitp2p.store.intact import is_intact
from hitp2p.store.kubo_calls import Kubo
from hitp2p.store.kubo_index import add_hold, held_by, held_cids, holds
from hitp2p.store.names import parse_stored_cid
from hitp2p.store.writing import put_batch
from hitp2p.trail.check import verify_in_trail

__all__ = ["compare_daemon", "recover"]

T = TypeVar("T")

_THREADS: Final = 8
"""Calls to the daemon at once: four times as fast as one after the other."""
_WORTH_IT: Final = 8
"""More blocks than this are fetched together."""
_REMEMBERED: Final = 2048
"""Objects that others require, and that are kept at hand while these are checked."""
_TOLD: Final = 5
"""Blocks that are named one by one; of the others, how many there are."""


# --- the index from the pins ------------------------------------------------------------------------


def recover(
    db: sqlite3.Connection,
    kubo: Kubo,
    pin_name: str,
    workspace: bytes,
    progress: Progress | None = None,
) -> tuple[Cid, ...]:
    """Take into the index what the holds on the daemon name and it doesn't, and heal what is damaged in it.

    A pin says nothing about who signed, so each object is checked again in full. All goes in portions, with what was
    fetched in a table meanwhile; in memory are names alone.

    Returns the objects that could not be taken: damaged, invalid, or resting on such.
    """
    new = _read_holds(kubo, pin_name, workspace, holds(db))
    wanted = {each for held in new.values() for each in held}
    objects = {cid for cid, is_object in wanted if is_object}
    _heal(db, kubo)
    steps = _Steps(progress, sum(cid.codec == DAG_CBOR for cid, _ in wanted) + len(objects))
    db.execute("CREATE TEMP TABLE fetched (cid BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID")
    required = _fetch_new(db, steps.over(_fetch_held(kubo, new)), objects)
    good = _put_objects(db, required, steps)
    db.execute("DROP TABLE temp.fetched")
    for part in chunks(cid for cid, _ in wanted if cid.codec != DAG_CBOR):
        put_batch(db, WriteBatch(blocks=[(cid, b"") for cid in part]))
    for hold, held in new.items():
        add_hold(db, hold, held)
    return tuple(steps.over(objects - good))


def _read_holds(
    kubo: Kubo, pin_name: str, workspace: bytes, known: Collection[Cid]
) -> dict[Cid, tuple[Held, ...]]:
    """What the holds keep that are pinned under a name and not known yet."""
    found: dict[Cid, tuple[Held, ...]] = {}
    pins = kubo.pins_named(pin_name)
    for cid, block in _fetch(kubo, [cid for cid in pins if cid not in known]):
        if block is None:
            raise LostBlockError(
                f"{kubo.address} has lost {cid}, a pinned list of what this workspace holds; take the store from "
                "a backup",
                cid,
            )
        hold = parse_hold(block)
        if hold.workspace != workspace:
            raise BackendError(
                f"{cid} on {kubo.address} is pinned under the name of this workspace and belongs to another one; "
                f'see "ipfs pin ls --names", and remove that pin or its name'
            )
        found[cid] = hold.held
    return found


def _heal(db: sqlite3.Connection, kubo: Kubo) -> None:
    """Fetch what the index should hold of blocks and doesn't."""
    damaged = [
        cid
        for cid, data in _stored(db)
        if not is_intact(data, cid)  # a disk may have changed it
    ]
    for cid, data in _fetch(kubo, damaged):
        if data is not None:
            db.execute("UPDATE block SET data = ? WHERE cid = ?", (data, bytes(cid)))


def _stored(db: sqlite3.Connection) -> Iterator[tuple[Cid, object]]:
    """The blocks whose bytes the index has."""
    for raw, data in db.execute(
        "SELECT cid, data FROM block WHERE substr(cid, 1, 4) = ?", (OBJECT_CID_HEAD,)
    ):
        yield parse_stored_cid(raw), data


class _Steps:
    """Counts what is fetched and what is checked."""

    def __init__(self, progress: Progress | None, n_all: int) -> None:
        self._progress = progress
        self._n_all = n_all
        self._n_done = 0

    def over(self, values: Iterable[T]) -> Iterator[T]:
        """The values; a block that comes twice counts once too often, so the count stops at the end."""
        for value in values:
            self._n_done = min(self._n_done + 1, self._n_all)
            if self._progress is not None:
                self._progress(self._n_done, self._n_all)
            yield value


def _fetch_new(
    db: sqlite3.Connection, fetched: Iterable[tuple[Cid, bytes | None]], objects: Collection[Cid]
) -> dict[Cid, tuple[Cid, ...]]:
    """Put what is no object into the index, and what is one aside; which of these are good by themselves, with what they require."""
    required: dict[Cid, tuple[Cid, ...]] = {}
    one_each: dict[Cid, Cid] = {}
    for part in chunks(fetched):
        blocks = [(cid, data) for cid, data in part if data is not None]
        put_batch(db, WriteBatch(blocks=[each for each in blocks if each[0] not in objects]))
        aside: list[tuple[bytes, bytes]] = []
        for cid, data in blocks:
            if cid in objects and cid not in required:
                with suppress(InvalidError):
                    needs = verify_object(data, cid=cid).required
                    required[cid] = tuple(one_each.setdefault(need, need) for need in needs)
                    aside.append((bytes(cid), data))
        db.executemany("INSERT INTO temp.fetched VALUES (?, ?)", aside)
    return required


def _put_objects(
    db: sqlite3.Connection, required: Mapping[Cid, Collection[Cid]], steps: _Steps
) -> set[Cid]:
    """Check the objects that were put aside against those that they require, and put the good ones into the index."""
    good: set[Cid] = set()
    indexed = lru_cache(_REMEMBERED)(partial(_find_indexed, db))
    for part in chunks(_in_order(required)):
        fits: dict[Cid, SignedObject] = {}

        def find(cid: Cid, fits: dict[Cid, SignedObject] = fits) -> SignedObject | None:
            return fits.get(cid) or indexed(cid)

        for cid in part:
            (data,) = db.execute(
                "SELECT data FROM temp.fetched WHERE cid = ?", (bytes(cid),)
            ).fetchone()
            with suppress(InvalidError, MissingBlocksError):
                fits[cid] = verify_in_trail(parse_object(data, cid=cid), find)
        put_batch(db, WriteBatch(objects=list(fits.values())))
        good.update(steps.over(fits))
    return good


def _find_indexed(db: sqlite3.Connection, cid: Cid) -> SignedObject | None:
    query = "SELECT block.data FROM block JOIN object ON object.id = block.id WHERE block.cid = ?"
    row = db.execute(query, (bytes(cid),)).fetchone()
    return None if row is None else parse_intact(bytes(cid), row[0])


def _in_order(required: Mapping[Cid, Collection[Cid]]) -> Iterator[Cid]:
    """The names, each after those of them that it requires."""
    done: set[Cid] = set()
    for start in required:
        stack = [start]
        while stack:
            cid = stack[-1]
            waiting = [need for need in required[cid] if need in required and need not in done]
            if cid in done or not waiting:
                stack.pop()
                if cid not in done:
                    done.add(cid)
                    yield cid
            else:
                stack.extend(waiting)


def _fetch(kubo: Kubo, cids: Iterable[Cid]) -> Iterator[tuple[Cid, bytes | None]]:
    """Blocks from the daemon, several at once; None for what it lost or gives other bytes for."""

    def get(cid: Cid) -> bytes | None:
        try:
            return kubo.get(cid)
        except LostBlockError:
            return None

    with ThreadPoolExecutor(_THREADS, thread_name_prefix="hitp2p-kubo") as threads:
        for chunk in chunks(cids):
            yield from zip(chunk, threads.map(get, chunk), strict=True)


def _fetch_held(
    kubo: Kubo, by_hold: Mapping[Cid, Collection[Held]]
) -> Iterator[tuple[Cid, bytes | None]]:
    """The dag-cbor blocks that holds keep; a block of several holds may come several times. See `_fetch`.

    Where a hold keeps little else, one call brings them all: ten times as fast.
    """
    rest: set[Cid] = set()
    for hold, held in by_hold.items():
        wanted = {alias_of(cid): cid for cid, _ in held if cid.codec == DAG_CBOR}
        if len(wanted) > _WORTH_IT and 2 * len(wanted) > len(held):
            with suppress(BackendError):  # what doesn't come, is asked for one by one
                for alias, data in kubo.export(hold):
                    if alias in wanted:
                        yield wanted.pop(alias), data
        rest.update(wanted.values())
    yield from _fetch(kubo, rest)


# --- the daemon against the index -------------------------------------------------------------------


def compare_daemon(db: sqlite3.Connection, kubo: Kubo, pin_name: str) -> tuple[str, ...]:
    """Sentences on what the daemon lacks of what the index says; none where it lacks nothing."""
    noted = holds(db)
    kept = {alias_of(cid): cid for cid in held_cids(db)}
    pinned = {pin.cid for pin in kubo.iter_pins(pin_name)}
    for cid in kubo.iter_local():
        kept.pop(alias_of(cid), None)
    lost = set(kept.values())
    held = {hold: held_by(db, id_) for hold, id_ in noted.items()}
    wrong = {cid for cid, data in _fetch_held(kubo, held) if data is None} - lost
    return (
        *_told(
            f"{kubo.address} doesn't pin any more what this workspace holds", noted.keys() - pinned
        ),
        *_told(f"{kubo.address} has lost pinned blocks", lost),
        *_told(f"{kubo.address} gives other bytes for blocks", wrong),
    )


def _told(what: str, cids: Collection[Cid]) -> Iterator[str]:
    if cids:
        names = ", ".join(map(str, sorted(cids)[:_TOLD]))
        more = f" and {len(cids) - _TOLD} more" if len(cids) > _TOLD else ""
        yield f"{what}: {names}{more}"
