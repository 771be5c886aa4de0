"""Where a Kubo daemon answers, and what it wants to see before it does."""

from __future__ import annotations

import ipaddress
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hitp2p.errors import KeyFileError, UsageError
from hitp2p.store.keyfile import read_key_file

__all__ = ["KUBO_SCHEME", "KuboAddress", "parse_kubo_address", "read_credentials"]

KUBO_SCHEME: Final = "kubo:"
"""What the name of a store on Kubo begins with."""
_EXAMPLE: Final = "kubo:/ip4/127.0.0.1/tcp/5001, or kubo:/unix/run/ipfs.sock"
_IP: Final = {"ip4": 4, "ip6": 6}
_NAMES: Final = frozenset(("dns", "dns4", "dns6"))


@dataclass(frozen=True, slots=True, kw_only=True)
class KuboAddress:
    """A checked address of a daemon's RPC port."""

    multiaddress: str
    """As Kubo's `Addresses.API` has it."""
    is_private: bool
    """Whether nobody on the way can read what is said: loopback, a unix socket, or https."""

    def __str__(self) -> str:
        return KUBO_SCHEME + self.multiaddress


def parse_kubo_address(text: str) -> KuboAddress:
    """The address that `kubo:/ip4/127.0.0.1/tcp/5001` and the like name; `kubo:` may be left out.

    Raises:
        UsageError: it is none, or one that the client can't reach.
    """
    bare = text.removeprefix(KUBO_SCHEME)
    first, *parts = bare.split("/")
    if first or len(parts) < 2:
        raise _no_address(text)
    if parts[0] == "unix":
        return _unix_address(bare)
    return _tcp_address(text, parts)


def _unix_address(bare: str) -> KuboAddress:
    if bare != bare.lower():
        raise UsageError(
            f"{bare}: the client can't reach a socket whose path has capital letters; let the daemon "
            'listen on a path without ("ipfs config --json Addresses.API")'
        )
    return KuboAddress(multiaddress=bare, is_private=True)


def _tcp_address(text: str, parts: list[str]) -> KuboAddress:
    kind, host, *rest = parts
    is_secure = rest[2:] == ["https"]
    if len(rest) < 2 or rest[0] != "tcp" or rest[2:] not in ([], ["http"], ["https"]):
        raise _no_address(text)
    if not rest[1].isascii() or not rest[1].isdigit() or not 0 < int(rest[1]) < 65_536:
        raise _no_address(text)
    is_loopback = kind in _IP and _is_loopback(text, host, _IP[kind])
    if kind not in _IP and (kind not in _NAMES or not host):
        raise _no_address(text)
    return KuboAddress(multiaddress="/" + "/".join(parts), is_private=is_secure or is_loopback)


def _is_loopback(text: str, host: str, version: int) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise _no_address(text) from None
    if address.version != version:
        raise _no_address(text)
    return address.is_loopback


def _no_address(text: str) -> UsageError:
    return UsageError(f"{text!r} is no address of a Kubo daemon; one looks like {_EXAMPLE}")


def read_credentials(path: Path, address: KuboAddress) -> str:
    """The value of the header `Authorization`, from a file that only its owner can read.

    The file holds one line as Kubo's `API.Authorizations` has it: `bearer:TOKEN`, or `basic:USER:PASSWORD`.

    Raises:
        KeyFileError: it is missing, open to others, or holds something else.
        UsageError: they would travel in the clear.
    """
    if not address.is_private:
        raise UsageError(
            f"{address}: credentials would travel in the clear; use https, or a tunnel that ends on this machine"
        )
    try:
        kind, secret = read_key_file(path).decode("ascii").strip().split(":", 1)
    except ValueError:
        raise _no_credentials(path) from None
    if not secret or not secret.isprintable():
        raise _no_credentials(path)
    if kind == "bearer":
        return f"Bearer {secret}"
    if kind == "basic" and ":" in secret:
        return "Basic " + b64encode(secret.encode("ascii")).decode("ascii")
    raise _no_credentials(path)


def _no_credentials(path: Path) -> KeyFileError:
    return KeyFileError(
        f"{path} holds no credentials: one line is allowed, bearer:TOKEN or basic:USER:PASSWORD"
    )
