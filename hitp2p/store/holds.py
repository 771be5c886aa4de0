"""Holds: how a workspace keeps its blocks on a daemon that collects garbage.

A hold is a dag-cbor block that lists what one write brought. It is pinned recursively, and it links to everything under
the codec `raw`: the daemon keeps blocks by their hash, whatever the codec, and follows no links in raw ones. So a hold
keeps an object whose media or parents aren't here, which a recursive pin on the object can't do, and thousands of blocks
cost one pin, where a direct pin each costs a second a thousand. No walk is ever deeper than one step, and no pin can be
poisoned by a block that can't be decoded. What a workspace holds is the sum of its holds: the index can be made from them.

Holds are local: no other program needs to read them, and they are no part of a project.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final, NamedTuple

from hitp2p.codec.car import CarWriter
from hitp2p.codec.cid import DAG_CBOR, DAG_PB, RAW, Cid
from hitp2p.codec.dagcbor import decode, encode
from hitp2p.codec.varint import encode_varint
from hitp2p.errors import BackendError, InvalidError

__all__ = [
    "HOLD_BLOCKS",
    "Held",
    "Hold",
    "HoldCar",
    "HoldStream",
    "alias_of",
    "encode_hold",
    "pack",
    "pack_again",
    "pack_loose",
    "parse_hold",
]

HOLD_BLOCKS: Final = 4096
"""Most blocks of a hold; its own block has then some 170 KiB."""
_CAR_BYTES: Final = 8 * 1024 * 1024
"""About how many bytes of blocks go to the daemon at once."""
_VERSION: Final = 1
_LISTS: Final = {"pages": DAG_CBOR, "nodes": DAG_PB, "leaves": RAW}
"""Lists of blocks that are no objects, with their codec."""


class Held(NamedTuple):
    """A block that a hold keeps."""

    cid: Cid
    is_object: bool
    """Whether it was stored as a signed object that had been checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What a hold says."""

    workspace: bytes
    """The workspace that made it."""
    held: tuple[Held, ...]
    """What it keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldCar:
    """A CAR to be imported, with its root pinned."""

    root: Cid
    """The hold."""
    held: tuple[Held, ...]
    """What the hold keeps."""
    car: bytes
    """The CAR file."""
    n_blocks: int
    """Blocks in it, the hold among them."""


def alias_of(cid: Cid) -> Cid:
    """The same bytes as a block without links."""
    raw = bytes(cid)
    if raw[0] == 1:
        raw = raw[1 + len(encode_varint(cid.codec)) :]
    return Cid.from_bytes(bytes((1, RAW)) + raw)


def encode_hold(workspace: bytes, nonce: bytes, held: Iterable[Held]) -> tuple[Cid, bytes]:
    """A hold and its name.

    Args:
        workspace: 16 bytes.
        nonce: 16 bytes that never were used before, so that no two holds have one name and one pin.
        held: what it keeps, at most HOLD_BLOCKS.
    """
    lists: dict[str, list[Any]] = {name: [] for name in ("objects", *_LISTS, "others")}
    names = {codec: name for name, codec in _LISTS.items()}
    for cid, is_object in held:
        name = names.get(cid.codec, "others") if bytes(cid)[0] == 1 else "others"
        alias = alias_of(cid)
        if is_object:
            lists["objects"].append(alias)
        else:
            lists[name].append([alias, bytes(cid)] if name == "others" else alias)
    block = encode({"hold": _VERSION, "workspace": workspace, "nonce": nonce, **lists})
    return Cid.of(DAG_CBOR, block), block


def parse_hold(block: bytes) -> Hold:
    """What a hold says; its hash is checked.

    Raises:
        BackendError: the block is no hold.
    """
    try:
        return _read_hold(decode(block))
    except (InvalidError, KeyError, TypeError, ValueError) as error:
        raise BackendError(
            f"a block on the daemon that is pinned as a hold of hitp2p is none ({error}); somebody else used our "
            'name: "ipfs pin ls --names" shows the pin'
        ) from error


def _read_hold(value: Any) -> Hold:
    if value["hold"] != _VERSION:
        raise ValueError(f"a hold of version {value['hold']}; this program knows {_VERSION}")
    held = [Held(_renamed(link, DAG_CBOR), True) for link in value["objects"]]
    for name, codec in _LISTS.items():
        held.extend(Held(_renamed(link, codec), False) for link in value[name])
    held.extend(Held(Cid.from_bytes(raw), False) for _, raw in value["others"])
    return Hold(workspace=bytes(value["workspace"]), held=tuple(held))


def _renamed(alias: Cid, codec: int) -> Cid:
    """The name under another codec."""
    return Cid.from_bytes(b"\x01" + encode_varint(codec) + bytes(alias)[2:])


def pack(
    blocks: Iterable[tuple[Held, bytes]], workspace: bytes, nonces: Iterator[bytes]
) -> Iterator[HoldCar]:
    """Blocks in CARs of a size that a daemon can bear, each with the hold that keeps them.

    Args:
        blocks: taken one after the other, as the CARs are made; so they may be many.
        workspace: see `encode_hold`.
        nonces: a new one for each hold.
    """
    for part in _parts(blocks):
        held = tuple(each for each, _ in part)
        root, block = encode_hold(workspace, next(nonces), held)
        sections = [*((alias_of(cid), data) for (cid, _), data in part), (root, block)]
        yield HoldCar(root=root, held=held, car=_car(root, sections), n_blocks=len(sections))


def pack_again(
    held: Sequence[Held], workspace: bytes, nonces: Iterator[bytes]
) -> Iterator[HoldCar]:
    """New holds for blocks that the daemon has already; see `pack`."""
    for start in range(0, len(held), HOLD_BLOCKS):
        part = tuple(held[start : start + HOLD_BLOCKS])
        root, block = encode_hold(workspace, next(nonces), part)
        yield HoldCar(root=root, held=part, car=_car(root, [(root, block)]), n_blocks=1)


def pack_loose(blocks: Iterable[tuple[Held, bytes]]) -> Iterator[tuple[bytes, int]]:
    """Blocks in CARs without a hold, and how many are in each."""
    for part in _parts(blocks):
        sections = [(alias_of(cid), data) for (cid, _), data in part]
        yield _car(sections[0][0], sections), len(sections)


def _parts(blocks: Iterable[tuple[Held, bytes]]) -> Iterator[list[tuple[Held, bytes]]]:
    waiting: list[tuple[Held, bytes]] = []
    n_bytes = 0
    for held, data in blocks:
        waiting.append((held, data))
        n_bytes += len(data)
        if len(waiting) == HOLD_BLOCKS or n_bytes >= _CAR_BYTES:
            yield waiting
            waiting, n_bytes = [], 0
    if waiting:
        yield waiting


def _car(root: Cid, sections: Iterable[tuple[Cid, bytes]]) -> bytes:
    file = BytesIO()
    writer = CarWriter(file, [root])
    for cid, data in sections:
        writer.write(cid, data)
    return file.getvalue()


class HoldStream:
    """Blocks on their way to a daemon, in a CAR that nobody has to hold, and behind it the hold that keeps them.

    Which blocks a hold keeps is known when all have gone by, and a CAR names its root first. So the hold follows in a CAR
    of its own: a daemon that gets both in one request stores the first and pins the root of the second, in one step.
    """

    def __init__(
        self,
        blocks: Iterable[tuple[Held, bytes | memoryview]],
        workspace: bytes,
        nonce: bytes,
        on_root: Callable[[Cid], None],
    ) -> None:
        """Nothing is taken yet.

        Args:
            blocks: at most HOLD_BLOCKS; each is used up before the next is taken.
            workspace: see `encode_hold`.
            nonce: likewise.
            on_root: told the name of the hold before it goes out.
        """
        self._blocks = blocks
        self._workspace = workspace
        self._nonce = nonce
        self._on_root = on_root
        self.held: list[Held] = []
        """What has gone by."""
        self.roots: list[Cid] = []
        """The hold, once it is known."""

    def cars(self) -> tuple[Iterator[bytes | memoryview], Iterator[bytes | memoryview]]:
        """Both CARs in pieces, to be taken once and in this order."""
        return self._blocks_car(), self._hold_car()

    def _blocks_car(self) -> Iterator[bytes | memoryview]:
        yield _section(encode({"roots": [], "version": 1}))
        for held, data in self._blocks:
            self.held.append(held)
            name = bytes(alias_of(held.cid))
            yield encode_varint(len(name) + len(data)) + name
            yield data

    def _hold_car(self) -> Iterator[bytes | memoryview]:
        root, block = encode_hold(self._workspace, self._nonce, self.held)
        self.roots.append(root)
        self._on_root(root)
        yield _section(encode({"roots": [root], "version": 1}))
        yield _section(bytes(root) + block)


def _section(data: bytes) -> bytes:
    return encode_varint(len(data)) + data
