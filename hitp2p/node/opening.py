"""Opening a node: its files, its key, its sockets, its tasks; and ending it in order."""

from __future__ import annotations

import logging
import os
import random
import secrets
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NoReturn, TypedDict, Unpack, cast

import trio

from hitp2p import limits
from hitp2p.codec.cid import Cid
from hitp2p.errors import Hitp2pError
from hitp2p.node.events import Broadcast
from hitp2p.node.keeper import Keeper
from hitp2p.node.key import NodeKey, open_node_key
from hitp2p.node.kubo_streams import connect_streams
from hitp2p.node.lane import StoreLane
from hitp2p.node.policy import Follow, Policy
from hitp2p.node.running import Node, as_follow
from hitp2p.node.saved import NodeFolder
from hitp2p.node.shell import Shell
from hitp2p.node.streams import Gate, accept_all, dial_tcp, listen_tcp, multiaddr_of, parse_listen
from hitp2p.node.tls import make_contexts
from hitp2p.node.tunnel import Tunnel, parse_tunnel_address
from hitp2p.ports import Clock
from hitp2p.protocol.actions import Admitted, Event, Moment
from hitp2p.protocol.core import NodeConfig, NodeCore
from hitp2p.protocol.places import is_own, place_of
from hitp2p.protocol.records import parse_address, sign_record
from hitp2p.store.choice import authorization_in
from hitp2p.store.contract import Store
from hitp2p.store.kubo_address import parse_kubo_address
from hitp2p.store.sqlite import DATABASE
from hitp2p.workspace import Workspace, open_workspace

__all__ = ["NodeOptions", "open_node"]

FOLDER: Final = "node"
"""Name of the node's folder in `.hitp2p` of a workspace."""
AGENT: Final = "hitp2p"
"""What the node says that it is; a version would tell more of its weak spots than a peer has to know."""
_SAVE_EVERY_S: Final = 300.0
_LOOK_EVERY_S: Final = 0.25
"""How often the store is asked whether somebody else has put something into it, in seconds."""
_LOOK_ANYWAY_S: Final = 1.0
"""The same, where a glance would have told."""
_GLANCE_EVERY_S: Final = 0.1
"""How often it is looked whether the log of the database has grown, in seconds."""
_TROUBLE_S: Final = 5.0
"""How long a store that failed is left alone, in seconds."""
_REFILL_EVERY_S: Final = 30.0
_ANNOUNCE_EVERY_S: Final = 24 * 3600.0
_LEAVING_S: Final = 1.5
"""How long connections have to end in order, in seconds."""
_LOG: Final = logging.getLogger(__name__)


class NodeOptions(TypedDict, total=False):
    """How a node runs; all of it may be left out."""

    listen: Sequence[str]
    """Where others may dial, such as `/ip4/0.0.0.0/tcp/4311`; by default nowhere: dialling out suffices to take part."""
    announce: Sequence[str]
    """Where others reach the node, such as `/dns/example.org/tcp/4311`; by default where it listens, if that is one place."""
    follow: Sequence[Follow | Cid | str]
    """What is kept in step: projects, and people by their genesis. A CID stands for all of it, with previews."""
    peers: Sequence[str]
    """Addresses as `Node.connect` takes them, which are dialled again and again, whatever happens."""
    policy: Policy
    """What the operator keeps out; what it says is followed is followed as well."""
    max_inbound: int
    """Most connections that others dialled; 128."""
    max_outbound: int
    """Most that the node makes by itself beside those to `peers`; 8."""
    compare_every_s: float
    """How often each topic is compared with some peer, in seconds; 60."""
    tunnel: str
    """RPC address of the user's own Kubo, such as `kubo:/ip4/127.0.0.1/tcp/5001`, through which others reach the node."""
    folder: Path
    """Where the node's own files lie; by default `.hitp2p/node` of the workspace, and nowhere for one in memory."""
    clock: Clock
    """Milliseconds since 1970; the system's by default."""
    seed: int
    """Of all chance but the node's key; drawn by default."""


class SeededChance(random.Random):
    """Chance as the core wants it."""

    def below(self, n: int, /) -> int:
        """An integer from 0 to n - 1."""
        return self.randrange(n)


@asynccontextmanager
async def open_node(
    where: Workspace | str | os.PathLike[str], **options: Unpack[NodeOptions]
) -> AsyncGenerator[Node]:
    """Run a node on a workspace while the block lasts. What it stores is there for whoever has the workspace open.

    Args:
        where: a workspace that is open, or the folder of one; made where there is none.
        options: see `NodeOptions`.

    Raises:
        UsageError: another node runs on this workspace, or an option won't do.
        StoreError: the folder can't be used, or the system doesn't let us listen.
    """
    async with AsyncExitStack() as stack:
        if isinstance(where, Workspace):
            workspace = where
        else:
            workspace = stack.enter_context(open_workspace(where))
        folder = NodeFolder(options.get("folder") or _folder_of(workspace, stack))
        stack.enter_context(folder.locked())
        listeners = [
            await stack.enter_async_context(await listen_tcp(address))
            for address in options.get("listen", ())
        ]
        keeper = stack.enter_context(
            Keeper.open(workspace.store, folder.path, policy=options.get("policy"))
        )
        service = _Service(workspace.store, keeper, folder, listeners, options)
        yield await stack.enter_async_context(service.running())


def _folder_of(workspace: Workspace, stack: AsyncExitStack) -> Path:
    if workspace.folder is not None:
        return workspace.folder / FOLDER
    return Path(stack.enter_context(TemporaryDirectory(prefix="hitp2p-node-")))


class _Service:
    """What a node consists of, and its tasks."""

    def __init__(
        self,
        store: Store,
        keeper: Keeper,
        folder: NodeFolder,
        listeners: Sequence[trio.SocketListener],
        options: NodeOptions,
    ) -> None:
        self._store = store
        self._folder = folder
        self._listeners = listeners
        self._options = options
        self._wall = options.get("clock") or _system_clock
        self._events = Broadcast()
        self._seen = -1
        self._key = key = open_node_key(folder.path, randomness=secrets.token_bytes)
        self._book = folder.read_book(key.public, secrets.token_bytes)
        self._bans = folder.read_bans(self._now())
        self._keeper = keeper
        config = self._config(key)
        self._announced = config.listen[: limits.NODE_RECORD_ADDRESSES]
        self._shell = Shell(
            NodeCore(
                me=key.public,
                config=config,
                book=self._book,
                bans=self._bans,
                chance=SeededChance(options.get("seed", secrets.randbits(64))),
                now=self._now(),
            ),
            self._keeper,
            tls=make_contexts(key, folder.path),
            clock=self._now,
            dial=dial_tcp,
            gate=Gate(
                is_exempt=is_own,
                is_banned=lambda host: self._bans.is_banned(None, host, self._now()),
            ),
            lane=StoreLane(),
            on_event=self._events.tell,
        )
        self._tunnel = self._own_tunnel(key)
        self.node = Node(
            key=key,
            addresses=config.listen,
            tunnel=self._tunnel,
            shell=self._shell,
            keeper=self._keeper,
            events=self._events,
        )

    def _now(self) -> Moment:
        return Moment(trio.current_time(), self._wall())

    def _config(self, key: NodeKey) -> NodeConfig:
        options = self._options
        static = [
            parse_address(text)
            for text in options.get("peers", ())
            if parse_tunnel_address(text) is None
        ]
        return NodeConfig(
            listen=tuple(self._places(key)),
            static=tuple((peer.key, peer.text) for peer in static),
            agent=AGENT,
            max_inbound=options.get("max_inbound", 128),
            max_outbound=options.get("max_outbound", 8),
            compare_every_s=options.get("compare_every_s", 60.0),
        )

    def _places(self, key: NodeKey) -> Iterator[str]:
        """The addresses under which others reach the node."""
        told = self._options.get("announce", ())
        for place in told or map(multiaddr_of, self._listeners):
            if told or place_of(parse_listen(place)[0]) != "none":  # 0.0.0.0 is no place to dial
                yield parse_address(f"{place}/tls/p2p/{key.peer_id}").text

    def _own_tunnel(self, key: NodeKey) -> Tunnel | None:
        told = self._options.get("tunnel")
        if not told:
            return None
        address = parse_kubo_address(told)
        authorization = authorization_in(self._folder.path.parent, address)
        return Tunnel(connect_streams(address, authorization), key.peer_id)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Node]:
        """Its tasks, while the block lasts. An error in the block comes out as it is, without a group around it."""
        failed: BaseException | None = None
        try:
            async with trio.open_nursery() as tasks:
                connections: trio.Nursery = await tasks.start(self._shell.run)
                for listener in self._listeners:
                    tasks.start_soon(accept_all, listener, self._shell.accept, connections)
                try:
                    if self._tunnel is not None:
                        tasks.start_soon(self._tunnel.keep)
                        self.node.add_address(
                            await tasks.start(self._tunnel.listen, self._shell.accept)
                        )
                    await self._begin()
                    for task in (self._watch, self._refill, self._save_often, self._announce_often):
                        tasks.start_soon(task)
                    yield self.node
                except BaseException as error:
                    failed = error
                await self._end()
                tasks.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            _raise_one(group)
        if failed is not None:
            raise failed

    async def _begin(self) -> None:
        policy = self._keeper.policy
        named = [as_follow(what) for what in self._options.get("follow", ())]
        for follow in {one.topic: one for one in (*policy.follows, *named)}.values():
            await self.node.follow(follow)
        for address in self._options.get("peers", ()):
            if parse_tunnel_address(address) is not None:
                await self.node.connect(address)

    async def _end(self) -> None:
        """Say goodbye, and keep what was learned."""
        with trio.CancelScope(shield=True):
            for listener in self._listeners:
                await listener.aclose()
            with trio.move_on_after(_LEAVING_S):
                await self._shell.leave()
            self._events.end()
            await self._save()

    # --- tasks ------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Take up what others put into the store: the user, another process."""
        while True:
            written = self._written()
            try:
                await self._shell.lane.ask(self._look, self._take_up)
            except Hitp2pError as error:
                _LOG.error("the store can't be read: %s", error)
                self._events.tell(Event(name="store-failed", text=str(error)))
                await trio.sleep(_TROUBLE_S)
            if written is None:
                await trio.sleep(_LOOK_EVERY_S)
                continue
            with trio.move_on_after(_LOOK_ANYWAY_S):
                while self._written() == written:
                    await trio.sleep(_GLANCE_EVERY_S)

    def _written(self) -> tuple[int, int] | None:
        """What changes, for the price of a glance, when anybody writes to the store; None where nothing is known to."""
        folder = self._store.media_folder
        if folder is None:
            return None
        try:
            state = (folder.parent / f"{DATABASE}-wal").stat()
        except OSError:
            return None
        return state.st_mtime_ns, state.st_size

    def _look(self) -> tuple[Admitted | None, tuple[Cid, ...]]:
        """In a thread. What the core doesn't know: nothing most of the time, for the price of one small query; and what it must
        name no more.
        """
        unlisted = self._keeper.unfollow_unlisted()
        last = self._store.last_seq()
        if last == self._seen and not self._keeper.is_behind:
            return None, unlisted
        found = self._keeper.catch_up()
        self._seen = last
        return found, unlisted

    def _take_up(self, seen: tuple[Admitted | None, tuple[Cid, ...]]) -> None:
        found, unlisted = seen
        core = self._shell.core
        for topic in unlisted:
            _LOG.warning("project %s is unlisted now, so it is followed no more", topic)
            self._shell.tell(partial(core.unfollow, topic))
        if found is not None:
            self._shell.tell(lambda now: core.on_local(found, now))

    async def _refill(self) -> None:
        """Name again what is missing of pages, texts and media where the core had room for a part of it only."""
        while True:
            await trio.sleep(_REFILL_EVERY_S)
            for topic in self._shell.core.short_of_wants():
                await self.node.name_wants(topic)

    async def _announce_often(self) -> None:
        """Sign anew where the node is found; a record holds for two weeks [NET-20]."""
        while self._announced:
            record = sign_record(self._key.signer, self._wall(), self._announced)
            self._shell.core.set_record(record.block)
            await trio.sleep(_ANNOUNCE_EVERY_S)

    async def _save_often(self) -> None:
        while True:
            await trio.sleep(_SAVE_EVERY_S)
            await self._save()

    async def _save(self) -> None:
        book, bans = self._book.encode(), self._bans.encode(self._now())
        try:
            await trio.to_thread.run_sync(self._folder.save, book, bans)
        except Hitp2pError as error:
            _LOG.error("what the node knows of its peers can't be saved: %s", error)


def _system_clock() -> int:
    return time.time_ns() // 1_000_000


def _raise_one(group: BaseExceptionGroup[BaseException]) -> NoReturn:
    """Raise what is in a group as it is, where it is one."""
    first, *others = group.exceptions
    if others:
        raise group
    if isinstance(first, BaseExceptionGroup):
        _raise_one(cast("BaseExceptionGroup[BaseException]", first))
    raise first
