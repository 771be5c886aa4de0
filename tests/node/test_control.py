"""Speaking to a running node over its socket."""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trio

from hitp2p.errors import NotFoundError, UsageError
from hitp2p.node.control import SOCKET_NAME, ask, is_running, serve_control

T = TypeVar("T")


async def answer(verb: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    if verb == "refuse":
        raise UsageError("not today")
    return {"verb": verb, "arguments": dict(arguments)}


def while_served(folder: Path, call: Callable[[], T]) -> T | Exception:
    """What the call gives, or raises, in a thread while a node answers."""

    def guarded() -> T | Exception:
        try:
            return call()
        except Exception as error:
            return error

    async def main() -> T | Exception:
        with trio.fail_after(10):
            async with trio.open_nursery() as nursery:
                await nursery.start(serve_control, folder, answer)
                got = await trio.to_thread.run_sync(guarded)
                nursery.cancel_scope.cancel()
        return got

    return trio.run(main)


def test_a_question_is_answered(tmp_path: Path) -> None:
    got = while_served(tmp_path, lambda: ask(tmp_path, "status", depth=3, name="Éva"))
    assert got == {"verb": "status", "arguments": {"depth": 3, "name": "Éva"}}


def test_a_refusal_comes_back_as_it_was_said(tmp_path: Path) -> None:
    error = while_served(tmp_path, lambda: ask(tmp_path, "refuse"))
    assert isinstance(error, UsageError)
    assert str(error) == "not today"


@pytest.mark.parametrize("line", [b"\n", b"[]\n", b"{}\n", b"{\n", b"[" * 5000 + b"\n", b"\xff\n"])
def test_what_is_no_question_is_told_so(tmp_path: Path, line: bytes) -> None:
    assert while_served(tmp_path, lambda: said_to(tmp_path, line)) == {
        "error": "a question is one line: a JSON map with a verb"
    }


def said_to(folder: Path, line: bytes) -> Any:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(folder / SOCKET_NAME))
        sock.sendall(line)
        with sock.makefile("rb") as file:
            return json.loads(file.readline())


def test_who_asks_and_goes_away_harms_nobody(tmp_path: Path) -> None:
    def call() -> Any:
        for line in (b"", b"{", b'{"verb": "status"}\n'):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(str(tmp_path / SOCKET_NAME))
                sock.sendall(line)
        return ask(tmp_path, "status")

    assert while_served(tmp_path, call) == {"verb": "status", "arguments": {}}


def test_the_socket_is_for_its_owner_alone(tmp_path: Path) -> None:
    mode = while_served(tmp_path, lambda: (tmp_path / SOCKET_NAME).stat().st_mode)
    assert isinstance(mode, int)
    assert stat.S_IMODE(mode) == 0o600


def test_without_a_node_the_next_step_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no node runs on this workspace") as caught:
        ask(tmp_path, "status")
    assert caught.value.__notes__ == ['Start one with "hitp2p node run".']


def test_a_socket_that_was_left_over_is_no_node_and_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / SOCKET_NAME))
    assert not is_running(tmp_path)
    assert while_served(tmp_path, lambda: is_running(tmp_path)) is True
    assert not (tmp_path / SOCKET_NAME).exists()


def test_a_deep_folder_works_as_well(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100) / ("y" * 100)
    assert not is_running(folder)
    folder.mkdir(parents=True)
    n_open = len(os.listdir("/proc/self/fd"))
    assert while_served(folder, lambda: ask(folder, "status")) == {
        "verb": "status",
        "arguments": {},
    }
    assert len(os.listdir("/proc/self/fd")) <= n_open + 3, "trio keeps a few of its own"
