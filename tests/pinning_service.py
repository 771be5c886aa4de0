"""A pinning service for tests: the IPFS Pinning Service API 1.0 over HTTP, with a real Kubo behind it that pins.

Written after the published OpenAPI document (ipfs/pinning-services-api-spec): bearer tokens, `PinStatus`, `PinResults`, the
four statuses, filters by cid, name and status, `limit`, replacing, errors with `reason` and `details`.

    with PinningService(kubo, token="s3cret") as service:
        service.endpoint
"""

from __future__ import annotations

import json
import threading
import urllib.error
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kubo_daemon import KuboDaemon

__all__ = ["PinningService"]

STATUSES = ("queued", "pinning", "pinned", "failed")


class PinningService:
    """The server, on loopback. A context manager."""

    def __init__(self, kubo: KuboDaemon, *, token: str) -> None:
        """Nothing listens yet.

        Args:
            kubo: online; pins what is asked for, and fetches it from the origins that come with a request.
            token: what a client must show.
        """
        self.is_slow = False
        """Leave new requests queued until `work` is called."""
        self.fails = False
        """Fail at whatever is asked."""
        self.pins: dict[str, dict[str, Any]] = {}
        """What was asked, by request id: a `PinStatus` each."""
        self._kubo = kubo
        self._token = token
        self._lock = threading.Lock()
        self._workers: list[threading.Thread] = []
        self._n_requests = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def endpoint(self) -> str:
        """Its URL, to which `/pins` is added."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def work(self) -> None:
        """Take on what is queued, and wait until it is done."""
        for status in list(self.pins.values()):
            if status["status"] == "queued":
                self._pin(status)

    def _pin(self, status: dict[str, Any]) -> None:
        status["status"] = "pinning"
        if self.fails:
            status |= {"status": "failed", "info": {"status_details": "out of space"}}
            return
        try:
            for origin in status["pin"].get("origins", []):
                self._kubo.rpc("swarm/connect", arg=origin)
            self._kubo.rpc("pin/add", arg=status["pin"]["cid"], timeout="20s")
        except urllib.error.HTTPError as error:
            with error:
                status["info"] = {"status_details": error.read().decode()}
            status["status"] = "failed"
        else:
            status["status"] = "pinned"

    def _add(self, pin: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self._n_requests += 1
            status: dict[str, Any] = {
                "requestid": f"request-{self._n_requests}",
                "status": "queued",
                "created": f"2026-03-01T12:00:00.{self._n_requests:03}Z",
                "pin": pin,
                "delegates": self._kubo.rpc("id")[0]["Addresses"],
                "info": {},
            }
            self.pins[status["requestid"]] = status
        answer = dict(status)
        if not self.is_slow:
            worker = threading.Thread(target=self._pin, args=(status,))
            worker.start()
            self._workers.append(worker)
        return answer

    def _found(self, query: dict[str, list[str]]) -> Iterator[dict[str, Any]]:
        """What a query is about, newest first."""
        wanted = set(query.get("status", ["pinned"])[0].split(","))
        cids = set(query["cid"][0].split(",")) if "cid" in query else None
        for status in reversed(list(self.pins.values())):
            if (
                status["status"] in wanted
                and (cids is None or status["pin"]["cid"] in cids)
                and ("name" not in query or status["pin"].get("name") == query["name"][0])
                and ("before" not in query or status["created"] < query["before"][0])
            ):
                yield status

    def _answer(self, method: str, target: str, body: bytes) -> tuple[int, Any]:
        split = urlsplit(target)
        parts = split.path.strip("/").split("/")
        if parts[0] != "pins" or len(parts) > 2:
            return _failed(404, "NOT_FOUND", "there is no such place")
        if len(parts) == 2 and parts[1] not in self.pins:
            return _failed(404, "NOT_FOUND", "there is no such request")
        match method, len(parts):
            case "POST", 1:
                return 202, self._add(json.loads(body))
            case "GET", 1:
                query = parse_qs(split.query)
                found = list(self._found(query))
                limit = int(query.get("limit", ["10"])[0])
                return 200, {"count": len(found), "results": found[:limit]}
            case "GET", 2:
                return 200, self.pins[parts[1]]
            case "POST", 2:
                del self.pins[parts[1]]
                return 202, self._add(json.loads(body))
            case "DELETE", 2:
                del self.pins[parts[1]]
                return 202, None
            case _:
                return _failed(400, "BAD_REQUEST", method)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.headers.get("Authorization") != f"Bearer {service._token}":
                    code, value = _failed(401, "UNAUTHORIZED", "the access token is invalid")
                else:
                    code, value = service._answer(self.command, self.path, body)
                data = b"" if value is None else json.dumps(value).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self) -> None:
                self.answer()

            def do_POST(self) -> None:
                self.answer()

            def do_DELETE(self) -> None:
                self.answer()

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        return Handler

    def __enter__(self) -> PinningService:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.join()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _failed(code: int, reason: str, details: str) -> tuple[int, Any]:
    return code, {"error": {"reason": reason, "details": details}}
