"""Names of objects, as the database holds them and as people begin to write them, and of the database itself.

Imports little, for programs that start often.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from hitp2p.codec.cid import OBJECT_CID_START, Cid
from hitp2p.errors import DecodeError, StoreError

__all__ = ["INDEX", "NOTE", "database_path", "parse_stored_cid", "prefix_range"]

INDEX: Final = "index.db"
"""The index of a store whose blocks are on a daemon."""
NOTE: Final = "store.json"
"""Says which daemon that is; see `noted`."""

_BASE32: Final = "abcdefghijklmnopqrstuvwxyz234567"
_CID_BITS: Final = 36 * 8


def database_path(folder: Path) -> Path:
    """The database in which the signed objects of the store in a workspace's folder are found.

    Raises:
        StoreError: the folder doesn't say readably which store that is.
    """
    if not (folder / NOTE).exists():
        return folder / "store.db"
    from hitp2p.store.noted import SQLITE, read_noted

    stores = read_noted(folder)
    if stores is None:  # gone this moment
        return folder / "store.db"
    current = stores.current
    return folder / current.folder / ("store.db" if current.store == SQLITE else INDEX)


def parse_stored_cid(raw: Any) -> Cid:
    """A name from the database.

    Raises:
        StoreError: it is damaged, which is no fault of foreign bytes.
    """
    try:
        return Cid.from_bytes(raw)
    except (DecodeError, TypeError) as error:
        raise StoreError(
            f"a name in the database is damaged ({error}); try `hitp2p fsck`"
        ) from error


def prefix_range(text: str) -> tuple[bytes, bytes] | None:
    """The lowest and highest CID bytes of objects whose text starts with `text`; None where there can be none."""
    digits = (text if text.startswith(OBJECT_CID_START) else OBJECT_CID_START + text)[1:]
    if any(digit not in _BASE32 for digit in digits) or len(digits) * 5 > _CID_BITS + 4:
        return None
    value = 0
    for digit in digits:
        value = value * 32 + _BASE32.index(digit)
    spare = _CID_BITS - len(digits) * 5
    if spare < 0:  # the last character holds two bits of padding
        low = high = value >> -spare
        if value & ((1 << -spare) - 1):
            return None
    else:
        low, high = value << spare, (value + 1 << spare) - 1
    return low.to_bytes(36, "big"), high.to_bytes(36, "big")
