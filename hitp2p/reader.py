"""The reading half of a workspace: find, show, follow and carry away what a store holds. It writes nothing to the store."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.drafts import ObjectLike, as_project
from hitp2p.errors import NotFoundError
from hitp2p.objects.envelope import SignedObject, parse_object
from hitp2p.store.contract import ObjectRow, Store

if TYPE_CHECKING:
    from hitp2p.store.fsck import FsckReport
    from hitp2p.trail.bundle import MediaChoice
    from hitp2p.trail.credits import CreditSheet
    from hitp2p.trail.standing import Standing, StandingAuditor, StandingReport
    from hitp2p.trail.view import Trail
    from hitp2p.transfer import Carried

__all__ = ["Change", "Progress", "Reader", "not_here"]

Progress = Callable[[int, int], None]
"""Called with (done, in all)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One object that came into the store."""

    seq: int
    """Number of arrival; pass it as `since` to go on after this change."""
    row: ObjectRow
    """What the store knows of the object without reading it."""


def not_here(cid: Cid) -> NotFoundError:
    """The error that an object isn't in this workspace."""
    return NotFoundError(f"{cid} is not in this workspace; import the file that carries it")


class Reader:
    """What can be asked of a store. Everything it returns was verified when it was stored."""

    def __init__(self, store: Store) -> None:
        self.store = store
        """The store below; its methods may be called directly."""

    # --- finding ----------------------------------------------------------------------------------

    def lookup(self, cid: Cid) -> SignedObject | None:
        """The object under a CID, verified when it was stored; None where it isn't here."""
        if self.store.row(cid) is None:
            return None
        block = self.store.get(cid)
        return None if block is None else parse_object(block, cid=cid)

    def show(self, what: ObjectLike) -> SignedObject:
        """The object that is meant.

        Raises:
            NotFoundError: it isn't here.
            UsageError: a short name fits several objects; the message lists them.
        """
        if isinstance(what, SignedObject):
            return what
        cid = self.resolve(what) if isinstance(what, str) else what
        found = self.lookup(cid)
        if found is None:
            raise not_here(cid)
        return found

    def resolve(self, text: str) -> Cid:
        """The CID that a text means: a whole CID, or a short name of at least four characters.

        A short name is the beginning of a CID's text; the constant `bafyrei` may be left out.

        Raises:
            NotFoundError: nothing here begins so.
            UsageError: the text is too short, or fits several objects.
        """
        from hitp2p.naming import resolve_short

        return resolve_short(text, self.store, self.lookup)

    def rows(
        self,
        *,
        project: ObjectLike | None = None,
        kind: str | None = None,
        identity: Cid | None = None,
    ) -> Iterator[ObjectRow]:
        """What the store holds, in order of arrival, without reading the objects."""
        where = None if project is None else self._cid(project)
        return self.store.rows(project=where, kind=kind, identity=identity)

    def projects(self) -> tuple[SignedObject, ...]:
        """The projects here, in order of arrival."""
        return tuple(self.show(row.cid) for row in self.store.rows(kind="project"))

    def is_unlisted(self, obj: ObjectLike) -> bool:
        """Whether an object's project, or the project itself, is marked as unlisted in this workspace."""
        found = self.show(obj)
        return not self.store.unlisted().isdisjoint({found.cid, found.project})

    def search(
        self, words: str, *, project: ObjectLike | None = None, limit: int = 50
    ) -> tuple[SignedObject, ...]:
        """Objects whose title, tags, names or note contain all the words."""
        where = None if project is None else self._cid(project)
        return tuple(self.show(cid) for cid in self.store.search(words, project=where, limit=limit))

    def _cid(self, what: ObjectLike) -> Cid:
        if isinstance(what, SignedObject):
            return what.cid
        return self.resolve(what) if isinstance(what, str) else what

    # --- reading ----------------------------------------------------------------------------------

    def trail(self, project: ObjectLike) -> Trail:
        """How a project grew: its objects from the oldest to the newest, people, sources and heads."""
        from hitp2p.trail.view import Trail

        home = self.show(project)
        as_project(home)
        objects = [self.show(row.cid) for row in self.store.rows(project=home.cid)]
        auditor = self._auditor()
        return Trail.of(
            home, objects, lookup=self.lookup, standing=lambda obj: auditor.audit(obj).standing
        )

    def credits(self, work: ObjectLike) -> CreditSheet:
        """Who is to be named for a work: the people of the work and of all it builds on, to any depth."""
        from hitp2p.trail.credits import credit_sheet

        auditor = self._auditor()
        return credit_sheet(
            self.show(work),
            lookup=self.lookup,
            blocks=self.store,
            answers=lambda cid: [self.show(one) for one in self.store.referrers(cid)],
            standing=lambda obj: auditor.audit(obj).standing,
        )

    def standing(self, what: ObjectLike) -> StandingReport:
        """Whether the owner of the key still stands behind an object."""
        return self._auditor().audit(self.show(what))

    def standings(self, objects: Iterable[SignedObject]) -> Iterator[Standing]:
        """The standing of each object, as `standing` tells it; lines of identities are computed once."""
        auditor = self._auditor()
        return (auditor.audit(obj).standing for obj in objects)

    def _auditor(self) -> StandingAuditor:
        from hitp2p.trail.standing import StandingAuditor

        return StandingAuditor(
            events=lambda identity: [self.show(cid) for cid in self.store.events(identity)],
            lookup=self.lookup,
            blocks=self.store,
        )

    def cat(self, what: ObjectLike, *, entry: int = 0) -> Iterator[bytes]:
        """The content of a work's media, in pieces, each verified against its CID.

        Args:
            what: a work.
            entry: which of its media; the first unless said.

        Raises:
            UsageError: the work has no such media.
            MissingBlocksError: its bytes aren't here.
            InvalidError: they aren't what the work says (MED-2); what came before is right.
        """
        from hitp2p.transfer import iter_media

        return iter_media(self.show(what), entry, self.store)

    def watch(self, since: int = 0) -> Iterator[Change]:
        """What came into the store after `since`, in order of arrival, as far as it is here now.

        A change feed that can be resumed: remember the `seq` of the last change and pass it next time. The first call takes 0.
        """
        for row in self.store.rows(after=since):
            yield Change(seq=row.seq, row=row)

    def export(
        self, work: ObjectLike, path: str | os.PathLike[str], *, media: MediaChoice = "none"
    ) -> Carried:
        """Write a bundle: the work and all that checking it needs, in one CAR file.

        The file appears under its name when it is complete; an existing one is replaced.

        Args:
            media: `none`, those of the work, or those of `all` its sources too.

        Returns:
            What it carries; `missing` names texts and media that were wanted and aren't here.

        Raises:
            StoreError: the file can't be written.
        """
        from hitp2p.transfer import export_bundle

        return export_bundle(
            self.store, self.show(work), Path(path), lookup=self.lookup, media=media
        )

    def fsck(self, *, progress: Callable[[int], None] | None = None) -> FsckReport:
        """Check every block, signature, rule, media file and index entry; changes nothing."""
        from hitp2p.store.fsck import audit_store

        return audit_store(self.store, progress=progress)
