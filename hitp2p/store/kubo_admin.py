"""What people ask a daemon beside storing: how it is, whom it tells, and what it does with them.

Kubo tells the network of every block that it has, whatever a call says, unless its config turns that off; and what its
config says holds from the next start of the daemon only. So both are asked: what is written, and what goes on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import BackendError, UnlistedError
from hitp2p.store.kubo_address import KuboAddress
from hitp2p.store.kubo_calls import Kubo, as_map
from hitp2p.store.kubo_rpc import KuboRpc, NoCommandError, RefusedError, TimeUpError

__all__ = ["DaemonState", "KuboAdmin", "Providing", "connect_admin"]

_NOT_ONLINE: Final = "online mode"
"""In the error of every command that needs the network, where the daemon runs without one."""
_SILENCED_SINCE: Final = (0, 38)
"""The first version that knows `Provide.Enabled`; an older one may have such a key in its config, and announces."""
_ANNOUNCE_S: Final = 600.0
"""How long a call may take that announces, in seconds."""
_AT_ONCE: Final = 64
"""Blocks that are announced in one call: they stand in the address of the request, which has its bounds."""
_SILENT: Final = {
    _NOT_ONLINE: 'it runs without a network. Start it without --offline ("ipfs daemon")',
    "no connected peers": 'it is connected to nobody. "ipfs swarm peers" lists whom it knows; see its Bootstrap and '
    "Peering, or wait until it has found some",
    "Provide.Enabled": "its config forbids it. Where that is not meant to keep something unlisted, allow it with "
    '"ipfs config --json Provide.Enabled true" and restart the daemon',
}
"""What the daemon says when it won't announce, and what that means."""
_LOCAL: Final = ("/ip4/127.", "/ip6/::1/", "/unix/")
"""How addresses begin that lead to a daemon of this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Providing:
    """Whether a daemon tells the network what it has."""

    is_on: bool
    """As its config says."""
    strategy: str
    """Which blocks it tells of: `all`, `pinned`, `roots` and others."""
    is_running: bool | None
    """Whether it does so since its start, whatever its config says now; None where it can't be seen."""
    is_private: bool | None
    """Whether a swarm key shuts out all but those who have it; None where it can't be seen, as on another machine."""

    @property
    def is_silent(self) -> bool:
        """Whether no stranger can learn from the network what the daemon has."""
        return self.is_private is True or not (self.is_on or self.is_running)


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonState:
    """How a daemon is."""

    version: str
    """Of Kubo."""
    is_online: bool
    """Whether it talks to other daemons at all."""
    n_peers: int
    """Daemons that it is connected to."""
    repo_bytes: int
    """What its repository takes."""
    limit_bytes: int
    """What its repository may take, if it collects garbage (`Datastore.StorageMax`); 0 where it doesn't say."""
    watermark: int
    """Per cent of the limit above which it collects garbage, if it does so by itself."""
    providing: Providing
    """Whom it tells what it has."""


class KuboAdmin(Kubo):
    """One daemon, and what its owner may ask of it. Threads may share it."""

    def state(self) -> DaemonState:
        """How the daemon is.

        Raises:
            BackendError: it can't be reached, is no Kubo, or doesn't let us ask.
        """
        version = self.verify_version()
        n_peers = self._n_peers()
        config = self._one("config/show")
        repo = self._one("repo/stat")
        store = as_map(config.get("Datastore"))
        return DaemonState(
            version=version,
            is_online=n_peers is not None,
            n_peers=n_peers or 0,
            repo_bytes=_whole(repo.get("RepoSize")),
            limit_bytes=_whole(repo.get("StorageMax")),
            watermark=_whole(store.get("StorageGCWatermark")),
            providing=self._providing(version, config, repo, is_online=n_peers is not None),
        )

    def providing(self) -> Providing:
        """Whom the daemon tells what it has, as of now."""
        version = self.verify_version()
        config, repo = self._one("config/show"), self._one("repo/stat")
        return self._providing(version, config, repo, is_online=self._n_peers() is not None)

    def is_online(self) -> bool:
        """Whether the daemon talks to other daemons at all."""
        return self._n_peers() is not None

    def require_silent(self) -> None:
        """Before something of an unlisted project goes to the daemon, or is made easier to find there.

        Raises:
            UnlistedError: strangers could learn from the network that the daemon has it.
        """
        providing = self.providing()
        if providing.is_silent:
            return
        if providing.is_on:
            how = (
                'turn that off with "ipfs config --json Provide.Enabled false" (Kubo 0.38 or later) and restart the '
                "daemon, or give it a swarm key that only daemons of your own have (seen only where it runs on this machine)"
            )
        else:
            how = "its config has announcing off, but it has run since before: restart the daemon"
        raise UnlistedError(
            f"{self.address} tells the network which blocks it has, so nothing of an unlisted project was sent "
            f"there; {how}"
        )

    def fetch(self, cid: Cid, *, within_s: float) -> bytes | None:
        """A block, hashed, from whoever on the network has it; the daemon keeps it. None where it doesn't come in time.

        Raises:
            LostBlockError: the daemon gives other bytes.
            BackendError: it fails.
        """
        try:
            return self._block(cid, within_s=within_s)
        except TimeUpError:
            return None

    def announce(self, cids: Sequence[Cid], *, recursive: bool = False) -> Iterator[Cid]:
        """Tell the network now that the daemon has blocks; each as the daemon takes it on.

        Args:
            cids: blocks that the daemon has.
            recursive: these with all that they reach.

        Raises:
            BackendError: it is offline, knows nobody whom it could tell, or its config forbids it.
        """
        for start in range(0, len(cids), _AT_ONCE):
            yield from self._announce(cids[start : start + _AT_ONCE], recursive)

    def _announce(self, cids: Sequence[Cid], recursive: bool) -> Iterator[Cid]:
        options = {"recursive": "true" if recursive else "false"}
        names = [str(cid) for cid in cids]
        try:
            for line in self._lines("provide/once", *names, options=options, within_s=_ANNOUNCE_S):
                yield self._cid("provide/once", line.get("Queued"))
        except NoCommandError:  # Kubo before 0.42
            for _ in self._lines("routing/provide", *names, options=options, within_s=_ANNOUNCE_S):
                pass
            yield from cids
        except RefusedError as error:
            raise self._not_announced(error) from error

    def _not_announced(self, error: RefusedError) -> BackendError:
        for words, why in _SILENT.items():
            if words in error.reason:
                return BackendError(f"{self.address} announces nothing: {why}")
        return error

    def _providing(self, version: str, config: Any, repo: Any, *, is_online: bool) -> Providing:
        said = as_map(config.get("Provide"))
        strategy = said.get("Strategy")
        knows = tuple(map(int, version.split("-")[0].split(".")[:2])) >= _SILENCED_SINCE
        return Providing(
            is_on=not knows or said.get("Enabled") is not False,
            strategy=strategy if isinstance(strategy, str) and strategy else "all",
            is_running=False if not is_online else self._is_providing() if knows else None,
            is_private=self._is_private(config, repo),
        )

    def _n_peers(self) -> int | None:
        """Daemons that this one is connected to; None where it runs without a network."""
        try:
            peers = self._one("swarm/peers").get("Peers")
        except RefusedError as error:
            if _NOT_ONLINE in error.reason:
                return None
            raise
        return len(peers) if isinstance(peers, list) else 0  # pyright: ignore[reportUnknownArgumentType]

    def _is_providing(self) -> bool | None:
        """Whether the part of the daemon that announces runs; older ones have no command for that."""
        try:
            self._one("provide/stat")
        except RefusedError as error:
            return False if "NoopProvider" in error.reason else None
        return True

    def _is_private(self, config: Any, repo: Any) -> bool | None:
        """Whether the daemon has a swarm key in force. No command says so; on this machine the file can be seen."""
        path = repo.get("RepoPath")
        if not self.address.multiaddress.startswith(_LOCAL) or not isinstance(path, str):
            return None
        folder = Path(path)
        with suppress(OSError, ValueError):
            own = as_map(json.loads((folder / "config").read_text(encoding="utf-8")))
            peer = as_map(own.get("Identity")).get("PeerID")
            if peer is None or peer != as_map(config.get("Identity")).get("PeerID"):
                return None  # a folder of that name, but another daemon's
            key = folder / "swarm.key"
            if not key.exists():
                return False
            return key.stat().st_mtime <= (folder / "api").stat().st_mtime  # else not yet read
        return None


def connect_admin(
    address: KuboAddress, authorization: str | None = None, *, within_s: float = 60.0
) -> KuboAdmin:
    """A daemon at an address; nothing is asked yet.

    Raises:
        UsageError: the extra `ipfs` isn't installed.
    """
    return KuboAdmin(KuboRpc(address, authorization=authorization, within_s=within_s), address)


def _whole(value: object) -> int:
    return value if type(value) is int and value >= 0 else 0
