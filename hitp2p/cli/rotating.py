"""What `id rotate` and `id revoke` share: find all that the old key signed, make the next event, tell every workspace."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

import click

from hitp2p.cli.errors import with_step
from hitp2p.cli.keyfiles import (
    NEW_KEY_FIELDS,
    choose_recovery_path,
    new_passphrase,
    tell_new_keys,
    write_keys,
)
from hitp2p.cli.names import title_of
from hitp2p.cli.passphrase import given_passphrase, prompt_passphrase, read_passphrase
from hitp2p.cli.places import MARK, tidy
from hitp2p.dataclass import dataclass
from hitp2p.errors import NotFoundError, PassphraseError, UsageError
from hitp2p.trail.display import short_name

if TYPE_CHECKING:
    from hitp2p.cli.run import Run
    from hitp2p.codec.cid import Cid
    from hitp2p.identity import Identity
    from hitp2p.keys.ed25519 import SigningKey
    from hitp2p.workspace import Workspace

__all__ = ["ROTATE_FIELDS", "Heads", "Rotation", "recovery_options"]

Heads = Mapping["Cid", Iterable["Cid"]]
"""Project (else the identity) -> good heads or exceptions in it."""

ROTATE_FIELDS: Final = NEW_KEY_FIELDS | {
    "event": "the new identity event; null under --dry-run",
    "good_heads[]": "works up to which the old key's signatures stay good",
    "workspaces[]": "folders that know of the change now",
}

F = TypeVar("F", bound=Callable[..., None])


def recovery_options(function: F) -> F:
    """Options of verbs that need the recovery key."""
    from hitp2p.cli.making import passphrase_options

    for option in (
        click.option("--dry-run", is_flag=True, help="Show what would stay good; change nothing."),
        passphrase_options,
        click.option("--no-passphrase", is_flag=True, help="Leave the new files unsealed."),
        click.option(
            "--recovery-passphrase-file",
            metavar="FILE",
            help="Passphrase of the old recovery key, where it is another one.",
        ),
        click.option(
            "--in",
            "more_places",
            metavar="DIR",
            multiple=True,
            type=click.Path(file_okay=False),
            help="A further workspace in which the identity has signed.",
        ),
        click.option(
            "--new-recovery-file",
            metavar="FILE",
            help="Where the next recovery key goes: a new file. Asked for if not given.",
        ),
        click.option(
            "--recovery-file", metavar="FILE", help="The recovery key. Asked for if not given."
        ),
    ):
        function = option(function)
    return function


@dataclass(frozen=True, slots=True)
class _ElsewhereSigner:
    """The old key, which a change of keys doesn't need: it may be lost."""

    public: bytes

    def sign(self, domain: bytes, message: bytes) -> NoReturn:
        raise UsageError("the old key isn't opened for a change of keys")


class Rotation:
    """One change of an identity's key. The old key is never opened: it may be lost, or its passphrase forgotten."""

    def __init__(self, run: Run, name: str | None, more_places: Sequence[str]) -> None:
        self._run = run
        self.places: list[Path] = []
        """The workspaces in which the identity has signed, as far as known and still there."""
        self.identity: Identity = self._find(name, more_places)
        """With every event that these workspaces know."""

    def _find(self, name: str | None, more_places: Sequence[str]) -> Identity:
        from hitp2p.identity import Identity
        from hitp2p.identity_file import read_identity_file

        keys = self._run.keys
        try:
            entry = keys.find(name) if name else keys.speaker(None)
        except NotFoundError:
            if name is None:
                raise
            identity = self._from_workspace(name)
        else:
            file = read_identity_file(entry.path)
            identity = Identity(
                events=file.events,
                signer=_ElsewhereSigner(file.public),
                event=file.event,
                pages=file.pages,
            )
        self.places = self._look_for_places(identity.cid, more_places)
        for place in self.places:
            with self._open(place) as ws:
                events = [ws.show(cid) for cid in ws.store.events(identity.cid)]
                identity = identity.with_events(events)
        return identity

    def _from_workspace(self, name: str) -> Identity:
        """An identity whose file is lost, from its public events in the current workspace."""
        from hitp2p.identity import Identity
        from hitp2p.identity_file import event_body

        ws = self._run.workspace
        genesis = ws.show(name)
        if genesis.kind != "identity":
            raise UsageError(f"{name} is a {genesis.kind}, not an identity")
        events = [ws.show(cid) for cid in ws.store.events(genesis.identity)]
        return Identity(events=events, signer=_ElsewhereSigner(event_body(events[-1]).keys[0]))

    def _look_for_places(self, cid: Cid, more: Sequence[str]) -> list[Path]:
        found: list[Path] = []
        remembered = self._run.keys.places(cid)
        try:
            here = [self._run.folder.resolve()]
        except NotFoundError:
            here = []
        for place in [*here, *remembered, *(Path(one).resolve() for one in more)]:
            if (place / MARK).is_dir():
                found.append(place)
            elif place in remembered:
                self._run.out.warn(
                    f"the workspace {tidy(place)} isn't there any more; if it moved, name it with --in,"
                    " else what was signed only there is disavowed"
                )
            else:
                raise NotFoundError(f"{place} is not a workspace")
        return list(dict.fromkeys(found))

    def _open(self, place: Path) -> Workspace:
        from hitp2p.workspace import open_workspace

        return open_workspace(place, create=False)

    def good_heads(self) -> dict[Cid, tuple[Cid, ...]]:
        """All that the old key signed in these workspaces, as the fewest heads."""
        heads: dict[Cid, set[Cid]] = {}
        for place in self.places:
            with self._open(place) as ws:
                found = ws.good_heads(self.identity.cid, self.identity.signer.public)
            for project, cids in found.items():
                heads.setdefault(project, set()).update(cids)
        return {project: tuple(sorted(cids)) for project, cids in heads.items()}

    def objects(self, names: Sequence[str]) -> dict[Cid, tuple[Cid, ...]]:
        """Objects of the identity by short name or CID, by project."""
        found: dict[Cid, set[Cid]] = {}
        for name in names:
            obj = self._run.workspace.show(name)
            if obj.author != self.identity.cid:
                raise UsageError(f"{name} ({title_of(obj)}) was not signed by {self.identity.name}")
            found.setdefault(obj.project_cid or self.identity.cid, set()).add(obj.cid)
        return {project: tuple(sorted(cids)) for project, cids in found.items()}

    def preview(self, good: Heads) -> None:
        """What would stay good, and nothing changed."""
        heads = [cid for cids in good.values() for cid in cids]
        self._run.out.emit(
            {
                "cid": str(self.identity.cid),
                "name": self.identity.name,
                "event": None,
                "good_heads": [str(cid) for cid in heads],
                "workspaces": [os.fspath(place) for place in self.places],
            },
            [
                "A dry run: nothing was changed.",
                *self._shown(heads),
            ],
        )

    def _shown(self, heads: Sequence[Cid]) -> list[str]:
        """What stays good, by title."""
        if not heads:
            return ["Nothing that the old key signed stays good."]
        titles: dict[Cid, str] = {}
        for place in self.places:
            with self._open(place) as ws:
                found = ((cid, ws.lookup(cid)) for cid in heads)
                titles |= {cid: title_of(obj) for cid, obj in found if obj}
        return [
            "Of what the old key signed, this and all before it stays good; nothing else:",
            *(f"  {short_name(cid)}  {titles.get(cid, '(not here)')}" for cid in heads),
        ]

    def perform(
        self,
        *,
        good: Heads,
        exceptions: Heads,
        suspicion: bool,
        recovery_file: str | None,
        new_recovery_file: str | None,
        recovery_passphrase_file: str | None,
        no_passphrase: bool,
    ) -> None:
        """Make the event, write both key files, put the event into every workspace, tell."""
        run, name = self._run, self.identity.name
        recovery = self._recovery_key(recovery_file, recovery_passphrase_file)
        next_path = choose_recovery_path(run, new_recovery_file, name)
        passphrase = new_passphrase(run, name, without=no_passphrase)
        rotated = self.identity.rotate(
            recovery,
            suspicion=suspicion,
            good_heads=good,
            exceptions=exceptions,
            clock=run.clock,
            randomness=run.randomness,
        )
        path = self._path()
        write_keys(run, rotated, path, next_path, passphrase, overwrite=True)
        for place in self.places:
            with self._open(place) as ws:
                ws.add_identity(rotated)
        heads = [cid for cids in good.values() for cid in cids]
        tell_new_keys(
            run,
            path,
            next_path,
            more={
                "event": str(rotated.events[-1].cid),
                "good_heads": [str(cid) for cid in heads],
                "workspaces": [os.fspath(place) for place in self.places],
            },
            more_lines=[
                *self._shown(heads),
                f"Known in {', '.join(map(tidy, self.places)) or 'no workspace yet'}."
                " Others learn it with your next bundle.",
                "The old recovery key is of no use any more: keep the new one.",
            ],
        )

    def _path(self) -> Path:
        try:
            return self._run.keys.find(str(self.identity.cid)).path
        except NotFoundError:
            return self._run.keys.path_for(self.identity.name, self.identity.cid)

    def _recovery_key(self, given: str | None, passphrase_file: str | None) -> SigningKey:
        from hitp2p.cli.passphrase import ask_path
        from hitp2p.identity_file import load_key

        missing = with_step(UsageError("the recovery key is needed"), "Add --recovery-file FILE.")
        path = Path(given).expanduser() if given else ask_path("File of the recovery key", missing)
        warnings: dict[str, None] = {}
        try:
            for word in (None, *self._words(passphrase_file)):
                try:
                    return load_key(path, word, warn=warnings.setdefault)
                except PassphraseError:
                    continue
            word = prompt_passphrase("Passphrase of the recovery key")
            return load_key(path, word, warn=warnings.setdefault)
        finally:
            for warning in warnings:  # each once, however often the file was read
                self._run.out.warn(warning)

    def _words(self, passphrase_file: str | None) -> Iterable[str]:
        if passphrase_file:
            yield read_passphrase(Path(passphrase_file))
        elif self._run.passphrase_file is not None:
            yield given_passphrase(self._run) or ""
