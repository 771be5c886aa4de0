"""Works here that a file shares parts with or is near to, where none is the same: candidates, which carry no verdict [VER-1].

Media that are in the workspace are measured once each and their prints kept beside the store (`store/matchdb.py`); a look-up
goes by marks in common, or over the codes of pictures. What is found depends on which media and which tools are here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import InvalidError, MissingBlocksError, StoreError, UsageError
from hitp2p.media import chunks, pictures, shingles, sound
from hitp2p.media.prints import Coverage, Likeness, Nearness, Print
from hitp2p.media.sniff import sniff_media_type
from hitp2p.objects.contribution import MediaEntry
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import ObjectClass
from hitp2p.ports import Closing
from hitp2p.reader import Progress, Reader
from hitp2p.store.contract import Store
from hitp2p.store.matchdb import Absent, MatchDatabase, Shared
from hitp2p.trail.report import Candidate, FileFacts, Tier
from hitp2p.transfer import iter_media

if TYPE_CHECKING:
    from hitp2p.verifier import File

__all__ = [
    "CANDIDATES",
    "COVERAGES",
    "FEWEST_MARKS",
    "NEARNESSES",
    "Searcher",
    "best_of",
    "find_candidates",
    "fitting",
    "iter_pieces",
    "not_compared",
]

_L = TypeVar("_L", bound=Likeness)

CANDIDATES: Final = 8
"""Most candidates that are told, the nearest first."""
COVERAGES: Final[tuple[Coverage, ...]] = (shingles, chunks)
"""What tells `contains`."""
NEARNESSES: Final[tuple[Nearness, ...]] = (pictures, sound)
"""What tells `resembles`."""

_PIECE_BYTES: Final = 1024 * 1024
_RETRIES: Final = 256
"""How many media that were not here are looked for again at a time."""
_MEASURED_AT_ONCE: Final = 64
"""After so many works it is written down how far we are."""
_SHORT_LIST: Final = 8
"""With how many sounds, those with the most marks in common, a sound is compared."""
FEWEST_MARKS: Final = 2
"""How many marks two sounds must have in common to be compared."""


def find_candidates(
    file: File, facts: FileFacts, workspace: Reader, *, progress: Progress | None = None
) -> list[Candidate]:
    """Works in a workspace that a file may have something to do with, in no order; see `best_of`.

    Media that weren't measured yet are measured first, once for ever: the first call in a workspace takes as long as that
    takes. Pictures and sounds are decoded in a process with bounds on time and memory, never in this one; what such a
    process can't read is told like what isn't near.

    Args:
        file: a path, or the bytes; hostile.
        facts: what was found about it.
        workspace: its media are measured, and prints of them kept in its folder.
        progress: called with (objects looked at, in all), from the start for each algorithm.

    Raises:
        UsageError: the file can't be read.
    """
    found: list[Candidate] = []
    with Searcher(workspace, progress=progress) as searcher:
        for coverage in fitting(COVERAGES, facts.type):
            found += searcher.sharing(coverage, coverage.measure(iter_pieces(file), facts.type))
        for nearness in fitting(NEARNESSES, facts.type):
            found += searcher.near(nearness, nearness.measure(iter_pieces(file), facts.type))
    return found


def fitting(algorithms: Iterable[_L], media_type: str) -> Iterator[_L]:
    """Those that have something to say of a sniffed type, and all that they need."""
    return (one for one in algorithms if one.suits(media_type) and one.needs() is None)


def not_compared(media_type: str) -> tuple[str, ...]:
    """What would have to be installed to look for more candidates of a sniffed type, as commands or names."""
    wanted = (one.needs() for one in (*COVERAGES, *NEARNESSES) if one.suits(media_type))
    return tuple(dict.fromkeys(need for need in wanted if need is not None))


def best_of(found: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """The nearest candidates, one a work, those that contain before those that resemble."""
    in_order = sorted(found, key=_order)
    by_work = {candidate.work: candidate for candidate in reversed(in_order)}
    return tuple(one for one in in_order if by_work[one.work] is one)[:CANDIDATES]


def _order(candidate: Candidate) -> tuple[bool, float, Cid]:
    contains = candidate.tier is Tier.CONTAINS
    value = -max(candidate.value, candidate.of_work or 0) if contains else candidate.value
    return not contains, value, candidate.work


def iter_pieces(file: File) -> Iterator[bytes]:
    """The bytes of a file, read as they are asked for. Raises UsageError where it can't be read."""
    if isinstance(file, bytes):
        yield file
        return
    try:
        with Path(os.fspath(file)).open("rb") as stream:
            while piece := stream.read(_PIECE_BYTES):
                yield piece
    except OSError as error:
        raise UsageError(f"{os.fspath(file)}: can't be read ({error.strerror})") from error


class Searcher(Closing):
    """Searches the media of one workspace, measuring first what is new there."""

    def __init__(self, workspace: Reader, *, progress: Progress | None = None) -> None:
        """Open the prints of a workspace; `progress` is told how far the measuring is."""
        self._reader = workspace
        self._progress = progress
        self._prints = _open_prints(workspace.store)

    def close(self) -> None:
        """Let go of the prints."""
        self._prints.close()

    def sharing(
        self, coverage: Coverage, made: Print | None, *, room: int | None = None
    ) -> Iterator[Candidate]:
        """Works that share as much as the threshold says, in no order.

        Args:
            coverage: by what.
            made: the print of a file by it; None shares nothing.
            room: how many bytes of new media may be measured before; None for all.
        """
        if made is None:
            return
        self._catch_up(coverage, room)
        for shared in self._prints.shared(coverage.ALGORITHM, made.marks):
            value = shared.of_asked / made.total
            of_work = shared.of_known / shared.known_total
            enough = max(shared.of_asked, shared.of_known) >= coverage.LEAST
            if enough and max(value, of_work) >= coverage.THRESHOLD:
                yield from self._candidates(coverage, shared.sha256, value, of_work)

    def near(self, nearness: Nearness, made: Print | None) -> Iterator[Candidate]:
        """Works within the threshold, in no order; None is near to nothing."""
        if made is None:
            return
        self._catch_up(nearness, None)
        for sha256, kept in self._to_compare(nearness, made):
            distance = nearness.distance(made.asked, kept)
            if distance <= nearness.THRESHOLD:
                yield from self._candidates(nearness, sha256, distance, None)

    def _catch_up(self, likeness: Likeness, room: int | None) -> None:
        _Measuring(self._reader, self._prints, likeness, self._progress).catch_up(room)

    def _candidates(
        self, likeness: Likeness, sha256: bytes, value: float, of_work: float | None
    ) -> Iterator[Candidate]:
        for work in self._works(sha256):
            yield Candidate(
                tier=Tier.RESEMBLES if of_work is None else Tier.CONTAINS,
                work=work.cid,
                title=work.body.get("title"),
                algorithm=likeness.ALGORITHM,
                value=value,
                of_work=of_work,
                threshold=likeness.THRESHOLD,
                unrelated=likeness.UNRELATED,
            )

    def _to_compare(self, nearness: Nearness, made: Print) -> Iterator[tuple[bytes, bytes]]:
        if not made.marks:
            yield from self._prints.kept(nearness.ALGORITHM)
            return
        shared = self._prints.shared(nearness.ALGORITHM, made.marks)
        for one in sorted(shared, key=_most_marks)[:_SHORT_LIST]:
            if one.n_marks >= FEWEST_MARKS:
                yield one.sha256, self._prints.codes(nearness.ALGORITHM, one.sha256)

    def _works(self, sha256: bytes) -> Iterator[SignedObject]:
        for cid in self._reader.store.with_media(sha256):
            work = self._reader.lookup(cid)
            if work is not None and work.object_class is ObjectClass.WORK:
                yield work


def _most_marks(shared: Shared) -> tuple[int, bytes]:
    return -shared.n_marks, shared.sha256


def _open_prints(store: Store) -> MatchDatabase:
    """Beside the store; in memory where it has no folder or can't be written."""
    folder = None if store.media_folder is None else store.media_folder.parent
    try:
        return MatchDatabase(folder)
    except StoreError:
        return MatchDatabase(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Medium:
    """One of a work's media."""

    work: SignedObject
    number: int
    entry: MediaEntry


class _Measuring:
    """Brings the prints of one algorithm up to what the store holds now."""

    def __init__(
        self,
        reader: Reader,
        prints: MatchDatabase,
        likeness: Likeness,
        progress: Progress | None,
    ) -> None:
        self._reader = reader
        self._progress = progress
        self._prints = prints
        self._likeness = likeness
        self._name = likeness.ALGORITHM

    def catch_up(self, room: int | None) -> None:
        """Measure what is new, up to `room` bytes of it; what can't be kept now is measured another time."""
        try:
            self._look_again(room)
            self._go_on(room)
        except StoreError:  # busy, full or read-only: what was kept before is enough to search
            return

    def _look_again(self, room: int | None) -> None:
        """For media that weren't here when their works came."""
        for absent in self._prints.absent(self._name, _RETRIES):
            work = self._reader.lookup(absent.work)
            if work is None:
                self._prints.found(self._name, absent.sha256)
                continue
            medium = _media_of(work)[absent.entry]
            if room is None or medium.entry.size <= room:
                self._measure(medium)

    def _go_on(self, room: int | None) -> None:
        store = self._reader.store
        done = self._prints.progress(self._name)
        newest = store.last_seq()
        if done > newest:  # another store stands in the folder now
            done = 0
        n_unwritten = 0
        for row in store.rows(after=done):
            if self._progress is not None:
                self._progress(done, newest)
            work = self._reader.lookup(row.cid) if row.kind in _WITH_MEDIA else None
            media = [] if work is None else _media_of(work)
            size = sum(medium.entry.size for medium in media)
            if room is not None:
                room -= size
                if room < 0:
                    break
            for medium in media:
                self._measure(medium)
            done, n_unwritten = row.seq, n_unwritten + 1
            if n_unwritten == _MEASURED_AT_ONCE:
                self._prints.advance(self._name, done)
                n_unwritten = 0
        if n_unwritten:
            self._prints.advance(self._name, done)

    def _measure(self, medium: _Medium) -> None:
        sha256 = medium.entry.sha256
        if self._prints.has(self._name, sha256):
            return
        try:
            made = self._print_of(medium)
        except (MissingBlocksError, StoreError):
            absent = Absent(sha256=sha256, work=medium.work.cid, entry=medium.number)
            self._prints.miss(self._name, absent)
            return
        if made is None:
            self._prints.found(self._name, sha256)
        else:
            self._prints.keep(self._name, sha256, made)

    def _print_of(self, medium: _Medium) -> Print | None:
        """None where the algorithm has nothing to say of it, or its bytes aren't what the work says."""
        pieces = iter_media(medium.work, medium.number, self._reader.store)
        try:
            first = next(pieces, b"")
            media_type = sniff_media_type(first)
            if not self._likeness.suits(media_type):
                return None
            return self._likeness.measure(chain((first,), pieces), media_type)
        except InvalidError:
            return None


_WITH_MEDIA: Final = frozenset({"contribution", "release"})


def _media_of(work: SignedObject) -> list[_Medium]:
    entries = map(MediaEntry.from_body, work.body.get("media", ()))
    return [_Medium(work=work, number=n, entry=entry) for n, entry in enumerate(entries)]
