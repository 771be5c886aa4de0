"""The shell of a node: it performs what the core decides, and decides nothing.

Theory of operation. All calls of the core are made here, in one thread, one after the other, and after each its actions are
performed; none of that waits. What takes time has a task of its own: a connection two (`links`), the store one (`lane`), each
dial one, and the clock one. So whatever a peer does holds up nobody but that peer.

A connection is in the nursery of `run` from its first byte to its last. An error in its handling, ours or the core's, ends this
connection and no other: `_guarded` is the frame in which it stops.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, assert_never

import trio

from hitp2p.errors import Hitp2pError, InvalidError, PeerError
from hitp2p.node.keeper import Keeper
from hitp2p.node.lane import StoreLane
from hitp2p.node.links import Link
from hitp2p.node.streams import HANDSHAKE_S, Gate
from hitp2p.node.tls import TlsContexts, TlsStream, secure
from hitp2p.protocol.actions import (
    Action,
    Admit,
    Admitted,
    Close,
    Dial,
    Event,
    Load,
    Moment,
    Notify,
    Pause,
    Resume,
    Send,
)
from hitp2p.protocol.core import NodeCore
from hitp2p.protocol.records import PeerAddress, parse_address

__all__ = ["Dialler", "Shell"]

_LOG: Final = logging.getLogger(__name__)
_CALM_S: Final = 1.0
"""How long the clock rests after an error of the core, in seconds, so that it can't spin."""


class Dialler(Protocol):
    """Reaches an address."""

    def __call__(self, address: PeerAddress, /) -> Awaitable[trio.abc.Stream]:
        """A stream to it, nothing sent yet, or PeerError. It bounds the time that it takes."""
        ...


class Shell:
    """See the head of this module. `run` is called once."""

    def __init__(
        self,
        core: NodeCore,
        keeper: Keeper,
        *,
        tls: TlsContexts,
        clock: Callable[[], Moment],
        dial: Dialler,
        gate: Gate,
        lane: StoreLane,
        on_event: Callable[[Event], None],
    ) -> None:
        """Args:
        core: nobody else may call it.
        keeper: nobody else may call it but through `lane`.
        tls: contexts of the node's key.
        clock: the time; its `mono` is trio's.
        dial: reaches addresses.
        gate: bounds handshakes.
        lane: where the store is used.
        on_event: gets what the core tells of; never waits.
        """
        self.core = core
        self.lane = lane
        self._keeper = keeper
        self._tls = tls
        self._clock = clock
        self._dial = dial
        self._gate = gate
        self._on_event = on_event
        self._links: dict[int, Link] = {}
        self._next_link = 1
        self._alarm = trio.CancelScope()
        self._emptied = trio.Event()
        self._nursery: trio.Nursery | None = None

    @property
    def n_links(self) -> int:
        """How many connections there are, past their handshake."""
        return len(self._links)

    async def run(self, *, task_status: trio.TaskStatus[trio.Nursery]) -> None:
        """Work until cancelled. What is started gives the nursery for `accept`."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            nursery.start_soon(self._keep_time)
            nursery.start_soon(self.lane.run)
            self.tell(lambda _: None)
            task_status.started(nursery)

    # --- the core ---------------------------------------------------------------------------------

    def tell(self, call: Callable[[Moment], None]) -> None:
        """Call the core with the time, and perform what it wants then."""
        try:
            call(self._clock())
        finally:
            self._perform()

    def _guard(self, call: Callable[[Moment], None]) -> bool:
        """The same where no connection is to blame for an error; whether there was none."""
        try:
            self.tell(call)
        except Exception:
            _LOG.exception("an error in the core of the node; please report it")
            return False
        return True

    def _perform(self) -> None:
        while actions := self.core.actions():
            for action in actions:
                self._perform_one(action)
        self._alarm.deadline = self.core.next_time()

    def _perform_one(self, action: Action) -> None:
        match action:
            case Send(link=number, data=data):
                if link := self._links.get(number):
                    link.send(data)
            case Close(link=number):
                if link := self._links.get(number):
                    _LOG.debug("connection %d ends: %s (%s)", number, action.text, action.code)
                    link.close()
            case Pause(link=number):
                if link := self._links.get(number):
                    link.pause()
            case Resume(link=number):
                if link := self._links.get(number):
                    link.resume()
            case Dial():
                assert self._nursery is not None
                self._nursery.start_soon(self._reach, action)
            case Admit():
                self._admit(action)
            case Load():
                self._load(action)
            case Notify(event=event):
                self._on_event(event)
            case _:
                assert_never(action)

    async def _keep_time(self) -> None:
        while True:
            with trio.CancelScope(deadline=self.core.next_time()) as self._alarm:
                await trio.sleep_forever()
            if not self._guard(self.core.on_time):
                await trio.sleep(_CALM_S)

    async def leave(self) -> None:
        """Say goodbye to all peers; over when the last connection is."""
        self._guard(self.core.leave)
        while self._links:
            self._emptied = trio.Event()
            await self._emptied.wait()

    # --- the store --------------------------------------------------------------------------------

    def _admit(self, action: Admit) -> None:
        def then(admitted: Admitted) -> None:
            self.tell(lambda now: self.core.on_admitted(action.token, admitted, now))

        def failed(error: Exception) -> None:
            """Nothing was stored, as on a full disk; it comes back with a later comparison."""
            self._complain(error)
            then(Admitted(full=True))

        self.lane.submit(lambda: self._keeper.admit(action), then, failed)

    def _load(self, action: Load) -> None:
        def failed(error: Exception) -> None:
            self._complain(error)
            self.tell(lambda now: self.core.on_loaded(action.token, {}, now))

        self.lane.submit(
            lambda: self._keeper.load(action),
            lambda found: self.tell(lambda now: self.core.on_loaded(action.token, found, now)),
            failed,
        )

    def _complain(self, error: Exception) -> None:
        if isinstance(error, Hitp2pError):
            _LOG.error("the store failed: %s", error)
        else:
            _LOG.error("an error in the store side; please report it", exc_info=error)
        self._on_event(Event(name="store-failed", text=str(error)))

    # --- connections ------------------------------------------------------------------------------

    async def accept(self, stream: trio.abc.Stream, host: str) -> None:
        """Serve one whom we didn't dial, until the connection is over.

        Args:
            stream: bytes in order; closed in the end, whatever happens.
            host: where it comes from: an IP address, or another text that stands for who carries it.
        """
        await self._guarded(lambda: self._serve(stream, host), stream)

    async def _serve(self, stream: trio.abc.Stream, host: str) -> None:
        with self._gate.enter(host):
            inside, key = await secure(stream, self._tls.server, dialled=None)
        await self._carry(
            inside,
            lambda link, now: self.core.on_connected(
                link, key, host, address=None, token=None, now=now
            ),
        )

    async def _reach(self, action: Dial) -> None:
        """Dial, and serve until the connection is over."""
        address = parse_address(action.address)
        inside: TlsStream | None = None
        why = "an error in this node"
        try:
            inside = await self._dial_inside(address, action.key)
        except (PeerError, InvalidError) as error:
            why = str(error)
        except Exception:  # as in `_guarded`
            _LOG.exception("an error in dialling %s; please report it", action.address)
        if inside is None:
            self._guard(lambda now: self.core.on_dial_failed(action.token, why, now))
            self._on_event(Event(name="not-reached", peer=action.key, text=why))
            return
        stream = inside
        await self._guarded(
            lambda: self._carry(
                stream,
                lambda link, now: self.core.on_connected(
                    link,
                    action.key,
                    address.host,
                    address=action.address,
                    token=action.token,
                    now=now,
                ),
            ),
            stream,
        )

    async def _dial_inside(self, address: PeerAddress, key: bytes) -> TlsStream:
        stream = await self._dial(address)
        with trio.move_on_after(HANDSHAKE_S):
            return (await secure(stream, self._tls.client, dialled=key))[0]
        raise PeerError(f"no handshake of {address.text} within {HANDSHAKE_S:g} seconds [NET-9]")

    async def _carry(
        self, stream: trio.abc.Stream, connected: Callable[[int, Moment], None]
    ) -> None:
        """A connection from its first frame to its last."""
        core, number = self.core, self._next_link
        self._next_link += 1
        link = self._links[number] = Link(number, stream)
        try:
            self.tell(lambda now: connected(number, now))
            await link.run(
                lambda data: self.tell(lambda now: core.on_bytes(number, data, now)),
                lambda n_bytes: self.tell(lambda now: core.on_written(number, n_bytes, now)),
            )
        finally:
            del self._links[number]
            if not self._links:
                self._emptied.set()
            self.tell(lambda now: core.on_closed(number, now))

    async def _guarded(self, body: Callable[[], Awaitable[None]], stream: trio.abc.Stream) -> None:
        """The frame in which an error in the handling of one connection stops."""
        try:
            await body()
        except PeerError as error:
            _LOG.debug("a connection ends: %s", error)
        except Exception:
            _LOG.exception("an error in the handling of one connection; please report it")
        finally:
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(stream)
