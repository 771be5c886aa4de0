"""Holds: lists of blocks that a pin keeps without following their links."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from itertools import count

import pytest

from hitp2p.codec.car import CarReader
from hitp2p.codec.cid import DAG_CBOR, DAG_PB, RAW, Cid
from hitp2p.codec.dagcbor import decode, encode
from hitp2p.errors import BackendError
from hitp2p.store.holds import (
    HOLD_BLOCKS,
    Held,
    HoldStream,
    alias_of,
    encode_hold,
    pack,
    pack_again,
    pack_loose,
    parse_hold,
)
from hitp2p.store.reach import iter_links

WORKSPACE, NONCE = b"w" * 16, b"n" * 16
BLAKE = Cid.from_bytes(bytes.fromhex("0155a0e40220") + blake2b(b"x", digest_size=32).digest())
V0 = Cid.from_bytes(bytes(Cid.of(DAG_PB, b"old"))[2:])
HELD = (
    Held(Cid.of(DAG_CBOR, b"object"), True),
    Held(Cid.of(DAG_CBOR, b"page"), False),
    Held(Cid.of(DAG_PB, b"node"), False),
    Held(Cid.of(RAW, b"leaf"), False),
    Held(V0, False),
    Held(BLAKE, False),
)


def nonces() -> Iterator[bytes]:
    return (number.to_bytes(16, "big") for number in count())


def test_a_hold_says_what_it_keeps_and_comes_back() -> None:
    cid, block = encode_hold(WORKSPACE, NONCE, HELD)
    hold = parse_hold(block)
    assert (hold.workspace, set(hold.held)) == (WORKSPACE, set(HELD))
    assert Cid.of(DAG_CBOR, block) == cid


def test_a_hold_links_to_bytes_alone_so_that_no_walk_goes_deeper() -> None:
    cid, block = encode_hold(WORKSPACE, NONCE, HELD)
    links = list(iter_links(cid, block))
    assert {link.codec for link in links} == {RAW}
    assert {(link.hash_code, link.digest) for link in links} == {
        (held.cid.hash_code, held.cid.digest) for held in HELD
    }


def test_no_two_holds_have_one_name() -> None:
    assert encode_hold(WORKSPACE, NONCE, HELD) != encode_hold(WORKSPACE, b"m" * 16, HELD)
    assert encode_hold(WORKSPACE, NONCE, HELD) != encode_hold(b"v" * 16, NONCE, HELD)


def test_an_alias_is_its_own_alias() -> None:
    for cid, _ in HELD:
        assert alias_of(alias_of(cid)) == alias_of(cid)


def damaged(**changes: object) -> bytes:
    value = decode(encode_hold(WORKSPACE, NONCE, HELD)[1])
    assert isinstance(value, dict)
    return encode({**value, **changes})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"\xa0",
        encode([]),
        encode(None),
        damaged(hold=2),
        damaged(objects=None),
        damaged(objects=["x"]),
        damaged(others=[[1]]),
        damaged(others=[[1, b"x"]]),
        damaged(leaves={"a": 1}),
        damaged(workspace=None),
    ],
)
def test_what_is_no_hold_is_told(block: bytes) -> None:
    with pytest.raises(BackendError, match="pinned as a hold"):
        parse_hold(block)


def test_a_car_holds_the_blocks_and_the_hold_that_keeps_them() -> None:
    blocks = [(held, bytes(held.cid)) for held in HELD[:1]]
    data = [(Held(Cid.of(RAW, block), False), block) for _, block in blocks]
    (packed,) = pack(data, WORKSPACE, nonces())
    reader = CarReader([packed.car])
    found = list(reader)
    assert reader.roots == (packed.root,)
    assert [block.cid for block in found] == [data[0][0].cid, packed.root]
    assert all(block.checked for block in found)
    assert len(found) == packed.n_blocks
    assert set(parse_hold(found[-1].data).held) == set(packed.held) == {data[0][0]}


def test_a_hold_follows_the_blocks_that_went_by() -> None:
    blocks = [(Held(Cid.of(DAG_PB, data), False), data) for data in (b"one", b"two")]
    named: list[Cid] = []
    stream = HoldStream(iter(blocks), WORKSPACE, NONCE, named.append)
    first, second = stream.cars()
    sent = b"".join(first)
    assert named == []  # nothing can be pinned before all have gone by
    assert all(bytes(alias_of(held.cid)) + data in sent for held, data in blocks)
    reader = CarReader([b"".join(second)])
    (found,) = reader
    assert [*reader.roots] == named == stream.roots == [found.cid]
    assert parse_hold(found.data).held == tuple(stream.held) == tuple(each for each, _ in blocks)


def test_blocks_are_parted_by_number_and_by_size() -> None:
    small = [
        (Held(Cid.of(RAW, bytes([n % 256, n // 256])), False), bytes([n % 256, n // 256]))
        for n in range(5000)
    ]
    assert [len(car.held) for car in pack(small, WORKSPACE, nonces())] == [HOLD_BLOCKS, 904]
    assert [n for _, n in pack_loose(small)] == [HOLD_BLOCKS, 904]
    large = [(Held(Cid.of(RAW, bytes([n]) * 2**20), False), bytes([n]) * 2**20) for n in range(17)]
    assert [len(car.held) for car in pack(large, WORKSPACE, nonces())] == [8, 8, 1]
    assert [*pack([], WORKSPACE, nonces())] == [*pack_loose([])] == []


def test_blocks_that_are_there_are_held_again_without_sending_them() -> None:
    (packed,) = pack_again(HELD, WORKSPACE, nonces())
    assert [block.cid for block in CarReader([packed.car])] == [packed.root]
    assert (packed.n_blocks, packed.held) == (1, HELD)
