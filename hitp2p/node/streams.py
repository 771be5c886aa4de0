"""Streams of bytes between nodes, before TLS: listening, dialling, and how much strangers may take meanwhile.

Any stream of bytes that arrives in order will do (spec/10); TCP is the one that is made here. What comes after TLS is judged by
the core. Before it nobody has a name yet, so this module bounds how many shake hands, by address and in time.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from typing import Final, NoReturn, TypeAlias, cast

import trio

from hitp2p import limits
from hitp2p.errors import PeerError, StoreError, UsageError
from hitp2p.protocol.places import host_key
from hitp2p.protocol.records import PeerAddress

__all__ = [
    "DIAL_S",
    "HANDSHAKE_S",
    "Gate",
    "accept_all",
    "dial_tcp",
    "listen_tcp",
    "multiaddr_of",
    "parse_listen",
]

HANDSHAKE_S: Final = 10.0
"""How long a handshake may take, in seconds [NET-9]."""
DIAL_S: Final = 6.0
"""How long an address may take to answer, in seconds."""
_BACK_OFF_S: Final = 0.1
"""How long no connection is taken up once descriptors have run out, in seconds."""
_EXHAUSTED: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
_FAMILIES: Final = {"dns4": socket.AF_INET, "dns6": socket.AF_INET6}
_LOG: Final = logging.getLogger(__name__)

Accepted: TypeAlias = Callable[[trio.SocketStream, str], Awaitable[None]]
"""Gets a stream that is its own from then on, and the address that it comes from."""


class Gate:
    """Who may shake hands. Full, it lets the oldest go, so that slow ones can't keep others out."""

    def __init__(
        self,
        *,
        within_s: float = HANDSHAKE_S,
        is_exempt: Callable[[str], bool] = lambda _: False,
        is_banned: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Args:
        within_s: how long a handshake may take, in seconds.
        is_exempt: whether any number may come from an address: the operator's own network.
        is_banned: whether nobody may [NET-23].
        """
        self._within_s = within_s
        self._is_exempt = is_exempt
        self._is_banned = is_banned
        self._inside: dict[trio.CancelScope, bytes] = {}
        self._by_group: Counter[bytes] = Counter()

    def __len__(self) -> int:
        return len(self._inside)

    @contextmanager
    def enter(self, host: str) -> Generator[None]:
        """Bound what is done inside.

        Raises:
            PeerError: too many from there, banned, too slow, or the oldest when somebody else came.
        """
        if self._is_banned(host):
            raise PeerError(f"{host} is kept out for a while [NET-23]")
        group = host_key(host)
        if (
            self._by_group[group] >= limits.NODE_FROM_ADDRESS  # which makes no entry
            and not self._is_exempt(host)
        ):
            raise PeerError(
                f"{limits.NODE_FROM_ADDRESS} connections from {host} are in the handshake already"
            )
        if len(self._inside) >= limits.NODE_HANDSHAKES:
            oldest = next(iter(self._inside))
            oldest.cancel()
            self._leave(oldest)
        scope = trio.CancelScope(deadline=trio.current_time() + self._within_s)
        self._inside[scope] = group
        self._by_group[group] += 1
        try:
            with scope:
                yield
        finally:
            self._leave(scope)
        if scope.cancelled_caught:
            raise PeerError(f"no handshake of {host} within {self._within_s:g} seconds [NET-9]")

    def _leave(self, scope: trio.CancelScope) -> None:
        group = self._inside.pop(scope, None)
        if group is None:  # it had to give way
            return
        self._by_group[group] -= 1
        if not self._by_group[group]:
            del self._by_group[group]


# --- listening ------------------------------------------------------------------------------------


def parse_listen(text: str) -> tuple[str, int]:
    """Host and port of `/ip4/0.0.0.0/tcp/4311` or `/ip6/::/tcp/4311`; port 0 is any free one.

    Raises:
        UsageError: it is no such address.
    """
    match text.split("/"):
        case ["", "ip4" | "ip6" as kind, host, "tcp", port] if port.isascii() and port.isdigit():
            with suppress(ValueError):
                if ip_address(host).version == int(kind[2:]) and int(port) < 65_536:
                    return host, int(port)
        case _:
            pass
    raise UsageError(
        f"{text!r} is no address to listen on; one looks like /ip4/0.0.0.0/tcp/4311 or /ip6/::/tcp/4311"
    )


async def listen_tcp(address: str) -> trio.SocketListener:
    """Listen on an address as `parse_listen` takes it.

    Raises:
        UsageError: it is none.
        StoreError: the system doesn't let us; the message says why.
    """
    host, port = parse_listen(address)
    try:
        (listener,) = await trio.open_tcp_listeners(port, host=host)
    except OSError as error:
        raise StoreError(
            f"can't listen on {address}: {error.strerror}; choose another port, or stop the program that has it"
        ) from error
    return listener


def multiaddr_of(listener: trio.SocketListener) -> str:
    """Where a listener listens, with its real port."""
    host, port = listener.socket.getsockname()[:2]
    return f"/ip{ip_address(host).version}/{host}/tcp/{port}"


async def accept_all(listener: trio.SocketListener, take: Accepted, nursery: trio.Nursery) -> None:
    """Take up connections until cancelled, or the listener is closed; each in a task of its own, which gets the stream for good.

    When descriptors run out, the one who waits first is turned away with a spare one, instead of everyone waiting.
    """
    with _Spare() as spare:
        while True:
            try:
                stream = await listener.accept()
            except trio.ClosedResourceError:
                return
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    raise
                _LOG.warning("no connection is taken up for a moment: %s", error.strerror)
                await spare.turn_away(listener)
                await trio.sleep(_BACK_OFF_S)
                continue
            host = _host_of(stream)
            if host is None:  # gone already
                stream.socket.close()
            else:
                nursery.start_soon(take, stream, host)


def _host_of(stream: trio.SocketStream) -> str | None:
    try:
        host = str(stream.socket.getpeername()[0])
    except OSError:
        return None
    return host.removeprefix("::ffff:") if "." in host else host


class _Spare:
    """A descriptor that is kept to be given up."""

    def __enter__(self) -> _Spare:
        self._descriptor = _open_spare()
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None

    async def turn_away(self, listener: trio.SocketListener) -> None:
        """Take up one connection and end it at once, if one waits."""
        self._close()
        try:
            with trio.move_on_after(_BACK_OFF_S), suppress(OSError):
                stream = await listener.accept()
                stream.socket.close()
        finally:
            self._descriptor = _open_spare()


def _open_spare() -> int | None:
    with suppress(OSError):
        return os.open(os.devnull, os.O_RDONLY)
    return None


# --- dialling -------------------------------------------------------------------------------------


async def dial_tcp(address: PeerAddress) -> trio.SocketStream:
    """Reach an address, trying all that a name stands for, a quarter of a second apart.

    Raises:
        PeerError: nobody is there, or it doesn't answer in time.
    """
    try:
        with trio.fail_after(DIAL_S):
            kind = address.text.split("/", 2)[1]
            if kind in _FAMILIES:
                return await _dial_family(address, _FAMILIES[kind])
            return await trio.open_tcp_stream(address.host, address.port)
    except (OSError, UnicodeError) as error:
        _not_reached(address, _reason(error), error)
    except trio.TooSlowError as error:
        _not_reached(address, f"no answer within {DIAL_S:g} seconds", error)


async def _dial_family(address: PeerAddress, family: socket.AddressFamily) -> trio.SocketStream:
    """The same for a name of which only the addresses of IPv4, or of IPv6, are meant."""
    found = await trio.socket.getaddrinfo(
        address.host, address.port, family=family, type=socket.SOCK_STREAM
    )
    last = OSError("the name has no such address")
    for host in dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found):
        try:
            return await trio.open_tcp_stream(host, address.port)
        except OSError as error:
            last = error
    raise last


def _not_reached(address: PeerAddress, why: str, error: Exception) -> NoReturn:
    raise PeerError(f"{address.text} can't be reached: {why}") from error


def _reason(error: Exception) -> str:
    """What the system says; of several addresses, of the first."""
    cause = error.__cause__
    while isinstance(cause, BaseExceptionGroup):
        cause = cast("BaseExceptionGroup[BaseException]", cause).exceptions[0]
    told = getattr(cause, "strerror", None) or getattr(error, "strerror", None)
    return str(told or error)
