"""Where hosts stand, each network at its first and last address and one past them."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from hitp2p.protocol.places import Place, host_key, is_own, may_tell, network_group, place_of

SPEC = Path(__file__).resolve().parents[3] / "spec" / "10-node.md"
FIRST_AND_LAST: list[tuple[str, Place]] = [
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
    ("::1/128", "loopback"),
    ("fe80::/10", "link-local"),
    ("fc00::/7", "private"),
    ("fec0::/10", "private"),
    ("2001::/23", "none"),
    ("2002::/16", "none"),
]


@pytest.mark.parametrize(("network", "place"), FIRST_AND_LAST)
def test_net_21_a_network_begins_and_ends_where_the_chapter_says(
    network: str, place: Place
) -> None:
    first, last = ip_network(network)[0], ip_network(network)[-1]
    assert place_of(str(first)) == place_of(str(last)) == place
    for outside in (int(first) - 1, int(last) + 1):
        if 0 <= outside < 2**32 or (first.version == 6 and outside < 2**128):
            assert place_of(str(type(first)(outside))) != place
    assert network in SPEC.read_text(encoding="utf-8") or network == "::1/128"


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("8.8.8.8", "open"),
        ("1.0.0.0", "open"),
        ("223.255.255.255", "open"),
        ("2a00::1", "open"),
        ("2000::", "open"),
        ("3fff:ffff::", "open"),
        ("4000::", "none"),
        ("::", "none"),
        ("::8.8.8.8", "none"),
        ("64:ff9b::10.0.0.1", "none"),
        ("ff02::1", "none"),
        ("255.255.255.255", "none"),
        ("fe80::1%eth0", "link-local"),
        ("::ffff:10.0.0.1", "private"),
        ("::ffff:8.8.8.8", "open"),
        ("localhost", "name"),
        ("", "name"),
        ("1.2.3", "name"),
        ("01.2.3.4", "name"),
        ("\ud800", "name"),
    ],
)
def test_net_21_a_host_is_in_one_place(host: str, place: Place) -> None:
    assert place_of(host) == place
    assert is_own(host) is (place in ("private", "link-local", "loopback"))


IN = {"open": "8.8.8.8", "private": "10.0.0.1", "link-local": "fe80::1", "loopback": "127.0.0.1"}
IN |= {"name": "example.org", "none": "0.0.0.0"}


@pytest.mark.parametrize("source", IN)
@pytest.mark.parametrize("host", IN)
def test_net_21_who_may_tell_of_whom(source: str, host: str) -> None:
    own = host in ("private", "link-local", "loopback")
    allowed = host == "open" or (own and source in (host, "loopback"))
    assert may_tell(IN[source], IN[host]) is allowed


def test_hosts_of_a_16_or_of_a_32_of_ipv6_are_one_network() -> None:
    assert network_group("8.8.0.0") == network_group("8.8.255.255") != network_group("8.9.0.0")
    assert network_group("2a00:1::") == network_group("2a00:1:ffff::1") != network_group("2a00:2::")
    assert network_group("::ffff:8.8.1.1") == network_group("8.8.0.0")
    groups = [network_group(host) for host in IN.values()]
    assert len(set(groups)) == len(IN)


def test_no_network_of_ipv4_is_taken_for_one_of_ipv6() -> None:
    assert len(network_group("8.8.8.8")) != len(network_group("2a00::1"))


def test_net_22_a_host_is_an_address_or_a_64_of_ipv6() -> None:
    assert host_key("8.8.8.8") != host_key("8.8.8.9")
    assert host_key("::ffff:8.8.8.8") == host_key("8.8.8.8")
    assert host_key("2a00::1") == host_key("2a00::ffff:0:0:1") != host_key("2a00:0:0:1::1")
    assert host_key("a" * 1000) == host_key("a" * 256)
    assert len({host_key(host) for host in ("a", "b", "", "8.8.8.8", "\ud800")}) == 5


def test_a_host_may_come_as_a_socket_gives_it() -> None:
    assert place_of(str(ip_address("fe80::1%lo"))) == "link-local"
