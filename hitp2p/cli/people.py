"""The person's own identities: a folder of key files, one an identity, and who of them speaks."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from hitp2p.cli.errors import ConfirmError, with_step
from hitp2p.codec.cid import OBJECT_CID_START
from hitp2p.dataclass import dataclass
from hitp2p.errors import AmbiguousNameError, KeyFileError, NotFoundError, UsageError
from hitp2p.naming import SHORTEST
from hitp2p.trail.display import code_of, short_name

if TYPE_CHECKING:
    from hitp2p.cli.run import Run
    from hitp2p.codec.cid import Cid
    from hitp2p.identity import Identity

__all__ = ["KeyEntry", "KeyRing", "agree_to_sign"]

SUFFIX: Final = ".key"
SETTINGS: Final = "settings.json"
NO_KEYS: Final = 'Make one with "hitp2p id new NAME".'


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEntry:
    """What a key file says without its passphrase."""

    path: Path
    """The file."""
    cid: Cid
    """The identity."""
    name: str
    """What the person calls themselves."""
    did: str
    """The public key that signs now, as did:key."""
    has_passphrase: bool
    """Whether opening it needs one."""

    @classmethod
    def read(cls, path: Path) -> KeyEntry:
        """Of an identity file."""
        from hitp2p.identity_file import read_identity_file

        file = read_identity_file(path)
        return cls(
            path=path,
            cid=file.cid,
            name=file.name,
            did=file.did,
            has_passphrase=file.has_passphrase,
        )

    @property
    def code(self) -> str:
        """The short code that stands beside the name."""
        return code_of(self.cid)


class KeyRing:
    """The key files in a folder, and beside them `settings.json`: the default and who was told what signing means."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        """The folder; made when the first key is written."""

    def __iter__(self) -> Iterator[KeyEntry]:
        """Every identity, in order of file name."""
        yield from map(KeyEntry.read, self.paths())

    def paths(self) -> list[Path]:
        """The key files, unread, in order of name."""
        return sorted(self.folder.glob(f"*{SUFFIX}")) if self.folder.is_dir() else []

    def find(self, name: str) -> KeyEntry:
        """The identity of that name, or whose CID begins so.

        Raises:
            NotFoundError: none.
            AmbiguousNameError: several; they are listed.
        """
        entries = list(self)
        found = [e for e in entries if e.name == name or str(e.cid) == name] or [
            e for e in entries if e.name.casefold() == name.casefold()
        ]
        if not found and len(tail := name.removeprefix(OBJECT_CID_START)) >= SHORTEST:
            found = [e for e in entries if str(e.cid).startswith(OBJECT_CID_START + tail)]
        if not found:
            raise with_step(
                NotFoundError(f"no identity here is called {name!r}"),
                "hitp2p id list shows those that are here." if entries else NO_KEYS,
            )
        if len(found) > 1:
            some = ", ".join(f"{e.name} {e.code}" for e in found)
            raise with_step(
                AmbiguousNameError(
                    f"{name!r} fits several identities: {some}", [e.cid for e in found]
                ),
                "Name it by the characters in brackets.",
            )
        return found[0]

    def speaker(self, chosen: str | None) -> KeyEntry:
        """Who speaks: `--as`, else HITP2P_AS, else the default that was set, else the only one.

        Raises:
            NotFoundError: there is no identity at all, or none of the name.
            UsageError: there are several and none is chosen.
        """
        name = chosen or os.environ.get("HITP2P_AS")
        if name:
            return self.find(name)
        entries = list(self)
        default = self.settings().get("default")
        for entry in entries:
            if len(entries) == 1 or str(entry.cid) == default:
                return entry
        if not entries:
            raise with_step(NotFoundError("you have no identity on this machine yet"), NO_KEYS)
        raise with_step(
            UsageError("there are several identities here and none is the default"),
            f'Add --as NAME, or choose for good: "hitp2p id default {entries[0].name}".',
        )

    def load(self, entry: KeyEntry, ask: Callable[[], str]) -> Identity:
        """The identity with its key unlocked; `ask` is called only where a passphrase is needed."""
        from hitp2p.identity import Identity

        return Identity.load(entry.path, ask() if entry.has_passphrase else None)

    def path_for(self, name: str, cid: Cid) -> Path:
        """Where the file of an identity goes; the folder need not exist yet."""
        slug = re.sub("[^a-z0-9]+", "-", name.casefold()).strip("-")[:24]
        return self.folder / f"{slug or 'key'}-{short_name(cid)}{SUFFIX}"

    def settings(self) -> dict[str, Any]:
        """What is remembered; empty where nothing is."""
        try:
            text = (self.folder / SETTINGS).read_text("utf-8")
        except FileNotFoundError:
            return {}
        try:
            kept = json.loads(text)
        except ValueError as error:
            raise KeyFileError(f"{self.folder / SETTINGS} is not JSON: {error}") from error
        if not isinstance(kept, dict):
            raise KeyFileError(f"{self.folder / SETTINGS} is no JSON object")
        return cast(dict[str, Any], kept)

    def places(self, cid: Cid) -> list[Path]:
        """The workspaces in which an identity has signed, as remembered; some may have moved."""
        kept = self.settings().get("places", {})
        return [Path(place) for place in kept.get(str(cid), ())]

    def remember_place(self, cid: Cid, folder: Path) -> None:
        """Note that an identity signs in a workspace: changing its key must look there."""
        places = self.places(cid)
        if folder.resolve() not in places:
            kept = self.settings().get("places", {})
            grown = [*map(os.fspath, places), os.fspath(folder.resolve())]
            self.remember(places=kept | {str(cid): grown})

    def remember(self, **changes: Any) -> None:
        """Change what is remembered, in one step on disk."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self.folder / f"{SETTINGS}.{os.getpid()}"
        fresh.write_text(json.dumps(self.settings() | changes, indent=2) + "\n", "utf-8")
        fresh.replace(self.folder / SETTINGS)


def agree_to_sign(run: Run, keys: KeyRing, entry: KeyEntry) -> None:
    """Once an identity: say what a signature means, and go on only if the person agrees."""
    told: list[str] = keys.settings().get("told", [])
    if str(entry.cid) in told:
        return
    from hitp2p.cli.passphrase import has_terminal

    run.out.say(
        f"You are about to sign as {entry.name} {entry.code} for the first time. What is signed and"
        " passed on can't be unsaid: you can withdraw a work, but others may keep what you signed."
    )
    if not run.yes:
        if not has_terminal():
            raise with_step(
                ConfirmError("a first signature needs your agreement: it can't be unsaid"),
                "Add --yes, this once; --dry-run shows what would be signed.",
            )
        import click

        if not click.confirm("Sign?", err=True):
            raise with_step(
                ConfirmError("nothing was signed"), "--dry-run shows what would be signed."
            )
    keys.remember(told=[*told, str(entry.cid)])
