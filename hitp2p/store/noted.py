"""What a workspace's folder says of its stores: which one holds its works now, and which others hold copies.

`store.json` holds `{"store": "kubo:/ip4/...", "workspace": "<32 hexadecimal digits>"}`; without it, the store is SQLite.
The name of the workspace is what its pins are found by, should the index be lost. A store that was made beside another
one has a folder of its own, named by `folder`, so that neither clears away what the other needs; and `copies` lists
stores that were copied to or from and aren't used now.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, Final

from hitp2p.dataclass import dataclass, replace
from hitp2p.errors import StoreError
from hitp2p.store.faults import store_errors
from hitp2p.store.names import NOTE

__all__ = [
    "SQLITE",
    "NotedStore",
    "NotedStores",
    "new_name",
    "note_version",
    "read_noted",
    "write_noted",
]

SQLITE: Final = "sqlite"
"""The name of the store that needs nothing but the folder."""
_NAME_BYTES: Final = 16
_FOLDER: Final = re.compile(r"(kubo|sqlite)-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedStore:
    """One store of a workspace."""

    store: str = SQLITE
    """`sqlite`, or the address of a daemon."""
    workspace: bytes | None = None
    """Name of the workspace on the daemon; None for SQLite."""
    folder: str = ""
    """Where in the workspace's folder its database lies; empty for that folder itself."""

    def fields(self) -> dict[str, str]:
        """As the note has them."""
        found = {"store": self.store}
        if self.workspace is not None:
            found["workspace"] = self.workspace.hex()
        if self.folder:
            found["folder"] = self.folder
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedStores:
    """All stores of a workspace."""

    current: NotedStore
    """Holds its works."""
    copies: tuple[NotedStore, ...] = ()
    """Others that were copied to or from."""

    def find(self, store: str) -> NotedStore | None:
        """The store of that name or address; None where there is none."""
        return next((one for one in (self.current, *self.copies) if one.store == store), None)

    def with_copy(self, noted: NotedStore) -> NotedStores:
        """With another store, or another address of one."""
        if noted.folder == self.current.folder:
            return replace(self, current=noted)
        others = tuple(one for one in self.copies if one.folder != noted.folder)
        return replace(self, copies=(*others, noted))

    def switched(self, noted: NotedStore) -> NotedStores:
        """With another one that holds the works."""
        others = tuple(one for one in (self.current, *self.copies) if one.folder != noted.folder)
        return NotedStores(current=noted, copies=others)

    def free_folder(self, kind: str, name: bytes) -> str:
        """Where a new store's database may lie."""
        taken = {one.folder for one in (self.current, *self.copies)}
        return f"{kind}-{name.hex()[:8]}" if "" in taken else ""


def new_name() -> bytes:
    """A name for a workspace on a daemon."""
    return os.urandom(_NAME_BYTES)


def note_version(note: str) -> tuple[int, int] | None:
    """Something that differs once the note at this path was written anew; None where there is none."""
    try:
        found = os.stat(note)
    except FileNotFoundError:
        return None
    except OSError as error:
        with store_errors(Path(note)):
            raise error
    return found.st_ino, found.st_mtime_ns


def read_noted(folder: Path) -> NotedStores | None:
    """What the note in `.hitp2p` says; None where there is none.

    Raises:
        StoreError: it can't be read.
    """
    path = folder / NOTE
    with store_errors(path):
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
    try:
        fields = json.loads(text)
        return NotedStores(
            current=_parse(fields), copies=tuple(_parse(one) for one in fields.get("copies", ()))
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            f'{path}: damaged; it should say where the store is. Delete it, then "hitp2p index rebuild --from kubo '
            '--store kubo:ADDRESS" makes it anew from the pins ("ipfs pin ls --names" shows them)'
        ) from error


def _parse(fields: Any) -> NotedStore:
    store, place = fields["store"], fields.get("folder", "")
    if type(store) is not str or (place and not _FOLDER.fullmatch(place)):
        raise ValueError(f"no store and folder: {store!r}, {place!r}")
    workspace = None if store == SQLITE else bytes.fromhex(fields["workspace"])
    return NotedStore(store=store, workspace=workspace, folder=place)


def write_noted(folder: Path, stores: NotedStores) -> None:
    """Write the note: the old one or the new one is there, whatever happens.

    Raises:
        StoreError: it can't be written.
    """
    fields: dict[str, Any] = {**stores.current.fields()}
    if stores.copies:
        fields["copies"] = [one.fields() for one in stores.copies]
    path = folder / NOTE
    new = path.with_name(f".{NOTE}.{os.urandom(4).hex()}")
    with store_errors(path):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with new.open("x", encoding="utf-8") as file:
                json.dump(fields, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, path)
        finally:
            new.unlink(missing_ok=True)
