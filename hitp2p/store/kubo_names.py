"""IPNS through a Kubo daemon: records as bytes, taken and given. Whether one is good, the caller checks.

`routing/get` hands out the record itself, past the daemon's cache of names, so nothing rests on the daemon's word.
`routing/put` says nothing of a record that the daemon doesn't take, so who puts one asks for it again.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Final

from hitp2p.errors import BackendError
from hitp2p.store.kubo_admin import KuboAdmin
from hitp2p.store.kubo_rpc import RefusedError, TimeUpError

__all__ = ["KuboNames"]

_VALUE: Final = 5
"""`Type` of the line with a record: what else comes tells how the search goes."""
_NOT_ONLINE: Final = "online mode"
_NOT_FOUND: Final = "not found"


class KuboNames(KuboAdmin):
    """One daemon, and the records of names that it and others have. Threads may share it."""

    def record(self, name: str, *, within_s: float | None = None) -> bytes | None:
        """The record of a name that counts, as far as the daemon finds out; None where none comes in time.

        Args:
            name: as text, checked.
            within_s: how long the daemon may look, in seconds.

        Raises:
            BackendError: the daemon runs without a network, can't be reached, or fails.
        """
        found: bytes | None = None
        try:
            for line in self._lines("routing/get", f"/ipns/{name}", within_s=within_s):
                if line.get("Type") == _VALUE:
                    found = self._bytes(line.get("Extra"))
        except TimeUpError:
            return found
        except RefusedError as error:
            if _NOT_FOUND in error.reason:
                return None
            if _NOT_ONLINE in error.reason:
                raise self._offline() from error
            raise
        return found

    def put_record(self, name: str, record: bytes) -> None:
        """Give a record to the network, and to the daemon, which goes on answering with it.

        Raises:
            BackendError: the daemon runs without a network, can't be reached, or fails.
        """
        if not self.is_online():
            raise self._offline()
        options = {"allow-offline": "true"}  # connected to nobody is no fault: some may come
        for _ in self._lines(
            "routing/put", f"/ipns/{name}", options=options, body=[(record,)], within_s=120.0
        ):
            pass

    def _bytes(self, text: object) -> bytes:
        try:
            return b64decode(text, validate=True) if isinstance(text, str) else b""
        except ValueError:
            raise self._wrong("routing/get", "a record that is no base64") from None

    def _offline(self) -> BackendError:
        return BackendError(
            f"{self.address} runs without a network, so it knows no IPNS names: start it without --offline "
            '("ipfs daemon")'
        )
