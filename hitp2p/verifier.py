"""Verify a file: its bytes and a bundle in, a report out.

    import hitp2p

    report = hitp2p.verify("song.wav")            # with song.wav.car beside it
    print(report.headline, report.exit_status)

Nothing is written, but that a workspace which is searched keeps prints of its own media; no network is touched, no clock is
read, and no URL that stands in a file is followed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hitp2p import limits
from hitp2p.bundle_file import File, open_file, read_bundle
from hitp2p.codec.cid import Cid
from hitp2p.codec.unixfs_builder import BuiltFile, Leaf, Node, build_file
from hitp2p.dataclass import replace
from hitp2p.errors import DecodeError, InvalidError, MissingBlocksError
from hitp2p.media.essence import SURE_ALGORITHMS, FoundEssence, scan_essence
from hitp2p.media.pointer import file_pointers
from hitp2p.media.sniff import SNIFF_BYTES, sniff_media_type
from hitp2p.media.source import MediaSource
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import ObjectClass
from hitp2p.ports import Closing
from hitp2p.trail.audit import audit_file
from hitp2p.trail.bundle_reader import BundleContents
from hitp2p.trail.evidence import Evidence, JointEvidence, ObjectSet
from hitp2p.trail.report import FileFacts, Headline, Report
from hitp2p.trail.requirements import Requirement, unmet

if TYPE_CHECKING:
    from hitp2p.bundle_media import BundleMedia
    from hitp2p.gateway import Gateway
    from hitp2p.reader import Progress, Reader
    from hitp2p.trail.report import Candidate

__all__ = ["SIDECAR_SUFFIX", "File", "StoreEvidence", "measure_file", "sidecar_of", "verify"]

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
    progress: Progress | None = None,
) -> Report:
    """What can be said of a file: which work it is, by whom, made from what, under which terms, and what isn't proven.

    Safe on hostile input: nothing recurses; the file is read in pieces of 1 MiB and its parsers hold no more than a few MiB;
    of a bundle objects, list pages and, where blocks are out of order, nodes and texts are held, at most
    `limits.VERIFY_OBJECTS` of them and `limits.VERIFY_BYTES` bytes, and the names of at most `limits.VERIFY_BLOCKS` blocks.
    With what is made of them that is under 200 MB. Time grows with the bytes of the file and of the bundle, each object
    costing one signature check; lists are read up to `limits.SHEET_ENTRIES` and `limits.SHEET_PAGE_BYTES`, and of records
    of the same file `limits.RIVALS` are weighed. Of the media in a bundle at most `limits.NEAR_MEDIA` with `limits.NEAR_BYTES`
    are compared with a file that none of them is, and one of at most `limits.ENTRY_BYTES` is read again to hold its entry to
    it. What a workspace holds has no such bounds.

    Args:
        file: a path, or the bytes.
        bundle: the bundle that describes it; None takes `FILE.car` beside a path, if there is one.
        workspace: where else to look for records; None looks nowhere. Where no record is of the same file, its media, and those
            that a bundle brings along, are searched for works that the file shares parts with or resembles
            (`hitp2p.matching`).
        online: where to fetch the record that the file's tags point to, if no bundle is there; None touches no network.
        require: what the reader insists on; see `hitp2p.trail.requirements`.
        name: what the report calls the file; None takes the path's last part.
        progress: called with (done, in all) while media are searched, from the start for each way to compare.

    Returns:
        The report. A bad bundle makes it BROKEN and raises nothing.

    Raises:
        UsageError: the file or the bundle can't be read, or the bundle is larger than what is held in memory.
        BackendError: `online` fails, or hasn't got the record.
    """
    facts = measure_file(file, name=name)
    beside = bundle if bundle is not None else sidecar_of(file)
    contents, brings_media = None, False
    try:
        if beside is not None:
            contents, brings_media = read_bundle(beside)
    except InvalidError as error:
        return _broken(facts, error, require)
    parts = list(_evidence(contents, workspace))
    bundle_work = None if contents is None else contents.work
    asked = online is not None and contents is None and bool(facts.pointers)
    if online is not None and asked:
        from hitp2p.gateway import fetch_record

        bundle_work = facts.pointers[0]
        parts.append(fetch_record(bundle_work, online))
    evidence = parts[0] if len(parts) == 1 else JointEvidence(*parts)
    with _Media(beside if brings_media else None, workspace) as media:
        report = audit_file(facts, evidence, bundle_work=bundle_work, content=media.content)
        if report.match is None and (brings_media or workspace is not None):
            near = _candidates(file, facts, contents, media, workspace, progress)
            report = audit_file(facts, evidence, bundle_work=bundle_work, candidates=near)
            report = replace(report, not_compared=_not_compared(facts))
    return replace(report, online=asked, unmet=unmet(report, require))


def _not_compared(facts: FileFacts) -> tuple[str, ...]:
    from hitp2p.matching import not_compared

    return not_compared(facts.type)


def _candidates(
    file: File,
    facts: FileFacts,
    contents: BundleContents | None,
    media: _Media,
    workspace: Reader | None,
    progress: Progress | None,
) -> tuple[Candidate, ...]:
    """The nearest works, in the bundle and in the workspace."""
    from hitp2p.matching import best_of, find_candidates

    found: list[Candidate] = []
    if contents is not None and media.bundle is not None:
        from hitp2p.bundle_matching import find_in_bundle

        works = sorted(
            (obj for obj in contents.objects.values() if obj.object_class is ObjectClass.WORK),
            key=lambda work: (work.cid != contents.work, work.cid),
        )
        found += find_in_bundle(file, facts, works, media.bundle, progress=progress)
    if workspace is not None:
        found += find_candidates(file, facts, workspace, progress=progress)
    return best_of(found)


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
    with open_file(file) as stream:
        return _measure(stream, name or _name_of(file))


def _name_of(file: File) -> str | None:
    return None if isinstance(file, bytes) else Path(os.fspath(file)).name


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
        other_algorithms=SURE_ALGORITHMS,
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


class _Media(Closing):
    """Media at hand: those of a bundle, and those of a workspace. The bundle is looked through when one is asked for."""

    def __init__(self, bundle: File | None, workspace: Reader | None) -> None:
        self._file = bundle
        self._workspace = workspace
        self._bundle: BundleMedia | None = None

    def close(self) -> None:
        """See `Closing`."""
        if self._bundle is not None:
            self._bundle.close()

    @property
    def bundle(self) -> BundleMedia | None:
        """None where no bundle brings media along."""
        if self._bundle is None and self._file is not None:
            from hitp2p.bundle_media import BundleMedia

            self._bundle = BundleMedia(self._file)
        return self._bundle

    def get(self, cid: Cid, /) -> bytes | None:
        """See `BlockSource`."""
        block = None if self.bundle is None else self.bundle.get(cid)
        if block is None and self._workspace is not None:
            return self._workspace.store.get(cid)
        return block

    def content(self, root: Cid) -> FileFacts | None:
        """What is found about the file below a root; None where it isn't all here, or longer than `limits.ENTRY_BYTES`.

        Raises:
            DecodeError: the blocks make no file.
        """
        if self._file is None and self._workspace is None:
            return None
        from hitp2p.bundle_media import open_tree

        try:
            stream = open_tree(root, self, most=limits.ENTRY_BYTES)
            return None if stream is None else _measure(stream, None)
        except MissingBlocksError:
            return None


# --- the evidence -----------------------------------------------------------------------------------


class StoreEvidence:
    """What a workspace holds, as evidence."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._store = reader.store
        self.generations: Mapping[Cid, int] = {}
        """See `Evidence`."""

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

    def statements(self, cid: Cid, /) -> Iterable[SignedObject]:
        """See `Evidence`."""
        statement = ObjectClass.STATEMENT
        return [obj for obj in self.referrers(cid) if obj.object_class is statement]

    def with_media(self, digest: bytes, /) -> Iterable[SignedObject]:
        """See `Evidence`."""
        return self._all(self._store.with_media(digest))

    def linkers(self, cid: Cid, /) -> Iterable[SignedObject]:
        """See `Evidence`."""
        return self._all(self._store.linkers(cid))

    def _all(self, cids: Iterable[Cid]) -> Iterable[SignedObject]:
        return [obj for obj in map(self._reader.lookup, cids) if obj is not None]
