"""How other programs of the same user speak to a running node: one line of JSON there, one line back, over a socket of mode 0600.

The socket lies in the node's folder. What may be asked is in `hitp2p.node.service`; this module carries it.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from hitp2p.errors import Hitp2pError, NotFoundError, PeerError, UsageError

if TYPE_CHECKING:
    import trio

__all__ = ["SOCKET_NAME", "Handler", "ask", "is_running", "serve_control"]

SOCKET_NAME: Final = "control.sock"
_LINE_BYTES: Final = 1024 * 1024
"""Longest question or answer, in bytes."""
_TIMEOUT_S: Final = 30.0
"""How long an answer may take: the node may be busy storing a batch."""
_QUESTION_S: Final = 10.0
"""How long a program may take to say what it wants."""

Handler: TypeAlias = Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""Answers (verb, arguments); raises an error of the tree."""


# --- the asking side ------------------------------------------------------------------------------


def ask(folder: Path, verb: str, **arguments: Any) -> dict[str, Any]:
    """Ask the node that runs on this folder.

    Raises:
        NotFoundError: none runs.
        PeerError: it doesn't answer.
        UsageError: it refuses; the message is its own.
    """
    with _short_name(folder / SOCKET_NAME) as name, closing(_unix_socket()) as sock:
        sock.settimeout(_TIMEOUT_S)
        try:
            sock.connect(name)
        except (FileNotFoundError, ConnectionRefusedError):
            error = NotFoundError("no node runs on this workspace")
            error.add_note('Start one with "hitp2p node run".')
            raise error from None
        try:
            sock.sendall(json.dumps({"verb": verb, **arguments}).encode() + b"\n")
            with sock.makefile("rb") as file:
                line = file.readline(_LINE_BYTES)
            answer: dict[str, Any] = json.loads(line)
        except (OSError, ValueError) as error:
            raise PeerError(
                f"the node doesn't answer ({error}); see its log, or stop and start it"
            ) from error
    if "error" in answer:
        raise UsageError(str(answer["error"]))
    return answer


def is_running(folder: Path) -> bool:
    """Whether a node listens on this folder."""
    with (
        _short_name(folder / SOCKET_NAME) as name,
        closing(_unix_socket()) as sock,
        suppress(OSError),
    ):
        sock.connect(name)
        return True
    return False


def _unix_socket() -> socket.socket:
    if not hasattr(socket, "AF_UNIX"):
        raise UsageError("this system has no Unix sockets, so a running node can't be asked")
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)


@contextmanager
def _short_name(path: Path) -> Generator[str]:
    """A name of at most 107 bytes for a socket, which is all that the system takes."""
    if len(os.fsencode(path)) < 104:
        yield os.fspath(path)
        return
    try:
        folder = os.open(path.parent, os.O_RDONLY)
    except FileNotFoundError:
        yield os.devnull + "/absent"
        return
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


# --- the node's side ------------------------------------------------------------------------------


async def serve_control(
    folder: Path, handler: Handler, *, task_status: trio.TaskStatus[None]
) -> None:
    """Answer until cancelled; the socket goes away with it. Started once others can connect.

    The caller holds the node's lock, so a socket that is there is left over.
    """
    import trio

    path = folder / SOCKET_NAME
    fresh = folder / f".{SOCKET_NAME}.new"
    with _short_name(fresh) as name, suppress(FileNotFoundError):
        os.unlink(name)
    sock = trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with sock:
        with _short_name(fresh) as name:
            await sock.bind(name)
        fresh.chmod(0o600)  # before anyone can find it under its name
        fresh.replace(path)
        sock.listen(16)
        try:
            async with trio.open_nursery() as nursery:
                task_status.started()
                while True:
                    stream, _ = await sock.accept()
                    nursery.start_soon(_answer, trio.SocketStream(stream), handler)
        finally:
            path.unlink(missing_ok=True)


async def _answer(stream: trio.SocketStream, handler: Handler) -> None:
    import trio

    async with stream:
        with suppress(trio.BrokenResourceError):
            with trio.move_on_after(_QUESTION_S):
                line = await _read_line(stream)
                if line:
                    answer = await _handle(line, handler)
                    await stream.send_all(json.dumps(answer).encode() + b"\n")


async def _read_line(stream: trio.SocketStream) -> bytes:
    data = bytearray()
    while not data.endswith(b"\n"):
        piece = await stream.receive_some(65_536)
        data += piece
        if not piece or len(data) > _LINE_BYTES:
            return b""
    return bytes(data)


async def _handle(line: bytes, handler: Handler) -> Mapping[str, Any]:
    try:
        asked = json.loads(line)
        verb = asked.pop("verb")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {"error": "a question is one line: a JSON map with a verb"}
    try:
        return await handler(str(verb), asked)
    except Hitp2pError as error:
        return {"error": str(error)}
