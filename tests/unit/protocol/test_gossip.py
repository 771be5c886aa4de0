"""Push: new members to whoever follows, but not back; offers and lagging where there is no room [NET-13, NET-14]."""

from __future__ import annotations

from host_world import HIGH, LOW, NAMES, Host, Stranger, Trail

from hitp2p import limits
from hitp2p.codec.cid import raw_bytes
from hitp2p.node.policy import Follow
from hitp2p.objects.envelope import SignedObject
from hitp2p.protocol.messages import Blocks, Get, Heads, Push
from hitp2p.testing.people import Person


def pushed(stranger: Stranger) -> list[bytes]:
    """The objects and offers that came, in order."""
    found = stranger.hear_all(Push)
    return [one for push in found for one in (*push.objects, *push.cids)]


def digest(obj: SignedObject) -> bytes:
    return raw_bytes(obj.cid)[-32:]


def test_net_13_a_new_member_is_pushed_once_stored_but_not_to_whom_it_came_from() -> None:
    trail = Trail()
    host = Host(objects=trail.objects, follow=[trail.cid])
    source, other = (Stranger(host, name).greet(trail.cid) for name in (NAMES[11], NAMES[12]))
    work = trail.grow()
    host.holds_admits = True
    source.say(Push(topic=trail.cid, objects=(work.block,)))
    assert pushed(other) == []
    host.admit()
    assert pushed(other) == [work.block]
    assert pushed(source) == []


def test_net_13_two_that_bring_the_same_while_it_is_judged_get_it_from_nobody() -> None:
    trail = Trail()
    host = Host(objects=trail.objects, follow=[trail.cid])
    strangers = [Stranger(host, name).greet(trail.cid) for name in NAMES[11:14]]
    host.holds_admits = True
    work = trail.grow()
    for stranger in strangers[:2]:
        stranger.say(Push(topic=trail.cid, objects=(work.block,)))
    assert len(host.admits) == 1
    host.admit()
    assert [pushed(stranger) for stranger in strangers] == [[], [], [work.block]]


def test_net_13_what_is_here_already_is_neither_judged_nor_pushed_again() -> None:
    trail = Trail()
    host = Host(objects=trail.objects, follow=[trail.cid])
    host.holds_admits = True
    source, other = (Stranger(host, name).greet(trail.cid) for name in (NAMES[11], NAMES[12]))
    source.say(Push(topic=trail.cid, objects=(trail.works[0].block,)))
    assert host.admits == []
    assert pushed(other) == []


def test_net_13_nothing_is_pushed_that_lacks_something_or_is_invalid() -> None:
    trail = Trail()
    host = Host(objects=trail.objects, follow=[trail.cid])
    source, other = (Stranger(host, name).greet(trail.cid) for name in (NAMES[11], NAMES[12]))
    trail.grow()
    orphan = trail.grow()
    source.say(Push(topic=trail.cid, objects=(orphan.block,)))
    source.say(Push(topic=trail.cid, objects=(b"no object",)))
    assert source.end == "invalid"
    assert pushed(other) == []


def test_net_13_what_the_user_stores_is_pushed_to_all() -> None:
    trail = Trail()
    host = Host(objects=trail.objects, follow=[trail.cid])
    strangers = [Stranger(host, name).greet(trail.cid) for name in NAMES[11:14]]
    stranger = Stranger(host, NAMES[14]).greet()
    work = trail.grow()
    host.put(work)
    assert [pushed(one) for one in strangers] == [[work.block]] * 3
    assert pushed(stranger) == []


def test_net_13_an_object_of_8_kib_is_pushed_as_bytes_and_a_larger_one_is_offered() -> None:
    trail = Trail()
    host = Host(objects=trail.objects, follow=[trail.cid])
    stranger = Stranger(host).greet(trail.cid)
    spare = limits.NODE_PUSH_OBJECT_BYTES - len(_padded(trail, 1000).block) + 1000
    fits, too_large = _padded(trail, spare), _padded(trail, spare + 1)
    assert len(fits.block) == limits.NODE_PUSH_OBJECT_BYTES
    host.put(fits)
    host.put(too_large)
    pushes = stranger.hear_all(Push)
    assert [(push.objects, push.cids) for push in pushes] == [
        ((fits.block,), ()),
        ((), (digest(too_large),)),
    ]
    stranger.say(Get(topic=trail.cid, cids=(too_large.cid,)), 1)
    assert stranger.hear_one(Blocks)[1].blocks == (too_large.block,)


def _padded(trail: Trail, n_bytes: int) -> SignedObject:
    """A work of a length; every byte more makes it longer by one."""
    return trail.ana.sign(
        "contribution",
        {"title": "Long", "x-pad": ["x" * 30] * 200, "x-more": bytes(n_bytes)},
        project=trail.cid,
        parents=[trail.cid],
    )


def test_net_13_a_follower_of_the_accepted_gets_what_is_accepted_alone() -> None:
    trail = Trail()
    host = Host(objects=trail.base, follow=[Follow(topic=trail.cid, scope=1, media=0)])
    narrow = Stranger(host, LOW).greet(trail.cid, scope=0)
    wide = Stranger(host, HIGH).greet(trail.cid)
    visitor = Person("Visitor")
    host.put(visitor.genesis, visitor.work(trail.project, "Not accepted"))
    assert len(pushed(wide)) == 2
    assert pushed(narrow) == []
    host.put(trail.works[0])  # its author speaks in the rules
    assert pushed(narrow) == [trail.works[0].block]


def test_an_import_is_offered_in_a_few_frames() -> None:
    trail = Trail(0)
    host = Host(objects=trail.base, follow=[trail.cid])
    stranger = Stranger(host).greet(trail.cid)
    works = [trail.new(title=f"{i}") for i in range(600)]
    host.put(*works)
    pushes = stranger.hear_all(Push)
    n_inline = sum(len(push.objects) for push in pushes)
    n_offered = sum(len(push.cids) for push in pushes)
    assert n_inline + n_offered == 600
    assert n_inline == limits.NODE_PUSH_OBJECTS
    assert len(pushes) <= 4


def test_what_a_peer_would_not_take_now_is_offered() -> None:
    """An honest node never comes over the rate of objects of another."""
    trail = Trail(0)
    host = Host(objects=trail.base, follow=[trail.cid])
    stranger = Stranger(host).greet(trail.cid)
    n_inline = n_offered = 0
    for number in range(limits.NODE_OBJECTS_AT_ONCE // 4):
        host.put(*(trail.new(title=f"{number} {i}") for i in range(4)))
        for push in stranger.hear_all(Push):
            n_inline += len(push.objects)
            n_offered += len(push.cids)
    assert n_inline + n_offered == limits.NODE_OBJECTS_AT_ONCE
    assert 0 < n_offered < limits.NODE_OBJECTS_AT_ONCE / 3


def test_net_14_a_push_that_finds_no_room_is_dropped_and_compared_later() -> None:
    trail = Trail()
    host = Host(objects=trail.objects, follow=[trail.cid])
    slow, other = (Stranger(host, name).greet(trail.cid) for name in (LOW, HIGH))
    host.is_taken = False
    _fill_queue(host, slow, trail)
    host.pass_time(1.5)  # it lags already; nothing of that can be asked now
    other.hear()
    slow.hear()
    large = _padded(trail, 1001)
    host.put(large)
    assert pushed(slow) == []
    assert pushed(other) == [large.block]
    (view,) = [view for view in host.core.peers() if view.key == slow.key]
    assert view.lagging == (trail.cid,)
    host.pass_time(2)
    assert slow.hear_all(Heads) == []  # no room for that either
    host.is_taken = True
    host.write(slow.link)
    host.pass_time(2)
    assert [heads.topic for heads in slow.hear_all(Heads)] == [trail.cid]
    assert host.core.peers()[0].lagging == ()


def _fill_queue(host: Host, stranger: Stranger, trail: Trail) -> None:
    """Ask for much, and take nothing."""
    large = [_padded(trail, 40_000 + i) for i in range(20)]
    host.put(*large)
    for number in range(1, 13):
        stranger.say(Get(topic=trail.cid, cids=tuple(obj.cid for obj in large)), number)
    spare = limits.NODE_PUSH_OBJECT_BYTES - len(_padded(trail, 1000).block)
    for number in range(400):
        (view,) = [view for view in host.core.peers() if view.key == stranger.key]
        room = limits.NODE_QUEUE_BYTES - view.queued_bytes
        assert room >= 0
        if view.lagging:
            break
        host.put(_padded(trail, 1000 + spare - 400 + number))
