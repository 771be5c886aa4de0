"""A look at a new work before others see it: does it hold what stands in a work here that it doesn't name?

A hint for its author and nothing more: nothing is refused for it, and nothing of it goes into the work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import UsageError
from hitp2p.matching import COVERAGES, Searcher, best_of, fitting, iter_pieces
from hitp2p.objects.contribution import MediaEntry
from hitp2p.objects.envelope import SignedObject
from hitp2p.reader import Progress, Reader
from hitp2p.trail.ancestry import Ancestries
from hitp2p.trail.evidence import JointEvidence, ObjectSet
from hitp2p.trail.report import Candidate
from hitp2p.verifier import StoreEvidence

__all__ = ["HINT_BYTES", "Uncredited", "find_uncredited"]

HINT_BYTES: Final = 64 * 1024 * 1024
"""Largest file that is looked at, and most bytes of other new media that are measured for it: a hint must not take long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncredited:
    """A work that a new work shares something with and doesn't build on, as far as it says."""

    work: SignedObject
    why: str
    """What they share, as the end of a sentence."""


def find_uncredited(
    made: SignedObject,
    files: Sequence[Path],
    workspace: Reader,
    *,
    progress: Progress | None = None,
) -> tuple[Uncredited, ...]:
    """Works here with the same file, or with parts of it, that are not in the ancestry of a new work.

    Pictures and sounds are not decoded for it, so those that only resemble a work aren't noticed.

    Args:
        made: the new work, stored or not.
        files: its media, in its order.
        workspace: where to look.
        progress: called with (objects looked at, in all), from the start for each algorithm.
    """
    entries = [MediaEntry.from_body(entry) for entry in made.body.get("media", ())]
    why: dict[Cid, str] = {}
    for candidate in best_of(_sharing(entries, files, workspace, progress)):
        share = max(candidate.value, candidate.of_work or 0)
        why[candidate.work] = f"{int(share * 100)}% of one of them is also in the other"
    why |= dict.fromkeys(_same(entries, workspace), "a file of it is the same")
    why.pop(made.cid, None)
    if not why:
        return ()
    ancestry = Ancestries(
        JointEvidence(ObjectSet({made.cid: made}), StoreEvidence(workspace)), (made.cid,)
    )
    unnamed = (cid for cid in why if not ancestry.has(made.cid, cid))
    works = ((workspace.lookup(cid), why[cid]) for cid in unnamed)
    return tuple(Uncredited(work=work, why=words) for work, words in works if work is not None)


def _same(entries: Iterable[MediaEntry], workspace: Reader) -> Iterator[Cid]:
    for entry in entries:
        yield from workspace.store.with_media(entry.sha256)
        if entry.essence is not None:
            yield from workspace.store.with_media(entry.essence.digest)


def _sharing(
    entries: Iterable[MediaEntry],
    files: Iterable[Path],
    workspace: Reader,
    progress: Progress | None,
) -> list[Candidate]:
    found: list[Candidate] = []
    with Searcher(workspace, progress=progress) as searcher:
        for entry, path in zip(entries, files, strict=False):
            if entry.size > HINT_BYTES:
                continue
            for coverage in fitting(COVERAGES, entry.type):
                try:
                    made = coverage.measure(iter_pieces(path), entry.type)
                except UsageError:  # it went away after the work was made
                    continue
                found += searcher.sharing(coverage, made, room=HINT_BYTES)
    return found
