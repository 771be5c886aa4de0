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

_BATCH: Final = 256
"""Objects a task: handing one over costs 200 us, verifying its signatures 50 to 100 us each."""
_TASKS: Final = 6
"""Tasks under way, so at most 6 x 256 objects of at most 64 KiB are in memory."""

_Verdicts: TypeAlias = list[SignatureError | None]


def verify_objects(
    blocks: Iterable[tuple[Cid, bytes]], *, executor: Executor | None = None
) -> Iterator[SignedObject]:
    """Verify blocks one by one, in their order; see `verify_object`.

    The first bad block ends it: what stands before is yielded, then its error is raised, whether
    or not there is an executor.

    The caller's thread reads all objects and checks signatures as well, whenever the executor is behind. So lend one
    worker fewer than there are cores, and rather processes than threads: a thread has to wait for the interpreter lock
    after each signature, and for a sleeping core to wake up when it gets it (70 us, as long as the check itself).

    Args:
        blocks: names and bytes, as received; read up to 1,536 ahead of what is yielded.
        executor: checks signatures. Without one, the caller's thread checks all.
    """
    if executor is None:
        for cid, block in blocks:
            yield verify_object(block, cid=cid)
    else:
        yield from _verify_on(executor, iter(blocks))


def _verify_on(executor: Executor, blocks: Iterator[tuple[Cid, bytes]]) -> Iterator[SignedObject]:
    tasks: deque[_Task] = deque()
    try:
        while True:
            while len(tasks) < _TASKS and (batch := list(islice(blocks, _BATCH))):
                tasks.append(_Task(batch, executor))
            if not tasks:
                return
            for task in tasks:
                if tasks[0].is_done():
                    break
                task.check_here()
            yield from tasks.popleft().verified()
    finally:
        for task in tasks:
            task.cancel()


class _Task:
    """Some objects whose signatures are being checked, by the executor unless the caller's thread takes them back."""

    def __init__(self, batch: list[tuple[Cid, bytes]], executor: Executor) -> None:
        self._objects: list[SignedObject] = []
        self._error: InvalidError | None = None
        """Of the block behind these objects."""
        try:
            for cid, block in batch:
                self._objects.append(parse_object(block, cid=cid))
        except InvalidError as error:
            self._error = error
        claims = [(obj.signer, obj.signature, obj.signed_bytes) for obj in self._objects]
        self._claims = claims
        self._verdicts: Future[_Verdicts] = executor.submit(verify_many, claims)

    def is_done(self) -> bool:
        return self._verdicts.done()

    def cancel(self) -> bool:
        return self._verdicts.cancel()

    def check_here(self) -> None:
        """Check the signatures on this thread, unless the executor has begun to."""
        if self.cancel():
            self._verdicts = Future()
            self._verdicts.set_result(verify_many(self._claims))

    def verified(self) -> Iterator[SignedObject]:
        for obj, error in zip(self._objects, self._verdicts.result(), strict=True):
            if error is not None:
                raise refuse_signature(obj, error) from error
            yield obj
        if self._error is not None:
            raise self._error
