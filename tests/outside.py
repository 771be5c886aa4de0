"""Outside test data: vectors and media that others published, read where they are present.

They are no part of this project. `HITP2P_VECTORS` names the folder of vectors, else `../shared/vectors` beside the
repository is tried; media are where Debian's packages put them. A daemon counts as a set, too. A set that is missing skips
its tests, and fails them where `CI=true`. Each test says how many cases it ran, and the run ends with a line `outside: N of M sets ran`.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

__all__ = [
    "CASES_KEY",
    "SETS_KEY",
    "asked",
    "count_cases",
    "counted",
    "debian_package",
    "program",
    "vector_set",
    "vectors_folder",
]

CASES_KEY: Final = "outside_cases"
"""Under this name a worker process of a parallel run hands its counts to the main process."""
SETS_KEY: Final = "outside_sets"
"""The same for the names of the sets that tests asked for."""

_cases: Counter[str] = Counter()
_asked: set[str] = set()


def vectors_folder() -> Path:
    """Where the outside vectors should be; the folder need not exist."""
    named = os.environ.get("HITP2P_VECTORS")
    return Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "vectors"


def vector_set(name: str) -> Path:
    """The folder of one set, such as `go-car`; skips the test where it is missing (in CI: fails it)."""
    folder = vectors_folder() / name
    _require(
        name,
        folder.is_dir(),
        f"outside vectors {name!r} are missing; set HITP2P_VECTORS to the folder that holds them",
    )
    return folder


def debian_package(name: str, *places: Path) -> None:
    """Skips the test where a Debian package isn't installed (in CI: fails it).

    Args:
        name: the package, which is also the name of the set.
        places: files and folders of it that the test reads.
    """
    _require(
        name,
        all(place.exists() for place in places),
        f"Debian's package {name!r} is missing; apt-get install {name}",
    )


def program(name: str, path: Path | None, advice: str) -> Path:
    """Where a program is; skips the test where it isn't installed (in CI: fails it).

    Args:
        name: of the program, which is also the name of the set.
        path: where it was found; None where it wasn't.
        advice: how to get it.
    """
    _require(name, path is not None, f"{name} is missing; {advice}")
    assert path is not None
    return path


def _require(name: str, is_here: bool, message: str) -> None:
    _asked.add(name)
    if is_here:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def count_cases(set_name: str, n_cases: int) -> None:
    """Say that `n_cases` cases of a set ran (and held); a test that ran none should fail."""
    assert n_cases > 0, f"no case of {set_name!r} ran"
    _cases[set_name] += n_cases


def counted() -> Counter[str]:
    """Cases that ran in this process so far, by set."""
    return _cases


def asked() -> set[str]:
    """Sets that tests of this process asked for, present or not."""
    return _asked
