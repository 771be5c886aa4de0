"""Whether bytes are still the block that their CID names."""

from __future__ import annotations

from hashlib import sha256
from typing import TypeGuard

from hitp2p.codec.car import verify_block
from hitp2p.codec.cid import LINK_BYTES, LINK_PREFIXES, Cid
from hitp2p.errors import DecodeError

__all__ = ["is_intact", "require_intact"]


def is_intact(data: object, cid: Cid) -> TypeGuard[bytes]:
    """Whether `data`, as a disk gave it back, is what `cid` names. (A damaged database may give back other types.)"""
    if type(data) is not bytes:
        return False
    try:
        require_intact(cid, data)
    except DecodeError:
        return False
    return True


def require_intact(cid: Cid, data: bytes) -> None:
    """Check the bytes of a block.

    Raises:
        DecodeError: they hash to something else, or nothing here can tell (CAR-3).
    """
    raw = bytes(cid)
    if len(raw) == LINK_BYTES and raw[:4] in LINK_PREFIXES:  # nearly all; half the time of the rest
        if sha256(data).digest() != raw[4:]:
            raise DecodeError("the bytes hash to another CID", rule="CAR-3", cid=cid)
    elif not verify_block(cid, data):
        raise DecodeError(
            f"hash {cid.hash_code:#x} can't be checked, so the block can't be stored",
            rule="CAR-3",
            cid=cid,
        )
