"""A node that runs, for a trio app: open it, say what it follows and whom it knows, and listen to what it tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import trio

from hitp2p.codec.cid import Cid
from hitp2p.errors import PeerError, UsageError
from hitp2p.node.events import Broadcast, Events
from hitp2p.node.keeper import Keeper
from hitp2p.node.key import NodeKey
from hitp2p.node.policy import Follow, Policy
from hitp2p.node.shell import Shell
from hitp2p.node.tunnel import Tunnel, parse_tunnel_address
from hitp2p.protocol.actions import Admitted, Member, Want
from hitp2p.protocol.core import PeerView, TopicView
from hitp2p.protocol.records import parse_address, parse_peer_id

__all__ = ["Node", "as_follow"]


class _Followed(NamedTuple):
    """What the store says of a topic."""

    follow: Follow
    members: tuple[Member, ...]
    wants: tuple[Want, ...]


class Node:
    """A running node. Made by `open_node`; its methods are for tasks of the same trio run."""

    def __init__(
        self,
        *,
        key: NodeKey,
        addresses: Sequence[str],
        shell: Shell,
        keeper: Keeper,
        events: Broadcast,
        tunnel: Tunnel | None,
    ) -> None:
        """For `open_node`."""
        self.peer_id = key.peer_id
        """Its name: 12D3KooW..."""
        self.addresses = tuple(addresses)
        """Where others reach it, as far as it knows."""
        self._shell = shell
        self._keeper = keeper
        self._events = events
        self._tunnel = tunnel

    def add_address(self, address: str) -> None:
        """For `open_node`."""
        self.addresses = (*self.addresses, address)

    # --- what it follows --------------------------------------------------------------------------

    async def follow(self, what: Follow | Cid | str) -> None:
        """Keep a topic in step from now on; replaces what was said of it before.

        Raises:
            UnlistedError: it is an unlisted project.
            UsageError: no such topic can be followed.
        """
        wanted = as_follow(what)
        await self._shell.lane.ask(lambda: self._prepare(wanted), self._begin)

    def _prepare(self, wanted: Follow) -> _Followed:
        """In a thread."""
        keeper, topic = self._keeper, wanted.topic
        keeper.follow(topic, wanted.scope, wanted.media)
        scopes = range(wanted.scope + 1)  # what is accepted is a set of its own, also within all
        members = [member for scope in scopes for member in keeper.members(topic, scope)]
        return _Followed(wanted, tuple(members), keeper.wants(topic))

    def _begin(self, found: _Followed) -> None:
        core, follow = self._shell.core, found.follow
        self._shell.tell(
            lambda now: core.follow(
                follow.topic,
                scope=int(follow.scope),
                media=int(follow.media),
                members=found.members,
                now=now,
            )
        )
        self._want(found.wants)

    def _want(self, wants: tuple[Want, ...]) -> None:
        if wants:
            core = self._shell.core
            self._shell.tell(lambda now: core.on_local(Admitted(wants=wants), now))

    async def name_wants(self, topic: Cid) -> None:
        """Tell the core anew what is missing of a topic's pages, texts and media. For `open_node`."""
        await self._shell.lane.ask(lambda: self._keeper.wants(topic), self._want)

    async def unfollow(self, topic: Cid | str) -> None:
        """Keep it in step no more; what is here stays. Harmless for what isn't followed."""
        cid = as_follow(topic).topic
        core = self._shell.core
        await self._shell.lane.ask(
            lambda: self._keeper.unfollow(cid),
            lambda _: self._shell.tell(lambda now: core.unfollow(cid, now)),
        )

    async def set_policy(self, policy: Policy) -> None:
        """Take over what the operator has decided, with what is followed."""
        before = {follow.topic: follow for follow in self._keeper.policy.follows}
        core = self._shell.core
        await self._shell.lane.ask(
            lambda: self._hold_to(policy),
            lambda changed: self._shell.tell(lambda now: core.on_local(changed, now)),
        )
        after = {follow.topic: follow for follow in policy.follows}
        for topic in before.keys() - after.keys():
            await self.unfollow(topic)
        for topic, follow in after.items():
            if before.get(topic) != follow:
                await self.follow(follow)

    def _hold_to(self, policy: Policy) -> Admitted:
        """In a thread. What is in no set any more, or is again."""
        self._keeper.policy = policy
        return self._keeper.catch_up()

    # --- peers ------------------------------------------------------------------------------------

    async def connect(self, address: str, *, within_s: float | None = None) -> str:
        """Dial a node, again and again until `disconnect`; its peer id.

        Args:
            address: `/ip4|ip6|dns|dns4|dns6/HOST/tcp/PORT/tls/p2p/PEER`, or `/p2p/KUBO/tls/p2p/PEER` through one's own Kubo.
            within_s: wait until it is connected, at most so long; by default don't wait.

        Raises:
            InvalidError: no such address.
            UsageError: this node has no Kubo.
            PeerError: it isn't connected in time; it is dialled on.
        """
        through = parse_tunnel_address(address)
        if through is not None:
            if self._tunnel is None:
                raise UsageError(f"{address} leads through Kubo; open the node with `tunnel`")
            address = await self._tunnel.reach(*through)
        peer = parse_address(address)
        core = self._shell.core
        with self.events() as events:
            self._shell.tell(lambda now: core.connect(peer.key, address, now))
            if within_s is not None:
                await self._wait_for(peer.key, address, events, within_s)
        return address.rsplit("/", 1)[1]

    async def _wait_for(self, key: bytes, address: str, events: Events, within_s: float) -> None:
        why = "no answer"
        with trio.move_on_after(within_s):
            while not any(peer.key == key and peer.is_open for peer in self.peers()):
                event = await anext(events)
                if event.name == "not-reached" and event.peer == key:
                    why = event.text
            return
        raise PeerError(f"{address} isn't connected after {within_s:g} seconds: {why}")

    def disconnect(self, peer_id: str) -> None:
        """Dial a node no more."""
        key = parse_peer_id(peer_id)
        self._shell.tell(lambda now: self._shell.core.disconnect(key, now))

    def compare(self) -> None:
        """Compare every topic with every peer now."""
        self._shell.tell(self._shell.core.compare_now)

    # --- how it is --------------------------------------------------------------------------------

    def peers(self) -> tuple[PeerView, ...]:
        """Whom it is connected with."""
        return self._shell.core.peers()

    def topics(self) -> tuple[TopicView, ...]:
        """What it follows, and how that stands."""
        return self._shell.core.topics()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is compared, judged or fetched now."""
        return self._shell.core.is_idle

    def events(self) -> Events:
        """What happens from now on: a context manager and an async iterator."""
        return self._events.listen()


def as_follow(what: Follow | Cid | str) -> Follow:
    """What is to be followed, from what a caller may say.

    Raises:
        InvalidError: a text that is no CID.
    """
    if isinstance(what, Follow):
        return what
    return Follow(topic=Cid.parse(what) if isinstance(what, str) else what)
