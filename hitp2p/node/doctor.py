"""Looking for what keeps a node from working: one finding after the other, each with what to do."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from hitp2p.errors import Hitp2pError
from hitp2p.node.control import ask, is_running
from hitp2p.node.key import KEY_FILE, parse_node_key
from hitp2p.node.policy_file import read_policy
from hitp2p.node.settings import Settings
from hitp2p.store.contract import Store
from hitp2p.store.keyfile import read_key_file

__all__ = ["Finding", "examine"]

_DESCRIPTORS_AN_OPEN_PEER: Final = 2
_OWN_DESCRIPTORS: Final = 64


class Finding(NamedTuple):
    """One thing that was looked at."""

    name: str
    is_good: bool
    text: str
    """What was found, and if it isn't good what to do."""


def examine(folder: Path, store: Store, load_settings: Callable[[], Settings]) -> Iterator[Finding]:
    """Look at a node, running or not; changes nothing, and asks nobody outside this machine.

    Args:
        folder: of the node.
        store: of the workspace.
        load_settings: reads the settings.
    """
    yield _try("settings", lambda: _say(load_settings(), "settings are in order"))
    yield _try("policy", lambda: f"{len(read_policy(folder).follows)} topics are followed")
    yield _try("key", lambda: _key(folder))
    yield _try("store", lambda: f"the store answers; its last object is number {store.last_seq()}")
    try:
        settings = load_settings()
    except Hitp2pError:
        settings = Settings()
    yield _room(folder, settings)
    yield _descriptors(settings)
    running = is_running(folder)
    yield Finding(
        "running", True, "a node runs here" if running else "no node runs here: hitp2p node run"
    )
    if running:
        yield _try("peers", lambda: _peers(folder))
    else:
        for address in settings.listen:
            yield _port(address)
    if not settings.listen and not settings.peers:
        yield Finding("reach", False, "it listens nowhere and has no peers: set listen or peers")


def _say(_: object, text: str) -> str:
    return text


def _try(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, look())
    except (Hitp2pError, OSError, sqlite3.Error) as error:
        return Finding(name, False, str(error))


def _key(folder: Path) -> str:
    path = folder / KEY_FILE
    return f"node {parse_node_key(read_key_file(path), path).peer_id}"


def _room(folder: Path, settings: Settings) -> Finding:
    free = shutil.disk_usage(folder).free
    is_good = free >= settings.keep_free_bytes
    text = f"{free / 2**30:.1f} GiB are free on the disk"
    return Finding(
        "disk",
        is_good,
        text if is_good else f"{text}; below keep_free_bytes the node takes nothing up: free some",
    )


def _descriptors(settings: Settings) -> Finding:
    try:
        import resource
    except ImportError:
        return Finding("descriptors", True, "this system has no bound that could be asked for")
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    n_links = settings.max_inbound + settings.max_outbound + len(settings.peers)
    needed = _OWN_DESCRIPTORS + _DESCRIPTORS_AN_OPEN_PEER * n_links
    is_good = allowed == resource.RLIM_INFINITY or allowed >= needed
    text = f"{allowed:,} files may be open, {needed:,} are enough"
    return Finding("descriptors", is_good, text if is_good else f"{text}: ulimit -n {needed}")


def _peers(folder: Path) -> str:
    n_peers = ask(folder, "status")["n_peers"]
    return f"{n_peers} peers are connected"


def _port(address: str) -> Finding:
    _, kind, host, _, port = address.split("/")
    family = socket.AF_INET6 if kind in ("ip6", "dns6") else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            if os.name == "posix":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, int(port)))
    except OSError as error:
        text = f"{address} can't be listened on ({error.strerror or error}); choose another port"
        return Finding("port", False, text)
    return Finding("port", True, f"{address} is free")
