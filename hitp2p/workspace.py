"""The synchronous face of hitp2p: a folder with a trail in it, and what a person does there.

    import hitp2p

    ana = hitp2p.Identity.create("Ana")
    with hitp2p.open("night-bus") as ws:
        p = ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ana)
        verse = ws.contribute(p, "verse.txt", title="Verse", roles=["lyr"], by=ana)
        print(ws.credits(verse).text())

A workspace starts no thread that outlives a call, keeps no global state and prints nothing. Two processes may have the same
folder open; within one process a workspace may be shared by threads.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Unpack

from hitp2p.dataclass import replace
from hitp2p.drafts import (
    ForeignLike,
    ObjectLike,
    Sources,
    WorkOptions,
    as_project,
    fits_body,
    license_of_work,
    work_body,
)
from hitp2p.errors import NotFoundError, UsageError
from hitp2p.identity import Identity
from hitp2p.intake import Files, Intake
from hitp2p.networked import Networked
from hitp2p.objects.contribution import ForeignSource, Use
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.project import Project, threshold_rules
from hitp2p.ports import Clock, Randomness
from hitp2p.store.contract import Store, WriteBatch

if TYPE_CHECKING:
    from hitp2p.codec.cid import Cid
    from hitp2p.store.gc import GcReport
    from hitp2p.transfer import Carried

__all__ = ["SourceLike", "Workspace", "open_workspace"]

SourceLike = ObjectLike | tuple[ObjectLike, str] | Use
"""A source: an object (relation `remix`), (object, relation), or a `Use` that says more."""
_Source = tuple[SignedObject | None, Use]
"""A use with its work, as it is here; None for a source outside hitp2p."""
HIDDEN_FOLDER = ".hitp2p"
"""Name of the folder inside a workspace that holds the store."""


def open_workspace(
    path: str | os.PathLike[str],
    *,
    store: Store | str | None = None,
    clock: Clock | None = None,
    randomness: Randomness | None = None,
    create: bool = True,
) -> Workspace:
    """Open the workspace in a folder, or make one there; `":memory:"` keeps everything in memory.

    Args:
        path: the folder that holds (or will hold) `.hitp2p`.
        store: the address of a Kubo daemon such as `kubo:/ip4/127.0.0.1/tcp/5001`, noted in the folder so that it is found
            again; or a store that is open, which the workspace closes. By default the one of before, else SQLite.
        clock: milliseconds since 1970, for the time that objects claim; the system's clock if None.
        randomness: bytes for nonces; the system's if None.
        create: whether a missing workspace is made.

    Raises:
        NotFoundError: no workspace there and `create` is false.
        UsageError: the works there are in another kind of store.
        StoreError: the folder or the daemon can't be used.
    """
    if store is None and os.fspath(path) == ":memory:":
        from hitp2p.store.memory import MemoryStore

        store = MemoryStore()
    elif store is None or isinstance(store, str):
        from hitp2p.store.choice import open_store

        folder = Path(path) / HIDDEN_FOLDER
        if not create and not folder.is_dir():
            raise NotFoundError(f"no workspace in {path}; `hitp2p init` makes one")
        store = open_store(folder, store)
    found = Workspace(store, clock=clock, randomness=randomness)
    if os.fspath(path) != ":memory:":
        found.folder = Path(path) / HIDDEN_FOLDER
    return found


class Workspace(Networked):
    """A store and everything that a person does with it. Made by `hitp2p.open`."""

    folder: Path | None = None
    """`.hitp2p` in the folder that it was opened in; None for one in memory."""

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the store. A second call does nothing."""
        self.store.close()

    # --- writing ----------------------------------------------------------------------------------

    def create_project(
        self,
        title: str,
        *,
        by: Identity,
        license: str | None = None,
        purpose: str | None = None,
        accepts: Sequence[str] = (),
        languages: Sequence[str] = (),
        tags: Sequence[str] = (),
        unlisted: bool = False,
        dry_run: bool = False,
    ) -> SignedObject:
        """Open a project; its CID is its name for ever.

        Args:
            license: default for contributions that state none, as an SPDX expression.
            accepts: the licences that the project takes; empty for any.
            unlisted: mark it here, so that nothing of it goes to a daemon that announces what it has. It isn't encrypted.
            dry_run: build and check, store nothing.

        Raises:
            UnlistedError: the store is on a daemon that announces; nothing was stored.
        """
        body = Project(
            title=title,
            purpose=purpose,
            license=license,
            accepts=tuple(accepts),
            rules=threshold_rules((by.cid,)),
            languages=tuple(languages),
            tags=tuple(tags),
            nonce=self._randomness(16),
        ).to_body()
        if not unlisted or dry_run:
            return self._sign("project", body, by=by, dry_run=dry_run)
        made = self._sign("project", body, by=by, dry_run=True)
        self.store.mark_unlisted([made.cid])
        try:
            self._put(made, self._events(by, self.store.events(by.cid)), WriteBatch())
        except BaseException:
            self.store.mark_unlisted([made.cid], False)
            raise
        return made

    def mark_unlisted(self, project: ObjectLike, unlisted: bool = True) -> None:
        """Mark a project as unlisted in this workspace, or take the mark away. No object changes.

        From then on nothing of it goes to a daemon that announces what it has. Unlisted is not encrypted.
        """
        home = self.show(project)
        as_project(home)
        self.store.mark_unlisted([home.cid], unlisted)

    def contribute(
        self,
        project: ObjectLike,
        files: Files = (),
        *,
        title: str,
        by: Identity,
        uses: Sequence[SourceLike | ForeignLike] = (),
        **options: Unpack[WorkOptions],
    ) -> SignedObject:
        """Sign a work into a project.

        Args:
            project: where it goes.
            files: what the work consists of; the first is the master, the others source files.
            title: one line, at most 256 bytes.
            by: who signs.
            uses: what it builds on; see `remix`.
            options: see `WorkOptions`.

        Returns:
            The signed object, stored durably (unless `dry_run`).

        Raises:
            UsageError: a file can't be read, a source isn't a work, a licence isn't accepted.
            LicenseError: the licence of a source forbids it or can't be judged, and `unchecked` gives no reason.
            InvalidError: what was said breaks a rule of `spec/`, such as a title that is too long.
            StoreError: the store could not take it; nothing is half-written.
        """
        home = self.show(project)
        return self._work(home, files, title, [self._source(one) for one in uses], by, options)

    def remix(
        self,
        of: Sequence[SourceLike],
        files: Files = (),
        *,
        title: str,
        by: Identity,
        project: ObjectLike | None = None,
        uses: Sequence[ForeignLike] = (),
        **options: Unpack[WorkOptions],
    ) -> SignedObject:
        """Sign a work that builds on others.

        Args:
            of: the sources: objects (relation `remix`), (object, relation), or `Use`s with parts and notes.
            files: as in `contribute`.
            title: one line, at most 256 bytes.
            by: who signs.
            project: where it goes; None takes the project of the first source.
            uses: sources outside hitp2p, alone (relation `remix`) or as (source, relation).
            options: see `WorkOptions`; with a single source and no `uses`, `note` stands beside that source.

        Returns and raises as `contribute`.
        """
        if not of:
            raise UsageError("a remix needs at least one source; `contribute` needs none")
        sources = [self._source(one) for one in of]
        home = self._home_of(sources[0][0]) if project is None else self.show(project)
        sources += [self._source(one) for one in uses]
        note = options.get("note")
        if note is not None and len(sources) == 1 and fits_body(note):
            work, use = sources[0]
            if use.note is None:
                sources = [(work, replace(use, note=note))]
                options["note"] = None
        return self._work(home, files, title, sources, by, options)

    def _source(self, source: SourceLike | ForeignLike) -> _Source:
        if isinstance(source, Use):
            return None if source.work is None else self.show(source.work), source
        what, relation = source if isinstance(source, tuple) else (source, "remix")
        if isinstance(what, ForeignSource):
            return None, Use(source=what, relation=relation)
        work = self.show(what)
        return work, Use(work=work.cid, relation=relation)

    def _home_of(self, work: SignedObject | None) -> SignedObject:
        if work is None:
            raise UsageError(
                "the first source is outside hitp2p; say which project the work goes to"
            )
        return self._remembered(work.project or work.cid)

    def _work(
        self,
        home: SignedObject,
        files: Files,
        title: str,
        uses: Sequence[_Source],
        by: Identity,
        options: WorkOptions,
    ) -> SignedObject:
        project = as_project(home)
        call = options.get("call")
        dry_run = options.get("dry_run", False)
        for work, _ in uses:
            if work is not None and work.project != home.cid:
                self.show(work.cid)  # those of this project become parents, which `put` asks for
        sources = Sources.sort(home.cid, uses)
        if uses and not options.get("unchecked"):
            self._verify_licenses(by, license_of_work(project, options.get("license")), uses)
        with Intake(self.store, dry_run=dry_run) as intake:
            body = work_body(
                title,
                project,
                sources,
                author=by.cid,
                call=None if call is None else self._cid(call),
                media=intake.entries(files, options),
                text_block=intake.text_block,
                options=options,
            )
            return self._sign(
                "contribution",
                body,
                by=by,
                project=home.cid,
                parents=sources.parents,
                linked=[home, *(work for work, _ in uses if work is not None)],
                media=intake.batch(),
                dry_run=dry_run,
            )

    def _verify_licenses(self, by: Identity, license: str | None, uses: Sequence[_Source]) -> None:
        from hitp2p.licensing import LicenseCheck, is_surely_allowed

        if is_surely_allowed(by.cid, [work for work, _ in uses]):
            return
        LicenseCheck(
            author=by.cid,
            lookup=self._find,
            statements=lambda cid: [self.show(one) for one in self.store.referrers(cid)],
            standing=lambda obj: self.standing(obj).standing,
            blocks=self.store,
        ).verify(license, uses)

    def _find(self, cid: Cid) -> SignedObject | None:
        try:
            return self._remembered(cid)
        except NotFoundError:
            return None

    # --- carrying ---------------------------------------------------------------------------------

    def import_(self, path: str | os.PathLike[str], *, unlisted: bool = False) -> Carried:
        """Take in a bundle: everything is checked, and stored in one transaction, or nothing is.

        Args:
            unlisted: mark the work's project as unlisted here before anything is stored.

        Raises:
            InvalidError: the file breaks a rule; it names the block and the rule.
            MissingBlocksError: the file lacks objects that it needs.
        """
        from hitp2p.transfer import import_bundle

        return import_bundle(self.store, Path(path), unlisted=unlisted)

    # --- keeping ----------------------------------------------------------------------------------

    def backup(self, target: str | os.PathLike[str]) -> None:
        """Write a consistent copy of the workspace into a new folder, also while others write."""
        folder = Path(target)
        folder.mkdir(parents=True, exist_ok=True)
        self.store.backup(folder / HIDDEN_FOLDER)

    def gc(self, *, dry_run: bool = False) -> GcReport:
        """Remove blocks and media that no object reaches, and what was left by interrupted work."""
        from hitp2p.store.gc import collect

        return collect(self.store, dry_run=dry_run)
