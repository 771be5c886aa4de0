"""Token buckets and bans, at their bounds and one past them."""

from __future__ import annotations

import pytest
from node_records import at, key_of

from hitp2p.errors import DecodeError
from hitp2p.limits import NODE_BAN_HOST_S, NODE_BAN_KEY_S, NODE_BANS, NODE_METERS
from hitp2p.protocol.conduct import Bans, Meter, TokenBucket
from hitp2p.protocol.packing import pack

ALICE, BOB = key_of("alice"), key_of("bob")
HERE, THERE = "8.8.8.8", "9.9.9.9"


def host(n: int) -> str:
    """A host in the open network, another one for each number."""
    return f"11.{n >> 16}.{n >> 8 & 255}.{n & 255}"


# --- buckets ------------------------------------------------------------------------------------
def test_net_22_a_bucket_gives_its_burst_and_not_one_more() -> None:
    bucket = TokenBucket(50, 500)
    assert all(bucket.take(1, 10.0) for _ in range(500))
    assert not bucket.take(1, 10.0)
    assert bucket.wait_s(1, 10.0) == pytest.approx(0.02)


def test_net_22_a_bucket_fills_at_its_rate_up_to_the_burst() -> None:
    bucket = TokenBucket(5, 10)
    assert bucket.take(10, 0.0)
    assert bucket.take(5, 1.0)
    assert not bucket.take(1, 1.0)
    assert bucket.take(10, 1e9)
    assert not bucket.take(1, 1e9)


def test_a_bucket_takes_all_or_nothing() -> None:
    bucket = TokenBucket(1, 10)
    assert bucket.take(6, 0.0)
    assert not bucket.take(5, 0.0)
    assert bucket.take(4, 0.0)


def test_more_than_the_burst_waits_for_all_of_it_and_is_paid_back() -> None:
    bucket = TokenBucket(10, 10)
    assert bucket.take(1, 0.0)
    assert bucket.wait_s(25, 0.0) == pytest.approx(0.1)
    assert bucket.take(25, 0.1)
    assert bucket.wait_s(1, 0.1) == pytest.approx(1.6)


def test_a_clock_that_stands_or_goes_back_gives_nothing() -> None:
    bucket = TokenBucket(1, 1)
    assert bucket.take(1, 100.0)
    assert not bucket.take(1, 100.0)
    assert not bucket.take(1, 0.0)


@pytest.mark.parametrize("start", [0.0, 1e6 + 0.1, 1e9 + 1 / 3])
def test_who_waits_as_long_as_was_said_has_waited_enough(start: float) -> None:
    bucket, now = TokenBucket(3, 7), start
    for n in (7, 1, 2, 5, 7, 3):
        now += bucket.wait_s(n, now)
        assert bucket.take(n, now)


# --- meters -------------------------------------------------------------------------------------
def test_net_22_a_key_is_bound_wherever_it_comes_from() -> None:
    meter = Meter(1, 10)
    assert meter.take(ALICE, HERE, 10, 0.0)
    assert not meter.take(ALICE, THERE, 1, 0.0)
    assert meter.take(BOB, THERE, 10, 0.0)


def test_net_22_an_address_is_bound_whatever_its_keys() -> None:
    meter = Meter(1, 10)
    assert meter.take(ALICE, HERE, 10, 0.0)
    assert not meter.take(BOB, HERE, 1, 0.0)
    assert meter.wait_s(BOB, HERE, 1, 0.0) == pytest.approx(1.0)
    assert meter.take(BOB, THERE, 10, 0.0), "what was refused took nothing"


def test_net_22_a_64_of_ipv6_is_one_address() -> None:
    meter = Meter(1, 10)
    assert meter.take(ALICE, "2a00::1", 10, 0.0)
    assert not meter.take(BOB, "2a00::2", 1, 0.0)
    assert meter.take(BOB, "2a00:0:0:1::2", 1, 0.0)


@pytest.mark.parametrize("own", ["127.0.0.1", "10.0.0.1", "fe80::1%eth0", "::1"])
def test_net_22_the_operators_own_network_is_bound_by_key_alone(own: str) -> None:
    meter = Meter(1, 10)
    assert meter.take(ALICE, own, 10, 0.0)
    assert not meter.take(ALICE, own, 1, 0.0)
    assert meter.take(BOB, own, 10, 0.0)


def test_net_22_a_meter_remembers_1024_keys_and_not_one_more() -> None:
    meter = Meter(1e-9, 1)
    for n in range(NODE_METERS):
        assert meter.take(key_of(n), host(n), 1, 0.0)
    assert not meter.take(key_of(0), host(0), 1, 0.0), (
        "still remembered, and the last to be forgotten now"
    )
    assert len(meter) == 2 * NODE_METERS
    assert meter.take(key_of("one more"), host(NODE_METERS), 1, 0.0)
    assert len(meter) == 2 * NODE_METERS
    assert not meter.take(key_of(0), host(0), 1, 0.0)
    assert meter.take(key_of(1), host(1), 1, 0.0), "the longest silent was forgotten"


# --- bans ---------------------------------------------------------------------------------------
def test_net_23_a_key_is_kept_out_for_an_hour_wherever_it_comes_from() -> None:
    bans = Bans()
    bans.ban(ALICE, HERE, at(0))
    assert bans.is_banned(ALICE, THERE, at(NODE_BAN_KEY_S - 0.001))
    assert not bans.is_banned(ALICE, THERE, at(NODE_BAN_KEY_S))


def test_net_23_an_address_is_kept_out_for_a_minute_whatever_the_key() -> None:
    bans = Bans()
    bans.ban(ALICE, HERE, at(0))
    for key in (BOB, None):
        assert bans.is_banned(key, HERE, at(NODE_BAN_HOST_S - 0.001))
        assert not bans.is_banned(key, HERE, at(NODE_BAN_HOST_S))
        assert not bans.is_banned(key, THERE, at(0))


@pytest.mark.parametrize("own", ["127.0.0.1", "192.168.1.1", "::1", "fd00::1"])
def test_net_23_no_address_of_the_operators_own_network_is_kept_out(own: str) -> None:
    bans = Bans()
    bans.ban(ALICE, own, at(0))
    assert not bans.is_banned(BOB, own, at(0))
    assert bans.is_banned(ALICE, own, at(0))


def test_an_operator_lifts_a_ban() -> None:
    bans = Bans()
    bans.ban(ALICE, HERE, at(0))
    bans.lift(ALICE, HERE)
    bans.lift(BOB, THERE)
    assert not bans.is_banned(ALICE, HERE, at(0))


def test_a_ban_begins_anew_with_each_offence() -> None:
    bans = Bans()
    bans.ban(ALICE, HERE, at(0))
    bans.ban(ALICE, HERE, at(3000))
    assert bans.is_banned(ALICE, THERE, at(3000 + NODE_BAN_KEY_S - 1))


def test_net_23_4096_keys_are_kept_out_and_not_one_more() -> None:
    bans = Bans()
    for n in range(NODE_BANS):
        bans.ban(key_of(n), host(n), at(n / 1e6))
    assert len(bans) == 2 * NODE_BANS
    assert bans.is_banned(key_of(0), THERE, at(1))
    bans.ban(ALICE, HERE, at(1))
    assert len(bans) == 2 * NODE_BANS
    assert not bans.is_banned(key_of(0), host(0), at(1)), "the first to end is forgotten"
    assert bans.is_banned(key_of(1), THERE, at(1))
    assert bans.is_banned(ALICE, THERE, at(1))


def test_what_has_ended_is_forgotten() -> None:
    bans = Bans()
    for n in range(10):
        bans.ban(key_of(n), host(n), at(0))
    bans.ban(ALICE, HERE, at(NODE_BAN_KEY_S))
    assert len(bans) == 2


def test_bans_outlive_a_restart_that_begins_a_new_clock() -> None:
    bans = Bans()
    bans.ban(ALICE, HERE, at(0))
    later = at(30)
    again = Bans.parse(bans.encode(later), now=later._replace(mono=5.0))
    left = later.wall + (NODE_BAN_KEY_S - 30) * 1000
    assert again.is_banned(ALICE, HERE, later._replace(mono=5.0))
    assert not again.is_banned(BOB, HERE, later._replace(mono=35.0))
    assert again.is_banned(ALICE, HERE, later._replace(mono=5 + NODE_BAN_KEY_S - 31))
    assert not again.is_banned(ALICE, HERE, later._replace(mono=5.0 + NODE_BAN_KEY_S - 30))
    assert len(Bans.parse(bans.encode(later), now=later._replace(wall=left))) == 0


def test_no_ban_grows_by_a_clock_that_was_wrong() -> None:
    bans = Bans()
    bans.ban(ALICE, HERE, at(0))
    now = at(0)._replace(wall=0)
    again = Bans.parse(bans.encode(at(0)), now=now)
    assert not again.is_banned(ALICE, THERE, at(NODE_BAN_KEY_S))
    assert not again.is_banned(BOB, HERE, at(NODE_BAN_HOST_S))
    assert again.is_banned(ALICE, HERE, at(1))


FAR = 2**62


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x93",
        pack(None),
        pack([1, []]),
        pack([2, [], []]),
        pack([1, [], [], []]),
        pack([1, None, []]),
        pack([1, [], 7]),
        pack([1, [[ALICE[:31], FAR]], []]),
        pack([1, [[ALICE, "1"]], []]),
        pack([1, [[ALICE, True]], []]),
        pack([1, [[ALICE, 1.5]], []]),
        pack([1, [[ALICE]], []]),
        pack([1, [[ALICE, FAR, 1]], []]),
        pack([1, [["a" * 32, FAR]], []]),
        pack([1, [], [[b"a" * 262, FAR]]]),
        pack([1, ["ab"], []]),
        pack([1, [[key_of(n), FAR] for n in range(NODE_BANS + 1)], []]),
        b"\x91" * 3000 + b"\xc0",
        Bans().encode(at(0)) + b"\0",
    ],
)
def test_bytes_that_are_no_bans_are_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        Bans.parse(data, now=at(0))


def test_as_many_bans_as_there_may_be_are_read() -> None:
    data = pack([1, [[key_of(n), FAR] for n in range(NODE_BANS)], [[b"a" * 261, FAR]]])
    assert len(Bans.parse(data, now=at(0))) == NODE_BANS + 1
