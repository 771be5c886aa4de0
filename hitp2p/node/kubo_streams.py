"""Streams through a Kubo daemon: what `ipfs p2p` does, asked of its RPC.

They are an experiment of Kubo's, so its config must allow them; and they vanish when the daemon restarts.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from hitp2p.errors import UsageError
from hitp2p.store.kubo_address import KuboAddress
from hitp2p.store.kubo_calls import Kubo
from hitp2p.store.kubo_rpc import KuboRpc, RefusedError

__all__ = ["KuboStream", "KuboStreams", "connect_streams"]

_CALL_S: Final = 20.0
_ANSWER_BYTES: Final = 1024 * 1024
_OFF: Final = "stream mounting not enabled"
"""What Kubo answers where its config doesn't allow streams."""


class KuboStream(NamedTuple):
    """What the daemon carries."""

    protocol: str
    """Begins with /x/."""
    listens: str
    """`/ip4/127.0.0.1/tcp/PORT` on this machine, or `/p2p/ID` for what comes to the daemon."""
    target: str
    """The other way round."""


class KuboStreams(Kubo):
    """One daemon. Threads may share it.

    Every call raises:
        UsageError: its config doesn't allow streams.
        BackendError: it can't be reached, refuses, or answers wrongly.
    """

    def own_id(self) -> str:
        """The peer id of the daemon."""
        found = self._one("id").get("ID")
        if not isinstance(found, str) or not found.isalnum():
            raise self._wrong("id", "no peer id")
        return found

    def streams(self) -> tuple[KuboStream, ...]:
        """What it carries now, for anybody."""
        with _explained(self.address):
            return tuple(self._entries(self._one("p2p/ls").get("Listeners") or ()))

    def _entries(self, entries: Any) -> Iterator[KuboStream]:
        try:
            for entry in entries:
                yield KuboStream(
                    str(entry["Protocol"]), str(entry["ListenAddress"]), str(entry["TargetAddress"])
                )
        except (KeyError, TypeError):
            raise self._wrong("p2p/ls", "an entry of another shape") from None

    def listen(self, protocol: str, target: str) -> None:
        """Carry what comes for a protocol to `/ip4/127.0.0.1/tcp/PORT`; a line with the sender's peer id goes first."""
        self._do("p2p/listen", protocol, target, **{"report-peer-id": "true"})

    def forward(self, protocol: str, listens: str, peer_id: str) -> None:
        """Carry what comes to `/ip4/127.0.0.1/tcp/PORT` to another daemon, which must listen for the protocol."""
        self._do("p2p/forward", protocol, listens, f"/p2p/{peer_id}")

    def end(self, stream: KuboStream) -> None:
        """Carry it no more; harmless for what isn't carried."""
        options = {
            "protocol": stream.protocol,
            "listen-address": stream.listens,
            "target-address": stream.target,
        }
        self._do("p2p/close", **options)

    def _do(self, command: str, *arguments: str, **options: str) -> None:
        with _explained(self.address):
            self._joined(
                command, self._rpc.stream(command, *arguments, options=options), _ANSWER_BYTES
            )


@contextmanager
def _explained(address: KuboAddress) -> Generator[None]:
    try:
        yield
    except RefusedError as error:
        if _OFF not in error.reason:
            raise
        off = UsageError(f"{address} carries no streams: its config doesn't allow it")
        off.add_note(
            'Run "ipfs config --json Experimental.Libp2pStreamMounting true" and restart the daemon.'
        )
        raise off from error


def connect_streams(address: KuboAddress, authorization: str | None = None) -> KuboStreams:
    """A daemon at an address; nothing is asked yet.

    Raises:
        UsageError: the extra `ipfs` isn't installed.
    """
    rpc = KuboRpc(address, authorization=authorization, within_s=_CALL_S)
    return KuboStreams(rpc, address)
