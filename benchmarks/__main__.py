"""`python -m benchmarks [--smoke] [NAME ...]`: what things cost, as multiples of what they must cost."""

from __future__ import annotations

import argparse
import platform
import shutil
import subprocess
import sys
from importlib import import_module

NAMES = (
    "codec",
    "frames",
    "signing",
    "trail_check",
    "media_add",
    "contribution",
    "ancestors",
    "startup",
    "verify_file",
    "verify_chain",
    "verify_trail",
    "orbitdb",
    "reconcile",
    "node_keep",
    "kubo_objects",
    "kubo_media",
    "kubo_pull",
)


def main() -> None:
    """Run the named benchmarks, or all, and print one table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(NAMES)}")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes: does it run at all?")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(NAMES)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    print(f"Python {platform.python_version()}, {platform.machine()}, commit {_commit()}")
    print("| what | value | floor or peer | ratio | goal |")
    print("|---|---|---|---|---|")
    for name in arguments.names or NAMES:
        for figure in import_module(f"benchmarks.{name}").figures(smoke=arguments.smoke):
            print(figure.row())
            sys.stdout.flush()


def _commit() -> str:
    """Of the working tree; `?` where that can't be told."""
    words = ["git", "rev-parse", "--short", "HEAD"]
    if shutil.which("git") is None:
        return "?"
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip() or "?"


if __name__ == "__main__":
    main()
