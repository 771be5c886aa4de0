"""Looking at new members: what they link to and isn't here, and whose room they take. Each is looked at once.

How far it got stands in the ledger, so a start costs what has come since, not what there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from hitp2p.codec.cid import Cid
from hitp2p.errors import StoreError
from hitp2p.node.changes import Change
from hitp2p.node.ledger import Ledger, Looked
from hitp2p.node.membership import Memberships
from hitp2p.node.quotas import Account, Amount, Usage
from hitp2p.node.wanting import Wanting
from hitp2p.objects.envelope import SignedObject
from hitp2p.protocol.actions import Want
from hitp2p.store.contract import ObjectRow, Store

__all__ = ["Looking"]


class Looking:
    """What was looked at. One thread's."""

    def __init__(
        self,
        store: Store,
        *,
        sets: Memberships,
        lookup: Callable[[Cid], SignedObject | None],
        wanting: Wanting,
        ledger: Ledger,
        is_exempt: Callable[[Account], bool],
        is_kept_back: Callable[[Cid], bool],
    ) -> None:
        """Go on where the ledger ends.

        Args:
            store: what is looked at.
            sets: says who belongs where.
            lookup: an object of the store.
            wanting: says what an object links to.
            ledger: how far it got before.
            is_kept_back: whether a block is not fetched for now, whoever links to it.
            is_exempt: whose works take no room, as the operator wants them in any case.
        """
        self._store = store
        self._sets = sets
        self._lookup = lookup
        self._wanting = wanting
        self._ledger = ledger
        self._is_exempt = is_exempt
        self._is_kept_back = is_kept_back
        self.usage = Usage(ledger.usage())
        self._how: dict[Cid, str] = {}
        """Topics of which all members are looked at, and how."""

    # --- at the start -----------------------------------------------------------------------------

    def begin(self, topic: Cid, how: str) -> Iterator[Want]:
        """What is wanted for a followed topic: all of it, as far as the ledger knows, and for what came since.

        Args:
            topic: followed.
            how: what is wanted of media; another text than before has all members looked at anew.
        """
        looked = self._ledger.looked(topic)
        if looked is not None and looked.how == how and self._is_same_store(looked):
            yield from self._again(topic)
            rows: Iterable[ObjectRow] = self._rows_after(topic, looked.seq)
            counted = None
        else:
            self.forget(topic)
            counted = set[Cid]()
            rows = self._sets.iter_rows(topic)
        self._how[topic] = how
        new = ((topic, row) for row in rows if row.seq <= self._sets.cursor)
        yield from self._look(new, counted=counted, begun=topic)

    def _is_same_store(self, looked: Looked) -> bool:
        row = next(self._store.rows(after=looked.seq - 1, limit=1), None)
        return row is not None and (row.seq, row.cid) == (looked.seq, looked.cid)

    def _rows_after(self, topic: Cid, seq: int) -> Iterator[ObjectRow]:
        """What has come since. Of one who speaks for the first time, older events aren't looked at."""
        yield from self._store.rows(project=topic, after=seq)
        for row in self._store.rows(kind="identity", after=seq):
            if topic in self._sets.topics_of(row):
                yield row
        for row in self._store.rows(identity=topic, after=seq):
            if row.project is None and row.kind != "identity":
                yield row

    def _again(self, topic: Cid) -> Iterator[Want]:
        """What is still to come of what was wanted before."""
        came: list[Cid] = []
        for cid in self._ledger.wanted(topic):
            found = tuple(self._wanting.again(topic, cid))
            yield from filter(self._may_come, found)
            if not found:
                came.append(cid)
        self._ledger.note(came=came)

    def _may_come(self, want: Want) -> bool:
        return not (self._is_kept_back(want.cid) or self._is_kept_back(want.file or want.cid))

    def forget(self, topic: Cid) -> None:
        """Forget what was seen of a topic."""
        self._how.pop(topic, None)
        self.usage.forget(topic)
        self._ledger.forget(topic)

    # --- as it comes ------------------------------------------------------------------------------

    def take(
        self, change: Change, came: Iterable[Cid] = (), spent: Usage | None = None
    ) -> tuple[Want, ...]:
        """What is wanted for new members.

        Args:
            change: what has joined.
            came: what was wanted and is here now.
            spent: what was taken up beside the new members.
        """
        return tuple(self._look(change.rows, came, spent))

    def _look(
        self,
        rows: Iterable[tuple[Cid, ObjectRow]],
        came: Iterable[Cid] = (),
        spent: Usage | None = None,
        counted: set[Cid] | None = None,
        begun: Cid | None = None,
    ) -> tuple[Want, ...]:
        """Look at new members.

        Args:
            rows: as (topic, row).
            came: what isn't wanted any more.
            spent: what was taken up beside the members.
            counted: given where what they link to is counted as well, as far as it is here; it learns what was.
            begun: a topic that is looked at up to now, whether it has new members or not.
        """
        touched = set[Cid]() if begun is None else {begun}
        wants: dict[Want, None] = {}
        taken = spent or Usage()
        for topic, row in rows:
            touched.add(topic)
            obj = self._lookup(row.cid)
            if obj is not None:
                wants.update(dict.fromkeys(self._wanting.of(topic, obj)))
                account = (topic, row.identity)
                if not self._is_exempt(account):
                    more = 0 if counted is None else self._wanting.bytes_of(obj, counted)
                    taken.add(account, Amount(1, len(obj.block) + more))
        amounts = list(taken.accounts())
        for account, amount in amounts:
            self.usage.add(account, amount)
        try:
            self._ledger.note(
                wanted=[(want.topic, want.file or want.cid) for want in wants],
                came=came,
                looked=self._marks(touched),
                spent=amounts,
            )
        except StoreError:
            self._how.clear()  # a full disk, mostly; the next start looks again from where the ledger stands
        return tuple(filter(self._may_come, wants))

    def look_again(self, cid: Cid) -> tuple[Want, ...]:
        """What is wanted of a block, or of an object's links, that was kept out and is let in again."""
        wants: dict[Want, None] = {}
        for linker in (cid, *self._store.linkers(cid)):
            row, obj = self._store.row(linker), self._lookup(linker)
            for topic in () if row is None or obj is None else self._sets.topics_of(row):
                wants.update(dict.fromkeys(self._wanting.of(topic, obj)) if obj else {})
        with suppress(StoreError):
            self._ledger.note(wanted=[(want.topic, want.file or want.cid) for want in wants])
        return tuple(filter(self._may_come, wants))

    def _marks(self, topics: Iterable[Cid]) -> dict[Cid, Looked]:
        """How far topics are looked at now. Where nothing has come for one, an older mark says the same."""
        seq, cid = self._sets.cursor, self._sets.cursor_cid
        if cid is None:
            return {}
        return {topic: Looked(seq, cid, self._how[topic]) for topic in topics if topic in self._how}
