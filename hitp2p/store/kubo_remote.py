"""Pinning services, spoken to through Kubo: it knows their names and keys, asks them to pin, and they fetch from it.

The CID that a service gets is the root of a project's snapshot. Pinning it recursively, the service follows the links of
dag-cbor from the snapshot to its pages, from these to all objects, oldest first, and from the objects to texts and media:
the project whole. A head alone would do as well in principle, but Kubo walks a long chain of parents one round trip an object,
and with memory that grows with the square of its length.

What a service says of itself is a claim; nothing here can check that it keeps what it says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias, cast
from urllib.parse import urlsplit

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import BackendError, NotFoundError, UsageError
from hitp2p.store.kubo_admin import KuboAdmin
from hitp2p.store.kubo_calls import as_map
from hitp2p.store.kubo_rpc import RefusedError

__all__ = ["KuboRemote", "RemotePin", "RemoteService", "RemoteStatus"]

RemoteStatus: TypeAlias = Literal["queued", "pinning", "pinned", "failed"]
"""What a service says of a pin."""
_STATUSES: Final[tuple[RemoteStatus, ...]] = ("queued", "pinning", "pinned", "failed")
_UNKNOWN: Final = "service not known"
_LOOPBACK: Final = frozenset(("127.0.0.1", "::1", "localhost"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteService:
    """A pinning service that a daemon knows."""

    name: str
    endpoint: str
    """Its URL."""
    is_reached: bool
    """Whether it answered, and took the key."""
    counts: Mapping[str, int]
    """How many pins it has, by status; empty where it wasn't reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemotePin:
    """What a service was asked to pin."""

    cid: Cid
    name: str
    status: RemoteStatus


class KuboRemote(KuboAdmin):
    """One daemon, and through it pinning services."""

    def add_service(self, name: str, endpoint: str, key: str) -> None:
        """Let the daemon know a service; it keeps the key in its config.

        Raises:
            UsageError: the name is taken, the endpoint is no URL, or the key would travel in the clear.
            BackendError: the daemon fails.
        """
        _require_endpoint(endpoint)
        if not self.address.is_private:
            raise UsageError(
                f"{self.address}: the key would travel in the clear; use https, or a tunnel that ends on this machine"
            )
        try:
            self._done("pin/remote/service/add", name, endpoint.rstrip("/"), key)
        except RefusedError as error:
            if "already present" not in error.reason:
                raise
            taken = UsageError(f"the daemon knows a service called {name!r} already")
            taken.add_note(f"Take it away first: hitp2p ipfs remote rm {name}")
            raise taken from error

    def services(self) -> tuple[RemoteService, ...]:
        """The services that the daemon knows, each asked how it is."""
        answer = self._one("pin/remote/service/ls", options={"stat": "true"})
        found = answer.get("RemoteServices")
        if not isinstance(found, list):
            raise self._wrong("pin/remote/service/ls", "no list of services")
        services = [as_map(one) for one in cast("list[object]", found)]
        return tuple(_service(one) for one in services)

    def remove_service(self, name: str) -> None:
        """Let the daemon forget a service. What the service pins, it goes on pinning.

        Raises:
            NotFoundError: it knows none of that name.
        """
        answer = self._one("pin/remote/service/ls")
        services = cast("list[object]", answer.get("RemoteServices") or [])
        if name not in [as_map(one).get("Service") for one in services]:
            raise _not_known(name)
        self._done("pin/remote/service/rm", name)

    def pin_remotely(self, service: str, cid: Cid, name: str) -> RemotePin:
        """Ask a service to pin a block with all that it reaches; it tells that it has been asked.

        Raises:
            NotFoundError: the daemon knows no such service.
            BackendError: the service can't be reached or refuses.
        """
        options = {"service": service, "name": name, "background": "true"}
        with _Services(service):
            answer = self._one("pin/remote/add", str(cid), options=options)
        pin = self._pin(answer)
        if pin is None or pin.cid != cid:
            raise self._wrong("pin/remote/add", "another pin than the one that was asked for")
        return pin

    def iter_remote(self, service: str, *, name: str) -> Iterator[RemotePin]:
        """What a service was asked to pin under a name.

        Raises:
            NotFoundError: the daemon knows no such service.
            BackendError: the service can't be reached or refuses.
        """
        for status in _STATUSES:
            options = {"service": service, "name": name, "status": status}
            with _Services(service):
                for line in self._lines("pin/remote/ls", options=options):
                    pin = self._pin(line)
                    if pin is not None and pin.name == name:
                        yield pin

    def unpin_remotely(self, service: str, pin: RemotePin) -> None:
        """Take a request back."""
        options = {
            "service": service,
            "name": pin.name,
            "cid": str(pin.cid),
            "status": pin.status,
            "force": "true",
        }
        with _Services(service):
            self._done("pin/remote/rm", options=options)

    def _pin(self, line: Mapping[str, Any]) -> RemotePin | None:
        status = line.get("Status")
        if status not in _STATUSES:
            return None
        cid = self._cid("pin/remote", line.get("Cid"))
        return RemotePin(cid=cid, name=str(line.get("Name") or ""), status=status)

    def _done(
        self, command: str, *arguments: str, options: Mapping[str, str] | None = None
    ) -> None:
        """A command whose answer is empty."""
        for _ in self._lines(command, *arguments, options=options):
            pass


class _Services:
    """Tells what the daemon says of a service in our words."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, RefusedError):
            return
        if _UNKNOWN in error.reason:
            raise _not_known(self._service) from error
        if "401" in error.reason or "UNAUTHORIZED" in error.reason:
            raise BackendError(
                f"the pinning service {self._service!r} refuses the key that the daemon has for it; give it the right "
                f"one: hitp2p ipfs remote rm {self._service}, then hitp2p ipfs remote add"
            ) from error
        raise BackendError(
            f"the pinning service {self._service!r} did not do it: {error.reason}. hitp2p ipfs remote list shows "
            "whether it can be reached"
        ) from error


def _not_known(service: str) -> NotFoundError:
    error = NotFoundError(f"the daemon knows no pinning service called {service!r}")
    error.add_note(
        "hitp2p ipfs remote list shows those it knows; hitp2p ipfs remote add makes one known."
    )
    return error


def _service(one: Mapping[str, Any]) -> RemoteService:
    stat = as_map(one.get("Stat"))
    counts = as_map(stat.get("PinCount"))
    return RemoteService(
        name=str(one.get("Service")),
        endpoint=str(one.get("ApiEndpoint")),
        is_reached=stat.get("Status") == "valid",
        counts={
            name: counts[name.capitalize()]
            for name in _STATUSES
            if type(counts.get(name.capitalize())) is int
        },
    )


def _require_endpoint(endpoint: str) -> None:
    try:
        split = urlsplit(endpoint)
        host = split.hostname
    except ValueError:
        host = None
        split = urlsplit("")
    is_safe = split.scheme == "https" or (split.scheme == "http" and host in _LOOPBACK)
    if host is None or split.query or split.fragment or split.username is not None:
        raise UsageError(f"{endpoint!r} is no endpoint; one looks like https://pins.example/api/v1")
    if not is_safe:
        raise UsageError(f"{endpoint}: the key would travel in the clear; only https is allowed")
