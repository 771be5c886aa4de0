"""Objects that are here and that a node doesn't carry: blocked since they came, by the operator or a label, and what rests on them.

They stay in the store, where the user sees them; in no set, and for no peer, they are there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from hitp2p.codec.cid import Cid
from hitp2p.node.policy import Policy, Verdict, find_denied
from hitp2p.objects.envelope import SignedObject
from hitp2p.store.contract import ObjectRow, Store

__all__ = ["Hiding", "Labels", "blocks_row", "may_block"]


class Labels:
    """What the moderators whom the operator trusts have said of objects, projects and people, as far as it is here.

    A label counts for its target and what it says there; the last word of a moderator, by their own clock, holds. Whether
    their key is in good standing isn't asked.
    """

    def __init__(self, store: Store, lookup: Callable[[Cid], SignedObject | None]) -> None:
        self._store = store
        self._lookup = lookup
        self._said: dict[tuple[Cid, Cid, str], tuple[int, bool]] = {}
        """When, and whether it was negated, by moderator, target and value."""
        self.verdicts: dict[Cid, Verdict] = {}
        """By target."""

    def read(self, policy: Policy) -> None:
        """Read all labels of the moderators anew."""
        self._said = {}
        for moderator in policy.moderators:
            for row in self._store.rows(kind="label", identity=moderator):
                self._note(row)
        self._judge(policy)

    def take(self, policy: Policy, rows: Iterable[ObjectRow]) -> bool:
        """Read labels among new objects; whether any verdict is another one now."""
        before = dict(self.verdicts)
        new = [row for row in rows if row.kind == "label" and row.identity in policy.moderators]
        for row in new:
            self._note(row)
        if new:
            self._judge(policy)
        return self.verdicts != before

    def _note(self, row: ObjectRow) -> None:
        obj = self._lookup(row.cid)
        if obj is None or row.identity is None:
            return
        target, value = Cid.parse(obj.body["target"]["object"]), str(obj.body["value"])
        key = (row.identity, target, value)
        said = (row.time, bool(obj.body.get("negate")))
        self._said[key] = max(self._said.get(key, said), said)

    def _judge(self, policy: Policy) -> None:
        found: dict[Cid, Verdict] = {}
        for (moderator, target, value), (_, is_negated) in self._said.items():
            verdict = policy.moderators.get(moderator, {}).get(value)
            if verdict is not None and not is_negated and found.get(target) is not Verdict.BLOCK:
                found[target] = verdict
        self.verdicts = found


def blocks_row(policy: Policy, labels: Mapping[Cid, Verdict], row: ObjectRow) -> bool:
    """Whether an object that is here is blocked, as far as its row tells."""
    if row.identity in policy.own:
        return False
    own = policy.objects.get(row.cid)
    if own is not None:
        return own is Verdict.BLOCK
    names = [cid for cid in (row.cid, row.project, row.identity) if cid is not None]
    return (
        policy.keys.get(row.signer) is Verdict.BLOCK
        or policy.authors.get(row.identity or row.cid) is Verdict.BLOCK
        or policy.projects.get(row.project or row.cid) is Verdict.BLOCK
        or any(labels.get(cid) is Verdict.BLOCK for cid in names)
        or bool(policy.deny and any(find_denied(policy, cid) for cid in names))
    )


def may_block(policy: Policy) -> bool:
    """Whether anything may be blocked at all; else no row need be asked."""
    rules = (policy.objects, policy.projects, policy.authors, policy.keys)
    return bool(policy.deny or policy.moderators or any(rules))


class Hiding:
    """Which objects of a store are not carried."""

    def __init__(self, store: Store, lookup: Callable[[Cid], SignedObject | None]) -> None:
        self._store = store
        self.labels = Labels(store, lookup)
        self.cids: set[Cid] = set()
        """Objects that are blocked, or rest on such; of what was looked at."""
        self._policy = Policy()
        self.may_block = False
        """Whether anything may be hidden at all."""

    def set_policy(self, policy: Policy) -> None:
        """Hold to a policy from now on; what was found before is forgotten."""
        self._policy = policy
        self.may_block = may_block(policy)
        self.labels.read(policy)
        self.cids = set()

    def look(self, rows: Iterable[ObjectRow]) -> None:
        """Find what is blocked among objects, and what rests on it."""
        if self.may_block:
            for row in rows:
                if self.is_blocked(row):
                    self._hide(row.cid)

    def heeds(self, rows: Iterable[ObjectRow]) -> bool:
        """Whether labels of moderators are among new objects."""
        moderators = self._policy.moderators
        return any(row.kind == "label" and row.identity in moderators for row in rows)

    def take_labels(self, rows: Iterable[ObjectRow]) -> bool:
        """Heed labels among new objects; where any verdict is another one now, what was found before is forgotten."""
        if not self.labels.take(self._policy, rows):
            return False
        self.cids = set()
        return True

    def is_blocked(self, row: ObjectRow) -> bool:
        """Whether an object itself is blocked."""
        return self.may_block and blocks_row(self._policy, self.labels.verdicts, row)

    def hides(self, row: ObjectRow) -> bool:
        """Whether an object is not carried."""
        return row.cid in self.cids or self.is_blocked(row)

    def take(self, row: ObjectRow, obj: SignedObject) -> bool:
        """Whether a new object is not carried; what comes on top of it won't be either."""
        if not self.may_block:
            return False
        is_hidden = self.is_blocked(row) or not self.cids.isdisjoint(obj.parents)
        if is_hidden:
            self.cids.add(row.cid)
        return is_hidden

    def _hide(self, cid: Cid) -> None:
        stack = [cid]
        while stack:
            cid = stack.pop()
            if cid not in self.cids:
                self.cids.add(cid)
                stack.extend(self._store.children(cid))
