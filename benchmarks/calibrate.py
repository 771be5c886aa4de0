"""`python -m benchmarks.calibrate FOLDER...`: how near unrelated works come to each other, by each way of matching.

Each pair of files is compared as `hitp2p verify` would, without the short cuts, and the nearest pairs are printed. Look at
them: a pair that is a copy, or two views of one scene, is no unrelated pair; the nearest of the rest bounds `UNRELATED`.

The figures in `hitp2p/media/` were taken over these corpora, and `tests/interop/test_likeness.py` holds generated ones to them:

- pictures: the 26 JPEG and PNG files that scikit-image 0.26 ships, and 2 photographs of the Rust documentation. Left out as
  related: the chessboard in grey and in colour, the two photographs of one circuit board, and the stereo pair of a motorcycle
  (.242). Nearest of the rest: .305, two round objects on black; then .344. Icons of one theme resemble each other, and are told so.
- sounds: 40 tunes of 25 and 40 s from `tests/interop/likeness_corpus.py`. Nearest: .296. Among 40 tunes of an earlier version
  of that program (11 kHz, other timbres): .278.
- texts: the licences in /usr/share/common-licenses of Debian 12, those of one steward left out against each other. Most in
  common: .042, the disclaimer of the BSD licence. Among the documentation strings of 218 modules of Python 3.11, all above .10
  that were looked at are copies (`wave` of `sunau`).
- chunks: the same pictures and tunes, and 64 shared libraries of a Debian system, 3,174 pairs: nothing in common.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from hitp2p.matching import COVERAGES, NEARNESSES
from hitp2p.media.prints import Likeness, Print
from hitp2p.media.sniff import SNIFF_BYTES, sniff_media_type

_SHOWN = 12


def main(folders: list[str]) -> None:
    """Print the nearest pairs below the folders, the nearest first."""
    files = [path for name in folders for path in sorted(Path(name).rglob("*")) if path.is_file()]
    for coverage in COVERAGES:
        _show(coverage, sorted(_shared(_prints(coverage, files)), reverse=True))
    for nearness in NEARNESSES:
        made = _prints(nearness, files)
        _show(
            nearness,
            sorted(
                (min(nearness.distance(a.asked, b.kept), nearness.distance(b.asked, a.kept)), x, y)
                for (x, a), (y, b) in combinations(made, 2)
            ),
        )


def _prints(likeness: Likeness, files: list[Path]) -> list[tuple[str, Print]]:
    found: list[tuple[str, Print]] = []
    for path in files:
        data = path.read_bytes()
        media_type = sniff_media_type(data[:SNIFF_BYTES])
        if likeness.suits(media_type) and (made := likeness.measure([data], media_type)):
            found.append((path.name, made))
    return found


def _shared(made: list[tuple[str, Print]]) -> Iterator[tuple[float, str, str]]:
    for (x, a), (y, b) in combinations(made, 2):
        common = a.marks.keys() & b.marks.keys()
        of_a, of_b = (sum(one.marks[mark] for mark in common) for one in (a, b))
        yield max(of_a / a.total, of_b / b.total), x, y


def _show(likeness: Likeness, pairs: list[tuple[float, str, str]]) -> None:
    print(f"{likeness.ALGORITHM}: {len(pairs)} pairs; told at {likeness.THRESHOLD}")
    for value, x, y in pairs[:_SHOWN]:
        print(f"  {value:.4f}  {x}  {y}")


if __name__ == "__main__":
    main(sys.argv[1:])
