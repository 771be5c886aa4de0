"""Write the vector files beside this program, or say with --check whether they are what it writes.

Works from spec/ alone and imports nothing of hitp2p, so that a mistake there is not made here as well.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from maker import (
    bundles,
    cars,
    cids,
    credit_sheets,
    encoding,
    essence_audio,
    essence_film,
    essence_images,
    essence_text,
    files,
    frames,
    identities,
    keys,
    licences,
    names,
    objects,
    ranges,
    records,
    snapshots,
    standings,
    trails,
)
from maker.book import Book

FILES = {
    "encoding.json": encoding.dag_cbor,
    "cid.json": cids.cids,
    "car.json": cars.cars,
    "keys.json": keys.keys,
    "identity.json": identities.identities,
    "media.json": files.files,
    "essence-images.json": essence_images.pictures,
    "essence-audio.json": essence_audio.essence_audio,
    "essence-video.json": essence_film.essence_film,
    "essence-text.json": essence_text.essence_text,
    "objects.json": objects.objects,
    "standing.json": standings.standings,
    "trail.json": trails.trails,
    "credits.json": credit_sheets.credit_sheets,
    "snapshot.json": snapshots.snapshots,
    "bundle.json": bundles.bundles,
    "license.json": licences.licences,
    "ipns.json": names.names,
    "net.json": frames.frames,
    "ranges.json": ranges.ranges,
    "records.json": records.records,
}


def render(book: Book) -> str:
    """One vector a line: a change shows as one line in a diff."""
    lines = ",\n".join(json.dumps(vector, ensure_ascii=True) for vector in book.vectors)
    return f"[\n{lines}\n]\n"


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print("usage: generate.py [--check]", file=sys.stderr)
        return 2
    stale = []
    for name, make in FILES.items():
        path, text = Path(__file__).parent / name, render(make())
        if arguments:
            if not path.exists() or path.read_text(encoding="ascii") != text:
                stale.append(name)
        else:
            path.write_text(text, encoding="ascii", newline="\n")
            print(f"{name}: {text.count(chr(10)) - 2} vectors, {len(text):,} bytes")
    for name in stale:
        print(f"{name} is not what generate.py writes", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
