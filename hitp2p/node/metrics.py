"""The page for Prometheus: what a node counts, in the text format 0.0.4, over a few lines of HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import trio

__all__ = ["Metric", "render", "serve_metrics"]

_HEAD_BYTES: Final = 8192
_REQUEST_S: Final = 10.0


class Metric(NamedTuple):
    """One family of figures."""

    name: str
    """Without the `hitp2p_` before it; a counter ends in `_total`."""
    kind: str
    """gauge or counter."""
    what: str
    samples: Iterable[tuple[Mapping[str, str], float]]
    """Labels and value."""


def render(metrics: Iterable[Metric]) -> str:
    """The page."""
    lines: list[str] = []
    for metric in metrics:
        name = f"hitp2p_{metric.name}"
        lines += [f"# HELP {name} {_escape(metric.what)}", f"# TYPE {name} {metric.kind}"]
        for labels, value in metric.samples:
            inside = ",".join(f'{key}="{_quote(text)}"' for key, text in labels.items())
            lines.append(f"{name}{'{' + inside + '}' if inside else ''} {value:.17g}")
    return "\n".join(lines) + "\n"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quote(text: str) -> str:
    return _escape(text).replace('"', '\\"')


async def serve_metrics(
    host: str,
    port: int,
    page: Callable[[], str],
    *,
    task_status: trio.TaskStatus[tuple[str, int]],
) -> None:
    """Answer `GET /metrics` until cancelled; started with the address once others can connect.

    Raises:
        OSError: the port is taken.
    """
    import trio

    async def answer(stream: trio.SocketStream) -> None:
        async with stream:
            with trio.move_on_after(_REQUEST_S):
                try:
                    head = await _read_head(stream)
                    if head:
                        await stream.send_all(_respond(head, page))
                except trio.BrokenResourceError:
                    return

    listeners = await trio.open_tcp_listeners(port, host=host)
    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, answer, listeners)
        name = listeners[0].socket.getsockname()
        task_status.started((name[0], name[1]))


async def _read_head(stream: trio.SocketStream) -> bytes:
    data = bytearray()
    while b"\r\n\r\n" not in data:
        piece = await stream.receive_some(4096)
        data += piece
        if not piece or len(data) > _HEAD_BYTES:
            return b""
    return bytes(data)


def _respond(head: bytes, page: Callable[[], str]) -> bytes:
    method, _, rest = head.partition(b" ")
    path = rest.split(b" ")[0].split(b"?")[0]
    if method not in (b"GET", b"HEAD"):
        status, body = "405 Method Not Allowed", "only GET is answered\n"
    elif path != b"/metrics":
        status, body = "404 Not Found", "the figures are at /metrics\n"
    else:
        status, body = "200 OK", page()
    data = body.encode()
    kind = "text/plain; version=0.0.4; charset=utf-8"
    lines = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n"
    return lines.encode() + (b"" if method == b"HEAD" else data)
