"""One run of the program: what the verbs share, each part made when it is first asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hitp2p.cli.output import Output
from hitp2p.cli.places import find_workspace, key_folder
from hitp2p.ports import Closing

if TYPE_CHECKING:
    from hitp2p.cli.app import Start
    from hitp2p.cli.people import KeyRing
    from hitp2p.identity import Identity
    from hitp2p.ports import Clock, Randomness
    from hitp2p.store.glance import Glance
    from hitp2p.workspace import Workspace

__all__ = ["Run"]


class Run(Closing):
    """What a verb gets: output, the workspace, the identities. Use it as a context manager."""

    def __init__(
        self,
        *,
        start: Start,
        as_json: bool = False,
        workspace: str | None = None,
        store: str | None = None,
        as_name: str | None = None,
        passphrase_file: str | None = None,
        passphrase_fd: int | None = None,
        yes: bool = False,
    ) -> None:
        self.out = start.out or Output(as_json=as_json)
        """Where results go."""
        self.as_name = as_name
        """Who speaks, as given with `--as`."""
        self.passphrase_file = passphrase_file
        """As given with `--passphrase-file`."""
        self.passphrase_fd = passphrase_fd
        """As given with `--passphrase-fd`."""
        self.yes = yes
        """The person has agreed beforehand."""
        self._argv = start.argv
        self._chosen = workspace
        self._store = store
        self._workspace: Workspace | None = None
        self._glance: Glance | None = None
        self._randomness: Randomness | None = None

    def close(self) -> None:
        """Close what was opened."""
        for opened in (self._workspace, self._glance):
            if opened is not None:
                opened.close()

    @property
    def folder(self) -> Path:
        """The folder of the workspace. Raises NotFoundError where there is none."""
        return find_workspace(os.environ, self._chosen, Path.cwd())

    @property
    def wanted_folder(self) -> Path:
        """Where a workspace is wanted, whether there is one or not."""
        return Path(self._chosen or os.environ.get("HITP2P_WORKSPACE") or ".")

    @property
    def chose_workspace(self) -> bool:
        """Whether the person named a workspace, instead of our looking for one."""
        return self._chosen is not None or "HITP2P_WORKSPACE" in os.environ

    @property
    def store(self) -> str | None:
        """The store that the person named; None leaves it to the workspace."""
        return self._store or os.environ.get("HITP2P_STORE") or None

    @property
    def workspace(self) -> Workspace:
        """The workspace, open until the run ends. Raises NotFoundError where there is none."""
        if self._workspace is None:
            from hitp2p.workspace import open_workspace

            self._workspace = open_workspace(
                self.folder,
                store=self.store,
                create=False,
                clock=self.clock,
                randomness=self.randomness,
            )
        return self._workspace

    @property
    def glance(self) -> Glance:
        """The workspace's store for reading a few objects, at a tenth of the start-up cost."""
        if self._glance is None:
            from hitp2p.cli.places import MARK
            from hitp2p.store.glance import Glance

            self._glance = Glance(self.folder / MARK)
        return self._glance

    @property
    def clock(self) -> Clock:
        """The time that signed objects claim."""
        from hitp2p.cli.chance import clock_from

        return clock_from(os.environ)

    @property
    def randomness(self) -> Randomness:
        """Bytes for keys and nonces. One stream a run, so that no bytes come twice."""
        if self._randomness is None:
            from hitp2p.cli.chance import randomness_from

            self._randomness = randomness_from(os.environ, self._argv)
        return self._randomness

    @property
    def keys(self) -> KeyRing:
        """The identities whose keys are on this machine."""
        from hitp2p.cli.people import KeyRing

        return KeyRing(key_folder(os.environ))

    def signer(self, *, dry_run: bool = False) -> Identity:
        """Who speaks, with the key unlocked; before a first signature the person has agreed.

        Args:
            dry_run: nothing will be kept, so there is nothing to agree to.
        """
        from hitp2p.cli.passphrase import ask_passphrase
        from hitp2p.cli.people import agree_to_sign

        keys = self.keys
        entry = keys.speaker(self.as_name)
        identity = keys.load(entry, lambda: ask_passphrase(self, f"Passphrase of {entry.name}"))
        if not dry_run:
            agree_to_sign(self, keys, entry)
            keys.remember_place(entry.cid, self.folder)
        return identity
