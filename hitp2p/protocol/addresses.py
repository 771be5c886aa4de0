"""The address book: whom a node knows, whom it dials next, whom it tells of [NET-21].

It is built against eclipse: an attacker with any number of keys, a few networks and all the time in the world shouldn't come to hold
every connection that the node makes. No network fills its tables (book_tables.py). Whom to dial is drawn by network first, then by host,
then by key, as keys cost nothing, hosts little, and networks something; and a network gets one connection.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain, zip_longest
from typing import Final, NamedTuple, TypeVar

from hitp2p.errors import UsageError
from hitp2p.limits import (
    NODE_ANCHORS,
    NODE_BACKOFF_FIRST_S,
    NODE_BOOK_NAMED,
    NODE_DIAL_EVERY_S,
    NODE_DIAL_HOST_EVERY_S,
    NODE_METERS,
    NODE_RECORDS_ASKED,
    NODE_RECORDS_EVERY_S,
    NODE_REST_EVERY_S,
)
from hitp2p.protocol.actions import Moment
from hitp2p.protocol.book_file import SavedPeer, encode_book, parse_book
from hitp2p.protocol.book_tables import BookTables, Peer, Route, Tries, route_to
from hitp2p.protocol.chance import Chance
from hitp2p.protocol.records import AddressRecord, PeerAddress, parse_address

__all__ = ["AddressBook"]

_T = TypeVar("_T")
_FAILURES: Final = 64
"""Where counting stops; the wait has long stopped growing."""
_LASTED_S: Final = 60
"""What doesn't last as long is no better than a dial that failed, or a peer could have itself dialled every second."""
_OUTBOUND: Final = 32
"""Most connections of its own that the book hears of at once; a bound on memory only."""


class _Link(NamedTuple):
    """A connection that this node has dialled."""

    since: float
    """By the clock that never goes back."""
    n_failed: int
    """Dials that had failed before."""


class _Named(Tries):
    """One whom the operator named."""

    __slots__ = ("addresses",)

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[PeerAddress] = []


class AddressBook:
    """Whom a node knows. Bounded, whatever it is told; the same book, chance and times give the same picks.

    Args:
        me: the node's own key, which is never taken up.
        secret: 32 bytes that nobody else knows; they say who shares a bucket with whom.
    """

    def __init__(self, *, me: bytes, secret: bytes) -> None:
        self._me = me
        self._tables = BookTables(secret)
        self._named: dict[bytes, _Named] = {}
        self._linked: dict[bytes, _Link] = {}
        """Whom this node reached and is connected with, the oldest connection first."""
        self._anchors: list[bytes] = []
        self._next_dial = float("-inf")
        self._next_rest = float("-inf")
        self._dialled: dict[bytes, float] = {}
        """Hosts that were dialled in the last minute, and when."""
        self._asked: dict[bytes, float] = {}
        """Who was handed records in the last minute, and when."""

    def __len__(self) -> int:
        """How many peers there are, without those that are named only."""
        return len(self._tables.peers)

    def __contains__(self, key: object) -> bool:
        return key in self._tables.peers or key in self._named

    def record_of(self, key: bytes) -> AddressRecord | None:
        """What a peer last said of itself."""
        peer = self._tables.peers.get(key)
        return None if peer is None else peer.record

    # --- being told -----------------------------------------------------------------------------
    def add(self, record: AddressRecord, *, source: str, now: Moment) -> bool:
        """Take up a verified record; True if it told something new and there was room [NET-20, NET-21].

        Args:
            source: host of the peer that told, as it is seen here.
        """
        return record.key != self._me and self._tables.take(record, source, now)

    # --- whom the operator names ----------------------------------------------------------------
    def name(self, key: bytes, address: str) -> None:
        """Remember an address that the operator names; it stays until `unname`, and may be anywhere.

        Raises:
            UsageError: it names another key, or the operator named too many.
            InvalidError: it is no address.
        """
        found = parse_address(address)
        if found.key != key:
            raise UsageError(f"{address} names another key than the one given")
        if key not in self._named and len(self._named) >= NODE_BOOK_NAMED:
            raise UsageError(f"{NODE_BOOK_NAMED} peers are named, and more can't be; name fewer")
        addresses = self._named.setdefault(key, _Named()).addresses
        if found not in addresses:
            addresses[:] = [*addresses, found][-8:]

    def unname(self, key: bytes) -> None:
        """Forget that the operator named a peer."""
        self._named.pop(key, None)

    def pick_named(
        self, *, taken: Collection[bytes], chance: Chance, now: Moment
    ) -> PeerAddress | None:
        """Whom of the named peers to dial next, if one of them isn't taken and its wait is over."""
        ready = [
            peer
            for key, peer in self._named.items()
            if key not in taken and peer.retry_at <= now.mono
        ]
        if not ready:
            return None
        peer = _any(ready, chance)
        peer.retry_at = now.mono + NODE_BACKOFF_FIRST_S
        return _any(peer.addresses, chance)

    # --- dialling -------------------------------------------------------------------------------
    def pick(
        self, *, taken: Collection[bytes], groups: Collection[bytes], chance: Chance, now: Moment
    ) -> PeerAddress | None:
        """Whom to dial next, if anyone [NET-21]. What follows is told by `on_connected` or `on_failed`.

        Args:
            taken: keys that aren't wanted: connected, being dialled, banned.
            groups: `network_group` of the hosts that this node has dialled and keeps: none of these again, but in its own network.
        """
        if now.mono < self._next_dial:
            return None
        self._tables.drop_old(now)
        self._dialled = _recent(self._dialled, now, NODE_DIAL_HOST_EVERY_S)
        taken = {*taken, *self._named, self._me}
        ready = {
            key: routes
            for key, peer in self._tables.peers.items()
            if key not in taken
            and peer.retry_at <= now.mono
            and (routes := self._free(peer, groups))
        }
        if not ready:
            return None
        route = _any(self._choose(ready, chance), chance)
        self._next_dial = now.mono + NODE_DIAL_EVERY_S
        if not route.is_own:
            self._dialled[route.host] = now.mono
        self._tables.peers[route.address.key].retry_at = now.mono + NODE_BACKOFF_FIRST_S
        return route.address

    def next_dial(self) -> float:
        """Before this time, by the clock that never goes back, `pick` gives None."""
        return self._next_dial

    def _free(self, peer: Peer, groups: Collection[bytes]) -> list[Route]:
        return [
            route
            for route in peer.routes
            if route.is_own or (route.group not in groups and route.host not in self._dialled)
        ]

    def _choose(self, ready: dict[bytes, list[Route]], chance: Chance) -> list[Route]:
        """Anchors first; else by turns of chance those reached before and those not; by network, then host."""
        for key in self._anchors:
            if key in ready:
                return ready[key]
        tables: list[list[Route]] = [[], []]
        for key, routes in ready.items():
            tables[self._tables.peers[key].tried is None].extend(routes)
        table = _any([routes for routes in tables if routes], chance)
        group = _any(_by(table, lambda route: route.group), chance)
        return _any(_by(group, lambda route: route.host), chance)

    def on_connected(self, key: bytes, address: str, now: Moment) -> None:
        """A dial succeeded: who answered at an address holds the key."""
        failed = [tries.n_failed for tries in self._both(key)]
        for tries in self._both(key):
            tries.n_failed, tries.retry_at = 0, float("-inf")
        self._linked.pop(key, None)
        self._linked[key] = _Link(now.mono, max(failed, default=0))
        if len(self._linked) > _OUTBOUND:
            del self._linked[next(iter(self._linked))]
        self._drop_anchor(key)
        peer = self._tables.peers.get(key)
        if peer is not None:
            peer.reached = max(now.wall, 1)
            for route in peer.routes:
                if route.address.text == address:
                    self._tables.move_to_tried(peer, route.address, now)

    def on_disconnected(self, key: bytes, now: Moment) -> None:
        """A connection that this node had dialled has ended. One that didn't last a minute counts as a dial that failed."""
        link = self._linked.pop(key, None)
        if link is not None and now.mono - link.since < _LASTED_S:
            for tries in self._both(key):
                tries.n_failed = link.n_failed
            self._fail(key, now)

    def tired(self, *, chance: Chance, now: Moment) -> bytes | None:
        """Whose connection, of those that this node dialled, to end when there are as many as there may be; about once an hour.

        Without it an attacker only has to wait: honest peers leave at times, theirs never.
        """
        links = [key for key in self._linked if key not in self._named]
        if now.mono < self._next_rest or not links:
            return None
        self._next_rest = now.mono + NODE_REST_EVERY_S
        return _any(links, chance)

    def on_failed(self, key: bytes, address: str, now: Moment) -> None:
        """A dial failed. The wait before the next one is drawn evenly from 0 to 3 s, 6 s, and so on up to an hour."""
        self._fail(key, now)
        self._drop_anchor(key)

    def _fail(self, key: bytes, now: Moment) -> None:
        for tries in self._both(key):
            tries.retry_at = now.mono + self._tables.places.wait(key, tries.n_failed)
            tries.n_failed = min(tries.n_failed + 1, _FAILURES)

    def _drop_anchor(self, key: bytes) -> None:
        self._anchors = [anchor for anchor in self._anchors if anchor != key]

    def wait_s(self, key: bytes, now: Moment) -> float:
        """Seconds until a peer may be dialled again; 0 if it may, or isn't known."""
        return max((max(0.0, tries.retry_at - now.mono) for tries in self._both(key)), default=0.0)

    def _both(self, key: bytes) -> list[Tries]:
        found: list[Tries | None] = [self._tables.peers.get(key), self._named.get(key)]
        return [tries for tries in found if tries is not None]

    # --- telling --------------------------------------------------------------------------------
    def sample(
        self, n: int, *, asking_key: bytes, chance: Chance, now: Moment
    ) -> tuple[AddressRecord, ...]:
        """Some records for who asks, of networks as different as there are; none to who asked within the minute [NET-21]."""
        self._asked = _recent(self._asked, now, NODE_RECORDS_EVERY_S)
        if asking_key in self._asked or len(self._asked) >= NODE_METERS:
            return ()
        self._asked[asking_key] = now.mono
        self._tables.drop_old(now)
        tables: list[list[Peer]] = [[], []]
        for key, peer in self._tables.peers.items():
            if key != asking_key and not peer.is_hopeless:
                tables[peer.tried is None].append(peer)
        spread = zip_longest(*(_spread(peers, chance) for peers in tables))
        found = [peer.record for peer in chain.from_iterable(spread) if peer is not None]
        return tuple(found[: min(n, NODE_RECORDS_ASKED)])

    # --- over a restart -------------------------------------------------------------------------
    def encode(self) -> bytes:
        """The book as bytes for a file. It holds the secret: for the node's own eyes."""
        old = (*self._linked, *self._anchors)
        anchors = [key for key in old if key in self._tables.peers and key not in self._named]
        return encode_book(
            self._tables.places.secret,
            tuple(dict.fromkeys(anchors))[:NODE_ANCHORS],
            (
                SavedPeer(
                    record=peer.record,
                    routes=tuple(route.address.text for route in peer.routes),
                    n_failed=peer.n_failed,
                    reached=peer.reached,
                    told=tuple(peer.told),
                    tried=None if peer.tried is None else peer.tried.text,
                )
                for peer in self._tables.peers.values()
            ),
        )

    @classmethod
    def parse(cls, data: bytes, *, me: bytes) -> AddressBook:
        """The book from such bytes; waits are over, and whom the operator named has to be named again.

        Raises:
            DecodeError: NET-21, for what `encode` didn't make, or the disk changed.
        """
        secret, anchors, peers = parse_book(data)
        book = cls(me=me, secret=secret)
        for saved in peers:
            book._restore(saved)
        book._anchors = [key for key in anchors if key in book._tables.peers]
        return book

    def _restore(self, saved: SavedPeer) -> None:
        if saved.record.key in self._tables.peers or saved.record.key == self._me:
            return
        peer = Peer(saved.record, tuple(route_to(parse_address(text)) for text in saved.routes))
        peer.n_failed, peer.reached = saved.n_failed, saved.reached
        peer.tried = None if saved.tried is None else parse_address(saved.tried)
        self._tables.restore(peer, saved.told)


def _recent(times: dict[bytes, float], now: Moment, seconds: float) -> dict[bytes, float]:
    return {key: at for key, at in times.items() if now.mono - at < seconds}


def _any(found: Collection[_T], chance: Chance) -> _T:
    """One of some, drawn evenly; there must be one."""
    return list(found)[chance.below(len(found))]


def _by(routes: Iterable[Route], name: Callable[[Route], bytes]) -> list[list[Route]]:
    """Routes in lists by what they have in common."""
    found: defaultdict[bytes, list[Route]] = defaultdict(list)
    for route in routes:
        found[name(route)].append(route)
    return list(found.values())


def _spread(peers: list[Peer], chance: Chance) -> Iterator[Peer]:
    """All of them in an order of chance: first one of each network, then another of each, and so on."""
    chance.shuffle(peers)
    groups: defaultdict[bytes, list[Peer]] = defaultdict(list)
    for peer in peers:
        groups[peer.routes[0].group].append(peer)
    rounds = zip_longest(*groups.values())
    return (peer for peer in chain.from_iterable(rounds) if peer is not None)
