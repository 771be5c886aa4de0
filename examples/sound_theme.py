"""Debian's package sound-theme-freedesktop as a project. `python examples/sound_theme.py FOLDER` makes FOLDER.

A collection of other people's works: each sound names its author, licence and source, as far as the package tells them.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import hitp2p
from hitp2p import ForeignSource

SOUNDS = Path("/usr/share/sounds/freedesktop")
COPYRIGHT = Path("/usr/share/doc/sound-theme-freedesktop/copyright")
SPDX = {"GPL-2": "GPL-2.0-only", "GPL-2+": "GPL-2.0-or-later"}
"""Where Debian calls a licence otherwise than SPDX does."""
UNNAMED = "The package's copyright file doesn't name this sound"


def read_copyright(text: str) -> tuple[ForeignSource, dict[str, ForeignSource]]:
    """The package as a source, and each file that it names with author and licence."""
    package, files = ForeignSource(), {}
    for stanza in text.split("\n\n"):
        fields = dict(re.findall(r"^(\S+): (.+)$", stanza, re.MULTILINE))
        package = replace(package, url=fields.get("Source", package.url))
        for name in fields.get("Files", "").split():
            author = re.sub(
                r" <\S+@\S+>", "", fields["Copyright"]
            )  # no address: signed is for ever
            license = SPDX.get(fields["License"], fields["License"])
            files[name] = replace(package, author=author, license=license)
    return package, files


def main(folder: Path) -> None:
    """Sign every sound into a new project, and write each to a bundle with its trail."""
    package, files = read_copyright(COPYRIGHT.read_text("utf-8"))
    folder.mkdir(parents=True)
    cas = hitp2p.Identity.create("Cas")
    with hitp2p.open(folder) as ws:
        p = ws.create_project("Sound theme", purpose="The sounds of a desktop", by=cas)
        for path in sorted(SOUNDS.rglob("*.oga")):
            name, data = path.relative_to(SOUNDS).as_posix(), path.read_bytes()
            source = replace(files.get(name, package), title=name, sha256=sha256(data).digest())
            note = None if source.author else UNNAMED
            use = hitp2p.Use(source=source, relation="collect", note=note)
            work = ws.contribute(
                p,
                path,
                title=path.stem,
                uses=[use],
                license=source.license,
                unchecked=None if source.license else UNNAMED,
                roles=["com"],
                by=cas,
            )
            ws.export(work, folder / f"{path.stem}.car", media="work")
            print(ws.credits(work).text())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
