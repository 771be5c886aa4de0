"""Verifying many objects, alone or with threads and processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import pytest
from trail_maker import Person

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.errors import InvalidError
from hitp2p.objects.batch import verify_objects
from hitp2p.second_core import SecondCore

ANA = Person("Ana")
PROJECT = ANA.project()
OBJECTS = [ANA.genesis, PROJECT, *(ANA.work(PROJECT, str(number)) for number in range(400))]
PAIRS = [(obj.cid, obj.block) for obj in OBJECTS]


@pytest.fixture(
    scope="module",
    params=[0, 1, 2, -1, -2],
    ids=["alone", "one-thread", "two-threads", "one-process", "second-core"],
)
def executor(request: pytest.FixtureRequest) -> Iterator[Executor | None]:
    if not request.param:
        yield None
        return
    if request.param == -2:
        with SecondCore() as core:
            yield core
        return
    spawn = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(1, mp_context=spawn)
        if request.param < 0
        else ThreadPoolExecutor(request.param)
    ) as workers:
        yield workers


@pytest.mark.parametrize("length", [0, 1, 127, 128, 129, 402])
def test_objects_come_in_order(executor: Executor | None, length: int) -> None:
    assert list(verify_objects(PAIRS[:length], executor=executor)) == OBJECTS[:length]


def damage(block: bytes) -> bytes:
    return block[:20] + bytes((block[20] ^ 1,)) + block[21:]


@pytest.mark.parametrize("position", [0, 127, 128, 300, 401])
@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        (lambda cid, block: (Cid.of(DAG_CBOR, damage(block)), damage(block)), "OBJ-6"),
        (lambda cid, block: (cid, damage(block)), "CAR-3"),
        (lambda cid, block: (Cid.of(DAG_CBOR, b"\xf6"), b"\xf6"), "OBJ-1"),
    ],
    ids=["signature", "hash", "shape"],
)
def test_the_first_bad_block_ends_it_behind_all_good_ones(
    executor: Executor | None,
    position: int,
    bad: Callable[[Cid, bytes], tuple[Cid, bytes]],
    rule: str,
) -> None:
    pairs = list(PAIRS)
    pairs[position] = bad(*pairs[position])
    pairs[-1] = (PROJECT.cid, b"") if position < len(pairs) - 1 else pairs[-1]
    seen = []
    with pytest.raises(InvalidError) as caught:
        for obj in verify_objects(pairs, executor=executor):
            seen.append(obj)
    assert caught.value.rule == rule
    assert seen == OBJECTS[:position]


def test_no_more_blocks_are_read_ahead_than_six_tasks_hold(executor: Executor | None) -> None:
    n_read = 0

    def endless() -> Iterator[tuple[Cid, bytes]]:
        nonlocal n_read
        while True:
            n_read += 1
            yield PAIRS[n_read % len(PAIRS)]

    verified = verify_objects(endless(), executor=executor)
    for n_seen in range(1, 2000):
        next(verified)
        assert n_read <= n_seen + 6 * 128


def test_an_error_of_the_source_reaches_the_caller(executor: Executor | None) -> None:
    def broken() -> Iterator[tuple[Cid, bytes]]:
        yield PAIRS[0]
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        list(verify_objects(broken(), executor=executor))


class Idle(Executor):
    """Never begins anything."""

    def submit(self, *_args: Any, **_options: Any) -> Future[Any]:
        return Future()


def test_the_caller_checks_what_the_executor_has_not_begun() -> None:
    pairs = list(PAIRS)
    pairs[300] = (Cid.of(DAG_CBOR, damage(pairs[300][1])), damage(pairs[300][1]))
    verified = verify_objects(pairs, executor=Idle())
    assert [next(verified) for _ in range(300)] == OBJECTS[:300]
    with pytest.raises(InvalidError) as caught:
        next(verified)
    assert (caught.value.rule, caught.value.cid) == ("OBJ-6", pairs[300][0])
