"""Decoding media of strangers in a process of its own, with bounds on time, memory and what it may write.

Decoders are large and old, and bytes that break one must not break us. The child bounds itself before it reads a byte
(`worker.py`); here it is given a file, waited for, and killed when it takes too long. It is no jail against a decoder
that runs the attacker's code: it bounds what goes wrong, it doesn't hide your files from it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from tempfile import TemporaryFile
from typing import Final

__all__ = ["MEDIA_BYTES", "OUTPUT_BYTES", "WAIT_S", "run_worker"]

MEDIA_BYTES: Final = 256 * 1024 * 1024
"""Largest file that is given to a decoder, in bytes."""
OUTPUT_BYTES: Final = 256 * 1024
"""Most that a worker may print, in bytes."""
WAIT_S: Final = 30.0
"""How long a worker is waited for, in seconds of the clock on the wall."""


def run_worker(pieces: Iterable[bytes], *words: str, most: int) -> bytes | None:
    """What a worker prints about a medium, as received from a process that read hostile bytes.

    Args:
        pieces: the medium; it is written to a file first, as decoders go back and forth.
        words: what `worker.main` is called with.
        most: largest medium, in bytes; a larger one isn't decoded.

    Returns:
        None where it was killed or may not run here (a system that can't bound a process). One that fails prints nothing,
        or what it had: `fpcalc` 1.5.1 calls the end of a file an error.
    """
    if sys.platform == "win32" or not sys.executable:
        return None
    with TemporaryFile() as medium, TemporaryFile() as printed:
        n_bytes = 0
        for piece in pieces:
            n_bytes += len(piece)
            if n_bytes > most:
                return None
            medium.write(piece)
        medium.seek(0)
        code = f"from hitp2p.media.worker import main; main{words!r}"
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-c", code],
                stdin=medium,
                stdout=printed,
                stderr=subprocess.DEVNULL,
                timeout=WAIT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        printed.seek(0)
        return printed.read(OUTPUT_BYTES) if done.returncode >= 0 else None
