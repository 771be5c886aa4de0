"""One comparison: where it stands, what both sides said, what is remembered of it. `comparing.py` takes it on."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from hashlib import sha256
from typing import Final

from hitp2p.codec.cid import Cid
from hitp2p.errors import InternalError
from hitp2p.protocol.messages import Range
from hitp2p.protocol.ranges import Reconciliation
from hitp2p.protocol.session import Session

__all__ = ["NEXT", "Comparison", "Line", "Memory", "Said", "Stage"]


class Stage(Enum):
    """Where a comparison stands."""

    HEADS = "heads"
    PULLING = "pulling"
    RANGING = "ranging"
    SETTLING = "settling"
    """What was found is being fetched and judged."""


NEXT: Final[Mapping[Stage, frozenset[Stage]]] = {
    Stage.HEADS: frozenset({Stage.PULLING, Stage.RANGING, Stage.SETTLING}),
    Stage.PULLING: frozenset({Stage.SETTLING}),
    Stage.RANGING: frozenset({Stage.SETTLING}),
    Stage.SETTLING: frozenset({Stage.HEADS}),
}
"""What may follow; any may be the end."""
Said = tuple[int, bytes, tuple[bytes, ...]]
"""Count, fingerprint, heads."""


class Memory:
    """What is remembered of a topic and peer, as long as the connection lasts."""

    __slots__ = ("done", "has_pulled", "until")

    def __init__(self) -> None:
        self.done = b""
        """What both sides said when nothing was left to do, in short."""
        self.until = 0.0
        """When that is forgotten."""
        self.has_pulled = False


class Comparison:
    """One that is under way."""

    __slots__ = (
        "is_spoiled",
        "is_waiting",
        "n_stale",
        "own",
        "ranges",
        "reconciliation",
        "room_bytes",
        "scope",
        "session",
        "stage",
        "theirs",
        "topic",
        "turn",
    )

    def __init__(self, session: Session, topic: Cid, scope: int) -> None:
        self.session = session
        self.topic = topic
        self.scope = scope
        self.stage = Stage.HEADS
        self.turn = 1
        self.own: Said = (0, b"", ())
        self.theirs: Said = (0, b"", ())
        """What both sides said last."""
        self.n_stale = 0
        """Objects that came by PULL and were known already; there are no more of them than we have, or it goes round in circles."""
        self.room_bytes = 0
        """What the PULL that is open may still bring."""
        self.reconciliation: Reconciliation | None = None
        self.ranges: tuple[Range, ...] = ()
        """What is asked next."""
        self.is_spoiled = False
        """Whether something didn't come that may come another time."""
        self.is_waiting = True
        """Whether the next question of this stage couldn't go out yet."""

    @property
    def gist(self) -> bytes:
        """What both sides said last, in short."""
        said = (part for _, total, heads in (self.own, self.theirs) for part in (total, *heads))
        return sha256(b"".join(said)).digest()

    def step(self, stage: Stage) -> None:
        if stage not in NEXT[self.stage]:
            raise InternalError(f"a comparison can't go from {self.stage} to {stage}")
        self.stage = stage
        self.is_waiting = stage is not Stage.SETTLING


class Line:
    """What concerns one connection."""

    __slots__ = ("active", "memory", "todo")

    def __init__(self) -> None:
        self.todo: dict[Cid, None] = {}
        self.active: dict[Cid, Comparison] = {}
        self.memory: dict[Cid, Memory] = {}
