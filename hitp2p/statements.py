"""What people say about works after they are signed: answers, grants, disputes, thanks, withdrawals, witnesses, profiles.

Each is a signed object of its own, which the person concerned can add at any later time. Nothing is changed by it but what a
reader is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, TypeAlias

from hitp2p.codec.cid import Cid
from hitp2p.drafts import ObjectLike
from hitp2p.errors import UsageError
from hitp2p.identity import Identity
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import ObjectClass
from hitp2p.objects.known import known_field
from hitp2p.objects.pages import ListPage, parse_list_page
from hitp2p.writer import Writer

__all__ = ["About", "Answer", "Scope", "Statements"]

Answer: TypeAlias = Literal["accept", "deny", "amend"]
About: TypeAlias = Literal["credit", "split", "source"]
Scope: TypeAlias = Literal["work", "media", "name"]


class Statements(Writer):
    """The verbs with which people speak about works. All return the signed object, stored durably unless `dry_run`.

    All raise `UsageError` where the target isn't what they speak of, and `InvalidError` where a text breaks a rule.
    """

    def answer(
        self,
        work: ObjectLike,
        answer: Answer,
        *,
        by: Identity,
        about: About = "credit",
        line: int | None = None,
        role: str | None = None,
        name: str | None = None,
        reason: str | None = None,
        dry_run: bool = False,
    ) -> tuple[SignedObject, ...]:
        """Answer for a credit, a share or a source: yes, no, or "it should say something else".

        Args:
            work: the work, as it names `by`.
            line: which credit (or share, or use), from 0; None answers every line that names `by`.
            role: with `amend`, the role that it should say.
            name: with `amend`, the name that it should say.
            reason: for readers.
        """
        target = self._about_work(work)
        lines = [line] if line is not None else list(_lines_naming(self._lines(target, about), by))
        if not lines:
            raise UsageError(
                f"no {about} of {target.cid} names {by.name}; `credits` shows whom it names"
            )
        return tuple(
            self._say(
                "answer",
                target,
                by,
                dry_run,
                about=about,
                line=number,
                answer=answer,
                role=role,
                name=name,
                reason=reason,
            )
            for number in lines
        )

    def grant(
        self,
        work: ObjectLike,
        *,
        by: Identity,
        grantee: Cid | None = None,
        license: str | None = None,
        terms: str | None = None,
        dry_run: bool = False,
    ) -> SignedObject:
        """Allow what the licence of one's own work doesn't.

        Args:
            grantee: the genesis of an identity; None for everybody.
            license: an SPDX expression under which they may use it, besides its own.
            terms: the permission in words; at least one of the two.
        """
        target = self._own(work, by, "grant the use of")
        if license is None and terms is None:
            raise UsageError("a grant needs a license or terms in words")
        return self._sign_about(
            "grant",
            target,
            by,
            dry_run,
            work=_target(target),
            grantee=None if grantee is None else str(grantee),
            license=license,
            terms=terms,
        )

    def dispute(
        self,
        work: ObjectLike,
        *,
        by: Identity,
        reason: str,
        own: ObjectLike | None = None,
        dry_run: bool = False,
    ) -> SignedObject:
        """Say that a work isn't what it claims to be, such as that it is one's own.

        Args:
            own: one's own work, which shows it.
        """
        target = self._about_work(work)
        return self._say(
            "dispute", target, by, dry_run, own=self._other(own, target), reason=reason
        )

    def claim_ancestor(
        self,
        work: ObjectLike,
        own: ObjectLike,
        *,
        by: Identity,
        relation: str | None = None,
        reason: str | None = None,
        dry_run: bool = False,
    ) -> SignedObject:
        """Say that a work was made from one's own, and doesn't name it.

        Args:
            own: one's own work, which is among the ancestors in truth.
            relation: how it was used: `remix`, `sample` and so on.
        """
        target = self._about_work(work)
        self._own(own, by, "claim")
        return self._say(
            "claim_ancestor",
            target,
            by,
            dry_run,
            own=self._other(own, target),
            relation=relation,
            reason=reason,
        )

    def thank(
        self, what: ObjectLike, text: str, *, by: Identity, dry_run: bool = False
    ) -> SignedObject:
        """Thank somebody for a work or for anything else that they signed."""
        return self._say("thanks", self._in_project(what), by, dry_run, text=text)

    def withdraw(
        self,
        what: ObjectLike,
        *,
        by: Identity,
        scope: Scope = "work",
        reason: str | None = None,
        replacement: ObjectLike | None = None,
        dry_run: bool = False,
    ) -> SignedObject:
        """Take back something of one's own. What others already did under its licence stays allowed.

        Args:
            what: one's own work or statement; with scope `name` also a work of others that credits one.
            scope: the whole `work` (or statement), its `media` only, or one's `name` on it.
            replacement: what to use instead.
        """
        target = self._about_work(what) if scope == "name" else self._own(what, by, "withdraw")
        return self._say(
            "withdrawal",
            target,
            by,
            dry_run,
            scope=scope,
            reason=reason,
            replacement=None if replacement is None else str(self.show(replacement).cid),
        )

    def witness(
        self, works: Sequence[ObjectLike], *, by: Identity, dry_run: bool = False
    ) -> SignedObject:
        """Sign that one has seen works of one project now, so that they can't be younger than that.

        It counts for works in which one has no part.
        """
        seen = [self._about_work(work) for work in works]
        if len({work.project for work in seen}) != 1:
            raise UsageError("a witness speaks of works of one project; sign one for each project")
        return self._sign_about(
            "witness",
            seen[0],
            by,
            dry_run,
            refs=sorted({str(work.cid) for work in seen}),
            seen=self._clock(),
        )

    def profile(
        self,
        *,
        by: Identity,
        name: str | None = None,
        links: Sequence[tuple[str | None, str]] = (),
        dry_run: bool = False,
    ) -> SignedObject:
        """Say something of oneself; a later profile takes the place of an earlier one.

        Args:
            name: as one wants to be called now.
            links: (label, URL) of places elsewhere.
        """
        pages = [_present(label=label, url=url) for label, url in links]
        return self._sign(
            "profile", _present(name=name, links=pages or None), by=by, dry_run=dry_run
        )

    # --- how they are made --------------------------------------------------------------------------

    def _say(
        self, kind: str, what: SignedObject, by: Identity, dry_run: bool, /, **body: Any
    ) -> SignedObject:
        return self._sign_about(kind, what, by, dry_run, target=_target(what), **body)

    def _sign_about(
        self, kind: str, what: SignedObject, by: Identity, dry_run: bool, /, **body: Any
    ) -> SignedObject:
        """Sign into the project of the target, so that it travels with it."""
        assert what.project_cid is not None
        return self._sign(
            kind,
            _present(**body),
            by=by,
            project=what.project_cid,
            parents=(what.project_cid,),
            dry_run=dry_run,
        )

    def _in_project(self, what: ObjectLike) -> SignedObject:
        found = self.show(what)
        if found.project_cid is None:
            raise UsageError(f"{found.cid} is a {found.kind}, which belongs to no project")
        return found

    def _about_work(self, what: ObjectLike) -> SignedObject:
        found = self._in_project(what)
        if found.object_class is not ObjectClass.WORK:
            raise UsageError(f"{found.cid} is a {found.kind}; name a work")
        return found

    def _own(self, what: ObjectLike, by: Identity, verb: str) -> SignedObject:
        found = self._in_project(what)
        if found.identity != by.cid:
            raise UsageError(f"only its author can {verb} {found.cid}, and that isn't {by.name}")
        return found

    def _other(self, what: ObjectLike | None, target: SignedObject) -> dict[str, str] | None:
        """A target beside the one that is spoken of, which may lie in another project [OBJ-17]."""
        if what is None:
            return None
        found = self._about_work(what)
        elsewhere = None if found.project == target.project_cid else str(found.project)
        return _present(object=str(found.cid), project=elsewhere)

    def _lines(self, work: SignedObject, about: About) -> Iterator[dict[str, Any]]:
        """What the numbers of lines count: credits, shares or uses, pages included."""
        if about == "split":
            split: dict[str, Any] = known_field(work, "split") or {}
            yield from split.get("parts", ())
            return
        name, page = _LISTS[about]
        yield from known_field(work, name) or ()
        for cid in known_field(work, page.value) or ():
            block = self.store.get(cid)
            if block is None:
                raise UsageError(
                    f"a list page of {work.cid} is not here, so its lines can't be counted"
                )
            yield from parse_list_page(block, page)


_LISTS = {"credit": ("credits", ListPage.CREDITS), "source": ("uses", ListPage.USES)}


def _lines_naming(lines: Iterator[dict[str, Any]], by: Identity) -> Iterator[int]:
    return (number for number, line in enumerate(lines) if line.get("who") == str(by.cid))


def _target(obj: SignedObject) -> dict[str, str]:
    return {"object": str(obj.cid)}


def _present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
