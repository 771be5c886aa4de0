"""A bundle as a file or as bytes, read for a report: all of it checked, and no more of it held than a report needs."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO
from pathlib import Path

from hitp2p import limits
from hitp2p.codec.car import CarReader
from hitp2p.codec.cid import DAG_CBOR, RAW, Cid
from hitp2p.errors import NotFoundError, RuleError, UsageError
from hitp2p.trail.bundle_reader import BundleContents, BundleReader

__all__ = ["File", "open_file", "read_bundle"]

File = str | os.PathLike[str] | bytes
"""A path, or the bytes themselves."""


@contextmanager
def open_file(file: File) -> Generator[BufferedReader | BytesIO]:
    """A file to read.

    Raises:
        UsageError: it can't be read.
    """
    if isinstance(file, bytes):
        yield BytesIO(file)
        return
    path = Path(os.fspath(file))
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for ever
            raise UsageError(f"{path}: can't be read (not a regular file)")
        with path.open("rb") as stream:
            yield stream
    except FileNotFoundError:
        raise NotFoundError(f"{path}: there is no such file") from None
    except OSError as error:
        raise UsageError(f"{path}: can't be read ({error.strerror})") from error


def read_bundle(bundle: File) -> tuple[BundleContents, bool]:
    """The objects and list pages of a bundle, all of it checked, and whether there are texts or media; these are let go.

    Raises:
        InvalidError: it breaks a rule.
        UsageError: it can't be read, or is larger than what is held in memory.
    """
    keep, contents = _Keep(), None
    try:
        contents = _read_in_order(bundle, keep)
    except RuleError as error:
        if error.rule != "BND-3":
            raise
    if contents is None:  # only here, for the error holds on to all that was read so far
        keep = _Keep()
        contents = _read_in_any_order(bundle, keep)
    contents.pages.update(keep.pages)
    events = Counter(obj.identity for obj in contents.objects.values() if obj.kind == "identity")
    for identity, n_events in events.items():
        if n_events > limits.VERIFY_EVENTS:
            raise UsageError(
                f"{n_events} events of the identity {identity}; at most {limits.VERIFY_EVENTS} are judged here"
            )
    return contents, keep.has_more


def _read_in_order(bundle: File, keep: _Keep) -> BundleContents:
    with open_file(bundle) as stream:
        car = CarReader(stream)
        reader = BundleReader(car.roots, car_version=car.version, on_block=keep)
        for cid, data in _checked(car):
            reader.take(cid, data)
            keep.count(cid, len(data))
        return reader.finish()


def _read_in_any_order(bundle: File, keep: _Keep) -> BundleContents:
    """As if the blocks stood in order [BND-3]: read twice, media leaves held by name alone."""
    nodes: dict[Cid, bytes] = {}
    here: set[Cid] = set()
    with open_file(bundle) as stream:
        car = CarReader(stream)
        reader = BundleReader(car.roots, car_version=car.version, on_block=keep)
        for cid, data in _checked(car):
            if cid in here:
                raise RuleError("the same block twice", rule="BND-3", cid=cid)
            here.add(cid)
            keep.count(cid, len(data))
            if cid.codec != RAW:
                nodes[cid] = data
    texts: dict[Cid, bytes] | None = None
    while (wanted := reader.wanted(here)) is not None and wanted in here:
        if wanted.codec == RAW and texts is None:
            texts = _texts(bundle, reader, keep)
        reader.take(wanted, nodes.get(wanted) or (texts or {}).get(wanted, b""))
        here.discard(wanted)
    if wanted is None and here:
        raise RuleError("a block is not reached from the roots", rule="BND-2", cid=min(here))
    return reader.finish()


def _texts(bundle: File, reader: BundleReader, keep: _Keep) -> dict[Cid, bytes]:
    texts: dict[Cid, bytes] = {}
    with open_file(bundle) as stream:
        for cid, data in _checked(CarReader(stream)):
            if reader.is_text(cid):
                keep.hold(len(data))
                texts[cid] = data
    return texts


def _checked(car: CarReader) -> Iterator[tuple[Cid, bytes]]:
    for block in car:
        if not block.checked:
            raise RuleError("a block whose hash can't be checked", rule="BND-2", cid=block.cid)
        yield block.cid, block.data


class _Keep:
    """Holds list pages, and counts what is held."""

    def __init__(self) -> None:
        self.pages: dict[Cid, bytes] = {}
        self.has_more = False
        """Whether a text or a medium came."""
        self._n_blocks = self._n_objects = self._n_bytes = 0

    def __call__(self, cid: Cid, block: bytes) -> None:
        if cid.codec == DAG_CBOR:
            self.pages[cid] = block
        else:
            self.has_more = True

    def count(self, cid: Cid, n_bytes: int) -> None:
        """Count a block: of leaves the names are held, of objects, pages and nodes the bytes too."""
        self._n_blocks += 1
        if cid.codec != RAW:
            self._n_objects += 1
            self.hold(n_bytes)
        if self._n_blocks > limits.VERIFY_BLOCKS:
            raise UsageError(
                f"the bundle has more than {limits.VERIFY_BLOCKS} blocks;"
                " import it into a workspace and verify the file there"
            )

    def hold(self, n_bytes: int) -> None:
        """Count bytes that are held."""
        self._n_bytes += n_bytes
        if self._n_objects > limits.VERIFY_OBJECTS or self._n_bytes > limits.VERIFY_BYTES:
            raise UsageError(
                f"the bundle holds more than {limits.VERIFY_OBJECTS} objects or {limits.VERIFY_BYTES} bytes of them;"
                " import it into a workspace and verify the file there"
            )
