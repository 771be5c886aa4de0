"""The second way between nodes: streams through the user's own Kubo, which gets through NAT, with our TLS inside.

    node --TLS--> own Kubo --libp2p, maybe relayed--> other Kubo --> other node

Kubo carries bytes and learns nothing of them; who is at the other end, TLS proves as always [NET-3]. Each node has a protocol of its
own, `/x/hitp2p/1/PEER`, so several nodes can share a daemon, and nobody clears away what is another's. What comes in begins with a line
that names the Kubo it comes from; this name stands for an address where connections are counted. What goes out, goes through a
port on loopback that Kubo forwards, and is dialled as any other address.

Kubo forgets all this when it restarts, so it is looked after while the node runs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

import trio

from hitp2p.errors import BackendError, Hitp2pError, UsageError
from hitp2p.node.kubo_streams import KuboStream, KuboStreams
from hitp2p.node.streams import Accepted, accept_all, listen_tcp, multiaddr_of
from hitp2p.protocol.records import parse_peer_id

__all__ = ["Tunnel", "parse_tunnel_address"]

_PROTOCOL: Final = "/x/hitp2p/1/"
_LOOPBACK: Final = "/ip4/127.0.0.1/tcp/"
_LOOK_S: Final = 30.0
"""How often the daemon is asked whether it still carries all, in seconds."""
_LINE_BYTES: Final = 128
"""Longest name of a Kubo, in bytes."""
_LINE_S: Final = 5.0
"""How long the daemon may take to tell it, in seconds."""
_LOG: Final = logging.getLogger(__name__)
_T = TypeVar("_T")


def parse_tunnel_address(text: str) -> tuple[str, str] | None:
    """Kubo and node that `/p2p/KUBO/tls/p2p/NODE` names; None for an address of another form.

    Raises:
        InvalidError: it has this form, and NODE is no peer id of a node.
    """
    match text.split("/"):
        case ["", "p2p", kubo, "tls", "p2p", node] if kubo.isalnum() and kubo.isascii():
            parse_peer_id(node)
            return kubo, node
        case _:
            return None


class Tunnel:
    """Streams of one node through one daemon."""

    def __init__(self, kubo: KuboStreams, me: str, *, look_every_s: float = _LOOK_S) -> None:
        """Args:
        kubo: the daemon; closed when `keep` ends.
        me: peer id of the node.
        look_every_s: how often the daemon is asked whether it still carries all, in seconds.
        """
        self._kubo = kubo
        self._me = me
        self._look_every_s = look_every_s
        self.wanted: list[KuboStream] = []
        """What the daemon should carry; as `streams` gives it."""

    async def listen(self, take: Accepted, *, task_status: trio.TaskStatus[str]) -> None:
        """Take up what comes through the daemon until cancelled; started with the address under which others reach us.

        Raises:
            UsageError: the daemon's config doesn't allow streams.
            BackendError: the daemon fails.
        """

        async def take_named(stream: trio.SocketStream, host: str) -> None:
            name = await _read_name(stream)
            if name is not None:
                await take(stream, f"p2p/{name}")

        async with await listen_tcp(f"{_LOOPBACK}0") as listener:
            kubo_id = await _in_thread(self._kubo.own_id)
            stream = KuboStream(_PROTOCOL + self._me, f"/p2p/{kubo_id}", multiaddr_of(listener))
            await _in_thread(lambda: self._mount(stream))
            self.wanted.append(stream)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(accept_all, listener, take_named, nursery)
                task_status.started(f"/p2p/{kubo_id}/tls/p2p/{self._me}")

    async def reach(self, kubo_id: str, node: str) -> str:
        """An address that leads through the daemon to a node behind another one.

        Raises:
            UsageError, BackendError: as `listen`. Whether anybody is there, dialling finds out.
        """
        stream = await _in_thread(lambda: self._forward(_PROTOCOL + node, kubo_id))
        if stream not in self.wanted:
            self.wanted.append(stream)
        return f"{stream.listens}/tls/p2p/{node}"

    def _forward(self, protocol: str, kubo_id: str) -> KuboStream:
        """A forward that is there already, perhaps since an earlier run, or a new one."""
        for _ in range(2):
            for stream in self._kubo.streams():
                if stream.protocol == protocol and stream.target == f"/p2p/{kubo_id}":
                    return stream
            self._kubo.forward(protocol, f"{_LOOPBACK}0", kubo_id)
        raise BackendError(f"{self._kubo.address} doesn't keep what it was asked to forward")

    def _mount(self, stream: KuboStream) -> None:
        if stream.listens.startswith(_LOOPBACK):
            self._kubo.forward(stream.protocol, stream.listens, stream.target.removeprefix("/p2p/"))
            return
        for old in self._kubo.streams():  # a node that was killed leaves its own behind
            if old.protocol == stream.protocol and old.listens == stream.listens:
                self._kubo.end(old)
        self._kubo.listen(stream.protocol, stream.target)

    async def keep(self) -> None:
        """Ask now and then whether the daemon still carries all, until cancelled; then clear away."""
        was_well = True
        try:
            while True:
                await trio.sleep(self._look_every_s)
                try:
                    await _in_thread(self._mount_lost)
                    was_well = True
                except Hitp2pError as error:
                    if was_well:
                        _LOG.warning("the tunnel through %s is shut: %s", self._kubo.address, error)
                    was_well = False
        finally:
            with trio.CancelScope(shield=True):
                await _in_thread(self._clear)

    def _mount_lost(self) -> None:
        carried = self._kubo.streams()
        for stream in self.wanted:
            if stream not in carried:
                self._mount(stream)

    def _clear(self) -> None:
        try:
            for stream in self.wanted:
                self._kubo.end(stream)
        except (BackendError, UsageError) as error:
            _LOG.debug("the tunnel wasn't cleared away: %s", error)
        self._kubo.close()


async def _in_thread(call: Callable[[], _T]) -> _T:
    return await trio.to_thread.run_sync(call)


async def _read_name(stream: trio.SocketStream) -> str | None:
    """The name in the first line; None where there is none, and the stream is closed then."""
    found: str | None = None
    try:
        with trio.move_on_after(_LINE_S), suppress(trio.BrokenResourceError):
            found = await _read_line(stream)
    finally:
        if found is None:
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(stream)
    return found


async def _read_line(stream: trio.SocketStream) -> str | None:
    """Byte by byte, as what follows is for another reader."""
    line = b""
    while len(line) < _LINE_BYTES and (byte := await stream.receive_some(1)):
        if byte == b"\n":
            return line.decode("ascii") if line.isalnum() else None
        line += byte
    return None
