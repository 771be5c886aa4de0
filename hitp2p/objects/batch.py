"""Verify many objects, on several cores where the caller lends an executor."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from itertools import islice
from typing import Final, TypeAlias

from hitp2p.codec.cid import Cid
from hitp2p.errors import InvalidError, SignatureError
from hitp2p.keys.ed25519 import verify_many
from hitp2p.objects.envelope import (
    SignedObject,
    parse_object,
    refuse_signature,
    verify_object,
)

__all__ = ["verify_objects"]

_BATCH: Final = 128
"""Objects a task: handing one over costs 100 us, verifying its signatures 50 to 100 us each."""
_AHEAD: Final = 4
"""Tasks that are read and not yet yielded, beside two for each worker; so with one of them at most 6 x 128 objects of at most
64 KiB are in memory."""

_Verdicts: TypeAlias = list[SignatureError | None]


def verify_objects(
    blocks: Iterable[tuple[Cid, bytes]], *, executor: Executor | None = None, workers: int = 1
) -> Iterator[SignedObject]:
    """Verify blocks one by one, in their order; see `verify_object`.

    The first bad block ends it: what stands before is yielded, then its error is raised, whether
    or not there is an executor.

    The caller's thread reads all objects, and checks signatures whenever each worker has two tasks. So lend one worker fewer than
    there are cores, for two cores `hitp2p.second_core.SecondCore`, and no threads: a thread has to wait for the interpreter lock
    after each signature, and for a sleeping core to wake up when it gets it (70 us, as long as the check itself).

    Args:
        blocks: names and bytes, as received; read up to 768 ahead of what is yielded, with one worker.
        executor: checks signatures. Without one, the caller's thread checks all.
        workers: how many it has.
    """
    if executor is None:
        for cid, block in blocks:
            yield verify_object(block, cid=cid)
    else:
        yield from _Verification(executor, workers, iter(blocks)).run()


class _Verification:
    """Tasks in the order of the blocks; who checks one is decided when somebody has time for it."""

    def __init__(
        self, executor: Executor, workers: int, blocks: Iterator[tuple[Cid, bytes]]
    ) -> None:
        self._executor = executor
        self._most_lent = 2 * workers
        self._most_ahead = _AHEAD + 2 * workers
        self._blocks = blocks
        self._has_more = True
        self._ahead: deque[_Task] = deque()
        """All that are read and not yet yielded."""
        self._unchecked: deque[_Task] = deque()
        """Of these, those that nobody has begun to check."""
        self._lent: deque[_Task] = deque()

    def run(self) -> Iterator[SignedObject]:
        try:
            while True:
                self._lend()
                if self._ahead and self._ahead[0].is_done():
                    yield from self._ahead.popleft().verified()
                elif self._has_more and len(self._ahead) < self._most_ahead:
                    self._read()
                elif self._unchecked:
                    self._unchecked.popleft().check_here()
                elif self._ahead:
                    task = self._ahead.popleft()
                    task.take_back()
                    yield from task.verified()
                else:
                    return
        finally:
            for task in self._lent:
                task.cancel()

    def _lend(self) -> None:
        while self._lent and self._lent[0].is_done():
            self._lent.popleft()
        while self._unchecked and len(self._lent) < self._most_lent:
            task = self._unchecked.popleft()
            task.lend(self._executor)
            self._lent.append(task)

    def _read(self) -> None:
        batch = list(islice(self._blocks, _BATCH))
        self._has_more = len(batch) == _BATCH
        if batch:
            task = _Task(batch)
            self._ahead.append(task)
            self._unchecked.append(task)


class _Task:
    """Some objects whose signatures are to be checked, and the block behind them where that is bad."""

    def __init__(self, batch: list[tuple[Cid, bytes]]) -> None:
        self._objects: list[SignedObject] = []
        self._error: InvalidError | None = None
        try:
            for cid, block in batch:
                self._objects.append(parse_object(block, cid=cid))
        except InvalidError as error:
            self._error = error
        self._verdicts: Future[_Verdicts] = Future()

    def _claims(self) -> list[tuple[bytes, bytes, bytes]]:
        return [(obj.signer, obj.signature, obj.signed_bytes) for obj in self._objects]

    def lend(self, executor: Executor) -> None:
        self._verdicts = executor.submit(verify_many, self._claims())

    def check_here(self) -> None:
        self._verdicts.set_result(verify_many(self._claims()))

    def is_done(self) -> bool:
        return self._verdicts.done()

    def cancel(self) -> bool:
        return self._verdicts.cancel()

    def take_back(self) -> None:
        """Check here what the executor has not begun."""
        if self.cancel():
            self._verdicts = Future()
            self.check_here()

    def verified(self) -> Iterator[SignedObject]:
        for obj, error in zip(self._objects, self._verdicts.result(), strict=True):
            if error is not None:
                raise refuse_signature(obj, error) from error
            yield obj
        if self._error is not None:
            raise self._error
