"""A server that speaks as Kubo's RPC port, for what a real daemon doesn't do on demand: break off, lie, hang.

`FakeKubo` answers the commands that a test scripts; with `behind`, it passes all others on to a real daemon.

    with FakeKubo() as fake:
        fake.says("block/get", cut(b"half a blo", promised=20))
"""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

__all__ = ["Answer", "Asked", "FakeKubo", "answer", "chunked", "cut", "endless", "refused"]


class Asked(NamedTuple):
    """A request that came."""

    command: str
    options: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


Answer = Callable[[BaseHTTPRequestHandler, Asked], None]
"""Writes an answer."""


def answer(body: Any, status: int = 200, **headers: str) -> Answer:
    """A whole answer with its length; a body that isn't bytes goes as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    def write(handler: BaseHTTPRequestHandler, _: Asked) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    return write


def refused(message: str) -> Answer:
    """An error of Kubo's own."""
    return answer({"Message": message, "Code": 0, "Type": "error"}, 500)


def cut(body: bytes, promised: int) -> Answer:
    """An answer that ends before the length that it states."""

    def write(handler: BaseHTTPRequestHandler, _: Asked) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(promised))
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True

    return write


def chunked(*pieces: bytes, trailer: str | None = None, ends: bool = True) -> Answer:
    """An answer in chunks, as Kubo streams.

    Args:
        pieces: of the body.
        trailer: an error that comes behind the body, as X-Stream-Error.
        ends: whether the end is said; else the connection breaks there.
    """

    def write(handler: BaseHTTPRequestHandler, _: Asked) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        if trailer is not None:
            handler.send_header("Trailer", "X-Stream-Error")
        handler.end_headers()
        for piece in pieces:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        if ends:
            tail = "" if trailer is None else f"X-Stream-Error: {trailer}\r\n"
            handler.wfile.write(f"0\r\n{tail}\r\n".encode())
        handler.close_connection = True

    return write


def endless(piece: bytes) -> Answer:
    """An answer that goes on until the reader goes away; says a length that nobody could hold."""

    def write(handler: BaseHTTPRequestHandler, _: Asked) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(2**40))
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(piece)
        except OSError:
            handler.close_connection = True

    return write


class FakeKubo:
    """The server, on loopback. A context manager."""

    def __init__(self, behind: str | None = None) -> None:
        """Nothing listens yet.

        Args:
            behind: multiaddress of a real daemon that answers what isn't scripted.
        """
        self.asked: list[Asked] = []
        """What was asked, in order."""
        self._script: dict[str, Answer] = {"version": answer({"Version": "0.43.1"})}
        self._behind = behind
        self._ends = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def api(self) -> str:
        """Where it listens, as a multiaddress."""
        return f"/ip4/127.0.0.1/tcp/{self._server.server_address[1]}"

    def says(self, command: str, write: Answer) -> None:
        """Script a command from now on."""
        self._script[command] = write

    def hangs(self, command: str) -> None:
        """Let a command never be answered."""
        self._script[command] = lambda handler, asked: self._hang(handler)

    def drips(self, command: str, piece: bytes, every_s: float) -> None:
        """Let a command be answered for ever, a piece now and then."""

        def write(handler: BaseHTTPRequestHandler, _: Asked) -> None:
            handler.send_response(200)
            handler.send_header("Content-Length", str(2**40))
            handler.end_headers()
            try:
                while not self._ends.wait(every_s):
                    handler.wfile.write(piece)
            except OSError:
                handler.close_connection = True

        self._script[command] = write

    def tells_the_truth(self) -> None:
        """Forget the script."""
        self._script.clear()

    def ask(self, command: str, **options: str) -> bytes:
        """What the real daemon says."""
        return self._ask(f"/api/v0/{command}?{urlencode(options)}", b"", None)[1]

    def _ask(self, path: str, body: bytes, content_type: str | None) -> tuple[int, bytes]:
        assert self._behind is not None, f"{path} isn't scripted"
        *_, port = self._behind.split("/")
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body, method="POST")
        if content_type is not None:
            request.add_header("Content-Type", content_type)
        try:
            with urllib.request.urlopen(request) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def pass_on(self, handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        """Let the real daemon answer."""
        status, body = self._ask(handler.path, asked.body, asked.headers.get("Content-Type"))
        answer(body, status)(handler, asked)

    def _hang(self, handler: BaseHTTPRequestHandler) -> None:
        self._ends.wait()
        handler.close_connection = True

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each answer waits 40 ms

            def do_POST(self) -> None:
                split = urlsplit(self.path)
                command = split.path.removeprefix("/api/v0/")
                asked = Asked(command, parse_qs(split.query), dict(self.headers), self._body())
                fake.asked.append(asked)
                fake._script.get(command, fake.pass_on)(self, asked)

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                found = b""
                while size := int(self.rfile.readline(), 16):
                    found += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return found

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        return Handler

    def __enter__(self) -> FakeKubo:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ends.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
