"""Kubo daemons for benchmarks, started and ended as the tests do, and stores on them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.peers import say_missing
from hitp2p.store.kubo import KuboStore
from hitp2p.store.kubo_address import KuboAddress, parse_kubo_address

__all__ = ["address_of", "new_daemon", "store_on"]


def new_daemon(folder: Path, *, online: bool = False) -> Iterator[Any]:
    """A daemon with profile `test` in a new folder, not started yet; none, having said so, where Kubo isn't built."""
    tests = str(Path(__file__).resolve().parent.parent / "tests")
    if tests not in sys.path:
        sys.path.append(tests)
    import kubo_daemon

    if kubo_daemon.find_kubo() is None:
        say_missing("Kubo", "tests/kubo/build builds it")
        return
    yield kubo_daemon.KuboDaemon(folder, online=online)


def address_of(daemon: Any) -> KuboAddress:
    """Where a daemon answers."""
    return parse_kubo_address(daemon.api)


def store_on(daemon: Any, folder: Path) -> KuboStore:
    """A store on a daemon, with its index in `folder`."""
    return KuboStore.connect(folder, address_of(daemon))
