"""The examples run as they stand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(*words: str) -> str:
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_night_bus_prints_its_trail_and_credits_and_leaves_a_bundle(tmp_path: Path) -> None:
    shown = run(str(EXAMPLES / "night_bus.py"), str(tmp_path / "bus"))
    assert "remix of Verse" in shown
    assert "by Ana" in shown
    assert "Ana's verse made me sing" in shown
    assert "VERIFIED: all that is needed is here and right" in shown
    checked = run(str(EXAMPLES / "verify_trail.py"), str(tmp_path / "bus" / "song.wav.car"))
    assert "Song" in checked
