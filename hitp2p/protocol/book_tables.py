"""The two tables of an address book: whom others told of, and who was reached. Who stands where, and who makes room for whom.

Peers that were only told of stand where each network that tells reaches 8 of 256 buckets; peers that were reached stand where each
network reaches 2 of 64; a secret says which. So no network fills either table, and who stands there stays, unless it fails.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from hitp2p.limits import NODE_RECORD_AGE_MS
from hitp2p.protocol.actions import Moment
from hitp2p.protocol.book_file import TOLD_PLACES
from hitp2p.protocol.book_places import BookPlaces
from hitp2p.protocol.places import host_key, is_own, may_tell, network_group
from hitp2p.protocol.records import AddressRecord, PeerAddress, parse_address

__all__ = ["BookTables", "Peer", "Route", "Tries", "route_to"]

_HOPELESS: Final = 3
"""Dials that failed, after which a peer that was never reached makes room for any other."""
_HOPELESS_LATER: Final = 10
"""The same for one that was reached before."""
_FRIEND_MS: Final = 7 * 24 * 3_600_000
"""How long a peer that was reached, and hasn't failed since, makes room for none."""


class Route(NamedTuple):
    """An address of a peer that may be dialled."""

    address: PeerAddress
    group: bytes
    host: bytes
    """As `host_key` has it."""
    is_own: bool
    """In the operator's own network, where bounds by network and host don't hold."""


class Tries:
    """How dialling went."""

    __slots__ = ("n_failed", "retry_at")

    def __init__(self, n_failed: int = 0) -> None:
        self.n_failed = n_failed
        """Since it was last reached."""
        self.retry_at = float("-inf")
        """By the clock that never goes back."""


class Peer(Tries):
    """One whom others told of, or who told of itself."""

    __slots__ = ("reached", "record", "routes", "told", "tried")

    def __init__(self, record: AddressRecord, routes: tuple[Route, ...]) -> None:
        super().__init__()
        self.record = record
        self.routes = routes
        self.reached = 0
        """When, in milliseconds since 1970; 0 for never."""
        self.told: list[int] = []
        """Its places in the table of those told of."""
        self.tried: PeerAddress | None = None
        """By which address it was reached, while it stands in the other table."""

    @property
    def is_hopeless(self) -> bool:
        return self.n_failed >= (_HOPELESS_LATER if self.reached else _HOPELESS)


class BookTables:
    """Peers and their places. Bounded: each peer stands in a place, and there are so many."""

    __slots__ = ("_new", "_tried", "peers", "places")

    def __init__(self, secret: bytes) -> None:
        self.places = BookPlaces(secret)
        self.peers: dict[bytes, Peer] = {}
        self._new: dict[int, bytes] = {}
        self._tried: dict[int, bytes] = {}

    def take(self, record: AddressRecord, source: str, now: Moment) -> bool:
        """Take up a record; True if it told something new and there was room."""
        if _is_old(record, now):
            return False
        peer = self.peers.get(record.key)
        place = self.places.new(network_group(source), record.key)
        if peer is None:
            if not self._is_free(place, None, now):
                return False
            peer, is_news = Peer(record, tuple(_routes(record, source, frozenset()))), True
        else:
            is_news = record.sequence > peer.record.sequence
            if not is_news and record.block != peer.record.block:
                return False
            self._renew(peer, record, source)
        if peer.routes and peer.tried is None and len(peer.told) < TOLD_PLACES:
            self._tell(peer, place, now)
        if not peer.told and peer.tried is None:
            self._forget(peer)
        return is_news and record.key in self.peers

    def _renew(self, peer: Peer, record: AddressRecord, source: str) -> None:
        """A record in place of the one before; a peer that can't be dialled any more leaves, and one that moved starts anew."""
        if record.block == peer.record.block and len(peer.routes) == len(record.addresses):
            return
        known = frozenset(route.address.text for route in peer.routes)
        peer.record, peer.routes = record, tuple(_routes(record, source, known))
        if peer.tried and all(route.address != peer.tried for route in peer.routes):
            self._leave_tried(peer)
        if not peer.routes:
            self._forget(peer)

    def _tell(self, peer: Peer, place: int, now: Moment) -> None:
        """Put a peer at a place, if it is free or who stands there is of less use."""
        if self._is_free(place, peer, now):
            if place in self._new:
                self._leave_place(self.peers[self._new[place]], place)
            self._take_place(peer, place)

    def _is_free(self, place: int, peer: Peer | None, now: Moment) -> bool:
        """Whether nobody stands at a place, or who does so makes room for a peer."""
        key = self._new.get(place)
        if key is None:
            return True
        other = self.peers[key]
        is_spare = (peer is None or not peer.told) and len(other.told) > 1
        return other is not peer and (is_spare or other.is_hopeless or _is_old(other.record, now))

    def _take_place(self, peer: Peer, place: int) -> None:
        self._new[place] = peer.record.key
        peer.told.append(place)
        self.peers[peer.record.key] = peer

    def _leave_place(self, peer: Peer, place: int) -> None:
        del self._new[place]
        peer.told.remove(place)
        if not peer.told and peer.tried is None:
            self._forget(peer)

    def _leave_tried(self, peer: Peer) -> None:
        if peer.tried is not None:
            del self._tried[self._tried_place(peer.tried)]
            peer.tried = None

    def _tried_place(self, address: PeerAddress) -> int:
        return self.places.tried(network_group(address.host), address.key)

    def _forget(self, peer: Peer) -> None:
        """Give up all places of a peer."""
        for place in peer.told:
            del self._new[place]
        peer.told.clear()
        self._leave_tried(peer)
        self.peers.pop(peer.record.key, None)

    def drop_old(self, now: Moment) -> None:
        """Forget whose record is older than 14 days [NET-20]."""
        for peer in [peer for peer in self.peers.values() if _is_old(peer.record, now)]:
            self._forget(peer)

    def move_to_tried(self, peer: Peer, address: PeerAddress, now: Moment) -> None:
        """To where those stand that were reached, unless an old friend stands there."""
        place = self._tried_place(address)
        key = self._tried.get(place)
        if key == peer.record.key:
            return
        if key is not None:
            other = self.peers[key]
            if not other.n_failed and now.wall - other.reached <= _FRIEND_MS:
                return
            self._leave_tried(other)
            self._tell(other, self.places.new(network_group(address.host), key), now)
            if not other.told:
                self._forget(other)
        self._leave_tried(peer)
        for told in peer.told:
            del self._new[told]
        peer.told.clear()
        peer.tried = address
        self._tried[place] = peer.record.key

    def restore(self, peer: Peer, told: tuple[int, ...]) -> None:
        """Put a peer that was saved where it stood, as far as there is room."""
        if peer.tried is None:
            for place in told:
                if place not in self._new:
                    self._take_place(peer, place)
        elif (place := self._tried_place(peer.tried)) not in self._tried:
            self._tried[place] = peer.record.key
            self.peers[peer.record.key] = peer


def route_to(address: PeerAddress) -> Route:
    """An address, and what bounds are held by."""
    host = address.host
    return Route(address, network_group(host), host_key(host), is_own(host))


def _routes(record: AddressRecord, source: str, known: Collection[str]) -> Iterator[Route]:
    """The addresses of a record that this source may tell, and those that were told before [NET-21]."""
    for text in record.addresses:
        address = parse_address(text)
        if text in known or may_tell(source, address.host):
            yield route_to(address)


def _is_old(record: AddressRecord, now: Moment) -> bool:
    return now.wall - record.sequence > NODE_RECORD_AGE_MS
