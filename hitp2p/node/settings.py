"""What the operator of a node sets: `config.toml` in the node's folder, with overrides that the caller passes in.

What changes while a node runs (whom it follows, what it won't carry) isn't here; verbs change that.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from hitp2p.dataclass import dataclass
from hitp2p.errors import UsageError

__all__ = ["FIELDS", "Settings", "example", "parse_settings"]

Check: TypeAlias = Callable[[Any], Any]
"""Gives the value back as the settings hold it; raises ValueError with what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a node, checked."""

    listen: tuple[str, ...] = ("/ip4/0.0.0.0/tcp/4311", "/ip6/::/tcp/4311")
    """Multiaddrs of TCP ports; port 0 is any free one. Empty: only dial."""
    announce: tuple[str, ...] = ()
    """Multiaddrs under which others reach this node, where they differ from `listen`: a name, a forwarded port."""
    peers: tuple[str, ...] = ()
    """Multiaddrs, each with `/p2p/` and a peer id, that are dialled again and again."""
    max_inbound: int = 128
    """Most connections that others dialled."""
    max_outbound: int = 8
    """Connections that the node itself keeps up, beside those to `peers`."""
    compare_every_s: float = 60.0
    """Seconds between two comparisons of a topic with some peer."""
    media: str = "none"
    """What is fetched of files where `follow` doesn't say: none, preview or full."""
    max_disk_bytes: int = 0
    """Most bytes of others' works that are kept; 0 for no bound."""
    keep_free_bytes: int = 1024**3
    """The node stops taking things up when the disk has less room than this."""
    metrics: str = ""
    """HOST:PORT of the page for Prometheus; empty for none."""
    log_format: str = "text"
    """text or json."""
    log_level: str = "info"
    """debug, info, warning or error."""
    tunnel: str = ""
    """Multiaddr of the RPC of your own Kubo, through which others may reach this node; empty for none."""


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError("a line of text")
    return value


def _choice(*allowed: str) -> Check:
    def check(value: Any) -> str:
        if value not in allowed:
            raise ValueError(" or ".join(allowed))
        return str(value)

    return check


def _number(low: int, high: int, *, whole: bool = True) -> Check:
    kinds = (int,) if whole else (int, float)

    def check(value: Any) -> Any:
        if type(value) not in kinds or not low <= value <= high:
            raise ValueError(f"a number from {low:,} to {high:,}")
        return value if whole else float(value)

    return check


def _multiaddr(value: Any, *, named: bool = False) -> str:
    parts = value.split("/") if isinstance(value, str) else []
    tail = ["tls", "p2p"] if named else []
    allowed = f"/ip4|ip6|dns|dns4|dns6/HOST/tcp/PORT{'/tls/p2p/PEER' if named else ''}"
    fits = (
        len(parts) == (8 if named else 5)
        and parts[0] == ""
        and parts[1] in ("ip4", "ip6", "dns", "dns4", "dns6")
        and parts[2]
        and parts[3] == "tcp"
        and parts[4].isascii()
        and parts[4].isdigit()
        and int(parts[4]) <= 65535
        and parts[5:7] == tail
    )
    if not fits:
        raise ValueError(allowed)
    return str(value)


def _several(check: Check, most: int) -> Check:
    def check_all(value: Any) -> tuple[Any, ...]:
        entries = value  # stays Any, of which both type checkers know how long it is
        if not isinstance(value, list) or len(entries) > most:
            raise ValueError(f"a list of up to {most}")
        return tuple(check(one) for one in entries)

    return check_all


def _host_port(value: Any) -> str:
    host, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    if value != "" and not (host and port.isascii() and port.isdigit() and int(port) <= 65535):
        raise ValueError('HOST:PORT, such as "127.0.0.1:9464"')
    return str(value)


FIELDS: Final[Mapping[str, tuple[Check, str]]] = {
    "listen": (_several(_multiaddr, 16), "Ports to listen on; port 0 is any free one."),
    "announce": (
        _several(_multiaddr, 16),
        "Addresses to tell others, where they differ: a name, a forwarded port.",
    ),
    "peers": (
        _several(lambda value: _multiaddr(value, named=True), 16),
        "Nodes to dial again and again, as /ip4/192.0.2.7/tcp/4311/tls/p2p/12D3KooW...",
    ),
    "max_inbound": (_number(0, 1024), "Most connections that others dialled."),
    "max_outbound": (_number(0, 16), "Connections to keep up, beside those to peers."),
    "compare_every_s": (
        _number(1, 86_400, whole=False),
        "Seconds between two comparisons of a topic.",
    ),
    "media": (
        _choice("none", "preview", "full"),
        "Files to fetch where follow doesn't say: none, preview or full.",
    ),
    "max_disk_bytes": (
        _number(0, 2**53 - 1),
        "Most bytes of others' works to keep; 0 for no bound.",
    ),
    "keep_free_bytes": (
        _number(0, 2**53 - 1),
        "Take nothing up while the disk has less room than this.",
    ),
    "metrics": (_host_port, 'Page for Prometheus, as "127.0.0.1:9464"; empty for none.'),
    "log_format": (_choice("text", "json"), "text or json."),
    "log_level": (_choice("debug", "info", "warning", "error"), "debug, info, warning or error."),
    "tunnel": (
        _text,
        "RPC of your own Kubo, as /ip4/127.0.0.1/tcp/5001, to be reached through it; empty for none.",
    ),
}
"""By name: what checks a value, and what it is for."""


def parse_settings(text: str, overrides: Mapping[str, str] | None = None) -> Settings:
    """Settings from TOML.

    Args:
        text: of `config.toml`.
        overrides: by name, values as in TOML; bare words are taken as text, and commas part the entries of lists. They win.

    Raises:
        UsageError: no TOML, a name that isn't known, or a value that isn't allowed; says which, and what is.
    """
    try:
        found: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"config.toml is no TOML: {error}") from error
    for name in found:
        if name not in FIELDS:
            raise UsageError(
                f"config.toml sets {name!r}, which a node doesn't know; it knows {', '.join(FIELDS)}"
            )
    values = {name: _checked(name, value, f"config.toml: {name}") for name, value in found.items()}
    for name, value in (overrides or {}).items():
        values[name] = _checked(name, _from_text(name, value), name)
    return Settings(**values)


def _checked(name: str, value: Any, where: str) -> Any:
    try:
        return FIELDS[name][0](value)
    except ValueError as error:
        raise UsageError(f"{where} is {value!r}; allowed is {error}") from error


def _from_text(name: str, value: str) -> Any:
    default = getattr(Settings(), name)
    if isinstance(default, tuple):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(default, str):
        return value
    try:
        return int(value) if isinstance(default, int) else float(value)
    except ValueError:
        return value  # which the check refuses, and names


def example(**chosen: Any) -> str:
    """A `config.toml` with every setting explained; those that aren't chosen are commented out, with their defaults."""
    lines = ["# The settings of this hitp2p node. After a change: hitp2p node reload."]
    for name, (_, what) in FIELDS.items():
        value = chosen.get(name, getattr(Settings(), name))
        mark = "" if name in chosen else "# "
        lines += ["", f"# {what}", f"{mark}{name} = {_toml(value)}"]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, int | float):
        return str(value)
    return "[" + ", ".join(map(_toml, value)) + "]"
