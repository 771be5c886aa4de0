"""Verify many objects, on several cores where the caller lends an executor."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from itertools import islice
from typing import Final, TypeAlias

from hitp2p.codec.cid import Cid
from hitp2p.errors import InvalidError
from hitp2p.objects.envelope import SignedObject, verify_object

__all__ = ["verify_objects"]

_BATCH: Final = 128
"""Objects a task: enough that handing over (20 us a task) is lost beside verifying (100 us an object)."""
_TASKS: Final = 4
"""Tasks under way, so at most 4 x 128 objects of at most 64 KiB are in memory."""

_Pairs: TypeAlias = list[tuple[Cid, bytes]]
_Verdict: TypeAlias = tuple[list[SignedObject], InvalidError | None]


def verify_objects(
    blocks: Iterable[tuple[Cid, bytes]], *, executor: Executor | None = None
) -> Iterator[SignedObject]:
    """Verify blocks one by one, in their order; see `verify_object`.

    The first bad block ends it: what stands before is yielded, then its error is raised, whether
    or not there is an executor.

    Args:
        blocks: names and bytes, as received; read a few hundred ahead of what is yielded.
        executor: threads to verify on; two are enough for two cores. Without one, the caller's.
    """
    if executor is None:
        for cid, block in blocks:
            yield verify_object(block, cid=cid)
    else:
        yield from _verify_on(executor, iter(blocks))


def _verify_on(executor: Executor, blocks: Iterator[tuple[Cid, bytes]]) -> Iterator[SignedObject]:
    # A task parses as well as verifies. Were only the signatures handed over, the caller's thread would
    # keep the interpreter lock while it parses, and the tasks would wait for it after each signature.
    tasks: deque[Future[_Verdict]] = deque()
    try:
        while batch := list(islice(blocks, _BATCH)):
            tasks.append(executor.submit(_verify_batch, batch))
            if len(tasks) == _TASKS:
                yield from _yield_verified(tasks.popleft().result())
        while tasks:
            yield from _yield_verified(tasks.popleft().result())
    finally:
        for task in tasks:
            task.cancel()


def _verify_batch(batch: _Pairs) -> _Verdict:
    verified: list[SignedObject] = []
    try:
        for cid, block in batch:
            verified.append(verify_object(block, cid=cid))
    except InvalidError as error:
        return verified, error
    return verified, None


def _yield_verified(verdict: _Verdict) -> Iterator[SignedObject]:
    verified, error = verdict
    yield from verified
    if error is not None:
        raise error
