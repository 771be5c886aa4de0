"""Works in a bundle that a file shares parts with or is near to, where the bundle brings their media along [VER-1].

Nothing is kept: each medium is measured, compared and forgotten. A stranger may have made the bundle, so there are bounds on
how many media are read, and how much of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Final, TypeAlias

from hitp2p import limits
from hitp2p.bundle_media import BundleMedia
from hitp2p.dataclass import dataclass
from hitp2p.errors import InvalidError, MissingBlocksError
from hitp2p.matching import COVERAGES, FEWEST_MARKS, NEARNESSES, fitting, iter_pieces
from hitp2p.media.prints import Coverage, Likeness, Nearness, Print
from hitp2p.media.sniff import sniff_media_type
from hitp2p.objects.contribution import MediaEntry
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.known import known_field
from hitp2p.trail.report import Candidate, FileFacts, Tier
from hitp2p.transfer import iter_entry

if TYPE_CHECKING:
    from hitp2p.bundle_file import File
    from hitp2p.reader import Progress

__all__ = ["find_in_bundle"]

_TEXT_BYTES: Final = 512 * 1024
"""Longest text that is compared here: its shingles take a hundred times its bytes at worst, and two are held."""


_Found: TypeAlias = tuple[float, float | None]
"""How much of the file is in the work and the other way round; or a distance, and None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The file as one algorithm sees it."""

    likeness: Likeness
    compare: Callable[[Print], _Found | None]
    """With the print of a known medium; None past the threshold."""


def find_in_bundle(
    file: File,
    facts: FileFacts,
    works: Iterable[SignedObject],
    media: BundleMedia,
    *,
    progress: Progress | None = None,
) -> Iterator[Candidate]:
    """Works whose media are in a bundle and that a file may have something to do with, in no order.

    Args:
        file: a path, or the bytes; hostile.
        facts: what was found about it.
        works: those of the bundle, the most interesting first.
        media: of the bundle; at most `limits.NEAR_MEDIA` of them and `limits.NEAR_BYTES` are read.
        progress: called with (media compared, in all).
    """
    asked = list(_ask(file, facts))
    if not asked:
        return
    known_media = _media_of(works, media)
    for number, (entry, its_works) in enumerate(known_media):
        if progress is not None:
            progress(number, len(known_media))
        for one in asked:
            known = _print_of(entry, one.likeness, media)
            found = None if known is None else one.compare(known)
            if found is not None:
                yield from (_candidate(work, one.likeness, *found) for work in its_works)


def _ask(file: File, facts: FileFacts) -> Iterator[_Asked]:
    if facts.type == "text/plain" and facts.size > _TEXT_BYTES:
        return
    for coverage in fitting(COVERAGES, facts.type):
        made = coverage.measure(iter_pieces(file), facts.type)
        if made is not None:
            yield _Asked(likeness=coverage, compare=partial(_share, coverage, made))
    for nearness in fitting(NEARNESSES, facts.type):
        made = nearness.measure(iter_pieces(file), facts.type)
        if made is not None:
            yield _Asked(likeness=nearness, compare=partial(_distance, nearness, made))


def _media_of(
    works: Iterable[SignedObject], media: BundleMedia
) -> list[tuple[MediaEntry, list[SignedObject]]]:
    """Each medium that is there once, with the works that have it, within the bounds."""
    found: dict[bytes, tuple[MediaEntry, list[SignedObject]]] = {}
    room = limits.NEAR_BYTES
    for work in works:
        for entry in map(MediaEntry.from_body, known_field(work, "media") or ()):
            if entry.sha256 in found:
                found[entry.sha256][1].append(work)
            elif entry.file in media and entry.size <= room and len(found) < limits.NEAR_MEDIA:
                room -= entry.size
                found[entry.sha256] = entry, [work]
    return list(found.values())


def _print_of(entry: MediaEntry, likeness: Likeness, media: BundleMedia) -> Print | None:
    """None where the algorithm has nothing to say of it, it isn't all there, or it isn't what the work says."""
    pieces = iter_entry(entry, media)
    try:
        first = next(pieces, b"")
        media_type = sniff_media_type(first)
        is_long_text = media_type == "text/plain" and entry.size > _TEXT_BYTES
        if is_long_text or not likeness.suits(media_type):
            return None
        return likeness.measure(chain((first,), pieces), media_type)
    except (InvalidError, MissingBlocksError):
        return None


def _share(coverage: Coverage, made: Print, known: Print) -> _Found | None:
    common = made.marks.keys() & known.marks.keys()
    of_asked = sum(made.marks[mark] for mark in common)
    of_known = sum(known.marks[mark] for mark in common)
    value, of_work = of_asked / made.total, of_known / known.total
    is_enough = max(of_asked, of_known) >= coverage.LEAST
    return (value, of_work) if is_enough and max(value, of_work) >= coverage.THRESHOLD else None


def _distance(nearness: Nearness, made: Print, known: Print) -> _Found | None:
    if made.marks and len(made.marks.keys() & known.marks.keys()) < FEWEST_MARKS:
        return None
    distance = nearness.distance(made.asked, known.kept)
    return (distance, None) if distance <= nearness.THRESHOLD else None


def _candidate(
    work: SignedObject, likeness: Likeness, value: float, of_work: float | None
) -> Candidate:
    return Candidate(
        tier=Tier.RESEMBLES if of_work is None else Tier.CONTAINS,
        work=work.cid,
        title=work.body.get("title"),
        algorithm=likeness.ALGORITHM,
        value=value,
        of_work=of_work,
        threshold=likeness.THRESHOLD,
        unrelated=likeness.UNRELATED,
    )
