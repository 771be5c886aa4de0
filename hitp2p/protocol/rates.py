"""How fast peers may speak, and how fast we do [NET-22]."""

from __future__ import annotations

from typing import Final

from hitp2p import limits
from hitp2p.protocol.conduct import Meter, TokenBucket
from hitp2p.protocol.messages import Answer, Message, Push, Recon

__all__ = ["OwnRates", "Rates"]

_OUT_SHARE: Final = 0.8
"""Of what a peer takes we send no more, so that clocks that differ a little put no honest node over."""


class Rates:
    """What peers may send; one for all sessions, as it counts by address too."""

    __slots__ = ("_frames", "_objects", "_recons")

    def __init__(self) -> None:
        self._frames = Meter(limits.NODE_FRAMES_A_S, limits.NODE_FRAMES_AT_ONCE)
        self._objects = Meter(limits.NODE_OBJECTS_A_S, limits.NODE_OBJECTS_AT_ONCE)
        self._recons = Meter(limits.NODE_RECONS_A_S, limits.NODE_RECONS_AT_ONCE)

    def take(self, key: bytes, host: str, message: Message | None, now: float) -> float:
        """Seconds until a frame may be taken; 0 takes what it costs. Answers cost nothing: we asked for them."""
        if isinstance(message, Answer):
            return 0.0
        costs = [(self._frames, 1)]
        if isinstance(message, Push) and message.objects:
            costs.append((self._objects, len(message.objects)))
        elif isinstance(message, Recon):
            costs.append((self._recons, 1))
        wait_s = max(meter.wait_s(key, host, n, now) for meter, n in costs)
        if not wait_s:
            for meter, n in costs:
                meter.take(key, host, n, now)
        return wait_s


class OwnRates:
    """What we send to one peer, so that it never has to make us wait."""

    __slots__ = ("frames", "objects", "recons")

    def __init__(self) -> None:
        self.frames = _share(limits.NODE_FRAMES_A_S, limits.NODE_FRAMES_AT_ONCE)
        """Notices."""
        self.objects = _share(limits.NODE_OBJECTS_A_S, limits.NODE_OBJECTS_AT_ONCE)
        """Objects that are pushed as bytes."""
        self.recons = _share(limits.NODE_RECONS_A_S, limits.NODE_RECONS_AT_ONCE)
        """Questions about ranges."""


def _share(rate: float, burst: float) -> TokenBucket:
    return TokenBucket(rate * _OUT_SHARE, burst * _OUT_SHARE)
