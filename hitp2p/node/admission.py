"""One batch from a peer, from its bytes to what the core is told: sort, verify, judge, store, say what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.dataclass import dataclass, field, replace
from hitp2p.errors import StoreFullError, UnlistedError
from hitp2p.node.changes import Change
from hitp2p.node.judging import Judged, judge_in_trail, verify_blocks
from hitp2p.node.looking import Looking
from hitp2p.node.membership import Memberships
from hitp2p.node.policy import NO_RULE, Follow, Policy, Verdict, judge
from hitp2p.node.quotas import NO_BOUNDS, Account, Amount, Usage, over_quota
from hitp2p.node.remembered import Remembered
from hitp2p.node.review import Held, ReviewQueue
from hitp2p.node.wanting import Fit, Wanting
from hitp2p.objects.envelope import SignedObject
from hitp2p.protocol.actions import Admit, Admitted, Want
from hitp2p.store.contract import ObjectRow, Store, WriteBatch
from hitp2p.trail.bundle import is_list_page

__all__ = ["Admission", "Desk"]


@dataclass(slots=True, kw_only=True)
class Desk:
    """What batches are judged with."""

    store: Store
    remembered: Remembered
    sets: Memberships
    wanting: Wanting
    looking: Looking
    policy: Policy
    review: ReviewQueue
    follows: dict[Cid, Follow] = field(default_factory=dict[Cid, Follow])
    """By topic."""
    durable: bool = True
    """Whether what is stored is to outlive a power cut."""
    free_bytes: Callable[[], int] | None = None
    """Room on the disk."""

    @property
    def has_reviews(self) -> bool:
        """Whether something may wait for the operator."""
        policy = self.policy
        rules: list[Mapping[Any, Verdict]] = [
            *(policy.objects, policy.projects, policy.authors, policy.keys),
            *(policy.licenses, policy.media_types, *policy.moderators.values()),
        ]
        found = (verdict for each in rules for verdict in each.values())
        return policy.default is Verdict.REVIEW or Verdict.REVIEW in found

    def is_full(self) -> bool:
        """Whether the room that is left is for others."""
        keep_free = self.policy.quotas.keep_free_bytes
        return bool(keep_free and self.free_bytes is not None and self.free_bytes() < keep_free)

    def is_exempt(self, account: Account) -> bool:
        """Whether quotas don't ask what something takes: the operator's own works, and pinned topics."""
        topic, author = account
        return topic in self.policy.pinned or author in self.policy.own

    def tell(
        self, change: Change, wants: Iterable[Want] = (), spent: Usage | None = None
    ) -> Admitted:
        """What has changed, and what is wanted now; nothing of unlisted projects.

        Args:
            change: of the sets.
            wants: what goes on from what was wanted before.
            spent: room that was taken up by other things than new members.
        """
        unlisted = self.store.unlisted()
        if unlisted:
            change.rows = [pair for pair in change.rows if pair[0] not in unlisted]
        found = self.looking.take(change, self.wanting.finished(), spent)
        return Admitted(
            joined=tuple(member for member in change.joined if member.of.topic not in unlisted),
            left=tuple(change.left),
            no_heads=tuple(pair for pair in change.no_heads if pair[0].topic not in unlisted),
            wants=tuple(dict.fromkeys([*wants, *found])),
        )


class Admission:
    """One batch."""

    def __init__(self, desk: Desk, action: Admit) -> None:
        """`desk`: what it is judged with. `action`: the batch."""
        self._desk = desk
        self._action = action
        self._store = desk.store
        self._judged = Judged()
        self._objects: dict[Cid, SignedObject] = {}
        """Those whose signatures are good."""
        self._to_review: dict[Cid, str] = {}
        """Why these are to wait until the operator has looked at them."""
        self._to_wait: list[Held] = []
        self._stored: dict[Cid, None] = {}
        self._fits: list[Fit] = []
        self._claimed = Usage()
        """Room that good objects and blocks of this batch take."""
        self._wants: dict[Cid, list[Want]] = {}
        for want in action.wants:
            self._wants.setdefault(want.cid, []).append(want)
        self._unlisted = self._store.unlisted()

    def run(self) -> Admitted:
        """Judge it and store what is good.

        Raises:
            MissingBlocksError: another program has removed what some of it rests on.
            StoreError: the store failed in another way than by being full.
        """
        blocks, others = self._sort()
        for obj in self._action.objects:
            if reason := self._refuse(obj):  # the operator may have decided so while it waited
                self._judged.refused[obj.cid] = reason
            else:
                self._objects[obj.cid] = obj
        self._objects |= verify_blocks(blocks, self._refuse, self._judged)
        judge_in_trail(self._objects, self._find, self._decide, self._judged)
        for cid, block in others:
            self._take_other(cid, block)
        return self._put()

    def _sort(self) -> tuple[list[tuple[Cid, bytes]], list[tuple[Cid, bytes]]]:
        """Signed objects and other blocks."""
        objects: list[tuple[Cid, bytes]] = []
        others: list[tuple[Cid, bytes]] = []
        for cid, block in dict(self._action.blocks).items():
            if cid.codec != DAG_CBOR or (cid in self._wants and is_list_page(block)):
                others.append((cid, block))
            else:
                objects.append((cid, block))
        return objects, others

    # --- what the operator wants ------------------------------------------------------------------

    def _refuse(self, obj: SignedObject) -> str | None:
        if not self._belongs(obj):
            return "it belongs to nothing that is followed here"
        ruling = judge(self._desk.policy, obj, self._desk.sets.hiding.labels.verdicts)
        if ruling.verdict is Verdict.REVIEW:
            self._to_review[obj.cid] = ruling.reason
        return f"blocked by {ruling.reason}" if ruling.verdict is Verdict.BLOCK else None

    def _belongs(self, obj: SignedObject) -> bool:
        followed = self._desk.follows
        project = obj.project_cid
        if project is not None:
            return project in followed and project not in self._unlisted
        if obj.kind != "identity":
            return obj.identity in followed
        if obj.identity in followed or self._desk.sets.speaks_in(obj.identity):
            return True
        # An event may come before the work that it speaks for, and before the project; it joins no set before that work does.
        topic = self._action.topic
        if topic not in followed or topic in self._unlisted:
            return False
        row = self._store.row(topic)
        return row is None or row.kind == "project"

    def _find(self, cid: Cid) -> SignedObject | None:
        """An object that is stored, or waits for the operator."""
        found = self._desk.remembered.get(cid)
        if found is None and self._desk.has_reviews:
            found = self._desk.review.get(cid)
            if found is not None:
                self._judged.held[cid] = found
        return found

    def _decide(self, obj: SignedObject) -> str | None:
        """Of a valid object, why it isn't to be stored now."""
        hidden = self._desk.sets.hiding.cids
        if base := next((cid for cid in obj.required if cid in hidden), None):
            return f"rests on {base}, which is blocked here"
        below = next((cid for cid in obj.required if cid in self._judged.held), None)
        reason = self._to_review.get(obj.cid)
        if reason == NO_RULE and self._is_known(obj):
            reason = None
        must_wait = (
            bool(reason or below) and obj.kind != "identity"
        )  # which shows nothing to look at
        if must_wait and self._store.row(obj.cid) is None:
            if self._desk.review.is_rejected(obj.cid):
                return "the operator has rejected it"
            self._judged.held[obj.cid] = obj
            why = reason or f"rests on {below}, which waits"
            self._to_wait.append(Held(object=obj, reason=why, rests=not reason))
            return f"waits for review: {why}"
        topic = obj.project_cid or self._action.topic
        return self._claim((topic, obj.identity), Amount(1, len(obj.block)), obj.cid)

    def _is_known(self, obj: SignedObject) -> bool:
        """Whether an author about whom nothing was said needn't wait.

        So it is with the operator, with what the operator follows, with who made the project, and with who has spoken in it
        before, as somebody has let that in.
        """
        who, project = obj.identity, obj.project_cid
        if (
            obj.cid in self._desk.follows
            or who in self._desk.follows
            or who in self._desk.policy.own
        ):
            return True
        if project is None:
            return False
        made = self._judged.good.get(project) or self._desk.remembered.get(project)
        is_maker = made is not None and made.identity == who
        return is_maker or project in self._desk.sets.speaks_in(who)

    def _let_wait(self) -> None:
        for cid in self._desk.review.hold(self._to_wait):
            self._judged.refused[cid] = "the review queue is full"

    def _claim(self, account: Account, amount: Amount, cid: Cid) -> str | None:
        """Take room for something, if there is any."""
        desk = self._desk
        if desk.policy.quotas == NO_BOUNDS or desk.is_exempt(account):
            return None
        usage = desk.looking.usage
        fault = over_quota(desk.policy.quotas, usage, self._claimed, account, amount)
        if fault is None or self._store.has(cid):  # what is here takes no more room
            self._claimed.add(account, amount)
            return None
        return fault

    # --- pages, texts, media ----------------------------------------------------------------------

    def _take_other(self, cid: Cid, block: bytes) -> None:
        wants = self._wants.get(cid)
        if not wants:
            return
        if self._store.has(cid):
            self._stored[cid] = None
            return
        found = self._desk.wanting.fit(cid, block, wants)
        if isinstance(found, Fit):
            fault = self._claim((found.topic, found.author), Amount(0, len(block)), cid)
            if fault is None:
                self._fits.append(found)
                return
            found = fault
        self._judged.refused[cid] = found

    # --- storing ----------------------------------------------------------------------------------

    def _put(self) -> Admitted:
        desk = self._desk
        good = self._judged.good
        if (good or self._fits or self._to_wait) and desk.is_full():
            return self._answer(Admitted(full=True))
        try:
            self._let_wait()
            rows = self._write(good)
        except StoreFullError:
            return self._answer(Admitted(full=True))
        except UnlistedError as error:
            self._judged.refused.update(dict.fromkeys(good, str(error)))
            return self._answer(Admitted())
        for obj in good.values():
            desk.remembered.add(obj)
        self._stored.update(dict.fromkeys([*good, *(fit.cid for fit in self._fits)]))
        desk.sets.note_pages(fit.topic for fit in self._fits if fit.cid.codec == DAG_CBOR)
        change = desk.sets.advance(good, rows)
        wants = desk.wanting.go_on(self._fits)
        return self._answer(desk.tell(change, wants, self._spent(rows, change)))

    def _spent(self, rows: Sequence[ObjectRow], change: Change) -> Usage:
        """Room beside that of new members: of blocks, and of events that nobody has spoken under yet."""
        spent = Usage()
        joined = {row.cid for _, row in change.rows}
        claims = [((fit.topic, fit.author), Amount(0, len(fit.block))) for fit in self._fits]
        for row in rows:
            if row.cid not in joined:
                account = (self._action.topic, row.identity)
                claims.append((account, Amount(1, len(self._objects[row.cid].block))))
        for account, amount in claims:
            if not self._desk.is_exempt(account):
                spent.add(account, amount)
        return spent

    def _write(self, good: Mapping[Cid, SignedObject]) -> Sequence[ObjectRow]:
        if not good and not self._fits:
            return ()
        wanting = self._desk.wanting
        with wanting.held(self._fits):
            blocks, leaves = wanting.place(self._fits)
            batch = WriteBatch(objects=tuple(good.values()), blocks=blocks, leaves=leaves)
            return self._store.put(batch, durable=self._desk.durable)

    def _answer(self, admitted: Admitted) -> Admitted:
        judged = self._judged
        return replace(
            admitted,
            stored=tuple(self._stored),
            waiting=tuple((self._objects[cid], missing) for cid, missing in judged.waiting.items()),
            invalid=judged.invalid,
            refused=judged.refused,
        )
