"""What waits in the core, and for how long: orphans, and what was judged."""

from __future__ import annotations

from core_stage import ANA, PROJECT, key_of

from hitp2p import limits
from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.objects.envelope import SignedObject
from hitp2p.protocol.admitting import Judged
from hitp2p.protocol.waiting import Orphan, Waiting

MISSING = Cid.of(DAG_CBOR, b"missing")


def cid(number: int) -> Cid:
    return Cid.of(DAG_CBOR, b"%d" % number)


class Stub(SignedObject):
    """Something of a CID and a size, as the pool asks for nothing else."""

    __slots__ = ()

    def __init__(self, number: int, size: int = 400) -> None:
        self.cid = cid(number)
        self.block = bytes(size)


def orphan(number: int, *, key: str = "bo", size: int = 400, missing: Cid = MISSING) -> Orphan:
    obj = Stub(number, size)
    return Orphan(obj, PROJECT.cid, [missing], link=1, key=key_of(key), host="127.0.0.1")


def test_a_peer_has_1000_objects_waiting_and_not_one_more() -> None:
    pool = Waiting()
    for number in range(limits.NODE_WAITING_OBJECTS):
        pool.put(orphan(number), 0.0)
    assert len(pool) == 1000
    pool.put(orphan(5000), 0.0)
    assert len(pool) == 1000
    assert cid(0) not in pool
    assert cid(5000) in pool
    pool.put(orphan(6000, key="cy"), 0.0)
    assert len(pool) == 1001


def test_a_peer_has_4_mib_waiting_and_not_a_byte_more() -> None:
    pool = Waiting()
    for number in range(64):
        pool.put(orphan(number, size=limits.OBJECT_BYTES), 0.0)
    assert pool.n_bytes == limits.NODE_WAITING_PEER_BYTES
    assert len(pool) == 64
    pool.put(orphan(64, size=1), 0.0)
    assert cid(0) not in pool
    assert pool.n_bytes == limits.NODE_WAITING_PEER_BYTES - limits.OBJECT_BYTES + 1


def test_all_have_64_mib_waiting_and_not_a_byte_more() -> None:
    pool = Waiting()
    for number in range(1024):
        pool.put(orphan(number, key=f"p{number // 64}", size=limits.OBJECT_BYTES), 0.0)
    assert pool.n_bytes == limits.NODE_WAITING_BYTES
    pool.put(orphan(5000, key="last", size=1), 0.0)
    assert pool.n_bytes < limits.NODE_WAITING_BYTES
    assert cid(5000) in pool
    assert len(pool) == 1024


def test_an_object_waits_10_minutes_and_no_longer() -> None:
    pool = Waiting()
    pool.put(orphan(1), 5.0)
    pool.expire(5.0 + limits.NODE_WAITING_S - 0.01)
    assert cid(1) in pool
    pool.expire(5.0 + limits.NODE_WAITING_S)
    assert cid(1) not in pool
    assert pool.next_end is None


def test_what_waits_is_ready_once_the_last_of_what_it_lacks_is_here() -> None:
    pool = Waiting()
    other = Cid.of(DAG_CBOR, b"other")
    waits = Orphan(
        Stub(1), PROJECT.cid, [MISSING, other], link=1, key=key_of("bo"), host="127.0.0.1"
    )
    pool.put(waits, 0.0)
    assert pool.on_here([MISSING]) == []
    assert [one.obj.cid for one in pool.on_here([other])] == [cid(1)]
    assert (len(pool), pool.n_bytes) == (0, 0)


def test_what_rests_on_something_bad_is_forgotten_with_what_rests_on_that() -> None:
    pool = Waiting()
    pool.put(orphan(1), 0.0)
    pool.put(orphan(2, missing=cid(1)), 0.0)
    pool.put(orphan(3, missing=ANA.genesis.cid), 0.0)
    pool.on_lost(MISSING)
    assert len(pool) == 1
    assert cid(3) in pool


def test_65536_that_were_judged_are_remembered_and_not_one_more() -> None:
    judged = Judged()
    judged.put(map(cid, range(limits.NODE_JUDGED)), 0.0)
    assert judged.has(cid(0), 0.0)
    judged.put([cid(70_000)], 0.0)
    assert len(judged) == 65_536
    assert not judged.has(cid(0), 0.0)


def test_what_was_judged_is_remembered_for_10_minutes_and_no_longer() -> None:
    judged = Judged()
    judged.put([MISSING], 5.0)
    assert judged.has(MISSING, 5.0 + limits.NODE_JUDGED_S - 0.01)
    assert not judged.has(MISSING, 5.0 + limits.NODE_JUDGED_S)
