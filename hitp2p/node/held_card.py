"""What an operator looks at before letting an object in: what it says, what it is made from, and whether the licences allow that."""

from __future__ import annotations

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import NotFoundError
from hitp2p.node.linked import files_of
from hitp2p.node.remembered import Remembered, WholeBlocks
from hitp2p.node.review import Held, ReviewQueue
from hitp2p.objects.contribution import MediaEntry
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import ObjectClass
from hitp2p.objects.known import known_field
from hitp2p.store.contract import Store
from hitp2p.trail.credits import CreditSheet, credit_sheet
from hitp2p.trail.license_report import LicenseReport
from hitp2p.trail.licenses import audit_licenses
from hitp2p.trail.standing import Standing, StandingAuditor

__all__ = ["HeldCard", "show_held"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCard:
    """An object that waits, and what there is to know about it."""

    held: Held
    title: str
    """Its title, or its text; empty where it has none."""
    author_name: str
    """How its author is called, as they say; empty where they don't."""
    standing: Standing
    """Whether its author stands behind the key."""
    n_of_author: int
    """Objects of the same author that are here already."""
    files: tuple[MediaEntry, ...]
    """Its files; none has been fetched for it."""
    credits: CreditSheet | None
    """Who made it and what it is made from; None of what is no work."""
    licenses: LicenseReport | None
    """What the licences of its sources say of it; None of what is no work."""


def show_held(store: Store, queue: ReviewQueue, cid: Cid) -> HeldCard:
    """Gather what is known of an object that waits.

    Raises:
        NotFoundError: it doesn't wait.
    """
    held = next((one for one in queue if one.object.cid == cid), None)
    if held is None:
        raise NotFoundError(f"{cid} doesn't wait for review")
    return _Gathering(store, queue).card(held)


class _Gathering:
    """What is asked for one card."""

    def __init__(self, store: Store, queue: ReviewQueue) -> None:
        self._store = store
        self._queue = queue
        self._stored = Remembered(store)
        self._blocks = WholeBlocks(store)
        self._auditor = StandingAuditor(
            events=lambda who: filter(None, map(self._find, store.events(who))),
            lookup=self._find,
            blocks=self._blocks,
        )

    def _find(self, cid: Cid) -> SignedObject | None:
        return self._stored.get(cid) or self._queue.get(cid)

    def _standing(self, obj: SignedObject) -> Standing:
        return self._auditor.audit(obj).standing

    def card(self, held: Held) -> HeldCard:
        obj = held.object
        credits = self._credits(obj)
        genesis = self._find(obj.identity)
        return HeldCard(
            held=held,
            title=str(known_field(obj, "title") or known_field(obj, "text") or ""),
            author_name="" if genesis is None else str(known_field(genesis, "name") or ""),
            standing=self._standing(obj),
            n_of_author=sum(1 for _ in self._store.rows(identity=obj.identity)),
            files=files_of(obj),
            credits=credits,
            licenses=None
            if credits is None
            else audit_licenses(
                credits, lookup=self._find, grants=self._statements, standing=self._standing
            ),
        )

    def _credits(self, obj: SignedObject) -> CreditSheet | None:
        if obj.object_class is not ObjectClass.WORK or obj.kind == "call":
            return None
        return credit_sheet(
            obj,
            lookup=self._find,
            blocks=self._blocks,
            answers=self._statements,
            standing=self._standing,
        )

    def _statements(self, cid: Cid) -> list[SignedObject]:
        return [obj for one in self._store.referrers(cid) if (obj := self._find(one)) is not None]
