"""A signed durable contribution, beside a signed Git commit; and what one more costs in a large project."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import hitp2p
from benchmarks.measure import Figure, wall_medians_s
from benchmarks.samples import trail
from hitp2p.store.contract import WriteBatch
from hitp2p.workspace import Workspace


def figures(*, smoke: bool) -> Iterator[Figure]:
    """`contribute` without a file, git and a bare sync in turn; one workspace has 10^5 objects to begin with."""
    n_objects, rounds = (200, 1) if smoke else (100_000, 12)
    with (
        tempfile.TemporaryDirectory() as name,
        hitp2p.open(Path(name) / "small") as small,
        hitp2p.open(Path(name) / "large") as large,
        hitp2p.open(Path(name) / "parts") as parts,
        (Path(name) / "log").open("xb", buffering=0) as log,
    ):
        commit = _git(Path(name))
        few_s, many_s, dry_s, unsynced_s, git_s, synced_git_s, sync_s = wall_medians_s(
            (_contributing(small, 10), 20),
            (_contributing(large, n_objects), 20),
            (_contributing(parts, 10, dry_run=True), 20),
            (_storing(parts, 20 * rounds), 20),
            (commit, 3),
            (lambda: commit("-c", "core.fsync=all"), 3),
            (lambda: (log.write(bytes(1024)), os.fdatasync(log.fileno())), 20),
            rounds=rounds,
        )
    name = "sign and store a contribution durably"
    for beside, seconds, goal in (
        ("git commit -S, which syncs nothing", git_s, ">= 25 x faster"),
        ("git -c core.fsync=all commit -S", synced_git_s, ""),
        ("appending 1 KiB and fdatasync", sync_s, ""),
        (f"itself in a project of {n_objects} objects", many_s, "about 1 x"),
    ):
        yield Figure(
            name=f"{name}, against {beside}",
            value=few_s * 1e3,
            unit="ms",
            floor=seconds * 1e3,
            goal=goal,
            ratio_is_speed=True,
        )
    for title, seconds in (
        ("of it: sign and check (a dry run)", dry_s),
        ("of it: store, without the sync", unsynced_s),
    ):
        yield Figure(name=title, value=seconds * 1e3, unit="ms")


def _contributing(ws: Workspace, n_objects: int, *, dry_run: bool = False) -> Callable[[], None]:
    """One more contribution at each call, in a project that has `n_objects` to begin with."""
    ana = hitp2p.Identity.create("Ana")
    objects = trail(n_objects)
    ws.store.put(WriteBatch(objects=objects), durable=False)
    last = objects[-1]

    def contribute() -> None:
        nonlocal last
        made = ws.remix([last], title="One more", by=ana, dry_run=dry_run)
        last = last if dry_run else made

    return contribute


def _storing(ws: Workspace, times: int) -> Callable[[], object]:
    """Store one more signed work at each call, at most `times`, without waiting for the disk."""
    with hitp2p.open(":memory:") as elsewhere:
        contribute = _contributing(elsewhere, 10)
        for _ in range(times):
            contribute()
        objects = [elsewhere.show(row.cid) for row in elsewhere.rows()]
    ws.store.put(WriteBatch(objects=objects[:-times]), durable=False)
    left = iter(objects[-times:])
    return lambda: ws.store.put(WriteBatch(objects=[next(left)]), durable=False)


def _git(folder: Path) -> Callable[..., None]:
    """One more signed commit at each call, with options for git."""
    repository, key = folder / "git", folder / "key"

    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(repository), *words], check=True, capture_output=True)

    repository.mkdir()
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
    return lambda *options: git(*options, "commit", "-q", "-S", "--allow-empty", "-m", "One more")
