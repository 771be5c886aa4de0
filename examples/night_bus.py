"""Two people, a verse, and a song made from it. `python examples/night_bus.py FOLDER` makes FOLDER."""

from __future__ import annotations

import sys
import wave
from pathlib import Path

import hitp2p


def main(folder: Path) -> None:
    """Make the two files and the trail that ties them."""
    folder.mkdir(parents=True)
    verse_file, song_file = folder / "verse.txt", folder / "song.wav"
    verse_file.write_text("The night bus hums in minor\nand nobody gets off.\n")
    with wave.open(str(song_file), "wb") as sound:
        sound.setparams((1, 1, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(128 + (n * n // 400) % 64 for n in range(8000)))

    ana, bo = hitp2p.Identity.create("Ana"), hitp2p.Identity.create("Bo")
    with hitp2p.open(folder) as ws:
        p = ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ana)
        verse = ws.contribute(p, verse_file, title="Verse", roles=["lyr"], by=ana)
        song = ws.remix([verse], song_file, title="Song", note="Ana's verse made me sing", by=bo)
        print(ws.trail(p).text())
        print(ws.credits(song).text())
        ws.export(song, folder / "song.wav.car")

    report = hitp2p.verify(song_file)  # with song.wav.car beside it; the workspace is closed
    print(f"{report.headline}: {report.because}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
