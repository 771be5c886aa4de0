"""What the core of a node does: greeting, requests, rates, pushes, fetching, whom it lets in."""

from __future__ import annotations

import pytest
from core_stage import ANA, FOLLOW, HELLO, PROJECT, World, key_of, member

from hitp2p import limits
from hitp2p.codec.cid import DAG_CBOR, RAW, Cid
from hitp2p.errors import InternalError, UsageError
from hitp2p.protocol.actions import Admit, Admitted, Dial, Load, Want
from hitp2p.protocol.frames import encode_frame
from hitp2p.protocol.messages import (
    Blocks,
    Follow,
    Followed,
    Get,
    Heads,
    Hello,
    Message,
    Ping,
    Pong,
    Push,
    Range,
    Recon,
    Sorry,
    State,
)
from hitp2p.protocol.records import encode_peer_id
from hitp2p.protocol.session import Asked, Session

WORK = ANA.work(PROJECT, "Verse")
OTHERS = Cid.of(DAG_CBOR, b"another topic")


def digest(number: int) -> bytes:
    return Cid.of(DAG_CBOR, b"%d" % number).digest


def session_of(world: World, link: int) -> Session:
    session: Session = world.core._sessions[link]
    return session


def get(number: int, topic: Cid = PROJECT.cid) -> Get:
    return Get(topic=topic, cids=(Cid.of(DAG_CBOR, b"%d" % number),), file=None)


# --- greeting and silence -------------------------------------------------------------------------


def test_net_9_hello_has_10_seconds_and_no_more() -> None:
    world = World()
    world.join(1, hello=False)
    world.after(limits.NODE_HELLO_S - 0.01)
    assert not world.is_closed(1)
    world.after(0.01)
    assert world.why(1) == "silent"


@pytest.mark.parametrize("message", [FOLLOW, Ping(), get(1)])
def test_net_9_what_comes_before_hello_ends_the_connection(message: Message) -> None:
    world = World()
    world.join(1, hello=False)
    world.say(1, message, 1 if isinstance(message, Ping | Get) else 0)
    assert world.why(1) == "protocol"


def test_net_9_a_second_hello_ends_the_connection() -> None:
    world = World()
    world.join(1)
    world.say(1, HELLO)
    assert world.why(1) == "protocol"


def test_net_9_without_a_common_version_there_is_no_connection() -> None:
    world = World()
    world.join(1, hello=False)
    world.say(1, Hello(versions=(2, 3), features=(), agent="", listen=(), nonce=bytes(16)))
    assert world.why(1) == "protocol"


def test_a_peer_is_asked_for_life_after_20_seconds_and_given_up_after_60() -> None:
    world = World()
    world.join(1)
    world.take(1)
    world.after(limits.NODE_PING_S - 0.01)
    assert world.heard(1, Ping) == []
    world.after(0.01)
    assert len(world.heard(1, Ping)) == 1
    world.take(1)
    world.after(limits.NODE_DEAD_S - limits.NODE_PING_S - 0.01)
    assert not world.is_closed(1)
    world.after(0.01)
    assert world.why(1) == "silent"


def test_who_answers_stays() -> None:
    world = World()
    world.join(1)
    for n_pings in range(1, 11):
        world.take(1)
        world.after(limits.NODE_PING_S + 0.1)
        number, _ = world.heard(1, Ping)[-1]
        assert len(world.heard(1, Ping)) == n_pings
        world.say(1, Pong(), number)
    assert not world.is_closed(1)


def test_who_takes_nothing_for_30_seconds_is_given_up() -> None:
    world = World()
    world.join(1)
    world.after(limits.NODE_STALL_S - 0.01)
    assert not world.is_closed(1)
    world.after(0.01)
    assert world.why(1) == "slow"


def test_net_10_a_node_that_meets_itself_ends_it() -> None:
    world = World()
    world.join(1, "me")
    assert world.why(1) == "self"


@pytest.mark.parametrize("mine_is_smaller", [True, False])
def test_net_10_of_two_connections_that_stays_which_the_smaller_key_dialled(
    mine_is_smaller: bool,
) -> None:
    names = sorted(("me", "bo"), key=key_of)
    me, bo = names if mine_is_smaller else names[::-1]
    world = World(me=me)
    address = f"/ip4/192.0.2.1/tcp/1/tls/p2p/{encode_peer_id(key_of(bo))}"
    world.join(1, bo, address=address)
    world.join(2, bo)
    ended = 2 if mine_is_smaller else 1
    assert world.why(ended) == "duplicate"
    assert not world.is_closed(3 - ended)


def test_net_10_of_two_that_one_side_dialled_the_older_stays() -> None:
    world = World()
    world.join(1, "bo")
    world.join(2, "bo")
    assert not world.is_closed(1)
    assert world.why(2) == "duplicate"


# --- requests -------------------------------------------------------------------------------------


def test_net_11_64_requests_are_open_and_not_one_more() -> None:
    world = World()
    world.join(1)
    for number in range(1, limits.NODE_REQUESTS + 1):
        world.say(1, get(number), number)
    assert not world.is_closed(1)
    world.say(1, get(65), 65)
    assert world.why(1) == "protocol"


def test_net_11_a_number_is_not_used_twice_at_once() -> None:
    world = World()
    world.join(1)
    world.say(1, get(1), 7)
    world.say(1, get(2), 7)
    assert world.why(1) == "protocol"


@pytest.mark.parametrize("answer", [Pong(), Sorry(code="absent", wait_ms=0)])
def test_net_11_an_answer_to_nothing_ends_the_connection(answer: Message) -> None:
    world = World()
    world.join(1)
    world.say(1, answer, 9)
    assert world.why(1) == "protocol"


def test_net_11_an_answer_of_another_type_ends_the_connection() -> None:
    world = World()
    world.join(1)
    world.take(1)
    world.after(limits.NODE_PING_S)
    ((number, _),) = world.heard(1, Ping)
    world.say(1, Blocks(blocks=(), last=True, next=None), number)
    assert world.why(1) == "protocol"


def test_net_12_a_topic_that_is_not_told_of_and_one_that_is_nowhere_are_answered_alike() -> None:
    world = World(follow=False)
    world.join(1)
    for number, topic in ((1, PROJECT.cid), (2, OTHERS)):
        world.say(1, Heads(topic=topic, scope=1, count=0, sum=bytes(16), heads=()), number)
        world.say(1, get(1, topic), number + 10)
    answers = dict(world.heard(1, Sorry))
    assert answers.keys() == {1, 2, 11, 12}
    assert len(set(map(repr, answers.values()))) == 1
    assert answers[1].code == "absent"


def test_net_12_follow_replaces_what_was_followed() -> None:
    world = World()
    world.join(1)
    assert world.core.peers()[0].topics == (PROJECT.cid,)
    world.say(1, Follow(topics=(Followed(OTHERS, 1, 0),)))
    assert world.core.peers()[0].topics == ()


def test_1024_topics_are_followed_and_not_one_more() -> None:
    world = World(follow=False)
    for number in range(limits.NODE_FOLLOWED):
        topic = Cid.of(DAG_CBOR, b"topic %d" % number)
        world.core.follow(topic, scope=1, media=0, members=(), now=world.moment)
    with pytest.raises(UsageError, match="at most 1024 topics"):
        world.core.follow(OTHERS, scope=1, media=0, members=(), now=world.moment)


# --- rates [NET-22] -------------------------------------------------------------------------------


def test_net_22_500_frames_are_read_at_once_and_then_50_a_second() -> None:
    world = World()
    world.join(1)  # HELLO and FOLLOW are two
    for number in range(1, limits.NODE_FRAMES_AT_ONCE - 1):
        world.say(1, Ping(), number)
    assert not world.is_paused(1)
    world.say(1, Ping(), 600)
    assert world.is_paused(1)
    n_answered = len(world.heard(1, Pong))
    world.after(1 / limits.NODE_FRAMES_A_S)
    assert not world.is_paused(1)
    assert len(world.heard(1, Pong)) == n_answered + 1
    world.say(1, Ping(), 601)
    assert world.is_paused(1)


def test_net_22_1024_objects_are_taken_at_once_and_then_5_a_second() -> None:
    world = World(follow=False)  # so that none of them has to be judged
    world.join(1)
    for number in range(16):
        objects = tuple(b"%d %d" % (number, n) for n in range(limits.NODE_PUSH_OBJECTS))
        world.say(1, Push(topic=PROJECT.cid, objects=objects, cids=()))
    assert 16 * limits.NODE_PUSH_OBJECTS == limits.NODE_OBJECTS_AT_ONCE
    assert not world.is_paused(1)
    world.say(1, Push(topic=PROJECT.cid, objects=(b"one more",), cids=()))
    assert world.is_paused(1)
    world.after(1 / limits.NODE_OBJECTS_A_S - 0.01)
    assert world.is_paused(1)
    world.after(0.02)
    assert not world.is_paused(1)


def test_net_22_32_comparisons_are_answered_at_once_and_then_one_a_second() -> None:
    world = World()
    world.join(1)
    whole = (Range(upper=b"", mode=1, count=0, sum=bytes(16), digests=(), places=()),)
    ask = Recon(topic=PROJECT.cid, scope=1, ranges=whole)
    for number in range(1, limits.NODE_RECONS_AT_ONCE + 1):
        world.say(1, ask, number)
        world.take(1)
    assert not world.is_paused(1)
    world.say(1, ask, 100)
    assert world.is_paused(1)
    world.after(1 / limits.NODE_RECONS_A_S - 0.01)
    assert world.is_paused(1)
    world.after(0.02)
    assert not world.is_paused(1)


# --- what comes in --------------------------------------------------------------------------------


def push(*blocks: bytes) -> Push:
    return Push(topic=PROJECT.cid, objects=blocks, cids=())


def test_two_batches_wait_to_be_judged_and_not_one_more() -> None:
    world = World()
    world.join(1)
    world.say(1, push(b"one"))
    assert not world.is_paused(1)
    world.say(1, push(b"two"))
    assert world.is_paused(1)
    first = world.of(Admit)[0]
    world.core.on_admitted(first.token, Admitted(), world.moment)
    world.act()
    assert not world.is_paused(1)


def test_net_13_what_is_stored_is_pushed_to_all_but_who_brought_it_and_not_before() -> None:
    world = World()
    for link in (1, 2, 3):
        world.join(link, follows=link != 3)
    world.say(1, push(WORK.block))
    assert world.heard(2, Push) == []
    (admit,) = world.of(Admit)
    assert dict(admit.blocks) == {WORK.cid: WORK.block}
    world.core.on_admitted(
        admit.token, Admitted(joined=(member(WORK.cid),), stored=(WORK.cid,)), world.moment
    )
    world.act()
    assert [one.objects for _, one in world.heard(2, Push)] == [(WORK.block,)]
    assert world.heard(1, Push) == []
    assert world.heard(3, Push) == []


@pytest.mark.parametrize("admitted", [
    Admitted(refused={WORK.cid: "kept out"}),
    Admitted(waiting=((WORK, (PROJECT.cid,)),)),
    Admitted(full=True),
])  # fmt: skip
def test_net_13_what_is_not_stored_is_not_pushed(admitted: Admitted) -> None:
    world = World()
    world.join(1)
    world.join(2)
    world.say(1, push(WORK.block))
    world.core.on_admitted(world.of(Admit)[0].token, admitted, world.moment)
    world.act()
    assert world.heard(2, Push) == []
    assert not world.is_closed(1), "none of this is the peer's fault"


def test_net_23_who_pushes_what_breaks_a_rule_is_sent_away() -> None:
    world = World()
    world.join(1, "bo")
    world.say(1, push(b"junk"))
    admit = world.of(Admit)[0]
    world.core.on_admitted(admit.token, Admitted(invalid={admit.blocks[0][0]: "no"}), world.moment)
    world.act()
    assert world.why(1) == "invalid"
    assert world.bans.is_banned(key_of("bo"), "198.51.100.9", world.moment)
    world.core.on_closed(1, world.moment)
    world.join(2, "bo")
    assert world.why(2) == "banned"


def test_what_waits_for_others_is_stored_once_they_have_come() -> None:
    world = World()
    world.join(1)
    world.say(1, push(WORK.block))
    waiting = Admitted(waiting=((WORK, (PROJECT.cid,)),))
    world.core.on_admitted(world.of(Admit)[0].token, waiting, world.moment)
    world.act()
    ((number, asked),) = world.heard(1, Get)
    assert asked.cids == (PROJECT.cid,)
    world.say(1, Blocks(blocks=(PROJECT.block,), last=True, next=None), number)
    second = world.of(Admit)[1]
    joined = Admitted(joined=(member(PROJECT.cid, generation=0),), stored=(PROJECT.cid,))
    world.core.on_admitted(second.token, joined, world.moment)
    world.act()
    assert world.of(Admit)[2].objects == (WORK,)


# --- what goes out --------------------------------------------------------------------------------


def test_net_14_a_queue_holds_4_mib_and_what_does_not_fit_is_compared_later() -> None:
    world = World()
    world.join(1)
    session = session_of(world, 1)
    frame = encode_frame(push(WORK.block))
    session.send_frame(bytes(session.room - len(frame)))
    assert world.core._gossip.send_or_lag(session, PROJECT.cid, frame)
    assert session.queued_bytes == limits.NODE_QUEUE_BYTES
    assert not world.core._gossip.send_or_lag(session, PROJECT.cid, frame)
    assert session.queued_bytes == limits.NODE_QUEUE_BYTES
    assert world.core.peers()[0].lagging == (PROJECT.cid,)
    world.act()
    world.log.clear()
    world.take(1)
    world.after(5.0)
    assert len(world.heard(1, Heads)) == 1, "what was dropped leads to a comparison"


def test_net_19_8_mib_are_on_the_way_from_a_peer_and_not_a_byte_more() -> None:
    world = World()
    world.join(1)
    session = session_of(world, 1)
    session.ask(get(1), None, flight_bytes=session.flight_room)
    assert session.flight_room == 0
    with pytest.raises(InternalError):
        session.ask(get(2), None, flight_bytes=1)
    text = Cid.of(RAW, b"text")
    world.core.on_local(Admitted(wants=(Want(PROJECT.cid, text, None),)), world.moment)
    world.act()
    assert [one for _, one in world.heard(1, Get) if text in one.cids] == []


class Deaf:
    """Asks, and notes what it loses."""

    def __init__(self) -> None:
        self.lost: list[Asked] = []

    def on_answer(self, session: Session, asked: Asked, answer: object) -> None:
        raise AssertionError("nobody answers here")

    def on_lost(self, session: Session, asked: Asked) -> None:
        self.lost.append(asked)


def test_net_19_what_is_not_answered_for_30_seconds_is_given_up() -> None:
    world = World()
    world.join(1)
    asker = Deaf()
    session_of(world, 1).ask(get(1), asker)
    for _ in range(2):
        world.take(1)
        world.after(limits.NODE_SILENCE_S / 2 - 0.01)
    assert asker.lost == []
    world.take(1)
    world.after(0.05)
    assert len(asker.lost) == 1
    assert not world.is_closed(1)


@pytest.mark.parametrize("answer", [
    Blocks(blocks=(None,), last=True, next=None), Sorry(code="absent", wait_ms=0), None,
])  # fmt: skip
def test_net_19_who_does_not_give_a_block_is_followed_by_the_next(answer: Message | None) -> None:
    world = World()
    world.join(1)
    world.join(2)
    text = Cid.of(RAW, b"words")
    world.core.on_local(Admitted(wants=(Want(PROJECT.cid, text, None),)), world.moment)
    world.act()
    first = next(link for link in (1, 2) if world.heard(link, Get))
    ((number, _),) = world.heard(first, Get)
    if answer is None:
        for _ in range(2):
            world.take(1)
            world.take(2)
            world.after(limits.NODE_SILENCE_S / 2 + 0.1)
    else:
        world.say(first, answer, number)
    assert [one.cids for _, one in world.heard(3 - first, Get)] == [(text,)]


def test_net_18_a_block_that_is_not_what_was_asked_for_ends_the_connection() -> None:
    world = World()
    world.join(1)
    text = Cid.of(RAW, b"words")
    world.core.on_local(Admitted(wants=(Want(PROJECT.cid, text, None),)), world.moment)
    world.act()
    ((number, _),) = world.heard(1, Get)
    world.say(1, Blocks(blocks=(b"other words",), last=True, next=None), number)
    assert world.why(1) == "invalid"
    assert world.of(Admit) == []


def test_net_17_a_request_is_answered_by_what_the_store_lends() -> None:
    world = World()
    world.join(1)
    world.say(1, Get(topic=PROJECT.cid, cids=(WORK.cid, PROJECT.cid), file=None), 5)
    (load,) = world.of(Load)
    assert load.cids == (WORK.cid, PROJECT.cid)
    world.core.on_loaded(load.token, {PROJECT.cid: PROJECT.block}, world.moment)
    world.act()
    while world.of(Load)[-1] is not load:  # what stands behind the last block that was lent
        load = world.of(Load)[-1]
        world.core.on_loaded(load.token, {}, world.moment)
        world.act()
    ((number, answer),) = world.heard(1, Blocks)
    assert (number, answer.blocks, answer.last) == (5, (None, PROJECT.block), True)


def test_65536_blocks_are_wanted_and_not_one_more() -> None:
    world = World()
    wants = (Want(PROJECT.cid, Cid.of(RAW, b"%d" % n), None) for n in range(limits.NODE_WANTED + 1))
    world.core.on_local(Admitted(wants=tuple(wants)), world.moment)
    assert world.core.topics()[0].n_wanted == limits.NODE_WANTED


def test_16384_members_are_wanted_of_a_peer_and_not_one_more() -> None:
    world = World()
    world.join(1)
    session = session_of(world, 1)
    session.ask(get(1), None, flight_bytes=session.flight_room)  # so that none is asked for yet
    fetching = world.core._fetching
    cids = [Cid.of(DAG_CBOR, b"m%d" % n) for n in range(limits.NODE_WANTED_PEER + 1)]
    assert fetching.want_members(session, PROJECT.cid, cids[:-1])
    assert not fetching.want_members(session, PROJECT.cid, cids[-1:])
    assert fetching.n_members(session, PROJECT.cid) == limits.NODE_WANTED_PEER


def test_4_peers_are_asked_for_media_of_a_topic_and_not_one_more() -> None:
    world = World()
    for link in range(1, 7):
        world.join(link)
    wants = tuple(Want(PROJECT.cid, Cid.of(RAW, b"%d" % n), None) for n in range(64))
    world.core.on_local(Admitted(wants=wants), world.moment)
    world.act()
    asked = [link for link in range(1, 7) if world.heard(link, Get)]
    assert len(asked) == limits.NODE_MEDIA_PEERS


def test_8_comparisons_with_a_peer_are_under_way_and_not_one_more() -> None:
    me, bo = sorted(("me", "bo"), key=key_of)
    world = World(me=me)
    topics = [Cid.of(DAG_CBOR, b"topic %d" % n) for n in range(limits.NODE_COMPARISONS + 1)]
    for topic in topics:
        world.core.follow(topic, scope=1, media=0, members=(), now=world.moment)
    world.act()
    world.join(1, bo, follows=False)
    world.say(1, Follow(topics=tuple(Followed(topic, 1, 0) for topic in topics)))
    assert len(world.heard(1, Heads)) == limits.NODE_COMPARISONS
    number, _ = world.heard(1, Heads)[0]
    world.say(1, State(count=0, sum=world.heard(1, Heads)[0][1].sum, heads=()), number)
    world.after(0.01)
    assert len(world.heard(1, Heads)) == limits.NODE_COMPARISONS + 1


# --- whom it lets in, and whom it dials -----------------------------------------------------------


def test_128_connections_are_let_in_and_not_one_more() -> None:
    world = World()
    for link in range(1, limits.NODE_INBOUND + 1):
        world.join(link, host=f"198.51.{link}.1")
        world.take(link)
    assert not any(world.is_closed(link) for link in range(1, limits.NODE_INBOUND + 1))
    world.join(500, host="203.0.113.1")
    assert world.why(500) == "full"


def test_8_connections_come_from_one_address_and_not_one_more() -> None:
    world = World()
    for link in range(1, limits.NODE_HOST_LINKS + 1):
        world.join(link, host="198.51.100.7")
    assert not any(world.is_closed(link) for link in range(1, limits.NODE_HOST_LINKS + 1))
    world.join(500, host="198.51.100.7")
    assert world.why(500) == "full"
    world.join(501, host="198.51.100.8")
    assert not world.is_closed(501)


def test_64_connections_are_in_the_greeting_and_not_one_more() -> None:
    world = World()
    for link in range(1, limits.NODE_GREETINGS + 1):
        world.join(link, host=f"198.51.{link}.1", hello=False)
    assert not any(world.is_closed(link) for link in range(1, limits.NODE_GREETINGS + 1))
    world.join(500, host="203.0.113.1", hello=False)
    assert world.why(500) == "full"


def address(number: int) -> tuple[bytes, str]:
    key = key_of(f"far {number}")
    return key, f"/ip4/{20 + number}.7.0.1/tcp/4311/tls/p2p/{encode_peer_id(key)}"


def test_16_connections_are_dialled_and_not_one_more() -> None:
    static = tuple(address(number) for number in range(limits.NODE_DIALLED + 4))
    world = World(static=static)
    world.after(30.0)
    assert len({dial.key for dial in world.of(Dial)}) == limits.NODE_DIALLED


def test_8_connections_are_dialled_of_its_own_accord_and_not_one_more() -> None:
    from hitp2p.keys.ed25519 import SigningKey
    from hitp2p.protocol.records import sign_record

    world = World()
    book = world.core._dialling._book
    for number in range(24):
        signer = SigningKey.from_seed(bytes([number + 1]) * 32)
        text = f"/ip4/{20 + number}.7.0.1/tcp/4311/tls/p2p/{encode_peer_id(signer.public)}"
        record = sign_record(signer, world.moment.wall, (text,))
        book.add(record, source="198.51.100.1", now=world.moment)
    world.after(120.0)
    assert len(world.of(Dial)) == limits.NODE_OUTBOUND
