"""MP4, M4A and QuickTime: samples as the tables of each track give them, never the raw media data [MED-22].

Memory holds the boxes of one level and 16,384 table entries; time is linear in the file, since all samples together may
not be longer than the media data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from hitp2p.limits import FILM_TRACKS
from hitp2p.media.essence import FoundEssence, display_hasher, essence_hasher
from hitp2p.media.formats.mp4_boxes import (
    Box,
    Layout,
    clock_of,
    iter_boxes,
    odd,
    payload,
    read_layout,
    require_harmless,
)
from hitp2p.media.formats.mp4_display import film_lines
from hitp2p.media.formats.mp4_tags import tag_texts, write_pointer
from hitp2p.media.formats.mp4_track import MediaData, Track, read_track
from hitp2p.media.source import MediaSource

__all__ = ["ALGORITHM", "scan", "write_pointer"]

ALGORITHM: Final = "mp4/1"


def scan(source: MediaSource) -> FoundEssence:
    """The essence of an MP4, M4A or QuickTime file.

    Raises:
        DecodeError: MED-22.
    """
    layout = read_layout(source)
    header, boxes = _movie(source, layout)
    clock, data = clock_of(header), MediaData(layout.data)
    read = (read_track(source, box, data, clock) for box in boxes)
    tracks = [track for track in read if track is not None]
    if not tracks:
        raise odd("no track has samples")
    hasher, display = essence_hasher(ALGORITHM), display_hasher(ALGORITHM)
    hasher.update(len(tracks).to_bytes(4, "big"))
    hasher.update(b"".join(sorted(track.digest for track in tracks)))
    lines = tuple(sorted((*film_lines(header), *_numbered(tracks))))
    display.update("".join(f"{line}\n" for line in lines).encode("ascii"))
    return FoundEssence(
        algorithm=ALGORITHM,
        digest=hasher.digest(),
        display=display.digest() if lines else None,
        display_notes=lines,
        tag_texts=tag_texts(source, layout.movie),
    )


def _movie(source: MediaSource, layout: Layout) -> tuple[bytes, list[Box]]:
    """The film's header and its tracks."""
    headers: list[Box] = []
    tracks: list[Box] = []
    for box in iter_boxes(source, layout.movie.body, layout.movie.end):
        require_harmless(source, box, b"moov")
        if box.name == b"mvhd":
            headers.append(box)
        elif box.name == b"trak":
            tracks.append(box)
    if len(headers) != 1 or len(tracks) > FILM_TRACKS:
        raise odd(
            f"{len(headers)} film headers and {len(tracks)} tracks; 1 and at most {FILM_TRACKS} allowed"
        )
    return payload(source, headers[0]), tracks


def _numbered(tracks: Sequence[Track]) -> Iterator[str]:
    """The lines of all tracks by kind; of several of a kind, which is which, as players show the first."""
    of_kind = Counter(track.kind for track in tracks)
    seen: Counter[str] = Counter()
    for track in sorted(tracks, key=lambda track: track.kind):
        seen[track.kind] += 1
        name = f"{track.kind} {seen[track.kind]}"
        if of_kind[track.kind] > 1:
            yield f"{name} is {track.digest.hex()[:16]}"
        yield from (f"{name} {line}" for line in track.lines)
