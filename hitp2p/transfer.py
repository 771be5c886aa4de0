"""Between a store and a file: writing bundles, taking them in, and reading media out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hitp2p.codec.car import CarReader, CarWriter
from hitp2p.codec.cid import Cid
from hitp2p.codec.unixfs import iter_file
from hitp2p.dataclass import dataclass
from hitp2p.errors import NotFoundError, RuleError, UsageError
from hitp2p.objects.contribution import MediaEntry
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.known import known_field
from hitp2p.ports import BlockSource
from hitp2p.store.contract import Store, WriteBatch
from hitp2p.trail.bundle import Bundle, gather_bundle
from hitp2p.trail.bundle_reader import BundleContents, BundleReader
from hitp2p.whole_file import whole_file

if TYPE_CHECKING:
    from hitp2p.trail.bundle import MediaChoice

__all__ = ["Carried", "export_bundle", "import_bundle", "iter_entry", "iter_media", "read_bundle"]

_PART_BYTES: Final = 8 * 1024 * 1024
"""How much of a bundle's list pages, texts and media an import holds at once, in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What a bundle carried."""

    cid: Cid
    """The work."""
    n_objects: int
    """Signed objects in it."""
    n_blocks: int
    """Blocks in it, of every sort."""
    n_new: int = 0
    """Objects that were not here before; 0 on export."""
    missing: tuple[Cid, ...] = ()
    """Texts and media that were wanted but aren't here."""


def export_bundle(
    store: Store,
    work: SignedObject,
    path: Path,
    *,
    lookup: Callable[[Cid], SignedObject | None],
    media: MediaChoice = "none",
) -> Carried:
    """Write a bundle; it appears under its name when it is complete and on disk.

    Args:
        lookup: valid objects in the store.
    """
    bundle = gather_bundle(
        work,
        lookup=lookup,
        events=store.events,
        referrers=store.referrers,
        blocks=store,
        media=media,
    )
    missing: list[Cid] = []
    n_blocks = _write(bundle, store, path, missing)
    return Carried(
        cid=work.cid, n_objects=bundle.n_objects, n_blocks=n_blocks, missing=tuple(missing)
    )


def _write(bundle: Bundle, store: Store, path: Path, missing: list[Cid]) -> int:
    n_blocks = 0
    with whole_file(path) as file:
        writer = CarWriter(file, (bundle.work, bundle.snapshot.root))
        for cid, block in bundle.blocks(store, missing):
            writer.write(cid, block)
            n_blocks += 1
    return n_blocks


def import_bundle(store: Store, path: Path, *, unlisted: bool = False) -> Carried:
    """Check a bundle whole, then store it in one transaction.

    For that, list pages, texts and media are read from the file a second time, a few at once, so they never fill
    the memory.

    Args:
        unlisted: mark the work's project as unlisted first.

    Raises:
        InvalidError: the file breaks a rule; nothing is stored.
        UsageError: it can't be read, or was changed meanwhile.
    """
    passed: set[Cid] = set()
    contents, n_blocks = read_bundle(path, on_block=lambda cid, _: passed.add(cid))
    if unlisted:
        work = contents.objects[contents.work]
        store.mark_unlisted([work.project or work.cid])
    with store.exclusive():
        new = store.put(WriteBatch(objects=tuple(contents.objects.values())))
        for blocks in _iter_parts(path, passed):
            store.put(WriteBatch(blocks=blocks))
    return Carried(
        cid=contents.work, n_objects=len(contents.objects), n_blocks=n_blocks, n_new=len(new)
    )


def _iter_parts(path: Path, wanted: set[Cid]) -> Iterator[list[tuple[Cid, bytes]]]:
    """The wanted blocks of a bundle, in lists that are small enough to hold."""
    if not wanted:
        return
    part: list[tuple[Cid, bytes]] = []
    n_bytes = n_found = 0
    with _opened(path) as car:
        for block in car:
            if block.cid in wanted:
                part.append((block.cid, block.data))
                n_bytes += len(block.data)
                n_found += 1
            if n_bytes >= _PART_BYTES:
                yield part
                part, n_bytes = [], 0
    if n_found != len(wanted):
        raise UsageError(f"{path} was changed while it was read; nothing was stored")
    yield part


def read_bundle(
    path: Path, *, on_block: Callable[[Cid, bytes], None] | None = None
) -> tuple[BundleContents, int]:
    """Everything in a bundle, verified, and how many blocks it has.

    Args:
        path: the file.
        on_block: gets list pages, texts and media as they come, instead of their being held.

    Raises:
        InvalidError: the file breaks a rule.
        NotFoundError: there is no such file.
        UsageError: it can't be read.
    """
    with _opened(path) as car:
        reader = BundleReader(car.roots, car_version=car.version, on_block=on_block)
        n_blocks = 0
        for block in car:
            if not block.checked:
                raise RuleError("a block whose hash can't be checked", rule="BND-2", cid=block.cid)
            reader.take(block.cid, block.data)
            n_blocks += 1
        return reader.finish(), n_blocks


@contextmanager
def _opened(path: Path) -> Generator[CarReader]:
    try:
        with path.open("rb") as file:
            yield CarReader(file)
    except FileNotFoundError:
        error = NotFoundError(f"{path}: there is no such file")
        error.add_note("Give its path from the folder that you are in.")
        raise error from None
    except OSError as error:
        raise UsageError(f"{path}: can't be read ({error.strerror})") from error


def iter_media(work: SignedObject, number: int, store: Store) -> Iterator[bytes]:
    """The content of one of a work's media, verified piece by piece; stops at the stated size [MED-2]."""
    entries: list[dict[str, Any]] = known_field(work, "media") or []
    if not 0 <= number < len(entries):
        raise UsageError(f"{work.kind} {work.cid} has {len(entries)} media; there is no {number}")
    entry = MediaEntry.from_body(entries[number])
    return iter_entry(entry, store)


def iter_entry(entry: MediaEntry, store: BlockSource) -> Iterator[bytes]:
    """The content of a media entry, as `iter_media`."""
    digest, length = sha256(), 0
    for piece in iter_file(entry.file, store):
        length += len(piece)
        if length > entry.size:
            break
        digest.update(piece)
        yield piece
    if length != entry.size or digest.digest() != entry.sha256:
        raise RuleError(
            f"the content isn't the {entry.size} bytes with the hash that the work states",
            rule="MED-2",
            cid=entry.file,
        )
