"""Putting blocks on a daemon and pinning them with holds: confirmed, named, and let go of if what they are for fails."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from hitp2p.codec.cid import Cid
from hitp2p.errors import BackendError
from hitp2p.store.holds import HOLD_BLOCKS, Held, HoldCar, HoldStream, pack, pack_loose
from hitp2p.store.kubo_batch import new_nonces
from hitp2p.store.kubo_calls import Kubo

__all__ = ["Holding", "Pinned", "Unit"]

Pinned = tuple[Cid, tuple[Held, ...]]
"""A hold whose pin is confirmed, and what it keeps."""


@dataclass(slots=True)
class Unit:
    """What a transaction has done outside of the index."""

    pinned: list[Cid] = field(default_factory=list[Cid])
    """Holds that were pinned, to be let go if it fails."""
    used_up: list[Path] = field(default_factory=list[Path])
    """Files in the media folder that are on the daemon now, to be removed if it succeeds."""

    def take(self, other: Unit) -> None:
        self.pinned += other.pinned
        self.used_up += other.used_up


class Holding:
    """Holds of one workspace on one daemon. Threads may share it."""

    def __init__(self, kubo: Kubo, workspace: bytes, pin_name: str) -> None:
        self._kubo = kubo
        self._workspace = workspace
        self._pin_name = pin_name
        self._is_checked = False

    def hold(self, blocks: Iterable[tuple[Held, bytes]], unit: Unit) -> Iterator[Pinned]:
        """Store blocks on the daemon and pin them; the holds, each when its pin is confirmed."""
        for hold in pack(blocks, self._workspace, new_nonces()):
            self.pin(unit, hold)
            yield hold.root, hold.held

    def hold_stream(
        self, blocks: Iterator[tuple[Held, bytes | memoryview]], unit: Unit, n_bytes: int
    ) -> list[Pinned]:
        """Store many bytes on the daemon while they come, and pin them: a request a hold. For what is mostly media.

        Args:
            blocks: each is used up before the next is taken.
            unit: gets the holds as soon as they might be pinned.
            n_bytes: about how long the blocks are together.
        """
        self.require_kubo()
        pinned: list[Pinned] = []
        for first in blocks:
            part = chain((first,), islice(blocks, HOLD_BLOCKS - 1))
            stream = HoldStream(part, self._workspace, next(new_nonces()), unit.pinned.append)
            self._kubo.import_stream(stream, n_bytes)
            (root,) = stream.roots
            self.name(root)
            pinned.append((root, tuple(stream.held)))
        return pinned

    @contextmanager
    def pinned(
        self, blocks: Iterator[tuple[Held, bytes]], unit: Unit, *, n_bytes: int, beside: bool
    ) -> Generator[Callable[[], Iterable[Pinned]]]:
        """Store blocks and pin them, before or beside what goes on here; gives what waits for it.

        Args:
            blocks: taken one after the other.
            unit: gets the holds as soon as they might be pinned.
            n_bytes: how long the media among the blocks are; 0 where none of it is large.
            beside: whether other work goes on meanwhile, where there are no such media.
        """
        if beside and not n_bytes:
            with ThreadPoolExecutor(1, thread_name_prefix="hitp2p-hold") as thread:
                yield thread.submit(lambda: list(self.hold(blocks, unit))).result
        else:
            hold = self.hold_stream(blocks, unit, n_bytes) if n_bytes else self.hold(blocks, unit)
            pinned = list(hold)
            yield lambda: pinned

    def pin(self, unit: Unit, hold: HoldCar) -> None:
        """Import a CAR with its hold; at the end, the pin has its name and the daemon lists it."""
        self.require_kubo()
        unit.pinned.append(hold.root)
        self._kubo.import_car(hold.car, root=hold.root, n_blocks=hold.n_blocks)
        self.name(hold.root)

    def name(self, root: Cid) -> None:
        """Give a pin its name, and see that the daemon lists it.

        Raises:
            BackendError: it doesn't.
        """
        self._kubo.name_pin(root, self._pin_name)
        if self._kubo.pin_name(root) != self._pin_name:
            raise BackendError(
                f"{self._kubo.address} confirmed a pin and doesn't list it; nothing was acknowledged. See what else "
                "changes pins there, then try again"
            )

    def send_again(self, blocks: Iterable[tuple[Held, bytes]]) -> None:
        """Heal what the daemon may have lost of blocks that are held."""
        for car, n_blocks in pack_loose(blocks):
            self._kubo.import_car(car, root=None, n_blocks=n_blocks)

    def require_kubo(self) -> None:
        """Before the first write: that it is a Kubo which can do what we ask."""
        if not self._is_checked:
            self._kubo.verify_version()
            self._is_checked = True
