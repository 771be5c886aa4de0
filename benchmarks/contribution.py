"""A signed durable contribution, beside a signed Git commit; and what one more costs in a large project."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hitp2p
from benchmarks.measure import Figure, wall_s
from benchmarks.samples import trail
from hitp2p.store.contract import WriteBatch


def figures(*, smoke: bool) -> Iterator[Figure]:
    """`contribute` without a file against `git commit -S` with an SSH key; then with 10^5 objects in the store."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = _one(folder / "small", 10, smoke)
        yield Figure(
            name="sign and store a contribution durably",
            value=small * 1e3,
            unit="ms",
            floor=_git(folder / "git", smoke) * 1e3,
            goal=">= 25 x faster than git commit -S",
            ratio_is_speed=True,
        )
        n_objects = 200 if smoke else 100_000
        yield Figure(
            name=f"the same in a project of {n_objects} objects",
            value=_one(folder / "large", n_objects, smoke) * 1e3,
            unit="ms",
            floor=small * 1e3,
            goal="about 1 x",
        )


def _one(folder: Path, n_objects: int, smoke: bool) -> float:
    ana = hitp2p.Identity.create("Ana")
    with hitp2p.open(folder) as ws:
        objects = trail(n_objects)
        ws.store.put(WriteBatch(objects=objects), durable=False)
        last = objects[-1]

        def contribute() -> None:
            nonlocal last
            last = ws.remix([last], title="One more", by=ana)

        return wall_s(contribute, batches=3 if smoke else 200)


def _git(folder: Path, smoke: bool) -> float:
    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)

    folder.mkdir()
    key = folder.parent / "key"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)],
        check=True,
        capture_output=True,
    )
    git("init", "-q")
    for name, value in {
        "user.name": "Ana",
        "user.email": "ana@example.org",
        "gpg.format": "ssh",
        "user.signingkey": str(key),
    }.items():
        git("config", name, value)
    return wall_s(
        lambda: git("commit", "-q", "-S", "--allow-empty", "-m", "One more"),
        batches=2 if smoke else 20,
    )
