"""`SyncSet`: keys in order, by digest, and the fingerprint of any stretch."""

from __future__ import annotations

import tracemalloc
from hashlib import sha256
from random import Random

import pytest
from set_pairs import some_keys

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.errors import UsageError
from hitp2p.protocol.syncset import SyncSet, bound_between, cid_of, fingerprint_of, key_of

LARGE = 3000
"""More than a handful of chunks."""


def naive(keys: list[bytes], lower: bytes = b"", upper: bytes = b"") -> tuple[int, bytes]:
    """NET-2, word by word."""
    here = [key for key in keys if key >= lower and (not upper or key < upper)]
    total = sum(int.from_bytes(key[8:], "big") for key in here) % 2**256
    said = total.to_bytes(32, "big") + len(here).to_bytes(8, "big")
    return len(here), sha256(said).digest()[:16]


def test_net_1_a_key_is_the_generation_and_the_digest() -> None:
    cid = Cid.of(DAG_CBOR, b"x")
    assert key_of(258, cid) == bytes((0, 0, 0, 0, 0, 0, 1, 2)) + sha256(b"x").digest()
    assert cid_of(key_of(258, cid)) == cid_of(cid.digest) == cid


def test_net_2_an_empty_set_has_a_fingerprint() -> None:
    assert SyncSet().fingerprint() == (0, sha256(bytes(40)).digest()[:16])


def test_net_2_the_sum_of_digests_wraps_around() -> None:
    keys = [bytes(8) + b"\xff" * 32, bytes(7) + b"\1" + bytes(31) + b"\2"]
    said = (1).to_bytes(32, "big") + (2).to_bytes(8, "big")
    assert SyncSet(keys).fingerprint() == (2, sha256(said).digest()[:16])
    assert fingerprint_of(2, 2**256 + 1) == sha256(said).digest()[:16]


def test_net_2_any_stretch_has_the_fingerprint_that_its_keys_give() -> None:
    chance, keys = Random(2), some_keys(LARGE)
    own = SyncSet(keys)
    bounds = [b"", b"\0", keys[0], keys[-1], keys[-1] + b"\0", b"\xff" * 40]
    bounds += [key[: chance.randrange(1, 41)] for key in chance.sample(keys, 12)]
    for lower in bounds:
        for upper in chance.sample(bounds, 6):
            assert own.fingerprint(lower, upper) == naive(keys, lower, upper)


def test_net_2_holds_after_any_number_of_changes() -> None:
    chance, keys = Random(3), some_keys(2 * LARGE)
    own, here = SyncSet(keys[::2]), set(keys[::2])
    for step in range(4 * LARGE):
        key = chance.choice(keys if step < 2 * LARGE else keys[:LARGE])
        if chance.random() < (0.7 if step < 2 * LARGE else 0.05):
            assert own.add(key) is (key not in here)
            here.add(key)
        else:
            assert own.discard(key) is (key in here)
            here.discard(key)
        if step % 1000 == 0:
            lower, upper = sorted(chance.sample(keys, 2))
            assert own.fingerprint(lower, upper) == naive(sorted(here), lower, upper)
    assert own.keys() == sorted(here)
    assert own.fingerprint() == naive(sorted(here))
    assert [key for key in keys if own.has_digest(key[8:])] == sorted(here)


def test_a_set_can_be_emptied_and_filled_again() -> None:
    keys = some_keys(LARGE)
    own = SyncSet(reversed(keys))
    assert all(own.discard(key) for key in keys)
    assert (len(own), own.keys(), own.fingerprint()) == (0, [], naive([]))
    assert all(own.add(key) for key in keys)
    assert own.keys() == keys


def test_a_key_counts_once() -> None:
    key = some_keys(1)[0]
    own = SyncSet([key, key])
    assert (len(own), own.add(key), own.discard(key), own.discard(key)) == (1, False, True, False)


def test_keys_are_found_by_their_digest() -> None:
    keys = some_keys(LARGE)
    own = SyncSet(keys[::2])
    assert [own.key_of_digest(key[8:]) for key in keys[:4]] == [keys[0], None, keys[2], None]
    assert keys[0] in own
    assert keys[1] not in own


def test_digests_that_end_alike_are_told_apart() -> None:
    tail = b"the tail"
    keys = [bytes(7) + bytes([n]) + bytes([n]) * 24 + tail for n in range(4)]
    own = SyncSet(keys[1:])
    assert [own.has_digest(key[8:]) for key in keys] == [False, True, True, True]
    assert own.discard(keys[2])
    assert [own.key_of_digest(key[8:]) for key in keys] == [None, keys[1], None, keys[3]]


def test_keys_of_a_stretch_come_in_order_and_up_to_a_limit() -> None:
    keys = some_keys(LARGE)
    own = SyncSet(keys)
    assert own.keys(keys[700], keys[1500]) == keys[700:1500]
    assert own.keys(keys[700], limit=5) == keys[700:705]
    assert own.keys(keys[9], keys[9]) == own.keys(keys[9], keys[3]) == []
    assert own.after(b"", 2) == keys[:2]
    assert own.after(keys[700], 5) == keys[701:706]
    assert own.after(keys[-1], 5) == []


def test_keys_have_ranks() -> None:
    keys = some_keys(LARGE)
    own = SyncSet(keys)
    assert [own.rank(own.key_at(n)) for n in range(0, LARGE, 100)] == list(range(0, LARGE, 100))
    assert (own.rank(b""), own.rank(b"\xff")) == (0, LARGE)
    assert own.count(keys[10], keys[900]) == 890
    assert own.count(keys[900], keys[10]) == 0
    with pytest.raises(UsageError, match="no key has rank 3000"):
        own.key_at(LARGE)


def test_a_bound_is_the_shortest_between_two_keys() -> None:
    low, high = bytes(7) + b"\1" + bytes(32), bytes(7) + b"\1" + b"\0\5" + bytes(30)
    assert bound_between(low, high) == bytes(7) + b"\1\0\5"
    assert low < bound_between(low, high) <= high
    own = SyncSet([low, high])
    assert own.bound_at(1) == bytes(7) + b"\1\0\5"


@pytest.mark.parametrize("n_bytes", [0, 39, 41])
def test_a_key_of_another_length_is_refused(n_bytes: int) -> None:
    with pytest.raises(UsageError, match=f"a key of {n_bytes} bytes"):
        SyncSet([bytes(n_bytes)])
    with pytest.raises(UsageError, match=f"a key of {n_bytes} bytes"):
        SyncSet().add(bytes(n_bytes))


def test_a_key_takes_at_most_70_bytes_of_memory() -> None:
    keys = some_keys(10_000)
    tracemalloc.start()
    try:
        own = SyncSet(keys)
        built = tracemalloc.get_traced_memory()[0] / len(keys)
        for key in some_keys(10_000, seed=2):
            own.add(key)
        own.fingerprint(keys[5])
        grown = tracemalloc.get_traced_memory()[0] / len(own)
    finally:
        tracemalloc.stop()
    assert built < 62
    assert grown < 70
