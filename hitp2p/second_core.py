"""A second process that the caller's thread talks to itself, for work that is too slow on one core.

`ProcessPoolExecutor` hands a task over through two threads of the caller, which wait for its interpreter lock, and takes three
tasks at once that can't be taken back. Here no thread stands between, so tasks can be small, and no core waits long for the last one.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, ParamSpec, TypeVar

__all__ = ["SecondCore"]

P = ParamSpec("P")
T = TypeVar("T")


class SecondCore(Executor):
    """Runs in one process what is submitted, in order. For one thread; use it as a context, or shut it down.

    A future of it looks for its answer when it is asked: `done` takes what has come, `result` waits. What was submitted can't be
    cancelled. A program that makes one has to be importable without side effects, as `multiprocessing` asks with `spawn`.
    """

    def __init__(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._connection, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self._waiting: deque[Future[Any]] = deque()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call `fn` in the process; it, its arguments and what it returns are pickled.

        Raises:
            BrokenExecutor: the process has ended.
            RuntimeError: it was shut down.
        """
        if self._connection.closed:
            raise RuntimeError("the second core was shut down; make another one")
        answer: _Answer[T] = _Answer(self)
        answer.set_running_or_notify_cancel()
        try:
            self._connection.send((fn, args, kwargs))
        except OSError as error:
            raise BrokenExecutor("the process of the second core has ended") from error
        self._waiting.append(answer)
        return answer

    def collect(
        self, answer: _Answer[Any], *, wait: bool = False, timeout: float | None = None
    ) -> None:
        """Take the answers that have come, up to this one.

        Args:
            answer: of this process.
            wait: also take those before it that are still to come, and it.
            timeout: seconds between two of them.
        """
        while not answer.has_come():
            if not (wait and timeout is None) and not self._connection.poll(timeout or 0):
                if wait:
                    raise TimeoutError
                return
            self._take()

    def _take(self) -> None:
        answer = self._waiting.popleft()
        try:
            result, error = self._connection.recv()
        except (EOFError, OSError):
            result, error = None, BrokenExecutor("the process of the second core has ended")
        if error is None:
            answer.set_result(result)
        else:
            answer.set_exception(error)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the process; answers that are still to come are lost with `cancel_futures`, else waited for."""
        while self._waiting and not cancel_futures:
            self._take()
        while self._waiting:
            self._waiting.popleft().set_exception(BrokenExecutor("shut down before it answered"))
        self._connection.close()
        if wait:
            self._process.join()


class _Answer(Future[T]):
    """What the process will say."""

    def __init__(self, core: SecondCore) -> None:
        super().__init__()
        self._core = core

    def has_come(self) -> bool:
        """As `done`, without looking."""
        return super().done()

    def done(self) -> bool:
        self._core.collect(self)
        return super().done()

    def result(self, timeout: float | None = None) -> T:
        self._core.collect(self, wait=True, timeout=timeout)
        return super().result()

    def exception(self, timeout: float | None = None) -> BaseException | None:
        self._core.collect(self, wait=True, timeout=timeout)
        return super().exception()


def _serve(connection: Connection) -> None:
    """Answer until the caller closes its end or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for the caller to decide on
    with suppress(EOFError, OSError):
        while True:
            fn, args, kwargs = connection.recv()
            result, failure = None, None
            try:
                result = fn(*args, **kwargs)
            except Exception as error:
                failure = error
            connection.send((result, failure))
