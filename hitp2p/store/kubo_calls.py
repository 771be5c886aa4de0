"""What we ask of a Kubo daemon, with every answer checked: it may be wrong, damaged or hostile.

An answer is never taken for more than it says. Blocks are hashed again, counts are compared with what was sent, an error
that comes with status 200 is found, and what a daemon could leave out unseen, the caller walks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple, cast

from hitp2p.codec.car import CarReader
from hitp2p.codec.cid import RAW, Cid
from hitp2p.errors import BackendError, DecodeError, LostBlockError
from hitp2p.limits import BLOCK_BYTES
from hitp2p.ports import Closing
from hitp2p.store.holds import HoldStream
from hitp2p.store.intact import is_intact
from hitp2p.store.kubo_address import KuboAddress
from hitp2p.store.kubo_rpc import KuboRpc, RefusedError

__all__ = ["Kubo", "KuboPin", "as_map", "verify_daemon"]

OLDEST_KUBO: Final = (0, 30)
"""The first version whose pins have names in all commands and whose unix socket works."""
_LINE_BYTES: Final = 4 * 1024 * 1024
"""Longest line of an answer, in bytes: one answer names all pins of a call."""
_ANSWER_BYTES: Final = 16 * 1024 * 1024
"""Longest answer that is held at once, in bytes."""
_LIST_S: Final = 600.0
"""How long a list of everything may take, in seconds."""
_SLOW: Final = 1024 * 1024
"""Bytes a second that a daemon must take at least, once its usual time is over."""
_PINS: Final = 64
"""Pins in one call: they stand in the address of the request, which has its bounds."""


class KuboPin(NamedTuple):
    """A recursive pin."""

    cid: Cid
    name: str


class Kubo(Closing):
    """One daemon. Threads may share it."""

    def __init__(self, rpc: KuboRpc, address: KuboAddress) -> None:
        self.address = address
        self._rpc = rpc

    def close(self) -> None:
        self._rpc.close()

    @property
    def rpc(self) -> KuboRpc:
        """What sends its requests."""
        return self._rpc

    def verify_version(self) -> str:
        """The daemon's version.

        Raises:
            BackendError: it is no Kubo, or one that is too old.
        """
        answer = self._one("version")
        version = answer.get("Version")
        if type(version) is not str or "ipfs-core" in answer:
            raise self._wrong("version", "it is no Kubo")
        try:
            numbers = tuple(int(part) for part in version.split("-")[0].split(".")[:2])
        except ValueError:
            raise self._wrong("version", f"{version[:40]!r} is no version of Kubo") from None
        if numbers < OLDEST_KUBO:
            raise BackendError(
                f"{self.address} is Kubo {version}; {OLDEST_KUBO[0]}.{OLDEST_KUBO[1]} or later is needed: "
                "update the daemon"
            )
        return version

    # --- blocks -----------------------------------------------------------------------------------

    def get(self, cid: Cid, /) -> bytes | None:
        """A block that the daemon holds, hashed; None where it doesn't. It never asks the network.

        Raises:
            LostBlockError: it gives other bytes.
        """
        return self._block(cid, options={"offline": "true"}, in_bulk=cid.codec == RAW)

    def _block(
        self,
        cid: Cid,
        *,
        options: Mapping[str, str] | None = None,
        within_s: float | None = None,
        in_bulk: bool = False,
    ) -> bytes | None:
        try:
            pieces = self._rpc.stream(
                "block/get", str(cid), options=options, within_s=within_s, in_bulk=in_bulk
            )
            data = self._joined("block/get", pieces, BLOCK_BYTES)
        except RefusedError as error:
            if "could not find" in error.reason or "not found" in error.reason:
                return None
            raise
        if not is_intact(data, cid):
            raise LostBlockError(
                f"{self.address} gives other bytes for {cid}: its disk is damaged, or it can't be trusted. "
                '"ipfs repo verify" finds damage; import the block again, or take it from a backup',
                cid,
            )
        return data

    def import_car(self, car: bytes, *, root: Cid | None, n_blocks: int) -> None:
        """Store the blocks of a CAR and, in the same step, pin its root with all below it.

        No garbage collection of the daemon comes between storing and pinning.

        Args:
            car: the file.
            root: what to pin, the first root of the CAR; None pins nothing.
            n_blocks: how many blocks it has.

        Raises:
            BackendError: the daemon doesn't say that all was stored and pinned. Some of it may be.
        """
        roots = [] if root is None else [root]
        self._require_imported(self._import([(car,)], pins=bool(roots)), roots, n_blocks)

    def import_stream(self, stream: HoldStream, n_bytes: int) -> None:
        """Store blocks while they come and, in the same step, pin the hold behind them; see `import_car`.

        What can be had only once is sent only once: so the daemon is asked something short first, over a connection that
        is then known to be alive.

        Args:
            stream: the blocks.
            n_bytes: about how long they are together; they get time in proportion.
        """
        self.verify_version()
        within_s = self._rpc.within_s + n_bytes / _SLOW
        said = self._import(stream.cars(), pins=True, within_s=within_s)
        self._require_imported(said, stream.roots, len(stream.held) + 1)

    def _import(
        self,
        cars: Sequence[Iterable[bytes | memoryview]],
        *,
        pins: bool,
        within_s: float | None = None,
    ) -> tuple[list[Cid], object]:
        """What the daemon says that it pinned, and how many blocks it stored."""
        options = {
            "pin-roots": "true" if pins else "false",
            "stats": "true",
            "allow-big-block": "false",
            "fast-provide-root": "false",
        }
        pinned: list[Cid] = []
        n_stored: object = None
        for line in self._lines("dag/import", options=options, body=cars, within_s=within_s):
            if "Root" in line:
                pinned.append(self._pinned_root(line["Root"]))
            elif "Stats" in line:
                n_stored = _field(line["Stats"], "BlockCount")
            else:
                raise self._wrong("dag/import", f"a line with {sorted(line)}")
        return pinned, n_stored

    def _require_imported(
        self, said: tuple[list[Cid], object], roots: Sequence[Cid], n_blocks: int
    ) -> None:
        pinned, n_stored = said
        if n_stored != n_blocks:
            raise self._wrong(
                "dag/import", f"{n_stored} blocks stored of {n_blocks} that were sent"
            )
        if pinned != list(roots):
            raise self._wrong(
                "dag/import", f"{len(pinned)} roots pinned, or others than the one sent"
            )

    def _pinned_root(self, root: object) -> Cid:
        problem = _field(root, "PinErrorMsg")
        if problem not in (None, ""):
            raise BackendError(
                f"{self.address} stored blocks but did not pin them ({problem}); they are not acknowledged. "
                "Try again"
            )
        return self._cid("dag/import", _field(_field(root, "Cid"), "/"))

    def export(self, root: Cid) -> Iterator[tuple[Cid, bytes]]:
        """The blocks that a root reaches, hashed. An answer that was cut short may look whole, so callers count.

        Only for what is flat: over a long chain of links the daemon needs memory without end.
        """
        options = {"progress": "false", "offline": "true"}
        pieces = self._rpc.stream("dag/export", str(root), options=options, within_s=_LIST_S)
        try:
            for block in CarReader(pieces):
                if block.checked:
                    yield block.cid, block.data
        except DecodeError as error:
            raise self._wrong("dag/export", str(error)) from error

    def iter_local(self) -> Iterator[Cid]:
        """Every block in the daemon's repository, under some codec."""
        for line in self._lines("refs/local", within_s=_LIST_S):
            yield self._cid("refs/local", line.get("Ref"))

    # --- pins -------------------------------------------------------------------------------------

    def name_pin(self, cid: Cid, name: str) -> None:
        """Give a recursive pin a name; where there is no such pin, make it."""
        answer = self._one("pin/add", str(cid), options={"recursive": "true", "name": name})
        self._require_pins("pin/add", answer, [cid])

    def pin_name(self, cid: Cid) -> str | None:
        """The name of the recursive pin of a block, which may be empty; None where there is no such pin."""
        options = {"type": "recursive", "names": "true"}
        try:
            answer = self._one("pin/ls", str(cid), options=options)
        except RefusedError as error:
            if "not pinned" in error.reason:
                return None
            raise
        keys = answer.get("Keys")
        for text, pin in as_map(keys).items():
            if self._cid("pin/ls", text) == cid and _field(pin, "Type") == "recursive":
                return str(_field(pin, "Name") or "")
        raise self._wrong("pin/ls", f"nothing on {cid}")

    def iter_pins(self, start: str) -> Iterator[KuboPin]:
        """The recursive pins whose names begin with `start`."""
        options = {"type": "recursive", "names": "true", "stream": "true", "name": start}
        for line in self._lines("pin/ls", options=options, within_s=_LIST_S):
            name = line.get("Name")
            if isinstance(name, str) and name.startswith(start):
                yield KuboPin(self._cid("pin/ls", line.get("Cid")), name)

    def pins_named(self, name: str) -> list[Cid]:
        """The recursive pins of exactly this name."""
        return [pin.cid for pin in self.iter_pins(name) if pin.name == name]

    def update_pin(self, old: Cid, new: Cid) -> None:
        """Move a recursive pin with its name; what both reach isn't walked again.

        Raises:
            BackendError: `new` isn't here whole; `old` is still pinned.
        """
        answer = self._one("pin/update", str(old), str(new), options={"unpin": "true"})
        self._require_pins("pin/update", answer, [old, new])

    def remove_pins(self, cids: Iterable[Cid]) -> None:
        """Let go of recursive pins; those that aren't there are ignored."""
        waiting = list(cids)
        for start in range(0, len(waiting), _PINS):
            part = waiting[start : start + _PINS]
            try:
                self._remove_pins(part)
            except RefusedError:  # one of them isn't pinned, and the daemon stopped there
                for cid in part:
                    self._remove_pin(cid)

    def _remove_pins(self, cids: Sequence[Cid]) -> None:
        answer = self._one("pin/rm", *map(str, cids), options={"recursive": "true"})
        self._require_pins("pin/rm", answer, cids)

    def _remove_pin(self, cid: Cid) -> None:
        try:
            self._remove_pins([cid])
        except RefusedError as error:
            if "not pinned" not in error.reason:
                raise

    def _require_pins(self, command: str, answer: Mapping[str, Any], cids: Sequence[Cid]) -> None:
        pins = answer.get("Pins")
        found = {self._cid(command, text) for text in _entries(pins)}
        if not found.issuperset(cids):
            raise self._wrong(command, f"{len(found)} pins of {len(cids)}")

    # --- answers ----------------------------------------------------------------------------------

    def _one(
        self, command: str, *arguments: str, options: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        """An answer of one JSON map, however it is laid out."""
        pieces = self._rpc.stream(command, *arguments, options=options)
        return self._map_in(command, self._joined(command, pieces, _ANSWER_BYTES))

    def _lines(
        self,
        command: str,
        *arguments: str,
        options: Mapping[str, str] | None = None,
        body: Sequence[Iterable[bytes | memoryview]] | None = None,
        within_s: float | None = None,
        idle_s: float | None = None,
    ) -> Iterator[Mapping[str, Any]]:
        """An answer of one JSON map a line."""
        rest = b""
        for piece in self._rpc.stream(
            command, *arguments, options=options, body=body, within_s=within_s, idle_s=idle_s
        ):
            *lines, rest = (rest + piece).split(b"\n")
            yield from (self._map_in(command, line) for line in lines if line.strip())
            if len(rest) > _LINE_BYTES:
                raise self._wrong(command, f"a line of more than {_LINE_BYTES} bytes")
        if rest.strip():
            yield self._map_in(command, rest)

    def _map_in(self, command: str, data: bytes) -> Mapping[str, Any]:
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            raise self._wrong(command, "no JSON, or a part of it") from None
        if not isinstance(value, dict):
            raise self._wrong(command, "JSON that is no map")
        found = as_map(cast("object", value))
        if found.get("Type") == "error":
            raise RefusedError(
                f"{self.address} refuses {command}: {found.get('Message')}",
                str(found.get("Message")),
            )
        return found

    def _joined(self, command: str, pieces: Iterator[bytes], limit: int) -> bytes:
        found: list[bytes] = []
        n_bytes = 0
        for piece in pieces:
            found.append(piece)
            n_bytes += len(piece)
            if n_bytes > limit:
                raise self._wrong(command, f"more than {limit} bytes")
        return b"".join(found)

    def _cid(self, command: str, text: object) -> Cid:
        with suppress(DecodeError):
            if isinstance(text, str):
                return Cid.parse(text)
        raise self._wrong(command, "a name that is no CID")

    def _wrong(self, command: str, what: str) -> BackendError:
        return BackendError(
            f"{self.address} answered {command} wrongly ({what}); nothing is taken for done. See that a Kubo "
            "listens there, then try again"
        )


def verify_daemon(address: KuboAddress, authorization: str | None = None) -> str:
    """The version of a daemon that a store can be made on.

    Raises:
        BackendError: it can't be reached, or won't do.
    """
    with Kubo(KuboRpc(address, authorization=authorization), address) as kubo:
        return kubo.verify_version()


def as_map(value: object) -> dict[str, Any]:
    """What should be a map; an empty one where it isn't."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _entries(value: object) -> list[object]:
    """What should be a list; an empty one where it isn't."""
    return cast("list[object]", value) if isinstance(value, list) else []


def _field(value: object, name: str) -> object:
    """A field of what should be a map; None where it is none."""
    return as_map(value).get(name)
