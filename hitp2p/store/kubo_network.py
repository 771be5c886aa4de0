"""Blocks that others have, fetched through a Kubo daemon that is on the network. Each is hashed again.

Where Kubo walks a chain, it asks for one block after the other, a round trip each. Where the names of many blocks are
known, a list of them goes to the daemon first, and `refs` on it asks for all at once: 10,000 blocks took 3 s where a walk
takes 200. Lists are short, as the daemon's time for one grows with the square of its length. They name everything under
the codec `raw`, so that the daemon follows no link in what it fetches and decodes none of it (spec/decisions/0017).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from io import BytesIO
from typing import Final

from hitp2p.codec.car import CarWriter
from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.codec.dagcbor import encode
from hitp2p.errors import MissingBlocksError, UsageError
from hitp2p.store.holds import alias_of
from hitp2p.store.kubo_address import KuboAddress
from hitp2p.store.kubo_admin import KuboAdmin
from hitp2p.store.kubo_rpc import KuboRpc, RefusedError, TimeUpError

__all__ = ["AT_ONCE", "WITHIN_S", "KuboNetwork", "connect_network"]

WITHIN_S: Final = 30.0
"""How long to wait for a block while none comes, in seconds."""
AT_ONCE: Final = 256
"""Blocks that are asked for together. With 128 it took 1.7 times as long, with 4,096 60 times."""
_FIRST_WAIT_S: Final = 3.0
"""How long to wait before a block is asked for again, in seconds; then twice as long, and so on."""
_LEAST_S: Final = 1.0
"""How long to wait for a block at least, however many did not come before, in seconds."""
_PART_S: Final = 600.0
"""How long blocks that are asked for together may take while some come, in seconds."""
_ONE_BY_ONE: Final = 2
"""So few aren't worth a list."""


class KuboNetwork(KuboAdmin):
    """One daemon, and through it what others have. Threads may share it."""

    def __init__(
        self,
        rpc: KuboRpc,
        address: KuboAddress,
        *,
        within_s: float = WITHIN_S,
        is_lent: bool = False,
    ) -> None:
        """Nothing is asked yet.

        Args:
            rpc: what sends the requests.
            address: of the daemon.
            within_s: how long to wait for a block while none comes, in seconds.
            is_lent: whether `rpc` belongs to somebody else, and isn't closed here.
        """
        super().__init__(rpc, address)
        self._within_s = within_s
        self._patience_s = within_s
        self._is_lent = is_lent

    def close(self) -> None:
        if not self._is_lent:
            super().close()

    def connect(self, peer: str) -> None:
        """Connect the daemon to another one.

        Args:
            peer: its address with its name, such as `/ip4/192.0.2.7/tcp/4001/p2p/12D3Koo...`.

        Raises:
            UsageError: that is no such address.
            BackendError: the daemon can't connect.
        """
        if not peer.startswith("/") or "/p2p/" not in peer:
            raise UsageError(
                f'{peer!a} is no address of a peer; one looks like /ip4/192.0.2.7/tcp/4001/p2p/12D3Koo... ("ipfs id" '
                "there shows it)"
            )
        self._one("swarm/connect", peer)

    def get(self, cid: Cid, /) -> bytes | None:
        """A block, hashed, from whoever gives it first; None where it doesn't come in time.

        Raises:
            LostBlockError: the daemon gives other bytes.
            BackendError: it can't be reached, or fails.
        """
        return next((data for _, data in self.fetch_all([cid])), None)

    def fetch_all(
        self,
        cids: Iterable[Cid],
        *,
        at_once: int = AT_ONCE,
        moved: Callable[[int], None] | None = None,
    ) -> Iterator[tuple[Cid, bytes]]:
        """Blocks, hashed, in no order; those that don't come in time are left out.

        Args:
            cids: their names.
            at_once: how many are asked for together, and wait on the daemon to be read.
            moved: told of how many more are on the daemon; a negative number takes back what was told too early.

        Raises:
            BackendError: the daemon can't be reached, fails or gives other bytes.
        """
        waiting = list(dict.fromkeys(cids))
        for start in range(0, len(waiting), at_once):
            yield from self._fetch_part(waiting[start : start + at_once], moved or _ignore)

    def _fetch_part(
        self, part: Sequence[Cid], moved: Callable[[int], None]
    ) -> Iterator[tuple[Cid, bytes]]:
        """As long as something comes, ask again for the rest."""
        names: dict[Cid, list[Cid]] = {}
        for cid in part:
            names.setdefault(alias_of(cid), []).append(cid)
        waits = self._waits()
        while names and (wait_s := next(waits, None)) is not None:
            n_before, n_told = len(names), 0
            for _ in self._draw(list(names), wait_s):
                n_told += 1
                moved(1)
            for alias, data in self._collect(list(names), wait_s):
                self._patience_s = self._within_s
                for cid in names.pop(alias, ()):
                    yield cid, data
            moved(n_before - len(names) - n_told)
            if len(names) < n_before:
                waits = self._waits()
        if names:
            self._patience_s = max(self._patience_s / 2, min(_LEAST_S, self._within_s))

    def _waits(self) -> Iterator[float]:
        """How long to wait each time while nothing comes.

        Now and then a daemon does not answer the first request for a block, and answers the next one at once. After
        blocks that didn't come, others are waited for half as long, until one comes: a thousand may be missing.
        """
        wait_s, left_s = _FIRST_WAIT_S, self._patience_s
        while left_s > 0:
            yield min(wait_s, left_s)
            left_s -= wait_s
            wait_s *= 2

    def _draw(self, aliases: Sequence[Cid], wait_s: float) -> Iterator[None]:
        """Let the daemon fetch blocks; a step for each that it says has come."""
        if len(aliases) <= _ONE_BY_ONE:
            return  # they are drawn when they are asked for
        options = {"recursive": "true", "max-depth": "1", "unique": "true"}
        root = self._send_list(aliases)
        with suppress(TimeUpError, RefusedError):  # what came till then counts
            lines = self._lines("refs", str(root), options=options, within_s=_PART_S, idle_s=wait_s)
            for n_lines, _ in enumerate(lines, start=1):
                if n_lines > len(aliases):
                    raise self._wrong("refs", f"more lines than the {len(aliases)} of a list")
                yield

    def _collect(self, aliases: Sequence[Cid], wait_s: float) -> Iterator[tuple[Cid, bytes]]:
        """Those of the blocks that the daemon has now; a few are waited for."""
        missing = set(aliases)
        get: Callable[[Cid], bytes | None] = partial(self.fetch, within_s=wait_s)
        if len(aliases) > _ONE_BY_ONE:
            get = super().get
            with suppress(RefusedError):  # it stops at the first that isn't there
                for alias, data in self.export(self._send_list(aliases)):
                    if alias in missing:
                        missing.discard(alias)
                        yield alias, data
        for alias in missing:
            block = get(alias)
            if block is not None:
                yield alias, block

    def _send_list(self, aliases: Sequence[Cid]) -> Cid:
        block = encode(list(aliases))
        root = Cid.of(DAG_CBOR, block)
        file = BytesIO()
        CarWriter(file, [root]).write(root, block)
        self.import_car(file.getvalue(), root=None, n_blocks=1)
        return root

    def not_found(self, cids: Sequence[Cid]) -> MissingBlocksError:
        """The error that blocks didn't come, with what to do about it."""
        first = f"{cids[0]} and {len(cids) - 1} more" if len(cids) > 1 else str(cids[0])
        n_peers = self._n_peers()
        if n_peers is None:
            error = MissingBlocksError(
                f"{self.address} hasn't got {first}, and is not on the network", cids
            )
            error.add_note('Start the daemon without --offline ("ipfs daemon"), then try again.')
            return error
        peers = f"{n_peers} other daemon{'' if n_peers == 1 else 's'}" if n_peers else "nobody"
        error = MissingBlocksError(
            f"{first}: did not come in {self._within_s:g} s; {self.address} is connected to {peers}",
            cids,
        )
        error.add_note(
            "See that a daemon which has it is online and name it with --provider MULTIADDR "
            '("ipfs id" there shows its address), or wait longer with --within SECONDS.'
        )
        return error


def connect_network(
    address: KuboAddress, authorization: str | None = None, *, within_s: float = WITHIN_S
) -> KuboNetwork:
    """A daemon at an address, and the network behind it; nothing is asked yet.

    Args:
        address: of the daemon's RPC port.
        authorization: value of the header of that name.
        within_s: how long to wait for a block while none comes, in seconds.

    Raises:
        UsageError: the extra `ipfs` isn't installed.
    """
    rpc = KuboRpc(address, authorization=authorization)
    return KuboNetwork(rpc, address, within_s=within_s)


def _ignore(_: int) -> None:
    """Nobody wants to know."""
