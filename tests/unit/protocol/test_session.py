"""One connection: greeting, requests and answers, silence, rates [NET-9 to NET-12, NET-22, NET-23]."""

from __future__ import annotations

from hashlib import sha256

import pytest
from host_world import HELLO, LOW, Host, Stranger, Trail, key_of

from hitp2p import limits
from hitp2p.protocol.frames import encode_frame
from hitp2p.protocol.messages import (
    Blocks,
    Bye,
    Follow,
    Get,
    Heads,
    Hello,
    Ping,
    Pong,
    Pull,
    Push,
    Range,
    Recon,
    Sorry,
    State,
)
from hitp2p.protocol.session import NEXT as STEPS
from hitp2p.protocol.session import State as Stage

ALL = (Range(b"", 0),)


def over(stranger: Stranger, code: str) -> Bye:
    """The goodbye, which said so."""
    assert stranger.end == code
    return stranger.hear_one(Bye)[1]


# --- NET-9: HELLO -------------------------------------------------------------------------------


def test_net_9_hello_is_said_first_and_follow_next() -> None:
    stranger = Stranger(Host())
    assert [type(frame.message) for frame in stranger.hear()] == [Hello]
    stranger.say(HELLO)
    assert [type(frame.message) for frame in stranger.hear()] == [Follow]


def test_net_9_an_unknown_frame_before_hello_ends_it() -> None:
    stranger = Stranger(Host())
    stranger.say_bytes(b"\0\0\0\5\x93\xcc\xc9\0\x80")
    over(stranger, "protocol")


def test_net_9_nothing_is_learnt_or_banned_by_silence() -> None:
    host = Host()
    stranger = Stranger(host)
    host.pass_time(limits.NODE_HELLO_S)
    assert stranger.end == "silent"
    assert len(host.bans) == 0


# --- NET-11: requests ---------------------------------------------------------------------------


def test_net_11_a_number_is_free_again_after_the_last_answer() -> None:
    trail = Trail()
    host = Host(objects=trail.objects, follow=[trail.cid])
    stranger = Stranger(host).greet(trail.cid)
    for _ in range(2 * limits.NODE_REQUESTS):
        stranger.say(Get(topic=trail.cid, cids=(trail.cid,)), 5)
    assert stranger.end is None
    host.holds_loads = True
    stranger.say(Get(topic=trail.cid, cids=(trail.cid,)), 5)
    stranger.say(Get(topic=trail.cid, cids=(trail.cid,)), 5)
    over(stranger, "protocol")


def test_net_11_sorry_answers_any_request() -> None:
    trail = Trail()
    stranger = Stranger(Host(LOW, objects=trail.objects, follow=[trail.cid]))
    stranger.say(HELLO)
    stranger.follow(trail.cid)
    number, _ = stranger.hear_one(Heads)
    stranger.say(Sorry(code="unable", wait_ms=0), number)
    assert stranger.end is None
    stranger.say(Sorry(code="unable", wait_ms=0), number)
    over(stranger, "protocol")


def test_net_11_a_request_that_was_given_up_may_still_be_answered() -> None:
    trail = Trail()
    host = Host(LOW, objects=trail.objects, follow=[trail.cid])
    stranger = Stranger(host)
    stranger.say(HELLO)
    stranger.follow(trail.cid)
    number, _ = stranger.hear_one(Heads)
    host.pass_time(limits.NODE_SILENCE_S + 1)
    stranger.say(State(count=0, sum=bytes(16), heads=()), number)
    assert stranger.end is None


# --- NET-12: topics -----------------------------------------------------------------------------


def test_net_12_nothing_is_said_of_what_is_not_followed_always_alike() -> None:
    trail, other = Trail(), Trail(title="Other")
    host = Host(objects=[*trail.objects, *other.objects], follow=[trail.cid])
    stranger = Stranger(host).greet(trail.cid)
    nowhere = Trail(title="Nowhere").cid
    for topic in (other.cid, nowhere):
        for message in (
            Heads(topic=topic, scope=1, count=0, sum=bytes(16), heads=()),
            Recon(topic=topic, scope=1, ranges=ALL),
            Get(topic=topic, cids=(topic,)),
            Pull(topic=topic, scope=1, after=b"", most=1),
        ):
            stranger.say(message, 3)
            assert stranger.hear_one(Sorry)[1] == Sorry(code="absent", wait_ms=0)
    assert stranger.end is None


def test_net_12_what_is_followed_from_now_on_is_said_once() -> None:
    trail, other = Trail(), Trail(title="Other")
    host = Host(objects=[*trail.objects, *other.objects], follow=[trail.cid])
    stranger = Stranger(host).greet()
    host.follow(other.cid)
    _, said = stranger.hear_one(Follow)
    assert [line.topic for line in said.topics] == [trail.cid, other.cid]
    host.core.unfollow(trail.cid, host.now)
    host.do()
    assert [line.topic for line in stranger.hear_one(Follow)[1].topics] == [other.cid]


def test_net_12_a_peer_that_named_a_topic_before_us_is_met_when_we_do() -> None:
    trail, other = Trail(), Trail(title="Other")
    host = Host(LOW, objects=[*trail.objects, *other.objects])
    stranger = Stranger(host).greet(other.cid, trail.cid)
    host.follow(trail.cid)
    assert [heads.topic for heads in stranger.hear_all(Heads)] == [trail.cid]
    assert [view.topics for view in host.core.peers()] == [(trail.cid,)]


def test_a_scope_that_is_not_kept_is_absent() -> None:
    trail = Trail()
    host = Host(objects=trail.objects, follow=[trail.cid])
    host.core.follow(trail.cid, scope=0, media=0, members=(), now=host.now)
    stranger = Stranger(host).greet(trail.cid)
    stranger.say(Heads(topic=trail.cid, scope=1, count=0, sum=bytes(16), heads=()), 1)
    assert stranger.hear_one(Sorry)[1].code == "absent"


# --- silence ------------------------------------------------------------------------------------


def test_ping_is_answered() -> None:
    stranger = Stranger(Host()).greet()
    stranger.say(Ping(), 9)
    assert stranger.hear_one(Pong)[0] == 9


def test_a_frame_that_comes_slowly_is_a_sign_of_life() -> None:
    trail = Trail()
    host = Host(objects=trail.objects, follow=[trail.cid])
    stranger = Stranger(host).greet(trail.cid)
    for _ in range(8):
        stranger.say_bytes(b"\0\0\xff\xff" if _ == 0 else bytes(8000))
        host.pass_time(7)
    assert stranger.end is None


def test_a_peer_that_takes_a_little_at_a_time_is_kept() -> None:
    host = Host()
    stranger = Stranger(host).greet()
    host.is_taken = False
    for number in range(1, 60):
        stranger.say(Ping(), number)
    for _ in range(4):
        host.pass_time(limits.NODE_STALL_S - 1)
        stranger.say(Pong(), _pong_number(stranger))
        host.write(stranger.link, 10)
    assert stranger.end is None


def _pong_number(stranger: Stranger) -> int:
    return stranger.hear_one(Ping)[0]


def test_who_answers_nothing_but_lives_is_of_no_use() -> None:
    trail = Trail()
    host = Host(LOW, objects=trail.objects, follow=[trail.cid])
    stranger = Stranger(host).greet(trail.cid)
    while stranger.end is None:
        assert host.now.mono < 3600
        host.pass_time(10)
        stranger.say_bytes(b"\0\0\0\5\x93\xcc\xc9\0\x80")
    assert stranger.end == "silent"
    assert len(host.bans) == 0


# --- NET-22: rates ------------------------------------------------------------------------------


def test_net_22_connections_of_one_address_share_a_rate() -> None:
    host = Host()
    strangers = [Stranger(host, name) for name in ("x", "y")]
    for stranger in strangers:
        stranger.say(HELLO)
        stranger.hear()
        stranger.say_bytes(b"".join(encode_frame(Ping(), n) for n in range(1, 300)))
    assert [len(one.hear_all(Pong)) for one in strangers] == [299, 199]


def test_net_22_answers_cost_nothing() -> None:
    trail = Trail(0)
    stranger = Stranger(Host(objects=trail.base, follow=[trail.cid])).greet(trail.cid)
    n_answers = 0
    for batch in range(3):
        offered = tuple(sha256(b"%d %d" % (batch, i)).digest() for i in range(256))
        stranger.say(Push(topic=trail.cid, cids=offered))
        while asked := [f for f in stranger.hear() if isinstance(f.message, Get)]:
            for number, get in asked:
                assert isinstance(get, Get)
                for left in reversed(range(len(get.cids))):
                    stranger.say(Blocks(blocks=(None,), last=not left), number)
                    n_answers += 1
    assert n_answers == 3 * 256 > limits.NODE_FRAMES_AT_ONCE
    assert not stranger.is_paused


# --- NET-23: conduct ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0\0",
        b"\xff\xff\xff\xff",
        b"\0\0\0\1\xc1",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0\0\0\4\x93\x28\0\x80",
    ],
)
def test_net_23_bytes_that_are_no_frame_end_it_and_keep_the_peer_out(data: bytes) -> None:
    host = Host()
    stranger = Stranger(host).greet()
    stranger.say_bytes(data)
    over(stranger, "protocol")
    host.close(stranger.link)
    assert Stranger(host, place="198.51.100.1").end == "banned"
    host.pass_time(limits.NODE_BAN_KEY_S)
    assert Stranger(host, place="198.51.100.1").end is None


def test_net_23_who_is_sent_away_is_told_hello_and_why() -> None:
    host = Host()
    host.bans.ban(key_of("x"), "203.0.113.7", host.now)
    stranger = Stranger(host, "x")
    assert [type(frame.message) for frame in stranger.hear()] == [Hello, Bye]


def test_nothing_is_read_after_the_end() -> None:
    host = Host()
    stranger = Stranger(host).greet()
    stranger.say(Bye(code="leaving", text="so long"))
    assert stranger.end == "leaving"
    stranger.hear()
    stranger.say(Ping(), 1)
    stranger.say_bytes(b"\xff" * 100)
    assert stranger.hear() == []
    assert len(host.bans) == 0
    host.close(stranger.link)
    assert host.core.peers() == ()


def test_the_goodbye_of_a_long_reason_is_cut() -> None:
    host = Host()
    stranger = Stranger(host).greet()
    stranger.say(Sorry(code="busy", wait_ms=0), 9)
    assert len(over(stranger, "protocol").text.encode()) <= limits.NODE_BYE_TEXT_BYTES


def test_every_step_leads_to_a_state_from_which_all_ends_can_be_reached() -> None:
    assert {state for state, _ in STEPS} == set(Stage) - {Stage.GONE}
    assert set(STEPS.values()) == set(Stage) - {Stage.GREETING}
