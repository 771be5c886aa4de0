"""Verify a file: its bytes and a bundle in, a report out.

    import hitp2p

    report = hitp2p.verify("song.wav")            # with song.wav.car beside it
    print(report.headline, report.exit_status)

Nothing is written, but that a workspace which is searched keeps prints of its own media; no network is touched, no clock is
read, and no URL that stands in a file is followed.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hitp2p import limits
from hitp2p.codec.car import CarReader
from hitp2p.codec.cid import DAG_CBOR, RAW, Cid
from hitp2p.codec.unixfs_builder import BuiltFile, Leaf, Node, build_file
from hitp2p.dataclass import replace
from hitp2p.errors import DecodeError, InvalidError, NotFoundError, RuleError, UsageError
from hitp2p.media.essence import FoundEssence, scan_essence
from hitp2p.media.pointer import file_pointers
from hitp2p.media.sniff import SNIFF_BYTES, sniff_media_type
from hitp2p.media.source import MediaSource
from hitp2p.objects.envelope import SignedObject
from hitp2p.trail.audit import audit_file
from hitp2p.trail.bundle_reader import BundleContents, BundleReader
from hitp2p.trail.evidence import Evidence, JointEvidence, ObjectSet
from hitp2p.trail.report import FileFacts, Headline, Report
from hitp2p.trail.requirements import Requirement, unmet

if TYPE_CHECKING:
    from hitp2p.gateway import Gateway
    from hitp2p.reader import Reader

__all__ = ["SIDECAR_SUFFIX", "File", "StoreEvidence", "measure_file", "sidecar_of", "verify"]

File = str | os.PathLike[str] | bytes
"""A path, or the bytes themselves."""
SIDECAR_SUFFIX: Final = ".car"
"""What is added to a file's name to give that of the bundle beside it."""
_LARGE_BYTES: Final = 4 * 1024 * 1024
"""From here on a second thread hashes: importing what makes one takes 8 ms, as long as hashing 8 MiB."""
_NO_OBJECTS: Final[dict[Cid, SignedObject]] = {}


def verify(
    file: File,
    *,
    bundle: File | None = None,
    workspace: Reader | None = None,
    online: Gateway | None = None,
    require: Iterable[Requirement] = (),
    name: str | None = None,
) -> Report:
    """What can be said of a file: which work it is, by whom, made from what, under which terms, and what isn't proven.

    Safe on hostile input: nothing recurses; the file is read in pieces of 1 MiB and its parsers hold no more than a few MiB;
    of a bundle objects, list pages and, where blocks are out of order, nodes and texts are held, at most
    `limits.VERIFY_OBJECTS` of them and `limits.VERIFY_BYTES` bytes, and the names of at most `limits.VERIFY_BLOCKS` blocks.
    With what is made of them that is under 200 MB. Time grows with the bytes of the file and of the bundle, each object
    costing one signature check; lists are read up to `limits.SHEET_ENTRIES` and `limits.SHEET_PAGE_BYTES`, and of records
    of the same file `limits.RIVALS` are weighed. What a workspace holds has no such bounds.

    Args:
        file: a path, or the bytes.
        bundle: the bundle that describes it; None takes `FILE.car` beside a path, if there is one.
        workspace: where else to look for records; None looks nowhere. Where no record is of the same file, its media are
            searched for works that the file shares parts with or resembles (`hitp2p.matching`); those in a bundle are not.
        online: where to fetch the record that the file's tags point to, if no bundle is there; None touches no network.
        require: what the reader insists on; see `hitp2p.trail.requirements`.
        name: what the report calls the file; None takes the path's last part.

    Returns:
        The report. A bad bundle makes it BROKEN and raises nothing.

    Raises:
        UsageError: the file or the bundle can't be read, or the bundle is larger than what is held in memory.
        BackendError: `online` fails, or hasn't got the record.
    """
    facts = measure_file(file, name=name)
    beside = bundle if bundle is not None else sidecar_of(file)
    try:
        contents = None if beside is None else _read_bundle(beside)
    except InvalidError as error:
        return _broken(facts, error, require)
    parts = list(_evidence(contents, workspace))
    bundle_work = None if contents is None else contents.work
    asked = online is not None and contents is None and bool(facts.pointers)
    if online is not None and asked:
        from hitp2p.gateway import fetch_record

        bundle_work = facts.pointers[0]
        parts.append(fetch_record(bundle_work, online))
    evidence = JointEvidence(*parts)
    report = audit_file(facts, evidence, bundle_work=bundle_work)
    if report.match is None and workspace is not None:
        from hitp2p.matching import find_candidates, not_compared

        near = find_candidates(file, facts, workspace)
        report = audit_file(facts, evidence, bundle_work=bundle_work, candidates=near)
        report = replace(report, not_compared=not_compared(facts.type))
    return replace(report, online=asked, unmet=unmet(report, require))


def sidecar_of(file: File) -> Path | None:
    """The bundle that lies beside a file; None where there is none, or the file is only bytes."""
    if isinstance(file, bytes):
        return None
    path = Path(os.fspath(file))
    beside = path.with_name(path.name + SIDECAR_SUFFIX)
    return beside if beside.is_file() else None


def _broken(facts: FileFacts, error: InvalidError, require: Iterable[Requirement]) -> Report:
    report = Report(
        headline=Headline.BROKEN, because=f"the bundle for it is bad: {error}", file=facts
    )
    return replace(report, unmet=unmet(report, require))


def _evidence(contents: BundleContents | None, workspace: Reader | None) -> Iterator[Evidence]:
    yield ObjectSet(_NO_OBJECTS) if contents is None else ObjectSet.of_bundle(contents)
    if workspace is not None:
        yield StoreEvidence(workspace)


# --- the file ---------------------------------------------------------------------------------------


def measure_file(file: File, *, name: str | None = None) -> FileFacts:
    """What is found about a file itself: hashes, type, essence, pointers in its tags.

    Raises:
        UsageError: it can't be read.
    """
    with _opened(file) as stream:
        return _measure(stream, name or _name_of(file))


def _name_of(file: File) -> str | None:
    return None if isinstance(file, bytes) else Path(os.fspath(file)).name


@contextmanager
def _opened(file: File) -> Generator[BufferedReader | BytesIO]:
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


def _measure(stream: BufferedReader | BytesIO, name: str | None) -> FileFacts:
    head = stream.read(SNIFF_BYTES)
    stream.seek(0)
    built = _hash(stream)
    essence, why = _essence(MediaSource(stream))
    return FileFacts(
        name=name,
        size=built.size,
        sha256=built.sha256,
        cid=built.root,
        type=sniff_media_type(head),
        essence=None if essence is None else essence.recorded,
        no_essence=why,
        display_notes=() if essence is None else essence.display_notes,
        pointers=file_pointers(MediaSource(stream), essence),
    )


def _hash(stream: BufferedReader | BytesIO) -> BuiltFile:
    """Both hashes in one pass; large files on two threads."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)

    def drop(_part: Leaf | Node) -> None:
        pass

    if size < _LARGE_BYTES:
        length = min(
            size + 1, limits.CHUNK_BYTES
        )  # so that a small file doesn't have megabytes zeroed for it
        return build_file(stream, drop, buffers=[memoryview(bytearray(length)) for _ in range(2)])
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as executor:
        return build_file(stream, drop, executor=executor)


def _essence(source: MediaSource) -> tuple[FoundEssence | None, str | None]:
    try:
        return scan_essence(source), None
    except DecodeError as error:
        return None, str(error)


# --- the evidence -----------------------------------------------------------------------------------


def _read_bundle(bundle: File) -> BundleContents:
    """The objects, list pages and texts of a bundle, all of it checked; media are checked and let go."""
    try:
        contents = _read_in_order(bundle)
    except RuleError as error:
        if error.rule != "BND-3":
            raise
        contents = _read_in_any_order(bundle)
    events = Counter(obj.identity for obj in contents.objects.values() if obj.kind == "identity")
    for identity, n_events in events.items():
        if n_events > limits.VERIFY_EVENTS:
            raise UsageError(
                f"{n_events} events of the identity {identity}; at most {limits.VERIFY_EVENTS} are judged here"
            )
    return contents


def _read_in_order(bundle: File) -> BundleContents:
    keep = _Keep()
    with _opened(bundle) as stream:
        car = CarReader(stream)
        reader = BundleReader(car.roots, car_version=car.version, on_block=keep)
        for cid, data in _checked(car):
            reader.take(cid, data)
            keep.count(cid, len(data))
        contents = reader.finish()
    contents.pages.update(keep.pages)
    return contents


def _read_in_any_order(bundle: File) -> BundleContents:
    """As if the blocks stood in order [BND-3]: read twice, media leaves held by name alone."""
    keep, nodes = _Keep(), dict[Cid, bytes]()
    here: set[Cid] = set()
    with _opened(bundle) as stream:
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
    contents = reader.finish()
    contents.pages.update(keep.pages)
    return contents


def _texts(bundle: File, reader: BundleReader, keep: _Keep) -> dict[Cid, bytes]:
    texts: dict[Cid, bytes] = {}
    with _opened(bundle) as stream:
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
        self._n_blocks = self._n_objects = self._n_bytes = 0

    def __call__(self, cid: Cid, block: bytes) -> None:
        if cid.codec == DAG_CBOR:
            self.pages[cid] = block

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


class StoreEvidence:
    """What a workspace holds, as evidence."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._store = reader.store

    def lookup(self, cid: Cid, /) -> SignedObject | None:
        """See `Evidence`."""
        return self._reader.lookup(cid)

    def get(self, cid: Cid, /) -> bytes | None:
        """See `Evidence`."""
        return self._store.get(cid)

    def events(self, identity: Cid, /) -> Iterable[SignedObject]:
        """See `Evidence`."""
        return self._all(self._store.events(identity))

    def referrers(self, cid: Cid, /) -> Iterable[SignedObject]:
        """See `Evidence`."""
        return self._all(self._store.referrers(cid))

    def with_media(self, digest: bytes, /) -> Iterable[SignedObject]:
        """See `Evidence`."""
        return self._all(self._store.with_media(digest))

    def linkers(self, cid: Cid, /) -> Iterable[SignedObject]:
        """See `Evidence`."""
        return self._all(self._store.linkers(cid))

    def _all(self, cids: Iterable[Cid]) -> Iterable[SignedObject]:
        return [obj for obj in map(self._reader.lookup, cids) if obj is not None]
