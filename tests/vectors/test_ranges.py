"""Vectors of chapter 10: keys, fingerprints, answers about ranges, and what they tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from spec_vectors import Vector, by_id, load, refused_as

from hitp2p.codec.cid import Cid
from hitp2p.protocol.messages import Range
from hitp2p.protocol.ranges import SyncSet, Told, answer_ranges, key_of


def read(ranges: Sequence[Any]) -> Iterator[Range]:
    for upper, mode, payload in ranges:
        bound = bytes.fromhex(upper)
        match mode:
            case 0:
                yield Range(bound, 0)
            case 1:
                yield Range(bound, 1, payload[0], bytes.fromhex(payload[1]))
            case 2:
                yield Range(bound, 2, digests=digests(payload))
            case _:
                yield Range(bound, 3, digests=digests(payload[0]), places=tuple(payload[1]))


def digests(text: str) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(text[at : at + 64]) for at in range(0, len(text), 64))


def own_set(vector: Vector) -> SyncSet:
    return SyncSet(map(bytes.fromhex, vector.fields["input"]["keys"]))


@pytest.mark.parametrize("vector", load("net.json", "set-key"), ids=by_id)
def test_net_1_a_key_is_the_one_of_the_vector(vector: Vector) -> None:
    case = vector.fields["input"]
    assert key_of(case["generation"], Cid.parse(case["cid"])).hex() == vector.fields["key"]


@pytest.mark.parametrize("vector", load("net.json", "fingerprint"), ids=by_id)
def test_net_2_a_fingerprint_is_the_one_of_the_vector(vector: Vector) -> None:
    keys = [bytes(8) + bytes.fromhex(digest) for digest in vector.fields["input"]]
    assert SyncSet(keys).fingerprint()[1].hex() == vector.fields["sum"]


@pytest.mark.parametrize("vector", load("ranges.json", "ranges-answer"), ids=by_id)
def test_net_16_ranges_are_answered_as_in_the_vector(vector: Vector) -> None:
    own = own_set(vector)
    answer = list(answer_ranges(own, list(read(vector.fields["input"]["ranges"]))))
    lower = b""
    for expected in vector.fields["answer"]:
        if isinstance(expected[2], dict):
            upper = bytes.fromhex(expected[0])
            parts = [answer.pop(0)]
            while parts[-1].upper != upper:
                parts.append(answer.pop(0))
            assert 2 <= len(parts) <= 16
            assert sum(part.count for part in parts) == expected[2]["cut"]
            for part in parts:
                assert part == Range(part.upper, 1, *own.fingerprint(lower, part.upper))
                lower = part.upper
        else:
            assert [answer.pop(0)] == list(read([expected]))
            lower = bytes.fromhex(expected[0])
    assert answer == []


@pytest.mark.parametrize("vector", load("ranges.json", "ranges-told"), ids=by_id)
def test_net_16_an_answer_tells_what_the_vector_says(vector: Vector) -> None:
    own, case = own_set(vector), vector.fields["input"]
    asked, answer = list(read(case["asked"])), list(read(case["answer"]))
    if vector.expect == "invalid":
        refused_as(vector, lambda: Told(own, asked, answer))
        return
    told = Told(own, asked, answer)
    assert [one.hex() for one in told.lacking] == vector.fields["lacking"]
    assert [one.hex() for one in told.surplus] == vector.fields["surplus"]
    assert [[low.hex(), high.hex()] for low, high in told.open] == vector.fields["open"]
