"""Where a host stands: in the open network, or in the operator's own; and which hosts count as neighbours.

Pure tables, the same in every Python: what `ipaddress` calls private changed between releases.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, Literal, NamedTuple, TypeAlias

__all__ = ["Place", "host_key", "is_own", "may_tell", "network_group", "place_of"]

Place: TypeAlias = Literal["open", "private", "link-local", "loopback", "name", "none"]
"""`open`: reached from anywhere; `private`, `link-local`, `loopback`: from one's own network, link or machine; `name`: wherever
a resolver says; `none`: no single machine, such as 0.0.0.0."""

_Ip: TypeAlias = IPv4Address | IPv6Address
_NETWORKS: Final[tuple[tuple[str, Place], ...]] = (
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "private"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "private"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "private"),
    ("0.0.0.0/8", "none"),
    ("224.0.0.0/3", "none"),
    ("0.0.0.0/0", "open"),
    ("::1/128", "loopback"),
    ("fe80::/10", "link-local"),
    ("fc00::/7", "private"),
    ("fec0::/10", "private"),
    ("2001::/23", "none"),
    ("2002::/16", "none"),
    ("2000::/3", "open"),
    ("::/0", "none"),
)
"""The first that holds a host says where it is. What carries an IPv4 address inside (6to4, Teredo, NAT64) leads who knows where."""
_PLACES: Final[tuple[tuple[IPv4Network | IPv6Network, Place], ...]] = tuple(
    (ip_network(text), place) for text, place in _NETWORKS
)


class _Host(NamedTuple):
    """What is known of a host."""

    place: Place
    group: bytes
    key: bytes


def _ip(host: str) -> _Ip | None:
    """The address, without the zone that a socket may add, an IPv4 one also where it came in the clothes of IPv6."""
    try:
        found = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return found if mapped is None else mapped


@lru_cache(4096)
def _look_up(host: str) -> _Host:
    """Remembered, as the same few hosts are asked about again and again."""
    found = _ip(host)
    if found is None:
        return _Host("name", b"name", b"name/" + host.encode("utf-8", "surrogatepass")[:256])
    place: Place = next(place for network, place in _PLACES if found in network)
    n_group, n_key = (2, 4) if found.version == 4 else (4, 8)
    group = found.packed[:n_group] if place == "open" else place.encode()
    return _Host(place, group, found.packed[:n_key])


def place_of(host: str) -> Place:
    """Where a host is; every text that is no IP address counts as a name."""
    return _look_up(host).place


def is_own(host: str) -> bool:
    """Whether a host is in the operator's own network or machine; bounds by address don't hold there [NET-22, NET-23]."""
    return place_of(host) in ("private", "link-local", "loopback")


def may_tell(source: str, host: str) -> bool:
    """Whether an address with this host may be taken up from a peer that is seen at `source` [NET-21]."""
    place = place_of(host)
    if place == "open":
        return True
    if place in ("name", "none"):
        return False
    teller = place_of(source)
    return teller in (place, "loopback")


def network_group(host: str) -> bytes:
    """Hosts that one owner is likely to hold at once: a /16 of IPv4, a /32 of IPv6; all names; each place of one's own."""
    return _look_up(host).group


def host_key(host: str) -> bytes:
    """What bounds by address count by: an IPv4 address, a /64 of IPv6, any other text as it stands."""
    return _look_up(host).key
