"""One HTTP request to a Kubo daemon: bounded in time and size, and with every way to fail told as an error of ours.

The only module that imports ipfshttpclient. Its transport is used, with another way to read answers, and its commands
aren't; why, says spec/decisions/0012. What an answer says is `kubo_calls`' business.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NoReturn

from hitp2p.errors import BackendError, BackendFullError, UsageError
from hitp2p.ports import Closing

if TYPE_CHECKING:
    from hitp2p.store.kubo_address import KuboAddress

__all__ = ["KuboRpc", "NoCommandError", "RefusedError", "TimeUpError"]

CALL_S: Final = 60.0
"""How long the daemon may take over a call, in seconds."""
_CONNECT_S: Final = 10.0
"""How long it may take to reach it, and to take a piece of what we send, in seconds."""
_GRACE_S: Final = 5.0
"""How much longer than the daemon we wait, so that its own error comes first, in seconds."""
_BASE: Final = "api/v0"
_PIECE_BYTES: Final = 256 * 1024
_BULK_BYTES: Final = 512
"""What comes in smaller parts is passed on at once: lines, for which somebody may wait."""
_PATIENCE_S: Final = 1.0
"""How long a piece of what comes in larger parts is waited for to be full, in seconds."""
_ERROR_BYTES: Final = 64 * 1024
"""How much of an error is read, in bytes."""
_FULL: Final = ("no space left on device", "disk quota exceeded")


class RefusedError(BackendError):
    """The daemon answered with an error of its own."""

    def __init__(self, message: str, reason: str) -> None:
        self.reason = reason
        """What the daemon says. Its error codes say nothing, so callers look for words in here."""
        super().__init__(message)

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.args[0], self.reason))


class NoCommandError(BackendError):
    """What answers has no such command: it is older, or no Kubo at all."""


class TimeUpError(BackendError):
    """The daemon took longer than it was given."""


class KuboRpc(Closing):
    """Sends requests to one daemon. Threads may share it."""

    def __init__(
        self, address: KuboAddress, *, authorization: str | None = None, within_s: float = CALL_S
    ) -> None:
        """Nothing is sent yet.

        Args:
            address: where the daemon answers.
            authorization: value of the header of that name.
            within_s: how long a call may take, where it doesn't say otherwise, in seconds.

        Raises:
            UsageError: the extra `ipfs` isn't installed.
        """
        self._http = _load_client()
        self._address = address
        self.within_s = within_s
        """How long a call may take, where it doesn't say otherwise, in seconds."""
        self._is_closed = False
        headers = {} if authorization is None else {"Authorization": authorization}
        make = _bounded(self._http)
        self._client, self._bulk = (
            make(address.multiaddress, _BASE, headers=headers) for _ in range(2)
        )
        for client in (self._client, self._bulk):
            client.open_session()
            _fence(client._session)
        _speak_plainly(self._bulk._session)

    def close(self) -> None:
        self._is_closed = True
        self._client.close_session()
        self._bulk.close_session()

    def stream(
        self,
        command: str,
        *arguments: str,
        options: Mapping[str, str] | None = None,
        body: Sequence[Iterable[bytes | memoryview]] | None = None,
        within_s: float | None = None,
        idle_s: float | None = None,
        in_bulk: bool = False,
    ) -> Iterator[bytes]:
        """The pieces of an answer as they come.

        Args:
            command: such as `block/get`.
            arguments: of the command.
            options: of the command; the daemon ignores those that it doesn't know, and typing errors with them.
            body: files to send, each in pieces. Pieces that can be had only once are sent only once, and each may take as
                long as the whole: the daemon takes no more while it stores what it has.
            within_s: how long all of it may take, in seconds.
            idle_s: how long nothing may come, in seconds; else as long as all of it may take.
            in_bulk: the answer is large, and worth a connection of its own.

        Raises:
            BackendError: the daemon can't be reached, refuses, breaks off or is too slow.
        """
        if self._is_closed:
            raise UsageError("this store is closed; open it again")
        within_s = self.within_s if within_s is None else within_s
        end = monotonic() + within_s + _GRACE_S
        is_once = not all(isinstance(file, Sequence) for file in body or ())
        send = partial(
            (self._bulk if in_bulk else self._client).request,
            f"/{command}",
            arguments,
            timeout=(within_s if is_once else _CONNECT_S, idle_s or within_s + _GRACE_S),
            stream=True,
        )
        more = {"timeout": f"{within_s:g}s", **(options or {})}
        with self._errors(command, within_s), self._send(send, more, body, is_once) as answer:
            for piece in answer:
                if monotonic() > end:
                    self._too_slow(command, within_s)
                yield piece

    def _send(
        self,
        send: Callable[..., Any],
        options: Mapping[str, str],
        body: Sequence[Iterable[bytes | memoryview]] | None,
        is_once: bool,
    ) -> Any:
        """Ask, and once more where the connection is gone: the daemon may have closed it since the last call.

        Every command that we send may be sent twice, but not what can be read only once.
        """

        def ask() -> Any:
            return send(opts={**options}, **({} if body is None else _form(body)))

        requests = self._http.requests.exceptions
        try:
            return ask()
        except requests.Timeout:
            raise
        except requests.ConnectionError:
            if is_once:
                raise
            return ask()

    @contextmanager
    def _errors(self, command: str, within_s: float) -> Generator[None]:
        """Turn what the client raises into errors of ours."""
        requests, urllib3 = self._http.requests.exceptions, self._http.urllib3.exceptions
        try:
            yield
        except (requests.Timeout, urllib3.TimeoutError):
            self._too_slow(command, within_s)
        except _StatusError as error:
            self._status(command, error)
        except urllib3.HTTPError as error:  # while the answer was read
            raise BackendError(
                f"{self._address} broke off in the middle of its answer to {command}; see whether the daemon "
                "still runs, then try again"
            ) from error
        except (requests.RequestException, self._http.exceptions.Error) as error:
            raise BackendError(
                f'{self._address} can\'t be reached for {command}: see that the daemon runs ("ipfs daemon") and '
                'that "ipfs config Addresses.API" shows this address'
            ) from error

    def _too_slow(self, command: str, within_s: float) -> NoReturn:
        raise TimeUpError(
            f"{self._address} did not finish {command} within {within_s:g} seconds; see whether the daemon is "
            "busy or its disk slow, then try again"
        ) from None

    def _refused(self, command: str, reason: str) -> NoReturn:
        if any(words in reason for words in _FULL):
            full = BackendFullError(
                f"the disk of {self._address} is full: {reason}. Nothing was half-written; make room there "
                '("ipfs repo gc" removes what isn\'t pinned) and try again'
            )
            full.add_note("Make room on the daemon's disk, then run the same command again.")
            raise full from None
        if "context deadline exceeded" in reason:
            raise TimeUpError(
                f"{self._address} gave up {command} when its time was over; see whether the daemon is busy or "
                "its disk slow, then try again"
            ) from None
        raise RefusedError(f"{self._address} refuses {command}: {reason}", reason) from None

    def _status(self, command: str, error: _StatusError) -> NoReturn:
        if error.reason is not None:
            self._refused(command, error.reason)
        if error.status in (401, 403):
            shut = BackendError(
                f"{self._address} doesn't let us {command} (status {error.status}): it asks for credentials, or "
                "doesn't allow this command to ours; see API.Authorizations in its config"
            )
            shut.add_note(
                "Write bearer:TOKEN or basic:USER:PASSWORD into kubo.auth beside store.json in .hitp2p, for yourself "
                "alone (mode 0600); the verbs of hitp2p ipfs take another such file with --credentials."
            )
            raise shut from None
        kind = NoCommandError if error.status == 404 else BackendError
        raise kind(
            f"{self._address} answers {command} with status {error.status}, so it is not Kubo's RPC port, maybe "
            'its gateway; "ipfs config Addresses.API" shows the right one'
        ) from None


class _StatusError(Exception):
    """An answer with another status than 200."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.reason: str | None = None
        """What Kubo says of it, where it does."""
        with suppress(ValueError, RecursionError, KeyError, TypeError):
            self.reason = str(json.loads(body)["Message"])
        super().__init__(status)


def _load_client() -> Any:
    try:
        from ipfshttpclient import http_requests  # type: ignore  # pyright: ignore
    except ImportError as error:
        raise UsageError(
            "a store on Kubo needs ipfshttpclient: pip install 'hitp2p[ipfs]'"
        ) from error
    return http_requests  # pyright: ignore[reportUnknownVariableType]


def _bounded(http: Any) -> Any:
    """The transport of ipfshttpclient, but it reads answers in small pieces, as soon as they come.

    As it stands, it holds a whole answer that states its length, however long that is, and the whole text of an error.
    """

    class Bounded(http.ClientSync):  # type: ignore[misc]
        def _request(
            self, method: str, path: str, params: Any, **more: Any
        ) -> tuple[list[Any], Iterator[bytes]]:
            arguments = http.map_args_to_requests(
                params=params, headers=more["headers"], timeout=more["timeout"]
            )
            answer = self._session.request(
                method,
                self._base_url + path.lstrip("/"),
                data=more["data"],
                stream=True,
                allow_redirects=False,
                **arguments,
            )
            if answer.status_code != 200:
                with answer:
                    raise _StatusError(answer.status_code, _first_piece(answer.raw))
            return [answer], _pieces(answer.raw)

    return Bounded


def _pieces(raw: Any) -> Generator[bytes]:
    """What comes, in pieces of about 64 KiB, or less where it comes slowly or in lines.

    The daemon sends chunks of 4 KiB, for each of which urllib3's own way to read takes four times as long.
    """
    read = raw._fp.read1 if raw.length_remaining is None else raw.read1
    with raw._error_catcher():
        while parts := _next_parts(read):
            yield b"".join(parts)


def _next_parts(read: Callable[[int], bytes]) -> list[bytes]:
    parts: list[bytes] = []
    n_bytes = 0
    patience_ends = monotonic() + _PATIENCE_S
    while n_bytes < _PIECE_BYTES and (part := read(_PIECE_BYTES)):
        parts.append(part)
        n_bytes += len(part)
        if len(part) < _BULK_BYTES or monotonic() > patience_ends:
            break
    return parts


def _first_piece(raw: Any) -> bytes:
    found = b""
    for piece in _pieces(raw):
        found += piece
        if len(found) >= _ERROR_BYTES:
            break
    return found


def _fence(session: Any) -> None:
    """Shut what a session does unasked: proxies and netrc from the environment, a warning a connection."""
    session.trust_env = False
    for adapter in session.adapters.values():
        adapter.poolmanager.connection_pool_kw.pop("strict", None)


def _speak_plainly(session: Any) -> None:
    """Have a session ask in HTTP/1.0: the answer then comes as it is, and its end is that of the connection.

    In HTTP/1.1 the daemon sends chunks of 4 KiB, and taking these apart costs more than to hash what is in them.
    """
    for adapter in session.adapters.values():
        pools = getattr(adapter.poolmanager, "pool_classes_by_scheme", {})
        adapter.poolmanager.pool_classes_by_scheme = {
            scheme: _plain_pool(pool) for scheme, pool in pools.items()
        }


def _plain_pool(pool: Any) -> Any:
    class PlainConnection(pool.ConnectionCls):  # type: ignore[misc]
        _http_vsn_str = "HTTP/1.0"

    class PlainPool(pool):  # type: ignore[misc]
        ConnectionCls = PlainConnection

    return PlainPool


def _form(files: Sequence[Iterable[bytes | memoryview]]) -> dict[str, Any]:
    """Files as a form. The boundary is new each time, as they may hold what strangers chose."""
    boundary = f"hitp2p-{os.urandom(16).hex()}"
    return {
        "headers": {"Content-Type": f"multipart/form-data; boundary={boundary}"},
        "data": _form_pieces(files, boundary),
    }


def _form_pieces(
    files: Sequence[Iterable[bytes | memoryview]], boundary: str
) -> Iterator[bytes | memoryview]:
    head = (
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="file"; filename="blocks.car"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    for file in files:
        yield head.encode()
        yield from file
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()
