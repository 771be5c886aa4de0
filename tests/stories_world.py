"""A small world for stories: people whose keys come from their names, a clock that a story sets, one workspace."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any

import hitp2p
from hitp2p.objects.envelope import SignedObject
from hitp2p.trail.report import Report
from hitp2p.workspace import Workspace

NOON = 1_790_000_000_000
"""21 September 2026."""
DAY = 86_400_000


def dice(seed: str) -> Callable[[int], bytes]:
    """Bytes that are the same in every run."""
    count = 0

    def roll(n_bytes: int) -> bytes:
        nonlocal count
        count += 1
        out = b"".join(
            sha256(f"{seed} {count} {n}".encode()).digest() for n in range(n_bytes // 32 + 1)
        )
        return out[:n_bytes]

    return roll


def person(name: str) -> hitp2p.Identity:
    return hitp2p.Identity.create(name, clock=lambda: NOON, randomness=dice(name))


class Story:
    """One workspace in which things happen, a minute apart."""

    def __init__(self, folder: Path, store: str | None = None) -> None:
        self.folder = folder
        self.now = NOON
        place = ":memory:" if store is None else folder / "ws"
        self.ws: Workspace = hitp2p.open(
            place, store=store, clock=self._tick, randomness=dice("story")
        )

    def _tick(self) -> int:
        self.now += 60_000
        return self.now

    def __enter__(self) -> Story:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.ws.close()

    def file(self, name: str, content: str) -> Path:
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        return path

    def work(
        self, who: hitp2p.Identity, project: SignedObject, name: str, title: str, **options: Any
    ) -> SignedObject:
        """A work whose file says what it is called."""
        options.setdefault("text", f"{title}\n")
        path = self.file(name, options.pop("text"))
        return self.ws.contribute(project, path, title=title, by=who, **options)

    def remix(
        self, who: hitp2p.Identity, of: Any, name: str, title: str, **options: Any
    ) -> SignedObject:
        options.setdefault("text", f"{title}\n")
        path = self.file(name, options.pop("text"))
        return self.ws.remix(of, path, title=title, by=who, **options)

    def verify(self, work: SignedObject, name: str, *, knows_all: bool = False) -> Report:
        """What somebody sees who has the file and its bundle, and perhaps this workspace."""
        bundle = self.folder / f"{name}.car"
        self.ws.export(work, bundle)
        return hitp2p.verify(self.folder / name, workspace=self.ws if knows_all else None)
