"""Whom a node dials and lets in, and what it says of whom it knows [NET-10, NET-20, NET-21]."""

from __future__ import annotations

import pytest
from host_world import HELLO, HIGH, LOW, NAMES, Host, Stranger, Trail, key_of
from node_records import WALL
from node_records import record as told

from hitp2p import limits
from hitp2p.errors import UsageError
from hitp2p.keys.ed25519 import SigningKey
from hitp2p.protocol.actions import Dial
from hitp2p.protocol.core import NodeConfig
from hitp2p.protocol.messages import Hello, Peers, Push, Records, Sorry
from hitp2p.protocol.packing import pack
from hitp2p.protocol.records import AddressRecord, encode_address, parse_record, sign_record


def address_of(name: str, host: str = "198.51.100.9") -> str:
    return encode_address(key_of(name), host, 4001)


def only(dials: list[Dial]) -> Dial:
    (dial,) = dials
    dials.clear()
    return dial


def fail(host: Host, dial: Dial) -> None:
    host.core.on_dial_failed(dial.token, "nobody is there", host.now)
    host.do()


def answer(host: Host, dial: Dial) -> Stranger:
    """Whoever is dialled answers."""
    link = host.n_links + 1
    name = next((name for name in NAMES if key_of(name) == dial.key), None)
    assert name is not None
    stranger = Stranger(host, name, address=dial.address, token=dial.token)
    assert stranger.link == link
    return stranger


# --- whom the operator names --------------------------------------------------------------------


def test_whom_the_operator_names_is_dialled_again_and_again_and_less_often() -> None:
    host = Host(config=NodeConfig(static=((key_of(LOW), address_of(LOW)),)))
    host.pass_time(0)
    times: list[float] = []
    while host.now.mono < 40_000:
        if host.dials:
            dial = only(host.dials)
            assert (dial.key, dial.address) == (key_of(LOW), address_of(LOW))
            times.append(host.now.mono)
            fail(host, dial)
        host.pass_time(1)
    assert times[0] == 0
    assert 15 <= len(times) <= 80
    assert [name for name in (event.name for event in host.events) if name != "dial-failed"] == []


def test_who_is_connected_is_not_dialled_and_who_is_lost_is() -> None:
    host = Host(config=NodeConfig(static=((key_of(LOW), address_of(LOW)),)))
    host.pass_time(0)
    stranger = answer(host, only(host.dials)).greet()
    for _ in range(10):
        host.pass_time(15)
        stranger.say_bytes(b"\0\0\0\5\x93\xcc\xc9\0\x80")
    assert host.dials == []
    host.close(stranger.link)
    host.pass_time(2)
    assert len(host.dials) == 1


def test_who_dialled_us_is_not_dialled() -> None:
    host = Host()
    Stranger(host, LOW).greet()
    host.core.connect(key_of(LOW), address_of(LOW), host.now)
    host.do()
    host.pass_time(10)
    assert host.dials == []


def test_disconnect_ends_it_for_good() -> None:
    host = Host()
    host.core.connect(key_of(LOW), address_of(LOW), host.now)
    host.do()
    stranger = answer(host, only(host.dials)).greet()
    host.core.disconnect(key_of(LOW), host.now)
    host.do()
    assert stranger.end == "leaving"
    host.close(stranger.link)
    host.pass_time(4000)
    assert host.dials == []


def test_an_address_of_another_is_no_address_of_a_peer() -> None:
    host = Host()
    with pytest.raises(UsageError, match="another key"):
        host.core.connect(key_of(LOW), address_of(HIGH), host.now)


def test_leave_says_goodbye_to_all_and_dials_no_more() -> None:
    host = Host(config=NodeConfig(static=((key_of(LOW), address_of(LOW)),)))
    strangers = [Stranger(host, name).greet() for name in NAMES[3:6]]
    host.core.leave(host.now)
    host.do()
    host.dials.clear()
    assert [stranger.end for stranger in strangers] == ["leaving"] * 3
    for stranger in strangers:
        host.close(stranger.link)
    assert host.core.peers() == ()
    host.pass_time(60)
    assert host.dials == []
    assert Stranger(host, NAMES[7]).end == "leaving"


# --- NET-21: whom others tell of ----------------------------------------------------------------


def test_net_21_whom_the_book_knows_is_dialled_one_a_second() -> None:
    host = Host()
    for n in range(12):
        host.book.add(told(n, f"{n + 20}.9.9.9"), source="203.0.113.7", now=host.now)
    seen: list[int] = []
    for _ in range(30):
        host.pass_time(1)
        seen.append(len(host.dials))
    assert all(n <= second + 2 for second, n in enumerate(seen))
    assert seen[-1] == limits.NODE_OUTBOUND


def test_records_are_asked_for_and_taken_up_if_they_are_good() -> None:
    host = Host()
    host.core.connect(key_of(LOW), address_of(LOW), host.now)
    host.do()
    stranger = answer(host, only(host.dials))
    stranger.say(HELLO)
    number, asked = stranger.hear_one(Peers)
    assert asked.most == limits.NODE_RECORDS_ASKED
    signer = SigningKey.from_seed(bytes(32))
    address = encode_address(signer.public, "9.9.9.9", 4001)
    good = sign_record(signer, WALL, (address,)).block
    wrong = good[:-1] + bytes((good[-1] ^ 1,))
    stranger.say(Records(records=(b"", b"junk", wrong)), number)
    assert len(host.book) == 0
    assert stranger.end is None
    host.pass_time(15)
    stranger.say_bytes(b"\0\0\0\5\x93\xcc\xc9\0\x80")
    for _ in range(60):
        host.pass_time(15)
        stranger.say_bytes(b"\0\0\0\5\x93\xcc\xc9\0\x80")
    number, _ = stranger.hear_one(Peers)
    stranger.say(Records(records=(good,)), number)
    assert signer.public in host.book
    host.pass_time(2)
    assert [dial.key for dial in host.dials] == [signer.public]


def test_net_21_records_are_told_once_a_minute_our_own_first() -> None:
    host = Host()
    own = b"our own record"
    host.core.set_record(own)
    record = told(1, "9.9.9.9")
    host.book.add(record, source="203.0.113.7", now=host.now)
    stranger = Stranger(host).greet()
    said: list[tuple[bytes, ...]] = []
    for number in (1, 2):
        stranger.say(Peers(most=32), number)
        said += [message.records for message in stranger.hear_all(Records)]
    assert said == [(own, record.block), (own,)]
    stranger.say(Peers(most=1), 3)
    assert stranger.hear_one(Records)[1].records == (own,)


def test_who_does_not_tell_is_no_worse_for_it() -> None:
    host = Host()
    host.core.connect(key_of(LOW), address_of(LOW), host.now)
    host.do()
    stranger = answer(host, only(host.dials))
    stranger.say(HELLO)
    number, _ = stranger.hear_one(Peers)
    stranger.say(Sorry(code="unable", wait_ms=0), number)
    assert stranger.end is None


def test_once_an_hour_one_of_our_own_makes_room_for_another() -> None:
    host = Host(config=NodeConfig(max_outbound=2))
    for n, name in enumerate(NAMES[:3]):
        host.book.add(_record_of(name, f"{n + 20}.9.9.9"), source="203.0.113.7", now=host.now)
    strangers: list[Stranger] = []
    ended: list[float] = []
    while host.now.mono < 2 * 3600 + 600:
        while host.dials:
            strangers.append(answer(host, host.dials.pop()).greet())
        for stranger in list(strangers):
            stranger.say_bytes(b"\0\0\0\5\x93\xcc\xc9\0\x80")
            if stranger.end is not None:
                assert stranger.end == "leaving"
                ended.append(host.now.mono)
                strangers.remove(stranger)
                host.close(stranger.link)
        host.pass_time(10)
    assert len(ended) == 2
    assert 3600 <= ended[0] <= 3700
    assert len(strangers) == 2


def _record_of(name: str, host: str) -> AddressRecord:
    texts = [encode_address(key_of(name), host, 4001)]
    return parse_record(pack([key_of(name), WALL, texts, bytes(64)]))


# --- who is let in ------------------------------------------------------------------------------


def test_net_10_the_loser_of_two_connections_is_not_banned_for_it() -> None:
    host = Host(LOW)
    older = Stranger(host, HIGH, address=address_of(HIGH)).greet()
    newer = Stranger(host, HIGH)
    assert (older.end, newer.end) == (None, "duplicate")
    assert [type(frame.message).__name__ for frame in newer.hear()] == ["Hello", "Bye"]
    assert len(host.bans) == 0


def test_where_all_places_are_taken_one_that_follows_nothing_of_ours_gives_way() -> None:
    trail = Trail()
    config = NodeConfig(max_inbound=3)
    host = Host(objects=trail.objects, follow=[trail.cid], config=config)
    useful = [Stranger(host, name, place=name).greet(trail.cid) for name in NAMES[:2]]
    idle = Stranger(host, NAMES[2], place="idle").greet()
    early = Stranger(host, NAMES[3], place="early")
    assert early.end == "full"
    host.close(early.link)
    for _ in range(6):
        host.pass_time(10)
        for one in (*useful, idle):
            one.say_bytes(b"\0\0\0\5\x93\xcc\xc9\0\x80")
    late = Stranger(host, NAMES[4], place="late")
    assert (idle.end, late.end) == ("full", None)
    assert Stranger(host, NAMES[5], place="later").end == "full"
    assert [one.end for one in useful] == [None, None]


def test_whom_the_operator_names_is_let_in_though_all_places_are_taken() -> None:
    host = Host(config=NodeConfig(max_inbound=1))
    host.core.connect(key_of(LOW), address_of(LOW), host.now)
    Stranger(host, NAMES[3], place="a").greet()
    assert Stranger(host, LOW, place="b").end is None
    assert Stranger(host, NAMES[4], place="c").end == "full"


def test_who_brought_most_is_kept_though_it_follows_nothing_any_more() -> None:
    trail = Trail(1)
    host = Host(objects=trail.base, follow=[trail.cid], config=NodeConfig(max_inbound=2))
    helper = Stranger(host, NAMES[2], place="a").greet(trail.cid)
    helper.say(Push(topic=trail.cid, objects=(trail.works[0].block,)))
    helper.follow()
    idle = Stranger(host, NAMES[3], place="b").greet()
    for _ in range(7):
        host.pass_time(10)
        for one in (helper, idle):
            one.say_bytes(b"\0\0\0\5\x93\xcc\xc9\0\x80")
    assert Stranger(host, NAMES[4], place="c").end is None
    assert (helper.end, idle.end) == (None, "full")


def test_hello_has_room_for_any_addresses() -> None:
    long = "/dns/" + ".".join(["a" * 60] * 2) + "/tcp/4001/tls/p2p/12D3KooW"
    host = Host(config=NodeConfig(listen=tuple(f"{long}{n}" for n in range(40))))
    _, hello = Stranger(host).hear_one(Hello)
    assert 10 <= len(hello.listen) <= limits.NODE_LISTEN
