"""One process that answers in order, and says so when it is gone."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor

import pytest

from hitp2p.second_core import SecondCore


@pytest.fixture(scope="module")
def core() -> Iterator[SecondCore]:
    with SecondCore() as core:
        yield core


def test_it_runs_elsewhere(core: SecondCore) -> None:
    assert core.submit(os.getpid).result() != os.getpid()


def test_answers_belong_to_their_questions_in_whatever_order_they_are_asked(
    core: SecondCore,
) -> None:
    answers = [core.submit(divmod, number, 7) for number in range(20)]
    assert answers[13].result() == (1, 6)
    assert [answer.result() for answer in reversed(answers)] == [
        divmod(number, 7) for number in reversed(range(20))
    ]
    assert all(answer.done() for answer in answers)


def test_an_error_is_raised_where_the_result_is_asked_for(core: SecondCore) -> None:
    answer = core.submit(divmod, 1, 0)
    assert isinstance(answer.exception(), ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        answer.result()


def test_what_was_submitted_is_not_cancelled(core: SecondCore) -> None:
    answer = core.submit(divmod, 9, 7)
    assert not answer.cancel()
    assert answer.result() == (1, 2)


def test_asking_does_not_wait(core: SecondCore) -> None:
    answer = core.submit(time.sleep, 0.2)
    assert not answer.done()
    with pytest.raises(TimeoutError):
        answer.result(timeout=0.01)
    assert answer.result() is None


def test_large_questions_and_answers_pass(core: SecondCore) -> None:
    text = b"x" * 3_000_000
    assert core.submit(bytes.upper, text).result() == b"X" * 3_000_000


def test_shutting_down_waits_for_answers_and_ends_it() -> None:
    core = SecondCore()
    answer = core.submit(divmod, 9, 7)
    core.shutdown()
    assert answer.result() == (1, 2)
    with pytest.raises(RuntimeError, match="make another"):
        core.submit(divmod, 9, 7)


def test_what_is_dropped_when_shutting_down_says_so() -> None:
    core = SecondCore()
    answer = core.submit(divmod, 9, 7)
    core.shutdown(cancel_futures=True)
    with pytest.raises(BrokenExecutor):
        answer.result()


def test_a_process_that_ends_by_itself_is_reported() -> None:
    with SecondCore() as core:
        answer = core.submit(os._exit, 3)
        with pytest.raises(BrokenExecutor):
            answer.result()
