"""Address records of made-up nodes: of the right shape, and not signed, as the address book takes verified ones."""

from __future__ import annotations

from hashlib import sha256

from hitp2p.protocol.actions import Moment
from hitp2p.protocol.packing import pack
from hitp2p.protocol.records import AddressRecord, encode_address, parse_record

__all__ = ["WALL", "at", "key_of", "record"]

WALL = 1_795_000_000_000
"""When the tests take place, in milliseconds since 1970."""


def at(seconds: float) -> Moment:
    """So many seconds after the start, by both clocks."""
    return Moment(seconds, WALL + round(seconds * 1000))


def key_of(name: object) -> bytes:
    """A node key for a name."""
    return sha256(f"node {name}".encode()).digest()


def record(name: object, *hosts: str, made: float = 0, port: int = 4001) -> AddressRecord:
    """What a node says of itself, `made` seconds after the start."""
    key = key_of(name)
    texts = [encode_address(key, host, port) for host in hosts]
    return parse_record(pack([key, WALL + round(made * 1000), texts, bytes(64)]))
